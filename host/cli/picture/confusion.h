/* A confusion matrix as SVG: rows are labels, columns predictions, a cell's shade its share of the row. */
#ifndef CONFUSION_H
#define CONFUSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether so many classes can be drawn; complains if not. */
bool confusion_fits(size_t classes);
/* `counts` is (classes, classes), `accuracy` for the title. Returns an exit status. */
int confusion_write(const char *path, const char *const *names, const uint64_t *counts, size_t classes,
                    double accuracy);

#endif
