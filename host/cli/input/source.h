/* --data and what goes with it: where rows come from and how a table is read. */
#ifndef SOURCE_H
#define SOURCE_H

#include "mlp_cl.h"
#include "terminal/options.h"

#define OPTION_ROW_DATA                                                                                             \
  OPTION_VALUE("data", OPTION_DATA,                                                                                 \
               "'digits' (built in), a table (CSV, TSV), an IDX, NPY or NPZ file, or a folder in the MNIST layout " \
               "(default: digits)",                                                                                 \
               "SOURCE")
#define OPTION_ROW_LABELS \
  OPTION_VALUE("labels", OPTION_LABELS, "the labels, when --data is a single IDX or NPY file", "FILE")
#define OPTION_ROW_HEADER                                                                                              \
  OPTION_VALUE("header", OPTION_HEADER, "the first line of a table names the columns: yes or no (default: found out)", \
               "NAME")

extern struct poptOption source_options[]; /* of train: --data, --labels, parts */
extern struct poptOption table_options[];  /* of train: how a table is read */

/* "digits" unless --data says otherwise. */
const char *source_name(const options *o);
/* These are false after a complaint. */
bool source_task(const options *o, mlp_cl_task *task);
bool source_header(const options *o, mlp_cl_header *header);
/* Opens --data in parts for training; returns an exit status, after a complaint unless it is STATUS_OK. Tells how many
 * rows went where. */
int source_open_parts(const options *o, uint64_t seed, mlp_cl_parts *parts);

#endif
