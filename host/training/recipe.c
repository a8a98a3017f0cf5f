#include "training/recipe.h"

#include "backend/hyperparameters.h"
#include "base/size.h"
#include "training/schedule.h"

mlp_cl_recipe mlp_cl_recipe_default(void) {
  return (mlp_cl_recipe){.seed = 1,
                         .epochs = 10,
                         .batch = 64,
                         .learning_rate = 0.1f,
                         .momentum = 0.9f,
                         .beta1 = 0.9f,
                         .beta2 = 0.999f,
                         .epsilon = 1e-8f,
                         .decay_epochs = 10,
                         .decay_factor = 0.1f,
                         .reduction = MLP_CL_MEAN};
}

mlp_cl_recipe mlp_cl_recipe_for(mlp_cl_optimiser optimiser) {
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.optimiser = optimiser;
  if (optimiser != MLP_CL_SGD) recipe.learning_rate = 0.001f;
  return recipe;
}

const char *mlp_cl_optimiser_name(mlp_cl_optimiser optimiser) {
  switch (optimiser) {
    case MLP_CL_SGD: return "sgd";
    case MLP_CL_ADAM: return "adam";
    case MLP_CL_ADAMW: return "adamw";
  }
  return NULL;
}

mlp_cl_status recipe_read(const mlp_cl_recipe *recipe, size_t rows, size_t outputs, recipe_parts *parts,
                          mlp_cl_error *error) {
  if (recipe->epochs == 0) return fail(error, MLP_CL_BAD_ARGUMENT, "epochs is 0: give at least 1");
  if (recipe->batch == 0) return fail(error, MLP_CL_BAD_ARGUMENT, "batch is 0: give at least 1");
  if (recipe->reduction != MLP_CL_MEAN && recipe->reduction != MLP_CL_SUM)
    return fail(error, MLP_CL_BAD_ARGUMENT, "reduction is %d: give MLP_CL_MEAN or MLP_CL_SUM", (int)recipe->reduction);
  TRY(schedule_check(recipe, error));
  TRY(clip_norm_from_recipe(recipe, &parts->clip_norm, error));
  TRY(label_terms_from_recipe(recipe, outputs, &parts->has_terms, error));
  if (mlp_cl_optimiser_name(recipe->optimiser) == NULL)
    return fail(error, MLP_CL_BAD_ARGUMENT, "there is no optimiser %d", (int)recipe->optimiser);
  if (recipe->optimiser == MLP_CL_SGD)
    TRY(sgd_from_recipe(recipe, &parts->update, error));
  else
    TRY(adam_from_recipe(recipe, &parts->adam, error));
  TRY(dropout_from_rate(recipe->dropout, recipe->dropout_unscaled, &parts->mask, error));
  parts->mask.seed = recipe->seed;
  parts->batch = size_min(recipe->batch, rows);
  parts->epoch_steps = size_divide_up(rows, parts->batch);
  /* Both factors are below 2^32. Steps are a word of dropout's counter, and its largest value means "no step". */
  parts->steps = (uint64_t)recipe->epochs * parts->epoch_steps;
  if (parts->steps >= UINT32_MAX)
    return fail(error, MLP_CL_BAD_ARGUMENT, "epochs is %lu, which makes %llu steps: a run has fewer than %lu",
                (unsigned long)recipe->epochs, (unsigned long long)parts->steps, (unsigned long)UINT32_MAX);
  return MLP_CL_OK;
}
