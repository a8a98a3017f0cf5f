/* See measured.h. */
#include "command/measured.h"

#include <stdio.h>
#include <stdlib.h>

#include "terminal/report.h"

bool measured_read(const options *o, measured_network *network) {
  uint64_t batch = 64;
  size_t *list = NULL, count = 0;
  if (!options_unsigned(o, OPTION_BATCH, 1, 1 << 20, "a number of rows, 1 to 1048576", &batch)) return false;
  if (!options_list(o, OPTION_LAYERS, 1 << 24, "inputs, hidden layers, classes, such as 784,512,10", &list, &count))
    return false;
  bool right = !options_has(o, OPTION_LAYERS) || (count >= 2 && count <= MEASURED_WIDTHS_MAX);
  if (!right)
    report_usage("--layers %s: expected 2 to %d numbers: inputs, hidden layers, classes",
                 options_text(o, OPTION_LAYERS, ""), MEASURED_WIDTHS_MAX);
  *network = (measured_network){.batch = (size_t)batch, .count = count};
  for (size_t i = 0; right && i < count; i++) network->widths[i] = list[i];
  free(list);
  return right;
}

void measured_format(const measured_network *network, char *text, size_t size) {
  size_t used = 0;
  for (size_t i = 0; i < network->count && used < size; i++) {
    int written = snprintf(text + used, size - used, "%s%zu", i ? "-" : "", network->widths[i]);
    used += written > 0 ? (size_t)written : 0;
  }
}

json_t *measured_json(const measured_network *network) {
  json_t *widths = json_array();
  for (size_t i = 0; i < network->count; i++)
    json_array_append_new(widths, json_integer((json_int_t)network->widths[i]));
  return widths;
}
