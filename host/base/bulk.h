/* Memory for rows: as malloc gives it, until one array takes more than a quarter of the machine's memory. Such an array
 * lies in a temporary file without a name, mapped, and the system keeps in memory what is in use: data may be larger
 * than memory, and all who read them see an array. MLP_CL_HOST_MEMORY is another limit, in MiB; the file lies in the
 * folder TMPDIR, else in /var/tmp. */
#ifndef BASE_BULK_H
#define BASE_BULK_H

#include "base/error.h"

/* What one array may take before it lies in a file. */
uint64_t bulk_limit(void);
/* Whether an array, which is not NULL, lies in a file. */
bool bulk_in_file(const void *array);
/* NULL when there is no room. Freed by bulk_free alone. */
void *bulk_allocate(size_t bytes);
/* Grows an array that may be NULL, its content kept. NULL when there is no room, and then the array is as it was. */
void *bulk_resize(void *array, size_t bytes);
void bulk_free(void *array);
/* From now on the array, which may be NULL, is read here and there: of a file only the pages that are touched are
 * fetched. */
void bulk_expect_random(void *array);
/* NO_MEMORY for an array of so many bytes, with what there was no room in. */
mlp_cl_status bulk_fail(mlp_cl_error *error, size_t bytes, const char *what);

#endif
