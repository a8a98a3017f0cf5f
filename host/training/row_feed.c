#include "training/row_feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "data/dataset.h"

/* Long enough for many steps, short enough for two of them in a small memory. */
static const size_t chunk_bytes = (size_t)16 << 20;

static size_t row_bytes_of(const mlp_cl_dataset *data) {
  return data->width * tensor_element_bytes((tensor_element)data->element);
}

bool row_feed_is_needed(const backend *on, const mlp_cl_dataset *data) {
  return data->rows > on->resident_bytes / row_bytes_of(data);
}

mlp_cl_status row_feed_begin(row_feed *f, const mlp_cl_dataset *data, size_t batch, tensor_set *set,
                             mlp_cl_error *error) {
  size_t row_bytes = row_bytes_of(data);
  size_t limit = size_min(chunk_bytes, (size_t)set->backend->resident_bytes / 2);
  size_t batches = size_max(1, limit / row_bytes / batch);
  *f = (row_feed){
      .data = data, .batch = batch, .chunk_rows = size_min(batches * batch, size_round_up(data->rows, batch))};
  for (size_t i = 0; i < 2; i++) {
    f->staging[i] = malloc(f->chunk_rows * row_bytes); /* at most the data's own size, and a batch */
    if (f->staging[i] == NULL) return fail_memory(error, f->chunk_rows * row_bytes, "rows on their way to the device");
    f->chunks[i] = tensor_set_add(set, TENSOR_PLAIN, (tensor_element)data->element, f->chunk_rows, data->width, NULL);
  }
  return MLP_CL_OK;
}

void row_feed_end(row_feed *f) {
  for (size_t i = 0; i < 2; i++) free(f->staging[i]);
  *f = (row_feed){.data = NULL};
}

void row_feed_rewind(row_feed *f) {
  f->first = f->end = 0;
}

static void gather_rows(const row_feed *f, const uint32_t *order, size_t first, size_t rows, char *target) {
  const char *features = f->data->features;
  size_t row_bytes = row_bytes_of(f->data);
  if (order == NULL) {
    memcpy(target, features + first * row_bytes, rows * row_bytes);
    return;
  }
  for (size_t i = 0; i < rows; i++)
    memcpy(target + i * row_bytes, features + (size_t)order[first + i] * row_bytes, row_bytes);
}

mlp_cl_status row_feed_reach(row_feed *f, backend *on, const uint32_t *order, size_t first, step_plan *plan,
                             size_t *end, mlp_cl_error *error) {
  if (first < f->first || first >= f->end) {
    size_t rows = size_min(f->chunk_rows, f->data->rows - first), next = f->next;
    gather_rows(f, order, first, rows, f->staging[next]);
    TRY(on->op->tensor_send(on, f->chunks[next], 0, rows, f->staging[next], error));
    f->first = first;
    f->end = first + rows;
    f->next = 1 - next;
    plan->source = f->chunks[next];
    plan->streamed = true;
    plan->streamed_first = first;
  }
  *end = f->end;
  return MLP_CL_OK;
}
