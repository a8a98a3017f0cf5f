/* Text from elsewhere that goes into JSON. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>

/* Whether all of it is characters in their shortest form, none of them a surrogate (RFC 3629). */
bool utf8_is_valid(const char *text);

#endif
