/* NumPy's arrays: .npy files (format 1, 2 and 3) and .npz archives of them. The first dimension counts rows, the others
 * multiply to the width, in either order of memory and either order of bytes. Sizes in a header are believed only once
 * the bytes are there. (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html) */
#ifndef DATA_NPY_H
#define DATA_NPY_H

#include "data/dataset.h"

/* Reads features and, unless labels_path is NULL, labels: whole numbers from 0, one a row, or targets, any
 * numbers, one or more a row. uint8, int8 and int16 stay as they are, scaled as IDX is; all else becomes float32. On
 * success the arrays in *parts belong to the caller. Errors: IO; BAD_FILE with file, byte and remedy; NO_MEMORY. */
mlp_cl_status npy_read(const char *path, const char *labels_path, data_answers answers, dataset_parts *parts,
                       mlp_cl_error *error);

/* The same from an archive: x and y, X and y, features and labels, data and target, x_train and y_train, arr_0 and
 * arr_1; labels may be missing. x_test and y_test beside x_train make *test, else it stays {0}. */
mlp_cl_status npz_read(const char *path, data_answers answers, dataset_parts *train, dataset_parts *test,
                       mlp_cl_error *error);

/* One array in memory; `name` is for the texts. */
mlp_cl_status npy_features(const char *name, const unsigned char *bytes, size_t count, dataset_parts *parts,
                           mlp_cl_error *error);
mlp_cl_status npy_labels(const char *name, const unsigned char *bytes, size_t count, data_answers answers,
                         dataset_parts *parts, mlp_cl_error *error);

#endif
