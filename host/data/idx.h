/* IDX, the format of MNIST and its kin: big-endian arrays of any rank, plain or gzip-compressed. The first dimension
 * counts rows, the others multiply to the width. Sizes in a header are believed only once the bytes are there. */
#ifndef DATA_IDX_H
#define DATA_IDX_H

#include "data/dataset.h"

/* Reads features and, unless labels_path is NULL, as many labels. uint8, int8 and int16 stay as they are; int32,
 * float32 and float64 become float32. On success the arrays in *parts belong to the caller; classes is the largest
 * label + 1. Errors: IO; BAD_FILE with file, byte offset and remedy; NO_MEMORY. */
mlp_cl_status idx_read(const char *features_path, const char *labels_path, dataset_parts *parts, mlp_cl_error *error);

#endif
