/* From the name of a source to its reader. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/idx.h"
#include "data/mnist.h"

mlp_cl_status mlp_cl_dataset_open_idx(const char *features_path, const char *labels_path, mlp_cl_dataset **dataset,
                                      mlp_cl_error *error) {
  *dataset = NULL;
  if (features_path == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the path of the features is NULL; name a file");
  dataset_parts parts;
  TRY(idx_read(features_path, labels_path, &parts, error));
  return dataset_adopt(&parts, dataset, error);
}

/* One IDX file, with the labels that lie beside it under the matching name. */
static mlp_cl_status open_file(const char *path, mlp_cl_dataset **dataset, mlp_cl_error *error) {
  char *labels_path;
  TRY(mnist_find_labels(path, &labels_path, error));
  mlp_cl_status status = mlp_cl_dataset_open_idx(path, labels_path, dataset, error);
  free(labels_path);
  return status;
}

mlp_cl_status mlp_cl_dataset_open(const char *source, mlp_cl_dataset **train, mlp_cl_dataset **test,
                                  mlp_cl_error *error) {
  *train = NULL;
  if (test != NULL) *test = NULL;
  if (source == NULL) return fail(error, MLP_CL_BAD_ARGUMENT, "the data set's name is NULL; \"digits\" is built in");
  if (strcmp(source, "digits") == 0) return digits_open(train, test, error);
  struct stat status;
  if (stat(source, &status) != 0) {
    return fail(error, MLP_CL_IO,
                "%s: %s; a data set is \"digits\", a folder in the MNIST layout, or an IDX file (plain or .gz)", source,
                strerror(errno));
  }
  return S_ISDIR(status.st_mode) ? mnist_open(source, train, test, error) : open_file(source, train, error);
}
