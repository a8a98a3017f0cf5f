/* See begun.h. The note is {"mlp_cl train": {"option": "value" or, for a flag, true}}, with paths from the root on: the
 * run may go on from another folder. No option is taken from it that writes a file or accepts a device: a checkpoint
 * may come from anywhere. */
#include "train/begun.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input/model.h"
#include "input/source.h"
#include "terminal/output.h"
#include "terminal/report.h"
#include "train/checkpoint.h"
#include "train/plan.h"

static const char key[] = "mlp_cl train";

static bool is_kept(int id) {
  static const struct poptOption *const tables[] = {source_options, table_options, plan_options, device_options};
  static const option_id others[] = {OPTION_DATA_MEMORY, OPTION_CHECKPOINT_EVERY, OPTION_VERIFY_EVERY};
  if (id == OPTION_ALLOW_INEXACT) return false;
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    if (options_find(tables[i], NULL, id)) return true;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if ((int)others[i] == id) return true;
  return false;
}

/* ---- Writing ----------------------------------------------------------------------------------------------------- */

static bool names_file(const struct poptOption *row, const char *value) {
  bool built_in = row->val == OPTION_DATA && strcmp(value, "digits") == 0;
  return !built_in && (strcmp(row->argDescrip, "FILE") == 0 || strcmp(row->argDescrip, "SOURCE") == 0);
}

/* Links stay what they are: what lies beside them may be wanted, and where they lead may change. */
static json_t *describe(const struct poptOption *row, const char *value) {
  if (options_is_flag(row)) return json_true();
  char *folder = *value != '/' && names_file(row, value) ? getcwd(NULL, 0) : NULL, *path = NULL;
  if (folder && asprintf(&path, "%s/%s", folder, value) < 0) path = NULL;
  json_t *described = path ? json_string(path) : NULL;
  free(folder);
  free(path);
  return described ? described : json_string(value);
}

char *begun_note(const options *o) {
  json_t *chosen = json_object();
  bool whole = true;
  for (int id = 0; id < OPTION_COUNT; id++) {
    if (!o->text[id] || !is_kept(id)) continue;
    const struct poptOption *row = options_find(o->table, NULL, id);
    whole = json_object_set_new(chosen, row->longName, describe(row, o->text[id])) == 0 && whole;
  }
  json_t *note = json_pack("{s:o}", key, chosen);
  char *text = whole && note ? json_dumps(note, JSON_COMPACT) : NULL;
  json_decref(note);
  return text;
}

/* ---- Reading ----------------------------------------------------------------------------------------------------- */

/* The weights of the beginning are not needed any more, but their layers, which the checkpoint has; unless the whole
 * run is to be taken again. */
static int take_beginning(options *o, const char *path) {
  if (options_has(o, OPTION_VERIFY))
    return report_usage("%s was begun with --init-from: --verify needs that file, give it as --init-from, too", path);
  if (!(o->text[OPTION_INIT_FROM] = strdup(path))) report_no_memory();
  return STATUS_OK;
}

/* Or is without use here. */
static bool is_said_otherwise(const options *o, int id) {
  const char *device = getenv("MLP_CL_DEVICE");
  return o->text[id] || (id == OPTION_DEVICE && device && *device) ||
         (id == OPTION_CHECKPOINT_EVERY && !o->text[OPTION_CHECKPOINT]);
}

/* Takes an option of the note over, and tells it. */
static int take(options *o, const char *path, const char *name, const json_t *value) {
  const struct poptOption *row = options_find(o->table, name, 0);
  char shown[800];
  if (!row || !is_kept(row->val) || (options_is_flag(row) ? !json_is_true(value) : !json_is_string(value)))
    return report_failed(MLP_CL_BAD_FILE,
                         "%s says the option --%s, which this program does not know or takes otherwise", path,
                         report_escape(name, shown, 200));
  if (is_said_otherwise(o, row->val)) return STATUS_OK;
  if (row->val == OPTION_INIT_FROM) return take_beginning(o, path);
  const char *text = options_is_flag(row) ? "" : json_string_value(value);
  if (!(o->text[row->val] = strdup(text))) report_no_memory();
  report_note("as %s says: --%s%s%s", path, name, options_is_flag(row) ? "" : " ",
              report_escape(text, shown, sizeof shown));
  return STATUS_OK;
}

static int take_all(options *o, const char *path, const json_t *begun) {
  const char *name;
  const json_t *value;
  int status = STATUS_OK;
  json_object_foreach((json_t *)begun, name, value) {
    if (status == STATUS_OK) status = take(o, path, name, value);
  }
  return status;
}

/* The run goes on into its own checkpoint, where that may be written and --out does not take its place. */
static void go_on_into(options *o, const char *path) {
  const char *out = options_text(o, OPTION_OUT, NULL);
  if (o->text[OPTION_CHECKPOINT] || access(path, W_OK) != 0 || mlp_cl_check_output(path, NULL) != MLP_CL_OK ||
      (out && output_same_place(out, path)))
    return;
  if (!(o->text[OPTION_CHECKPOINT] = strdup(path))) report_no_memory();
}

int begun_complete(options *o) {
  const char *path = options_text(o, OPTION_RESUME, NULL), *kept = options_text(o, OPTION_CHECKPOINT, NULL);
  mlp_cl_model_info *info = NULL;
  mlp_cl_error error;
  if (!path || access(path, F_OK) != 0) return STATUS_OK;      /* the trainer complains */
  if (kept && output_same_place(kept, path)) return STATUS_OK; /* a command that begins, or goes on, says all */
  if (mlp_cl_model_info_open(path, &info, &error) != MLP_CL_OK) return report_failure(&error);
  const char *note = model_metadata(info, "mlp_cl.run") ? model_metadata(info, "mlp_cl.note") : NULL;
  json_t *whole = note ? json_loads(note, 0, NULL) : NULL, *begun = json_object_get(whole, key);
  int status = STATUS_OK;
  if (json_is_object(begun)) {
    go_on_into(o, path);
    status = take_all(o, path, begun);
  }
  json_decref(whole);
  mlp_cl_model_info_destroy(info);
  return status;
}
