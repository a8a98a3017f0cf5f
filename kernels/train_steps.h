/* What the kernels that run whole training steps share: a launch's job as they are told of it, and its steps. */
#ifndef TRAIN_STEPS_H
#define TRAIN_STEPS_H

#include "activation.h"
#include "dropout.h"
#include "terms.h"
#include "update.h"

/* What a row's outputs should have been: a class, or with TARGETS, in programs of their own, numbers. */
#ifndef TARGETS
#define TARGETS 0
#endif
#if TARGETS
#include "target_loss.h"
typedef target_loss_batch loss_batch;
#define ANSWER_PARAMETERS global const float *targets, global float *scores, int squared, float per_output
#define ANSWERS_FROM_PARAMETERS targets, scores, squared != 0, per_output
#else
#include "cross_entropy.h"
typedef cross_entropy_batch loss_batch;
#define ANSWER_PARAMETERS global const int *labels, global int *predictions
#define ANSWERS_FROM_PARAMETERS labels, predictions
#endif

/* Kernels of the same text have names of their own. */
#ifndef STEPS_KERNEL
#define STEPS_KERNEL train_steps
#endif

typedef struct {
  int in, out;
  int listed_forward, listed_backward; /* how terms may be: TERMS_… of sizes.h */
  parameters weight, bias;
  global float *z; /* before an activation other than ReLU */
  int z_stride;
  global float *y;
  int y_stride;
  global float *d_y;
  int d_y_stride;
  global float *d_y_t;
  int d_y_t_stride;
} layer;

#define LAYER_PARAMETERS(n)                                                                                  \
  int in_##n, int out_##n, int listed_forward_##n, int listed_backward_##n, PARAMETERS_OF(weight_##n),       \
      PARAMETERS_OF(bias_##n), global float *z_##n, int z_stride_##n, global float *y_##n, int y_stride_##n, \
      global float *d_y_##n, int d_y_stride_##n, global float *d_y_t_##n, int d_y_t_stride_##n
#define LAYER_FROM_PARAMETERS(n)                                                                                      \
  {                                                                                                                   \
    in_##n, out_##n, listed_forward_##n, listed_backward_##n, PARAMETERS_FROM(weight_##n), PARAMETERS_FROM(bias_##n), \
        z_##n, z_stride_##n, y_##n, y_stride_##n, d_y_##n, d_y_stride_##n, d_y_t_##n, d_y_t_stride_##n                \
  }

/* What all steps of a launch have in common. */
typedef struct {
  int layers_count, by_rows /* the first layer that goes by rows; layers_count: only the loss */, batch, width;
  int activation;
  bool with_bias, ordered;
  ulong first, end; /* rows of the order */
  uint first_step;
  float source_scale, loss_scale, last_loss_scale; /* the last for a ragged step */
  int element;
  global const uchar *source;
  global const uint *order;
#if TARGETS
  global const float *targets;
  global float *scores;
  bool squared;
  float per_output;
#else
  global const int *labels;
  global int *predictions;
#endif
  global float *x; /* of all work-items, one after the other */
  int x_stride;
  global terms *found; /* has room for so many lists of each work-item; 0: all terms are taken */
  int room;
  global float *losses;
  global uint *flag;
  mask dropout;
  update_rule rule;
#if ADAM
  float16 rates, roots; /* the rule's, of each step: ADAM_STEPS_MAX */
#endif
  layer layers[LAYERS_MAX];
} job;

/* One step: its number in the launch, the position of its first row, its rows. */
typedef struct {
  int number;
  ulong first;
  int rows;
} step_rows;

#if ADAM
#define SCHEDULE_PARAMETERS float16 rates, float16 roots,
#define SCHEDULE_FROM_PARAMETERS rates, roots,
#else
#define SCHEDULE_PARAMETERS
#define SCHEDULE_FROM_PARAMETERS
#endif

#define JOB_PARAMETERS                                                                                                 \
  int layers_count, int by_rows, int batch, int width, int activation, int with_bias, int ordered, ulong first,        \
      ulong end, uint first_step, int steps, float source_scale, float loss_scale, float last_loss_scale, int element, \
      global const uchar *source, global const uint *order, ANSWER_PARAMETERS, global float *x, int x_stride,          \
      global terms *found, int room, global float *losses, global uint *flag, MASK_PARAMETERS, UPDATE_PARAMETERS,      \
      SCHEDULE_PARAMETERS global volatile uint *progress, LAYER_PARAMETERS(0), LAYER_PARAMETERS(1),                    \
      LAYER_PARAMETERS(2), LAYER_PARAMETERS(3)
#define JOB_FROM_PARAMETERS                                                                                      \
  {                                                                                                              \
    layers_count, by_rows, batch, width, activation, with_bias != 0, ordered != 0, first, end, first_step,       \
        source_scale, loss_scale, last_loss_scale, element, source, order, ANSWERS_FROM_PARAMETERS, x, x_stride, \
        found, room, losses, flag, MASK_FROM_PARAMETERS, UPDATE_FROM_PARAMETERS, SCHEDULE_FROM_PARAMETERS {      \
      LAYER_FROM_PARAMETERS(0), LAYER_FROM_PARAMETERS(1), LAYER_FROM_PARAMETERS(2), LAYER_FROM_PARAMETERS(3)     \
    }                                                                                                            \
  }

static inline step_rows step_begin(const job *j, int number) {
  step_rows s = {number, j->first + (ulong)number * (ulong)j->batch, 0};
  s.rows = (int)min((ulong)j->batch, j->end - s.first);
  return s;
}

static inline ulong row_of_source(const job *j, ulong position) {
  return j->ordered ? j->order[position] : position;
}

/* By a pointer: Oclgrind does not know what a compiler makes of large structures that are returned. */
static inline void loss_of_step(const job *j, const step_rows *s, loss_batch *b) {
  const layer *l = &j->layers[j->layers_count - 1];
  const float scale = s->rows == j->batch ? j->loss_scale : j->last_loss_scale;
  const uint step = j->first_step + (uint)s->number;
#if TARGETS
  *b = (loss_batch){l->out,
                    j->squared,
                    l->y,
                    l->y_stride,
                    j->targets,
                    j->ordered,
                    j->order,
                    s->first,
                    scale,
                    j->per_output,
                    true,
                    l->d_y,
                    l->d_y_stride,
                    j->losses + s->first,
                    j->scores + s->first,
                    j->flag,
                    step};
#else
  *b = (loss_batch){s->rows,  l->out, l->y, l->y_stride, j->labels,     j->ordered,           j->order,
                    s->first, scale,  true, l->d_y,      l->d_y_stride, j->losses + s->first, j->predictions + s->first,
                    j->flag,  step};
#endif
}

static inline void rule_of_step(const job *j, const step_rows *s, update_rule *rule) {
  *rule = j->rule;
#if ADAM
  rule->rate = ((const float *)&j->rates)[s->number];
  rule->root = ((const float *)&j->roots)[s->number];
#else
  (void)s;
#endif
}

/* The mask of layer i, by pointer for Oclgrind: none behind the last. */
static inline void mask_of_layer(const job *j, const step_rows *s, int i, mask *m) {
  *m = j->dropout;
  m->threshold = i + 1 < j->layers_count ? m->threshold : 0;
  m->step = j->first_step + (uint)s->number;
  m->layer = (uint)i;
}

/* What layer i reads: the one below it, or the rows of the step, which are in `rows`. */
static inline global const float *input_of_layer(const job *j, int i, global const float *rows, int *stride) {
  *stride = i > 0 ? j->layers[i - 1].y_stride : j->x_stride;
  return i > 0 ? j->layers[i - 1].y : rows;
}

#endif
