/* See chart.h. */
#include "picture/chart.h"

#include <math.h>
#include <stdio.h>

#include "picture/axis.h"
#include "picture/svg.h"

enum { WIDTH = 800, LEFT = 84, RIGHT = 24, TOP = 44, PANEL_HEIGHT = 230, PANEL_GAP = 34, BOTTOM = 50 };
enum { LEGEND_LINE = 20, LEGEND_SAMPLE = 26, NAME_MOST = 40, MARKED_MOST = 20 };

/* Which number of a point a line shows. */
typedef enum quantity { TRAIN_LOSS, TRAIN_ACCURACY, TEST_LOSS, TEST_ACCURACY } quantity;

static double value_of(const curve_point *p, quantity q) {
  const double values[] = {p->train_loss, p->train_accuracy, p->test_loss, p->test_accuracy};
  return values[q];
}

typedef struct panel {
  svg *picture;
  axis x, y;
} panel;

/* ---- Ranges ------------------------------------------------------------------------------------------------------ */

typedef struct range {
  double low, high;
} range;

static void include(range *r, double value) {
  if (!isfinite(value)) return;
  r->low = fmin(r->low, value);
  r->high = fmax(r->high, value);
}

static range range_of(const curve *runs, size_t count, quantity train, quantity test) {
  range r = {INFINITY, -INFINITY};
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < runs[i].epochs.count; j++) {
      include(&r, value_of(&runs[i].epochs.at[j], train));
      include(&r, value_of(&runs[i].epochs.at[j], test));
    }
    for (size_t j = 0; j < runs[i].steps.count; j++) include(&r, value_of(&runs[i].steps.at[j], train));
  }
  return r;
}

static axis epoch_axis(const curve *runs, size_t count) {
  range r = {INFINITY, -INFINITY};
  for (size_t i = 0; i < count; i++) {
    const curve *c = &runs[i];
    if (c->epochs.count > 0) include(&r, c->epochs.at[0].epoch), include(&r, c->epochs.at[c->epochs.count - 1].epoch);
    if (c->steps.count > 0) include(&r, 0), include(&r, c->steps.at[c->steps.count - 1].epoch);
    if (isfinite(c->diverged)) include(&r, floor(c->diverged)), include(&r, floor(c->diverged) + 1);
  }
  axis a = axis_whole(r.low, r.high);
  a.from = LEFT + 8;
  a.to = WIDTH - RIGHT - 8;
  return a;
}

/* Losses span decades, or begin at 0 unless they are all alike. */
static axis loss_axis(range r) {
  if (r.low > 0 && r.high / r.low >= 50) return axis_logarithmic(r.low, r.high);
  bool from_zero = r.low >= 0 && r.low < r.high / 2;
  return axis_linear(from_zero ? 0 : r.low, r.high);
}

/* ---- Lines ------------------------------------------------------------------------------------------------------- */

typedef struct line {
  const curve_points *points;
  quantity quantity;
  const char *style;
  int colour;
  bool marked; /* a dot at each point, unless there are many */
} line;

static bool is_drawn(const line *l, size_t i) {
  return i < l->points->count && isfinite(value_of(&l->points->at[i], l->quantity));
}

static void draw_dot(const panel *p, const line *l, size_t i, double radius) {
  double x = axis_place(&p->x, l->points->at[i].epoch);
  double y = axis_place(&p->y, value_of(&l->points->at[i], l->quantity));
  svg_print(p->picture, "<circle class=\"c%d\" cx=\"%.2f\" cy=\"%.2f\" r=\"%g\"/>\n", l->colour, x, y, radius);
}

/* Where more points fall on a column of the picture than it can show, their least and greatest stand for them. Returns
 * the first point that is not in the column, or that has no value. */
static size_t draw_column(const panel *p, const line *l, size_t first, bool begins) {
  const curve_point *at = l->points->at;
  double column = floor(axis_place(&p->x, at[first].epoch));
  size_t least = first, most = first, end = first;
  for (; is_drawn(l, end) && floor(axis_place(&p->x, at[end].epoch)) == column; end++) {
    if (value_of(&at[end], l->quantity) < value_of(&at[least], l->quantity)) least = end;
    if (value_of(&at[end], l->quantity) > value_of(&at[most], l->quantity)) most = end;
  }
  const size_t shown[] = {least < most ? least : most, least < most ? most : least};
  for (int i = 0; i < (least == most ? 1 : 2); i++) {
    svg_print(p->picture, begins && i == 0 ? "M" : "L");
    svg_point(p->picture, axis_place(&p->x, at[shown[i]].epoch),
              axis_place(&p->y, value_of(&at[shown[i]], l->quantity)));
  }
  return end;
}

static void draw_line(const panel *p, const line *l) {
  size_t i = 0, count = l->points->count;
  while (i < count && !is_drawn(l, i)) i++;
  if (i == count) return;
  svg_print(p->picture, "<path class=\"c%d %s\" d=\"", l->colour, l->style);
  for (bool begins = true; i < count; begins = !is_drawn(l, i)) {
    while (i < count && !is_drawn(l, i)) i++;
    if (i < count) i = draw_column(p, l, i, begins);
  }
  svg_print(p->picture, "\"/>\n");
  for (i = 0; i < count; i++) {
    bool alone = is_drawn(l, i) && (i == 0 || !is_drawn(l, i - 1)) && !is_drawn(l, i + 1);
    if (alone || (is_drawn(l, i) && l->marked && count <= MARKED_MOST)) draw_dot(p, l, i, alone ? 3.5 : 2.5);
  }
}

static void draw_run(const panel *p, const curve *run, int colour, bool several, quantity train, quantity test) {
  const line fine = {&run->steps, train, "faded", colour, false};
  const line training = {&run->epochs, train, several ? "thin" : "", colour, !several};
  const line held_out = {&run->epochs, test, "", several ? colour : 1, !several};
  draw_line(p, &fine);
  draw_line(p, &training);
  draw_line(p, &held_out);
  if (isnan(run->diverged)) return;
  double x = axis_place(&p->x, run->diverged);
  bool right = x > (LEFT + WIDTH - RIGHT) / 2.0;
  svg_line(p->picture, "end", x, p->y.from, x, p->y.to);
  svg_write(p->picture,
            &(svg_text){"alarm small", right ? "end" : "start", right ? x - 5 : x + 5, (p->y.from + p->y.to) / 2, 0, 0},
            "diverged");
}

/* ---- Panels ------------------------------------------------------------------------------------------------------ */

static void draw_axes(const panel *p, const char *name, bool last) {
  char label[40], title[60];
  for (size_t i = 0; i < p->y.ticks_count; i++) {
    double y = axis_place(&p->y, p->y.ticks[i]);
    svg_line(p->picture, "grid", LEFT, y, WIDTH - RIGHT, y);
    svg_write(p->picture, &(svg_text){"faint", "end", LEFT - 8, y + 4.5, 0, 0},
              axis_label(&p->y, p->y.ticks[i], label));
  }
  for (size_t i = 0; i < p->x.ticks_count; i++) {
    double x = axis_place(&p->x, p->x.ticks[i]);
    svg_line(p->picture, "axis", x, p->y.from, x, p->y.from + 4);
    if (last)
      svg_write(p->picture, &(svg_text){"faint", "middle", x, p->y.from + 19, 0, 0},
                axis_label(&p->x, p->x.ticks[i], label));
  }
  svg_line(p->picture, "axis", LEFT, p->y.from, WIDTH - RIGHT, p->y.from);
  svg_line(p->picture, "axis", LEFT, p->y.from, LEFT, p->y.to);
  snprintf(title, sizeof title, "%s", name);
  if (p->y.exponent != 0) snprintf(title, sizeof title, "%s (×1e%d)", name, p->y.exponent);
  svg_write(p->picture, &(svg_text){NULL, "middle", 16, (p->y.from + p->y.to) / 2, -90, 0}, title);
  if (last)
    svg_write(p->picture, &(svg_text){NULL, "middle", (LEFT + WIDTH - RIGHT) / 2.0, p->y.from + 39, 0, 0}, "epoch");
}

/* ---- The legend -------------------------------------------------------------------------------------------------- */

typedef struct legend {
  svg *picture; /* NULL: only measure */
  double x, y;
} legend;

static double last_accuracy(const curve *run) {
  for (size_t i = run->epochs.count; i > 0; i--) {
    const curve_point *p = &run->epochs.at[i - 1];
    if (isfinite(p->test_accuracy)) return p->test_accuracy;
    if (isfinite(p->train_accuracy)) return p->train_accuracy;
  }
  return NAN;
}

static void add_entry(legend *l, int colour, const char *style, const char *text) {
  size_t characters = 0;
  for (const char *c = text; *c; c++) characters += ((unsigned char)*c & 0xc0) != 0x80;
  double width = LEGEND_SAMPLE + 8 + 7.2 * (double)(characters < NAME_MOST ? characters : NAME_MOST) + 16;
  if (l->x + width > WIDTH - RIGHT && l->x > LEFT) {
    l->x = LEFT;
    l->y += LEGEND_LINE;
  }
  if (l->picture) {
    svg_print(l->picture, "<path class=\"c%d %s\" d=\"M", colour, style);
    svg_point(l->picture, l->x, l->y - 4.5);
    svg_print(l->picture, "h%d\"/>\n", LEGEND_SAMPLE);
    svg_write(l->picture, &(svg_text){NULL, "start", l->x + LEGEND_SAMPLE + 8, l->y, 0, NAME_MOST}, text);
  }
  l->x += width;
}

static bool has_held_out(const curve *runs, size_t count) {
  range r = range_of(runs, count, TEST_LOSS, TEST_ACCURACY);
  return r.low <= r.high;
}

static void add_legend(legend *l, const curve *runs, size_t count) {
  bool held_out = has_held_out(runs, count);
  if (count == 1) {
    add_entry(l, 0, "", "training");
    if (held_out) add_entry(l, 1, "", "held out");
    return;
  }
  for (size_t i = 0; i < count; i++) {
    char text[300];
    double accuracy = last_accuracy(&runs[i]);
    const char *name = runs[i].name ? runs[i].name : "run";
    int room = (int)sizeof text - 20;
    if (isfinite(accuracy))
      snprintf(text, sizeof text, "%.*s  %.4f", room, name, accuracy);
    else
      snprintf(text, sizeof text, "%.*s", room, name);
    add_entry(l, (int)(i % SVG_COLOURS), "", text);
  }
  if (held_out) add_entry(l, SVG_NEUTRAL, "", "held out");
  add_entry(l, SVG_NEUTRAL, "thin", "training");
}

/* ---- The picture ------------------------------------------------------------------------------------------------- */

static void draw_panel(panel *p, double top, const curve *runs, size_t count, quantity train, const char *name,
                       bool last) {
  p->y.from = top + PANEL_HEIGHT;
  p->y.to = top;
  draw_axes(p, name, last);
  for (size_t i = 0; i < count; i++)
    draw_run(p, &runs[i], (int)(i % SVG_COLOURS), count > 1, train, train == TRAIN_LOSS ? TEST_LOSS : TEST_ACCURACY);
}

static bool is_regression(const curve *runs, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!runs[i].regression) return false;
  }
  return true;
}

int chart_write(const char *path, const char *title, const curve *runs, size_t count) {
  range losses = range_of(runs, count, TRAIN_LOSS, TEST_LOSS);
  range accuracies = range_of(runs, count, TRAIN_ACCURACY, TEST_ACCURACY);
  bool two = accuracies.low <= accuracies.high;
  legend measured = {NULL, LEFT, TOP};
  add_legend(&measured, runs, count);
  double top = measured.y + 22;
  int height = (int)top + PANEL_HEIGHT + (two ? PANEL_GAP + PANEL_HEIGHT : 0) + BOTTOM;

  svg picture;
  svg_begin(&picture, WIDTH, height, title);
  svg_write(&picture, &(svg_text){"title", "start", LEFT, 24, 0, 80}, title);
  legend drawn = {&picture, LEFT, TOP};
  add_legend(&drawn, runs, count);
  panel p = {&picture, epoch_axis(runs, count), loss_axis(losses)};
  draw_panel(&p, top, runs, count, TRAIN_LOSS, p.y.logarithmic ? "loss (log scale)" : "loss", !two);
  p.y = axis_linear(accuracies.low, accuracies.high);
  if (two)
    draw_panel(&p, top + PANEL_HEIGHT + PANEL_GAP, runs, count, TRAIN_ACCURACY,
               is_regression(runs, count) ? "R²" : "accuracy", true);
  return svg_end(&picture, path);
}
