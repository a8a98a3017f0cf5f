/* softmax: probabilities (rows, cols) = e^(logits - max) / sum, shares of rows. */
#include "softmax.h"

kernel void softmax(int rows, int cols, global const float *logits, int logits_stride, global float *probabilities,
                    int probabilities_stride) {
  LANES_MEMORY(memory);
  FOR_LINE_UNITS(rows, row) {
    softmax_row s;
    softmax_sum(logits, logits_stride, row, cols, memory, &s);
    for (int panel = 0; panel < PANELS(cols); panel++) {
      line p = probabilities_of(load_logits(logits, logits_stride, row, panel, cols), &s);
      if (!s.finite) p = line_columns(panel) < (int_line)(cols) ? (line)(NAN) : (line)(0.0f);
      store_line(probabilities, line_index(panel, probabilities_stride, row), canonical(p, FLOOR_VALUE));
    }
  }
}
