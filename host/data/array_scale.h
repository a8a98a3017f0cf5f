/* Arrays whose columns are scaled one by one, as those of a table without a heading are: so that a model keeps the
 * numbers of its training, and takes arrays as they come. */
#ifndef DATA_ARRAY_SCALE_H
#define DATA_ARRAY_SCALE_H

#include "data/dataset.h"
#include "data/encoding.h"

/* From a training part; its targets are scaled, too, with `scale_targets`. The caller has a share of *encoding.
 * Errors: BAD_ARGUMENT, NO_MEMORY. */
mlp_cl_status array_scale_fit(const mlp_cl_dataset *train, mlp_cl_scaling scaling, bool scale_targets,
                              mlp_cl_encoding **encoding, mlp_cl_error *error);
/* Puts the rows under the encoding in the place of *dataset, which is named `path` in messages and stays on failure.
 * Errors: BAD_FILE (a table with a heading or with text was trained on; another number of columns; a value that scales
 * to more than float32 holds), NO_MEMORY. */
mlp_cl_status array_scale_apply(mlp_cl_dataset **dataset, mlp_cl_encoding *encoding, const char *path,
                                mlp_cl_error *error);

#endif
