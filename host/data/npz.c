/* Archives of arrays, by libzip. See npy.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zip.h>

#include "base/bulk.h"
#include "base/memory.h"
#include "base/size.h"
#include "data/npy.h"

/* What people call features and labels. */
static const char *const pairs[][2] = {{"x_train", "y_train"}, {"X_train", "y_train"}, {"x", "y"},        {"X", "y"},
                                       {"features", "labels"}, {"data", "target"},     {"arr_0", "arr_1"}};
enum { PAIRS = sizeof pairs / sizeof *pairs };

static bool find(zip_t *archive, const char *name, zip_stat_t *entry) {
  char file[64];
  snprintf(file, sizeof file, "%s.npy", name);
  return zip_stat(archive, file, 0, entry) == 0;
}

/* Whether an entry of so many bytes fits into an archive of so many; its own compressed size may lie, too. What unpacks
 * to more than is there must fit in memory. */
static bool is_possible(const char *path, const zip_stat_t *entry) {
  const zip_uint64_t packs_at_most = 1032;
  struct stat status;
  if (stat(path, &status) != 0) return false;
  zip_uint64_t archive = (zip_uint64_t)status.st_size, packed = entry->comp_size < archive ? entry->comp_size : archive;
  return entry->size < SIZE_MAX && packed < UINT64_MAX / packs_at_most - 1 &&
         entry->size <= (packed + 1) * packs_at_most && (entry->size <= packed || entry->size <= memory_total_bytes());
}

/* One entry, for bulk_free by the caller. */
static mlp_cl_status read_entry(const char *path, zip_t *archive, const zip_stat_t *entry, unsigned char **bytes,
                                mlp_cl_error *error) {
  if (!is_possible(path, entry)) {
    return fail(error, MLP_CL_BAD_FILE, "%s: %s promises %llu bytes, more than it can hold; fetch the archive again",
                path, entry->name, (unsigned long long)entry->size);
  }
  *bytes = bulk_allocate((size_t)entry->size + 1);
  if (*bytes == NULL) return bulk_fail(error, (size_t)entry->size, path);
  zip_file_t *file = zip_fopen_index(archive, entry->index, 0);
  zip_uint64_t done = 0;
  while (file != NULL && done < entry->size) {
    zip_int64_t got = zip_fread(file, *bytes + done, entry->size - done);
    if (got <= 0) break;
    done += (zip_uint64_t)got;
  }
  char beyond;
  bool whole = file != NULL && done == entry->size && zip_fread(file, &beyond, 1) == 0;
  if (file != NULL) zip_fclose(file);
  if (whole) return MLP_CL_OK;
  bulk_free(*bytes);
  return fail(error, MLP_CL_BAD_FILE, "%s: %s is damaged after byte %llu; fetch the archive again", path, entry->name,
              (unsigned long long)done);
}

static mlp_cl_status read_pair(const char *path, zip_t *archive, const char *features, const char *labels,
                               data_answers answers, dataset_parts *parts, mlp_cl_error *error) {
  zip_stat_t entry;
  unsigned char *bytes;
  char name[512];
  if (!find(archive, features, &entry)) return MLP_CL_OK;
  snprintf(name, sizeof name, "%.400s: %s", path, entry.name);
  TRY(read_entry(path, archive, &entry, &bytes, error));
  mlp_cl_status status = npy_features(name, bytes, (size_t)entry.size, parts, error);
  bulk_free(bytes);
  if (status == MLP_CL_OK && answers != DATA_FEATURES && find(archive, labels, &entry)) {
    snprintf(name, sizeof name, "%.400s: %s", path, entry.name);
    TRY(read_entry(path, archive, &entry, &bytes, error));
    status = npy_labels(name, bytes, (size_t)entry.size, answers, parts, error);
    bulk_free(bytes);
  }
  return status;
}

static mlp_cl_status read_parts(const char *path, zip_t *archive, data_answers answers, dataset_parts *train,
                                dataset_parts *test, mlp_cl_error *error) {
  zip_stat_t entry;
  size_t pair = 0;
  while (pair < PAIRS && !find(archive, pairs[pair][0], &entry)) pair++;
  if (pair == PAIRS) {
    return fail(error, MLP_CL_BAD_FILE,
                "%s: has no array x, X, features, data, x_train or arr_0; save it with "
                "numpy.savez(path, x=…, y=…)",
                path);
  }
  TRY(read_pair(path, archive, pairs[pair][0], pairs[pair][1], answers, train, error));
  const char *suffix = strstr(pairs[pair][0], "_train");
  const bool answered = train->labels != NULL || train->targets != NULL;
  if (suffix == NULL || (answered && !find(archive, "y_test", &entry))) return MLP_CL_OK; /* no part to test with */
  TRY(read_pair(path, archive, pairs[pair][0][0] == 'x' ? "x_test" : "X_test", "y_test", answers, test, error));
  if (test->rows > 0 && test->width != train->width)
    return fail(error, MLP_CL_BAD_FILE, "%s: training rows have %zu features, test rows %zu; they must agree", path,
                train->width, test->width);
  if (test->rows > 0 && test->outputs != train->outputs)
    return fail(error, MLP_CL_BAD_FILE, "%s: training rows have %zu targets, test rows %zu; they must agree", path,
                train->outputs, test->outputs);
  train->classes = test->classes = train->classes > test->classes ? train->classes : test->classes;
  return MLP_CL_OK;
}

mlp_cl_status npz_read(const char *path, data_answers answers, dataset_parts *train, dataset_parts *test,
                       mlp_cl_error *error) {
  *train = *test = (dataset_parts){0};
  int code;
  zip_t *archive = zip_open(path, ZIP_RDONLY, &code);
  if (archive == NULL) {
    zip_error_t reason;
    zip_error_init_with_code(&reason, code);
    mlp_cl_status failed = fail(error, code == ZIP_ER_MEMORY ? MLP_CL_NO_MEMORY : MLP_CL_BAD_FILE, "%s: %s", path,
                                zip_error_strerror(&reason));
    zip_error_fini(&reason);
    return failed;
  }
  mlp_cl_status status = read_parts(path, archive, answers, train, test, error);
  zip_discard(archive);
  if (status != MLP_CL_OK) {
    dataset_parts_free(train);
    dataset_parts_free(test);
  }
  return status;
}
