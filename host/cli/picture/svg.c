/* See svg.h. */
#include "picture/svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "terminal/output.h"
#include "terminal/report.h"

/* Distinct for people who see colours less well, too (after Okabe and Ito), and readable as thin lines. */
static const char style[] =
    "text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#333}"
    ".title{font-size:15px;font-weight:600;fill:#111}.small{font-size:11px}.faint{fill:#666}"
    ".paper{fill:#fff}.grid{stroke:#e3e3e3}.axis{stroke:#888}.end{stroke:#c4321f;stroke-dasharray:2 3}"
    ".alarm{fill:#c4321f}.cell{fill:#1f5fa8}.frame{fill:none;stroke:#bbb}.inverse{fill:#fff}"
    "path{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    ".thin{stroke-width:1.2;stroke-dasharray:5 4}.faded{stroke-width:1;opacity:.45}"
    ".c0{stroke:#0868ac}.c1{stroke:#d1580b}.c2{stroke:#0a8663}.c3{stroke:#b3427f}"
    ".c4{stroke:#7a5fc0}.c5{stroke:#8f6f00}.c6{stroke:#3a9bd0}.c7{stroke:#555}.c8{stroke:#888}"
    "circle.c0{fill:#0868ac}circle.c1{fill:#d1580b}circle.c2{fill:#0a8663}circle.c3{fill:#b3427f}"
    "circle.c4{fill:#7a5fc0}circle.c5{fill:#8f6f00}circle.c6{fill:#3a9bd0}circle.c7{fill:#555}";
static const char dark_style[] =
    "@media(prefers-color-scheme:dark){text{fill:#ccc}.title{fill:#f2f2f2}.faint{fill:#999}.paper{fill:#16181c}"
    ".grid{stroke:#30343a}.axis{stroke:#767b84}.end{stroke:#ff7a66}.alarm{fill:#ff7a66}.cell{fill:#6cb2f5}"
    ".frame{stroke:#4a4f57}.inverse{fill:#0b1017}"
    ".c0{stroke:#5cb3f2}.c1{stroke:#f59a57}.c2{stroke:#3fc79d}.c3{stroke:#e88fbe}"
    ".c4{stroke:#b29df2}.c5{stroke:#d9b63c}.c6{stroke:#8fd0f5}.c7{stroke:#b5b5b5}.c8{stroke:#888}"
    "circle.c0{fill:#5cb3f2}circle.c1{fill:#f59a57}circle.c2{fill:#3fc79d}circle.c3{fill:#e88fbe}"
    "circle.c4{fill:#b29df2}circle.c5{fill:#d9b63c}circle.c6{fill:#8fd0f5}circle.c7{fill:#b5b5b5}}";

static void write_text(FILE *stream, const char *text, size_t most) {
  for (size_t i = 0; *text; i++) {
    size_t bytes = report_harmless_bytes(text), step = bytes ? bytes : 1;
    if (most && i + 1 == most && text[step]) {
      fputs("\xe2\x80\xa6", stream); /* … */
      return;
    }
    if (bytes == 0)
      fputs("\xef\xbf\xbd", stream);
    else if (*text == '<' || *text == '>' || *text == '&')
      fputs(*text == '<' ? "&lt;" : *text == '>' ? "&gt;" : "&amp;", stream);
    else
      fwrite(text, 1, bytes, stream);
    text += step;
  }
}

void svg_begin(svg *s, int width, int height, const char *title) {
  *s = (svg){.stream = NULL};
  s->stream = open_memstream(&s->text, &s->length);
  if (!s->stream) return;
  fprintf(s->stream,
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n"
          "<title>",
          width, height, width, height);
  write_text(s->stream, title, 0);
  fprintf(s->stream, "</title>\n<style>%s\n%s</style>\n<rect class=\"paper\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n",
          style, dark_style, width, height);
}

int svg_end(svg *s, const char *path) {
  bool complete = s->stream != NULL;
  if (complete) fputs("</svg>\n", s->stream);
  if (complete) complete = !ferror(s->stream);
  if (s->stream) complete = fclose(s->stream) == 0 && complete;
  int status = complete ? output_write(path, s->text, s->length)
                        : report_failed(MLP_CL_NO_MEMORY, "out of memory for the picture %s", path);
  free(s->text);
  *s = (svg){.stream = NULL};
  return status;
}

static double two_decimals(double value) {
  return round(value * 100) / 100 + 0.0; /* no -0 */
}

void svg_point(svg *s, double x, double y) {
  if (s->stream) fprintf(s->stream, "%.7g %.7g", two_decimals(x), two_decimals(y));
}

void svg_line(svg *s, const char *class, double x1, double y1, double x2, double y2) {
  svg_print(s, "<line class=\"%s\" x1=\"%.7g\" y1=\"%.7g\" x2=\"%.7g\" y2=\"%.7g\"/>\n", class, two_decimals(x1),
            two_decimals(y1), two_decimals(x2), two_decimals(y2));
}

void svg_print(svg *s, const char *format, ...) {
  if (!s->stream) return;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(s->stream, format, arguments);
  va_end(arguments);
}

void svg_escape(svg *s, const char *text) {
  if (s->stream) write_text(s->stream, text, 0);
}

void svg_write(svg *s, const svg_text *where, const char *text) {
  double x = two_decimals(where->x), y = two_decimals(where->y);
  if (!s->stream) return;
  fprintf(s->stream, "<text class=\"%s\" text-anchor=\"%s\" ", where->style ? where->style : "", where->anchor);
  if (where->degrees)
    fprintf(s->stream, "transform=\"translate(%.7g %.7g) rotate(%d)\">", x, y, where->degrees);
  else
    fprintf(s->stream, "x=\"%.7g\" y=\"%.7g\">", x, y);
  write_text(s->stream, text, where->most);
  fputs("</text>\n", s->stream);
}
