/* The command mlp_cl: finds the subcommand, shows help, runs it. Without one it does the main job: train, then
 * verify. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "mlp_cl.h"
#include "terminal/interrupt.h"
#include "terminal/report.h"
#include "terminal/suggest.h"
#include "terminal/watchdog.h"

static const command *const commands[] = {&train_command,   &evaluate_command, &predict_command, &validate_command,
                                          &devices_command, &bench_command,    &tune_command,    &inspect_command,
                                          &export_command,  &plot_command};
enum { COMMANDS = sizeof commands / sizeof *commands };

/* How many words an option takes, its own included: "--device 0" two, "--quiet" one; 0 when it is not known. */
static int option_words(const char *argument) {
  if (strcmp(argument, "-d") == 0) return 2;
  if (argument[1] != '-' || strchr(argument, '=')) return 1;
  for (int i = 0; i < COMMANDS; i++) {
    const struct poptOption *row = options_find(commands[i]->table, argument + 2, 0);
    if (row) return options_is_flag(row) ? 1 : 2;
  }
  return 0;
}

/* The position of the first word that is neither an option nor an option's value; argc when there is none, or when an
 * unknown option makes that a guess: parsing then names the option. */
static int find_word(int argc, char **argv) {
  for (int i = 1; i < argc;) {
    if (argv[i][0] != '-') return i;
    int words = strcmp(argv[i], "--") == 0 ? 0 : option_words(argv[i]);
    if (words == 0) return argc;
    i += words;
  }
  return argc;
}

static const command *find_command(const char *word) {
  suggestion best = suggest_begin(word);
  for (int i = 0; i < COMMANDS; i++) {
    if (strcmp(word, commands[i]->name) == 0) return commands[i];
    suggest(&best, commands[i]->name);
  }
  if (best.word)
    report_usage("unknown command '%s'; did you mean '%s'?", word, best.word);
  else if (access(word, F_OK) == 0)
    report_usage("'%s' is no command; to learn from it: mlp_cl train --data %s; a model: mlp_cl inspect %s", word, word,
                 word);
  else
    report_usage("unknown command '%s'; 'mlp_cl --help' lists them", word);
  return NULL;
}

static int print_general_help(void) {
  puts(
      "mlp_cl trains and runs multilayer perceptrons on any OpenCL device, with the same bits on each.\n\n"
      "Usage: mlp_cl [COMMAND] [--device N] [OPTIONS]\n\n"
      "Without a command: train on the built-in digits, train again on the CPU reference, compare the bits.\n\n"
      "Commands:");
  for (int i = 0; i < COMMANDS; i++) printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
  puts(
      "\nThe options of each: mlp_cl COMMAND --help. Without a command: those of train.\n\n"
      "Examples:\n"
      "  mlp_cl\n"
      "  mlp_cl devices\n"
      "  mlp_cl train --data /usr/share/datasets/fashion-mnist --out fashion.safetensors\n"
      "  mlp_cl evaluate fashion.safetensors --data /usr/share/datasets/fashion-mnist --device reference\n\n"
      "Exit status: 0 success, 1 the work failed, 2 the command line was wrong, 3 bits differ, 4 no usable device,\n"
      "5 training diverged, 129, 130, 141, 143 or 152 interrupted.");
  return STATUS_OK;
}

static int print_command_help(const command *c, const char **argv) {
  poptContext context = poptGetContext(NULL, 1, argv, c->table, POPT_CONTEXT_NO_EXEC);
  if (!context) report_no_memory();
  char usage[64];
  snprintf(usage, sizeof usage, "%s%s[OPTION...]", c->operand ? c->operand : "", c->operand ? " " : "");
  poptSetOtherOptionHelp(context, usage);
  printf("mlp_cl %s: %s\n\n", c->name, c->summary);
  poptPrintHelp(context, stdout, 0);
  printf("\nExamples:\n%s", c->examples);
  poptFreeContext(context);
  return STATUS_OK;
}

static int dispatch(const command *c, options *o, const char **argv) {
  if (options_has(o, OPTION_HELP)) return c ? print_command_help(c, argv) : print_general_help();
  if (options_has(o, OPTION_VERSION)) {
    printf("mlp_cl %s (numerics version %d)\n", mlp_cl_version(), mlp_cl_numerics_version());
    return STATUS_OK;
  }
  report_setup(options_has(o, OPTION_JSON), options_has(o, OPTION_QUIET));
  const command *effective = c ? c : &train_command;
  int status = effective->complete ? effective->complete(o) : STATUS_OK;
  if (status == STATUS_OK && !watchdog_read(o)) status = STATUS_USAGE;
  return status == STATUS_OK ? effective->run(o) : status;
}

static int run_command(const command *c, int argc, const char **argv) {
  options o;
  const command *effective = c ? c : &train_command;
  if (!options_parse(&o, effective->table, effective->operand, argc, argv)) return STATUS_USAGE;
  if (!c && !o.text[OPTION_VERIFY] && !(o.text[OPTION_VERIFY] = strdup(""))) report_no_memory();
  int status = dispatch(c, &o, argv);
  options_free(&o);
  return status;
}

/* A full disk or a closed pipe must not look like success. */
static int check_stdout(int status) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return status;
  fprintf(stderr, "mlp_cl: standard output could not be written\n");
  return status == STATUS_OK ? STATUS_FAILED : status;
}

int main(int argc, char **argv) {
  /* Known before the options are parsed, since their errors are JSON too. */
  bool json = false;
  for (int i = 1; i < argc; i++) json = json || strcmp(argv[i], "--json") == 0;
  report_setup(json, false);
  interrupt_setup(json);
  int word = find_word(argc, argv);
  /* As other commands have it: help, help COMMAND, version. */
  if (word < argc && (strcmp(argv[word], "help") == 0 || strcmp(argv[word], "version") == 0)) {
    argv[word] = *argv[word] == 'h' ? "--help" : "--version";
    word = find_word(argc, argv);
  }
  const command *c = NULL;
  if (word < argc && !(c = find_command(argv[word]))) return check_stdout(STATUS_USAGE);
  const char **rest = calloc((size_t)argc + 2, sizeof *rest);
  if (!rest) report_no_memory();
  char name[32];
  snprintf(name, sizeof name, "mlp_cl%s%s", c ? " " : "", c ? c->name : "");
  int count = 0;
  rest[count++] = name;
  for (int i = 1; i < argc; i++) {
    if (i != word) rest[count++] = argv[i];
  }
  int status = run_command(c, count, rest);
  free(rest);
  return check_stdout(status);
}
