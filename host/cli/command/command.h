/* What each subcommand is: its name, its options, its help, and the function that does it. */
#ifndef COMMAND_H
#define COMMAND_H

#include "terminal/options.h"

typedef struct command {
  const char *name;
  const char *summary;         /* one line */
  const char *operand;         /* its operands in the help, or NULL: it takes none */
  const char *examples;        /* lines */
  struct poptOption *table;    /* its options */
  int (*complete)(options *o); /* adds what the command line leaves to others to say; an exit status; or NULL */
  int (*run)(const options *o);
} command;

extern const command train_command, evaluate_command, predict_command, validate_command, devices_command, bench_command,
    tune_command, inspect_command, export_command, plot_command;

#endif
