/* What a value costs by the functions of exact_math.h and by the driver's own: one work-item, vectors of 16, best of
 * many launches on the first device. Prints a table of Markdown. cc -std=gnu11 -O2 tests/bench/functions.c -lOpenCL -o
 * build/functions && build/functions kernels */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINES = 1024, REPEATS = 20, LAUNCHES = 100 };

static const struct {
  const char *name, *exact, *own; /* of the vector v */
} functions[] = {{"exp", "exact_exp(v)", "exp(v)"},
                 {"log", "exact_log(v)", "log(v)"},
                 {"divide", "exact_divide(1.5f, v)", "1.5f / v"},
                 {"sqrt", "exact_sqrt(v)", "sqrt(v)"},
                 {"canonical", "canonical(v, FLOOR_VALUE)", "v"}};

static const char kernel_text[] =
    "#include \"exact_math.h\"\n"
    "kernel void apply(global const float16 *x, global float16 *y, int lines, int repeats) {\n"
    "  for (int i = 0; i < repeats; i++)\n"
    "    for (int j = 0; j < lines; j++) { float16 v = x[j]; y[j] = EXPRESSION; }\n"
    "}\n";

static void check(cl_int code, const char *what) {
  if (code == CL_SUCCESS) return;
  fprintf(stderr, "functions: %s: %d\n", what, (int)code);
  exit(EXIT_FAILURE);
}

static cl_context context;
static cl_device_id device;
static cl_command_queue queue;
static cl_mem x, y;

static cl_kernel build(const char *expression, const char *folder) {
  char options[1024];
  const char *text = kernel_text;
  cl_int code;
  snprintf(options, sizeof options, "-cl-std=CL1.2 -w -I%s -DEXPRESSION=\"(float16)(%s)\"", folder, expression);
  cl_program program = clCreateProgramWithSource(context, 1, &text, NULL, &code);
  check(code, "clCreateProgramWithSource");
  check(clBuildProgram(program, 1, &device, options, NULL, NULL), options);
  cl_kernel kernel = clCreateKernel(program, "apply", &code);
  check(code, "clCreateKernel");
  const cl_int lines = LINES, repeats = REPEATS;
  check(clSetKernelArg(kernel, 0, sizeof x, &x), "clSetKernelArg");
  check(clSetKernelArg(kernel, 1, sizeof y, &y), "clSetKernelArg");
  check(clSetKernelArg(kernel, 2, sizeof lines, &lines), "clSetKernelArg");
  check(clSetKernelArg(kernel, 3, sizeof repeats, &repeats), "clSetKernelArg");
  return kernel;
}

/* Nanoseconds a value, if less than *best. */
static void time_launch(cl_kernel kernel, double *best) {
  const size_t one = 1;
  cl_event event;
  cl_ulong began = 0, ended = 0;
  check(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &one, &one, 0, NULL, &event), "clEnqueueNDRangeKernel");
  check(clWaitForEvents(1, &event), "clWaitForEvents");
  clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_START, sizeof began, &began, NULL);
  clGetEventProfilingInfo(event, CL_PROFILING_COMMAND_END, sizeof ended, &ended, NULL);
  clReleaseEvent(event);
  double ns = (double)(ended - began) / (16.0 * LINES * REPEATS);
  if (ns < *best) *best = ns;
}

int main(int argc, char **argv) {
  static float values[16 * LINES];
  cl_platform_id platform;
  cl_int code;
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) values[i] = 0.01f + (float)(i % 997) * 0.008f;
  check(clGetPlatformIDs(1, &platform, NULL), "clGetPlatformIDs");
  check(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL), "clGetDeviceIDs");
  context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
  check(code, "clCreateContext");
  queue = clCreateCommandQueue(context, device, CL_QUEUE_PROFILING_ENABLE, &code);
  check(code, "clCreateCommandQueue");
  x = clCreateBuffer(context, CL_MEM_COPY_HOST_PTR, sizeof values, values, &code);
  y = clCreateBuffer(context, CL_MEM_READ_WRITE, sizeof values, NULL, &code);
  check(code, "clCreateBuffer");
  printf("| ns a value | exact | the driver's |\n| --- | --- | --- |\n");
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    cl_kernel exact = build(functions[i].exact, argc > 1 ? argv[1] : "kernels");
    cl_kernel own = build(functions[i].own, argc > 1 ? argv[1] : "kernels");
    double exact_ns = 1e9, own_ns = 1e9;
    for (int launch = 0; launch < LAUNCHES; launch++) {
      time_launch(exact, &exact_ns);
      time_launch(own, &own_ns);
    }
    printf("| %s | %.2f | %.2f |\n", functions[i].name, exact_ns, own_ns);
  }
  return EXIT_SUCCESS;
}
