/* The course of a run: losses and accuracies by epoch, from the events of a run that goes on or from its log. */
#ifndef CURVE_H
#define CURVE_H

#include <stdbool.h>
#include <stddef.h>

#include "mlp_cl.h"

/* NaN where a value is not known or not finite. */
typedef struct curve_point {
  double epoch; /* completed so far; within an epoch a fraction */
  double train_loss, train_accuracy, test_loss, test_accuracy;
} curve_point;

typedef struct curve_points {
  curve_point *at; /* owned */
  size_t count, room;
} curve_points;

typedef struct curve {
  char *name; /* owned, or NULL */
  curve_points epochs, steps;
  bool regression;
  double diverged; /* the epoch in which it did; NaN: it did not */
} curve;

curve curve_begin(void);
void curve_free(curve *c);
/* Takes up an EPOCH event, or a STEP event with a loss. An epoch that was there before, with all after it, is replaced:
 * the run was resumed. False without memory. */
bool curve_add(curve *c, const mlp_cl_event *event);
/* Reads a file of `train --log` or `train --json`. Returns an exit status, after a complaint unless it is STATUS_OK. */
int curve_read(const char *path, curve *c);

#endif
