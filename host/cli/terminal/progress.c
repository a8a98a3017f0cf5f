/* See progress.h. A narrow terminal gets fewer parts, never a wrapped line; the line is written at once and over the
 * old one, so that nothing flickers. */
#include "terminal/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal/report.h"

enum { BAR_MOST = 30, BAR_LEAST = 8, COLUMNS_MOST = 250 };

progress progress_begin(const char *label) {
  const char *term = getenv("TERM");
  bool live = !report_is_quiet() && isatty(STDERR_FILENO) && term && *term && strcmp(term, "dumb") != 0;
  return (progress){.label = label, .live = live, .colours = report_colours(stderr), .loss = NAN};
}

/* Columns that a line may take: one less than there are, since some terminals wrap after the last. */
static size_t line_columns(void) {
  struct winsize size;
  size_t columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
  return columns > COLUMNS_MOST ? COLUMNS_MOST : columns - 1;
}

/* Appends `part` if it fits into `columns` whole; all text here is ASCII. */
static void append(char *line, size_t columns, const char *part) {
  if (strlen(line) + strlen(part) <= columns) strcat(line, part);
}

static void format_time(char *text, size_t size, double seconds) {
  long whole = seconds < 1e6 ? lround(seconds) : 999999;
  if (whole >= 3600)
    snprintf(text, size, "  %ld:%02ld:%02ld left", whole / 3600, whole / 60 % 60, whole % 60);
  else
    snprintf(text, size, "  %ld:%02ld left", whole / 60, whole % 60);
}

/* Percentage, loss, time left and rate, in the order of what people look for, as far as there is room. */
static void append_numbers(const progress *p, const mlp_cl_event *event, double share, char *tail, size_t columns) {
  char part[64], loss[16];
  uint64_t steps = event->step - p->first_step;
  double seconds = event->seconds - p->first_s;
  snprintf(part, sizeof part, "  %3.0f %%", floor(share * 100));
  append(tail, columns, part);
  if (isfinite(p->loss)) {
    snprintf(part, sizeof part, "  loss %s", report_measure(p->loss, loss));
    append(tail, columns, part);
  }
  if (steps == 0 || !(seconds > 0)) return;
  format_time(part, sizeof part, seconds / (double)steps * (double)(event->steps - event->step));
  append(tail, columns, part);
  snprintf(part, sizeof part, "  %.0f samples/s", (double)event->samples / event->seconds);
  append(tail, columns, part);
}

/* " [===>....] " or the same in colours; `columns` is what lies between the brackets. */
static void append_bar(const progress *p, char *line, size_t columns, double share) {
  size_t filled = (size_t)(share * (double)columns), length = strlen(line);
  length += (size_t)sprintf(line + length, "%s", p->colours ? " \033[32m" : " [");
  for (size_t i = 0; i < columns; i++) line[length++] = i < filled ? '=' : i == filled ? '>' : p->colours ? ' ' : '.';
  strcpy(line + length, p->colours ? "\033[0m " : "]");
}

void progress_show(progress *p, const mlp_cl_event *event) {
  if (event->kind == MLP_CL_EVENT_EPOCH) p->loss = event->train_loss;
  if (!p->live || event->steps == 0) return;
  if (!p->begun || event->seconds < p->first_s)
    p->first_step = event->step, p->first_s = event->seconds, p->begun = true;
  double share = (double)event->step / (double)event->steps;
  size_t columns = line_columns();
  char line[COLUMNS_MOST + 64] = "\r", tail[COLUMNS_MOST + 1] = "", head[80];
  snprintf(head, sizeof head, "%s%sepoch %u/%u", p->label ? p->label : "", p->label ? "  " : "", event->epoch,
           event->epochs);
  if (strlen(head) > columns) head[columns] = '\0';
  append_numbers(p, event, share, tail, columns - strlen(head));
  strcat(line, head);
  size_t left = columns - strlen(head) - strlen(tail);
  if (left >= BAR_LEAST + 3) append_bar(p, line, left - 3 < BAR_MOST ? left - 3 : BAR_MOST, share);
  strcat(line, tail);
  strcat(line, "\033[K");
  fputs(line, stderr); /* one write: stderr has no buffer */
  p->shown = true;
}

void progress_clear(progress *p) {
  if (!p->shown) return;
  fputs("\r\033[K", stderr);
  p->shown = false;
}
