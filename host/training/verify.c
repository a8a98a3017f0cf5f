/* Steps that are taken twice: on the trainer's device, and by a twin of the trainer on the reference, from the same
 * parameters, optimiser state, rows and mask. Whatever a device gets wrong while it trains shows at once. */
#include "training/verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "context/trial.h"
#include "training/trainer.h"

/* What a step changes, layer by layer; a layer may lack some of them. */
static const struct {
  const char *name;
  size_t offset;
} kept[] = {{"weight", offsetof(step_layer, weight)},
            {"bias", offsetof(step_layer, bias)},
            {"velocity of weight", offsetof(step_layer, weight_velocity)},
            {"velocity of bias", offsetof(step_layer, bias_velocity)},
            {"mean square of weight", offsetof(step_layer, weight_rms)},
            {"mean square of bias", offsetof(step_layer, bias_rms)}};
enum { KEPT_COUNT = sizeof kept / sizeof *kept };

struct step_verifier {
  uint64_t every;
  mlp_cl_context *reference;
  mlp_cl_network *network;
  mlp_cl_trainer *twin;
  size_t epoch;        /* whose order the twin has */
  float *got, *wanted; /* room for the largest tensor */
};

static tensor *kept_tensor(const mlp_cl_trainer *t, size_t layer, size_t i) {
  return *(tensor *const *)((const char *)&t->plan.layers[layer] + kept[i].offset);
}

/* ---- Making the twin -------------------------------------------------------------------------------------------- */

static mlp_cl_status create_room(step_verifier *v, mlp_cl_error *error) {
  size_t most = 0;
  for (size_t layer = 0; layer < v->twin->plan.layers_count; layer++) {
    const tensor *weight = v->twin->plan.layers[layer].weight;
    most = size_max(most, weight->rows * weight->cols);
  }
  v->got = malloc(most * sizeof *v->got);
  v->wanted = malloc(most * sizeof *v->wanted);
  if (v->got != NULL && v->wanted != NULL) return MLP_CL_OK;
  return fail_memory(error, 2 * most * sizeof *v->got, "the comparison of a layer");
}

static mlp_cl_status build(step_verifier *v, const mlp_cl_trainer *t, mlp_cl_error *error) {
  TRY(mlp_cl_context_create("reference", NULL, &v->reference, error));
  TRY(network_create_like(v->reference, t->network, &v->network, error));
  mlp_cl_recipe recipe = t->recipe;
  recipe.patience = 0; /* when to stop is the trainer's to say */
  TRY(mlp_cl_trainer_create(v->network, t->train, NULL, &recipe, &v->twin, error));
  return create_room(v, error);
}

void step_verifier_destroy(step_verifier *v) {
  if (v == NULL) return;
  mlp_cl_trainer_destroy(v->twin);
  mlp_cl_network_destroy(v->network);
  mlp_cl_context_destroy(v->reference);
  free(v->got);
  free(v->wanted);
  free(v);
}

mlp_cl_status mlp_cl_trainer_verify_every(mlp_cl_trainer *trainer, uint64_t steps, mlp_cl_error *error) {
  if (trainer == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the trainer is NULL");
  step_verifier *created = NULL;
  if (steps > 0) {
    created = calloc(1, sizeof *created);
    if (created == NULL) return fail_memory(error, sizeof *created, "a verifier of steps");
    created->every = steps;
    mlp_cl_status status = build(created, trainer, error);
    if (status != MLP_CL_OK) {
      step_verifier_destroy(created);
      return status;
    }
  }
  step_verifier_destroy(trainer->verifier);
  trainer->verifier = created;
  return MLP_CL_OK;
}

/* ---- A step, twice ---------------------------------------------------------------------------------------------- */

/* The twin gets the device's parameters and state, and the order of its epoch. */
static mlp_cl_status follow(step_verifier *v, const mlp_cl_trainer *t, mlp_cl_error *error) {
  backend *from = t->network->backend, *to = v->network->backend;
  for (size_t layer = 0; layer < t->plan.layers_count; layer++)
    for (size_t i = 0; i < KEPT_COUNT; i++) {
      const tensor *original = kept_tensor(t, layer, i);
      if (original == NULL) continue;
      TRY(from->op->tensor_read(from, original, 0, original->rows, v->got, error));
      TRY(to->op->tensor_write(to, kept_tensor(v->twin, layer, i), 0, original->rows, v->got, error));
    }
  v->twin->step = t->step;
  if (v->epoch == trainer_epoch(t)) return MLP_CL_OK;
  v->epoch = trainer_epoch(t);
  return trainer_prepare_order(v->twin, v->epoch, error);
}

static mlp_cl_status fail_difference(const mlp_cl_trainer *t, size_t layer, size_t i, const trial_result *difference,
                                     mlp_cl_error *error) {
  float got, wanted;
  memcpy(&got, &difference->got, sizeof got);
  memcpy(&wanted, &difference->wanted, sizeof wanted);
  size_t cols = kept_tensor(t, layer, i)->cols;
  return fail(error, MLP_CL_MISMATCH,
              "step %llu of the run (epoch %zu) went wrong: %s (%zu, %zu) of layer %zu is %08x (%.9g) on %s, where the "
              "reference has %08x (%.9g); %llu of %llu values differ: the device, its driver or its memory is faulty, "
              "and what was trained is not to be trusted; 'mlp_cl validate' tests the device",
              (unsigned long long)t->step, (size_t)((t->step - 1) / t->parts.epoch_steps) + 1, kept[i].name,
              difference->index / cols, difference->index % cols, layer, (unsigned)difference->got, (double)got,
              t->network->backend->device.name, (unsigned)difference->wanted, (double)wanted,
              (unsigned long long)difference->mismatches, (unsigned long long)difference->elements);
}

/* Which NaN it is, is outside the contract; a run in which one arises has its flag. */
static void unify_nans(float *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (isnan(values[i])) values[i] = NAN;
}

static mlp_cl_status compare(step_verifier *v, const mlp_cl_trainer *t, mlp_cl_error *error) {
  backend *device = t->network->backend, *reference = v->network->backend;
  for (size_t layer = 0; layer < t->plan.layers_count; layer++)
    for (size_t i = 0; i < KEPT_COUNT; i++) {
      const tensor *tested = kept_tensor(t, layer, i);
      if (tested == NULL) continue;
      size_t count = tested->rows * tested->cols;
      TRY(device->op->tensor_read(device, tested, 0, tested->rows, v->got, error));
      TRY(reference->op->tensor_read(reference, kept_tensor(v->twin, layer, i), 0, tested->rows, v->wanted, error));
      unify_nans(v->got, count);
      unify_nans(v->wanted, count);
      trial_result result = {0};
      trial_compare_words((const uint32_t *)(const void *)v->got, (const uint32_t *)(const void *)v->wanted, count,
                          &result);
      if (result.mismatches > 0) return fail_difference(t, layer, i, &result, error);
    }
  return MLP_CL_OK;
}

/* Whether both say that a value is not finite: then the words of the others are outside the contract. */
static bool both_diverged(mlp_cl_trainer *t, mlp_cl_trainer *twin) {
  return trainer_check_flag(t, NULL) == MLP_CL_DIVERGED && trainer_check_flag(twin, NULL) == MLP_CL_DIVERGED;
}

static mlp_cl_status verify_step(mlp_cl_trainer *t, mlp_cl_error *error) {
  step_verifier *v = t->verifier;
  TRY(follow(v, t, error));
  TRY(trainer_enqueue(t, 1, error));
  TRY(trainer_enqueue(v->twin, 1, error));
  v->epoch = trainer_epoch(v->twin); /* the end of an epoch prepares the next */
  return both_diverged(t, v->twin) ? trainer_check_flag(t, error) : compare(v, t, error);
}

mlp_cl_status verify_advance(mlp_cl_trainer *t, uint64_t steps, mlp_cl_error *error) {
  while (steps > 0) {
    uint64_t every = t->verifier->every, before = every - 1 - t->step % every;
    if (before >= steps) return trainer_enqueue(t, steps, error);
    if (before > 0) TRY(trainer_enqueue(t, before, error));
    TRY(verify_step(t, error));
    steps -= before + 1;
  }
  return MLP_CL_OK;
}
