/* mlp_cl: train and run multilayer perceptrons on any OpenCL device, with the same bits on each.
 *
 * Four opaque nouns: a context (one device, or the reference), a dataset (rows on the host), a network (layers and
 * parameters on a context), a trainer (one run of a recipe).
 *
 * Rules that hold for every function here:
 *  - Fallible functions return mlp_cl_status and take an mlp_cl_error as last argument, which may be NULL. On failure
 *    it holds the status and one sentence that says what, where and what to do; on success it is left alone.
 *  - On failure output arguments are set to NULL or left untouched, but for arrays, which may be filled in part, and
 *    nothing on disk has changed but for the checkpoints of a run that was stopped.
 *  - Of errors a function names those that are its own. Each may also fail with NO_MEMORY; what works on a device, with
 *    OPENCL, DEVICE_MEMORY and BUILD, and on the first use of an operation that most runs do without, with INEXACT.
 *  - No pointer argument may be NULL unless it is said that it may; what destroys or closes does nothing with NULL.
 *  - The library never prints, exits or aborts, and installs no signal handler.
 *  - Threads: different contexts may be used from different threads at once. One context, and what was created on it,
 *    belongs to one thread at a time. Datasets are immutable once made and may be shared by all.
 *  - All matrices in arguments are row-major float32 in host memory.
 *  - The calling thread rounds to nearest, as every thread does unless told otherwise. A thread that flushes subnormals
 *    does no harm.
 */
#ifndef MLP_CL_H
#define MLP_CL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) || !defined(__GNUC__)
#define MLP_CL_API
#else
#define MLP_CL_API __attribute__((visibility("default")))
#endif

/* ---- Status and errors ------------------------------------------------------------------------------------------ */

#define MLP_CL_STATUS_LIST(X)                                  \
  X(OK, "success")                                             \
  X(BAD_ARGUMENT, "an argument is out of its range")           \
  X(BAD_SHAPE, "shapes do not fit each other")                 \
  X(BAD_FILE, "a file's content is not valid")                 \
  X(IO, "the operating system refused a file operation")       \
  X(NO_MEMORY, "host memory does not suffice")                 \
  X(NO_DEVICE, "there is no such OpenCL device")               \
  X(INEXACT, "the device does not keep the numerics contract") \
  X(BUILD, "the device's compiler rejected a kernel")          \
  X(OPENCL, "an OpenCL call failed")                           \
  X(DEVICE_MEMORY, "device memory does not suffice")           \
  X(MISMATCH, "device and reference differ")                   \
  X(DIVERGED, "training diverged: a value is not finite")      \
  X(CANCELLED, "cancelled by the caller")

typedef enum mlp_cl_status {
#define MLP_CL_STATUS_ENUM(name, text) MLP_CL_##name,
  MLP_CL_STATUS_LIST(MLP_CL_STATUS_ENUM)
#undef MLP_CL_STATUS_ENUM
} mlp_cl_status;

typedef struct mlp_cl_error {
  mlp_cl_status status;
  char text[2048]; /* one line, except a kernel's build log, which follows on lines of its own */
} mlp_cl_error;

/* "OK", "BAD_SHAPE", …; never NULL. */
MLP_CL_API const char *mlp_cl_status_name(mlp_cl_status status);
/* The sentence of MLP_CL_STATUS_LIST; never NULL. */
MLP_CL_API const char *mlp_cl_status_text(mlp_cl_status status);

/* "1.0.0"; the version of the library at run time. */
MLP_CL_API const char *mlp_cl_version(void);
/* The version of the numerics contract (docs/numerics.md): runs of equal version have equal bits. */
MLP_CL_API int mlp_cl_numerics_version(void);

/* ---- Devices ---------------------------------------------------------------------------------------------------- */

typedef enum mlp_cl_device_type {
  MLP_CL_DEVICE_REFERENCE, /* the plain C path of this library */
  MLP_CL_DEVICE_CPU,
  MLP_CL_DEVICE_GPU,
  MLP_CL_DEVICE_ACCELERATOR
} mlp_cl_device_type;

typedef struct mlp_cl_device {
  int index; /* over all platforms, as in `mlp_cl devices`; -1 for the reference */
  mlp_cl_device_type type;
  char platform[128];
  char name[128];
  char driver[128];
  uint32_t compute_units;
  uint64_t global_memory_bytes;
  uint64_t largest_allocation_bytes;
  uint64_t local_memory_bytes;
  uint64_t work_group_size; /* the largest */
} mlp_cl_device;

/* Lists all OpenCL devices of all platforms, skipping platforms that have none. *devices is allocated and freed by the
 * caller with free(); NULL when *count is 0, which is no error.
 * Errors: NO_DEVICE when the OpenCL loader finds no platform at all. */
MLP_CL_API mlp_cl_status mlp_cl_devices(mlp_cl_device **devices, size_t *count, mlp_cl_error *error);

/* ---- Context ---------------------------------------------------------------------------------------------------- */

typedef struct mlp_cl_context mlp_cl_context;

typedef struct mlp_cl_context_options {
  bool allow_inexact;  /* accept a device that fails the self-test; receipts then mean nothing */
  const char *kernels; /* NULL: as suits the device; "plain", "panel" and "steps" (CPU), "tile" and "group" (GPU) force
                          a variant */
  uint64_t data_bytes; /* device memory for features: larger data sets are streamed while training; 0: half of it, on
                          the reference a quarter of the host's */
  const char *tuning;  /* NULL: what mlp_cl_tuning_keep remembers for the device, else what suits it; "": the latter */
  bool profile;        /* record when each kernel runs, for mlp_cl_profile_write; on some devices that costs time */
} mlp_cl_context_options;

/* Opens a device. `device` is an index ("0"), "reference", "cpu", "gpu", a part of a device's or platform's name, or
 * NULL for the one that MLP_CL_DEVICE names, else the best OpenCL device (GPU before CPU; never the reference, which is
 * slow and has to be asked for). `options` may be NULL. Builds and runs the self-test of the numerics contract
 * on first use of a device and driver (some milliseconds after); operations that most runs do without pass it on their
 * own first use. Errors: NO_DEVICE (the text lists what there is), INEXACT, BAD_ARGUMENT. */
MLP_CL_API mlp_cl_status mlp_cl_context_create(const char *device, const mlp_cl_context_options *options,
                                               mlp_cl_context **context, mlp_cl_error *error);
/* Destroy what was created on a context before the context. NULL is allowed. */
MLP_CL_API void mlp_cl_context_destroy(mlp_cl_context *context);
/* Valid as long as the context. */
MLP_CL_API const mlp_cl_device *mlp_cl_context_device(const mlp_cl_context *context);
/* NULL, or why the plain kernels are used instead of those that suit the device: it did not build or launch them. Valid
 * as long as the context. */
MLP_CL_API const char *mlp_cl_context_fallback(const mlp_cl_context *context);
/* NULL, or why no whole training steps are taken in one launch: the device did not build or run them, or not with the
 * reference's bits. Training is as right without. They are tried once training has gone on for as long as that takes,
 * some seconds at most, and at once by mlp_cl_validate and by mlp_cl_bench_create for training. Valid as long as the
 * context. */
MLP_CL_API const char *mlp_cl_context_steps_refusal(const mlp_cl_context *context);
/* True when the self-test found the device to keep the numerics contract; otherwise *rule (may be NULL) names the rule
 * that failed, valid as long as the context. */
MLP_CL_API bool mlp_cl_context_exact(const mlp_cl_context *context, const char **rule);

/* ---- Datasets --------------------------------------------------------------------------------------------------- */

typedef struct mlp_cl_dataset mlp_cl_dataset;
typedef struct mlp_cl_encoding mlp_cl_encoding; /* how a table became rows: see Tables */

typedef enum mlp_cl_element { MLP_CL_UINT8, MLP_CL_INT8, MLP_CL_INT16, MLP_CL_FLOAT32 } mlp_cl_element;

/* Opens a source by name: "digits" (built in), a directory in the MNIST layout (train-images-idx3-ubyte[.gz], …), one
 * IDX file, with the labels that lie beside it when it is named as in that layout, a table (see Tables), whose last
 * column is the class, all plain or .gz, one NPY file, or an NPZ file with x and y or x_train, y_train, x_test, y_test.
 * *train gets the training part; *test (may be NULL) gets the held-out part, or NULL when the source has none.
 * Integer elements are scaled by 1/maximum (1/255 for bytes) on their way into the network; digits by 1/16.
 * Errors: BAD_FILE (with file and place), IO, BAD_ARGUMENT. */
MLP_CL_API mlp_cl_status mlp_cl_dataset_open(const char *source, mlp_cl_dataset **train, mlp_cl_dataset **test,
                                             mlp_cl_error *error);
/* Opens features alone, or features and labels, from IDX files (plain or .gz). `labels_path` may be NULL. */
MLP_CL_API mlp_cl_status mlp_cl_dataset_open_idx(const char *features_path, const char *labels_path,
                                                 mlp_cl_dataset **dataset, mlp_cl_error *error);

/* Copies rows × features elements of `element` type and, unless NULL, one label in 0 … classes-1 per row.
 * value in the network = element · scale. `classes` is at least 1 when there are labels.
 * Errors: BAD_ARGUMENT (rows or width 0, a label out of range, a feature that is not finite: the text names the row),
 * BAD_SHAPE (sizes overflow, more than 2^31 - 1 rows). */
MLP_CL_API mlp_cl_status mlp_cl_dataset_from_arrays(const void *features, mlp_cl_element element, size_t rows,
                                                    size_t width, float scale, const int32_t *labels, size_t classes,
                                                    mlp_cl_dataset **dataset, mlp_cl_error *error);

/* The same with `outputs` numbers a row to learn instead of a class: targets (rows, outputs) row-major. Any finite
 * numbers for regression, 0 or 1 for each label of a multi-label task. Copies.
 * Errors: as from_arrays; BAD_ARGUMENT also names the row of a target that is not finite. */
MLP_CL_API mlp_cl_status mlp_cl_dataset_from_targets(const void *features, mlp_cl_element element, size_t rows,
                                                     size_t width, float scale, const float *targets, size_t outputs,
                                                     mlp_cl_dataset **dataset, mlp_cl_error *error);

/* Splits off a held-out part of about `fraction` of each class (stratified, drawn with `seed`), or of all rows where
 * they have targets. The source stays.
 * Errors: BAD_ARGUMENT (fraction not in (0,1), neither labels nor targets, a part would be empty). */
MLP_CL_API mlp_cl_status mlp_cl_dataset_split(const mlp_cl_dataset *dataset, double fraction, uint64_t seed,
                                              mlp_cl_dataset **kept, mlp_cl_dataset **held_out, mlp_cl_error *error);
MLP_CL_API void mlp_cl_dataset_destroy(mlp_cl_dataset *dataset);

MLP_CL_API size_t mlp_cl_dataset_rows(const mlp_cl_dataset *dataset);
MLP_CL_API size_t mlp_cl_dataset_width(const mlp_cl_dataset *dataset);   /* features per row */
MLP_CL_API size_t mlp_cl_dataset_classes(const mlp_cl_dataset *dataset); /* 0 without labels */
MLP_CL_API size_t mlp_cl_dataset_outputs(const mlp_cl_dataset *dataset); /* targets per row; 0 without targets */
MLP_CL_API float mlp_cl_dataset_scale(const mlp_cl_dataset *dataset);
/* NULL without labels; valid as long as the dataset. */
MLP_CL_API const int32_t *mlp_cl_dataset_labels(const mlp_cl_dataset *dataset);
/* (rows, outputs); NULL without targets; valid as long as the dataset. */
MLP_CL_API const float *mlp_cl_dataset_targets(const mlp_cl_dataset *dataset);
/* The root mean square of the values that the network sees, and of the targets (0 without), over up to 1000 rows: with
 * both near 1 the usual learning rates do. */
MLP_CL_API void mlp_cl_dataset_sizes(const mlp_cl_dataset *dataset, double *features, double *targets);
/* False when there are targets and each output's are all the same. */
MLP_CL_API bool mlp_cl_dataset_targets_vary(const mlp_cl_dataset *dataset);
/* "3", "ankle boot", …; NULL when class is out of range. */
MLP_CL_API const char *mlp_cl_dataset_class_name(const mlp_cl_dataset *dataset, size_t class_index);

/* ---- Tables ----------------------------------------------------------------------------------------------------- */

/* A table is text: records of fields that comma, tab, semicolon, bar or blanks separate (found in the first line),
 * quoted as in RFC 4180, UTF-8, numbers with a decimal point in any locale. Each column of numbers becomes one feature,
 * scaled; a column of text becomes one feature of 0 or 1 for each of its values, where that is asked for. */
typedef enum mlp_cl_header {
  MLP_CL_HEADER_DETECT, /* the first line is a heading when none of its fields is a number and no two are the same */
  MLP_CL_HEADER_YES,
  MLP_CL_HEADER_NO
} mlp_cl_header;

typedef enum mlp_cl_scaling {
  MLP_CL_SCALE_USUAL,    /* STANDARD for tables, NONE for arrays */
  MLP_CL_SCALE_STANDARD, /* (value - mean) / standard deviation */
  MLP_CL_SCALE_MINMAX,   /* (value - minimum) / (maximum - minimum) */
  MLP_CL_SCALE_NONE
} mlp_cl_scaling;

/* How to read a source for training. {0} is a good start. Columns are named as in the heading, else by number from 1.
 * Errors speak of the command's options, which have the members' names: --one-hot is one_hot, --missing mean
 * missing_mean, --labels labels_path, --test test_path, --scale scaling, --task regression or multi-label targets. */
typedef struct mlp_cl_data_options {
  const char *labels_path; /* of an IDX file without labels beside it, or of an NPY file; else NULL */
  const char *test_path;   /* the test part is this file, with holdout 0; else NULL */
  double holdout;          /* share of each class for the test part; 0: the source's own or test_path, else 0.2 */
  bool keep_all;           /* with holdout 0: else nothing, all rows are to train */
  double validation;       /* share of each class of what is left, for decisions while training; 0: none */
  uint64_t seed;           /* of the lots that divide the rows */
  mlp_cl_scaling scaling;  /* of each column of a table, or of arrays in NPY, NPZ and IDX files */
  bool targets;            /* the labels are numbers to learn */
  bool scale_targets;      /* the same scaling for these: regression wants it, since large numbers are learned badly.
                              What is predicted is scaled then: value = prediction · divisor + offset of the column
                              (mlp_cl_encoding_column) */
  /* Of tables: */
  mlp_cl_header header;
  const char *label;   /* the column of the class; "a,b" with targets; NULL: the last column */
  const char *one_hot; /* columns of text, "a,b"; "all": every column that is not of numbers; NULL: none */
  const char *ignore;  /* columns to leave away; NULL: none */
  bool missing_mean;   /* a missing number becomes its column's mean, a missing text zeros; false: an error */
  bool many_classes;   /* false: over 50 are an error if they are over half of the rows (numbers: a quarter) */
} mlp_cl_data_options;

typedef struct mlp_cl_parts {
  mlp_cl_dataset *train, *validation, *test; /* the last two may be NULL */
} mlp_cl_parts;

/* The part that a row belongs to. The numbers stay: lots are drawn by them. */
typedef enum mlp_cl_part { MLP_CL_PART_TRAIN, MLP_CL_PART_TEST, MLP_CL_PART_VALIDATION } mlp_cl_part;

/* How mlp_cl_dataset_open_parts split rows by lot: a model keeps it, so that the same parts can be had again. The
 * SHA-256 are of each part's shape, scale, elements and answers; of a part that was not drawn "". */
typedef struct mlp_cl_split {
  double holdout, validation; /* as in mlp_cl_data_options; 0: no row was drawn for that part */
  uint64_t seed;
  char train_sha256[65], test_sha256[65], validation_sha256[65];
} mlp_cl_split;

/* True when `source` names a file that can be read and holds a table. */
MLP_CL_API bool mlp_cl_source_is_table(const char *source);
/* Opens a source, as mlp_cl_dataset_open does, and divides its rows; options may be NULL. Means, deviations and
 * extremes are those of the training part alone, summed as docs/tables.md says. Errors: BAD_FILE and BAD_ARGUMENT (with
 * file, line, column and what to do), BAD_SHAPE (the rows of test_path do not fit the others), IO; *parts is {0} then.
 */
MLP_CL_API mlp_cl_status mlp_cl_dataset_open_parts(const char *source, const mlp_cl_data_options *options,
                                                   mlp_cl_parts *parts, mlp_cl_error *error);
/* Destroys all and leaves {0}. */
MLP_CL_API void mlp_cl_parts_destroy(mlp_cl_parts *parts);
/* Opens a labelled source for a model: a table under the encoding of its training (columns by name in any order, or by
 * place without a heading), or arrays, for which `encoding` is NULL unless they were scaled or the training was on a
 * table of numbers without a heading, and whose labels are numbers to learn with `targets`. labels_path is as in
 * mlp_cl_data_options. *parts gets all rows to train, and the test part of a source that has one by itself. Errors:
 * BAD_FILE (a column that is missing: names both sides; arrays where a table was, or a table where arrays were),
 * BAD_ARGUMENT, IO (also what can be read only once, as a pipe); *parts is {0} then. */
MLP_CL_API mlp_cl_status mlp_cl_dataset_open_parts_as(const char *source, const char *labels_path,
                                                      const mlp_cl_encoding *encoding, mlp_cl_header header,
                                                      bool targets, mlp_cl_parts *parts, mlp_cl_error *error);
/* The same, of which *dataset gets the test part, or, where the source has none, all rows. */
MLP_CL_API mlp_cl_status mlp_cl_dataset_open_as(const char *source, const char *labels_path,
                                                const mlp_cl_encoding *encoding, mlp_cl_header header, bool targets,
                                                mlp_cl_dataset **dataset, mlp_cl_error *error);

/* Finds the parts again into which all rows that a source has to train were split: part_of_row (rows) gets an
 * mlp_cl_part each. *found false, and part_of_row undefined, where these are other rows, or the same in another order.
 * Error: NO_MEMORY. */
MLP_CL_API mlp_cl_status mlp_cl_dataset_find_parts(const mlp_cl_dataset *dataset, const mlp_cl_split *split,
                                                   unsigned char *part_of_row, bool *found, mlp_cl_error *error);
/* Splits parts->train by part_of_row (its rows), an mlp_cl_part each; a part with rows takes the place of the source's
 * own. On failure *parts stays. Errors: BAD_ARGUMENT (no row is left to train, a number that is no part), NO_MEMORY. */
MLP_CL_API mlp_cl_status mlp_cl_parts_split(mlp_cl_parts *parts, const unsigned char *part_of_row, mlp_cl_error *error);

/* NULL unless the rows come from a table, or from arrays that were scaled; valid as long as the dataset. */
MLP_CL_API const mlp_cl_encoding *mlp_cl_dataset_encoding(const mlp_cl_dataset *dataset);

typedef enum mlp_cl_column_kind {
  MLP_CL_COLUMN_NUMBER,  /* one feature: (value - offset) / divisor */
  MLP_CL_COLUMN_ONE_HOT, /* a feature for each of `values`: 1 where the text is this one, else 0 */
  MLP_CL_COLUMN_CLASSES, /* the label; `values` are the classes */
  MLP_CL_COLUMN_TARGET   /* a number to learn: (value - offset) / divisor */
} mlp_cl_column_kind;

typedef struct mlp_cl_column {
  const char *name;
  mlp_cl_column_kind kind;
  double offset, divisor;
  bool filled; /* a missing value is taken as `fill`, or as zeros */
  double fill;
  size_t values_count;
  const char *const *values;
} mlp_cl_column;

/* Whether the table had a heading. */
MLP_CL_API bool mlp_cl_encoding_named(const mlp_cl_encoding *encoding);
/* Columns of the features, in their order, then of the labels. */
MLP_CL_API size_t mlp_cl_encoding_columns(const mlp_cl_encoding *encoding);
/* Fills *column, valid as long as the encoding; false when `i` is out of range. */
MLP_CL_API bool mlp_cl_encoding_column(const mlp_cl_encoding *encoding, size_t i, mlp_cl_column *column);

/* The columns of the features, which come before those of the labels. */
MLP_CL_API size_t mlp_cl_encoding_fields(const mlp_cl_encoding *encoding);
/* Features of a row: the network's inputs. */
MLP_CL_API size_t mlp_cl_encoding_width(const mlp_cl_encoding *encoding);
/* A row of mlp_cl_encoding_fields() fields to mlp_cl_encoding_width() features, as mlp_cl_network_predict takes them.
 * fields[i] is the text of column i ("5.1", "blue") without blanks around it; NULL and what a table may have instead
 * ("", "NA", "?", …) are missing. Threads may share the encoding. Error: BAD_ARGUMENT (names the column, and what is
 * wrong); the features are undefined then. */
MLP_CL_API mlp_cl_status mlp_cl_encoding_row(const mlp_cl_encoding *encoding, const char *const *fields,
                                             float *features, mlp_cl_error *error);

/* Rows of a file, a few at a time: a table in constant memory, or an array. */
typedef struct mlp_cl_rows mlp_cl_rows;

/* `path` "-" is a table on standard input. `encoding` as in mlp_cl_dataset_open_as; with NULL each field of a table is
 * a feature, times `scale`. Label columns may be there or not. Errors: BAD_FILE, IO. */
MLP_CL_API mlp_cl_status mlp_cl_rows_open(const char *path, const mlp_cl_encoding *encoding, mlp_cl_header header,
                                          float scale, mlp_cl_rows **rows, mlp_cl_error *error);
/* The rows of a dataset, which they take over, also on failure. */
MLP_CL_API mlp_cl_status mlp_cl_rows_from_dataset(mlp_cl_dataset *dataset, mlp_cl_rows **rows, mlp_cl_error *error);
/* Columns of a table to have as text beside the features, "id,name", by name or by number from 1, each once; to be
 * called once, before the first mlp_cl_rows_next. Errors speak of --id: BAD_ARGUMENT (there is no such column: lists
 * them; no table; too late), BAD_FILE (two columns have one name). */
MLP_CL_API mlp_cl_status mlp_cl_rows_keep(mlp_cl_rows *rows, const char *columns, mlp_cl_error *error);
MLP_CL_API size_t mlp_cl_rows_kept_columns(const mlp_cl_rows *rows);
/* NULL when `column` is out of range; valid as long as the rows. */
MLP_CL_API const char *mlp_cl_rows_kept_name(const mlp_cl_rows *rows, size_t column);
/* The field of row `row` of those that the last mlp_cl_rows_next gave, valid until the next; NULL out of range. */
MLP_CL_API const char *mlp_cl_rows_kept(const mlp_cl_rows *rows, size_t row, size_t column);
MLP_CL_API void mlp_cl_rows_close(mlp_cl_rows *rows);
MLP_CL_API size_t mlp_cl_rows_width(const mlp_cl_rows *rows); /* features per row */
/* Up to `most` rows as mlp_cl_network_predict takes them; *got is 0 only at the end. Through a pipe, no row waits for
 * the next. On failure *got rows before the bad one are there. Errors: BAD_FILE (with line and column), IO. */
MLP_CL_API mlp_cl_status mlp_cl_rows_next(mlp_cl_rows *rows, size_t most, float *features, size_t *got,
                                          mlp_cl_error *error);
/* After a failure: true where one row of a table was bad, its fields more or fewer, or a value one that does not fit,
 * so that mlp_cl_rows_next goes on behind it; false where the file itself cannot be read on. */
MLP_CL_API bool mlp_cl_rows_may_go_on(const mlp_cl_rows *rows);

/* ---- Networks --------------------------------------------------------------------------------------------------- */

typedef struct mlp_cl_network mlp_cl_network;

typedef enum mlp_cl_init {
  MLP_CL_INIT_HE,      /* uniform in ±sqrt(6/fan-in), biases 0 (He et al. 2015): the default */
  MLP_CL_INIT_PYTORCH, /* uniform in ±1/sqrt(fan-in), biases too, the range torch.nn.Linear draws from */
  MLP_CL_INIT_ZERO
} mlp_cl_init;

/* Between the layers. Formulas and accuracy: docs/learning.md. */
typedef enum mlp_cl_activation {
  MLP_CL_RELU,       /* the default, and the fastest: it costs no pass of its own */
  MLP_CL_LEAKY_RELU, /* x > 0 ? x : 0.01 x */
  MLP_CL_TANH,
  MLP_CL_SIGMOID,
  MLP_CL_GELU /* in the tanh form, torch.nn.GELU(approximate="tanh") */
} mlp_cl_activation;

/* What the last layer's outputs mean, and which loss they are trained for. */
typedef enum mlp_cl_task {
  MLP_CL_CLASSIFICATION, /* one of the classes: softmax cross-entropy on labels */
  MLP_CL_REGRESSION,     /* numbers: mean squared error on targets, as torch.nn.MSELoss */
  MLP_CL_MULTI_LABEL     /* each output yes or no: sigmoid cross-entropy on targets, as torch.nn.BCEWithLogitsLoss */
} mlp_cl_task;

typedef struct mlp_cl_shape {
  size_t widths_count;  /* layers + 1, at least 2 */
  const size_t *widths; /* inputs, hidden layers…, outputs (classes, targets or labels); each at least 1 */
  bool bias;
  mlp_cl_init init;
  mlp_cl_activation activation;
  mlp_cl_task task;
} mlp_cl_shape;

/* A multilayer perceptron: dense layers, an activation between them, logits at the end. Initial parameters are drawn
 * from Philox with `seed`. The first network with an activation or task other than the defaults also proves their
 * kernels on the device. Errors: BAD_ARGUMENT, BAD_SHAPE, DEVICE_MEMORY (what was asked, what there is). */
MLP_CL_API mlp_cl_status mlp_cl_network_create(mlp_cl_context *context, const mlp_cl_shape *shape, uint64_t seed,
                                               mlp_cl_network **network, mlp_cl_error *error);
MLP_CL_API void mlp_cl_network_destroy(mlp_cl_network *network);

MLP_CL_API size_t mlp_cl_network_layers(const mlp_cl_network *network);
/* Width before layer `i` for i < layers, width of the logits for i = layers. */
MLP_CL_API size_t mlp_cl_network_width(const mlp_cl_network *network, size_t i);
MLP_CL_API bool mlp_cl_network_has_bias(const mlp_cl_network *network);
MLP_CL_API mlp_cl_activation mlp_cl_network_activation(const mlp_cl_network *network);
MLP_CL_API mlp_cl_task mlp_cl_network_task(const mlp_cl_network *network);
/* "relu", "leaky-relu", …; "classification", "regression", "multi-label"; NULL for other numbers. */
MLP_CL_API const char *mlp_cl_activation_name(mlp_cl_activation activation);
MLP_CL_API const char *mlp_cl_task_name(mlp_cl_task task);
MLP_CL_API size_t mlp_cl_network_parameters(const mlp_cl_network *network);

/* Copies the parameters of one layer: weight (in, out) row-major, bias (out). Either may be NULL.
 * get waits for the device. set stores canonical values (docs/numerics.md) and refuses values that are not finite.
 * Error: BAD_ARGUMENT. */
MLP_CL_API mlp_cl_status mlp_cl_network_get(mlp_cl_network *network, size_t layer, float *weight, float *bias,
                                            mlp_cl_error *error);
MLP_CL_API mlp_cl_status mlp_cl_network_set(mlp_cl_network *network, size_t layer, const float *weight,
                                            const float *bias, mlp_cl_error *error);
/* The receipt: SHA-256 over all parameters as little-endian float32, layer by layer, weight as (in, out) row-major,
 * then bias. Writes 64 hex digits and a NUL. Waits. Error: DIVERGED (a value is not finite: NaN is never hashed). */
MLP_CL_API mlp_cl_status mlp_cl_network_sha256(mlp_cl_network *network, char hex[65], mlp_cl_error *error);

/* (rows, outputs) for `rows` rows of `width` features, taken as they are (no scaling): the probabilities of the
 * classes, or of each label, or the predicted numbers, as the network's task is. Waits.
 * Fewer rows than are worth a launch are computed on the host, from a copy of the parameters, with the same bits; while
 * such calls follow each other within 0.1 ms, or up to 1 ms where they take as long, a second thread takes part and
 * stays awake in between.
 * The first call for so many rows, and the first after a change of parameters, makes what it needs; the next ones
 * allocate nothing in this library, or a few bytes for more rows than fit into one pass. Parameters or features so
 * large that sums overflow give results that are not finite. Error: BAD_ARGUMENT (a feature that is not finite). */
MLP_CL_API mlp_cl_status mlp_cl_network_predict(mlp_cl_network *network, const float *features, size_t rows,
                                                float *probabilities, mlp_cl_error *error);
/* The same for the rows [first, first + rows) of a dataset, scaled as the dataset says. Waits. */
MLP_CL_API mlp_cl_status mlp_cl_network_predict_dataset(mlp_cl_network *network, const mlp_cl_dataset *dataset,
                                                        size_t first, size_t rows, float *probabilities,
                                                        mlp_cl_error *error);

typedef struct mlp_cl_evaluation {
  double loss;     /* of the task, mean over the rows, and over the outputs where there are targets */
  double accuracy; /* classification: share of rows whose largest logit (the lowest index on ties) is the label;
                      multi-label: share of labels whose probability lies on their side of 1/2;
                      regression: R² = 1 - sum (x - t)² / sum (t - mean of t)², over all outputs; NaN where all targets
                      are equal */
  size_t rows;
  double mean_absolute_error; /* regression, else NaN; the root of the mean squared error is sqrt(loss) */
} mlp_cl_evaluation;

/* Evaluates on a dataset with labels or targets. `confusion`, unless NULL, gets counts. Classification: outputs ×
 * outputs, where outputs is the width of the logits and may exceed the dataset's classes; row = label, column =
 * prediction. Multi-label: outputs × 4, for each label true negatives, false positives, false negatives, true
 * positives. Regression: none, it must be NULL. Waits. Errors: BAD_SHAPE (features, classes or targets do not fit),
 * BAD_ARGUMENT (no labels or targets, as the task needs), DIVERGED. */
MLP_CL_API mlp_cl_status mlp_cl_network_evaluate(mlp_cl_network *network, const mlp_cl_dataset *dataset,
                                                 mlp_cl_evaluation *evaluation, uint64_t *confusion,
                                                 mlp_cl_error *error);

typedef struct mlp_cl_class_score {
  double precision; /* right predictions of the class / all predictions of it; NaN without any */
  double recall;    /* right predictions of the class / all rows of it; NaN without any */
  double f1;        /* 2 · right / (predictions + rows); NaN without any */
  uint64_t rows;    /* of the class */
} mlp_cl_class_score;

/* Of class or label `i`, from the counts of mlp_cl_network_evaluate on a network of `outputs` outputs; `task` is not
 * REGRESSION, and i < outputs. */
MLP_CL_API mlp_cl_class_score mlp_cl_score_class(mlp_cl_task task, const uint64_t *confusion, size_t outputs, size_t i);

/* ---- Training --------------------------------------------------------------------------------------------------- */

typedef enum mlp_cl_reduction { MLP_CL_MEAN, MLP_CL_SUM } mlp_cl_reduction;

typedef enum mlp_cl_optimiser {
  MLP_CL_SGD,
  MLP_CL_ADAM, /* as torch.optim.Adam: the decay is part of the gradient */
  MLP_CL_ADAMW /* as torch.optim.AdamW: the decay shrinks the weight by 1 - learning_rate · weight_decay */
} mlp_cl_optimiser;

/* What the learning rate becomes, epoch by epoch; e counts them from 0 after the warm-up, n is their number. */
typedef enum mlp_cl_schedule {
  MLP_CL_CONSTANT,
  MLP_CL_STEP,  /* rate · decay_factor^floor(e / decay_epochs), as torch.optim.lr_scheduler.StepLR */
  MLP_CL_COSINE /* rate · (1 + cos(π e / n)) / 2, as CosineAnnealingLR down to 0 */
} mlp_cl_schedule;

typedef struct mlp_cl_recipe {
  uint64_t seed; /* of shuffles and dropout; parameters have their own */
  uint32_t epochs;
  uint32_t batch; /* rows per step; the last step of an epoch takes what is left */
  mlp_cl_optimiser optimiser;
  float learning_rate; /* 0, or 2^-30 … 2^30 */
  mlp_cl_schedule schedule;
  uint32_t decay_epochs;      /* STEP: at least 1 */
  float decay_factor;         /* STEP: above 0, up to 1 */
  uint32_t warmup_epochs;     /* in which the rate rises step by step, from rate / steps to the rate; at most all */
  float momentum;             /* SGD: [0, 1) */
  bool nesterov;              /* SGD: needs momentum */
  float beta1, beta2;         /* Adam: 0, or 2^-30 … below 1: how much of the mean and mean square is kept */
  float epsilon;              /* Adam: 2^-40 … 1, added to the root of the mean square */
  float weight_decay;         /* >= 0, added to the gradient of weights and biases as wd · w, as PyTorch's SGD does */
  float clip_norm;            /* 0, or 2^-30 … 2^30: a larger norm of all gradients together is scaled down to it */
  float dropout;              /* [0, 1): chance that a hidden value is dropped */
  bool dropout_unscaled;      /* kept values as they are instead of divided by 1 - dropout */
  mlp_cl_reduction reduction; /* of the loss over the batch, for the gradient */
  float label_smoothing;      /* classification: [0, 1), the share of each label that is spread over all classes */
  const float *class_weights; /* classification: what loss and gradient of a row with that label are multiplied with,
                                 0 or 2^-30 … 2^30 each; the mean still divides by the rows. Copied. NULL: all 1 */
  size_t class_weights_count; /* the network's outputs, where there are weights */
  bool no_shuffle;            /* take rows in file order */
  uint32_t patience; /* stop after so many epochs without a lower loss on `test`, and keep the parameters of the
                        epoch in which it was lowest; 0: neither. mlp_cl_trainer_steps evaluates nothing, and
                        does neither */
} mlp_cl_recipe;

/* "sgd", "adam", "adamw"; NULL for other numbers. */
MLP_CL_API const char *mlp_cl_optimiser_name(mlp_cl_optimiser optimiser);
/* "constant", "step", "cosine"; NULL for other numbers. */
MLP_CL_API const char *mlp_cl_schedule_name(mlp_cl_schedule schedule);
/* seed 1, 10 epochs, batch 64, SGD, lr 0.1, momentum 0.9, beta 0.9 and 0.999, epsilon 1e-8, a step of the rate
 * every 10 epochs by 0.1 where that is the schedule, the rest 0, mean. */
MLP_CL_API mlp_cl_recipe mlp_cl_recipe_default(void);
/* The same with this optimiser and a learning rate that suits it: 0.001 for Adam and AdamW, for which 0.1 is too much.
 */
MLP_CL_API mlp_cl_recipe mlp_cl_recipe_for(mlp_cl_optimiser optimiser);

typedef enum mlp_cl_event_kind {
  MLP_CL_EVENT_STEP,      /* from time to time while an epoch runs or is evaluated, at most ten times a second */
  MLP_CL_EVENT_EPOCH,     /* an epoch is complete: losses and accuracies are set */
  MLP_CL_EVENT_CHECKPOINT /* a checkpoint of the run's first `step` steps is on disk, unless `failure` says why not */
} mlp_cl_event_kind;

typedef struct mlp_cl_event {
  mlp_cl_event_kind kind;
  uint32_t epoch; /* 1-based: the one running or just completed */
  uint32_t epochs;
  uint64_t step;         /* steps completed or enqueued in the whole run */
  uint64_t steps;        /* in the whole run */
  uint64_t samples;      /* rows trained on so far in this call */
  double seconds;        /* since this call began, evaluation included */
  double train_loss;     /* mean over the epoch's rows as they were trained on; NaN in STEP events,
                            but for those of mlp_cl_trainer_losses_every */
  double train_accuracy; /* R² for regression, as in mlp_cl_evaluation */
  bool has_test;
  uint32_t best_epoch; /* with patience, in EPOCH events: the one with the lowest test_loss so far; else 0 */
  double test_loss;
  double test_accuracy;
  const mlp_cl_error *failure; /* CHECKPOINT: NULL when it was written; else the run goes on, and so does the previous
                                  file; valid during the callback */
} mlp_cl_event;

/* Called on the caller's thread. Return false to stop: training ends after the work in flight, of which an epoch's
 * evaluation is a part, with CANCELLED and the network holds the parameters reached. */
typedef bool mlp_cl_on_event(const mlp_cl_event *event, void *user);

typedef struct mlp_cl_trainer mlp_cl_trainer;

/* A run of `recipe` on `network`, which must outlive the trainer, as must the datasets; `test` may be NULL.
 * Errors: BAD_ARGUMENT (names the recipe's field and its range), BAD_SHAPE. */
MLP_CL_API mlp_cl_status mlp_cl_trainer_create(mlp_cl_network *network, const mlp_cl_dataset *train,
                                               const mlp_cl_dataset *test, const mlp_cl_recipe *recipe,
                                               mlp_cl_trainer **trainer, mlp_cl_error *error);
MLP_CL_API void mlp_cl_trainer_destroy(mlp_cl_trainer *trainer);
/* From now on verifies every `steps`th step of the run (steps, 2 · steps, …; 0: none): takes it on the CPU reference
 * too, from the same parameters, optimiser state, rows and dropout mask, and compares all parameters and state by bits,
 * so that faulty hardware is noticed while it trains. What a device does in between is not seen. No bit of the result
 * changes. Each such step waits for the device, reads its parameters twice and takes a step on the CPU; memory is
 * needed for another copy of the network and the training data. A difference ends mlp_cl_trainer_steps and _run with
 * MISMATCH (the text names step, layer, element and both values); the network then holds what the device computed.
 * Error: BAD_ARGUMENT. */
MLP_CL_API mlp_cl_status mlp_cl_trainer_verify_every(mlp_cl_trainer *trainer, uint64_t steps, mlp_cl_error *error);
/* From now on trainer_run tells the loss within epochs, too: after every `steps`th step of the run (0: none), unless an
 * epoch ends there, comes a STEP event whose train_loss is the mean over the epoch's rows since the last one. Each
 * waits for the device. No bit of the result changes. Error: BAD_ARGUMENT. */
MLP_CL_API mlp_cl_status mlp_cl_trainer_losses_every(mlp_cl_trainer *trainer, uint64_t steps, mlp_cl_error *error);
/* Enqueues up to `steps` steps, across epochs; does not wait except to bound the work in flight. *done (may be NULL)
 * gets the number taken, less than asked only at the end of the run. Errors: DIVERGED (at the end of the run),
 * MISMATCH. */
MLP_CL_API mlp_cl_status mlp_cl_trainer_steps(mlp_cl_trainer *trainer, uint64_t steps, uint64_t *done,
                                              mlp_cl_error *error);
/* Runs to the end of the recipe. Errors: CANCELLED, DIVERGED (names epoch and step), MISMATCH (a verified step went
 * wrong). */
MLP_CL_API mlp_cl_status mlp_cl_trainer_run(mlp_cl_trainer *trainer, mlp_cl_on_event *on_event, void *user,
                                            mlp_cl_error *error);

/* ---- Checkpoints ------------------------------------------------------------------------------------------------ */

/* A checkpoint is a run in a file: parameters, optimiser state, position, recipe, the data's fingerprint (SHA-256) and
 * the metrics so far, sealed with a SHA-256. A run that is resumed from it, also in the middle of an epoch, also on
 * another device, ends with the parameters, to the bit, of one that was never stopped. The file is safetensors, and
 * mlp_cl_network_load reads it as a model: the parameters after its last step, also with patience, whose best
 * parameters the network has when trainer_run returns OK. */

/* When trainer_run writes one: whichever comes first. All 0: only at the end of the run. */
typedef struct mlp_cl_checkpoints {
  const char *path; /* copied */
  double every_s;
  uint64_t every_steps;
  uint32_t every_epochs;
  bool keep_existing; /* a file that is there already stays, and checkpoints go beside it; else it is replaced */
  const char *note;   /* of the program to itself, UTF-8, copied: metadata "mlp_cl.note" of each; NULL: none */
} mlp_cl_checkpoints;

/* Has trainer_run write checkpoints as `when` says, and one at the end of the run. What the device holds is read in
 * between two steps; a thread of the library's, which takes no signals, writes it beside the path, flushes and renames,
 * so that the path always names a whole checkpoint. Those that come due while the last one is being written become one,
 * once it is. A run that is cancelled writes none: mlp_cl_trainer_save does, and mlp_cl_trainer_run goes on. Each is
 * told as an event, with why it was not written, if so. A file there that another program has written since this call
 * is left alone, and checkpoints go beside it: see mlp_cl_trainer_checkpoint_path. Errors: BAD_ARGUMENT and IO (as
 * mlp_cl_check_output). */
MLP_CL_API mlp_cl_status mlp_cl_trainer_checkpoints(mlp_cl_trainer *trainer, const mlp_cl_checkpoints *when,
                                                    mlp_cl_error *error);
/* Where the last checkpoint went that mlp_cl_trainer_checkpoints asked for, or will go: the path that was given there,
 * or "PATH.xxxxxxxx", eight hexadecimal digits, where that has become somebody else's. NULL without. Valid until the
 * trainer is used again. */
MLP_CL_API const char *mlp_cl_trainer_checkpoint_path(const mlp_cl_trainer *trainer);
/* Writes a checkpoint now, to the path or, where that is the one of mlp_cl_trainer_checkpoints, to
 * mlp_cl_trainer_checkpoint_path; it is on disk when the call returns. With patience, and once
 * trainer_run has returned OK, its parameters are the best ones. Waits for the device. Errors: IO, BAD_ARGUMENT
 * (path), DIVERGED (what is not finite is never saved: the file that is there stays). */
MLP_CL_API mlp_cl_status mlp_cl_trainer_save(mlp_cl_trainer *trainer, const char *path, mlp_cl_error *error);
/* Brings the trainer to where the checkpoint's was, and calls on_event (or NULL) for each epoch that was complete then,
 * and for the checkpoint itself.
 * Network, data and recipe must be those of the checkpoint, but for the number of epochs, unless the schedule
 * is MLP_CL_COSINE or there is patience; the device need not. On BAD_ARGUMENT, BAD_FILE and IO the
 * trainer is as it was; CANCELLED says that on_event stopped it after that. Errors: BAD_ARGUMENT (data, recipe or
 * network differ: the text names what), BAD_FILE (no checkpoint, or damaged), IO, CANCELLED. */
MLP_CL_API mlp_cl_status mlp_cl_trainer_resume(mlp_cl_trainer *trainer, const char *path, mlp_cl_on_event *on_event,
                                               void *user, mlp_cl_error *error);

/* ---- Memory ----------------------------------------------------------------------------------------------------- */

/* What a run takes, in bytes. On the device, by kind of tensor, in the layout that the device wants: */
typedef struct mlp_cl_memory {
  uint64_t data_bytes; /* the order of epochs, losses, predictions; rows and labels, unless they are read in place */
  uint64_t parameter_bytes;
  uint64_t state_bytes; /* of the optimiser */
  uint64_t activation_bytes;
  uint64_t gradient_bytes;
  uint64_t device_bytes;                                              /* the sum */
  uint64_t largest_bytes;                                             /* the largest tensor */
  uint64_t host_bytes;                                                /* about, the data included; no scratch */
  uint64_t device_limit_bytes, largest_limit_bytes, host_limit_bytes; /* what there is */
  bool fits;                                                          /* each within its limit */
} mlp_cl_memory;

/* Tells what mlp_cl_network_create and mlp_cl_train would take, without taking it. `test` may be NULL.
 * Errors: as those two, except for memory of the device. */
MLP_CL_API mlp_cl_status mlp_cl_plan_memory(mlp_cl_context *context, const mlp_cl_shape *shape,
                                            const mlp_cl_dataset *train, const mlp_cl_dataset *test,
                                            const mlp_cl_recipe *recipe, mlp_cl_memory *memory, mlp_cl_error *error);

/* ---- The shortest way ------------------------------------------------------------------------------------------- */

/* trainer_create, trainer_run, trainer_destroy. */
MLP_CL_API mlp_cl_status mlp_cl_train(mlp_cl_network *network, const mlp_cl_dataset *train, const mlp_cl_dataset *test,
                                      const mlp_cl_recipe *recipe, mlp_cl_on_event *on_event, void *user,
                                      mlp_cl_error *error);

/* ---- Batches of one's own --------------------------------------------------------------------------------------- */

/* Takes training steps on rows that the program brings, a batch at a time: a stream, rows that are drawn or changed by
 * a rule of one's own, what an agent has seen. The same batches in the same order come to the bits of a trainer. */
typedef struct mlp_cl_learner mlp_cl_learner;

/* Of the recipe, `batch` is how many rows a batch has at most; seed, optimiser and its numbers, clipping, dropout and
 * the terms of the loss are as for a trainer; epochs, schedule, warm-up, shuffles and patience are not looked at. The
 * network must outlive the learner. Errors: BAD_ARGUMENT (names the recipe's field and its range). */
MLP_CL_API mlp_cl_status mlp_cl_learner_create(mlp_cl_network *network, const mlp_cl_recipe *recipe,
                                               mlp_cl_learner **learner, mlp_cl_error *error);
MLP_CL_API void mlp_cl_learner_destroy(mlp_cl_learner *learner);
/* One step: forward, loss, backward, update. features (rows, inputs); labels (rows) for classification, else NULL;
 * targets (rows, outputs) for regression and labels that do not exclude each other, else NULL. All are copied to the
 * device. *loss is the mean over the rows, before the update; with NULL the step is only enqueued. Errors: BAD_ARGUMENT
 * (names the row; nothing is learned from such a batch), DIVERGED (with `loss`: this step or one before it). */
MLP_CL_API mlp_cl_status mlp_cl_learner_step(mlp_cl_learner *learner, size_t rows, const float *features,
                                             const int32_t *labels, const float *targets, double *loss,
                                             mlp_cl_error *error);
/* The same in two halves, for a loss of one's own. Forward, with the step's dropout, to outputs (rows, outputs), the
 * logits or numbers; waits. Errors: BAD_ARGUMENT, DIVERGED (one of them is not finite). */
MLP_CL_API mlp_cl_status mlp_cl_learner_forward(mlp_cl_learner *learner, size_t rows, const float *features,
                                                float *outputs, mlp_cl_error *error);
/* Of the same rows: from d_outputs (rows, outputs), the gradient of the loss by the outputs, to the update; d_features
 * (rows, inputs) gets the gradient by the features, before it, unless NULL, and is waited for. Without a forward half
 * before it, or after another step: BAD_ARGUMENT. */
MLP_CL_API mlp_cl_status mlp_cl_learner_backward(mlp_cl_learner *learner, const float *d_outputs, float *d_features,
                                                 mlp_cl_error *error);
/* From the next step on. Error: BAD_ARGUMENT, as for a recipe. */
MLP_CL_API mlp_cl_status mlp_cl_learner_set_rate(mlp_cl_learner *learner, float learning_rate, mlp_cl_error *error);

/* ---- Single operations ------------------------------------------------------------------------------------------ */

/* The operations that a step is made of, one at a time on host arrays: for those who learn from them or check a device.
 * Each writes its inputs to the device, runs the unfused kernel, waits and reads back. Inputs are made canonical first
 * (docs/numerics.md): magnitudes below 2^-30 (values, weights) or 2^-50 (gradients, momentum) become 0.
 * All arrays are row-major and must not overlap, except where said.
 * Errors of all: BAD_ARGUMENT (a size of 0, a rate out of range), BAD_SHAPE (overflow). */

typedef enum mlp_cl_product {
  MLP_CL_A_B,  /* forward: c (m,n) = a (m,k) · b (k,n); summed in blocks of 256 */
  MLP_CL_A_BT, /* input gradient: c (m,n) = a (m,k) · bᵀ, b (n,k); a and c are gradients; summed in blocks of 256 */
  MLP_CL_AT_B /* weight gradient: c (m,n) = aᵀ · b, a (k,m), b (k,n); b and c are gradients; tree over leaves of 256 */
} mlp_cl_product;

MLP_CL_API mlp_cl_status mlp_cl_matmul(mlp_cl_context *context, mlp_cl_product product, size_t m, size_t n, size_t k,
                                       const float *a, const float *b, float *c, mlp_cl_error *error);
/* y (rows,cols) = x + bias (cols) */
MLP_CL_API mlp_cl_status mlp_cl_bias(mlp_cl_context *context, size_t rows, size_t cols, const float *x,
                                     const float *bias, float *y, mlp_cl_error *error);
/* y = !(x <= 0) ? x : 0 */
MLP_CL_API mlp_cl_status mlp_cl_relu(mlp_cl_context *context, size_t rows, size_t cols, const float *x, float *y,
                                     mlp_cl_error *error);
/* d_x = y > 0 ? d_y : 0, where y is relu's stored result */
MLP_CL_API mlp_cl_status mlp_cl_relu_backward(mlp_cl_context *context, size_t rows, size_t cols, const float *y,
                                              const float *d_y, float *d_x, mlp_cl_error *error);
/* Probabilities of each row of logits. */
MLP_CL_API mlp_cl_status mlp_cl_softmax(mlp_cl_context *context, size_t rows, size_t cols, const float *logits,
                                        float *probabilities, mlp_cl_error *error);
/* losses (rows) = log(sum(exp(logits - max))) - (logits[label] - max); predictions (rows): argmax, lowest index on
 * ties; d_logits (rows,cols) = (softmax - onehot) · (1/rows for MEAN, 1 for SUM). Any output may be NULL. A label out
 * of range is BAD_ARGUMENT. */
MLP_CL_API mlp_cl_status mlp_cl_cross_entropy(mlp_cl_context *context, size_t rows, size_t cols, const float *logits,
                                              const int32_t *labels, mlp_cl_reduction reduction, float *losses,
                                              int32_t *predictions, float *d_logits, mlp_cl_error *error);

/* losses (rows) = mean over cols of (x - t)², scores (rows) = mean of |x - t|, d_outputs (rows,cols) = 2 (x - t) · (1 /
 * (rows · cols) for MEAN, 1 for SUM). Any output may be NULL. Targets that are not finite are BAD_ARGUMENT. */
MLP_CL_API mlp_cl_status mlp_cl_squared_error(mlp_cl_context *context, size_t rows, size_t cols, const float *outputs,
                                              const float *targets, mlp_cl_reduction reduction, float *losses,
                                              float *scores, float *d_outputs, mlp_cl_error *error);
/* losses (rows) = mean over cols of max(x, 0) - x · t + log(1 + e^-|x|), scores (rows) = share of labels with x > 0
 * where t > 1/2 and not elsewhere, d_logits (rows,cols) = (sigmoid(x) - t) · (1 / (rows · cols) for MEAN, 1 for SUM).
 * Any output may be NULL. Targets outside 0 … 1 are BAD_ARGUMENT. */
MLP_CL_API mlp_cl_status mlp_cl_sigmoid_cross_entropy(mlp_cl_context *context, size_t rows, size_t cols,
                                                      const float *logits, const float *targets,
                                                      mlp_cl_reduction reduction, float *losses, float *scores,
                                                      float *d_logits, mlp_cl_error *error);

/* Names one dropout mask. The mask of element (row, col) depends on these, on the row's number in the whole batch and
 * on cols, never on the device. */
typedef struct mlp_cl_mask {
  float rate;    /* [0,1) */
  bool unscaled; /* kept values as they are instead of times 1/(1-rate) */
  uint64_t seed;
  uint32_t step;
  uint32_t layer;     /* below 2^24 */
  uint64_t first_row; /* number in the whole batch of the first row given */
} mlp_cl_mask;

/* y = kept ? x · scale : 0 */
MLP_CL_API mlp_cl_status mlp_cl_dropout(mlp_cl_context *context, size_t rows, size_t cols, const mlp_cl_mask *mask,
                                        const float *x, float *y, mlp_cl_error *error);
/* d_x = kept ? d_y · scale : 0, with the same mask */
MLP_CL_API mlp_cl_status mlp_cl_dropout_backward(mlp_cl_context *context, size_t rows, size_t cols,
                                                 const mlp_cl_mask *mask, const float *d_y, float *d_x,
                                                 mlp_cl_error *error);
/* y = dropout(f(x)); `mask` NULL is no dropout. */
MLP_CL_API mlp_cl_status mlp_cl_activate(mlp_cl_context *context, mlp_cl_activation activation, size_t rows,
                                         size_t cols, const mlp_cl_mask *mask, const float *x, float *y,
                                         mlp_cl_error *error);
/* d_x = dropout(d_y) · f'(x), with the same mask */
MLP_CL_API mlp_cl_status mlp_cl_activate_backward(mlp_cl_context *context, mlp_cl_activation activation, size_t rows,
                                                  size_t cols, const mlp_cl_mask *mask, const float *x,
                                                  const float *d_y, float *d_x, mlp_cl_error *error);
/* One update of weight (rows,cols) in place from its gradient, and of velocity (rows,cols; NULL without momentum):
 * g += weight_decay · w; with momentum v = momentum · v + g, g = nesterov ? g + momentum · v : v; w -= learning_rate ·
 * g. (torch.optim.SGD with dampening 0.) Only these fields of the recipe are read. */
MLP_CL_API mlp_cl_status mlp_cl_sgd(mlp_cl_context *context, size_t rows, size_t cols, const mlp_cl_recipe *recipe,
                                    const float *gradient, float *weight, float *velocity, mlp_cl_error *error);
/* Update number `step`, from 1, of weight (rows,cols) in place from its gradient, and of moment and rms (rows,cols), at
 * first zeros: moment is the running mean of the gradients, rms the root of that of their squares.
 *   ADAM: g += weight_decay · w.  ADAMW: w *= 1 - learning_rate · weight_decay
 *   moment += (1 - beta1) · (g - moment);  rms = sqrt(beta2 · rms² + (1 - beta2) · g²)
 *   w -= learning_rate / (1 - beta1^step) · moment / (rms / sqrt(1 - beta2^step) + epsilon)
 * (Kingma and Ba 2015; Loshchilov and Hutter 2019.) Only these fields and `optimiser` of the recipe are read. */
MLP_CL_API mlp_cl_status mlp_cl_adam(mlp_cl_context *context, size_t rows, size_t cols, const mlp_cl_recipe *recipe,
                                     uint32_t step, const float *gradient, float *weight, float *moment, float *rms,
                                     mlp_cl_error *error);
/* y (rows,width) = source[order[i]] · scale; source has source_rows rows of `element`. order NULL takes 0, 1, 2, … */
MLP_CL_API mlp_cl_status mlp_cl_gather(mlp_cl_context *context, const void *source, mlp_cl_element element,
                                       size_t source_rows, size_t width, float scale, const uint32_t *order,
                                       size_t rows, float *y, mlp_cl_error *error);

/* ---- Model files ------------------------------------------------------------------------------------------------ */

/* Tells before a long run whether `path` can be written: its folder exists and takes new files, and what is there now,
 * if anything, is a regular file (a link is followed). Leaves the disk as it was; an existing file is no error. Errors:
 * BAD_ARGUMENT (empty, a folder, a device or pipe), IO (with the system's reason). */
MLP_CL_API mlp_cl_status mlp_cl_check_output(const char *path, mlp_cl_error *error);

/* What a model file says beside its parameters. */
typedef struct mlp_cl_model_info mlp_cl_model_info;

/* Writes a safetensors file: weights (out, in) as "0.weight", "0.bias", "2.weight", … so that
 * torch.nn.Sequential(Linear, ReLU, Linear, …) loads it, or "0.", "3.", … when the recipe has dropout (Linear, ReLU,
 * Dropout, Linear, …). `recipe` and `dataset`, the part that was trained on (its classes, scale, encoding and
 * split), go to the metadata and may be NULL. Written beside, flushed, renamed. Waits. Errors: IO, BAD_ARGUMENT (as
 * mlp_cl_check_output), BAD_SHAPE (the dataset's features, classes or targets are not the network's inputs and
 * outputs), DIVERGED (values not finite are never saved). */
MLP_CL_API mlp_cl_status mlp_cl_network_save(mlp_cl_network *network, const char *path, const mlp_cl_recipe *recipe,
                                             const mlp_cl_dataset *dataset, mlp_cl_error *error);
/* Reads a file that mlp_cl_network_save wrote, or one of PyTorch's with the same layers. *info (may be NULL) is freed
 * with mlp_cl_model_info_destroy. Errors: BAD_FILE (with offset and reason), BAD_SHAPE (wider
 * than a network may be), IO. */
MLP_CL_API mlp_cl_status mlp_cl_network_load(mlp_cl_context *context, const char *path, mlp_cl_network **network,
                                             mlp_cl_model_info **info, mlp_cl_error *error);
/* Reads a model file as mlp_cl_network_load does, but needs no device. A receipt that does not fit the parameters is no
 * error here: compare. Errors: BAD_FILE (with offset and reason), IO. */
MLP_CL_API mlp_cl_status mlp_cl_model_info_open(const char *path, mlp_cl_model_info **info, mlp_cl_error *error);
MLP_CL_API void mlp_cl_model_info_destroy(mlp_cl_model_info *info);
/* As mlp_cl_network_layers, _width, _has_bias, _activation and _task. */
MLP_CL_API size_t mlp_cl_model_info_layers(const mlp_cl_model_info *info);
MLP_CL_API size_t mlp_cl_model_info_width(const mlp_cl_model_info *info, size_t i);
MLP_CL_API bool mlp_cl_model_info_has_bias(const mlp_cl_model_info *info);
/* RELU and CLASSIFICATION where the file does not say. */
MLP_CL_API mlp_cl_activation mlp_cl_model_info_activation(const mlp_cl_model_info *info);
MLP_CL_API mlp_cl_task mlp_cl_model_info_task(const mlp_cl_model_info *info);
/* The receipt of the parameters in the file; NULL when `info` came with a network, which tells its own. */
MLP_CL_API const char *mlp_cl_model_info_sha256(const mlp_cl_model_info *info);
/* Entry `i` of the file's metadata, such as "mlp_cl.recipe": its value, and *key; NULL beyond the last. */
MLP_CL_API const char *mlp_cl_model_info_metadata(const mlp_cl_model_info *info, size_t i, const char **key);
/* Of classification and several labels, the classes or labels and their names; of regression, the outputs and their
 * numbers from "0". The name is NULL when class is out of range. */
MLP_CL_API size_t mlp_cl_model_info_classes(const mlp_cl_model_info *info);
MLP_CL_API const char *mlp_cl_model_info_class_name(const mlp_cl_model_info *info, size_t class_index);
/* element · scale = value in the network; 0 when the file does not say. */
MLP_CL_API float mlp_cl_model_info_scale(const mlp_cl_model_info *info);
/* Of the table that the model was trained on, or of arrays that were scaled, valid as long as the info; else NULL. */
MLP_CL_API const mlp_cl_encoding *mlp_cl_model_info_encoding(const mlp_cl_model_info *info);
/* How the rows were divided that the model was trained on, valid as long as the info; NULL where none were drawn. */
MLP_CL_API const mlp_cl_split *mlp_cl_model_info_split(const mlp_cl_model_info *info);

/* Writes a model file as ONNX (operator set 13; 20 for GELU) for other tools. In: float32 "features" (rows, inputs) as
 * they are in the data, with NaN for a missing value and a 1 among zeros for a column of text; scaling is part of the
 * graph. Out: "probabilities" (rows, outputs), or "values" of a regression, in the data's units. The metadata go with
 * it. Needs no device. Written beside, flushed, renamed. Errors: BAD_FILE (also when the weights are not those of the
 * file's receipt), IO, BAD_ARGUMENT (as mlp_cl_check_output), BAD_SHAPE (2 GiB or more, which the format does not
 * hold). */
MLP_CL_API mlp_cl_status mlp_cl_export_onnx(const char *model_path, const char *onnx_path, mlp_cl_error *error);

/* ---- Validation ------------------------------------------------------------------------------------------------- */

typedef struct mlp_cl_check {
  const char *name;    /* "matmul A·B", "softmax", "training step", … */
  uint64_t elements;   /* compared */
  uint64_t mismatches; /* elements that differ from the reference's, by more than the tolerance if there is one */
  uint64_t max_ulp;    /* largest distance in units in the last place; UINT64_MAX where one of two is NaN */
  double seconds;
  char first[256]; /* "" or the first mismatch: shape, index, both values in hex and decimal */
} mlp_cl_check;

typedef bool mlp_cl_on_check(const mlp_cl_check *check, void *user);

typedef struct mlp_cl_validate_options {
  bool quick;             /* small shapes only */
  uint64_t tolerance_ulp; /* how far from the reference's a value may be, in units in the last place; 0: not a bit.
                             For devices that are known to be inexact: where terms cancel, and in training, which
                             repeats its errors, much larger distances are to be expected than in one operation */
} mlp_cl_validate_options;

/* Runs every operation over many shapes, and whole training steps, on the context's device and on the reference, and
 * compares bits, or distances where there is a tolerance. Calls on_check after each group; false cancels. `options` may
 * be NULL: all shapes, bits. Errors: MISMATCH (after all groups ran), CANCELLED. */
MLP_CL_API mlp_cl_status mlp_cl_validate(mlp_cl_context *context, const mlp_cl_validate_options *options,
                                         mlp_cl_on_check *on_check, void *user, mlp_cl_error *error);

/* ---- Measuring -------------------------------------------------------------------------------------------------- */

typedef enum mlp_cl_bench_kind {
  MLP_CL_BENCH_FMA,    /* fused multiply-adds in registers: what the device can compute at most */
  MLP_CL_BENCH_COPY,   /* from device memory to device memory, more than caches hold */
  MLP_CL_BENCH_LAUNCH, /* a kernel that does nothing, one of many in a row */
  MLP_CL_BENCH_WAIT,   /* the same, waited for */
  MLP_CL_BENCH_MATMUL, /* one product, operands and result on the device in the layout that training keeps */
  MLP_CL_BENCH_TRAIN,  /* one training step: data on the device, shuffled; dropout 0.2, mean loss */
  MLP_CL_BENCH_PREDICT /* one mlp_cl_network_predict, from and to host memory */
} mlp_cl_bench_kind;

typedef struct mlp_cl_bench_work {
  mlp_cl_bench_kind kind;
  mlp_cl_product product; /* MATMUL, with m, n, k as in mlp_cl_matmul */
  size_t m, n, k;
  const mlp_cl_shape *shape; /* TRAIN and PREDICT, with `batch` rows; needed during create only */
  size_t batch;
  mlp_cl_optimiser optimiser; /* TRAIN: SGD without momentum, Adam or AdamW */
} mlp_cl_bench_work;

typedef struct mlp_cl_bench_result {
  double median_s, best_s; /* of one piece of work */
  size_t samples;          /* that the median is of; each has as many pieces as take some 20 ms */
  double flops;            /* of one piece: additions and multiplications of its products; 0 where there are none */
  double bytes;            /* COPY: read and written by one piece; else 0 */
} mlp_cl_bench_result;

/* One piece of work on random values, set up once and measured as often as one likes. */
typedef struct mlp_cl_bench mlp_cl_bench;

/* Errors: BAD_ARGUMENT (a size of 0; the reference has no FMA, COPY, LAUNCH and WAIT), BAD_SHAPE. */
MLP_CL_API mlp_cl_status mlp_cl_bench_create(mlp_cl_context *context, const mlp_cl_bench_work *work,
                                             mlp_cl_bench **bench, mlp_cl_error *error);
/* Measures for about `seconds`, with three samples at least. Waits. */
MLP_CL_API mlp_cl_status mlp_cl_bench_run(mlp_cl_bench *bench, double seconds, mlp_cl_bench_result *result,
                                          mlp_cl_error *error);
/* NULL is allowed. */
MLP_CL_API void mlp_cl_bench_destroy(mlp_cl_bench *bench);

/* ---- Tuning ----------------------------------------------------------------------------------------------------- */

/* Kernels have parameters that decide how fast they are and never what they compute, as the rows of a register tile.
 * They are told in words, such as "tile_rows=8 tile_panels=2 unit_rows=48". `mlp_cl tune` tries some. */
enum { MLP_CL_TUNING_BYTES = 256 };

/* Those that the context uses; "" where there are none. Valid as long as the context. */
MLP_CL_API const char *mlp_cl_context_tuning(const mlp_cl_context *context);
/* The parameters number `i` of those worth trying on the context's device with its variant of kernels; 0 is what suits
 * it by default. False behind the last. */
MLP_CL_API bool mlp_cl_tuning_candidate(const mlp_cl_context *context, size_t i, char text[MLP_CL_TUNING_BYTES]);
/* Has later contexts on this device, with this driver and this variant of kernels, use the context's parameters.
 * Compare bits before, with mlp_cl_validate. Errors: BAD_ARGUMENT (the reference), INEXACT, IO (no folder to keep
 * it). */
MLP_CL_API mlp_cl_status mlp_cl_tuning_keep(const mlp_cl_context *context, mlp_cl_error *error);
MLP_CL_API mlp_cl_status mlp_cl_tuning_forget(const mlp_cl_context *context, mlp_cl_error *error);

/* ---- Profiling -------------------------------------------------------------------------------------------------- */

/* Writes when each kernel began and ended since the context was opened, in the Chrome trace-event format (JSON) that
 * Perfetto and chrome://tracing show: the first 131072 launches, and how many there were, without those of
 * MLP_CL_BENCH_LAUNCH and _WAIT, which measure themselves. Times are the device's, or, where the driver makes them up,
 * wall clock around each launch, which is then waited for. Waits. Errors: BAD_ARGUMENT (the reference; a context
 * without options.profile; as mlp_cl_check_output), IO. */
MLP_CL_API mlp_cl_status mlp_cl_profile_write(mlp_cl_context *context, const char *path, mlp_cl_error *error);

#ifdef __cplusplus
}
#endif
#endif
