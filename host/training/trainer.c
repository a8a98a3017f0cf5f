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
#include "training/schedule.h"
#include "training/shuffle.h"
#include "training/verify.h"

static void add_gradients(tensor_set *set, step_layer *layer) {
  layer->d_weight = tensor_set_add(set, TENSOR_GRADIENT, TENSOR_FLOAT32, layer->in, layer->out, NULL);
  if (layer->bias != NULL) layer->d_bias = tensor_set_add(set, TENSOR_GRADIENT, TENSOR_FLOAT32, 1, layer->out, NULL);
}

static void add_layer(mlp_cl_trainer *t, size_t i) {
  const network_layer *from = &t->network->layers[i];
  step_layer *layer = &t->plan.layers[i];
  tensor_set *set = &t->tensors;
  bool adaptive = t->recipe.optimiser != MLP_CL_SGD, velocity = adaptive || t->parts.update.momentum != 0.0f;
  *layer = (step_layer){.in = from->in, .out = from->out, .weight = from->weight, .bias = from->bias};
  if (velocity) layer->weight_velocity = tensor_set_add_zeroed(set, TENSOR_STATE, from->in, from->out);
  if (velocity && from->bias != NULL) layer->bias_velocity = tensor_set_add_zeroed(set, TENSOR_STATE, 1, from->out);
  if (adaptive) layer->weight_rms = tensor_set_add_zeroed(set, TENSOR_STATE, from->in, from->out);
  if (adaptive && from->bias != NULL) layer->bias_rms = tensor_set_add_zeroed(set, TENSOR_STATE, 1, from->out);
  if (step_plan_stores_gradients(t->network->backend, &t->plan)) add_gradients(set, layer);
  if (i + 1 < t->plan.layers_count && t->network->activation != MLP_CL_RELU)
    layer->z = tensor_set_add(set, TENSOR_ACTIVATION, TENSOR_FLOAT32, t->parts.batch, from->out, NULL);
  layer->y = tensor_set_add(set, TENSOR_ACTIVATION, TENSOR_FLOAT32, t->parts.batch, from->out, NULL);
  layer->d_y = tensor_set_add(set, TENSOR_GRADIENT, TENSOR_FLOAT32, t->parts.batch, from->out, NULL);
}

static void add_tensors(mlp_cl_trainer *t) {
  const mlp_cl_dataset *data = t->train;
  tensor_set *set = &t->tensors;
  step_plan *plan = &t->plan;
  static const int32_t no_step = -1;
  if (t->feed.data == NULL)
    plan->source = tensor_set_share_or_add(set, (tensor_element)data->element, data->rows, data->width, data->features);
  for (size_t i = 0; i < 2 && !t->recipe.no_shuffle; i++)
    t->orders[i].uploaded = tensor_set_add(set, TENSOR_PLAIN, TENSOR_INT32, 1, data->rows, NULL);
  t->answers = row_tensors_add(set, plan->task, data);
  plan->losses = t->answers.losses;
  plan->labels = t->answers.labels;
  plan->predictions = t->answers.predictions;
  plan->targets = t->answers.targets;
  plan->scores = t->answers.scores;
  plan->flag = tensor_set_add(set, TENSOR_PLAIN, TENSOR_INT32, 1, 1, &no_step);
  plan->x = tensor_set_add(set, TENSOR_ACTIVATION, TENSOR_FLOAT32, t->parts.batch, data->width, NULL);
  if (plan->task == MLP_CL_CLASSIFICATION && data->classes <= t->network->backend->classes_ahead)
    plan->x_ahead = tensor_set_add(set, TENSOR_ACTIVATION, TENSOR_FLOAT32, t->parts.batch, data->width, NULL);
  for (size_t i = 0; i < plan->layers_count; i++) add_layer(t, i);
  if (plan->clip_norm > 0.0f) plan->squares = tensor_set_add_zeroed(set, TENSOR_PLAIN, 1, 2 * plan->layers_count);
}

/* The recipe's class weights become the trainer's own. */
static mlp_cl_status add_label_terms(mlp_cl_trainer *t, mlp_cl_error *error) {
  size_t count = t->recipe.class_weights_count, bytes = count * sizeof *t->class_weights;
  t->plan.terms.smoothing = t->recipe.label_smoothing;
  if (count == 0) return MLP_CL_OK;
  t->class_weights = malloc(bytes);
  if (t->class_weights == NULL) return fail_memory(error, bytes, "the weights of classes");
  memcpy(t->class_weights, t->recipe.class_weights, bytes);
  t->recipe.class_weights = t->class_weights;
  t->plan.terms.weights = tensor_set_add(&t->tensors, TENSOR_PLAIN, TENSOR_FLOAT32, 1, count, t->class_weights);
  return t->tensors.status;
}

static mlp_cl_status add_host_memory(mlp_cl_trainer *t, mlp_cl_error *error) {
  size_t rows = t->train->rows;
  t->plan.layers = calloc(t->plan.layers_count, sizeof *t->plan.layers);
  TRY(row_metrics_create(t->network->task, rows, &t->metrics, error));
  bool complete = t->plan.layers != NULL;
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
  t->plan = (step_plan){
      .layers_count = t->network->layers_count,
      .batch = t->parts.batch,
      .activation = t->network->activation,
      .task = t->network->task,
      .source_scale = t->train->scale,
      .optimiser = t->recipe.optimiser,
      .update = t->parts.update,
      .adam = t->parts.adam,
      .clip_norm = t->parts.clip_norm,
      .has_terms = t->parts.has_terms,
      .zeros = zeros_together((tensor_element)t->train->element, t->train->features, t->train->rows, t->train->width),
      .dropout = t->parts.mask,
      .mean = t->recipe.reduction == MLP_CL_MEAN};
  t->spread = targets_spread(t->train);
  tensor_set_begin(&t->tensors, t->network->backend, error);
  TRY(add_host_memory(t, error));
  if (row_feed_is_needed(t->network->backend, t->train)) {
    if (!t->recipe.no_shuffle) bulk_expect_random(t->train->features);
    TRY(row_feed_begin(&t->feed, t->train, t->parts.batch, &t->tensors, error));
  }
  add_tensors(t);
  TRY(t->tensors.status);
  TRY(best_create(t, error));
  TRY(add_label_terms(t, error));
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

static mlp_cl_status check_terms(const mlp_cl_network *network, const mlp_cl_recipe *recipe, mlp_cl_error *error) {
  bool has_terms = recipe->class_weights_count > 0 || recipe->label_smoothing != 0.0f;
  if (!has_terms || network->task == MLP_CL_CLASSIFICATION) return MLP_CL_OK;
  return fail(error, MLP_CL_BAD_ARGUMENT, "label_smoothing and class_weights are for classification, not %s",
              mlp_cl_task_name(network->task));
}

/* The gradient's product applies it itself, unless all of them have to be there before; with Adam some backends' do. */
static mlp_cl_status prove_operations(mlp_cl_context *context, const mlp_cl_recipe *recipe, const recipe_parts *parts,
                                      mlp_cl_error *error) {
  bool adaptive = recipe->optimiser != MLP_CL_SGD, clipped = parts->clip_norm > 0.0f;
  if (parts->has_terms) TRY(context_prove(context, "label-terms", error));
  if (adaptive) TRY(context_prove(context, "adam", error));
  if (clipped) TRY(context_prove(context, "clip", error));
  return clipped && !adaptive ? context_prove(context, "sgd", error) : MLP_CL_OK;
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
  TRY(check_terms(network, recipe, error));
  recipe_parts parts;
  TRY(recipe_read(recipe, train->rows, network_outputs(network), &parts, error));
  if (recipe->patience > 0 && test == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT,
                "patience is %lu and there is no test data to watch: hold some out, or take a patience of 0",
                (unsigned long)recipe->patience);
  TRY(prove_operations(network->context, recipe, &parts, error));
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
  free(trainer->plan.layers);
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
