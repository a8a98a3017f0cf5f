/* See worker.h. */
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WORDS_MAX = 8, SAMPLES_MAX = 4096 };

void worker_ready(const char *name) {
  printf("ready %s\n", name);
  fflush(stdout);
}

void worker_answer(double microseconds, double flops) {
  printf("%.4f %.3f\n", microseconds, flops / microseconds * 1e-3);
  fflush(stdout);
}

void worker_refuse(const char *why) {
  printf("error %s\n", why);
  fflush(stdout);
}

static size_t read_widths(char *text, size_t widths[WORKER_WIDTHS_MAX]) {
  size_t count = 0;
  char *rest = NULL;
  for (char *part = strtok_r(text, ",", &rest); part && count < WORKER_WIDTHS_MAX; part = strtok_r(NULL, ",", &rest))
    widths[count++] = strtoul(part, NULL, 10);
  return count;
}

bool worker_read(request *r, char **words, int count) {
  static const char *const products[] = {"a_b", "a_bt", "at_b"};
  *r = (request){.product = -1};
  if (count < 2) return false;
  for (int i = 0; i + 1 < count; i++) {
    size_t used = strlen(r->text);
    snprintf(r->text + used, sizeof r->text - used, "%s ", words[i]);
  }
  snprintf(r->work, sizeof r->work, "%s", words[0]);
  r->seconds = strtod(words[count - 1], NULL);
  if (strcmp(r->work, "fma") == 0) return count == 2;
  if (strcmp(r->work, "matmul") == 0 && count == 6) {
    for (int i = 0; i < 3; i++)
      if (strcmp(words[1], products[i]) == 0) r->product = i;
    r->m = strtoul(words[2], NULL, 10);
    r->n = strtoul(words[3], NULL, 10);
    r->k = strtoul(words[4], NULL, 10);
    return r->product >= 0 && r->m > 0 && r->n > 0 && r->k > 0;
  }
  bool training = strcmp(r->work, "train") == 0 || strcmp(r->work, "adam") == 0;
  bool network = (training || strcmp(r->work, "predict") == 0) && count == 4;
  if (!network) return false;
  r->widths_count = read_widths(words[1], r->widths);
  r->batch = strtoul(words[2], NULL, 10);
  return r->widths_count >= 2 && r->batch > 0;
}

bool worker_next(request *r) {
  char line[256];
  while (fgets(line, sizeof line, stdin)) {
    char *words[WORDS_MAX], *rest = NULL;
    int count = 0;
    for (char *word = strtok_r(line, " \n", &rest); word && count < WORDS_MAX; word = strtok_r(NULL, " \n", &rest))
      words[count++] = word;
    if (worker_read(r, words, count)) return true;
    worker_refuse("this is no request");
  }
  return false;
}

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double sample(void (*once)(void *), void (*finish)(void *), void *user, size_t times) {
  double began = now_s();
  for (size_t i = 0; i < times; i++) once(user);
  if (finish) finish(user);
  return now_s() - began;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

double worker_measure(void (*once)(void *), void (*finish)(void *), void *user, double seconds) {
  static const double sample_s = 0.02;
  double samples[SAMPLES_MAX], began = now_s();
  size_t times = 1, count = 0;
  sample(once, finish, user, times);
  while (sample(once, finish, user, times) < 0.7 * sample_s) times *= 2;
  while (count < 3 || (count < SAMPLES_MAX && now_s() - began < seconds))
    samples[count++] = sample(once, finish, user, times) / (double)times;
  qsort(samples, count, sizeof *samples, by_value);
  return samples[count / 2] * 1e6;
}

float *worker_values(size_t count) {
  float *values = malloc(count * sizeof *values);
  unsigned state = 1;
  if (!values) exit(EXIT_FAILURE);
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = (float)(state >> 8) * 0x1p-24f;
  }
  return values;
}
