/* The networks that are measured: by bench, and by tune. */
#ifndef MEASURED_H
#define MEASURED_H

#include <jansson.h>

#include "terminal/options.h"

enum { MEASURED_WIDTHS_MAX = 8 };

typedef struct measured_network {
  size_t batch, count;
  size_t widths[MEASURED_WIDTHS_MAX];
} measured_network;

#define OPTION_ROWS_MEASURED                                                                                   \
  OPTION_VALUE("layers", OPTION_LAYERS, "measure this network alone: inputs, hidden layers, classes", "LIST"), \
      OPTION_VALUE("batch", OPTION_BATCH, "rows of its training step (default: 64)", "N")

/* The network that --layers and --batch tell; of no widths without. False after a complaint. */
bool measured_read(const options *o, measured_network *network);
/* "784-512-10" */
void measured_format(const measured_network *network, char *text, size_t size);
/* [784, 512, 10] */
json_t *measured_json(const measured_network *network);

#endif
