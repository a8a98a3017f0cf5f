/* A BLAS as a worker of compare.py: blas LIBRARY, as `blas libopenblas.so.0`. It is loaded while running, so that none
 * is needed for building. Threads are chosen by the library's own variables. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

/* As all of cblas.h: row-major, no transpose, transpose. */
enum { ROW_MAJOR = 101, AS_IS = 111, TRANSPOSED = 112 };
typedef void sgemm_function(int order, int a_transposed, int b_transposed, int m, int n, int k, float alpha,
                            const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);

typedef struct product {
  sgemm_function *sgemm;
  int a_transposed, b_transposed, m, n, k;
  float *a, *b, *c;
} product;

static void multiply(void *user) {
  const product *p = user;
  int lda = p->a_transposed == AS_IS ? p->k : p->m, ldb = p->b_transposed == AS_IS ? p->n : p->k;
  p->sgemm(ROW_MAJOR, p->a_transposed, p->b_transposed, p->m, p->n, p->k, 1.0f, p->a, lda, p->b, ldb, 0.0f, p->c, p->n);
}

static void set_up(product *p, const request *r) {
  free(p->a);
  free(p->b);
  free(p->c);
  p->a_transposed = r->product == 2 ? TRANSPOSED : AS_IS;
  p->b_transposed = r->product == 1 ? TRANSPOSED : AS_IS;
  p->m = (int)r->m;
  p->n = (int)r->n;
  p->k = (int)r->k;
  p->a = worker_values(r->m * r->k);
  p->b = worker_values(r->k * r->n);
  p->c = worker_values(r->m * r->n);
}

int main(int argc, char **argv) {
  product p = {0};
  request r;
  char last[sizeof r.text] = "";
  void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
  void *symbol = library ? dlsym(library, "cblas_sgemm") : NULL;
  if (!symbol) {
    worker_refuse(argc > 1 ? dlerror() : "usage: blas LIBRARY");
    return EXIT_FAILURE;
  }
  memcpy(&p.sgemm, &symbol, sizeof symbol);
  worker_ready(argv[1]);
  while (worker_next(&r)) {
    if (strcmp(r.work, "matmul") != 0) {
      worker_refuse("a BLAS knows products only");
      continue;
    }
    if (strcmp(r.text, last) != 0) set_up(&p, &r);
    memcpy(last, r.text, sizeof last);
    worker_answer(worker_measure(multiply, NULL, &p, r.seconds), 2.0 * (double)r.m * (double)r.n * (double)r.k);
  }
  free(p.a);
  free(p.b);
  free(p.c);
  dlclose(library);
  return EXIT_SUCCESS;
}
