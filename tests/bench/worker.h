/* What the C workers of compare.py share. A worker reads requests, a line each, and answers each with the median
 * microseconds of one piece of work; a request is timed anew every time, its setup is kept while requests repeat:
 *   matmul a_b|a_bt|at_b M N K SECONDS       train|adam|predict WIDTHS BATCH SECONDS       fma SECONDS */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stddef.h>

enum { WORKER_WIDTHS_MAX = 16 };

typedef struct request {
  char text[256]; /* all but the seconds: what to compare with the last request */
  char work[16];
  int product; /* 0: a (m,k) · b (k,n), 1: a (m,k) · bᵀ, b (n,k), 2: aᵀ · b, a (k,m), b (k,n) */
  size_t m, n, k;
  size_t widths[WORKER_WIDTHS_MAX], widths_count, batch;
  double seconds;
} request;

/* Says that the worker is ready, under what name and version. */
void worker_ready(const char *name);
/* The next request; false at the end of the input. What cannot be read is answered and skipped. */
bool worker_next(request *r);
/* Understands a request of `count` words. */
bool worker_read(request *r, char **words, int count);
void worker_answer(double microseconds, double flops);
/* Says why there is no answer. */
void worker_refuse(const char *why);

/* Median microseconds of `once`, enqueued or done in a row for some 20 ms a sample and ended by `finish` (or NULL). */
double worker_measure(void (*once)(void *), void (*finish)(void *), void *user, double seconds);
/* count values in [0, 1); never NULL. */
float *worker_values(size_t count);

#endif
