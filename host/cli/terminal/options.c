/* The command line by libpopt, and the values of options with their ranges. */
#include "terminal/options.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "terminal/report.h"
#include "terminal/suggest.h"

struct poptOption device_options[] = {
    {"device", 'd', POPT_ARG_STRING, NULL, OPTION_DEVICE,
     "index in 'mlp_cl devices', 'gpu', 'cpu', a part of a name, or 'reference' (default: $MLP_CL_DEVICE, else the "
     "best)",
     "N"},
    OPTION_VALUE("kernels", OPTION_KERNELS,
                 "force a variant: plain, panel, steps (both meant for CPUs), tile or group (for GPUs)", "NAME"),
    OPTION_FLAG("allow-inexact", OPTION_ALLOW_INEXACT,
                "accept a device that fails the self-test; no promise of bits then"),
    OPTION_VALUE("watchdog", OPTION_WATCHDOG,
                 "give up when a driver has shown no sign of life for S seconds; 0: never (default: 600)", "S"),
    POPT_TABLEEND};

struct poptOption output_options[] = {
    OPTION_FLAG("json", OPTION_JSON, "write one JSON object to standard output instead of text"),
    {"quiet", 'q', POPT_ARG_NONE, NULL, OPTION_QUIET,
     "no progress and no notes on standard error; warnings and errors stay", NULL},
    {"help", 'h', POPT_ARG_NONE, NULL, OPTION_HELP, "show this help", NULL},
    OPTION_FLAG("version", OPTION_VERSION, "show the version"),
    POPT_TABLEEND};

static bool is_end(const struct poptOption *row) {
  return !row->longName && !row->shortName && !row->arg;
}

const struct poptOption *options_find(const struct poptOption *table, const char *name, int id) {
  for (const struct poptOption *row = table; !is_end(row); row++) {
    if (row->argInfo == POPT_ARG_INCLUDE_TABLE) {
      const struct poptOption *found = options_find(row->arg, name, id);
      if (found) return found;
    } else if (name ? strcmp(row->longName, name) == 0 : row->val == id) {
      return row;
    }
  }
  return NULL;
}

bool options_is_flag(const struct poptOption *row) {
  return (row->argInfo & POPT_ARG_MASK) == POPT_ARG_NONE;
}

static void suggest_option(const struct poptOption *table, suggestion *best) {
  for (const struct poptOption *row = table; !is_end(row); row++) {
    if (row->argInfo == POPT_ARG_INCLUDE_TABLE)
      suggest_option(row->arg, best);
    else
      suggest(best, row->longName);
  }
}

static void complain_of_option(const options *o, const char *bad, int code) {
  if (code == POPT_ERROR_NOARG) {
    report_usage("%s needs a value; see --help", bad);
  } else if (code == POPT_ERROR_UNWANTEDARG) {
    report_usage("%s takes no value; see --help", bad);
  } else {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(bad, "="), bad);
    suggestion best = suggest_begin(name + strspn(name, "-"));
    suggest_option(o->table, &best);
    if (best.word)
      report_usage("unknown option '%s'; did you mean --%s?", name, best.word);
    else
      report_usage("unknown option '%s'; see --help", name);
  }
}

static size_t most_operands(const char *operand) {
  if (!operand) return 0;
  if (strstr(operand, "...")) return SIZE_MAX;
  size_t words = 1;
  for (const char *c = operand; *c; c++) words += *c == ' ';
  return words;
}

/* `words` ends with NULL, or is NULL. */
static bool collect_operands(options *o, const char **words, const char *operand) {
  size_t count = 0, most = most_operands(operand);
  while (words && words[count]) count++;
  if (count > most) {
    if (options_find(o->table, "data", 0) && access(words[most], F_OK) == 0)
      report_usage("unexpected argument '%s'; did you mean --data %s?", words[most], words[most]);
    else
      report_usage("unexpected argument '%s'; options start with --, see --help", words[most]);
    return false;
  }
  if (!(o->operands = calloc(count + 1, sizeof *o->operands))) report_no_memory();
  for (; o->operands_count < count; o->operands_count++) {
    char *copy = strdup(words[o->operands_count]);
    if (!copy) report_no_memory();
    o->operands[o->operands_count] = copy;
  }
  o->operand = o->operands[0];
  return true;
}

/* Takes over what popt has parsed; false after a complaint. */
static bool collect(options *o, poptContext context, const char *operand) {
  int code;
  while ((code = poptGetNextOpt(context)) > 0) {
    char *value = poptGetOptArg(context);
    /* popt gives no value to a flag, and none to any option when it has no memory. */
    if (!value && options_is_flag(options_find(o->table, NULL, code))) value = strdup("");
    if (!value) report_no_memory();
    free(o->text[code]);
    o->text[code] = value;
  }
  if (code < -1) {
    complain_of_option(o, poptBadOption(context, POPT_BADOPTION_NOALIAS), code);
    return false;
  }
  return collect_operands(o, poptGetArgs(context), operand);
}

bool options_parse(options *o, struct poptOption *table, const char *operand, int argc, const char **argv) {
  *o = (options){.table = table};
  poptContext context = poptGetContext(NULL, argc, argv, table, POPT_CONTEXT_NO_EXEC);
  if (!context) report_no_memory();
  bool parsed = collect(o, context, operand);
  poptFreeContext(context);
  if (!parsed) options_free(o);
  return parsed;
}

void options_free(options *o) {
  for (int id = 0; id < OPTION_COUNT; id++) free(o->text[id]);
  for (size_t i = 0; i < o->operands_count; i++) free(o->operands[i]);
  free(o->operands);
  *o = (options){0};
}

bool options_has(const options *o, option_id id) {
  return o->text[id] != NULL;
}

const char *options_text(const options *o, option_id id, const char *otherwise) {
  return o->text[id] ? o->text[id] : otherwise;
}

static bool refuse(const options *o, option_id id, const char *wanted) {
  const struct poptOption *row = options_find(o->table, NULL, (int)id);
  report_usage("--%s %s: expected %s", row ? row->longName : "?", o->text[id], wanted);
  return false;
}

/* strtof without its liberties: no leading space, nothing after the number, nothing that is not finite. */
static bool parse_float(const char *text, float *value) {
  char *end;
  *value = strtof(text, &end);
  return end != text && *end == '\0' && !isspace((unsigned char)*text) && isfinite(*value);
}

/* What is only too small for float32 was not meant as 0. */
static bool is_zero(const char *text, float value) {
  size_t significand = strcspn(text, "eEpP"), digits = strcspn(text, "123456789");
  return value == 0.0f && digits >= significand;
}

bool options_float(const options *o, option_id id, const float_range *range, float *value) {
  if (!o->text[id]) return true;
  float parsed;
  if (!parse_float(o->text[id], &parsed)) return refuse(o, id, range->wanted);
  bool zero = range->or_zero && is_zero(o->text[id], parsed);
  if (!zero && !(parsed >= range->least && parsed <= range->most)) return refuse(o, id, range->wanted);
  *value = zero ? 0.0f : parsed;
  return true;
}

bool options_double(const options *o, option_id id, const float_range *range, double *value) {
  float rounded = 0.0f;
  if (!options_float(o, id, range, &rounded)) return false;
  if (o->text[id]) *value = rounded == 0.0f ? 0.0 : strtod(o->text[id], NULL);
  return true;
}

/* Decimal digits, and where they end; strtoull alone would take "-1" for a large number. */
static bool parse_digits(const char *text, uint64_t *value, const char **end) {
  if (!isdigit((unsigned char)*text)) return false;
  char *after;
  errno = 0;
  *value = strtoull(text, &after, 10);
  *end = after;
  return errno == 0;
}

/* The same up to the end or to `stop`. */
static bool parse_unsigned(const char *text, char stop, uint64_t *value, const char **end) {
  return parse_digits(text, value, end) && (**end == '\0' || **end == stop);
}

bool options_unsigned(const options *o, option_id id, uint64_t least, uint64_t most, const char *wanted,
                      uint64_t *value) {
  if (!o->text[id]) return true;
  uint64_t parsed;
  const char *end;
  if (!parse_unsigned(o->text[id], '\0', &parsed, &end) || parsed < least || parsed > most)
    return refuse(o, id, wanted);
  *value = parsed;
  return true;
}

bool options_measure(const options *o, option_id id, uint64_t most, const char *const *units, const char *wanted,
                     uint64_t *value, size_t *unit) {
  if (!o->text[id]) return true;
  uint64_t parsed;
  const char *end;
  if (!parse_digits(o->text[id], &parsed, &end) || parsed < 1 || parsed > most) return refuse(o, id, wanted);
  for (size_t i = 0; units[i]; i++) {
    if (strcmp(end, units[i]) == 0) {
      *value = parsed;
      *unit = i;
      return true;
    }
  }
  return refuse(o, id, wanted);
}

/* "mean or sum" */
static void list_words(const char *const *words, char *text, size_t room) {
  size_t used = 0;
  for (size_t i = 0; words[i] && used < room; i++)
    used += (size_t)snprintf(text + used, room - used, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
}

bool options_word(const options *o, option_id id, const char *const *words, size_t *value) {
  if (!o->text[id]) return true;
  for (size_t i = 0; words[i]; i++) {
    if (strcmp(o->text[id], words[i]) == 0) {
      *value = i;
      return true;
    }
  }
  char wanted[160];
  list_words(words, wanted, sizeof wanted);
  return refuse(o, id, wanted);
}

bool options_list(const options *o, option_id id, uint64_t most, const char *wanted, size_t **values, size_t *count) {
  const char *text = o->text[id];
  if (!text) return true;
  size_t *list = calloc(strlen(text) + 1, sizeof *list);
  if (!list) report_no_memory();
  size_t length = 0;
  bool ends = strcmp(text, "none") == 0;
  while (!ends) {
    uint64_t number;
    if (!parse_unsigned(text, ',', &number, &text) || number < 1 || number > most) {
      free(list);
      return refuse(o, id, wanted);
    }
    list[length++] = (size_t)number;
    ends = *text++ == '\0';
  }
  free(*values);
  *values = list;
  *count = length;
  return true;
}
