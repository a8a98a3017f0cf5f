#include "training/plan.h"

#include <stdlib.h>

#include "context/context.h"

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

mlp_cl_status plan_check(const mlp_cl_network *network, const mlp_cl_recipe *recipe, size_t rows, recipe_parts *parts,
                         mlp_cl_error *error) {
  TRY(check_terms(network, recipe, error));
  TRY(recipe_read(recipe, rows, network_outputs(network), parts, error));
  return prove_operations(network->context, recipe, parts, error);
}

static void add_gradients(tensor_set *set, step_layer *layer) {
  layer->d_weight = tensor_set_add(set, TENSOR_GRADIENT, TENSOR_FLOAT32, layer->in, layer->out, NULL);
  if (layer->bias != NULL) layer->d_bias = tensor_set_add(set, TENSOR_GRADIENT, TENSOR_FLOAT32, 1, layer->out, NULL);
}

static void add_layer(step_plan *plan, size_t i, const network_layer *from, tensor_set *set) {
  step_layer *layer = &plan->layers[i];
  bool adaptive = plan->optimiser != MLP_CL_SGD, velocity = adaptive || plan->update.momentum != 0.0f;
  *layer = (step_layer){.in = from->in, .out = from->out, .weight = from->weight, .bias = from->bias};
  if (velocity) layer->weight_velocity = tensor_set_add_zeroed(set, TENSOR_STATE, from->in, from->out);
  if (velocity && from->bias != NULL) layer->bias_velocity = tensor_set_add_zeroed(set, TENSOR_STATE, 1, from->out);
  if (adaptive) layer->weight_rms = tensor_set_add_zeroed(set, TENSOR_STATE, from->in, from->out);
  if (adaptive && from->bias != NULL) layer->bias_rms = tensor_set_add_zeroed(set, TENSOR_STATE, 1, from->out);
  if (step_plan_stores_gradients(set->backend, plan)) add_gradients(set, layer);
  if (i + 1 < plan->layers_count && plan->activation != MLP_CL_RELU)
    layer->z = tensor_set_add(set, TENSOR_ACTIVATION, TENSOR_FLOAT32, plan->batch, from->out, NULL);
  layer->y = tensor_set_add(set, TENSOR_ACTIVATION, TENSOR_FLOAT32, plan->batch, from->out, NULL);
  layer->d_y = tensor_set_add(set, TENSOR_GRADIENT, TENSOR_FLOAT32, plan->batch, from->out, NULL);
}

static void add_tensors(step_plan *plan, const mlp_cl_network *network, const mlp_cl_recipe *recipe, tensor_set *set) {
  static const int32_t no_step = -1;
  size_t width = network_inputs(network), weights = recipe->class_weights_count;
  plan->flag = tensor_set_add(set, TENSOR_PLAIN, TENSOR_INT32, 1, 1, &no_step);
  plan->x = tensor_set_add(set, TENSOR_ACTIVATION, TENSOR_FLOAT32, plan->batch, width, NULL);
  if (plan->task == MLP_CL_CLASSIFICATION && network_outputs(network) <= set->backend->classes_ahead)
    plan->x_ahead = tensor_set_add(set, TENSOR_ACTIVATION, TENSOR_FLOAT32, plan->batch, width, NULL);
  for (size_t i = 0; i < plan->layers_count; i++) add_layer(plan, i, &network->layers[i], set);
  if (plan->clip_norm > 0.0f) plan->squares = tensor_set_add_zeroed(set, TENSOR_PLAIN, 1, 2 * plan->layers_count);
  if (weights > 0)
    plan->terms.weights = tensor_set_add(set, TENSOR_PLAIN, TENSOR_FLOAT32, 1, weights, recipe->class_weights);
}

mlp_cl_status plan_begin(step_plan *plan, const mlp_cl_network *network, const mlp_cl_recipe *recipe,
                         const recipe_parts *parts, const row_tensors *answers, tensor_set *set, mlp_cl_error *error) {
  *plan = (step_plan){.layers_count = network->layers_count,
                      .batch = parts->batch,
                      .activation = network->activation,
                      .task = network->task,
                      .labels = answers->labels,
                      .targets = answers->targets,
                      .losses = answers->losses,
                      .predictions = answers->predictions,
                      .scores = answers->scores,
                      .source_scale = 1.0f,
                      .optimiser = recipe->optimiser,
                      .update = parts->update,
                      .adam = parts->adam,
                      .clip_norm = parts->clip_norm,
                      .has_terms = parts->has_terms,
                      .terms = {.smoothing = recipe->label_smoothing},
                      .dropout = parts->mask,
                      .mean = recipe->reduction == MLP_CL_MEAN};
  plan->layers = calloc(plan->layers_count, sizeof *plan->layers);
  if (plan->layers == NULL)
    return fail_memory(error, plan->layers_count * sizeof *plan->layers, "the layers of a step");
  add_tensors(plan, network, recipe, set);
  return MLP_CL_OK;
}

void plan_end(step_plan *plan) {
  free(plan->layers);
  plan->layers = NULL;
}
