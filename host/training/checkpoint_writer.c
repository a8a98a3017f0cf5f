/* One thread for each checkpoint: it ends with the file on disk, so a run without checkpoints has no thread at all. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/thread.h"
#include "training/checkpoint.h"

/* What a path names: a file as it was last written, or none, or what the system does not tell. */
typedef struct file_state {
  bool exists, unknown;
  dev_t device;
  ino_t number;
  struct timespec written;
} file_state;

struct checkpoint_writer {
  char *given, *path; /* the path that was asked for; where the next one goes */
  file_state last;    /* of that, when it was chosen or written */
  pthread_t thread;
  bool busy;        /* there is an outcome to tell */
  bool threaded;    /* by a thread, which must be joined */
  atomic_bool done; /* set by the thread as its last act */
  safetensors content;
  checkpoint_outcome outcome;
};

static file_state state_of(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0) return (file_state){.unknown = errno != ENOENT};
  return (file_state){true, false, info.st_dev, info.st_ino, info.st_mtim};
}

static bool same_state(const file_state *a, const file_state *b) {
  return a->device == b->device && a->number == b->number && a->written.tv_sec == b->written.tv_sec &&
         a->written.tv_nsec == b->written.tv_nsec;
}

static bool is_own(const checkpoint_writer *writer) {
  file_state now = state_of(writer->path);
  return !now.exists || writer->last.unknown || (writer->last.exists && same_state(&now, &writer->last));
}

/* Two runs that begin with one new file would take turns in it, and each would lose what it keeps: so the second goes
 * elsewhere. */
static mlp_cl_status find_place(checkpoint_writer *writer, mlp_cl_error *error) {
  while (!is_own(writer)) {
    uint32_t digits;
    char *beside = NULL;
    if (getentropy(&digits, sizeof digits) != 0 || asprintf(&beside, "%s.%08x", writer->given, (unsigned)digits) < 0)
      return fail_memory(error, strlen(writer->given), "the name of a checkpoint");
    free(writer->path);
    writer->path = beside;
    writer->last = (file_state){.exists = false};
  }
  return MLP_CL_OK;
}

mlp_cl_status checkpoint_writer_create(const char *path, bool keep_existing, checkpoint_writer **writer,
                                       mlp_cl_error *error) {
  checkpoint_writer *created = calloc(1, sizeof *created);
  char *given = strdup(path), *copy = strdup(path);
  if (created == NULL || given == NULL || copy == NULL) {
    free(created);
    free(given);
    free(copy);
    return fail_memory(error, sizeof *created + 2 * strlen(path), "a writer of checkpoints");
  }
  created->given = given;
  created->path = copy;
  if (!keep_existing) created->last = state_of(path);
  *writer = created;
  return MLP_CL_OK;
}

static mlp_cl_status write_now(checkpoint_writer *writer, mlp_cl_error *error) {
  TRY(checkpoint_write(writer->path, &writer->content, error));
  writer->last = state_of(writer->path);
  writer->last.unknown = !writer->last.exists;
  return MLP_CL_OK;
}

mlp_cl_status checkpoint_writer_write(checkpoint_writer *writer, safetensors *content, mlp_cl_error *error) {
  writer->content = *content;
  *content = (safetensors){0};
  mlp_cl_status status = find_place(writer, error);
  if (status != MLP_CL_OK) {
    safetensors_destroy(&writer->content);
    return status;
  }
  return write_now(writer, error);
}

bool checkpoint_writer_is_for(const checkpoint_writer *writer, const char *path) {
  return strcmp(writer->given, path) == 0;
}

const char *checkpoint_writer_path(const checkpoint_writer *writer) {
  return writer->path;
}

static void *write_content(void *argument) {
  checkpoint_writer *writer = argument;
  (void)write_now(writer, &writer->outcome.error);
  atomic_store(&writer->done, true);
  return NULL;
}

void checkpoint_writer_start(checkpoint_writer *writer, safetensors *content, uint64_t step) {
  writer->content = *content;
  *content = (safetensors){0};
  writer->outcome = (checkpoint_outcome){.step = step};
  writer->busy = true;
  atomic_store(&writer->done, false);
  if (find_place(writer, &writer->outcome.error) != MLP_CL_OK) {
    safetensors_destroy(&writer->content);
    writer->threaded = false;
    atomic_store(&writer->done, true);
    return;
  }
  writer->threaded = thread_start(&writer->thread, write_content, writer);
  if (!writer->threaded) (void)write_content(writer);
}

bool checkpoint_writer_end(checkpoint_writer *writer, bool wait, checkpoint_outcome *outcome) {
  if (!writer->busy || (!wait && !atomic_load(&writer->done))) return false;
  if (writer->threaded) pthread_join(writer->thread, NULL);
  writer->busy = false;
  *outcome = writer->outcome;
  return true;
}

bool checkpoint_writer_busy(const checkpoint_writer *writer) {
  return writer->busy;
}

void checkpoint_writer_destroy(checkpoint_writer *writer) {
  if (writer == NULL) return;
  checkpoint_outcome ignored;
  (void)checkpoint_writer_end(writer, true, &ignored);
  free(writer->given);
  free(writer->path);
  free(writer);
}
