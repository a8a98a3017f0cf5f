/* The register tile of matmul_panel.h, WIDTH panels wide, as the functions TILE(…). One text for each width: PoCL's
 * compiler unrolls only loops whose ends are constant before anything is inlined. */

/* sum[p][r] += x[r] · y[p], one term: x are the elements of lines one after the other, y lines of panels. */
TILE_FUNCTION void TILE(add_term)(global const float *x, global const float *y, size_t next_panel,
                                  line sum[WIDTH][TILE_ROWS]) {
  line column[WIDTH];
#pragma unroll
  for (int p = 0; p < WIDTH; p++) column[p] = load_line(y, (size_t)p * next_panel);
#pragma unroll
  for (int r = 0; r < TILE_ROWS; r++)
#pragma unroll
    for (int p = 0; p < WIDTH; p++) sum[p][r] = fma((line)(x[r * PANEL]), column[p], sum[p][r]);
}

/* total[p][r] = Σ a[r][k] · b[p][k] over k in [begin, end), added to what total holds unless begin is 0. a's lines hold
 * elements of successive k; begin is a multiple of 16. With `found` of the terms from `begin` on that it lists. */
TILE_FUNCTION void TILE(feature_tile)(global const float *a, int a_stride, global const float *b, int b_stride,
                                      int begin, int end, global const terms *found, global float *total,
                                      int total_stride) {
  const size_t next_panel = line_index(1, b_stride, 0), a_step = line_index(1, a_stride, 0);
  const int listed = found != 0 ? found->count : TERMS_ALL;
  global const float *x = a + line_index(begin / PANEL, a_stride, 0);
  global const float *y = b + (size_t)begin * PANEL;
  line sum[WIDTH][TILE_ROWS];
  int k = begin;
#pragma unroll
  for (int p = 0; p < WIDTH; p++)
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) sum[p][r] = (line)(0.0f);
#pragma unroll 1
  for (int i = 0; i < listed; i++) {
    const size_t t = found->number[i];
    TILE(add_term)(x + t / PANEL * a_step + t % PANEL, y + t * PANEL, next_panel, sum);
  }
  if (listed != TERMS_ALL) k = end;
  for (; k + PANEL <= end; k += PANEL, x += a_step, y += PANEL * PANEL) {
#pragma unroll 4
    for (int i = 0; i < PANEL; i++) TILE(add_term)(x + i, y + i * PANEL, next_panel, sum);
  }
#pragma unroll 1
  for (int i = 0; i < end - k; i++) TILE(add_term)(x + i, y + i * PANEL, next_panel, sum);
#pragma unroll
  for (int p = 0; p < WIDTH; p++) {
    global float *t = total + line_index(p, total_stride, 0);
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) {
      if (begin != 0) sum[p][r] = load_line(t, (size_t)(r * PANEL)) + sum[p][r];
      store_line(t, (size_t)(r * PANEL), sum[p][r]);
    }
  }
}

/* sum[p][r] += x[r][b] · d[p][b], one term. */
TILE_FUNCTION void TILE(add_row)(global const float *const x[TILE_ROWS], global const float *d, size_t next_panel,
                                 size_t b, line sum[WIDTH][TILE_ROWS]) {
  line column[WIDTH];
#pragma unroll
  for (int p = 0; p < WIDTH; p++) column[p] = load_line(d, (size_t)p * next_panel + b);
#pragma unroll
  for (int r = 0; r < TILE_ROWS; r++)
#pragma unroll
    for (int p = 0; p < WIDTH; p++) sum[p][r] = fma((line)(x[r][b]), column[p], sum[p][r]);
}

/* sum[p][r] = Σ a[b][row + r] · d[p][b] over the batch's rows b in [begin, end), ascending, or over those from `begin`
 * on that `found` lists. d: lines. A tile's rows lie in one panel or two; sums of rows behind `in` mean nothing. */
TILE_FUNCTION void TILE(batch_tile)(int row, int in, int begin, int end, global const float *a, int a_stride,
                                    global const float *d, int d_stride, global const terms *found,
                                    line sum[][TILE_ROWS]) {
  const int in_panel = PANEL - row % PANEL, listed = found != 0 ? found->count : TERMS_ALL;
  const size_t next_panel = row + in_panel < in ? line_index(1, a_stride, 0) - PANEL : 0;
  const size_t next_of_d = line_index(1, d_stride, 0), all = listed == TERMS_ALL ? (size_t)(end - begin) * PANEL : 0;
  global const float *x[TILE_ROWS];
  line s[WIDTH][TILE_ROWS];
#pragma unroll
  for (int r = 0; r < TILE_ROWS; r++) {
    x[r] = a + element_index(a_stride, begin, row) + r + (PANEL % TILE_ROWS == 0 || r < in_panel ? 0 : next_panel);
#pragma unroll
    for (int p = 0; p < WIDTH; p++) s[p][r] = (line)(0.0f);
  }
  d += (size_t)begin * PANEL;
#pragma unroll 1
  for (int i = 0; i < listed; i++) TILE(add_row)(x, d, next_of_d, (size_t)found->number[i] * PANEL, s);
#pragma unroll 4
  for (size_t b = 0; b < all; b += PANEL) TILE(add_row)(x, d, next_of_d, b, s);
#pragma unroll
  for (int p = 0; p < WIDTH; p++)
#pragma unroll
    for (int r = 0; r < TILE_ROWS; r++) sum[p][r] = s[p][r];
}

/* sum[r · LISTED_PANELS + p] = Σ a[r][t] · b[p][t] over the terms t that found[r] lists, of the first `all`, for up to
 * 16 rows and 4 · WIDTH panels; those behind `panels` repeat the last. a's element t of row r is at r · row_step + t /
 * 16 · panel_step + t % 16 · step; b: lines. */
OUTLINED_FUNCTION void TILE(row_sums)(int rows, int all, global const terms *found, global const float *a,
                                      size_t row_step, size_t panel_step, size_t step, global const float *b,
                                      int b_stride, int panels, line *sum) {
  for (int slab = 0; slab * SLAB_TERMS < all; slab++)
#pragma unroll 1
    for (int r = 0; r < rows; r++) {
      global const float *x = a + (size_t)r * row_step;
      const int begin = slab > 0 ? found[r].end[slab - 1] : 0, end = found[r].end[slab];
      if (slab > 0 && begin == end) continue;
      line s[4 * WIDTH];
#pragma unroll
      for (int p = 0; p < 4 * WIDTH; p++) s[p] = slab > 0 ? sum[r * LISTED_PANELS + p] : (line)(0.0f);
#pragma unroll 1
      for (int i = begin; i < end; i++) {
        const size_t t = found[r].number[i];
        const line element = (line)(x[t / PANEL * panel_step + t % PANEL * step]);
        global const float *y = b + t * PANEL;
#pragma unroll
        for (int p = 0; p < 4 * WIDTH; p++)
          s[p] = fma(element, load_line(y, line_index(min(p, panels - 1), b_stride, 0)), s[p]);
      }
#pragma unroll
      for (int p = 0; p < 4 * WIDTH; p++) sum[r * LISTED_PANELS + p] = s[p];
    }
}
