/* What the fuzz targets share. A target is a file here that defines LLVMFuzzerTestOneInput; linked with libFuzzer it
 * searches (ci/torture.sh fuzz), linked with replay.c it is an ordinary test on the inputs in corpus/. Beyond crashes
 * and leaks a target fails when a promise of mlp_cl.h does not hold. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "mlp_cl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process, as a crash does, unless the condition holds. */
#define MUST(condition) ((condition) ? (void)0 : fuzz_die(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_die(const char *file, int line, const char *what);

/* The path of a file in memory with these bytes; file `number` (0 … 3) is overwritten by the next call. */
const char *fuzz_file(int number, const void *data, size_t size);
/* Where a target has it: an input that is read to its end, of at most `room` bytes; its size. */
__attribute__((weak)) size_t fuzz_whole_file(uint8_t *data, size_t room, unsigned number);
/* A failure has its status and a sentence on one line, with nothing in it that a terminal would obey. */
void fuzz_check_error(mlp_cl_status status, const mlp_cl_error *error);
/* The same for lines of text that were printed. */
void fuzz_check_text(const char *text, size_t size);

#endif
