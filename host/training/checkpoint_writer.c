/* One thread for each checkpoint: it ends with the file on disk, so a run without checkpoints has no thread at all. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/thread.h"
#include "training/checkpoint.h"

struct checkpoint_writer {
  char *path;
  pthread_t thread;
  bool busy;        /* there is an outcome to tell */
  bool threaded;    /* by a thread, which must be joined */
  atomic_bool done; /* set by the thread as its last act */
  safetensors content;
  checkpoint_outcome outcome;
};

mlp_cl_status checkpoint_writer_create(const char *path, checkpoint_writer **writer, mlp_cl_error *error) {
  checkpoint_writer *created = calloc(1, sizeof *created);
  char *copy = strdup(path);
  if (created == NULL || copy == NULL) {
    free(created);
    free(copy);
    return fail_memory(error, sizeof *created + strlen(path), "a writer of checkpoints");
  }
  created->path = copy;
  *writer = created;
  return MLP_CL_OK;
}

const char *checkpoint_writer_path(const checkpoint_writer *writer) {
  return writer->path;
}

static void *write_content(void *argument) {
  checkpoint_writer *writer = argument;
  (void)checkpoint_write(writer->path, &writer->content, &writer->outcome.error);
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
