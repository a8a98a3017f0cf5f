/* One row of logits: its maximum, the exponentials and their sum in the contract's order. 16 lanes (column mod 16, so a
 * lane of the line) each add in ascending order; then a fixed tree: lane l + lane l+8, l+4, l+2, l+1. */
#ifndef SOFTMAX_H
#define SOFTMAX_H

#include "panel.h"

#if VECTOR_LINES

#define LANES_MEMORY(name) local int *const name = 0

static inline float sum_of_lanes(line x, local int *memory) {
  (void)memory;
  float8 eight = x.lo + x.hi;
  float4 four = eight.lo + eight.hi;
  float2 two = four.lo + four.hi;
  return two.x + two.y;
}

static inline float maximum_of_lanes(line x, local int *memory) {
  (void)memory;
  float8 eight = x.lo > x.hi ? x.lo : x.hi;
  float4 four = eight.lo > eight.hi ? eight.lo : eight.hi;
  float2 two = four.lo > four.hi ? four.lo : four.hi;
  return two.x > two.y ? two.x : two.y;
}

static inline int minimum_of_lanes(int_line x, local int *memory) {
  (void)memory;
  int8 eight = min(x.lo, x.hi);
  int4 four = min(eight.lo, eight.hi);
  int2 two = min(four.lo, four.hi);
  return min(two.x, two.y);
}

#else

/* Declared in a kernel, for work-groups of 16. */
#define LANES_MEMORY(name) local int name[PANEL]

/* Every lane gets the result: lane l + lane l+8, then l+4, l+2, l+1, as the vector form does. */
#define ACROSS_LANES(NAME, TYPE, FROM_INT, TO_INT, COMBINED)           \
  TILE_FUNCTION TYPE NAME(TYPE x, local int *memory) {                 \
    for (int distance = PANEL / 2; distance > 0; distance /= 2) {      \
      barrier(CLK_LOCAL_MEM_FENCE);                                    \
      memory[lane()] = TO_INT(x);                                      \
      barrier(CLK_LOCAL_MEM_FENCE);                                    \
      TYPE a = FROM_INT(memory[lane() & (distance - 1)]);              \
      TYPE b = FROM_INT(memory[(lane() & (distance - 1)) + distance]); \
      x = COMBINED;                                                    \
    }                                                                  \
    return x;                                                          \
  }

#define SAME(x) (x)
ACROSS_LANES(sum_of_lanes, float, as_float, as_int, a + b)
ACROSS_LANES(maximum_of_lanes, float, as_float, as_int, (a > b ? a : b))
ACROSS_LANES(minimum_of_lanes, int, SAME, SAME, min(a, b))

#endif

/* Lanes behind the last column count as -infinity. */
static inline line load_logits(global const float *logits, int stride, int row, int panel, int cols) {
  line x = load_line(logits, line_index(panel, stride, row));
  return line_columns(panel) < (int_line)(cols) ? x : (line)(-INFINITY);
}

/* e^(x - maximum), 0 below 2^-50. */
static inline line exponentials(line x, float maximum) {
  return canonical(exact_exp(x - (line)(maximum)), FLOOR_GRADIENT);
}

typedef struct {
  float maximum, sum, reciprocal; /* of the sum, which is at least 1 */
  bool finite;
} softmax_row;

LANES_FUNCTION void softmax_sum(global const float *logits, int stride, int row, int cols, local int *memory,
                                softmax_row *result) {
  line top = (line)(-INFINITY);
  int_line intact = (int_line)(1);
  int panels = PANELS(cols);
  for (int panel = 0; panel < panels; panel++) {
    line x = load_logits(logits, stride, row, panel, cols);
    top = x > top ? x : top;
    int_line infinite = (AS_UINT_LINE(x) & 0x7f800000u) == (uint_line)(0x7f800000u);
    intact = (infinite && (line_columns(panel) < (int_line)(cols))) ? (int_line)(0) : intact;
  }
  result->maximum = maximum_of_lanes(top, memory);
  result->finite = minimum_of_lanes(intact, memory) != 0;
  line sum = (line)(0.0f);
  IN_ORDER
  for (int panel = 0; panel < panels; panel++)
    sum += exponentials(load_logits(logits, stride, row, panel, cols), result->maximum);
  result->sum = sum_of_lanes(sum, memory);
  result->reciprocal = exact_divide(1.0f, result->sum);
}

/* e^(x - maximum) / sum. */
static inline line probabilities_of(line x, const softmax_row *row) {
  return exact_quotient(exponentials(x, row->maximum), (line)(row->sum), (line)(row->reciprocal));
}

#endif
