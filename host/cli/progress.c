/* See progress.h. A narrow terminal gets fewer parts, never a wrapped line. */
#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report.h"

enum { BAR_MOST = 30, BAR_LEAST = 8 };

progress progress_begin(const char *label) {
  const char *term = getenv("TERM");
  bool live = !report_is_quiet() && isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
  return (progress){.label = label, .live = live, .colours = report_colours(stderr), .loss = NAN};
}

static int terminal_width(void) {
  struct winsize size;
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* Appends `part` while it fits into `room` columns; all text here is ASCII. */
static void append(char *line, size_t room, const char *part) {
  if (strlen(line) + strlen(part) < room) strcat(line, part);
}

static void format_time(char *text, size_t size, double seconds) {
  long whole = seconds < 1e6 ? lround(seconds) : 999999;
  if (whole >= 3600)
    snprintf(text, size, "  %ld:%02ld:%02ld left", whole / 3600, whole / 60 % 60, whole % 60);
  else
    snprintf(text, size, "  %ld:%02ld left", whole / 60, whole % 60);
}

static void draw_bar(const progress *p, int width, double share) {
  int filled = (int)(share * width);
  fputs(p->colours ? " \033[32m" : " [", stderr);
  for (int i = 0; i < width; i++) fputc(i < filled ? '=' : i == filled ? '>' : p->colours ? ' ' : '.', stderr);
  fputs(p->colours ? "\033[0m " : "]", stderr);
}

void progress_show(progress *p, const mlp_cl_event *event) {
  if (event->kind == MLP_CL_EVENT_EPOCH) p->loss = event->train_loss;
  if (!p->live || event->steps == 0) return;
  double share = (double)event->step / (double)event->steps;
  char head[80], tail[160] = "", part[64];
  snprintf(head, sizeof head, "%s%sepoch %u/%u", p->label ? p->label : "", p->label ? "  " : "", event->epoch,
           event->epochs);
  int width = terminal_width();
  size_t room = width > (int)strlen(head) + 1 ? (size_t)width - strlen(head) - 1 : 0;
  if (room > sizeof tail) room = sizeof tail;
  snprintf(part, sizeof part, "  %3.0f %%", share * 100);
  append(tail, room, part);
  if (isfinite(p->loss)) {
    snprintf(part, sizeof part, "  loss %.4f", p->loss);
    append(tail, room, part);
  }
  if (event->seconds > 0 && event->step > 0) {
    format_time(part, sizeof part, event->seconds * (1 - share) / share);
    append(tail, room, part);
    snprintf(part, sizeof part, "  %.0f samples/s", (double)event->samples / event->seconds);
    append(tail, room, part);
  }
  int bar = width - (int)(strlen(head) + strlen(tail)) - 4;
  fprintf(stderr, "\r\033[K%.*s", width > 1 ? width - 1 : 1, head);
  if (bar >= BAR_LEAST) draw_bar(p, bar < BAR_MOST ? bar : BAR_MOST, share);
  fputs(tail, stderr);
  fflush(stderr);
  p->shown = true;
}

void progress_clear(progress *p) {
  if (!p->shown) return;
  fputs("\r\033[K", stderr);
  fflush(stderr);
  p->shown = false;
}
