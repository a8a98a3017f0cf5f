#include "twins.h"

mlp_cl_context *device, *reference;

void twins_open(void) {
  if (device != NULL) return;
  device = test_open_device();
  reference = test_open_reference();
}

void twins_close(void) {
  mlp_cl_context_destroy(device);
  mlp_cl_context_destroy(reference);
}

const size_t twin_widths[3] = {17, 33, 5};

mlp_cl_network *twin_make(mlp_cl_context *context, size_t count, const size_t *widths, bool bias, mlp_cl_init init,
                          uint64_t seed) {
  const mlp_cl_shape shape = {.widths_count = count, .widths = widths, .bias = bias, .init = init};
  mlp_cl_network *network = NULL;
  ck_ok(mlp_cl_network_create(context, &shape, seed, &network, &test_error));
  return network;
}

size_t twin_rows(void) {
  return test_small() ? 70 : 2500;
}

mlp_cl_dataset *twin_data(size_t rows, float *features, int32_t *labels) {
  test_random r = {.state = 11};
  test_random_fill(&r, features, rows * 17, 1.0f);
  for (size_t i = 0; i < rows; i++) labels[i] = (int32_t)(test_random_bits(&r) % 5);
  mlp_cl_dataset *data = NULL;
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, rows, 17, 1.0f, labels, 5, &data, &test_error));
  return data;
}
