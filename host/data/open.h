/* From the name of a source to its reader. */
#ifndef DATA_OPEN_H
#define DATA_OPEN_H

#include "data/dataset.h"

/* A source and whatever parts it has by itself; of a table only *is_table, which is read otherwise. Of the options,
 * labels_path, scaling and targets matter. Errors: BAD_FILE, IO, BAD_ARGUMENT, NO_MEMORY. */
mlp_cl_status source_open(const char *source, const mlp_cl_data_options *options, mlp_cl_parts *parts, bool *is_table,
                          mlp_cl_error *error);

#endif
