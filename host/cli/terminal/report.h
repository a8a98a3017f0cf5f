/* Everything the command says: results to stdout as text or as one JSON object, the rest to stderr, and the exit status
 * that follows from it. */
#ifndef REPORT_H
#define REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "mlp_cl.h"

enum exit_status { STATUS_OK, STATUS_FAILED, STATUS_USAGE, STATUS_BITS_DIFFER, STATUS_NO_DEVICE, STATUS_DIVERGED };

/* Set once, before anything is said. */
void report_setup(bool json, bool quiet);
bool report_is_json(void);
bool report_is_quiet(void);

/* A note to stderr, unless quiet; one that begins with "warning: " always. */
__attribute__((format(printf, 1, 2))) void report_note(const char *format, ...);
/* An error in the command line; returns STATUS_USAGE. */
__attribute__((format(printf, 1, 2))) int report_usage(const char *format, ...);
/* A failure; returns the exit status for it. */
int report_failure(const mlp_cl_error *error);
/* The same with a text of one's own. */
__attribute__((format(printf, 2, 3))) int report_failed(mlp_cl_status status, const char *format, ...);
/* Ends the command: without memory for its own arguments there is nothing to undo. */
_Noreturn void report_no_memory(void);

/* From now on failures do not end the command: with --json they are told in the result, as "failures". */
void report_result_comes(void);

/* An object with what every result begins with; NULL without memory, which report_json tells. */
json_t *report_object(void);
json_t *report_number(double value);     /* null when not finite */
json_t *report_string(const char *text); /* what is not UTF-8 is taken as Latin-1 */
json_t *report_device(const mlp_cl_device *device);
/* Adds whether the device keeps the numerics contract, and the rule that it breaks, or null. */
void report_contract(json_t *object, const mlp_cl_context *context);
/* Writes the object to stdout and releases it; returns `status`, or STATUS_FAILED when it was incomplete. */
int report_json(json_t *object, int status);

/* Bytes of the character that begins at `text`; 0 when it is no UTF-8, or one that does something to a terminal or is
 * not allowed in XML. */
size_t report_harmless_bytes(const char *text);
/* A name from a file as text for a terminal: control characters and bytes that are not UTF-8 as \xNN. Cut, in whole
 * characters, where `room` ends. Returns `buffer`. */
const char *report_escape(const char *name, char *buffer, size_t room);

/* A loss, accuracy or R2 for a table or a line: four decimals where they tell something, else four digits and a power
 * of ten. Returns `buffer`. */
const char *report_measure(double value, char buffer[16]);

/* Escape sequences for stdout: "" unless it is a terminal that wants colours. */
const char *report_green(void);
const char *report_red(void);
const char *report_plain(void);

/* Whether colours are wanted on this stream (NO_COLOR, TERM). */
bool report_colours(FILE *stream);

#endif
