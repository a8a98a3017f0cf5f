/* What the tests of the reference share: the opened backend, and tensors that a test need not destroy. */
#ifndef REFERENCE_TOOLS_H
#define REFERENCE_TOOLS_H

#include "oracle.h"
#include "reference/reference.h"
#include "test.h"

/* Opened before each test; the noise starts anew. */
extern backend *device;
extern test_random noise;
void open_device(void);
void close_device(void);

/* A tensor that holds `values`, or canaries for NULL; destroyed at the end of the test. */
tensor *new_tensor(tensor_role role, tensor_element element, size_t rows, size_t cols, const void *values);
tensor *new_float(tensor_role role, size_t rows, size_t cols, const float *values);
tensor *new_random(tensor_role role, size_t rows, size_t cols, float limit);
/* Destroys the last `count` of them, or all that there are. */
void destroy_newest(size_t count);

/* All of a tensor, freed with free(). */
float *read_floats(const tensor *t);
double *read_doubles(const tensor *t);
uint32_t read_flag(const tensor *flag);

void same_tensors(const tensor *got, const tensor *wanted, const char *what);
void close_tensor(const tensor *got, const double *wanted, double tolerance, const char *what);

/* A mask, and whether a mask keeps an element. */
extern const dropout some_mask;
bool kept(const dropout *mask, size_t row, size_t col, size_t cols);

/* The tests of each file. */
void add_products(TCase *cases);
void add_elementwise(TCase *cases);
void add_losses(TCase *cases);
void add_updates(TCase *cases);
void add_fused(TCase *cases);
void add_gradients(TCase *cases);

#endif
