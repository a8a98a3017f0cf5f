/* Folders in the MNIST layout: train-images-idx3-ubyte, train-labels-idx1-ubyte and the same for t10k, each with or
 * without .gz. Also found: a dot before idx, any rank and type word, "test" for t10k, and a prefix
 * (emnist-letters-train-…). */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/idx.h"
#include "data/mnist.h"

/* "<prefix>-<kind>-idx<digits>-<word>[.gz]" or with ".idx": gives the length of the prefix, or 0 for other names. */
static size_t match_name(const char *name, const char *kind) {
  char middle[32];
  snprintf(middle, sizeof middle, "-%s", kind);
  const char *found = strstr(name, middle);
  if (found == NULL || found == name) return 0;
  const char *rest = found + strlen(middle);
  if ((*rest != '-' && *rest != '.') || strncmp(rest + 1, "idx", 3) != 0) return 0;
  rest += 4;
  size_t digits = strspn(rest, "0123456789");
  if (digits == 0 || rest[digits] != '-') return 0;
  rest += digits + 1;
  size_t word = 0;
  while (isalnum((unsigned char)rest[word])) word++;
  if (word == 0 || (rest[word] != '\0' && strcmp(rest + word, ".gz") != 0)) return 0;
  return (size_t)(found - name);
}

/* True when the first `length` bytes of `name` end with `role`, as a word of its own. */
static bool prefix_has_role(const char *name, size_t length, const char *role) {
  size_t role_length = strlen(role);
  if (length < role_length || memcmp(name + length - role_length, role, role_length) != 0) return false;
  return length == role_length || !isalnum((unsigned char)name[length - role_length - 1]);
}

static char *join(const char *folder, const char *name) {
  size_t length = strlen(folder);
  const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
  char *path;
  return asprintf(&path, "%s%s%s", folder, slash, name) < 0 ? NULL : path;
}

/* A name that cannot be looked at counts: opening it will tell why, where passing it over would train on other data. */
static bool is_file(const char *folder, const char *name) {
  char *path = join(folder, name);
  struct stat status;
  bool file = path == NULL || stat(path, &status) != 0 || !S_ISDIR(status.st_mode);
  free(path);
  return file;
}

/* What find_name looks for: a kind of file whose prefix has a role or equals `prefix`. */
typedef struct wanted_name {
  const char *kind;              /* "images" or "labels" */
  const char *role, *other_role; /* one of which the prefix ends with; or, when NULL: */
  const char *prefix;            /* its first prefix_length bytes are the prefix */
  size_t prefix_length;
} wanted_name;

static bool fits(const wanted_name *wanted, const char *name, size_t prefix_length) {
  if (prefix_length == 0) return false;
  if (wanted->role == NULL) {
    return prefix_length == wanted->prefix_length && memcmp(name, wanted->prefix, prefix_length) == 0;
  }
  return prefix_has_role(name, prefix_length, wanted->role) || prefix_has_role(name, prefix_length, wanted->other_role);
}

/* Prefers the shortest prefix ("train" before "emnist-train"), then byte order (plain before .gz). */
static bool is_better(const char *name, size_t prefix_length, const char *best, size_t best_length) {
  if (best == NULL || prefix_length != best_length) return best == NULL || prefix_length < best_length;
  return strcmp(name, best) < 0;
}

static const char *find_best(const char *folder, const wanted_name *wanted, struct dirent **entries, int count) {
  const char *best = NULL;
  size_t best_length = 0;
  for (int i = 0; i < count; i++) {
    const char *name = entries[i]->d_name;
    size_t length = match_name(name, wanted->kind);
    if (!fits(wanted, name, length) || !is_better(name, length, best, best_length) || !is_file(folder, name)) continue;
    best = name;
    best_length = length;
  }
  return best;
}

/* A name as good as the best but of another data set, or NULL. */
static const char *find_rival(const char *folder, const wanted_name *wanted, struct dirent **entries, int count,
                              const char *best) {
  size_t best_length = match_name(best, wanted->kind);
  for (int i = 0; i < count; i++) {
    const char *name = entries[i]->d_name;
    size_t length = match_name(name, wanted->kind);
    if (length != best_length || !fits(wanted, name, length) || memcmp(name, best, length) == 0) continue;
    if (is_file(folder, name)) return name;
  }
  return NULL;
}

/* *found is the best name in the folder, freed by the caller, or NULL. */
static mlp_cl_status find_name(const char *folder, const wanted_name *wanted, char **found, mlp_cl_error *error) {
  *found = NULL;
  struct dirent **entries;
  int count = scandir(folder, &entries, NULL, NULL);
  if (count < 0) return fail(error, MLP_CL_IO, "%s: cannot read the folder: %s", folder, strerror(errno));
  mlp_cl_status status = MLP_CL_OK;
  const char *best = find_best(folder, wanted, entries, count);
  const char *rival = best == NULL ? NULL : find_rival(folder, wanted, entries, count, best);
  if (rival != NULL) {
    status = fail(error, MLP_CL_BAD_FILE, "%s: holds several data sets, as %s and %s show; use a folder with one",
                  folder, best, rival);
  } else if (best != NULL) {
    *found = strdup(best);
    if (*found == NULL) status = fail_memory(error, strlen(best) + 1, "a file name");
  }
  for (int i = 0; i < count; i++) free(entries[i]);
  free(entries);
  return status;
}

static mlp_cl_status fail_missing(mlp_cl_error *error, const char *folder, const char *prefix, size_t prefix_length,
                                  const char *kind, int rank) {
  return fail(error, MLP_CL_BAD_FILE, "%s: there is no %.*s-%s-idx%d-ubyte[.gz] in this folder", folder,
              (int)prefix_length, prefix, kind, rank);
}

/* Reads images and labels of one role; without images *found is false. */
static mlp_cl_status read_part(const char *folder, const char *role, const char *other_role, dataset_parts *parts,
                               bool *found, mlp_cl_error *error) {
  *found = false;
  char *images, *labels = NULL, *images_path = NULL, *labels_path = NULL;
  wanted_name wanted_images = {.kind = "images", .role = role, .other_role = other_role};
  TRY(find_name(folder, &wanted_images, &images, error));
  if (images == NULL) return MLP_CL_OK;

  size_t prefix_length = match_name(images, "images");
  wanted_name wanted_labels = {.kind = "labels", .prefix = images, .prefix_length = prefix_length};
  mlp_cl_status status = find_name(folder, &wanted_labels, &labels, error);
  if (status == MLP_CL_OK && labels == NULL) {
    status = fail_missing(error, folder, images, prefix_length, "labels", 1);
  }
  if (status == MLP_CL_OK) {
    images_path = join(folder, images);
    labels_path = join(folder, labels);
    if (images_path == NULL || labels_path == NULL) status = fail_memory(error, strlen(folder), "a file name");
  }
  if (status == MLP_CL_OK) status = idx_read(images_path, labels_path, parts, error);
  *found = status == MLP_CL_OK;
  free(images);
  free(labels);
  free(images_path);
  free(labels_path);
  return status;
}

/* Reads the test part, when wanted and there, and makes the two agree: same width, classes counted over both. */
static mlp_cl_status read_test_part(const char *folder, dataset_parts *train, dataset_parts *test, bool *found,
                                    mlp_cl_error *error) {
  TRY(read_part(folder, "t10k", "test", test, found, error));
  if (!*found) return MLP_CL_OK;
  if (train->width != test->width) {
    return fail(error, MLP_CL_BAD_FILE, "%s: training rows have %zu features, test rows %zu; they must agree", folder,
                train->width, test->width);
  }
  train->classes = test->classes = train->classes > test->classes ? train->classes : test->classes;
  return MLP_CL_OK;
}

mlp_cl_status mnist_open(const char *folder, mlp_cl_dataset **train, mlp_cl_dataset **test, mlp_cl_error *error) {
  dataset_parts train_parts = {0}, test_parts = {0};
  bool found, found_test = false;
  TRY(read_part(folder, "train", "training", &train_parts, &found, error));
  if (!found) return fail_missing(error, folder, "train", 5, "images", 3);
  mlp_cl_status status = read_test_part(folder, &train_parts, &test_parts, &found_test, error);
  if (status != MLP_CL_OK) {
    dataset_parts_free(&train_parts);
    dataset_parts_free(&test_parts);
    return status;
  }
  mlp_cl_dataset *made;
  status = dataset_adopt(&train_parts, &made, error);
  if (status != MLP_CL_OK || !found_test) {
    dataset_parts_free(&test_parts);
    if (status == MLP_CL_OK) *train = made;
    return status;
  }
  status = dataset_adopt(&test_parts, test, error);
  if (status != MLP_CL_OK) {
    mlp_cl_dataset_destroy(made);
    return status;
  }
  *train = made;
  return MLP_CL_OK;
}

mlp_cl_status mnist_find_labels(const char *images_path, char **labels_path, mlp_cl_error *error) {
  *labels_path = NULL;
  const char *slash = strrchr(images_path, '/');
  const char *name = slash == NULL ? images_path : slash + 1;
  size_t prefix_length = match_name(name, "images");
  if (prefix_length == 0) return MLP_CL_OK;
  char *folder = slash == NULL ? strdup(".") : strndup(images_path, (size_t)(slash - images_path) + 1);
  if (folder == NULL) return fail_memory(error, strlen(images_path), "a file name");
  wanted_name wanted = {.kind = "labels", .prefix = name, .prefix_length = prefix_length};
  char *labels = NULL;
  mlp_cl_status status = find_name(folder, &wanted, &labels, error);
  if (status == MLP_CL_OK && labels != NULL) {
    *labels_path = join(folder, labels);
    if (*labels_path == NULL) status = fail_memory(error, strlen(images_path), "a file name");
  }
  free(labels);
  free(folder);
  return status;
}
