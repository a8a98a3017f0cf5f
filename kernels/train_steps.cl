/* train_steps: whole training steps in one launch, for CPU devices, where starting a kernel that depends on another
 * costs more than a small network's layer. A step is a row of phases, each of units that are independent:
 *
 *   layer 0 forward | … | last layers by rows, there and back | updates | …
 *
 * Of layers with few weights each work-item takes some rows of the batch: forward, loss and back to the gradient of the
 * first such layer's input in one phase. The others go by panels of the weights, each way in a phase of its own.
 *
 * Any number of work-items, each a work-group, share each phase: each has a share of its own, in whose pieces it goes
 * first, so that the weights that it updates are those that it read, and are in its cache. Then it takes the pieces
 * that others have not begun. Nobody waits but for pieces that somebody runs, so all ends however few of the work-items
 * run at a time, also one after the other. The rows of the batch each work-item gathers for itself, when it needs them:
 * to convert them takes less time than to bring them from another core's cache. */
#include "activation_lines.h"
#include "dense.h"
#include "gather.h"
#include "train_steps.h"
#include "transpose.h"

/* The words of `progress`, zeros at the start: word 0 counts the units that are done; word PROGRESS_OF(worker) tells
 * how many pieces of that worker's share have been begun, and in which phase: number << 8 | pieces. */
#define PIECES_MAX 8

/* Rows of a forward unit: few, so that a small batch with few classes is shared evenly. */
#define FORWARD_ROWS (UNIT_ROWS / 2)

/* Work-item `me` of `workers`, whose `x` holds the rows of step `gathered`, and `found` the terms of the forward
 * product `listed`; of none at -1. */
typedef struct {
  int me, workers, gathered, listed;
  global float *x;
  global terms *found;
} worker;

/* What the units of a phase do: the forward product of a layer; forward from layer by_rows on, loss and back; the
 * gradient of a layer's input; its update. */
typedef enum { FORWARD, ROWS, BACKWARD_INPUT, UPDATE } phase_kind;

/* A phase waits for all units before it, or needs only what the last one that waited had waited for. Its work is
 * heights × WIDTHS(panels) units, each of unit_rows rows × the panels of a tile. Work-items share it by panels or by
 * rows; a share is cut into pieces by panels or by rows. `listed`: how terms may be, those of rows forward in pieces of
 * as many panels as meet them at once. */
typedef struct {
  phase_kind kind;
  int layer;
  bool waits;
  int rows, unit_rows, heights, panels;
  bool share_panels, cut_panels;
  int listed;
} phase;

/* The phases of a step: forward of each layer by panels; rows; then from the last layer on the gradient of the input,
 * if rows have not been there, and the update. An update writes its own layer's parameters alone; what it reads, and
 * what the gradient below it reads, was there when the last phase that waited began. */
#define PHASES(j) ((j)->by_rows + 1 + 2 * (j)->layers_count)

/* Rows of a unit: a multiple of `grain`, at most `most`, and such that every work-item has as many units, but for what
 * the last ones lack. */
static inline int even_unit(int rows, int workers, int grain, int most) {
  int share = HEIGHTS(HEIGHTS(rows, workers), grain), unit = min(share, most / grain);
  while (share % unit != 0) unit--;
  return unit * grain;
}

/* Forward and update share the weights by panels in the same way. */
TILE_FUNCTION phase phase_of_step(const job *j, int number, int rows, int workers) {
  const int last = j->layers_count - 1, back = number - j->by_rows - 1;
  phase p = {ROWS, number, true, rows, UNIT_ROWS, 0, 1, false, false, TERMS_NOT_LISTED};
  int grain = j->by_rows <= last ? BACKWARD_GRAIN(TILE_ROWS, UNIT_ROWS) : PANEL;
  if (back < -1) {
    p.kind = FORWARD;
    p.unit_rows = FORWARD_ROWS;
    p.panels = PANELS(j->layers[number].out);
    p.share_panels = p.cut_panels = true;
    if (j->room != 0 && rows > 1 && p.panels >= TERMS_PANELS * workers) p.listed = j->layers[number].listed_forward;
    grain = FORWARD_GRAIN(TILE_ROWS);
  } else if (back >= 0) {
    p.kind = back % 2 == 0 ? BACKWARD_INPUT : UPDATE;
    p.layer = last - back / 2;
    const bool by_panels = 0 < p.layer && p.layer < j->by_rows, update = p.kind == UPDATE;
    p.waits = p.layer == last || (update && by_panels);
    p.rows = j->layers[p.layer].in;
    p.panels = update ? PANELS(j->layers[p.layer].out) : by_panels ? PANELS(rows) : 0;
    p.share_panels = update;
    if (update && rows > 1) p.listed = j->layers[p.layer].listed_backward;
    p.cut_panels = p.listed == TERMS_OF_ROWS; /* whose terms are found by panels */
    grain = BACKWARD_GRAIN(TILE_ROWS, UNIT_ROWS);
  }
  p.heights = HEIGHTS(p.rows, p.unit_rows);
  const int widths = WIDTHS(p.panels);
  if (p.share_panels ? widths < workers : p.heights < workers) p.share_panels = p.cut_panels = widths > p.heights;
  if (!p.share_panels) {
    p.unit_rows = even_unit(p.rows, workers, grain, p.unit_rows);
    p.heights = HEIGHTS(p.rows, p.unit_rows);
  }
  return p;
}

/* Part `part` of `parts` of a block that counts units. */
static inline block cut_block(block c, bool panels, int part, int parts) {
  if (parts == 1) return c;
  share s = share_of(panels ? c.panel_end - c.panel : c.row_end - c.row, part, parts);
  if (panels) {
    c.panel_end = c.panel + (int)s.end;
    c.panel += (int)s.begin;
  } else {
    c.row_end = c.row + (int)s.end;
    c.row += (int)s.begin;
  }
  return c;
}

static inline bool is_empty(const block *c) {
  return c->row >= c->row_end || c->panel >= c->panel_end;
}

TILE_FUNCTION void gather_rows(const job *j, const step_rows *s, worker *w) {
  for (int row = 0; row < s->rows; row++)
    gather_panels(j->element, j->source, row_of_source(j, s->first + (ulong)row), j->width, 0, PANELS(j->width),
                  j->source_scale, w->x + line_index(0, j->x_stride, row), j->x_stride);
  w->gathered = s->number;
}

/* What follows the product of a hidden layer where that is not fused: y = dropout(f(z)) of the block. */
OUTLINED_FUNCTION void activation_forward(const job *j, const step_rows *s, const layer *l, const mask *m,
                                          const block *c) {
  const int end = min(s->rows, c->row_end);
  for (int panel = c->panel; panel < c->panel_end; panel++)
    for (int row = c->row; row < end; row += MASK_ROWS)
      activation_forward_lines(j->activation, m, row, min(MASK_ROWS, end - row), panel, l->out, l->z, l->z_stride, l->y,
                               l->y_stride);
}

#if TILE_PANELS > TERMS_PANELS
#error "a first layer that lists terms may not go by panels"
#endif

/* The terms of layer i's sums that count. They are found once for all pieces, which have all rows: a layer of
 * TERMS_PANELS for each work-item goes by panels. */
TILE_FUNCTION void find_forward_terms(const job *j, const step_rows *s, worker *w, int i, int listed,
                                      global const float *x, int x_stride) {
  const int product = s->number * LAYERS_MAX + i;
  if (w->listed == product) return;
  find_features(listed, 0, s->rows, j->layers[i].in, x, x_stride, w->found);
  w->listed = product;
}

TILE_FUNCTION void forward(const job *j, const step_rows *s, worker *w, int i, int listed, const block *c) {
  const layer *l = &j->layers[i];
  const bool hidden = i + 1 < j->layers_count, fused = j->activation == ACTIVATION_RELU || !hidden;
  mask m, fused_mask;
  mask_of_layer(j, s, i, &m);
  fused_mask = m;
  if (!fused) fused_mask.threshold = 0;
  int x_stride;
  global const float *x = input_of_layer(j, i, w->x, &x_stride);
  if (listed != TERMS_NOT_LISTED) find_forward_terms(j, s, w, i, listed, x, x_stride);
  dense_forward_block(c, l->in, l->out, x, x_stride, l->weight.value, l->weight.stride, j->with_bias, l->bias.value,
                      l->bias.stride, hidden && fused, &fused_mask, listed, w->found, fused ? l->y : l->z,
                      fused ? l->y_stride : l->z_stride);
  if (!fused) activation_forward(j, s, l, &m, c);
}

/* Whether layer i's input has a gradient, which is made from the transpose of d_y. */
TILE_FUNCTION bool needs_transpose(const job *j, const step_rows *s, int i) {
  return i > 0 && FROM_TRANSPOSE(s->rows, j->layers[i].out);
}

/* The transpose of layer i's d_y in rows [row, row_end) and panels [panel, panel_end), where it is needed. */
TILE_FUNCTION void transpose_gradient(const job *j, const step_rows *s, int i, int row, int row_end, int panel,
                                      int panel_end) {
  const layer *l = &j->layers[i];
  if (!needs_transpose(j, s, i)) return;
  for (; panel < panel_end; panel++)
    for (int block = row / PANEL; block < PANELS(row_end); block++)
      transpose_block(l->d_y, l->d_y_stride, block, panel, l->d_y_t, l->d_y_t_stride);
}

TILE_FUNCTION void loss_of_rows(const job *j, const step_rows *s, const block *c) {
  const int last = j->layers_count - 1;
  loss_batch b;
  loss_of_step(j, s, &b);
#if TARGETS
  for (int row = c->row; row < min(s->rows, c->row_end); row++) target_loss_row(&b, row, 0);
#else
  for (int row = c->row; row < c->row_end; row += PANEL) cross_entropy_block(&b, row, 0);
#endif
  transpose_gradient(j, s, last, c->row, c->row_end, 0, PANELS(j->layers[last].out));
}

/* What follows the product of the gradient of a hidden layer's output, whose rows c->panel counts by 16, where that is
 * not fused; and its transpose. */
OUTLINED_FUNCTION void activation_backward(const job *j, const step_rows *s, int i, const block *c) {
  const layer *l = &j->layers[i];
  const int end = min(s->rows, c->panel_end * PANEL);
  mask m;
  mask_of_layer(j, s, i, &m);
  for (int panel = c->row / PANEL; panel < PANELS(c->row_end); panel++)
    for (int row = c->panel * PANEL; row < end; row += MASK_ROWS)
      activation_backward_lines(j->activation, &m, row, min(MASK_ROWS, end - row), panel, l->out, l->z, l->z_stride,
                                l->d_y, l->d_y_stride, l->d_y, l->d_y_stride);
  transpose_gradient(j, s, i, c->panel * PANEL, c->panel_end * PANEL, c->row / PANEL, PANELS(c->row_end));
}

TILE_FUNCTION void backward_input(const job *j, const step_rows *s, int i, const block *c) {
  const layer *l = &j->layers[i], *below = &j->layers[i - 1];
  const bool fused = j->activation == ACTIVATION_RELU;
  const input_gradient g = {.rows = s->rows,
                            .in = l->in,
                            .out = l->out,
                            .d_y = l->d_y,
                            .d_y_stride = l->d_y_stride,
                            .d_y_t = l->d_y_t,
                            .d_y_t_stride = l->d_y_t_stride,
                            .weight = l->weight.value,
                            .weight_stride = l->weight.stride,
                            .with_y = fused,
                            .y = below->y,
                            .y_stride = below->y_stride,
                            .scale = j->dropout.scale,
                            .d_x = below->d_y,
                            .d_x_stride = below->d_y_stride,
                            .d_x_t = below->d_y_t,
                            .d_x_t_stride = below->d_y_t_stride,
                            .keep_transpose = fused && needs_transpose(j, s, i - 1)};
  dense_backward_input_block(c, &g);
  if (!fused) activation_backward(j, s, i - 1, c);
}

TILE_FUNCTION void backward_weight(const job *j, const step_rows *s, const worker *w, int i, int listed,
                                   const block *c) {
  const layer *l = &j->layers[i];
  int x_stride;
  global const float *x = input_of_layer(j, i, w->x, &x_stride);
  update_rule rule;
  rule_of_step(j, s, &rule);
  dense_backward_weight_block(c, s->rows, l->in, x, x_stride, l->d_y, l->d_y_stride, listed, w->found, j->room, false,
                              &rule, &l->weight, j->with_bias ? &l->bias : 0, j->flag, j->first_step + (uint)s->number);
}

/* Of rows c->row … c->row_end of the batch all that goes by rows. */
TILE_FUNCTION void there_and_back(const job *j, const step_rows *s, worker *w, const block *c) {
  for (int i = j->by_rows; i < j->layers_count; i++) {
    const block all = {c->row, c->row_end, 0, PANELS(j->layers[i].out)};
    forward(j, s, w, i, TERMS_NOT_LISTED, &all);
  }
  loss_of_rows(j, s, c);
  for (int i = j->layers_count - 1; i >= max(1, j->by_rows); i--) {
    const block all = {0, j->layers[i].in, c->row / PANEL, PANELS(c->row_end)};
    backward_input(j, s, i, &all);
  }
}

TILE_FUNCTION void run_block(const job *j, const step_rows *s, worker *w, const phase *p, const block *c) {
  const bool needs_rows = p->layer == 0 && p->kind != BACKWARD_INPUT;
  if (needs_rows && w->gathered != s->number) gather_rows(j, s, w);
  switch (p->kind) {
    case FORWARD: forward(j, s, w, p->layer, p->listed, c); break;
    case ROWS: there_and_back(j, s, w, c); break;
    case BACKWARD_INPUT: backward_input(j, s, p->layer, c); break;
    case UPDATE: backward_weight(j, s, w, p->layer, p->listed, c); break;
  }
}

/* The next piece of a share in phase `number`, or -1 when all `pieces` have been begun. */
static inline int claim(global volatile uint *claims, uint number, int pieces) {
  for (;;) {
    uint seen = *claims, phase = seen >> 8;
    uint begun = phase == number ? seen & 255u : 0;
    if (phase > number || (int)begun >= pieces) return -1;
    if (atomic_cmpxchg(claims, seen, (number << 8) + begun + 1) == seen) return (int)begun;
  }
}

/* A work-item in phase `number`, which ends with `end` units done since the start: does its share and helps others. A
 * lone one asks nobody. */
TILE_FUNCTION void run_phase(const job *j, const step_rows *s, worker *w, const phase *p, uint number, uint end,
                             global volatile uint *progress) {
  const block all = {0, p->heights, 0, WIDTHS(p->panels)};
  const bool alone = w->workers == 1;
  uint done = 0;
  for (int i = 0; i < w->workers && (i == 0 || *progress + done < end); i++) {
    int owner = w->me + i < w->workers ? w->me + i : w->me + i - w->workers;
    const block part = cut_block(all, p->share_panels, owner, w->workers);
    if (is_empty(&part)) continue;
    const int least = p->kind == FORWARD && p->listed == TERMS_OF_ROWS ? LISTED_PANELS / TILE_PANELS : 1;
    int pieces =
        min(PIECES_MAX, p->cut_panels ? max(1, (part.panel_end - part.panel) / least) : part.row_end - part.row);
    if (alone) pieces = 1;
    for (int next = 0, piece; next < pieces; next = piece + 1) {
      piece = alone ? next : claim(progress + PROGRESS_OF(owner), number, pieces);
      if (piece < 0) break;
      const block units = cut_block(part, p->cut_panels, piece, pieces);
      const block c = block_of_units(units, p->unit_rows, p->rows, p->panels);
      done += (uint)((units.row_end - units.row) * (units.panel_end - units.panel));
      run_block(j, s, w, p, &c);
    }
  }
  if (alone || done == 0) return;
  mem_fence(CLK_GLOBAL_MEM_FENCE);
  atomic_add(progress, done);
}

/* Stands between seeing that others are done and reading what they wrote: to PoCL mem_fence() means nothing, which is
 * enough on x86 alone. */
#if defined(__aarch64__) || defined(__arm__) || defined(__riscv) || defined(__powerpc__)
#define SEE_OTHERS() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#else
#define SEE_OTHERS() mem_fence(CLK_GLOBAL_MEM_FENCE)
#endif

/* A work-item in all steps of the launch. */
OUTLINED_FUNCTION void run_steps(const job *j, int steps, worker *w, global volatile uint *progress) {
  uint number = 0, end_of_phase = 0;
  for (int i = 0; i < steps; i++) {
    const step_rows s = step_begin(j, i);
    for (int next = 0; next < PHASES(j); next++) {
      const phase p = phase_of_step(j, next, s.rows, w->workers);
      if (p.panels == 0) continue;
      while (w->workers > 1 && p.waits && *progress < end_of_phase) continue;
      SEE_OTHERS();
      end_of_phase += (uint)(p.heights * WIDTHS(p.panels));
      run_phase(j, &s, w, &p, ++number, end_of_phase, progress);
    }
  }
}

kernel void STEPS_KERNEL(JOB_PARAMETERS) {
  const job j = JOB_FROM_PARAMETERS;
  const size_t me = get_global_id(0);
  worker w = {(int)me,
              (int)get_global_size(0),
              -1,
              -1,
              x + me * line_index(PANELS(width), x_stride, 0),
              found + me * (size_t)room};
  run_steps(&j, steps, &w, progress);
}
