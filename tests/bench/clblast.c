/* CLBlast as a worker of compare.py, on the same OpenCL device: clblast INDEX, counted over all platforms. */
#include <clblast_c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

enum { PLATFORMS_MAX = 16, DEVICES_MAX = 64 };

typedef struct product {
  cl_context context;
  cl_command_queue queue;
  CLBlastTranspose a_transposed, b_transposed;
  size_t m, n, k;
  cl_mem a, b, c;
  int failed;
} product;

static cl_device_id find_device(unsigned index) {
  cl_platform_id platforms[PLATFORMS_MAX];
  cl_uint platforms_count = 0;
  clGetPlatformIDs(PLATFORMS_MAX, platforms, &platforms_count);
  for (cl_uint i = 0; i < platforms_count && i < PLATFORMS_MAX; i++) {
    cl_device_id devices[DEVICES_MAX];
    cl_uint count = 0;
    if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, DEVICES_MAX, devices, &count) != CL_SUCCESS) continue;
    if (index < count) return devices[index];
    index -= count;
  }
  return NULL;
}

static void multiply(void *user) {
  product *p = user;
  size_t lda = p->a_transposed == CLBlastTransposeNo ? p->k : p->m;
  size_t ldb = p->b_transposed == CLBlastTransposeNo ? p->n : p->k;
  if (CLBlastSgemm(CLBlastLayoutRowMajor, p->a_transposed, p->b_transposed, p->m, p->n, p->k, 1.0f, p->a, 0, lda, p->b,
                   0, ldb, 0.0f, p->c, 0, p->n, &p->queue, NULL) != CLBlastSuccess)
    p->failed = 1;
}

static void finish(void *user) {
  clFinish(((product *)user)->queue);
}

static cl_mem upload(const product *p, size_t count) {
  float *values = worker_values(count);
  cl_mem buffer =
      clCreateBuffer(p->context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, count * sizeof *values, values, NULL);
  free(values);
  return buffer;
}

static void release(product *p) {
  cl_mem buffers[] = {p->a, p->b, p->c};
  for (int i = 0; i < 3; i++)
    if (buffers[i]) clReleaseMemObject(buffers[i]);
}

static void set_up(product *p, const request *r) {
  release(p);
  p->a_transposed = r->product == 2 ? CLBlastTransposeYes : CLBlastTransposeNo;
  p->b_transposed = r->product == 1 ? CLBlastTransposeYes : CLBlastTransposeNo;
  p->m = r->m;
  p->n = r->n;
  p->k = r->k;
  p->a = upload(p, r->m * r->k);
  p->b = upload(p, r->k * r->n);
  p->c = upload(p, r->m * r->n);
}

int main(int argc, char **argv) {
  product p = {0};
  request r;
  char last[sizeof r.text] = "", name[256] = "?";
  cl_device_id device = find_device(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0);
  if (device) p.context = clCreateContext(NULL, 1, &device, NULL, NULL, NULL);
  if (p.context) p.queue = clCreateCommandQueue(p.context, device, 0, NULL);
  if (!p.queue) {
    worker_refuse("there is no such OpenCL device");
    return EXIT_FAILURE;
  }
  clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name, name, NULL);
  char text[300];
  snprintf(text, sizeof text, "CLBlast on %s", name);
  worker_ready(text);
  while (worker_next(&r)) {
    if (strcmp(r.work, "matmul") != 0) {
      worker_refuse("CLBlast knows products only");
      continue;
    }
    if (strcmp(r.text, last) != 0) set_up(&p, &r);
    memcpy(last, r.text, sizeof last);
    p.failed = !p.a || !p.b || !p.c;
    double microseconds = p.failed ? 0 : worker_measure(multiply, finish, &p, r.seconds);
    if (p.failed)
      worker_refuse("CLBlast failed");
    else
      worker_answer(microseconds, 2.0 * (double)r.m * (double)r.n * (double)r.k);
  }
  release(&p);
  clReleaseCommandQueue(p.queue);
  clReleaseContext(p.context);
  return EXIT_SUCCESS;
}
