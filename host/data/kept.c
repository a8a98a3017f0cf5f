/* Columns of a table that are kept as text beside the features of its rows: see rows.h. */
#include <stdlib.h>
#include <string.h>

#include "data/heading.h"
#include "data/rows.h"

void kept_destroy(kept_fields *kept) {
  for (size_t i = 0; i < kept->count; i++) free(kept->names[i]);
  free(kept->names);
  free(kept->positions);
  free(kept->text);
  free(kept->starts);
  *kept = (kept_fields){0};
}

/* Room for twice as much as is needed at once. */
static bool grow(void **array, size_t *room, size_t needed, size_t element_bytes) {
  if (needed <= *room) return true;
  void *more = realloc(*array, 2 * needed * element_bytes);
  if (more == NULL) return false;
  *array = more;
  *room = 2 * needed;
  return true;
}

mlp_cl_status kept_add(kept_fields *kept, const csv_reader *csv, mlp_cl_error *error) {
  void *starts = kept->starts, *text = kept->text;
  size_t bytes = kept->used;
  for (size_t i = 0; i < kept->count; i++) bytes += strlen(csv->fields[kept->positions[i]]) + 1;
  bool good = grow(&starts, &kept->rows_room, kept->rows + 1, kept->count * sizeof *kept->starts);
  kept->starts = starts;
  good = good && grow(&text, &kept->room, bytes, 1);
  kept->text = text;
  if (!good) return fail_memory(error, bytes, "the columns to keep");
  for (size_t i = 0; i < kept->count; i++) {
    const char *field = csv->fields[kept->positions[i]];
    size_t size = strlen(field) + 1;
    memcpy(kept->text + kept->used, field, size);
    kept->starts[kept->rows * kept->count + i] = kept->used;
    kept->used += size;
  }
  kept->rows++;
  return MLP_CL_OK;
}

static mlp_cl_status add_column(const char *path, kept_fields *kept, const name_set *names, size_t position,
                                mlp_cl_error *error) {
  for (size_t i = 0; i < kept->count; i++)
    if (kept->positions[i] == position)
      return fail(error, MLP_CL_BAD_ARGUMENT, "%s: column \"%.80s\" is given to --id twice", path,
                  names->texts[position]);
  size_t *positions = realloc(kept->positions, (kept->count + 1) * sizeof *positions);
  if (positions != NULL) kept->positions = positions;
  char **kept_names = realloc(kept->names, (kept->count + 1) * sizeof *kept_names);
  if (kept_names != NULL) kept->names = kept_names;
  char *name = strdup(names->texts[position]);
  if (positions == NULL || kept_names == NULL || name == NULL) {
    free(name);
    return fail_memory(error, sizeof *positions, "the columns to keep");
  }
  kept->positions[kept->count] = position;
  kept->names[kept->count++] = name;
  return MLP_CL_OK;
}

mlp_cl_status mlp_cl_rows_keep(mlp_cl_rows *r, const char *columns, mlp_cl_error *error) {
  if (!r->is_table)
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "--id: only a table that is read row by row has columns of texts, and this is none");
  if (r->kept.count > 0) return fail(error, MLP_CL_BAD_ARGUMENT, "columns to keep are named once, together");
  if (r->begun) return fail(error, MLP_CL_BAD_ARGUMENT, "columns are kept from the first row on: name them before");
  name_set names;
  mlp_cl_status status = heading_read(&r->csv, !r->waiting, &names, error);
  const name_list all = {names.texts, sizeof *names.texts, names.count};
  for (size_t found; status == MLP_CL_OK && columns != NULL;) {
    status = heading_find(&all, r->path, "--id", &columns, &found, error);
    if (status == MLP_CL_OK) status = add_column(r->path, &r->kept, &names, found, error);
  }
  name_set_destroy(&names);
  if (status != MLP_CL_OK) kept_destroy(&r->kept);
  return status;
}

size_t mlp_cl_rows_kept_columns(const mlp_cl_rows *r) {
  return r->kept.count;
}

const char *mlp_cl_rows_kept_name(const mlp_cl_rows *r, size_t column) {
  return column < r->kept.count ? r->kept.names[column] : NULL;
}

const char *mlp_cl_rows_kept(const mlp_cl_rows *r, size_t row, size_t column) {
  const kept_fields *kept = &r->kept;
  return row < kept->rows && column < kept->count ? kept->text + kept->starts[row * kept->count + column] : NULL;
}
