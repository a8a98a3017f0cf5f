/* What a file holds, told by its first bytes, and the reader for it. */
#ifndef DATA_FORMAT_H
#define DATA_FORMAT_H

#include "data/dataset.h"

typedef enum data_format { DATA_TEXT, DATA_IDX, DATA_NPY, DATA_NPZ } data_format;

/* Anything unknown is text. Errors: IO (also what can be read only once, as a pipe), NO_MEMORY, BAD_FILE (gzip data
 * that are damaged). */
mlp_cl_status format_find(const char *path, data_format *format, mlp_cl_error *error);
/* Opens what is no text; labels_path may be NULL. *test stays NULL where there is no such part. Errors: BAD_FILE, IO,
 * NO_MEMORY. */
mlp_cl_status format_open(const char *path, data_format format, const char *labels_path, data_answers answers,
                          mlp_cl_dataset **train, mlp_cl_dataset **test, mlp_cl_error *error);

#endif
