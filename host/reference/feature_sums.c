/* Sums over features, in register tiles of some rows of the result, as the contract orders each element's: blocks of
 * terms, ascending, and the blocks' sums, ascending. */
#include <stdint.h>
#include <stdlib.h>

#include "base/size.h"
#include "reference/operations.h"
#include "reference/rows.h"

/* The numbers of a block's terms that count, ascending, and one that is none. */
typedef uint32_t term_list[FEATURE_BLOCK + 1];
static const uint32_t no_term = UINT32_MAX;

/* A term of 0 leaves a sum as it is, if b is finite, as skip_zeros tells: no sum is -0, since floors keep products from
 * underflowing. Lists those that are not 0 in all of `rows` rows of x. */
INLINED void list_terms(size_t rows, size_t count, bool skip_zeros, const float *x, size_t x_stride, term_list terms) {
  uint32_t bits[FEATURE_BLOCK];
  size_t listed = 0;
  for (size_t l = 0; l < count; l++) bits[l] = !skip_zeros;
  for (size_t r = 0; skip_zeros && r < rows; r++)
    for (size_t l = 0; l < count; l++) bits[l] |= exact_as_uint(x[r * x_stride + l]) << 1;
  for (uint32_t l = 0; l < count; l++) {
    terms[listed] = l;
    listed += bits[l] != 0;
  }
  terms[listed] = no_term;
}

/* Operands of a product, whose rows are so many elements apart. */
typedef struct operands {
  const float *x, *b;
  float *c;
  size_t x_stride, b_stride, c_stride;
} operands;

static operands operands_at(const operands *o, size_t row, size_t j) {
  return (operands){
      o->x + row * o->x_stride, o->b + j, o->c + row * o->c_stride + j, o->x_stride, o->b_stride, o->c_stride};
}

/* Sums of a tile, which stay in registers while all terms pass: eight vectors of AVX-512, or sixteen of AVX2; and of
 * the narrowest. */
enum { TILE_SUMS = 128, NARROW = 32 };

/* c[r][j] += the sum of the listed terms x[r][l] · b[l][j], for the first `kept` of the tile's columns. A loop of
 * unknown end around those of known ones is what compilers turn into vectors as it stands. */
INLINED void add_tile(size_t rows, size_t cols, size_t kept, const uint32_t *terms, operands o) {
  float sum[TILE_SUMS];
  zero(rows * cols, sum);
  for (; *terms != no_term; terms++)
    for (size_t r = 0; r < rows; r++)
      multiply_add(cols, o.x[r * o.x_stride + *terms], o.b + *terms * o.b_stride, sum + r * cols);
  for (size_t r = 0; r < rows; r++) add(kept, sum + r * cols, o.c + r * o.c_stride);
}

/* Tiles of so many columns side by side from *j on, up to n, each for all groups of `rows` rows, while its part of b is
 * in cache. */
INLINED void add_tiles(size_t rows, size_t cols, size_t groups, size_t n, term_list *terms, const operands *o,
                       size_t *j) {
  for (; rows * cols <= TILE_SUMS && *j + cols <= n; *j += cols)
    for (size_t g = 0; g < groups; g++) add_tile(rows, cols, cols, terms[g], operands_at(o, g * rows, *j));
}

/* The n last columns, fewer than the narrowest tile has: these of b are copied, and padded with zeros. */
INLINED void add_rest(size_t rows, size_t groups, size_t n, size_t count, term_list *terms, operands o) {
  float b[FEATURE_BLOCK * NARROW];
  for (size_t l = 0; l < count; l++)
    for (size_t j = 0; j < NARROW; j++) b[l * NARROW + j] = j < n ? o.b[l * o.b_stride + j] : 0.0f;
  o.b = b;
  o.b_stride = NARROW;
  for (size_t g = 0; g < groups; g++) add_tile(rows, NARROW, n, terms[g], operands_at(&o, g * rows, 0));
}

/* All of a block of `count` terms, for a number of rows that the compiler knows. */
INLINED void add_block(size_t rows, size_t groups, size_t n, size_t count, term_list *terms, const operands *o) {
  size_t j = 0;
  add_tiles(rows, 128, groups, n, terms, o, &j);
  add_tiles(rows, 64, groups, n, terms, o, &j);
  add_tiles(rows, NARROW, groups, n, terms, o, &j);
  if (j < n) add_rest(rows, groups, n - j, count, terms, operands_at(o, 0, j));
}

enum { GROUPS_MOST = 16 };

/* n columns of `groups` times 1, 2 or 4 rows of c. */
static HOT void feature_sums(size_t rows, size_t groups, size_t n, size_t k, bool skip_zeros, operands o) {
  term_list terms[GROUPS_MOST];
  for (size_t r = 0; r < groups * rows; r++) zero(n, o.c + r * o.c_stride);
  for (size_t first = 0; first < k; first += FEATURE_BLOCK) {
    size_t count = size_min(FEATURE_BLOCK, k - first);
    for (size_t g = 0; g < groups; g++)
      list_terms(rows, count, skip_zeros, o.x + g * rows * o.x_stride, o.x_stride, terms[g]);
    if (rows == 4)
      add_block(4, groups, n, count, terms, &o);
    else if (rows == 2)
      add_block(2, groups, n, count, terms, &o);
    else
      add_block(1, groups, n, count, terms, &o);
    o.x += FEATURE_BLOCK;
    o.b += FEATURE_BLOCK * o.b_stride;
  }
}

/* A helper takes part in products of so many multiplications, in quarters: whole vectors of columns each. */
#define SHARED_PRODUCTS 65536.0
enum { SHARED_PIECES = 4, PIECE_COLS = 64 };

/* A product, in pieces of so many rows and columns, those of the same rows one after the other. */
typedef struct product {
  size_t m, n, k, piece_rows, piece_cols;
  bool skip_zeros;
  operands all;
} product;

static void product_piece(void *user, size_t i) {
  const product *p = user;
  size_t wide = size_divide_up(p->n, p->piece_cols);
  size_t j = i % wide * p->piece_cols, n = size_min(p->piece_cols, p->n - j);
  size_t row = i / wide * p->piece_rows, end = size_min(p->m, row + p->piece_rows);
  for (size_t groups, rows; row < end; row += groups * rows) {
    size_t left = end - row;
    rows = left >= 8 ? 4 : left >= 2 ? 2 : 1; /* a lone group reads longer pieces of b's rows */
    groups = size_min(GROUPS_MOST, left / rows);
    feature_sums(rows, groups, n, p->k, p->skip_zeros, operands_at(&p->all, row, j));
  }
}

void feature_product(helper *help, size_t m, size_t n, size_t k, bool skip_zeros, const float *a, const float *b,
                     float *c) {
  product p = {m, n, k, m, n, skip_zeros, {a, b, c, k, n, n}};
  if ((double)m * (double)n * (double)k < SHARED_PRODUCTS) help = NULL;
  if (help != NULL) {
    p.piece_cols = size_round_up(size_divide_up(n, SHARED_PIECES), PIECE_COLS);
    size_t wide = size_divide_up(n, p.piece_cols);
    p.piece_rows = size_round_up(size_divide_up(m, size_divide_up(SHARED_PIECES, wide)), 4);
  }
  helper_share(help, size_divide_up(m, p.piece_rows) * size_divide_up(n, p.piece_cols), product_piece, &p);
}

float *transpose(size_t n, size_t k, const float *b, mlp_cl_error *error) {
  size_t bytes = n * k * sizeof(float);
  float *transposed = malloc(bytes);
  if (transposed == NULL) {
    fail_memory(error, bytes, "a transposed matrix");
    return NULL;
  }
  for (size_t i = 0; i < n; i++)
    for (size_t l = 0; l < k; l++) transposed[l * n + i] = b[i * k + l];
  return transposed;
}
