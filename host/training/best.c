#include "training/best.h"

#include <stdlib.h>

mlp_cl_status best_create(mlp_cl_trainer *t, mlp_cl_error *error) {
  size_t layers = t->network->layers_count;
  if (t->recipe.patience == 0) return MLP_CL_OK;
  t->best = calloc(layers, sizeof *t->best);
  if (t->best == NULL) return fail_memory(error, layers * sizeof *t->best, "the list of the best parameters");
  for (size_t i = 0; i < layers; i++) {
    const network_layer *layer = &t->network->layers[i];
    t->best[i].weight = tensor_set_add_zeroed(&t->tensors, TENSOR_STATE, layer->in, layer->out);
    if (layer->bias != NULL) t->best[i].bias = tensor_set_add_zeroed(&t->tensors, TENSOR_STATE, 1, layer->out);
  }
  return t->tensors.status;
}

static const mlp_cl_event *best_event(const mlp_cl_trainer *t) {
  const epoch_history *h = &t->history;
  if (t->best == NULL || h->count == 0) return NULL;
  return &h->epochs[history_best(h)];
}

uint32_t best_epoch(const mlp_cl_trainer *t) {
  const mlp_cl_event *best = best_event(t);
  return best != NULL ? best->epoch : 0;
}

static mlp_cl_status copy(mlp_cl_trainer *t, bool restore, mlp_cl_error *error) {
  backend *on = t->network->backend;
  for (size_t i = 0; i < t->network->layers_count; i++) {
    const network_layer *layer = &t->network->layers[i];
    const best_layer *best = &t->best[i];
    TRY(on->op->tensor_copy(on, restore ? best->weight : layer->weight, restore ? layer->weight : best->weight, error));
    if (layer->bias == NULL) continue;
    TRY(on->op->tensor_copy(on, restore ? best->bias : layer->bias, restore ? layer->bias : best->bias, error));
  }
  return MLP_CL_OK;
}

mlp_cl_status best_keep(mlp_cl_trainer *t, mlp_cl_error *error) {
  const mlp_cl_event *best = best_event(t);
  return best != NULL && best == &t->history.epochs[t->history.count - 1] ? copy(t, false, error) : MLP_CL_OK;
}

bool best_is_long_ago(const mlp_cl_trainer *t) {
  const mlp_cl_event *best = best_event(t);
  return best != NULL && t->history.epochs[t->history.count - 1].epoch - best->epoch >= t->recipe.patience;
}

mlp_cl_status best_restore(mlp_cl_trainer *t, mlp_cl_error *error) {
  if (best_event(t) == NULL) return MLP_CL_OK;
  t->network->changes++;
  return copy(t, true, error);
}
