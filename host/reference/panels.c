/* The right side of sums over features, as tiles read it: what they take after each other lies side by side. */
#include <stdlib.h>

#include "base/memory.h"
#include "base/size.h"
#include "reference/operations.h"
#include "reference/rows.h"

float *panels_create(size_t k, size_t n, mlp_cl_error *error) {
  size_t lines, bytes;
  if (!size_multiply(size_divide_up(n, PANEL_COLS), k, &lines) ||
      !size_multiply(lines, PANEL_COLS * sizeof(float), &bytes))
    bytes = SIZE_MAX;
  float *panels = bytes <= memory_total_bytes() ? aligned_alloc(CACHE_LINE, bytes) : NULL;
  if (panels == NULL) fail_memory(error, bytes, "panels of a matrix");
  return panels;
}

void panels_fill(size_t k, size_t n, const float *b, size_t row_step, size_t col_step, float *panels) {
  for (size_t first = 0; first < n; first += PANEL_COLS) {
    size_t cols = size_min(PANEL_COLS, n - first);
    for (size_t l = 0; l < k; l++, panels += PANEL_COLS) {
      for (size_t j = 0; j < cols; j++) panels[j] = b[l * row_step + (first + j) * col_step];
      zero(PANEL_COLS - cols, panels + cols);
    }
  }
}
