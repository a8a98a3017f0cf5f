/* One thread for each checkpoint: it ends with the file on disk, so a run without checkpoints has no thread at all. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/thread.h"
#include "training/checkpoint.h"

/* What a path names: a file as it was last written, or none. */
typedef struct file_state {
  bool exists;
  dev_t device;
  ino_t number;
  struct timespec written;
} file_state;

struct checkpoint_writer {
  char *path;
  file_state last; /* of the path, when it was chosen or written */
  pthread_t thread;
  bool busy;        /* there is an outcome to tell */
  bool threaded;    /* by a thread, which must be joined */
  atomic_bool done; /* set by the thread as its last act */
  safetensors content;
  checkpoint_outcome outcome;
};

static file_state state_of(const char *path) {
  struct stat info;
  if (stat(path, &info) != 0) return (file_state){.exists = false};
  return (file_state){true, info.st_dev, info.st_ino, info.st_mtim};
}

static bool same_state(const file_state *a, const file_state *b) {
  return a->device == b->device && a->number == b->number && a->written.tv_sec == b->written.tv_sec &&
         a->written.tv_nsec == b->written.tv_nsec;
}

/* Two runs that begin with one new file would take turns in it, and each would lose what it keeps. */
static mlp_cl_status check_own(const checkpoint_writer *writer, mlp_cl_error *error) {
  file_state now = state_of(writer->path);
  if (!now.exists || (writer->last.exists && same_state(&now, &writer->last))) return MLP_CL_OK;
  return fail(error, MLP_CL_IO, "%s was written by another program since this run began: it stays as it is",
              writer->path);
}

mlp_cl_status checkpoint_writer_create(const char *path, checkpoint_writer **writer, mlp_cl_error *error) {
  checkpoint_writer *created = calloc(1, sizeof *created);
  char *copy = strdup(path);
  if (created == NULL || copy == NULL) {
    free(created);
    free(copy);
    return fail_memory(error, sizeof *created + strlen(path), "a writer of checkpoints");
  }
  created->path = copy;
  created->last = state_of(path);
  *writer = created;
  return MLP_CL_OK;
}

mlp_cl_status checkpoint_writer_write(checkpoint_writer *writer, safetensors *content, mlp_cl_error *error) {
  mlp_cl_status status = check_own(writer, error);
  if (status != MLP_CL_OK) {
    safetensors_destroy(content);
    return status;
  }
  TRY(checkpoint_write(writer->path, content, error));
  writer->last = state_of(writer->path);
  return MLP_CL_OK;
}

bool checkpoint_writer_is_for(const checkpoint_writer *writer, const char *path) {
  return strcmp(writer->path, path) == 0;
}

static void *write_content(void *argument) {
  checkpoint_writer *writer = argument;
  (void)checkpoint_writer_write(writer, &writer->content, &writer->outcome.error);
  atomic_store(&writer->done, true);
  return NULL;
}

void checkpoint_writer_start(checkpoint_writer *writer, safetensors *content, uint64_t step) {
  writer->content = *content;
  *content = (safetensors){0};
  writer->outcome = (checkpoint_outcome){.step = step};
  writer->busy = true;
  atomic_store(&writer->done, false);
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
  free(writer->path);
  free(writer);
}
