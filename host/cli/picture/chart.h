/* Curves of one run or of several, loss above accuracy, as SVG. */
#ifndef CHART_H
#define CHART_H

#include "picture/curve.h"

/* Writes the picture; returns an exit status. One run: a colour for training and one for the held-out part. Several: a
 * colour each. */
int chart_write(const char *path, const char *title, const curve *runs, size_t count);

#endif
