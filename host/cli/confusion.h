/* A confusion matrix as SVG: rows are labels, columns predictions, a cell's shade its share of the row. */
#ifndef CONFUSION_H
#define CONFUSION_H

#include <stddef.h>
#include <stdint.h>

/* `counts` is (classes, classes), `accuracy` for the title. Returns an exit status. */
int confusion_write(const char *path, const char *const *names, const uint64_t *counts, size_t classes,
                    double accuracy);

#endif
