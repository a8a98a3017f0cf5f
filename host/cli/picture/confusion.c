/* See confusion.h. */
#include "picture/confusion.h"

#include <math.h>
#include <string.h>

#include "picture/svg.h"
#include "terminal/report.h"

enum { CLASSES_MAX = 1000, NAME_MOST = 16, TOLD_CLASSES = 40 };
enum { CELL_LEAST = 3, CELL_MOST = 56, SIDE = 640, LABELLED_CELL = 12, TOP = 66, MARGIN = 20, FONT_LEAST = 7 };
static const double letter_width = 7.3; /* of the text's font, at most, on average */

typedef struct matrix {
  svg *picture;
  const char *const *names;
  const uint64_t *counts;
  size_t classes;
  double cell, left, top;
  double font;  /* of the numbers; 0: none, they do not fit */
  bool upright; /* the names above the columns */
} matrix;

static size_t characters(const char *text) {
  size_t count = 0;
  for (; *text; text++) count += ((unsigned char)*text & 0xc0) != 0x80;
  return count < NAME_MOST ? count : NAME_MOST;
}

static double longest_name(const matrix *m) {
  size_t longest = 0;
  for (size_t i = 0; i < m->classes; i++) {
    size_t count = characters(m->names[i]);
    longest = count > longest ? count : longest;
  }
  return (double)longest * letter_width;
}

static uint64_t row_sum(const matrix *m, size_t row) {
  uint64_t sum = 0;
  for (size_t j = 0; j < m->classes; j++) sum += m->counts[row * m->classes + j];
  return sum;
}

static void lay_out(matrix *m) {
  uint64_t most = 1;
  for (size_t i = 0; i < m->classes * m->classes; i++) most = m->counts[i] > most ? m->counts[i] : most;
  double digits = floor(log10((double)most)) + 1;
  m->cell = fmax(CELL_LEAST, fmin(CELL_MOST, floor((double)SIDE / (double)m->classes)));
  m->font = fmin(13, (m->cell - 4) / (0.62 * digits));
  if (m->font < FONT_LEAST) m->font = 0;
  double longest = m->cell >= LABELLED_CELL ? longest_name(m) : 0;
  m->upright = longest > m->cell - 4;
  m->left = MARGIN + 26 + longest + 8;
  m->top = TOP + (m->cell < LABELLED_CELL ? 0 : m->upright ? longest + 4 : 16);
}

static void draw_cell(const matrix *m, size_t row, size_t col, uint64_t sum) {
  uint64_t count = m->counts[row * m->classes + col];
  double x = m->left + (double)col * m->cell, y = m->top + (double)row * m->cell;
  double share = (double)count / (double)sum;
  if (count == 0) return;
  svg_print(m->picture,
            "<rect class=\"cell\" fill-opacity=\"%.3g\" x=\"%.7g\" y=\"%.7g\" width=\"%.7g\" height=\"%.7g\"%s>",
            fmax(share, 0.04), x, y, m->cell, m->cell, m->classes > TOLD_CLASSES ? "/" : "");
  if (m->classes <= TOLD_CLASSES) { /* shown where the pointer rests */
    svg_print(m->picture, "<title>");
    svg_escape(m->picture, m->names[row]);
    svg_print(m->picture, " as ");
    svg_escape(m->picture, m->names[col]);
    svg_print(m->picture, ": %llu (%.1f %%)</title></rect>", (unsigned long long)count, share * 100);
  }
  svg_print(m->picture, "\n");
  if (m->font == 0) return;
  svg_print(m->picture,
            "<text class=\"%s\" style=\"font-size:%.3gpx\" text-anchor=\"middle\" x=\"%.7g\" y=\"%.7g\">%llu</text>\n",
            share > 0.6 ? "inverse" : "", m->font, x + m->cell / 2, y + m->cell / 2 + 0.36 * m->font,
            (unsigned long long)count);
}

static void draw_names(const matrix *m) {
  if (m->cell < LABELLED_CELL) return;
  for (size_t i = 0; i < m->classes; i++) {
    double middle = ((double)i + 0.5) * m->cell;
    const svg_text beside = {NULL, "end", m->left - 8, m->top + middle + 4.5, 0, NAME_MOST};
    const svg_text above = {NULL, "middle", m->left + middle, m->top - 6, 0, NAME_MOST};
    const svg_text turned = {NULL, "start", m->left + middle + 4.5, m->top - 6, -90, NAME_MOST};
    svg_write(m->picture, &beside, m->names[i]);
    svg_write(m->picture, m->upright ? &turned : &above, m->names[i]);
  }
}

bool confusion_fits(size_t classes) {
  if (classes > CLASSES_MAX)
    report_failed(MLP_CL_BAD_SHAPE, "--plot draws up to %d classes, these are %zu; --json has their counts",
                  CLASSES_MAX, classes);
  return classes <= CLASSES_MAX;
}

int confusion_write(const char *path, const char *const *names, const uint64_t *counts, size_t classes,
                    double accuracy) {
  svg picture;
  matrix m = {.picture = &picture, .names = names, .counts = counts, .classes = classes};
  lay_out(&m);
  double side = m.cell * (double)classes;
  uint64_t rows = 0;
  for (size_t i = 0; i < classes; i++) rows += row_sum(&m, i);
  char title[80];
  snprintf(title, sizeof title, "accuracy %.4f of %llu rows", accuracy, (unsigned long long)rows);
  double width = fmax(m.left + side + MARGIN, 300), height = m.top + side + MARGIN + 22;

  svg_begin(&picture, (int)width, (int)height, title);
  svg_write(&picture, &(svg_text){"title", "start", MARGIN, 26, 0, 0}, title);
  svg_write(&picture, &(svg_text){"faint", "middle", m.left + side / 2, TOP - 14, 0, 0}, "predicted");
  svg_write(&picture, &(svg_text){"faint", "middle", MARGIN + 10, m.top + side / 2, -90, 0}, "label");
  svg_write(&picture, &(svg_text){"faint small", "start", m.left, m.top + side + 20, 0, 0}, "shade: share of the row");
  draw_names(&m);
  for (size_t i = 0; i < classes; i++) {
    uint64_t sum = row_sum(&m, i);
    for (size_t j = 0; j < classes; j++) draw_cell(&m, i, j, sum);
  }
  svg_print(&picture, "<rect class=\"frame\" x=\"%.7g\" y=\"%.7g\" width=\"%.7g\" height=\"%.7g\"/>\n", m.left, m.top,
            side, side);
  return svg_end(&picture, path);
}
