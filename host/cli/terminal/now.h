/* The clock that measures how long something takes. */
#ifndef NOW_H
#define NOW_H

#include <time.h>

/* Seconds since some moment. */
static inline double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
