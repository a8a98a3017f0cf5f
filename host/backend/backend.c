/* What both backends share. */
#include "backend/backend.h"

#include <stdio.h>
#include <string.h>

size_t tensor_element_bytes(tensor_element element) {
  switch (element) {
    case TENSOR_UINT8:
    case TENSOR_INT8: return 1;
    case TENSOR_INT16: return 2;
    case TENSOR_FLOAT32:
    case TENSOR_INT32: return 4;
  }
  return 0;
}

mlp_cl_status output_layer_by_parts(backend *self, const output_layer *o, mlp_cl_error *error) {
  TRY(self->op->dense_forward(self, &o->forward, error));
  TRY(self->op->cross_entropy(self, &o->loss, error));
  if (o->has_below) TRY(self->op->dense_backward_input(self, &o->backward, error));
  return o->ahead != NULL ? self->op->gather(self, o->ahead, error) : MLP_CL_OK;
}

void refuse_steps(backend *on, step_kind kind, const char *reason) {
  on->steps_proven[kind] = false;
  on->steps_refused[kind] = true;
  if (reason == NULL || on->steps_refusal[0] != '\0') return;
  snprintf(on->steps_refusal, sizeof on->steps_refusal, "%.*s", (int)strcspn(reason, "\n"), reason);
}
