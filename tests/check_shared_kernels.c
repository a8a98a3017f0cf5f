/* exact_math.h and philox.h compiled by a device's compiler, scalar and as vectors of 16, with our quotients and roots
 * and with the device's own, against the same text compiled as C: bit for bit, also on NaN, infinities, subnormals and
 * negative zeros. */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exact_math.h"
#include "philox.h"
#include "test.h"

/* One small program per function, since some compilers take minutes over a large one with wide vectors. */
static const char source[] =
    "#include \"exact_math.h\"\n"
    "#include \"philox.h\"\n"
    "kernel void results(global const VALUE *as, global const VALUE *bs, global WORD *y) {\n"
    "  VALUE a = as[get_global_id(0)], b = bs[get_global_id(0)];\n"
    "  y[get_global_id(0)] = RESULT;\n"
    "}\n";

/* As vectors of words in the low halves of 64-bit lanes: the even ones, then the odd ones. */
static const char philox_source[] =
    "#include \"philox.h\"\n"
    "#if VECTOR\n"
    "#define LANE ulong8\n"
    "#else\n"
    "#define LANE uint\n"
    "#endif\n"
    "static inline LANE mixed_lanes(LANE a, LANE b) {\n"
    "  LANE w[4] = {a, (LANE)(7u), b, (LANE)(PHILOX_STREAM(PHILOX_SHUFFLE, 5u))};\n"
    "  philox4x32_10(w, 0x12345678u, 0x9abcdef0u);\n"
    "  return w[0] ^ (w[1] << 1) ^ (w[2] << 2) ^ (w[3] << 3);\n"
    "}\n"
    "#if VECTOR\n"
    "static inline uint16 mixed(uint16 a, uint16 b) {\n"
    "  ulong8 x = as_ulong8(a), y = as_ulong8(b);\n"
    "  return as_uint16((mixed_lanes(x, y) & 0xffffffffUL) | (mixed_lanes(x >> 32, y >> 32) << 32));\n"
    "}\n"
    "#else\n"
    "#define mixed mixed_lanes\n"
    "#endif\n"
    "kernel void results(global const WORD *as, global const WORD *bs, global WORD *y) {\n"
    "  y[get_global_id(0)] = mixed(as[get_global_id(0)], bs[get_global_id(0)]);\n"
    "}\n";

static uint32_t philox_wanted(float a, float b) {
  uint32_t w[4] = {exact_as_uint(a), 7, exact_as_uint(b), PHILOX_STREAM(PHILOX_SHUFFLE, 5u)};
  philox4x32_10(w, 0x12345678u, 0x9abcdef0u);
  return w[0] ^ (w[1] << 1) ^ (w[2] << 2) ^ (w[3] << 3);
}

static uint32_t exp_wanted(float a, float b) {
  return (void)b, exact_as_uint(exact_exp(a));
}
static uint32_t log_wanted(float a, float b) {
  return (void)b, exact_as_uint(exact_log(a));
}
static uint32_t divide_wanted(float a, float b) {
  return exact_as_uint(exact_divide(a, b));
}

/* Numerators in [2^-14, 2^-13), denominators in [1, 2). */
static uint32_t quotient_wanted(float a, float b) {
  float n = exact_as_real((exact_as_uint(a) & 0x7fffffu) | 0x38800000u);
  float d = exact_as_real((exact_as_uint(b) & 0x7fffffu) | 0x3f800000u);
  return exact_as_uint(n / d);
}
#define QUOTIENT                                                                    \
  "exact_quotient(OF(AS(a)&0x7fffffu|0x38800000u),OF(AS(b)&0x7fffffu|0x3f800000u)," \
  "exact_divide((VALUE)(1.0f),OF(AS(b)&0x7fffffu|0x3f800000u)))"

static uint32_t sqrt_wanted(float a, float b) {
  return (void)b, exact_as_uint(exact_sqrt(a));
}

/* [0, 2). */
static uint32_t root_wanted(float a, float b) {
  float x = exact_as_real(exact_as_uint(a) & 0x3fffffffu);
  return (void)b, exact_as_uint(x < 0x1p-100f ? 0.0f : sqrtf(x));
}
static uint32_t reciprocal_wanted(float a, float b) {
  return (void)a, exact_as_uint(1.0f / exact_as_real((exact_as_uint(b) & 0x7fffffu) | 0x3f800000u));
}
#define RECIPROCAL "exact_reciprocal(OF(AS(b)&0x7fffffu|0x3f800000u))"
#define ROOT "exact_root(OF(AS(a)&0x3fffffffu))"
#define RATIO "exact_ratio(OF(AS(a)&0x7fffffu|0x38800000u),OF(AS(b)&0x7fffffu|0x3f800000u))"

static uint32_t canonical_wanted(float a, float b) {
  return (void)b, exact_as_uint(canonical(a, FLOOR_VALUE));
}

/* Constants are folded by the compiler, on the host: its arithmetic has to be the device's. The arguments are those
 * with the largest errors, and one whose product is between two floats. */
static uint32_t folded_wanted(float a, float b) {
  (void)a, (void)b;
  volatile float x = -0x1.7838ecp+2f, y = 0x1.5b9282p+1f, one = 1.0f, three = 3.0f, near = 0x1.001p0f;
  return exact_as_uint(exact_exp(x)) ^ exact_as_uint(exact_log(y)) ^ exact_as_uint(exact_divide(one, three)) ^
         exact_as_uint(exact_sqrt(three)) ^ exact_as_uint(fmaf(near, near, -0x1.002p0f));
}
#define FOLDED                                                                   \
  "exact_exp((VALUE)(-0x1.7838ecp+2f)))^AS(exact_log((VALUE)(0x1.5b9282p+1f)))^" \
  "AS(exact_divide((VALUE)(1.0f),(VALUE)(3.0f)))^AS(exact_sqrt((VALUE)(3.0f)))^" \
  "AS(fma((VALUE)(0x1.001p0f),(VALUE)(0x1.001p0f),(VALUE)(-0x1.002p0f))"

/* Not fused, whatever the driver's defaults: the product is rounded before it is an operand. */
static uint32_t unfused_wanted(float a, float b) {
  volatile float product = a * b;
  return exact_as_uint(canonical(product - 1.0f, FLOOR_VALUE));
}

/* Neither is the sum: (a + b) - b is not a. */
static uint32_t unassociated_wanted(float a, float b) {
  volatile float sum = a + b;
  return exact_as_uint(canonical(sum - b, FLOOR_VALUE));
}

typedef struct shared_function {
  const char *name, *source, *result;
  uint32_t (*wanted)(float a, float b);
  bool any_nan; /* payloads are the device's own */
} shared_function;

static const shared_function functions[] = {
    {"exact_exp", source, "exact_exp(a)", exp_wanted, false},
    {"exact_log", source, "exact_log(a)", log_wanted, false},
    {"exact_divide", source, "exact_divide(a,b)", divide_wanted, false},
    {"exact_quotient", source, QUOTIENT, quotient_wanted, false},
    {"exact_sqrt", source, "exact_sqrt(a)", sqrt_wanted, false},
    {"exact_reciprocal", source, RECIPROCAL, reciprocal_wanted, false},
    {"exact_ratio", source, RATIO, quotient_wanted, false},
    {"exact_root", source, ROOT, root_wanted, false},
    {"canonical", source, "canonical(a,FLOOR_VALUE)", canonical_wanted, true},
    {"constants", source, FOLDED, folded_wanted, false},
    {"a·b - 1", source, "canonical(a*b-(VALUE)(1.0f),FLOOR_VALUE)", unfused_wanted, true},
    {"(a + b) - b", source, "canonical((a+b)-b,FLOOR_VALUE)", unassociated_wanted, true},
    {"philox4x32_10", philox_source, "", philox_wanted, false},
};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

static size_t trials(void) {
  return test_small() ? 1 << 13 : 1 << 17;
}

/* NULL: there is none. */
static cl_device_id first_device(void) {
  cl_platform_id platforms[16];
  cl_uint count = 0;
  clGetPlatformIDs(16, platforms, &count);
  for (cl_uint i = 0; i < count && i < 16; i++) {
    cl_device_id device;
    if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &device, NULL) == CL_SUCCESS) return device;
  }
  return NULL;
}

/* Whether there is a device whose own quotients and roots are correctly rounded when that is asked for. */
static bool divides_correctly(void) {
  cl_device_id device = first_device();
  cl_device_fp_config config = 0;
  if (device != NULL) clGetDeviceInfo(device, CL_DEVICE_SINGLE_FP_CONFIG, sizeof config, &config, NULL);
  return (config & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT) != 0;
}

/* How the text is compiled. */
typedef struct form {
  bool vector, divides; /* by the device's own / and sqrt */
} form;
static const form forms[] = {{false, false}, {true, false}, {false, true}, {true, true}};
enum { FORMS = sizeof forms / sizeof *forms };

static void ck_cl(cl_int code, const char *what) {
  if (code != CL_SUCCESS) ck_abort_msg("%s: OpenCL error %d", what, code);
}

static cl_program build(cl_context context, cl_device_id device, const shared_function *f, form in) {
  bool vector = in.vector;
  char options[1024];
  snprintf(options, sizeof options,
           "-cl-std=CL1.2 %s -I %s -DVECTOR=%d -DVALUE=%s -DWORD=%s -DAS=%s -DOF=%s -DRESULT=AS(%s)",
           in.divides ? "-cl-fp32-correctly-rounded-divide-sqrt -DCORRECT_DIVISION=1" : "", MLP_CL_KERNELS_DIR, vector,
           vector ? "float16" : "float", vector ? "uint16" : "uint", vector ? "as_uint16" : "as_uint",
           vector ? "as_float16" : "as_float", f->result);
  cl_int code;
  cl_program program = clCreateProgramWithSource(context, 1, (const char **)(uintptr_t)&f->source, NULL, &code);
  ck_cl(code, "clCreateProgramWithSource");
  code = clBuildProgram(program, 1, &device, options, NULL, NULL);
  if (code != CL_SUCCESS) {
    static char log[8192];
    clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, sizeof log - 1, log, NULL);
    ck_abort_msg("clBuildProgram: %d\n%s", code, log);
  }
  return program;
}

static cl_mem buffer(cl_context context, size_t bytes, void *content) {
  cl_int code;
  cl_mem made =
      clCreateBuffer(context, CL_MEM_READ_WRITE | (content != NULL ? CL_MEM_COPY_HOST_PTR : 0), bytes, content, &code);
  ck_cl(code, "clCreateBuffer");
  return made;
}

static void run(const shared_function *f, form in, const float *a, const float *b, uint32_t *y) {
  cl_device_id device = first_device();
  if (device == NULL) ck_abort_msg("there is no OpenCL device");
  cl_int code;
  cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
  ck_cl(code, "clCreateContext");
  cl_command_queue queue = clCreateCommandQueue(context, device, 0, &code);
  ck_cl(code, "clCreateCommandQueue");
  cl_program program = build(context, device, f, in);
  cl_kernel kernel = clCreateKernel(program, "results", &code);
  ck_cl(code, "clCreateKernel");
  size_t bytes = trials() * sizeof *y, global = trials() / (in.vector ? 16 : 1);
  cl_mem memory[3] = {buffer(context, bytes, (void *)(uintptr_t)a), buffer(context, bytes, (void *)(uintptr_t)b),
                      buffer(context, bytes, y)};
  for (cl_uint i = 0; i < 3; i++) ck_cl(clSetKernelArg(kernel, i, sizeof memory[i], &memory[i]), "clSetKernelArg");
  ck_cl(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &global, NULL, 0, NULL, NULL), "clEnqueueNDRangeKernel");
  ck_cl(clEnqueueReadBuffer(queue, memory[2], CL_TRUE, 0, bytes, y, 0, NULL, NULL), "clEnqueueReadBuffer");
  for (size_t i = 0; i < 3; i++) clReleaseMemObject(memory[i]);
  clReleaseKernel(kernel);
  clReleaseProgram(program);
  clReleaseCommandQueue(queue);
  clReleaseContext(context);
}

static const uint32_t edges[] = {0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x80800000,
                                 0x00800001, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000,
                                 0x7f800001, 0x3f800000, 0xbf800000, 0x3fffffff, 0x3f7fffff, 0x42b17217, 0x42b17218,
                                 0xc2aeac4f, 0xc2aeac50, 0x30800000, 0x307fffff, 0xb07fffff};

/* Every pair of edges; then arbitrary bit patterns and moderate values. */
static void fill(float *a, float *b) {
  size_t count = sizeof edges / sizeof *edges;
  test_random r = {.state = 3};
  test_random_fill(&r, a, trials(), 80.0f);
  test_random_fill(&r, b, trials(), 4.0f);
  for (size_t i = 0; i < trials() / 2; i++) {
    a[i] = exact_as_real(i < count * count ? edges[i / count] : test_random_bits(&r));
    b[i] = exact_as_real(i < count * count ? edges[i % count] : test_random_bits(&r));
  }
}

static bool is_nan(uint32_t bits) {
  return (bits & 0x7fffffffu) > 0x7f800000u;
}

START_TEST(same_bits) {
  const shared_function *f = &functions[_i % FUNCTIONS];
  const form in = forms[_i / FUNCTIONS];
  float *a = test_floats(trials()), *b = test_floats(trials());
  fill(a, b);
  uint32_t *got = malloc(trials() * sizeof *got);
  ck_assert(got != NULL);
  memset(got, 0xa5, trials() * sizeof *got);
  run(f, in, a, b, got);
  for (size_t i = 0; i < trials(); i++) {
    uint32_t wanted = f->wanted(a[i], b[i]);
    if (got[i] != wanted && !(f->any_nan && is_nan(got[i]) && is_nan(wanted)))
      ck_abort_msg("%s%s%s of %a and %a is %08x, not %08x", in.divides ? "the device's " : "",
                   in.vector ? "vector " : "", f->name, (double)a[i], (double)b[i], got[i], wanted);
  }
  free(a);
  free(b);
  free(got);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("shared_kernels");
  TCase *cases = tcase_create("shared_kernels");
  tcase_set_timeout(cases, 300);
  bool divides = divides_correctly();
  for (int i = 0; i < FORMS; i++) {
    /* llvmpipe takes a minute and a gigabyte to compile a vector of them; its kernels use the scalar forms only. */
    if ((forms[i].vector && test_small()) || (forms[i].divides && !divides)) continue;
    tcase_add_loop_test(cases, same_bits, i * FUNCTIONS, (i + 1) * FUNCTIONS);
  }
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
