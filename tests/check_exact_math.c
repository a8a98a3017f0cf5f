/* exact_math.h as C: exp and log against double precision, divide and sqrt against C's own operators. A sample in each
 * run; with MLP_CL_EXHAUSTIVE=1 every float32 there is, with the largest errors printed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "exact_math.h"
#include "test.h"

static bool exhaustive(void) {
  const char *value = getenv("MLP_CL_EXHAUSTIVE");
  return value != NULL && value[0] != '\0' && value[0] != '0';
}

static const float infinity = INFINITY;

static float quiet_nan(void) {
  return exact_as_real(0x7fc00000u);
}

/* ---- The build ------------------------------------------------------------------------------------------------- */

START_TEST(fma_rounds_once) {
  volatile float a = 0x1.001p0f, tiny = 0x1p-70f;
  ck_assert_uint_eq(exact_as_uint(EXACT_FMA(a, a, tiny)), exact_as_uint(0x1.002002p0f));
  /* The double fma rounds to the tie first, and so falls to the even side: what the test above would catch. */
  ck_assert_uint_eq(exact_as_uint((float)fma((double)a, (double)a, (double)tiny)), exact_as_uint(0x1.002p0f));
}
END_TEST

START_TEST(products_are_not_contracted) {
  volatile float a = 0x1.001p0f, b = -0x1.002p0f;
  float x = a, sum = x * x + b;
  ck_assert_uint_eq(exact_as_uint(sum), exact_as_uint(0.0f));
  ck_assert_uint_eq(exact_as_uint(EXACT_FMA(x, x, b)), exact_as_uint(0x1p-24f));
}
END_TEST

START_TEST(sums_are_not_reassociated) {
  volatile float big = 0x1p24f, one = 1.0f;
  ck_assert_uint_eq(exact_as_uint((big + one) - big), exact_as_uint(0.0f));
}
END_TEST

START_TEST(canonical_values) {
  static const struct {
    float x, wanted;
  } cases[] = {
      {-0.0f, 0.0f},        {0x1p-149f, 0.0f},      {-0x1p-149f, 0.0f},       {0x1.fffffep-31f, 0.0f},
      {0x1p-30f, 0x1p-30f}, {-0x1p-30f, -0x1p-30f}, {-0x1.fffffep-31f, 0.0f}, {1.0f, 1.0f},
      {INFINITY, INFINITY}, {-INFINITY, -INFINITY}, {-3.0f, -3.0f},           {0x1.fffffep127f, 0x1.fffffep127f},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    float got = canonical(cases[i].x, FLOOR_VALUE);
    ck_same_bits(&got, &cases[i].wanted, 1, "canonical");
  }
  ck_assert(isnan(canonical(quiet_nan(), FLOOR_VALUE)));
  ck_assert_uint_eq(exact_as_uint(canonical(0x1p-50f, FLOOR_GRADIENT)), exact_as_uint(0x1p-50f));
  ck_assert_uint_eq(exact_as_uint(canonical(0x1.fffffep-51f, FLOOR_GRADIENT)), 0);
}
END_TEST

/* ---- exp and log ----------------------------------------------------------------------------------------------- */

/* |got - exact| in units in the last place of a float near `exact`. */
static double ulps(float got, double exact) {
  int exponent;
  frexp(exact, &exponent);
  return ldexp(fabs((double)got - exact), 24 - exponent);
}

/* What the result must be where it is not a matter of ulps. */
static bool exp_edge(float x, double exact, float *wanted) {
  if (isnan(x)) return *wanted = quiet_nan(), true;
  if (exact < 0x1p-126) return *wanted = 0.0f, true;
  if (exact >= 0x1.ffffffp127) return *wanted = infinity, true;
  return false;
}

static bool log_edge(float x, double exact, float *wanted) {
  (void)exact;
  if (fabsf(x) < 0x1p-126f) return *wanted = -infinity, true;
  if (isnan(x) || x < 0) return *wanted = quiet_nan(), true;
  if (x == infinity || x == 1.0f) return *wanted = x == 1.0f ? 0.0f : infinity, true;
  return false;
}

typedef struct unary {
  const char *name;
  float (*function)(float);
  double (*oracle)(double);
  bool (*edge)(float x, double exact, float *wanted);
} unary;

static float call_exp(float x) {
  return exact_exp(x);
}
static float call_log(float x) {
  return exact_log(x);
}

static const unary unaries[] = {{"exact_exp", call_exp, exp, exp_edge}, {"exact_log", call_log, log, log_edge}};

START_TEST(exp_and_log) {
  const unary *u = &unaries[_i];
  double worst = 0;
  float worst_x = 0;
  uint64_t stride = exhaustive() ? 1 : 1021;
  for (uint64_t bits = 0; bits < UINT64_C(1) << 32; bits += stride) {
    float x = exact_as_real((uint32_t)bits), got = u->function(x), wanted;
    double exact = u->oracle((double)x);
    if (u->edge(x, exact, &wanted)) { /* no ck_assert in such loops: even a passing one writes to a pipe */
      if (exact_as_uint(got) != exact_as_uint(wanted))
        ck_abort_msg("%s(%a) is %a, not %a", u->name, (double)x, (double)got, (double)wanted);
      continue;
    }
    double error = ulps(got, exact);
    if (error > worst) worst = error, worst_x = x;
    if (!(error <= 1)) ck_abort_msg("%s(%a) is %a, which is %.3f ulp off", u->name, (double)x, (double)got, error);
  }
  ck_assert_msg(worst > 0.5, "%s: worst error of %.3f ulp: is the oracle the function itself?", u->name, worst);
  if (exhaustive()) printf("%s: all float32, at most %.5f ulp, at %a\n", u->name, worst, (double)worst_x);
}
END_TEST

START_TEST(exp_and_log_at_edges) {
  static const struct {
    float (*function)(float);
    float x, wanted;
  } cases[] = {
      {call_exp, 0.0f, 1.0f},
      {call_exp, -0.0f, 1.0f},
      {call_exp, 0x1p-149f, 1.0f},
      {call_exp, INFINITY, INFINITY},
      {call_exp, -INFINITY, 0.0f},
      {call_exp, 0x1.62e43p6f, INFINITY},
      {call_exp, -0x1.5d58ap6f, 0.0f},
      {call_exp, 0x1.fffffep127f, INFINITY},
      {call_exp, -0x1.fffffep127f, 0.0f},
      {call_log, 1.0f, 0.0f},
      {call_log, 0.0f, -INFINITY},
      {call_log, -0.0f, -INFINITY},
      {call_log, 0x1p-149f, -INFINITY},
      {call_log, -0x1p-149f, -INFINITY},
      {call_log, INFINITY, INFINITY},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    float got = cases[i].function(cases[i].x);
    ck_same_bits(&got, &cases[i].wanted, 1, "exp or log at an edge");
  }
  float nans[] = {exact_exp(-NAN),       exact_exp(exact_as_real(0x7f800001u)), exact_log(-1.0f), exact_log(-INFINITY),
                  exact_log(-0x1p-126f), exact_log(exact_as_real(0xffffffffu))};
  for (size_t i = 0; i < sizeof nans / sizeof *nans; i++) ck_assert_uint_eq(exact_as_uint(nans[i]), 0x7fc00000u);
}
END_TEST

/* ---- divide and sqrt ------------------------------------------------------------------------------------------- */

static uint64_t divide_edges;

/* C's a / b where the contract says nothing else. */
static float divide_wanted(float a, float b) {
  if (fabsf(a) < 0x1p-126f) a = 0;
  if (fabsf(b) < 0x1p-126f) b = copysignf(0.0f, b);
  float quotient = a / b;
  if (isnan(quotient)) return quiet_nan();
  if (fabsf(quotient) < 0x1p-126f) return 0.0f;
  return quotient;
}

static void expect_quotient(float a, float b) {
  float got = exact_divide(a, b), wanted = divide_wanted(a, b);
  if (exact_as_uint(got) == exact_as_uint(wanted)) return;
  /* The one place where ours is 0 and IEEE's is not: it rounds up to the least normal number, by its coarser grid. */
  if (got == 0 && fabsf(wanted) == 0x1p-126f && fabs((double)a / (double)b) < 0x1p-126) {
    divide_edges++;
    return;
  }
  ck_abort_msg("exact_divide(%a, %a) is %a, not %a", (double)a, (double)b, (double)got, (double)wanted);
}

START_TEST(reciprocal_of_every_significand) {
  for (uint32_t i = 0; i < 1u << 23; i++) expect_quotient(1.0f, exact_as_real(0x3f800000u | i));
}
END_TEST

/* Significands that round badly: few ones, few zeros, near the ends. */
static uint32_t awkward(test_random *r) {
  uint32_t kind = test_random_bits(r) % 5, bits = test_random_bits(r) & 0x7fffffu;
  if (kind == 0) return bits & 7u;
  if (kind == 1) return 0x7fffffu - (bits & 7u);
  if (kind == 2) return (1u << bits % 23) | (1u << (bits >> 8) % 23);
  if (kind == 3) return 0x7fffffu ^ (1u << bits % 23);
  return bits;
}

START_TEST(quotients) {
  test_random r = {.state = 1};
  uint64_t trials = exhaustive() ? 100000000 : 1000000;
  for (uint64_t i = 0; i < trials; i++) {
    expect_quotient(exact_as_real(test_random_bits(&r)), exact_as_real(test_random_bits(&r)));
    float a = exact_as_real(0x3f800000u | awkward(&r)), b = exact_as_real(0x3f800000u | awkward(&r));
    expect_quotient(a, b);
    expect_quotient(ldexpf(a, (int)(i % 121) - 60), -ldexpf(b, (int)(i % 119) - 60));
  }
  if (exhaustive())
    printf("exact_divide: %" PRIu64 " pairs, all correctly rounded, %" PRIu64 " at the underflow edge\n", 3 * trials,
           divide_edges);
}
END_TEST

START_TEST(quotients_at_edges) {
  static const float values[] = {0.0f,
                                 -0.0f,
                                 1.0f,
                                 -1.0f,
                                 3.0f,
                                 0x1p-126f,
                                 0x1.fffffep127f,
                                 INFINITY,
                                 -INFINITY,
                                 0x1p-149f,
                                 -0x1.fffffcp-127f,
                                 0x1p-63f,
                                 0x1p64f};
  size_t count = sizeof values / sizeof *values;
  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < count; j++) expect_quotient(values[i], values[j]);
  ck_assert_uint_eq(exact_as_uint(exact_divide(quiet_nan(), 1.0f)), 0x7fc00000u);
  ck_assert_uint_eq(exact_as_uint(exact_divide(1.0f, -quiet_nan())), 0x7fc00000u);
}
END_TEST

/* Denominators in [1, 2^24], numerators from 2^-50 up: what softmax divides. */
START_TEST(quotients_from_a_reciprocal) {
  test_random r = {.state = 2};
  uint64_t trials = exhaustive() ? 300000000 : 3000000;
  for (uint64_t i = 0; i < trials; i++) {
    float a = ldexpf(exact_as_real(0x3f800000u | awkward(&r)), (int)(i % 74) - 50);
    float b = i % 1000 == 0 ? 0x1p24f : ldexpf(exact_as_real(0x3f800000u | awkward(&r)), (int)(i % 24));
    float got = exact_quotient(a, b, exact_divide(1.0f, b)), wanted = a / b;
    if (got != wanted)
      ck_abort_msg("exact_quotient(%a, %a) is %a, not %a", (double)a, (double)b, (double)got, (double)wanted);
  }
  ck_assert(exact_quotient(0.0f, 3.0f, exact_divide(1.0f, 3.0f)) == 0.0f);
}
END_TEST

/* Two binades are all there is: the exponent only shifts the result. A stride over the rest shows that. */
START_TEST(square_roots) {
  for (uint32_t i = 0; i < 1u << 24; i++) {
    float x = exact_as_real(0x3f800000u + i), got = exact_sqrt(x), wanted = sqrtf(x);
    if (got != wanted) ck_same_bits(&got, &wanted, 1, "exact_sqrt");
  }
  for (uint64_t bits = 0x00800000u; bits <= 0x7f800000u; bits += exhaustive() ? 1 : 1021) {
    float x = exact_as_real((uint32_t)bits), got = exact_sqrt(x), wanted = sqrtf(x);
    if (got != wanted) ck_same_bits(&got, &wanted, 1, "exact_sqrt");
  }
  if (exhaustive()) printf("exact_sqrt: all normal float32, correctly rounded\n");
  ck_assert_uint_eq(exact_as_uint(exact_sqrt(-0.0f)), 0);
  ck_assert_uint_eq(exact_as_uint(exact_sqrt(0x1p-149f)), 0);
  ck_assert_uint_eq(exact_as_uint(exact_sqrt(INFINITY)), exact_as_uint(INFINITY));
  ck_assert_uint_eq(exact_as_uint(exact_sqrt(-1.0f)), 0x7fc00000u);
  ck_assert_uint_eq(exact_as_uint(exact_sqrt(-NAN)), 0x7fc00000u);
}
END_TEST

/* From 2^-60 to 2^60. */
static float within_60(test_random *r, uint64_t i) {
  float x = ldexpf(exact_as_real(0x3f800000u | awkward(r)), (int)(i % 120) - 60);
  return i % 7 == 0 ? -x : x;
}

/* The divisor whose reciprocal Newton's steps miss meets each significand. */
START_TEST(ratios) {
  test_random r = {.state = 3};
  uint64_t trials = exhaustive() ? 300000000 : 3000000;
  for (uint64_t i = 0; i < trials; i++) {
    float a = within_60(&r, i), b = fabsf(within_60(&r, i / 120)), got = exact_ratio(a, b), wanted = a / b;
    if (got != wanted)
      ck_abort_msg("exact_ratio(%a, %a) is %a, not %a", (double)a, (double)b, (double)got, (double)wanted);
  }
  for (uint32_t i = 0; i < 1u << 23; i++) {
    float a = exact_as_real(0x3f800000u | i), b = 0x1.fffffep-20f, got = exact_ratio(a, b), wanted = a / b;
    if (got != wanted) ck_same_bits(&got, &wanted, 1, "exact_ratio");
  }
  ck_assert(exact_ratio(0.0f, 3.0f) == 0.0f);
}
END_TEST

START_TEST(roots) {
  for (uint64_t bits = 0; bits <= exact_as_uint(0x1p60f); bits += exhaustive() ? 1 : 1021) {
    float x = exact_as_real((uint32_t)bits), got = exact_root(x), wanted = x < 0x1p-100f ? 0.0f : sqrtf(x);
    if (got != wanted) ck_same_bits(&got, &wanted, 1, "exact_root");
  }
  ck_assert(exact_root(0x1p-100f) == 0x1p-50f);
  ck_assert(exact_root(0x1.fffffep-101f) == 0.0f);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("exact_math");
  TCase *cases = tcase_create("exact_math");
  tcase_set_timeout(cases, exhaustive() ? 3600 : 120);
  tcase_add_test(cases, fma_rounds_once);
  tcase_add_test(cases, products_are_not_contracted);
  tcase_add_test(cases, sums_are_not_reassociated);
  tcase_add_test(cases, canonical_values);
  tcase_add_loop_test(cases, exp_and_log, 0, 2);
  tcase_add_test(cases, exp_and_log_at_edges);
  tcase_add_test(cases, reciprocal_of_every_significand);
  tcase_add_test(cases, quotients);
  tcase_add_test(cases, quotients_at_edges);
  tcase_add_test(cases, quotients_from_a_reciprocal);
  tcase_add_test(cases, square_roots);
  tcase_add_test(cases, ratios);
  tcase_add_test(cases, roots);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
