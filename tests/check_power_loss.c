/* Power loss while a checkpoint is written. What the library asks of the file system is recorded, and for a loss after
 * each of its calls every state is made that a disk may then be in: what was flushed is there; of the bytes that were
 * not, all, none, some, or the later ones without the earlier; of new names, a prefix of those since the folder was
 * flushed. In each state the path must name a whole checkpoint, the old or the new, that resumes exactly. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "test.h"

enum { CALLS_MAX = 256, NAME_BYTES = 64, WIDTH = 7, CLASSES = 3, ROWS = 40, OLD_STEPS = 3, NEW_STEPS = 5 };

/* ---- Recording -------------------------------------------------------------------------------------------------- */

typedef enum call_kind { CALL_WRITE, CALL_FLUSH_FILE, CALL_FLUSH_FOLDER, CALL_NAME, CALL_RENAME } call_kind;

typedef struct call {
  call_kind kind;
  unsigned char *bytes; /* WRITE */
  size_t count;
  char from[NAME_BYTES], to[NAME_BYTES]; /* NAME gives the file the name `to` */
} call;

static bool recording;
static int file = -1; /* the one that is written, while recording */
static call calls[CALLS_MAX];
static size_t calls_count;

static call *record(call_kind kind) {
  ck_assert_uint_lt(calls_count, CALLS_MAX);
  calls[calls_count] = (call){.kind = kind};
  return &calls[calls_count++];
}

static void keep_name(char name[NAME_BYTES], const char *path) {
  ck_assert_ptr_null(strchr(path, '/'));
  snprintf(name, NAME_BYTES, "%s", path);
}

int __real_openat(int folder, const char *path, int flags, mode_t mode);
ssize_t __real_write(int descriptor, const void *bytes, size_t count);
int __real_fsync(int descriptor);
int __real_linkat(int from_folder, const char *from, int to_folder, const char *to, int flags);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_openat(int folder, const char *path, int flags, mode_t mode);
ssize_t __wrap_write(int descriptor, const void *bytes, size_t count);
int __wrap_fsync(int descriptor);
int __wrap_linkat(int from_folder, const char *from, int to_folder, const char *to, int flags);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);

int __wrap_openat(int folder, const char *path, int flags, mode_t mode) {
  int opened = __real_openat(folder, path, flags, mode);
  if (!recording || opened < 0) return opened;
  ck_assert_int_eq(file, -1);
  file = opened;
  if ((flags & O_CREAT) != 0) keep_name(record(CALL_NAME)->to, path);
  return opened;
}

ssize_t __wrap_write(int descriptor, const void *bytes, size_t count) {
  ssize_t written = __real_write(descriptor, bytes, count);
  if (!recording || descriptor != file || written <= 0) return written;
  call *c = record(CALL_WRITE);
  c->count = (size_t)written;
  c->bytes = malloc(c->count);
  ck_assert_ptr_nonnull(c->bytes);
  memcpy(c->bytes, bytes, c->count);
  return written;
}

int __wrap_fsync(int descriptor) {
  if (recording) record(descriptor == file ? CALL_FLUSH_FILE : CALL_FLUSH_FOLDER);
  return __real_fsync(descriptor);
}

int __wrap_linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  if (recording) keep_name(record(CALL_NAME)->to, to);
  return __real_linkat(from_folder, from, to_folder, to, flags);
}

int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to) {
  if (recording) {
    call *c = record(CALL_RENAME);
    keep_name(c->from, from);
    keep_name(c->to, to);
  }
  return __real_renameat(from_folder, from, to_folder, to);
}

/* ---- The run ---------------------------------------------------------------------------------------------------- */

static mlp_cl_context *context;
static mlp_cl_dataset *data;
static mlp_cl_network *network;
static mlp_cl_trainer *trainer;
static char old_hash[65], new_hash[65];
static unsigned char *old_bytes;
static size_t old_count;

static void open_run(void) {
  static const size_t widths[] = {WIDTH, 9, CLASSES};
  const mlp_cl_shape shape = {.widths_count = 3, .widths = widths, .bias = true};
  float features[ROWS * WIDTH];
  int32_t labels[ROWS];
  test_random r = {.state = 9};
  test_random_fill(&r, features, ROWS * WIDTH, 1.0f);
  for (size_t i = 0; i < ROWS; i++) labels[i] = (int32_t)(i % CLASSES);
  mlp_cl_recipe recipe = mlp_cl_recipe_default();
  recipe.batch = 16;
  test_folder_create();
  context = test_open_reference();
  ck_ok(mlp_cl_dataset_from_arrays(features, MLP_CL_FLOAT32, ROWS, WIDTH, 1, labels, CLASSES, &data, &test_error));
  ck_ok(mlp_cl_network_create(context, &shape, 1, &network, &test_error));
  ck_ok(mlp_cl_trainer_create(network, data, NULL, &recipe, &trainer, &test_error));
}

static void close_run(void) {
  mlp_cl_trainer_destroy(trainer);
  mlp_cl_network_destroy(network);
  mlp_cl_dataset_destroy(data);
  mlp_cl_context_destroy(context);
  free(old_bytes);
  for (size_t i = 0; i < calls_count; i++) free(calls[i].bytes);
  test_folder_remove();
}

static void save(const char *path, uint64_t steps, char hash[65]) {
  ck_ok(mlp_cl_trainer_steps(trainer, steps, NULL, &test_error));
  ck_ok(mlp_cl_trainer_save(trainer, path, &test_error));
  ck_ok(mlp_cl_network_sha256(network, hash, &test_error));
}

/* ---- Disks after the loss --------------------------------------------------------------------------------------- */

typedef enum unflushed { ALL, NONE, HALF, WITHOUT_FIRST, WITHOUT_LAST, UNFLUSHED_COUNT } unflushed;

/* What is left of the file's bytes when power is lost after the first `done` calls. */
static unsigned char *bytes_after(size_t done, unflushed fate, size_t *count) {
  size_t flushed = 0, total = 0, last = 0, first = SIZE_MAX, at = 0;
  for (size_t i = 0; i < done; i++) {
    if (calls[i].kind == CALL_FLUSH_FILE) flushed = total;
    if (calls[i].kind == CALL_WRITE) total += calls[i].count;
  }
  unsigned char *bytes = calloc(total + 1, 1);
  ck_assert_ptr_nonnull(bytes);
  for (size_t i = 0; i < done; i++) {
    if (calls[i].kind != CALL_WRITE) continue;
    memcpy(bytes + at, calls[i].bytes, calls[i].count);
    if (at >= flushed && first == SIZE_MAX) first = i;
    last = at;
    at += calls[i].count;
  }
  *count = fate == NONE ? flushed : fate == HALF ? flushed + (total - flushed) / 2 : total;
  if (fate == WITHOUT_FIRST && first != SIZE_MAX) memset(bytes + flushed, 0, calls[first].count);
  if (fate == WITHOUT_LAST && last >= flushed) memset(bytes + last, 0, total - last);
  return bytes;
}

/* Whether the path is the new file's when of the calls that give names, those before `named` are on disk. */
static bool path_is_new(size_t named) {
  for (size_t i = 0; i < named; i++)
    if (calls[i].kind == CALL_RENAME && strcmp(calls[i].to, "run.safetensors") == 0) return true;
  return false;
}

static size_t names_flushed(size_t done) {
  size_t flushed = 0;
  for (size_t i = 0; i < done; i++)
    if (calls[i].kind == CALL_FLUSH_FOLDER) flushed = i;
  return flushed;
}

static bool gives_name(const call *c) {
  return c->kind == CALL_NAME || c->kind == CALL_RENAME;
}

/* Resumes from a disk on which the names up to `named` are, after `done` calls; true when it had the new checkpoint. */
static bool check_disk(const char *path, size_t done, size_t named, unflushed fate) {
  size_t count = old_count;
  unsigned char *bytes = path_is_new(named) ? bytes_after(done, fate, &count) : NULL;
  test_file_write(path, bytes != NULL ? bytes : old_bytes, count);
  free(bytes);
  mlp_cl_error error;
  char hash[65];
  if (mlp_cl_trainer_resume(trainer, path, NULL, NULL, &error) != MLP_CL_OK)
    ck_abort_msg("power lost after call %zu of %zu, names to %zu, fate %d: %s", done, calls_count, named, (int)fate,
                 error.text);
  ck_ok(mlp_cl_network_sha256(network, hash, &test_error));
  bool is_new = strcmp(hash, new_hash) == 0;
  ck_assert_msg(is_new || strcmp(hash, old_hash) == 0, "power lost after call %zu: other parameters", done);
  return is_new;
}

START_TEST(one_whole_checkpoint_is_there) {
  char path[512];
  snprintf(path, sizeof path, "%s", test_path("run.safetensors"));
  save(path, OLD_STEPS, old_hash);
  old_bytes = test_file_read(path, &old_count);
  recording = true;
  save(path, NEW_STEPS - OLD_STEPS, new_hash);
  recording = false;
  ck_assert_str_ne(old_hash, new_hash);
  size_t states = 0, with_new = 0;
  for (size_t done = 0; done <= calls_count; done++) {
    for (size_t named = names_flushed(done); named <= done; named++) {
      if (named > names_flushed(done) && !gives_name(&calls[named - 1])) continue;
      for (unflushed fate = 0; fate < UNFLUSHED_COUNT; fate++) {
        bool is_new = check_disk(path, done, named, fate);
        ck_assert_msg(is_new || done < calls_count, "the new checkpoint was told, and is lost");
        states++;
        with_new += is_new;
      }
    }
  }
  printf("power loss: %zu calls, %zu states of the disk, %zu with the new checkpoint, %zu with the old\n", calls_count,
         states, with_new, states - with_new);
  ck_assert_uint_gt(with_new, 0);
  ck_assert_uint_gt(states, with_new);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("power_loss");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_run, close_run);
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, one_whole_checkpoint_is_there);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
