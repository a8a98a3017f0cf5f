/* Prints one value of the JSON object on standard input: json_get epochs.0.train_loss. Fails when the input is not
 * exactly one JSON object or has no such value, so that scripts can check what --json wrote. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *step(json_t *value, const char *key) {
  return json_is_array(value) ? json_array_get(value, strtoul(key, NULL, 10)) : json_object_get(value, key);
}

static json_t *find(json_t *value, char *path) {
  for (char *key = strtok(path, "."); key && value; key = strtok(NULL, ".")) value = step(value, key);
  return value;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: json_get PATH < FILE\n");
    return 2;
  }
  json_error_t error;
  json_t *root = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
  if (!json_is_object(root)) {
    fprintf(stderr, "json_get: line %d, column %d: %s\n", error.line, error.column, root ? "no object" : error.text);
    json_decref(root);
    return 1;
  }
  json_t *value = find(root, argv[1]);
  if (!value) fprintf(stderr, "json_get: there is no such value\n");
  if (json_is_string(value))
    puts(json_string_value(value));
  else if (value && json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT) == 0)
    putchar('\n');
  json_decref(root);
  return value ? 0 : 1;
}
