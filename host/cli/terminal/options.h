/* The command line: popt's tables give parsing and help; values stay text until a command asks for them with the range
 * that it needs. Every complaint names the option, the value and what would do instead. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <popt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum option_id {
  OPTION_NONE,
  OPTION_ALL,
  OPTION_ACTIVATION,
  OPTION_ALLOW_INEXACT,
  OPTION_BATCH,
  OPTION_CHECKPOINT,
  OPTION_CHECKPOINT_EVERY,
  OPTION_CLASS_WEIGHTS,
  OPTION_CLIP_NORM,
  OPTION_DATA,
  OPTION_DATA_MEMORY,
  OPTION_DECAY_EPOCHS,
  OPTION_DECAY_FACTOR,
  OPTION_DEVICE,
  OPTION_DROPOUT,
  OPTION_DRY_RUN,
  OPTION_EPOCHS,
  OPTION_FORCE,
  OPTION_FORGET,
  OPTION_FORMAT,
  OPTION_HEADER,
  OPTION_HELP,
  OPTION_HIDDEN,
  OPTION_HOLDOUT,
  OPTION_ID,
  OPTION_IGNORE,
  OPTION_INIT,
  OPTION_INIT_FROM,
  OPTION_JSON,
  OPTION_KEEP,
  OPTION_KERNELS,
  OPTION_LABEL,
  OPTION_LABEL_SMOOTHING,
  OPTION_LABELS,
  OPTION_LAYERS,
  OPTION_LIMIT,
  OPTION_LOG,
  OPTION_LOG_EVERY,
  OPTION_LR,
  OPTION_MISSING,
  OPTION_MOMENTUM,
  OPTION_MOST,
  OPTION_NESTEROV,
  OPTION_NO_BIAS,
  OPTION_NO_SHUFFLE,
  OPTION_ONE_HOT,
  OPTION_OPTIMISER,
  OPTION_OUT,
  OPTION_PART,
  OPTION_PLOT,
  OPTION_PATIENCE,
  OPTION_PROFILE,
  OPTION_QUICK,
  OPTION_QUIET,
  OPTION_REDUCTION,
  OPTION_REPORT,
  OPTION_RESUME,
  OPTION_SCALE,
  OPTION_SCHEDULE,
  OPTION_SEED,
  OPTION_SKIP_BAD,
  OPTION_TASK,
  OPTION_TEST,
  OPTION_TOLERANCE,
  OPTION_TRY,
  OPTION_UNSCALED,
  OPTION_VALIDATION,
  OPTION_VERIFY,
  OPTION_VERIFY_EVERY,
  OPTION_VERSION,
  OPTION_WATCHDOG,
  OPTION_WARMUP,
  OPTION_WEIGHT_DECAY,
  OPTION_COUNT
} option_id;

/* One row of a table: an option that takes a value, and one that does not. */
#define OPTION_VALUE(name, id, text, value) \
  { name, '\0', POPT_ARG_STRING, NULL, id, text, value }
#define OPTION_FLAG(name, id, text) \
  { name, '\0', POPT_ARG_NONE, NULL, id, text, NULL }
#define OPTION_GROUP(title, table) \
  { NULL, '\0', POPT_ARG_INCLUDE_TABLE, table, 0, title, NULL }

extern struct poptOption device_options[]; /* --device and how to open it */
extern struct poptOption output_options[]; /* --json, --quiet, --help, --version */

typedef struct options {
  struct poptOption *table;
  char *text[OPTION_COUNT]; /* NULL when not given, "" for a flag */
  char **operands;          /* what is no option */
  size_t operands_count;
  char *operand; /* the first of them, or NULL */
} options;

/* Parses argv[1 …] by `table`. `operand` names the operands for the help, one word each, and so tells how many there
 * may be: NULL none, "A..." any number. On failure it has complained, and *o needs no options_free. */
bool options_parse(options *o, struct poptOption *table, const char *operand, int argc, const char **argv);
void options_free(options *o);

/* Finds an option by its long name (without dashes) or its id; NULL when the table has none. */
const struct poptOption *options_find(const struct poptOption *table, const char *name, int id);

/* Whether the option takes no value. */
bool options_is_flag(const struct poptOption *row);

bool options_has(const options *o, option_id id);
const char *options_text(const options *o, option_id id, const char *otherwise);

/* These leave *value alone and return true when the option was not given, and complain and return false when its value
 * is not `wanted`, which completes the sentence "--lr 7: expected …". */
typedef struct float_range {
  float least, most;
  bool or_zero;
  const char *wanted;
} float_range;

bool options_float(const options *o, option_id id, const float_range *range, float *value);
bool options_double(const options *o, option_id id, const float_range *range, double *value);
bool options_unsigned(const options *o, option_id id, uint64_t least, uint64_t most, const char *wanted,
                      uint64_t *value);
/* A number from 1 to `most` with one of the units after it, which end with NULL; *unit gets its position. */
bool options_measure(const options *o, option_id id, uint64_t most, const char *const *units, const char *wanted,
                     uint64_t *value, size_t *unit);
/* The position of the value in `words`, which ends with NULL. */
bool options_word(const options *o, option_id id, const char *const *words, size_t *value);
/* As such words, the names of an enumeration of the library's, of which `name_of` tells one and NULL behind the last.
 */
#define OPTION_WORDS_MAX 16
#define OPTION_NAMES(words, name_of)                \
  const char *words[OPTION_WORDS_MAX + 1] = {NULL}; \
  for (int i_ = 0; i_ < OPTION_WORDS_MAX && (words[i_] = name_of(i_)) != NULL; i_++) continue
/* A list of numbers, such as 512,256; *values is allocated. "none" is the empty list. */
bool options_list(const options *o, option_id id, uint64_t most, const char *wanted, size_t **values, size_t *count);

#endif
