/* See heading.h. */
#include "data/heading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"

mlp_cl_status heading_read(const csv_reader *csv, bool named, name_set *names, mlp_cl_error *error) {
  *names = (name_set){0};
  for (size_t i = 0; i < csv->fields_count; i++) {
    char number[24];
    uint32_t place;
    snprintf(number, sizeof number, "%zu", i + 1);
    const char *name = named && csv->fields[i][0] != '\0' ? csv->fields[i] : number;
    TRY(name_set_add(names, name, &place, error));
    if (place == i) continue;
    return fail(error, MLP_CL_BAD_FILE, "%s: line %zu: columns %u and %zu are both called \"%.80s\"; rename one",
                csv->source.path, csv->line, (unsigned)place + 1, i + 1, name);
  }
  return MLP_CL_OK;
}

bool heading_is_there(const csv_reader *csv) {
  bool any = false;
  for (size_t i = 0; i < csv->fields_count; i++) {
    double value;
    if (number_read(csv->fields[i], csv->c_locale, &value)) return false;
    any = any || csv->fields[i][0] != '\0';
  }
  name_set names;
  bool different = heading_read(csv, true, &names, NULL) == MLP_CL_OK;
  name_set_destroy(&names);
  return any && different;
}

mlp_cl_status heading_find(const name_list *columns, const char *path, const char *option, const char **list,
                           size_t *found, mlp_cl_error *error) {
  const char *wanted = *list + strspn(*list, " ");
  size_t length = strcspn(wanted, ","), digits = strspn(wanted, "0123456789"), number = 0;
  *list = wanted[length] == ',' ? wanted + length + 1 : NULL;
  while (length > 0 && wanted[length - 1] == ' ') length--;
  if (length == 0) return fail(error, MLP_CL_BAD_ARGUMENT, "%s: an empty name in %s", path, option);
  for (*found = 0; *found < columns->count; ++*found) {
    const char *name = name_list_text(columns, *found);
    if (strlen(name) == length && memcmp(name, wanted, length) == 0) return MLP_CL_OK;
  }
  if (digits == length && length < 10) number = (size_t)strtoul(wanted, NULL, 10);
  *found = number - 1;
  if (number >= 1 && number <= columns->count) return MLP_CL_OK;
  char text[NAMES_LISTED_BYTES];
  return fail(error, MLP_CL_BAD_ARGUMENT, "%s: there is no column \"%.*s\" for %s; the %zu columns are: %s", path,
              (int)size_min(length, 80), wanted, option, columns->count, names_list(columns, text));
}
