/* The metrics of a run's epochs; see trainer.h. */
#include <stdlib.h>
#include <string.h>

#include "training/trainer.h"

/* A run of a million epochs keeps its checkpoints small. */
enum { EPOCHS_MAX = 10000 };

mlp_cl_status history_add(epoch_history *history, const mlp_cl_event *epoch, mlp_cl_error *error) {
  if (history->count == EPOCHS_MAX)
    memmove(history->epochs, history->epochs + 1, --history->count * sizeof *history->epochs);
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
