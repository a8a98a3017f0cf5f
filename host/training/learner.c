/* Steps on batches that the program brings. */
#include <stdlib.h>

#include "backend/hyperparameters.h"
#include "base/finite.h"
#include "context/answers.h"
#include "context/context.h"
#include "data/dataset.h"
#include "network/step.h"
#include "training/plan.h"

struct mlp_cl_learner {
  mlp_cl_network *network;
  mlp_cl_recipe recipe; /* without what it points to */
  size_t batch;         /* rows at most */
  tensor_set tensors;
  step_plan plan;
  tensor *source, *answers; /* (batch, inputs); labels (batch, 1), or targets (batch, outputs) */
  float *losses;            /* (batch), owned */
  tensor *d_x;              /* (batch, inputs); NULL until it is wanted */
  uint32_t step;            /* steps taken */
  size_t rows;              /* of a forward half whose other half is not taken yet; 0: none */
};

/* ---- Making one ------------------------------------------------------------------------------------------------- */

static bool has_labels(const mlp_cl_learner *l) {
  return l->network->task == MLP_CL_CLASSIFICATION;
}

static mlp_cl_status build(mlp_cl_learner *l, const recipe_parts *parts, mlp_cl_error *error) {
  tensor_set *set = &l->tensors;
  tensor_set_begin(set, l->network->backend, error);
  l->losses = calloc(l->batch, sizeof *l->losses);
  if (l->losses == NULL) return fail_memory(error, l->batch * sizeof *l->losses, "the losses of a batch");
  l->source = tensor_set_add(set, TENSOR_PLAIN, TENSOR_FLOAT32, l->batch, network_inputs(l->network), NULL);
  row_tensors answers = row_tensors_begin(set, l->network->task, l->batch);
  if (has_labels(l))
    l->answers = answers.labels = tensor_set_add(set, TENSOR_PLAIN, TENSOR_INT32, l->batch, 1, NULL);
  else
    l->answers = answers.targets =
        tensor_set_add(set, TENSOR_PLAIN, TENSOR_FLOAT32, l->batch, network_outputs(l->network), NULL);
  TRY(plan_begin(&l->plan, l->network, &l->recipe, parts, &answers, set, error));
  l->plan.source = l->source;
  return set->status;
}

mlp_cl_status mlp_cl_learner_create(mlp_cl_network *network, const mlp_cl_recipe *recipe, mlp_cl_learner **learner,
                                    mlp_cl_error *error) {
  if (learner == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "learner is NULL: pass where to put it");
  *learner = NULL;
  if (network == NULL || recipe == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "network or recipe is NULL");
  if (recipe->batch > DATASET_ROWS_MAX)
    return fail(error, MLP_CL_BAD_ARGUMENT, "batch is %lu: give at most %zu", (unsigned long)recipe->batch,
                DATASET_ROWS_MAX);
  mlp_cl_recipe each = *recipe; /* an epoch is a batch, and there is always another */
  each.epochs = 1;
  each.schedule = MLP_CL_CONSTANT;
  each.warmup_epochs = each.patience = 0;
  recipe_parts parts;
  TRY(plan_check(network, &each, each.batch, &parts, error));
  mlp_cl_learner *made = calloc(1, sizeof *made);
  if (made == NULL) return fail_memory(error, sizeof *made, "a learner");
  made->network = network;
  made->recipe = each;
  made->batch = each.batch;
  mlp_cl_status status = build(made, &parts, error);
  if (status != MLP_CL_OK) {
    mlp_cl_learner_destroy(made);
    return status;
  }
  *learner = made;
  return MLP_CL_OK;
}

void mlp_cl_learner_destroy(mlp_cl_learner *l) {
  if (l == NULL) return;
  (void)tensor_set_end(&l->tensors);
  free(l->losses);
  plan_end(&l->plan);
  free(l);
}

mlp_cl_status mlp_cl_learner_set_rate(mlp_cl_learner *l, float learning_rate, mlp_cl_error *error) {
  if (l == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the learner is NULL");
  mlp_cl_recipe changed = l->recipe;
  changed.learning_rate = learning_rate;
  TRY(changed.optimiser == MLP_CL_SGD ? sgd_from_recipe(&changed, &l->plan.update, error)
                                      : adam_from_recipe(&changed, &l->plan.adam, error));
  l->recipe = changed;
  return MLP_CL_OK;
}

/* ---- Batches ---------------------------------------------------------------------------------------------------- */

static mlp_cl_status check_batch(const mlp_cl_learner *l, size_t rows, const float *features, mlp_cl_error *error) {
  if (features == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "features is NULL: give those of each row");
  if (rows == 0 || rows > l->batch)
    return fail(error, MLP_CL_BAD_ARGUMENT, "rows is %zu: give 1 to %zu, the batch of the recipe", rows, l->batch);
  if (l->step == UINT32_MAX - 1)
    return fail(error, MLP_CL_BAD_ARGUMENT, "a learner takes at most %lu steps: make another",
                (unsigned long)UINT32_MAX - 1);
  return network_check_features(l->network, features, 0, rows, error);
}

static mlp_cl_status check_answers(const mlp_cl_learner *l, size_t rows, const int32_t *labels, const float *targets,
                                   mlp_cl_error *error) {
  static const char what[] = "a batch";
  size_t outputs = network_outputs(l->network);
  mlp_cl_task task = l->network->task;
  if (has_labels(l) && labels == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "labels is NULL: a network for classification needs one for each row");
  if (!has_labels(l) && targets == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "targets is NULL: a network for %s needs %zu for each row",
                mlp_cl_task_name(task), outputs);
  return has_labels(l) ? answers_check_labels(what, labels, rows, outputs, error)
                       : answers_check_targets(what, task, targets, rows, outputs, error);
}

/* The rows of the next step become the plan's source. */
static mlp_cl_status write_features(mlp_cl_learner *l, size_t rows, const float *features, mlp_cl_error *error) {
  backend *on = l->network->backend;
  size_t width = network_inputs(l->network);
  if (l->step == 0)
    l->plan.zeros = zeros_together(TENSOR_FLOAT32, features, rows, width); /* later ones will be alike */
  return on->op->tensor_write(on, l->source, 0, rows, features, error);
}

static mlp_cl_status fail_diverged(const mlp_cl_learner *l, mlp_cl_error *error) {
  backend *on = l->network->backend;
  uint32_t step;
  TRY(on->op->tensor_read(on, l->plan.flag, 0, 1, &step, error));
  return fail(error, MLP_CL_DIVERGED,
              "training diverged at step %lu: a parameter or the loss is not finite; lower the learning rate (%g), or "
              "check the data: values far above 1 want to be scaled",
              (unsigned long)(step == UINT32_MAX ? l->step : step + 1), (double)l->recipe.learning_rate);
}

static mlp_cl_status read_loss(const mlp_cl_learner *l, size_t rows, double *loss, mlp_cl_error *error) {
  backend *on = l->network->backend;
  double sum = 0.0;
  TRY(on->op->tensor_read(on, l->plan.losses, 0, 1, l->losses, error));
  for (size_t i = 0; i < rows; i++) sum += (double)l->losses[i];
  *loss = sum / (double)rows;
  return isfinite(sum) ? MLP_CL_OK : fail_diverged(l, error); /* parameters that are not show in the next loss */
}

mlp_cl_status mlp_cl_learner_step(mlp_cl_learner *l, size_t rows, const float *features, const int32_t *labels,
                                  const float *targets, double *loss, mlp_cl_error *error) {
  if (l == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the learner is NULL");
  TRY(check_batch(l, rows, features, error));
  TRY(check_answers(l, rows, labels, targets, error));
  backend *on = l->network->backend;
  TRY(write_features(l, rows, features, error));
  TRY(on->op->tensor_write(on, l->answers, 0, rows, has_labels(l) ? (const void *)labels : targets, error));
  context_prove_steps(l->network->context, &l->plan, false);
  const step_range range = {.first = 0, .end = rows, .step = l->step};
  TRY(run_steps(on, &l->plan, &range, error));
  l->network->changes++;
  l->step++;
  l->rows = 0;
  return loss != NULL ? read_loss(l, rows, loss, error) : MLP_CL_OK;
}

/* ---- Halves of a step ------------------------------------------------------------------------------------------- */

static const step_layer *last_layer(const mlp_cl_learner *l) {
  return &l->plan.layers[l->plan.layers_count - 1];
}

mlp_cl_status mlp_cl_learner_forward(mlp_cl_learner *l, size_t rows, const float *features, float *outputs,
                                     mlp_cl_error *error) {
  if (l == NULL || outputs == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the learner or outputs is NULL");
  backend *on = l->network->backend;
  l->rows = 0;
  TRY(check_batch(l, rows, features, error));
  TRY(write_features(l, rows, features, error));
  TRY(step_forward(on, &l->plan, rows, l->step, error));
  TRY(on->op->tensor_read(on, last_layer(l)->y, 0, rows, outputs, error));
  if (finite_count(outputs, rows * network_outputs(l->network)) < rows * network_outputs(l->network))
    return fail_diverged(l, error);
  l->rows = rows;
  return MLP_CL_OK;
}

static mlp_cl_status reserve_gradient(mlp_cl_learner *l, mlp_cl_error *error) {
  if (l->d_x != NULL) return MLP_CL_OK;
  l->tensors.error = error;
  l->d_x = tensor_set_add(&l->tensors, TENSOR_GRADIENT, TENSOR_FLOAT32, l->batch, network_inputs(l->network), NULL);
  return l->tensors.status;
}

mlp_cl_status mlp_cl_learner_backward(mlp_cl_learner *l, const float *d_outputs, float *d_features,
                                      mlp_cl_error *error) {
  if (l == NULL || d_outputs == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the learner or d_outputs is NULL");
  if (l->rows == 0)
    return fail(error, MLP_CL_BAD_ARGUMENT, "there is no forward half of this step: call mlp_cl_learner_forward first");
  backend *on = l->network->backend;
  size_t rows = l->rows, outputs = network_outputs(l->network), bad = finite_count(d_outputs, rows * outputs);
  if (bad < rows * outputs)
    return fail(error, MLP_CL_BAD_ARGUMENT, "gradient %zu of row %zu is %g: give finite values", bad % outputs,
                bad / outputs, (double)d_outputs[bad]);
  if (d_features != NULL) TRY(reserve_gradient(l, error));
  TRY(on->op->tensor_write(on, last_layer(l)->d_y, 0, rows, d_outputs, error));
  TRY(step_backward(on, &l->plan, rows, l->step, d_features != NULL ? l->d_x : NULL, error));
  l->network->changes++;
  l->step++;
  l->rows = 0;
  return d_features != NULL ? on->op->tensor_read(on, l->d_x, 0, rows, d_features, error) : MLP_CL_OK;
}
