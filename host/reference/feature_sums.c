/* Sums over features, in register tiles of some rows of the result, as the contract orders each element's: blocks of
 * terms, ascending, and the blocks' sums, ascending. */
#include <assert.h>
#include <stdint.h>

#include "base/size.h"
#include "reference/operations.h"
#include "reference/rows.h"

/* Panels of a tile times its rows: their sums stay in registers while all terms pass, in just about all of AVX2's
 * sixteen; NEON's have room for half as many rows, and AVX-512's 32 for three times as many. */
#ifdef __x86_64__
enum { TILE = 4, ROWS_MOST = 12 };
#else
enum { TILE = 2, ROWS_MOST = 12 };
#endif

/* The terms of a block that count: the first `count`, or those listed, ascending, and one that is none. */
typedef struct terms {
  bool all;
  size_t count;
  uint32_t listed[FEATURE_BLOCK + 1];
} terms;
static const uint32_t no_term = UINT32_MAX;

/* A term of 0 leaves a sum as it is, if b is finite, as skip_zeros tells: no sum is -0, since floors keep products from
 * underflowing. Lists those that are not 0 in all of `rows` rows of x. From a list a term takes a seventh longer. */
INLINED void list_terms(size_t rows, size_t count, bool skip_zeros, const float *x, size_t x_stride, terms *t) {
  uint32_t bits[FEATURE_BLOCK];
  size_t listed = 0;
  for (size_t l = 0; l < count; l++) bits[l] = !skip_zeros;
  for (size_t r = 0; skip_zeros && r < rows; r++)
    for (size_t l = 0; l < count; l++) bits[l] |= exact_as_uint(x[r * x_stride + l]) << 1;
  for (uint32_t l = 0; l < count; l++) {
    t->listed[listed] = l;
    listed += bits[l] != 0;
  }
  t->listed[listed] = no_term;
  t->count = count;
  t->all = count - listed < count / 8;
}

/* Operands of a product: rows of x, panels of b, rows of c, which are so many elements apart. */
typedef struct operands {
  const float *x, *b;
  float *c;
  size_t x_stride, b_stride, c_stride;
} operands;

/* From a row and a panel on. */
static operands operands_at(const operands *o, size_t row, size_t panel) {
  return (operands){o->x + row * o->x_stride,
                    o->b + panel * o->b_stride,
                    o->c + row * o->c_stride + panel * PANEL_COLS,
                    o->x_stride,
                    o->b_stride,
                    o->c_stride};
}

/* Rows of the next tile, of those that are left. */
static size_t rows_of_tile(size_t left) {
  if (left >= 8 && HOT_HAS_AVX512) return left >= 12 ? 12 : 8;
  return left >= TILE ? TILE : left >= 2 ? 2 : 1;
}

/* Vectors take the padding of a panel along. Where each element is a call of fmaf, or is looked at, it is left out. */
#ifdef __SANITIZE_ADDRESS__
#define PADDING_IS_FREE false
#else
#define PADDING_IS_FREE HOT_MAY_HAVE_FMA
#endif

INLINED void add_term(size_t rows, size_t panels, size_t width, size_t l, const operands *o, float *sum) {
  for (size_t p = 0; p < panels; p++)
    for (size_t r = 0; r < rows; r++)
      multiply_add(width, o->x[r * o->x_stride + l], o->b + p * o->b_stride + l * PANEL_COLS,
                   sum + (r * panels + p) * PANEL_COLS);
}

/* c = the sums of a tile's terms, of which c has `cols` columns, or c +=. A loop whose end is unknown, as a list's,
 * around loops of known ends is what compilers turn into vectors as it stands; others they take apart if tiles are
 * small. */
INLINED void sum_tile(size_t rows, size_t panels, size_t cols, bool adds, const terms *t, operands o) {
  const size_t width = PADDING_IS_FREE ? PANEL_COLS : size_min(PANEL_COLS, cols);
  float sum[ROWS_MOST * PANEL_COLS];
  for (size_t i = 0; i < rows * panels; i++) zero(width, sum + i * PANEL_COLS);
  if (rows >= TILE && t->all)
#pragma GCC unroll 4
    for (size_t l = 0; l < t->count; l++) add_term(rows, panels, width, l, &o, sum);
  else
    for (const uint32_t *l = t->listed; *l != no_term; l++) add_term(rows, panels, width, *l, &o, sum);
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < cols; j++)
      o.c[r * o.c_stride + j] = (adds ? o.c[r * o.c_stride + j] : 0.0f) + sum[r * panels * PANEL_COLS + j];
}

/* All of a block of terms: tiles side by side, each for all groups of `rows` rows, while its part of b is in cache. */
INLINED void sum_block(size_t rows, size_t groups, size_t n, bool adds, terms *t, const operands *o) {
  const size_t wide = size_max(1, TILE / rows);
  size_t panel = 0;
  for (; (panel + wide) * PANEL_COLS <= n; panel += wide)
    for (size_t g = 0; g < groups; g++)
      sum_tile(rows, wide, wide * PANEL_COLS, adds, &t[g], operands_at(o, g * rows, panel));
  for (; panel * PANEL_COLS < n; panel++)
    for (size_t g = 0; g < groups; g++)
      sum_tile(rows, 1, size_min(PANEL_COLS, n - panel * PANEL_COLS), adds, &t[g], operands_at(o, g * rows, panel));
}

enum { GROUPS_MOST = 16 };

/* n columns of c, of `groups` times the rows of a tile. */
static HOT void feature_sums(size_t rows, size_t groups, size_t n, size_t k, bool skip_zeros, operands o) {
  terms t[GROUPS_MOST];
  for (size_t first = 0; first < k; first += FEATURE_BLOCK) {
    for (size_t g = 0; g < groups; g++)
      list_terms(rows, size_min(FEATURE_BLOCK, k - first), skip_zeros, o.x + g * rows * o.x_stride, o.x_stride, &t[g]);
    if (rows == 12)
      sum_block(12, groups, n, first > 0, t, &o);
    else if (rows == 8)
      sum_block(8, groups, n, first > 0, t, &o);
    else if (rows == 4)
      sum_block(4, groups, n, first > 0, t, &o);
    else if (rows == 2)
      sum_block(2, groups, n, first > 0, t, &o);
    else
      sum_block(1, groups, n, first > 0, t, &o);
    o.x += FEATURE_BLOCK;
    o.b += FEATURE_BLOCK * PANEL_COLS;
  }
}

/* A helper takes part in products of so many multiplications, those of padding among them, in quarters. */
#define SHARED_PRODUCTS 65536.0
enum { SHARED_PIECES = 4, PIECE_PANELS = 2 };

/* A product, in pieces of so many rows and panels, those of the same rows one after the other. */
typedef struct division {
  const feature_product *of;
  size_t rows, panels;
} division;

static size_t pieces_wide(const division *d) {
  return size_divide_up(d->of->n, d->panels * PANEL_COLS);
}

static void piece(void *user, size_t i) {
  const division *d = user;
  const feature_product *p = d->of;
  const operands all = {p->a, p->panels, p->c, p->k, p->k * PANEL_COLS, p->n};
  size_t panel = i % pieces_wide(d) * d->panels, first = panel * PANEL_COLS;
  size_t n = size_min(d->panels * PANEL_COLS, p->n - first);
  size_t row = i / pieces_wide(d) * d->rows, end = size_min(p->m, row + d->rows);
  for (size_t groups, rows; row < end; row += groups * rows) {
    rows = rows_of_tile(end - row);
    groups = size_min(GROUPS_MOST, (end - row) / rows);
    feature_sums(rows, groups, n, p->k, p->skip_zeros, operands_at(&all, row, panel));
    for (size_t r = row; r < row + groups * rows; r++) p->end(p->user, r, first, n, p->c + r * p->n + first);
  }
}

void feature_product_run(helper *help, const feature_product *p) {
  assert(p->m > 0);
  division d = {p, p->m, size_divide_up(p->n, PANEL_COLS)};
  if ((double)p->m * (double)d.panels * PANEL_COLS * (double)p->k < SHARED_PRODUCTS) help = NULL;
  if (help != NULL) {
    d.panels = size_max(PIECE_PANELS, size_divide_up(d.panels, SHARED_PIECES));
    d.rows = size_round_up(size_divide_up(p->m, size_divide_up(SHARED_PIECES, pieces_wide(&d))), ROWS_MOST);
  }
  helper_share(help, size_divide_up(p->m, d.rows) * pieces_wide(&d), piece, &d);
}
