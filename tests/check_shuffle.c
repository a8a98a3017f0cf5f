/* The order of an epoch's rows: a permutation, a function of seed and epoch, and none more likely than another. */
#include "training/shuffle.h"

#include <math.h>
#include <string.h>

#include "test.h"

START_TEST(shuffles_are_permutations) {
  static uint32_t order[1000], other[1000];
  static const size_t sizes[] = {1, 2, 3, 17, 1000};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    bool found[1000] = {false};
    shuffle_rows(3, 1, sizes[s], order);
    for (size_t i = 0; i < sizes[s]; i++) {
      ck_assert_uint_lt(order[i], sizes[s]);
      ck_assert(!found[order[i]]);
      found[order[i]] = true;
    }
  }
  shuffle_rows(3, 2, 1000, other);
  ck_assert_mem_ne(order, other, sizeof order);
  shuffle_rows(4, 1, 1000, other);
  ck_assert_mem_ne(order, other, sizeof order);
  shuffle_rows(3, 1, 1000, other);
  ck_assert_mem_eq(order, other, sizeof order);
}
END_TEST

START_TEST(shuffles_favour_no_order) {
  size_t counts[6] = {0};
  enum { DRAWS = 60000 };
  for (uint32_t epoch = 0; epoch < DRAWS; epoch++) {
    uint32_t o[3];
    shuffle_rows(1, epoch, 3, o);
    counts[o[0] * 2 + (o[1] > o[2])]++;
  }
  for (size_t i = 0; i < 6; i++)
    ck_assert_double_eq_tol((double)counts[i], DRAWS / 6.0, 4.5 * sqrt(DRAWS * (1 / 6.0) * (5 / 6.0)));
}
END_TEST

int main(void) {
  Suite *suite = suite_create("shuffle");
  TCase *tests = tcase_create("all");
  tcase_add_test(tests, shuffles_are_permutations);
  tcase_add_test(tests, shuffles_favour_no_order);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
