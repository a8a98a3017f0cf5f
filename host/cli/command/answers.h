/* What `predict` writes of its rows, while they come: CSV, JSON lines, an array, or one JSON object at the end. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "input/rows.h"

/* --format, --all, --id. */
extern struct poptOption answer_options[];

typedef struct answers answers;

/* Reads the options, has `from` keep the columns of --id, and writes what stands before the first row. Both inputs must
 * stay. An exit status; *begun is NULL unless it is STATUS_OK. */
int answers_begin(const options *o, const opened_model *m, const opened_rows *from, answers **begun);
/* Writes `rows` rows. places[i] is the place of the ith among those that the source gave last, of which the first was
 * its row `first`; outputs (rows, outputs) are the network's, and become numbers in the units of their columns. False
 * when memory is short. */
bool answers_add(answers *a, size_t first, const size_t *places, size_t rows, float *outputs);
/* Writes what stands behind the last row; `bad` had no answer. An exit status. */
int answers_end(answers *a, size_t bad);
void answers_free(answers *a); /* NULL is allowed */

#endif
