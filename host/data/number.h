/* Numbers as people write them in tables. */
#ifndef DATA_NUMBER_H
#define DATA_NUMBER_H

#include <locale.h>
#include <stdbool.h>

/* The value of a decimal number, correctly rounded; false for anything else: hexadecimal, inf, nan, a magnitude above
 * float32's range. */
bool number_read(const char *text, locale_t c_locale, double *value);
/* What a text is that number_read does not take: "is not a number", or what is wrong with it. */
const char *number_fault(const char *text, locale_t c_locale);
/* True for what people write where a number is missing: nothing, NA, N/A, NaN, null, None, ?, -. */
bool number_is_missing(const char *text);
/* The same of a text. */
bool text_is_missing(const char *text);

#endif
