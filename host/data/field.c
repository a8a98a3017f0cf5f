#include "data/field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/number.h"

static bool encode_as_number(const encoding_column *column, const char *text, locale_t c_locale, float *feature,
                             char fault[FIELD_FAULT_BYTES]) {
  double value = NAN;
  bool number = number_read(text, c_locale, &value), missing = !number && number_is_missing(text);
  if (number || (missing && column->filled)) {
    if (encode_number(column, value, feature)) return true;
    snprintf(fault, FIELD_FAULT_BYTES,
             "\"%.40s\" is too far from what the model was trained on: it scales to more than float32 holds", text);
  } else if (missing) {
    snprintf(fault, FIELD_FAULT_BYTES,
             "\"%s\": a value is missing; a model trained with --missing mean takes the mean for it", text);
  } else {
    snprintf(fault, FIELD_FAULT_BYTES, "\"%.40s\" %s", text, number_fault(text, c_locale));
  }
  return false;
}

static bool find_value(const encoding_column *column, const char *text, uint32_t *value,
                       char fault[FIELD_FAULT_BYTES]) {
  const name_list values = {column->values.texts, sizeof *column->values.texts, column->values.count};
  char known[NAMES_LISTED_BYTES];
  bool missing = text_is_missing(text);
  *value = name_set_find(&column->values, text);
  if (*value != NAME_NONE || (missing && column->kind == MLP_CL_COLUMN_ONE_HOT && column->filled)) return true;
  snprintf(fault, FIELD_FAULT_BYTES, "\"%.40s\" is none of the %s that the model knows: %s", text,
           column->kind == MLP_CL_COLUMN_CLASSES ? "classes" : "values", names_list(&values, known));
  return false;
}

bool field_encode(const encoding_column *column, const char *text, locale_t c_locale, float *features,
                  char fault[FIELD_FAULT_BYTES]) {
  if (column->kind != MLP_CL_COLUMN_ONE_HOT) return encode_as_number(column, text, c_locale, features, fault);
  uint32_t value;
  if (!find_value(column, text, &value, fault)) return false;
  encode_value(column, value, features);
  return true;
}

bool field_class(const encoding_column *column, const char *text, int32_t *label, char fault[FIELD_FAULT_BYTES]) {
  uint32_t value;
  if (!find_value(column, text, &value, fault)) return false;
  *label = (int32_t)value;
  return true;
}

mlp_cl_status mlp_cl_encoding_row(const mlp_cl_encoding *encoding, const char *const *fields, float *features,
                                  mlp_cl_error *error) {
  if (encoding == NULL || fields == NULL || features == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "encode a row: give an encoding, its fields and room for the features");
  for (size_t i = 0; i < encoding->columns_count; i++) {
    const encoding_column *column = &encoding->columns[i];
    char fault[FIELD_FAULT_BYTES];
    if (!field_encode(column, fields[i] != NULL ? fields[i] : "", encoding->c_locale, features, fault))
      return fail(error, MLP_CL_BAD_ARGUMENT, "column \"%.80s\": %s", column->name, fault);
    features += encoding_column_width(column);
  }
  return MLP_CL_OK;
}
