/* A field of text under a column that exists already. */
#ifndef DATA_FIELD_H
#define DATA_FIELD_H

#include <locale.h>

#include "data/encoding.h"

/* What is wrong with a field: '"x" is none of the values …', without where it stands. */
enum { FIELD_FAULT_BYTES = 512 };

/* The field's features, encoding_column_width() of them, or of a TARGET its value; false with what is wrong. */
bool field_encode(const encoding_column *column, const char *text, locale_t c_locale, float *features,
                  char fault[FIELD_FAULT_BYTES]);
/* The same for a class of CLASSES. */
bool field_class(const encoding_column *column, const char *text, int32_t *label, char fault[FIELD_FAULT_BYTES]);

#endif
