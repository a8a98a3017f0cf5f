/* train_steps: whole training steps in one launch, for CPU devices, where starting a kernel that depends on another
 * costs more than a small network's layer. Any number of work-items, each a work-group, share the work by tickets:
 *
 *   ticket      0 1 2 3 | 4 5 | 6 7 8 | …        one for each unit of each phase of each step, in order
 *   phase       gather  | layer 0 forward | …    a phase begins when all tickets before it are complete
 *
 * A work-item draws the next ticket and waits until the phases before it are complete. It only ever waits for lower
 * tickets, which work-items that run already hold, so it ends however few of them run at a time, also one after the
 * other. */
#include "cross_entropy.h"
#include "dense.h"
#include "gather.h"
#include "transpose.h"

#define LAYERS_MAX 4

typedef struct {
  int in, out;
  global float *weight, *weight_velocity;
  int weight_stride;
  global float *bias, *bias_velocity;
  int bias_stride;
  global float *y;
  int y_stride;
  global float *d_y;
  int d_y_stride;
  global float *d_y_t;
  int d_y_t_stride;
} layer;

#define LAYER_PARAMETERS(n)                                                                                    \
  int in_##n, int out_##n, global float *weight_##n, global float *weight_velocity_##n, int weight_stride_##n, \
      global float *bias_##n, global float *bias_velocity_##n, int bias_stride_##n, global float *y_##n,       \
      int y_stride_##n, global float *d_y_##n, int d_y_stride_##n, global float *d_y_t_##n, int d_y_t_stride_##n
#define LAYER_FROM_PARAMETERS(n)                                                                                       \
  {                                                                                                                    \
    in_##n, out_##n, weight_##n, weight_velocity_##n, weight_stride_##n, bias_##n, bias_velocity_##n, bias_stride_##n, \
        y_##n, y_stride_##n, d_y_##n, d_y_stride_##n, d_y_t_##n, d_y_t_stride_##n                                      \
  }

/* Rows of a forward unit: few, so that a small batch is shared evenly. */
#define FORWARD_ROWS (UNIT_ROWS / 2)

/* What all steps of a launch have in common. */
typedef struct {
  int layers_count, batch, width;
  bool with_bias, ordered;
  ulong first, end; /* rows of the order */
  uint first_step;
  float source_scale, loss_scale, last_loss_scale; /* the last for a ragged step */
  int element;
  global const uchar *source;
  global const uint *order;
  global const int *labels;
  global float *x;
  int x_stride;
  global float *losses;
  global int *predictions;
  global uint *flag;
  mask dropout;
  sgd_rule rule;
  layer layers[LAYERS_MAX];
} job;

/* One step: its number in the launch, the position of its first row, its rows. */
typedef struct {
  int number;
  ulong first;
  int rows;
} step_rows;

/* The phases of a step, in this order: gather; forward of each layer; loss; then for each layer from the last, the
 * gradient of its input (nothing for the first) and its update. */
#define FORWARD_PHASE 1 /* + layer */
#define LOSS_PHASE(j) (FORWARD_PHASE + (j)->layers_count)
#define PHASES(j) (LOSS_PHASE(j) + 1 + 2 * (j)->layers_count)
/* The layer of a backward phase, and whether it is the input's gradient. */
#define BACKWARD_LAYER(j, phase) ((j)->layers_count - 1 - ((phase)-LOSS_PHASE(j) - 1) / 2)
#define BACKWARD_INPUT(j, phase) (((phase)-LOSS_PHASE(j)) % 2 == 1)

TILE_FUNCTION int phase_units(const job *j, int phase, int rows) {
  if (phase == 0 || phase == LOSS_PHASE(j)) return (rows + PANEL - 1) / PANEL;
  if (phase < LOSS_PHASE(j))
    return UNITS(rows, FORWARD_ROWS, PANELS(j->layers[phase - FORWARD_PHASE].out));
  int i = BACKWARD_LAYER(j, phase);
  if (!BACKWARD_INPUT(j, phase)) return UNITS(j->layers[i].in, UNIT_ROWS, PANELS(j->layers[i].out));
  return i > 0 ? UNITS(j->layers[i].in, UNIT_ROWS, PANELS(rows)) : 0;
}

/* The block that is one unit. */
static inline block unit_block(int unit, int unit_rows, int rows, int panels) {
  share alone = {unit, unit + 1};
  return next_block(&alone, unit_rows, rows, panels);
}

static inline ulong row_of_source(const job *j, ulong position) {
  return j->ordered ? j->order[position] : position;
}

TILE_FUNCTION void gather_unit(const job *j, const step_rows *s, int unit) {
  for (int panel = 0; panel < PANELS(j->width); panel++)
    for (int row = unit * PANEL; row < min(s->rows, (unit + 1) * PANEL); row++)
      gather_line(j->element, j->source, row_of_source(j, s->first + (ulong)row), j->width, panel, j->source_scale,
                  j->x + line_index(panel, j->x_stride, row));
}

TILE_FUNCTION void forward_unit(const job *j, const step_rows *s, int i, int unit) {
  const layer *l = &j->layers[i];
  bool hidden = i + 1 < j->layers_count;
  mask m = j->dropout;
  m.threshold = hidden ? m.threshold : 0;
  m.step = j->first_step + (uint)s->number;
  m.layer = (uint)i;
  const block c = unit_block(unit, FORWARD_ROWS, s->rows, PANELS(l->out));
  dense_forward_block(&c, l->in, l->out, i > 0 ? j->layers[i - 1].y : j->x,
                      i > 0 ? j->layers[i - 1].y_stride : j->x_stride, l->weight, l->weight_stride, j->with_bias,
                      l->bias, l->bias_stride, hidden, &m, l->y, l->y_stride);
}

TILE_FUNCTION void loss_unit(const job *j, const step_rows *s, int unit) {
  const layer *l = &j->layers[j->layers_count - 1];
  const cross_entropy_batch b = {s->rows,
                                 l->out,
                                 l->y,
                                 l->y_stride,
                                 j->labels,
                                 j->ordered,
                                 j->order,
                                 s->first,
                                 s->rows == j->batch ? j->loss_scale : j->last_loss_scale,
                                 true,
                                 l->d_y,
                                 l->d_y_stride,
                                 j->layers_count > 1,
                                 l->d_y_t,
                                 l->d_y_t_stride,
                                 j->losses + s->first,
                                 j->predictions + s->first,
                                 j->flag,
                                 j->first_step + (uint)s->number};
  cross_entropy_block(&b, unit * PANEL, 0);
}

TILE_FUNCTION void backward_input_unit(const job *j, const step_rows *s, int i, int unit) {
  const layer *l = &j->layers[i], *below = &j->layers[i - 1];
  const block c = unit_block(unit, UNIT_ROWS, l->in, PANELS(s->rows));
  dense_backward_input_block(&c, l->in, l->out, l->d_y_t, l->d_y_t_stride, l->weight, l->weight_stride, true, below->y,
                             below->y_stride, j->dropout.scale, below->d_y, below->d_y_stride, below->d_y_t,
                             below->d_y_t_stride, i > 1);
}

TILE_FUNCTION void backward_weight_unit(const job *j, const step_rows *s, int i, int unit) {
  const layer *l = &j->layers[i];
  const block c = unit_block(unit, UNIT_ROWS, l->in, PANELS(l->out));
  dense_backward_weight_block(&c, s->rows, l->in, i > 0 ? j->layers[i - 1].y : j->x,
                              i > 0 ? j->layers[i - 1].y_stride : j->x_stride, l->d_y, l->d_y_stride, false, &j->rule,
                              l->weight, l->weight_velocity, l->weight_stride, j->with_bias, l->bias, l->bias_velocity,
                              l->bias_stride, j->flag, j->first_step + (uint)s->number);
}

TILE_FUNCTION void run_unit(const job *j, const step_rows *s, int phase, int unit) {
  if (phase == 0)
    gather_unit(j, s, unit);
  else if (phase < LOSS_PHASE(j))
    forward_unit(j, s, phase - FORWARD_PHASE, unit);
  else if (phase == LOSS_PHASE(j))
    loss_unit(j, s, unit);
  else if (BACKWARD_INPUT(j, phase))
    backward_input_unit(j, s, BACKWARD_LAYER(j, phase), unit);
  else
    backward_weight_unit(j, s, BACKWARD_LAYER(j, phase), unit);
}

static inline step_rows step_begin(const job *j, int number) {
  step_rows s = {number, j->first + (ulong)number * (ulong)j->batch, 0};
  s.rows = (int)min((ulong)j->batch, j->end - s.first);
  return s;
}

/* tickets[0]: the next to draw; tickets[1]: how many are complete. Both 0 at the start. */
kernel void train_steps(int layers_count, int batch, int width, int with_bias, int ordered, ulong first, ulong end,
                        uint first_step, int steps, float source_scale, float loss_scale, float last_loss_scale,
                        int element, global const uchar *source, global const uint *order, global const int *labels,
                        global float *x, int x_stride, global float *losses, global int *predictions, global uint *flag,
                        MASK_PARAMETERS, SGD_PARAMETERS, global volatile uint *tickets, LAYER_PARAMETERS(0),
                        LAYER_PARAMETERS(1), LAYER_PARAMETERS(2), LAYER_PARAMETERS(3)) {
  const job j = {
      layers_count,
      batch,
      width,
      with_bias != 0,
      ordered != 0,
      first,
      end,
      first_step,
      source_scale,
      loss_scale,
      last_loss_scale,
      element,
      source,
      order,
      labels,
      x,
      x_stride,
      losses,
      predictions,
      flag,
      MASK_FROM_PARAMETERS,
      SGD_FROM_PARAMETERS,
      {LAYER_FROM_PARAMETERS(0), LAYER_FROM_PARAMETERS(1), LAYER_FROM_PARAMETERS(2), LAYER_FROM_PARAMETERS(3)}};
  const bool alone = get_global_size(0) == 1;
  step_rows s = step_begin(&j, 0);
  int phase = 0;
  uint phase_begin = 0, phase_end = (uint)phase_units(&j, 0, s.rows);
  for (uint mine = 0;; mine++) {
    uint ticket = alone ? mine : atomic_inc(tickets);
    while (ticket >= phase_end) {
      if (++phase == PHASES(&j)) {
        if (s.number + 1 == steps) return;
        s = step_begin(&j, s.number + 1);
        phase = 0;
      }
      phase_begin = phase_end;
      phase_end += (uint)phase_units(&j, phase, s.rows);
    }
    if (!alone)
      while (tickets[1] < phase_begin) mem_fence(CLK_GLOBAL_MEM_FENCE);
    run_unit(&j, &s, phase, (int)(ticket - phase_begin));
    if (!alone) {
      mem_fence(CLK_GLOBAL_MEM_FENCE);
      atomic_inc(tickets + 1);
    }
  }
}
