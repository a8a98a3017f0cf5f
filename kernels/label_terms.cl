/* label_terms: cross_entropy with smoothed labels and weighted classes (backend.h has the formulas). A row's label has
 * the share `on`, every other class `off`; weights is one number a class, if `weighted`. Shares of rows. */
#include "softmax.h"

kernel void label_terms(int rows, int cols, global const float *logits, int logits_stride, global const int *labels,
                        int ordered, global const uint *order, ulong first, float scale, float smoothing, float rest,
                        float on, float off, float per_class, int weighted, global const float *weights, int gradient,
                        global float *d_logits, int d_stride, global float *losses, global int *predictions, ulong slot,
                        global uint *flag, uint step) {
  LANES_MEMORY(memory);
  FOR_LINE_UNITS(rows, row) {
    ulong from = first + (ulong)row;
    int label = labels[ordered ? (ulong)order[from] : from];
    float weight = weighted ? weights[label] : 1.0f;
    softmax_row s;
    softmax_sum(logits, logits_stride, row, cols, memory, &s);
    line below = (line)(0.0f);
    int_line found = (int_line)(INT_MAX);
    IN_ORDER
    for (int panel = 0; panel < PANELS(cols); panel++) {
      line x = load_logits(logits, logits_stride, row, panel, cols);
      below += line_columns(panel) < (int_line)(cols) ? x - (line)(s.maximum) : (line)(0.0f);
      found = min(found, (x == (line)(s.maximum)) ? line_columns(panel) : (int_line)(INT_MAX));
    }
    float mean = sum_of_lanes(below, memory) * per_class;
    int prediction = minimum_of_lanes(found, memory);
    float at_label = logits[element_index(logits_stride, row, label)] - s.maximum;
    float inner = fma(rest, at_label, smoothing * mean);
    float loss = s.finite ? canonical(weight * (exact_log(s.sum) - inner), FLOOR_GRADIENT) : NAN;
    bool broken = !is_finite(loss);
    losses[slot + (ulong)row] = loss;
    predictions[slot + (ulong)row] = s.finite && prediction < cols ? prediction : 0;
    if (broken) atomic_min(flag, step);
    float factor = weight * scale;
    for (int panel = 0; gradient && panel < PANELS(cols); panel++) {
      line x = load_logits(logits, logits_stride, row, panel, cols);
      line p = canonical(probabilities_of(x, &s), FLOOR_GRADIENT);
      line share = line_columns(panel) == (int_line)(label) ? (line)(on) : (line)(off);
      line d = s.finite ? canonical((p - share) * factor, FLOOR_GRADIENT) : (line)(NAN);
      store_line(d_logits, line_index(panel, d_stride, row), line_columns(panel) < (int_line)(cols) ? d : (line)(0.0f));
    }
  }
}
