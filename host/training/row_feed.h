/* Features that are not resident: the rows that the next steps need are gathered on the host, in the epoch's order, and
 * sent while the device still works on those before. Two chunks lie on the device, so that one is filled while the
 * other is read. Results are the same as with resident features. */
#ifndef TRAINING_ROW_FEED_H
#define TRAINING_ROW_FEED_H

#include "backend/backend.h"
#include "context/tensor_set.h"

typedef struct row_feed {
  const mlp_cl_dataset *data; /* NULL: the features are resident */
  size_t batch, chunk_rows;   /* the latter a multiple of the former */
  size_t first, end;          /* positions of the order that the present chunk holds */
  void *staging[2];
  tensor *chunks[2];
  size_t next; /* of the two */
} row_feed;

/* True when the features of `data` are too large to stay on the device. */
bool row_feed_is_needed(const backend *on, const mlp_cl_dataset *data);
/* The chunks become tensors of `set`. Errors: NO_MEMORY; those of the set are kept there. */
mlp_cl_status row_feed_begin(row_feed *f, const mlp_cl_dataset *data, size_t batch, tensor_set *set,
                             mlp_cl_error *error);
void row_feed_end(row_feed *f);
/* What is on the device no longer fits: the order has changed. */
void row_feed_rewind(row_feed *f);
/* Makes the plan read a chunk that begins at or before position `first`, in `order` (row numbers, or NULL: as they
 * are); *end gets where it ends. Enqueues, and waits for the chunk before at most. */
mlp_cl_status row_feed_reach(row_feed *f, backend *on, const uint32_t *order, size_t first, step_plan *plan,
                             size_t *end, mlp_cl_error *error);

#endif
