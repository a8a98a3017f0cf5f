/* What a recipe does in each step on a network, as the backend takes it: for all who take steps. */
#ifndef TRAINING_PLAN_H
#define TRAINING_PLAN_H

#include "network/evaluate.h"
#include "training/recipe.h"

/* Reads the recipe for `rows` rows of data (recipe_read), and has the network's context prove what its steps need.
 * Errors: BAD_ARGUMENT, naming the field and its range; INEXACT. */
mlp_cl_status plan_check(const mlp_cl_network *network, const mlp_cl_recipe *recipe, size_t rows, recipe_parts *parts,
                         mlp_cl_error *error);
/* Fills *plan, whose list of layers is freed with plan_end, and adds its tensors to the set, where their failures are
 * kept: all but `source` and what belongs to it, the scale (1 so far), `zeros` (none) and `order`. Error: NO_MEMORY. */
mlp_cl_status plan_begin(step_plan *plan, const mlp_cl_network *network, const mlp_cl_recipe *recipe,
                         const recipe_parts *parts, const row_tensors *answers, tensor_set *set, mlp_cl_error *error);
void plan_end(step_plan *plan);

#endif
