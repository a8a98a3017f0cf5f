/* Dropout's masks as random numbers: their rate, their independence of neighbours of every kind, that parts of a batch
 * have the mask of the whole, and that no Philox counter serves twice in a run. Masks are read off the device, as what
 * it makes of ones. The numbers are fixed, so a bound of four standard deviations fails always or never. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "philox.h"
#include "test.h"

#define ROWS 96
#define COLS 60
#define COUNT (ROWS * COLS)

static mlp_cl_context *device;

static void open_device(void) {
  if (device == NULL) device = test_open_device();
}

/* kept (rows, COLS) = 1 where the mask keeps. */
static void read_mask(const mlp_cl_mask *mask, size_t rows, bool *kept) {
  static float ones[(ROWS + 8) * COLS], y[(ROWS + 8) * COLS];
  for (size_t i = 0; i < rows * COLS; i++) ones[i] = 1.0f;
  test_canary_fill(y, rows * COLS);
  ck_ok(mlp_cl_dropout(device, rows, COLS, mask, ones, y, &test_error));
  for (size_t i = 0; i < rows * COLS; i++) {
    ck_assert_msg(y[i] == 0.0f || y[i] >= 1.0f, "element %zu is %g", i, (double)y[i]);
    kept[i] = y[i] != 0.0f;
  }
}

static size_t count_kept(const bool *kept, size_t count) {
  size_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += kept[i];
  return sum;
}

/* Each mask keeps its share within 4 sigma, all together do, and their scatter is that of chance: neither more nor
 * less. */
START_TEST(keeps_its_share) {
  static const float rates[] = {0.1f, 0.5f, 0.9f};
  static const uint64_t seeds[] = {0, 1, 2, UINT64_C(1) << 32, UINT64_MAX};
  double rate = (double)rates[_i], variance = rate * (1 - rate) * COUNT, scatter = 0, masks = 0, total = 0;
  for (size_t s = 0; s < sizeof seeds / sizeof *seeds; s++)
    for (uint32_t layer = 0; layer < 4; layer++)
      for (uint32_t step = 0; step < (test_small() ? 2 : 8); step++) {
        bool kept[COUNT];
        const mlp_cl_mask mask = {.rate = rates[_i], .seed = seeds[s], .step = step * step, .layer = layer};
        read_mask(&mask, ROWS, kept);
        double sigmas = ((double)count_kept(kept, COUNT) - (1 - rate) * COUNT) / sqrt(variance);
        ck_assert_msg(fabs(sigmas) < 4, "rate %g, seed %zu, layer %u, step %u: the share kept is %.2f sigma off", rate,
                      s, layer, step, sigmas);
        scatter += sigmas * sigmas;
        total += sigmas;
        masks++;
      }
  ck_assert_double_lt(fabs(total) / sqrt(masks), 4);
  ck_assert_double_lt(fabs(scatter / masks - 1), 4 * sqrt(2 / masks));
}
END_TEST

/* Correlation of two masks of rate 1/2, in standard deviations. */
static double correlation(const bool *a, const bool *b, size_t count) {
  long agreements = 0;
  for (size_t i = 0; i < count; i++) agreements += a[i] == b[i] ? 1 : -1;
  return (double)agreements / sqrt((double)count);
}

static void ck_independent(double sigmas, const char *what, uint64_t seed) {
  ck_assert_msg(fabs(sigmas) < 4, "masks of %s correlate by %.2f sigma (seed %llu)", what, sigmas,
                (unsigned long long)seed);
}

START_TEST(neighbours_are_independent) {
  static const struct {
    const char *what;
    uint64_t seed;
    uint32_t step, layer;
  } neighbours[] = {
      {"the same place in the next step", 0, 1, 0},
      {"the same place in the next layer", 0, 0, 1},
      {"the same place under the next seed", 1, 0, 0},
      {"seeds whose upper halves differ by one", UINT64_C(1) << 32, 0, 0},
      {"the next step and the next layer", 0, 1, 1},
      {"steps 65536 apart", 0, 1u << 16, 0},
  };
  enum { KINDS = sizeof neighbours / sizeof *neighbours };
  double sums[KINDS] = {0};
  uint64_t seeds = test_small() ? 3 : 16;
  for (uint64_t seed = 0; seed < seeds; seed++) {
    bool base[COUNT], other[COUNT];
    mlp_cl_mask mask = {.rate = 0.5f, .seed = seed * 0x100000007u, .step = (uint32_t)seed * 3, .layer = 1};
    read_mask(&mask, ROWS, base);
    for (size_t i = 0; i < KINDS; i++) {
      mlp_cl_mask changed = mask;
      changed.seed += neighbours[i].seed;
      changed.step += neighbours[i].step;
      changed.layer += neighbours[i].layer;
      read_mask(&changed, ROWS, other);
      double sigmas = correlation(base, other, COUNT);
      ck_independent(sigmas, neighbours[i].what, seed);
      sums[i] += sigmas;
    }
  }
  for (size_t i = 0; i < KINDS; i++) ck_independent(sums[i] / sqrt((double)seeds), neighbours[i].what, UINT64_MAX);
}
END_TEST

/* Also across what shares a counter (columns 1, 2 and 3 apart), a panel of columns, and the tiles' rows. */
START_TEST(places_are_independent) {
  static const size_t apart[] = {1, 2, 3, 4, 16, COLS, 4 * COLS, 16 * COLS, COLS + 1, 4 * COLS - 4};
  for (uint64_t seed = 0; seed < (test_small() ? 2 : 12); seed++) {
    bool kept[COUNT];
    const mlp_cl_mask mask = {.rate = 0.5f, .seed = seed, .step = 9};
    read_mask(&mask, ROWS, kept);
    for (size_t i = 0; i < sizeof apart / sizeof *apart; i++) {
      char what[64];
      snprintf(what, sizeof what, "places %zu elements apart", apart[i]);
      ck_independent(correlation(kept, kept + apart[i], COUNT - apart[i]), what, seed);
    }
  }
}
END_TEST

/* In two parts, row by row at the edges of tiles, and far beyond 2^32 counters. */
START_TEST(parts_have_the_mask_of_the_whole) {
  static const uint64_t starts[] = {0, 255, (uint64_t)UINT32_MAX - 7, (uint64_t)1 << 40};
  static const size_t cuts[] = {1, 3, 15, 16, 17, 48, 95};
  for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
    bool whole[COUNT], parts[COUNT];
    mlp_cl_mask mask = {.rate = 0.3f, .seed = 11, .step = 5, .layer = 2, .first_row = starts[s]};
    read_mask(&mask, ROWS, whole);
    for (size_t c = 0; c < sizeof cuts / sizeof *cuts; c++) {
      memset(parts, 2, sizeof parts);
      mask.first_row = starts[s];
      read_mask(&mask, cuts[c], parts);
      mask.first_row = starts[s] + cuts[c];
      read_mask(&mask, ROWS - cuts[c], parts + cuts[c] * COLS);
      ck_assert_msg(memcmp(parts, whole, sizeof whole) == 0, "rows from %llu, cut at %zu, have another mask",
                    (unsigned long long)starts[s], cuts[c]);
    }
  }
}
END_TEST

/* ---- Counters ---------------------------------------------------------------------------------------------------- */

typedef struct counter {
  uint32_t words[4];
} counter;

static counter counter_of(uint64_t index, uint32_t word, uint32_t purpose, uint32_t layer) {
  return (counter){{(uint32_t)index, (uint32_t)(index >> 32), word, PHILOX_STREAM(purpose, layer)}};
}

/* docs/numerics.md: the counter of element (row, col) of a mask. */
static counter mask_counter(uint64_t row, size_t col, size_t cols, uint32_t step, uint32_t layer) {
  return counter_of(row * ((cols + 3) / 4) + col / 4, step, PHILOX_DROPOUT, layer);
}

START_TEST(masks_follow_the_formula) {
  static const mlp_cl_mask masks[] = {{.rate = 0.5f, .seed = 3},
                                      {.rate = 0.25f, .seed = UINT64_C(0x123456789abcdef0), .step = 70000, .layer = 3},
                                      {.rate = 0.75f, .layer = (1u << 24) - 1, .first_row = UINT64_C(0x111111108)}};
  for (size_t m = 0; m < sizeof masks / sizeof *masks; m++) {
    bool kept[COUNT];
    read_mask(&masks[m], ROWS, kept);
    double threshold = (double)masks[m].rate * 0x1p32;
    for (size_t i = 0; i < COUNT; i++) {
      counter c = mask_counter(masks[m].first_row + i / COLS, i % COLS, COLS, masks[m].step, masks[m].layer);
      philox4x32_10(c.words, (uint32_t)masks[m].seed, (uint32_t)(masks[m].seed >> 32));
      ck_assert_msg(kept[i] == (c.words[i % COLS % 4] >= threshold), "mask %zu, element %zu", m, i);
    }
  }
}
END_TEST

static counter used[1 << 16];
static size_t used_count;

static void use(counter c) {
  ck_assert_uint_lt(used_count, sizeof used / sizeof *used);
  used[used_count++] = c;
}

static int compare_counters(const void *a, const void *b) {
  return memcmp(a, b, sizeof(counter));
}

/* A run whose network, recipe and split have one seed, as the command's do: 90 rows in 5 classes, 13-17-6-5, batches of
 * 16, three epochs. */
START_TEST(no_counter_serves_twice) {
  static const size_t widths[] = {13, 17, 6, 5};
  enum { RUN_ROWS = 90, BATCH = 16, EPOCHS = 3, LAYERS = 3, CLASSES = 5, STEPS = EPOCHS * (RUN_ROWS / BATCH + 1) };
  used_count = 0;
  for (uint32_t layer = 0; layer < LAYERS; layer++) {
    size_t in = widths[layer], out = widths[layer + 1];
    for (size_t i = 0; i < in * out; i += 4) use(counter_of(i / 4, 0, PHILOX_INITIAL_WEIGHTS, layer));
    for (size_t i = 0; i < out; i += 4) use(counter_of(i / 4, 0, PHILOX_INITIAL_BIASES, layer));
    for (uint32_t step = 0; step < STEPS && layer + 1 < LAYERS; step++)
      for (uint64_t row = 0; row < BATCH; row++)
        for (size_t col = 0; col < out; col += 4) use(mask_counter(row, col, out, step, layer));
  }
  for (uint32_t epoch = 0; epoch < EPOCHS; epoch++)
    for (uint64_t pair = 0; pair < RUN_ROWS / 2; pair++) use(counter_of(pair, epoch, PHILOX_SHUFFLE, 0));
  for (uint64_t label = 0; label < CLASSES; label++)
    for (uint64_t draw = 0; draw < RUN_ROWS / CLASSES; draw++) use(counter_of(label << 32 | draw, 0, PHILOX_SPLIT, 0));
  ck_assert_uint_gt(used_count, 2000);
  qsort(used, used_count, sizeof *used, compare_counters);
  for (size_t i = 1; i < used_count; i++)
    ck_assert_msg(compare_counters(&used[i - 1], &used[i]) != 0, "counter %08x %08x %08x %08x serves twice",
                  used[i].words[0], used[i].words[1], used[i].words[2], used[i].words[3]);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("dropout");
  TCase *tests = tcase_create("all");
  tcase_add_checked_fixture(tests, open_device, NULL);
  tcase_set_timeout(tests, 240);
  tcase_add_loop_test(tests, keeps_its_share, 0, 3);
  tcase_add_test(tests, neighbours_are_independent);
  tcase_add_test(tests, places_are_independent);
  tcase_add_test(tests, parts_have_the_mask_of_the_whole);
  tcase_add_test(tests, masks_follow_the_formula);
  tcase_add_test(tests, no_counter_serves_twice);
  suite_add_tcase(suite, tests);
  int result = test_run(suite);
  mlp_cl_context_destroy(device);
  return result;
}
