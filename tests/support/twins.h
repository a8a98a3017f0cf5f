/* Networks on the device under test and their twins on the reference, which have the same bits. */
#ifndef SUPPORT_TWINS_H
#define SUPPORT_TWINS_H

#include "test.h"

extern mlp_cl_context *device, *reference;

/* Once in a process, since kernels take seconds to build; in the test itself, for the sake of Check's forks. */
void twins_open(void);
/* Behind all tests. */
void twins_close(void);

/* The usual three: 17 features, 33 hidden, 5 classes. */
extern const size_t twin_widths[3];
mlp_cl_network *twin_make(mlp_cl_context *context, size_t count, const size_t *widths, bool bias, mlp_cl_init init,
                          uint64_t seed);
/* More rows than one pass takes, except on slow devices. */
size_t twin_rows(void);
/* Of 17 features and 5 classes, drawn; the arrays get them, too. */
mlp_cl_dataset *twin_data(size_t rows, float *features, int32_t *labels);

#endif
