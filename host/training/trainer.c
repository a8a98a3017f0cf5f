/* A trainer's tensors and its way through the steps. */
#include "training/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bulk.h"
#include "base/finite.h"
#include "base/size.h"
#include "context/context.h"
#include "data/dataset.h"
#include "network/step.h"
#include "training/best.h"
#include "training/checkpoint.h"
#include "training/plan.h"
#include "training/schedule.h"
#include "training/shuffle.h"
#include "training/verify.h"

static void add_rows(mlp_cl_trainer *t) {
  const mlp_cl_dataset *data = t->train;
  tensor_set *set = &t->tensors;
  if (t->feed.data == NULL)
    t->plan.source =
        tensor_set_share_or_add(set, (tensor_element)data->element, data->rows, data->width, data->features);
  for (size_t i = 0; i < 2 && !t->recipe.no_shuffle; i++)
    t->orders[i].uploaded = tensor_set_add(set, TENSOR_PLAIN, TENSOR_INT32, 1, data->rows, NULL);
}

/* The recipe's class weights become the trainer's own. */
static mlp_cl_status copy_class_weights(mlp_cl_trainer *t, mlp_cl_error *error) {
  size_t count = t->recipe.class_weights_count, bytes = count * sizeof *t->class_weights;
  if (count == 0) return MLP_CL_OK;
  t->class_weights = malloc(bytes);
  if (t->class_weights == NULL) return fail_memory(error, bytes, "the weights of classes");
  memcpy(t->class_weights, t->recipe.class_weights, bytes);
  t->recipe.class_weights = t->class_weights;
  return MLP_CL_OK;
}

static mlp_cl_status add_host_memory(mlp_cl_trainer *t, mlp_cl_error *error) {
  size_t rows = t->train->rows;
  TRY(copy_class_weights(t, error));
  TRY(row_metrics_create(t->network->task, rows, &t->metrics, error));
  bool complete = true;
  for (size_t i = 0; i < 2 && !t->recipe.no_shuffle; i++) {
    t->orders[i].rows = malloc(rows * sizeof *t->orders[i].rows);
    complete = complete && t->orders[i].rows != NULL;
  }
  return complete ? MLP_CL_OK : fail_memory(error, 2 * rows * sizeof(float), "an epoch's order");
}

mlp_cl_status trainer_prepare_order(mlp_cl_trainer *t, size_t epoch, mlp_cl_error *error) {
  row_feed_rewind(&t->feed);
  if (t->recipe.no_shuffle || epoch >= t->recipe.epochs) return MLP_CL_OK;
  epoch_order *order = &t->orders[epoch % 2];
  shuffle_rows(t->recipe.seed, (uint32_t)epoch, t->train->rows, order->rows);
  return t->network->backend->op->tensor_send(t->network->backend, order->uploaded, 0, 1, order->rows, error);
}

static mlp_cl_status build(mlp_cl_trainer *t, const mlp_cl_dataset *test, mlp_cl_error *error) {
  t->spread = targets_spread(t->train);
  tensor_set_begin(&t->tensors, t->network->backend, error);
  TRY(add_host_memory(t, error));
  if (row_feed_is_needed(t->network->backend, t->train)) {
    if (!t->recipe.no_shuffle) bulk_expect_random(t->train->features);
    TRY(row_feed_begin(&t->feed, t->train, t->parts.batch, &t->tensors, error));
  }
  t->answers = row_tensors_add(&t->tensors, t->network->task, t->train);
  TRY(plan_begin(&t->plan, t->network, &t->recipe, &t->parts, &t->answers, &t->tensors, error));
  t->plan.source_scale = t->train->scale;
  t->plan.zeros =
      zeros_together((tensor_element)t->train->element, t->train->features, t->train->rows, t->train->width);
  add_rows(t);
  TRY(t->tensors.status);
  TRY(best_create(t, error));
  bool resident = test != NULL && !row_feed_is_needed(t->network->backend, test);
  if (test != NULL) TRY(evaluator_begin(&t->test, t->network, test, resident, error));
  t->has_test = test != NULL;
  return trainer_prepare_order(t, 0, error);
}

static mlp_cl_status check(const mlp_cl_network *network, const mlp_cl_dataset *train, const mlp_cl_dataset *test,
                           mlp_cl_error *error) {
  TRY(network_check_answers(network, train, "the training data", error));
  return test == NULL ? MLP_CL_OK : network_check_answers(network, test, "the test data", error);
}

/* Rows that are streamed go a chunk at a time. */
static void prove_steps(const mlp_cl_trainer *t) {
  if (t->feed.data == NULL) context_prove_steps(t->network->context, &t->plan, false);
}

mlp_cl_status mlp_cl_trainer_create(mlp_cl_network *network, const mlp_cl_dataset *train, const mlp_cl_dataset *test,
                                    const mlp_cl_recipe *recipe, mlp_cl_trainer **trainer, mlp_cl_error *error) {
  if (trainer == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "trainer is NULL: pass where to put it");
  *trainer = NULL;
  if (network == NULL || train == NULL || recipe == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "network, training data or recipe is NULL");
  TRY(check(network, train, test, error));
  recipe_parts parts;
  TRY(plan_check(network, recipe, train->rows, &parts, error));
  if (recipe->patience > 0 && test == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "patience is %lu and there is no test data to watch: hold some out, or take a patience of 0",
                (unsigned long)recipe->patience);
  mlp_cl_trainer *created = calloc(1, sizeof *created);
  if (created == NULL) return fail_memory(error, sizeof *created, "a trainer");
  created->network = network;
  created->train = train;
  created->recipe = *recipe;
  created->parts = parts;
  mlp_cl_status status = build(created, test, error);
  if (status == MLP_CL_OK) prove_steps(created);
  if (status != MLP_CL_OK) {
    mlp_cl_trainer_destroy(created);
    return status;
  }
  *trainer = created;
  return MLP_CL_OK;
}

void mlp_cl_trainer_destroy(mlp_cl_trainer *trainer) {
  if (trainer == NULL) return;
  backend *on = trainer->network->backend;
  (void)on->op->finish(on, NULL); /* rows and orders may be on their way to the device */
  step_verifier_destroy(trainer->verifier);
  checkpoint_schedule_end(&trainer->checkpoints);
  history_release(&trainer->history);
  evaluator_end(&trainer->test);
  (void)tensor_set_end(&trainer->tensors);
  row_feed_end(&trainer->feed);
  for (size_t i = 0; i < 2; i++) free(trainer->orders[i].rows);
  free(trainer->best);
  free(trainer->class_weights);
  plan_end(&trainer->plan);
  row_metrics_destroy(&trainer->metrics);
  free(trainer);
}

/* Runs the steps of the range, a chunk of rows at a time where they are streamed. */
static mlp_cl_status advance(mlp_cl_trainer *t, const uint32_t *order, step_range left, mlp_cl_error *error) {
  backend *on = t->network->backend;
  size_t end = left.end;
  while (left.first < end) {
    left.end = end;
    if (t->feed.data != NULL) {
      TRY(row_feed_reach(&t->feed, on, order, left.first, &t->plan, &left.end, error));
      left.end = size_min(left.end, end);
    }
    TRY(run_steps(on, &t->plan, &left, error));
    left.step += (uint32_t)size_divide_up(left.end - left.first, t->parts.batch);
    left.first = left.end;
  }
  return MLP_CL_OK;
}

mlp_cl_status trainer_advance(mlp_cl_trainer *t, uint64_t steps, mlp_cl_error *error) {
  return t->verifier != NULL ? verify_advance(t, steps, error) : trainer_enqueue(t, steps, error);
}

mlp_cl_status trainer_enqueue(mlp_cl_trainer *t, uint64_t steps, mlp_cl_error *error) {
  size_t epoch = trainer_epoch(t);
  size_t in_epoch = (size_t)(t->step % t->parts.epoch_steps);
  const epoch_order *order = &t->orders[epoch % 2];
  t->plan.order = order->uploaded;
  t->network->changes++;
  prove_steps(t);
  for (uint64_t end = t->step + steps; t->step < end;) {
    bool single = schedule_warms_up(&t->recipe, t->parts.epoch_steps, t->step);
    uint64_t count = single ? 1 : end - t->step;
    float rate = schedule_rate(&t->recipe, t->parts.epoch_steps, t->step);
    t->plan.update.learning_rate = t->plan.adam.learning_rate = rate;
    step_range range = {.first = in_epoch * t->parts.batch,
                        .end = size_min(t->train->rows, (in_epoch + (size_t)count) * t->parts.batch),
                        .step = (uint32_t)t->step};
    TRY(advance(t, order->rows, range, error));
    t->step += count;
    in_epoch += (size_t)count;
  }
  if (trainer_epoch(t) == epoch) return MLP_CL_OK;
  return trainer_prepare_order(t, epoch + 1, error); /* while the device still works on this epoch */
}

mlp_cl_status trainer_read_metrics(mlp_cl_trainer *t, mlp_cl_error *error) {
  return row_metrics_read(t->network->backend, &t->answers, &t->metrics, error);
}

/* Whether all values are; also when they cannot be read. */
static bool is_finite(backend *on, const tensor *parameter) {
  size_t count = parameter->rows * parameter->cols;
  float *values = malloc(count * sizeof *values);
  bool read = values != NULL && on->op->tensor_read(on, parameter, 0, parameter->rows, values, NULL) == MLP_CL_OK;
  bool finite = !read || finite_count(values, count) == count;
  free(values);
  return finite;
}

/* The first layer with a parameter that is not finite, if there is one: "a weight of layer 1". */
static void find_place(mlp_cl_trainer *t, char place[64]) {
  for (size_t i = 0; i < t->network->layers_count; i++) {
    const network_layer *layer = &t->network->layers[i];
    bool weight = !is_finite(t->network->backend, layer->weight);
    if (!weight && (layer->bias == NULL || is_finite(t->network->backend, layer->bias))) continue;
    snprintf(place, 64, "a %s of layer %zu", weight ? "weight" : "bias", i);
    return;
  }
}

mlp_cl_status trainer_check_flag(mlp_cl_trainer *t, mlp_cl_error *error) {
  uint32_t step;
  TRY(t->network->backend->op->tensor_read(t->network->backend, t->plan.flag, 0, 1, &step, error));
  if (step == UINT32_MAX) return MLP_CL_OK;
  char place[64] = "the loss, with finite parameters,";
  find_place(t, place);
  return fail(
      error, MLP_CL_DIVERGED,
      "training diverged in epoch %zu at step %lu of the run: %s is not finite; lower the learning rate (%g), or "
      "check the data: values far above 1 want to be scaled",
      step / t->parts.epoch_steps + 1, (unsigned long)step + 1, place, (double)t->recipe.learning_rate);
}

mlp_cl_status mlp_cl_trainer_steps(mlp_cl_trainer *trainer, uint64_t steps, uint64_t *done, mlp_cl_error *error) {
  uint64_t taken = 0;
  mlp_cl_status status = MLP_CL_OK;
  if (trainer == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the trainer is NULL");
  while (status == MLP_CL_OK && taken < steps && trainer->step < trainer->parts.steps) {
    uint64_t left = trainer->parts.epoch_steps - trainer->step % trainer->parts.epoch_steps;
    uint64_t count = steps - taken < left ? steps - taken : left;
    status = trainer_advance(trainer, count, error);
    if (status == MLP_CL_OK) taken += count;
  }
  if (done != NULL) *done = taken;
  TRY(status);
  return taken > 0 && trainer->step == trainer->parts.steps ? trainer_check_flag(trainer, error) : MLP_CL_OK;
}
