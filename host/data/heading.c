/* See heading.h. */
#include "data/heading.h"

#include <stdio.h>

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
