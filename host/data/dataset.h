/* Rows on the host in their own element type, immutable once made. */
#ifndef DATA_DATASET_H
#define DATA_DATASET_H

#include "base/error.h"
#include "mlp_cl.h"

/* Rows are numbered by int32, labels too; the names of classes take memory before a single row is read. */
#define DATASET_ROWS_MAX ((size_t)INT32_MAX)
#define DATASET_CLASSES_MAX ((size_t)1 << 20)

struct mlp_cl_dataset {
  size_t rows, width;
  mlp_cl_element element;
  void *features;  /* rows × width elements, row-major, owned */
  float scale;     /* element · scale = value in the network */
  int32_t *labels; /* rows, each in 0 … classes-1, owned; NULL without labels */
  size_t classes;
  float *targets; /* (rows, outputs) row-major, finite, owned; NULL without. Labels, targets or neither, never both */
  size_t outputs; /* targets a row; 0 without */
  char **class_names;        /* classes strings in one allocation with the pointers, owned; NULL without labels */
  mlp_cl_encoding *encoding; /* how a table became these rows, shared; it names the classes then. NULL without */
  mlp_cl_split split;        /* what was drawn before these rows were left to train; their own SHA-256 is not there */
};

/* Bytes of one element. */
size_t dataset_element_bytes(mlp_cl_element element);

/* 1/maximum for integers, 1 for floats. */
float dataset_default_scale(mlp_cl_element element);

/* What is read beside the features: whole numbers that name classes, numbers to learn, or nothing. */
typedef enum data_answers { DATA_LABELS, DATA_TARGETS, DATA_FEATURES } data_answers;

/* What a reader produced: checked values, in arrays of base/bulk.h. */
typedef struct dataset_parts {
  size_t rows, width;
  mlp_cl_element element;
  void *features;
  float scale;
  int32_t *labels; /* NULL without */
  size_t classes;
  float *targets; /* NULL without */
  size_t outputs;
  mlp_cl_encoding *encoding; /* NULL without; adopting shares it */
} dataset_parts;

/* Makes room for rows × width elements, and for labels or targets where there are classes or outputs; `what` is in
 * messages. On failure the parts are {0}. Error: NO_MEMORY. */
mlp_cl_status dataset_parts_allocate(dataset_parts *parts, const char *what, mlp_cl_error *error);
/* Frees the arrays and leaves {0}. */
void dataset_parts_free(dataset_parts *parts);

/* Takes ownership of the arrays in `parts`, also on failure, and names the classes "0", "1", …
 * Error: NO_MEMORY. */
mlp_cl_status dataset_adopt(dataset_parts *parts, mlp_cl_dataset **dataset, mlp_cl_error *error);

/* Rows of a data set: those whose mark is wanted, or, with marks NULL, all. */
typedef struct marked_rows {
  const mlp_cl_dataset *dataset;
  const unsigned char *marks;
  unsigned char wanted;
} marked_rows;

static inline bool is_marked(const marked_rows *rows, size_t row) {
  return rows->marks == NULL || rows->marks[row] == rows->wanted;
}

static inline size_t marked_count(const marked_rows *rows) {
  size_t count = 0;
  for (size_t row = 0; row < rows->dataset->rows; row++) count += is_marked(rows, row);
  return count;
}

/* Copies the rows, in their order; *part is NULL when there are none. Error: NO_MEMORY. */
mlp_cl_status dataset_copy_rows(const marked_rows *rows, mlp_cl_dataset **part, mlp_cl_error *error);
/* Copies those marked as MLP_CL_PART_TRAIN to *train, and as MLP_CL_PART_TEST to *test. Error: NO_MEMORY, and then
 * neither exists. */
mlp_cl_status dataset_divide(const mlp_cl_dataset *dataset, const unsigned char *marks, mlp_cl_dataset **train,
                             mlp_cl_dataset **test, mlp_cl_error *error);

/* Element `i` of the features, as it is stored. */
float dataset_element(const mlp_cl_dataset *dataset, size_t i);
/* The values that the network sees of the rows [first, first + count): element · scale. */
void dataset_features(const mlp_cl_dataset *dataset, size_t first, size_t count, float *features);

/* Draws about `fraction` of the rows of each class whose mark is MLP_CL_PART_TRAIN and marks them with `part`. labels
 * NULL: one class. Errors: BAD_ARGUMENT (fraction not in (0,1), nothing to draw), NO_MEMORY. */
mlp_cl_status split_mark(const int32_t *labels, size_t rows, size_t classes, double fraction, uint64_t seed,
                         unsigned char part, unsigned char *marks, mlp_cl_error *error);

/* The same for each part that the split has: marks (rows) are MLP_CL_PART_TRAIN at first. */
mlp_cl_status split_parts(const int32_t *labels, size_t rows, size_t classes, const mlp_cl_split *split,
                          unsigned char *marks, mlp_cl_error *error);

/* SHA-256 over shape, scale, features, and labels or targets, as a data set of these rows alone has it: 64 hex digits
 * and a NUL. */
void rows_sha256(const marked_rows *rows, char hex[65]);
void dataset_sha256(const mlp_cl_dataset *dataset, char hex[65]);

/* The built-in data set. `test` may be NULL. Error: NO_MEMORY. */
mlp_cl_status digits_open(mlp_cl_dataset **train, mlp_cl_dataset **test, mlp_cl_error *error);

#endif
