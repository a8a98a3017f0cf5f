/* Pictures as SVG text: what all of them share. The same data give the same bytes. Colours are classes, dark where the
 * reader's screen is. */
#ifndef SVG_H
#define SVG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { SVG_COLOURS = 8, SVG_NEUTRAL = 8 }; /* of the classes c0 … c8 */

typedef struct svg {
  FILE *stream; /* NULL without memory */
  char *text;
  size_t length;
} svg;

/* Begins a picture of this size in *s, which must stay where it is, with a title for readers who cannot see it. */
void svg_begin(svg *s, int width, int height, const char *title);
/* Writes it to the file, whole or not at all, and releases it; returns an exit status. */
int svg_end(svg *s, const char *path);

/* As fprintf; for numbers that come from no data. */
__attribute__((format(printf, 2, 3))) void svg_print(svg *s, const char *format, ...);
/* x, a space, y: coordinates for a path. */
void svg_point(svg *s, double x, double y);
void svg_line(svg *s, const char *style, double x1, double y1, double x2, double y2);

/* Text at the baseline (x, y). What cannot be shown, such as control characters, becomes U+FFFD. */
typedef struct svg_text {
  const char *style, *anchor; /* "start", "middle" or "end" */
  double x, y;
  int degrees; /* turned around (x, y) */
  size_t most; /* characters, the last of them an ellipsis where there are more; 0: all */
} svg_text;
void svg_write(svg *s, const svg_text *where, const char *text);
/* The text alone, for an element of one's own. */
void svg_escape(svg *s, const char *text);

#endif
