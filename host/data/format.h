/* What a file holds, told by its first bytes, and the reader for it. */
#ifndef DATA_FORMAT_H
#define DATA_FORMAT_H

#include "data/dataset.h"

typedef enum data_format { DATA_TEXT, DATA_IDX } data_format;

/* Anything unknown is text. Errors: IO, NO_MEMORY, BAD_FILE (gzip data that are damaged). */
mlp_cl_status format_find(const char *path, data_format *format, mlp_cl_error *error);
/* Opens what is no text; labels_path may be NULL. Errors: BAD_FILE, IO, NO_MEMORY. */
mlp_cl_status format_open(const char *path, data_format format, const char *labels_path, mlp_cl_dataset **dataset,
                          mlp_cl_error *error);

#endif
