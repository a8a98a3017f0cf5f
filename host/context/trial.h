/* Trials: each runs one operation of a backend on inputs drawn for a shape and collects its outputs, so that two
 * backends can be compared bit by bit. The self-test runs them small, validation over many shapes. */
#ifndef CONTEXT_TRIAL_H
#define CONTEXT_TRIAL_H

#include "context/tensor_set.h"

typedef struct trial_shape {
  size_t rows, in, out;
} trial_shape;

/* One trial on one backend while it runs. */
typedef struct trial_run {
  tensor_set set;
  uint64_t random; /* state of the inputs' generator */
  uint32_t *words; /* the bits of all outputs collected so far, owned */
  size_t count;
} trial_run;

typedef struct trial {
  const char *name;
  void (*run)(trial_run *run, trial_shape shape);
} trial;

/* Of operations that every run needs. */
extern const trial trials[];
extern const size_t trials_count;
/* Of operations that most runs do without; at most 64. */
extern const trial seldom_trials[];
extern const size_t seldom_trials_count;
/* Those that have the word in their names: a bit for each. */
uint64_t seldom_trials_of(const char *word);

typedef struct trial_result {
  uint64_t tolerance; /* set by the caller: so many units in the last place are no mismatch; 0: bits */
  uint64_t elements, mismatches;
  uint64_t max_ulp; /* units in the last place between the two most different values; UINT64_MAX for a NaN */
  size_t index;     /* of the first mismatch among the outputs, with its two values */
  uint32_t got, wanted;
} trial_result;

/* Compares words that are float32 or integers; adds to *result. */
void trial_compare_words(const uint32_t *got, const uint32_t *wanted, size_t count, trial_result *result);
/* Runs the trial on both backends with the same inputs; adds to *result. Errors: those of the operation, NO_MEMORY. */
mlp_cl_status trial_compare(const trial *compared, trial_shape shape, backend *device, backend *reference,
                            trial_result *result, mlp_cl_error *error);

/* How inputs are drawn. */
typedef enum trial_values {
  TRIAL_UNIFORM,      /* in (-1, 1) with zeros, tiny and large values among them */
  TRIAL_NOT_NEGATIVE, /* as a ReLU leaves them: about half are 0 */
  TRIAL_LOGITS,       /* in (-8, 8), with ties */
  TRIAL_ZEROS,        /* of data: two thirds are 0, in the same places of several rows, a third is as TRIAL_UNIFORM */
  TRIAL_SCATTERED,    /* as ReLU and much dropout leave them: six sevenths are 0, and some rows and columns all */
  TRIAL_SMALL,        /* of magnitude 2^-27 to 2^-26: sums of few products of two of them are near a gradient's floor */
  TRIAL_CANARY        /* NaN: for outputs, which must be overwritten */
} trial_values;

/* Whether the element of such data is 0. */
bool trial_is_zero(size_t row, size_t col);

tensor *trial_tensor(trial_run *run, tensor_role role, size_t rows, size_t cols, trial_values values);
/* The same with more rows than are used, as in a ragged batch. */
tensor *trial_batch(trial_run *run, tensor_role role, size_t rows, size_t cols, trial_values values);
/* A PLAIN row of `count` integers below `end`, or of `end` itself when it is negative: a canary. */
tensor *trial_integers(trial_run *run, size_t count, int32_t end);
/* A PLAIN (rows, cols) tensor of random elements. */
tensor *trial_plain(trial_run *run, tensor_element element, size_t rows, size_t cols);
dropout trial_mask(uint64_t first_row);
extern const sgd trial_sgd, trial_sgd_momentum, trial_sgd_nesterov;
/* Steps beyond the largest float where |weight| is above 0.89: those parameters become infinite and lower the flag. */
extern const sgd trial_sgd_overflow;
/* Appends the first `rows` rows to the outputs. */
void trial_collect(trial_run *run, const tensor *output, size_t rows);

#endif
