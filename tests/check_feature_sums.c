/* Sums over features as the contract has them, one element at a time, beside the tiles of the reference: at the borders
 * of tiles, groups, pieces and blocks, with zeros and without, alone and with a helper. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference/operations.h"
#include "test.h"

enum { M_MAX = 131, N_MAX = 300, K_MAX = 785 };

static float a[M_MAX * K_MAX], b[K_MAX * N_MAX], wanted[M_MAX * N_MAX], got[M_MAX * N_MAX + 1];

/* Blocks of terms, each from 0 and ascending, are added one after the other. */
static float sum_of(const float *row, size_t k, size_t n, size_t column) {
  float total = 0;
  for (size_t first = 0; first < k; first += FEATURE_BLOCK) {
    float block = 0;
    for (size_t l = first; l < k && l < first + FEATURE_BLOCK; l++) block = fmaf(row[l], b[l * n + column], block);
    total += block;
  }
  return total;
}

/* An element that is ended twice, or not at all, has the wrong sign. */
static void negate(const void *user, size_t row, size_t first, size_t cols, float *sums) {
  const size_t n = *(const size_t *)user;
  ck_assert_ptr_eq(sums, got + row * n + first);
  for (size_t j = 0; j < cols; j++) sums[j] = -sums[j];
}

static void run(helper *h, size_t m, size_t n, size_t k, bool skip_zeros, const float *x, const float *panels) {
  feature_product_run(h, &(feature_product){m, n, k, x, panels, got, skip_zeros, negate, &n});
  for (size_t i = 0; i < m * n; i++) got[i] = -got[i];
}

/* A third of the elements is 0: of a few rows as many terms in all of them, of more rows hardly any. */
static void fill(uint64_t seed) {
  test_random r = {.state = seed};
  test_random_fill(&r, a, M_MAX * K_MAX, 1.0f);
  test_random_fill(&r, b, K_MAX * N_MAX, 1.0f);
  for (size_t i = 0; i < M_MAX * K_MAX; i++)
    if (test_random_bits(&r) % 3 == 0) a[i] = test_random_bits(&r) % 2 ? 0.0f : -0.0f;
}

/* Of sixteen rows each, but for every other sixteen, a third of the terms is 0 in all. */
static void thin_out(size_t m, size_t k) {
  for (size_t i = 0; i < m; i++)
    for (size_t l = 1; i / 16 % 2 == 0 && l < k; l += 3) a[i * k + l] = 0.0f;
}

static void compare(helper *h, size_t m, size_t n, size_t k) {
  char what[64];
  fill(m + n + k);
  thin_out(m, k);
  float *panels = panels_create(k, n, &test_error);
  ck_assert_ptr_nonnull(panels);
  panels_fill(k, n, b, n, 1, panels);
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++) wanted[i * n + j] = sum_of(a + i * k, k, n, j);
  for (int skip = 0; skip < 2; skip++) {
    snprintf(what, sizeof what, "%zu × %zu × %zu%s%s", m, n, k, skip ? ", zeros left out" : "", h ? ", shared" : "");
    test_canary_fill(got, m * n + 1);
    float behind = got[m * n];
    run(h, m, n, k, skip, a, panels);
    ck_same_bits(got, wanted, m * n, what);
    ck_assert_msg(memcmp(&got[m * n], &behind, sizeof behind) == 0, "%s: written behind the end", what);
  }
  free(panels);
}

static void compare_shapes(helper *h) {
  static const size_t rows[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 28};
  static const size_t cols[] = {1, 10, 31, 32, 33, 64, 65, 97, 127, 128, 129, 192, N_MAX};
  static const size_t terms[] = {1, 7, 64, 255, 256, 257};
  enum { ROWS = sizeof rows / sizeof *rows, COLS = sizeof cols / sizeof *cols, TERMS = sizeof terms / sizeof *terms };
  for (size_t i = 0; i < ROWS; i++)
    for (size_t j = i % 2; j < COLS; j += 2) compare(h, rows[i], cols[j], terms[(i + j) % TERMS]);
  for (size_t l = 0; l < TERMS; l++) compare(h, 11, 70, terms[l]);
  compare(h, 1, N_MAX, K_MAX);
  compare(h, M_MAX, 35, 260); /* more groups of rows than are taken at once */
}

START_TEST(tiles_keep_the_order) {
  compare_shapes(NULL);
}
END_TEST

START_TEST(pieces_keep_the_order) {
  helper *h = helper_create();
  compare_shapes(h);
  helper_destroy(h);
}
END_TEST

/* What is not finite reaches each sum that it is part of, and no other. */
START_TEST(what_is_not_finite_stays) {
  enum { M = 9, N = 40, K = 300 };
  fill(2);
  a[3 * K + 17] = INFINITY;
  a[4 * K + 260] = NAN;
  b[19 * N + 35] = INFINITY;
  for (size_t i = 0; i < M; i++)
    for (size_t j = 0; j < N; j++) wanted[i * N + j] = sum_of(a + i * K, K, N, j);
  float *panels = panels_create(K, N, &test_error);
  panels_fill(K, N, b, N, 1, panels);
  run(NULL, M, N, K, false, a, panels);
  free(panels);
  for (size_t i = 0; i < M * N; i++) {
    ck_assert_int_eq(isnan(got[i]), isnan(wanted[i]));
    if (!isnan(wanted[i])) ck_same_bits(got + i, wanted + i, 1, "beside what is not finite");
  }
  ck_assert(isnan(got[4 * N]) && !isfinite(got[3 * N]) && !isfinite(got[35]));
  ck_assert(isfinite(got[0]) && isfinite(got[8 * N + 34]));
}
END_TEST

START_TEST(no_terms_are_no_sum) {
  float zeros[2 * 300] = {0};
  fill(3);
  float *panels = panels_create(300, 33, &test_error);
  panels_fill(300, 33, b, 33, 1, panels);
  run(NULL, 2, 33, 300, true, zeros, panels);
  free(panels);
  for (size_t i = 0; i < 2 * 33; i++) wanted[i] = 0.0f;
  ck_same_bits(got, wanted, 2 * 33, "rows of zeros");
}
END_TEST

int main(void) {
  Suite *suite = suite_create("feature_sums");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, tiles_keep_the_order);
  tcase_add_test(tests, pieces_keep_the_order);
  tcase_add_test(tests, what_is_not_finite_stays);
  tcase_add_test(tests, no_terms_are_no_sum);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
