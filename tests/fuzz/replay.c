/* Feeds a target with the files of folders: replay FOLDER... */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void replay(const char *path) {
  FILE *stream = fopen(path, "rb");
  MUST(stream != NULL);
  MUST(fseek(stream, 0, SEEK_END) == 0);
  size_t size = (size_t)ftell(stream);
  rewind(stream);
  uint8_t *bytes = malloc(size > 0 ? size : 1); /* exactly, so that a sanitizer sees a read past the end */
  MUST(bytes != NULL);
  MUST(fread(bytes, 1, size, stream) == size);
  fclose(stream);
  printf("%s\n", path);
  fflush(stdout);
  LLVMFuzzerTestOneInput(bytes, size);
  free(bytes);
}

int main(int argc, char **argv) {
  size_t count = 0;
  for (int i = 1; i < argc; i++) {
    DIR *folder = opendir(argv[i]);
    MUST(folder != NULL);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
      if (entry->d_name[0] == '.') continue;
      char path[4096];
      snprintf(path, sizeof path, "%s/%s", argv[i], entry->d_name);
      replay(path);
      count++;
    }
    closedir(folder);
  }
  if (count == 0) fprintf(stderr, "replay: no inputs\n");
  return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
