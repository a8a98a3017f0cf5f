/* A command line, one argument a line: which command it names, its options and the plan of a run; nothing is run. */
int command_main(int argc, char **argv);
#define main command_main
#include "../../host/cli/main.c"
#undef main

#include "fuzz.h"
#include "train/plan.h"

enum { ARGUMENTS_MAX = 64 };

static void parse(int argc, char **argv) {
  int word = find_word(argc, argv);
  const command *c = word < argc ? find_command(argv[word]) : &train_command;
  const char *rest[ARGUMENTS_MAX + 1] = {"mlp_cl"};
  int count = 1;
  for (int i = 1; i < argc; i++)
    if (i != word) rest[count++] = argv[i];
  options o;
  plan p;
  if (c == NULL || !options_parse(&o, c->table, c->operand, count, rest)) return;
  if (plan_read(&o, &p)) {
    MUST(p.hidden != NULL && p.recipe.epochs > 0 && p.recipe.batch > 0);
    plan_free(&p);
  }
  options_free(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *argv[ARGUMENTS_MAX] = {"mlp_cl"}, *text = malloc(size + 1), *printed = NULL;
  MUST(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  int argc = 1;
  for (char *at = text; at != NULL && argc < ARGUMENTS_MAX - 1;) {
    argv[argc++] = strsep(&at, "\n");
  }
  size_t printed_bytes = 0;
  FILE *terminal = stderr;
  stderr = open_memstream(&printed, &printed_bytes);
  MUST(stderr != NULL);
  parse(argc, argv);
  fclose(stderr);
  stderr = terminal;
  fuzz_check_text(printed, printed_bytes);
  free(printed);
  free(text);
  return 0;
}
