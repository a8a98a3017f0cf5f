#include "training/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "data/dataset.h"

/* Long enough for many steps, short enough for two of them in a small memory. */
static const size_t chunk_bytes = (size_t)16 << 20;

static size_t row_bytes_of(const mlp_cl_dataset *data) {
  return data->width * tensor_element_bytes((tensor_element)data->element);
}

bool stream_is_needed(const backend *on, const mlp_cl_dataset *data) {
  return data->rows > on->resident_bytes / row_bytes_of(data);
}

mlp_cl_status stream_begin(stream *s, const mlp_cl_dataset *data, size_t batch, tensor_set *set, mlp_cl_error *error) {
  size_t row_bytes = row_bytes_of(data);
  size_t limit = size_min(chunk_bytes, (size_t)set->backend->resident_bytes / 2);
  size_t batches = size_max(1, limit / row_bytes / batch);
  *s =
      (stream){.data = data, .batch = batch, .chunk_rows = size_min(batches * batch, size_round_up(data->rows, batch))};
  for (size_t i = 0; i < 2; i++) {
    s->staging[i] = malloc(s->chunk_rows * row_bytes); /* at most the data's own size, and a batch */
    if (s->staging[i] == NULL) return fail_memory(error, s->chunk_rows * row_bytes, "rows on their way to the device");
    s->chunks[i] = tensor_set_add(set, TENSOR_PLAIN, (tensor_element)data->element, s->chunk_rows, data->width, NULL);
  }
  return MLP_CL_OK;
}

void stream_end(stream *s) {
  for (size_t i = 0; i < 2; i++) free(s->staging[i]);
  *s = (stream){.data = NULL};
}

void stream_rewind(stream *s) {
  s->first = s->end = 0;
}

static void gather_rows(const stream *s, const uint32_t *order, size_t first, size_t rows, char *target) {
  const char *features = s->data->features;
  size_t row_bytes = row_bytes_of(s->data);
  if (order == NULL) {
    memcpy(target, features + first * row_bytes, rows * row_bytes);
    return;
  }
  for (size_t i = 0; i < rows; i++)
    memcpy(target + i * row_bytes, features + (size_t)order[first + i] * row_bytes, row_bytes);
}

mlp_cl_status stream_reach(stream *s, backend *on, const uint32_t *order, size_t first, step_plan *plan, size_t *end,
                           mlp_cl_error *error) {
  if (first < s->first || first >= s->end) {
    size_t rows = size_min(s->chunk_rows, s->data->rows - first), next = s->next;
    gather_rows(s, order, first, rows, s->staging[next]);
    TRY(on->op->tensor_send(on, s->chunks[next], 0, rows, s->staging[next], error));
    s->first = first;
    s->end = first + rows;
    s->next = 1 - next;
    plan->source = s->chunks[next];
    plan->streamed = true;
    plan->streamed_first = first;
  }
  *end = s->end;
  return MLP_CL_OK;
}
