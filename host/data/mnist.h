/* Folders in the MNIST layout, and files named as in it. */
#ifndef DATA_MNIST_H
#define DATA_MNIST_H

#include "data/dataset.h"

/* The training part and the test part, whose absence is no error (*test stays as it is).
 * Errors: BAD_FILE (names the file looked for), IO, NO_MEMORY. */
mlp_cl_status mnist_open(const char *folder, mlp_cl_dataset **train, mlp_cl_dataset **test, mlp_cl_error *error);

/* The file of labels beside "…-images-idx3-ubyte", freed by the caller; NULL when there is none or the name is another.
 * Errors: IO, NO_MEMORY. */
mlp_cl_status mnist_find_labels(const char *images_path, char **labels_path, mlp_cl_error *error);

#endif
