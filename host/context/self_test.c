#include "context/self_test.h"

#include <string.h>

#include "context/step_test.h"
#include "context/trial.h"
#include "reference/reference.h"

/* A product of a row and a column of length k that are zero but for a few pairs. The wanted value is written down, so
 * it judges the reference too. */
typedef struct rule {
  const char *name;
  mlp_cl_product product;
  size_t k;
  struct {
    size_t index;
    float a, b;
  } pairs[4];
  float wanted;
} rule;

/* 0x1p-24 is half a unit in the last place of 1: added to 1 it vanishes, added to itself first it does not. */
static const rule rules[] = {
    {"ascending sums", MLP_CL_A_B, 3, {{0, 1.0f, 1.0f}, {1, 0x1p-24f, 1.0f}, {2, 0x1p-24f, 1.0f}}, 1.0f},
    {"ascending sums", MLP_CL_A_BT, 3, {{0, 1.0f, 1.0f}, {1, 0x1p-24f, 1.0f}, {2, 0x1p-24f, 1.0f}}, 1.0f},
    /* the rounded product (1 + 2^-12)² would cancel to 0 */
    {"fused multiply-add", MLP_CL_A_B, 2, {{0, -0x1.002p0f, 1.0f}, {1, 0x1.001p0f, 0x1.001p0f}}, 0x1p-24f},
    {"blocks of 256", MLP_CL_A_B, 258, {{0, 1.0f, 1.0f}, {256, 0x1p-24f, 1.0f}, {257, 0x1p-24f, 1.0f}}, 0x1.000002p0f},
    {"blocks of 256", MLP_CL_A_B, 600, {{0, 1.0f, 1.0f}, {256, 0x1p-24f, 1.0f}, {599, 0x1p-24f, 1.0f}}, 1.0f},
    {"leaves of 256", MLP_CL_AT_B, 300, {{0, 1.0f, 1.0f}, {256, 1.0f, 0x1p-24f}, {257, 1.0f, 0x1p-24f}}, 0x1.000002p0f},
    {"tree of leaves",
     MLP_CL_AT_B,
     1024,
     {{0, 1.0f, 1.0f}, {256, 1.0f, 0x1p-24f}, {512, 1.0f, 0x1p-24f}, {768, 1.0f, 0x1p-24f}},
     0x1.000002p0f},
    {"zeros are positive", MLP_CL_A_B, 1, {{0, 0.0f, -1.0f}}, 0.0f},
    {"zeros are positive", MLP_CL_A_B, 2, {{0, 1.0f, 1.0f}, {1, 1.0f, -1.0f}}, 0.0f},
    {"floor of values", MLP_CL_A_B, 1, {{0, -0x1p-15f, 0x1p-15f}}, -0x1p-30f},
    {"floor of values", MLP_CL_A_B, 1, {{0, -0x1p-15f, 0x1.fffffep-16f}}, 0.0f},
    {"floor of gradients", MLP_CL_A_BT, 1, {{0, -0x1p-40f, 0x1p-10f}}, -0x1p-50f},
    {"floor of gradients", MLP_CL_A_BT, 1, {{0, -0x1p-40f, 0x1.fffffep-11f}}, 0.0f},
    {"floor of inputs", MLP_CL_A_B, 1, {{0, 0x1.fffffep-31f, 0x1p20f}}, 0.0f},
    /* subnormal on the way, were it not for the floors */
    {"no subnormals", MLP_CL_AT_B, 2, {{0, 0x1p-30f, 0x1p-50f}, {1, 0x1p-30f, 0x1p-50f}}, 0.0f},
    {"no subnormals", MLP_CL_A_B, 2, {{0, 0x1p-127f, 0x1p100f}, {1, 1.0f, 0x1p-20f}}, 0x1p-20f},
};

#define LONGEST 1024

static bool keeps(tensor_set *set, const rule *r) {
  float a[LONGEST] = {0}, b[LONGEST] = {0}, c;
  for (size_t i = 0; i < sizeof r->pairs / sizeof *r->pairs; i++) {
    if (r->pairs[i].a == 0.0f && r->pairs[i].b == 0.0f) break;
    a[r->pairs[i].index] = r->pairs[i].a;
    b[r->pairs[i].index] = r->pairs[i].b;
  }
  bool forward = r->product == MLP_CL_A_B, column = r->product == MLP_CL_AT_B, row = r->product == MLP_CL_A_BT;
  const tensor *left = tensor_set_add(set, row ? TENSOR_GRADIENT : TENSOR_ACTIVATION, TENSOR_FLOAT32, column ? r->k : 1,
                                      column ? 1 : r->k, a);
  const tensor *right =
      tensor_set_add(set, column ? TENSOR_GRADIENT : TENSOR_WEIGHT, TENSOR_FLOAT32, row ? 1 : r->k, row ? r->k : 1, b);
  tensor *product = tensor_set_add(set, forward ? TENSOR_ACTIVATION : TENSOR_GRADIENT, TENSOR_FLOAT32, 1, 1, NULL);
  DO(set, matmul, r->product, left, right, product);
  tensor_set_read(set, product, &c);
  return set->status != MLP_CL_OK || memcmp(&c, &r->wanted, sizeof c) == 0;
}

static mlp_cl_status find_broken_rule(backend *tested, const char **broken, mlp_cl_error *error) {
  for (size_t i = 0; i < sizeof rules / sizeof *rules && *broken == NULL; i++) {
    tensor_set set;
    tensor_set_begin(&set, tested, error);
    if (!keeps(&set, &rules[i])) *broken = rules[i].name;
    TRY(tensor_set_end(&set));
  }
  return MLP_CL_OK;
}

/* A loss that is not finite must lower the flag to its step, and one that is finite must not. */
static mlp_cl_status find_broken_flag(backend *tested, const char **broken, mlp_cl_error *error) {
  uint32_t quiet_bits = 0x7fc00000u;
  float nan;
  memcpy(&nan, &quiet_bits, sizeof nan);
  const float logits[2][2] = {{1.0f, 2.0f}, {1.0f, nan}};
  const int32_t labels[2] = {0, 0}, none = -1;
  int32_t flags[2] = {0, 0};
  for (size_t rows = 1; rows <= 2; rows++) {
    tensor_set set;
    tensor_set_begin(&set, tested, error);
    cross_entropy c = {.rows = rows,
                       .logits = tensor_set_add(&set, TENSOR_ACTIVATION, TENSOR_FLOAT32, 2, 2, logits),
                       .labels = tensor_set_add(&set, TENSOR_PLAIN, TENSOR_INT32, 1, 2, labels),
                       .losses = tensor_set_add(&set, TENSOR_PLAIN, TENSOR_FLOAT32, 1, 2, NULL),
                       .predictions = tensor_set_add(&set, TENSOR_PLAIN, TENSOR_INT32, 1, 2, NULL),
                       .scale = 1.0f,
                       .flag = tensor_set_add(&set, TENSOR_PLAIN, TENSOR_INT32, 1, 1, &none),
                       .step = 5};
    DO(&set, cross_entropy, &c);
    tensor_set_read(&set, c.flag, &flags[rows - 1]);
    TRY(tensor_set_end(&set));
  }
  if (flags[0] != none || flags[1] != 5) *broken = "flag of values that are not finite";
  return MLP_CL_OK;
}

/* Inside one tile and beyond it; five leaves; two blocks of inputs, and of outputs, for some rows and for one. */
static const trial_shape shapes[] = {{5, 19, 18}, {1030, 5, 17}, {5, 260, 3}, {3, 5, 260}, {1, 260, 3}, {1, 5, 260}};

static mlp_cl_status try_shapes(const trial *tried, backend *tested, backend *reference, const char **broken,
                                mlp_cl_error *error) {
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes && *broken == NULL; i++) {
    trial_result result = {0};
    TRY(trial_compare(tried, shapes[i], tested, reference, &result, error));
    if (result.mismatches > 0) *broken = tried->name;
  }
  return MLP_CL_OK;
}

static mlp_cl_status find_broken_operation(backend *tested, backend *reference, const char **broken,
                                           mlp_cl_error *error) {
  for (size_t i = 0; i < trials_count && *broken == NULL; i++)
    TRY(try_shapes(&trials[i], tested, reference, broken, error));
  return MLP_CL_OK;
}

mlp_cl_status self_test_steps(backend *tested, step_kind kind, const char **broken, bool *taken, mlp_cl_error *error) {
  *broken = NULL;
  *taken = false;
  for (size_t i = 0; i < STEP_TESTS_COUNT && *broken == NULL; i++) {
    if (step_tests[i].kind != kind) continue;
    uint64_t sum = 0;
    bool took;
    TRY(step_test_run(&step_tests[i], tested, &sum, &took, error));
    if (took && sum != step_tests[i].sum) *broken = "whole training steps";
    *taken |= took;
  }
  return MLP_CL_OK;
}

mlp_cl_status self_test_seldom(backend *tested, uint64_t chosen, const char **broken, mlp_cl_error *error) {
  *broken = NULL;
  backend *reference = NULL;
  TRY(reference_open(&reference, error));
  mlp_cl_status status = MLP_CL_OK;
  for (size_t k = 0; status == MLP_CL_OK && *broken == NULL && take_products(tested, k); k++)
    for (size_t i = 0; status == MLP_CL_OK && *broken == NULL && i < seldom_trials_count; i++)
      if ((chosen >> i & 1) != 0) status = try_shapes(&seldom_trials[i], tested, reference, broken, error);
  take_products(tested, KERNELS_BY_SIZE);
  reference->op->close(reference);
  return status;
}

mlp_cl_status self_test(backend *tested, const char **broken, mlp_cl_error *error) {
  *broken = NULL;
  backend *reference = NULL;
  TRY(reference_open(&reference, error));
  mlp_cl_status status = find_broken_flag(tested, broken, error);
  for (size_t i = 0; status == MLP_CL_OK && *broken == NULL && take_products(tested, i); i++) {
    status = find_broken_rule(tested, broken, error);
    if (status == MLP_CL_OK && *broken == NULL) status = find_broken_operation(tested, reference, broken, error);
  }
  take_products(tested, KERNELS_BY_SIZE);
  reference->op->close(reference);
  return status;
}
