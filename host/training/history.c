/* The metrics of a run's epochs; see trainer.h. */
#include <stdlib.h>
#include <string.h>

#include "training/trainer.h"

/* A run of a million epochs keeps its checkpoints small. */
enum { EPOCHS_MAX = 10000 };

size_t history_best(const epoch_history *history) {
  size_t best = 0;
  for (size_t i = 1; i < history->count; i++)
    if (history->epochs[i].test_loss < history->epochs[best].test_loss) best = i;
  return best;
}

/* The oldest goes, but for the best: early stopping asks for it however long ago it was. */
static void drop_epoch(epoch_history *h) {
  size_t oldest = history_best(h) == 0 && h->epochs[0].has_test ? 1 : 0;
  memmove(h->epochs + oldest, h->epochs + oldest + 1, (--h->count - oldest) * sizeof *h->epochs);
}

mlp_cl_status history_add(epoch_history *history, const mlp_cl_event *epoch, mlp_cl_error *error) {
  if (history->count == EPOCHS_MAX) drop_epoch(history);
  if (history->count == history->room) {
    size_t room = history->room == 0 ? 32 : 2 * history->room;
    mlp_cl_event *grown = realloc(history->epochs, room * sizeof *grown);
    if (grown == NULL) return fail_memory(error, room * sizeof *grown, "the metrics of epochs");
    history->epochs = grown;
    history->room = room;
  }
  history->epochs[history->count++] = *epoch;
  return MLP_CL_OK;
}

void history_release(epoch_history *history) {
  free(history->epochs);
  *history = (epoch_history){0};
}
