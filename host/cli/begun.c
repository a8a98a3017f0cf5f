/* See begun.h. The note is {"train": {"option": "value" or, for a flag, true}}, with paths from the root on: the run
 * may go on from another folder. No option is taken from it that writes a file or accepts a device: a checkpoint may
 * come from anywhere. */
#include "begun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint.h"
#include "open.h"
#include "plan.h"
#include "report.h"
#include "source.h"

static bool is_kept(int id) {
  static const struct poptOption *const tables[] = {source_options, table_options, plan_options, device_options};
  static const option_id others[] = {OPTION_DATA_MEMORY, OPTION_CHECKPOINT_EVERY, OPTION_VERIFY, OPTION_VERIFY_EVERY};
  if (id == OPTION_ALLOW_INEXACT) return false;
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    if (options_find(tables[i], NULL, id)) return true;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if ((int)others[i] == id) return true;
  return false;
}

static bool is_flag(const struct poptOption *row) {
  return (row->argInfo & POPT_ARG_MASK) == POPT_ARG_NONE;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static bool names_file(const struct poptOption *row, const char *value) {
  bool built_in = row->val == OPTION_DATA && strcmp(value, "digits") == 0;
  return !built_in && (strcmp(row->argDescrip, "FILE") == 0 || strcmp(row->argDescrip, "SOURCE") == 0);
}

static json_t *describe(const struct poptOption *row, const char *value) {
  if (is_flag(row)) return json_true();
  char *path = names_file(row, value) ? realpath(value, NULL) : NULL;
  json_t *described = json_string(path ? path : value);
  free(path);
  return described;
}

char *begun_note(const options *o) {
  json_t *chosen = json_object();
  bool whole = true;
  for (int id = 0; id < OPTION_COUNT; id++) {
    if (!o->text[id] || !is_kept(id)) continue;
    const struct poptOption *row = options_find(o->table, NULL, id);
    whole = json_object_set_new(chosen, row->longName, describe(row, o->text[id])) == 0 && whole;
  }
  json_t *note = json_pack("{s:o}", "train", chosen);
  char *text = whole && note ? json_dumps(note, JSON_COMPACT) : NULL;
  json_decref(note);
  return text;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

static const char *find_note(const mlp_cl_model_info *info) {
  const char *key, *value;
  for (size_t i = 0; (value = mlp_cl_model_info_metadata(info, i, &key)); i++)
    if (strcmp(key, "mlp_cl.note") == 0) return value;
  return NULL;
}

/* Takes an option of the note over; adds it to what is told. */
static int take(options *o, const char *path, const char *name, const json_t *value, FILE *told) {
  const struct poptOption *row = options_find(o->table, name, 0);
  char shown[200];
  if (!row || !is_kept(row->val) || (is_flag(row) ? !json_is_true(value) : !json_is_string(value)))
    return report_failed(MLP_CL_BAD_FILE,
                         "%s was begun with the option --%s, which this program does not know or takes otherwise", path,
                         report_escape(name, shown, sizeof shown));
  if (o->text[row->val]) return STATUS_OK;
  const char *text = is_flag(row) ? "" : json_string_value(value);
  if (!(o->text[row->val] = strdup(text))) report_no_memory();
  fprintf(told, " --%s%s%s", name, is_flag(row) ? "" : " ", report_escape(text, shown, sizeof shown));
  return STATUS_OK;
}

static int take_all(options *o, const char *path, const json_t *begun) {
  char *told = NULL;
  size_t length = 0;
  FILE *stream = open_memstream(&told, &length);
  if (!stream) report_no_memory();
  const char *name;
  const json_t *value;
  int status = STATUS_OK;
  json_object_foreach((json_t *)begun, name, value) {
    if (status == STATUS_OK) status = take(o, path, name, value, stream);
  }
  if (fclose(stream) != 0) report_no_memory();
  if (status == STATUS_OK && length > 0) report_note("%s was begun with%s", path, told);
  free(told);
  return status;
}

int begun_complete(options *o) {
  const char *path = options_text(o, OPTION_RESUME, NULL);
  mlp_cl_model_info *info = NULL;
  mlp_cl_error error;
  if (!path || access(path, F_OK) != 0) return STATUS_OK; /* the run begins, or its trainer complains */
  if (mlp_cl_model_info_open(path, &info, &error) != MLP_CL_OK) return report_failure(&error);
  const char *note = find_note(info);
  json_t *whole = note ? json_loads(note, 0, NULL) : NULL, *begun = json_object_get(whole, "train");
  int status = STATUS_OK;
  if (json_is_object(begun)) {
    if (!o->text[OPTION_CHECKPOINT] && !(o->text[OPTION_CHECKPOINT] = strdup(path))) report_no_memory();
    status = take_all(o, path, begun);
  }
  json_decref(whole);
  mlp_cl_model_info_destroy(info);
  return status;
}
