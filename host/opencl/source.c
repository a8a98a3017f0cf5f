/* Kernel sources: a file with its #include "…" expanded from the embedded files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/embedded.h"
#include "opencl/internal.h"

/* A growing text. */
typedef struct text {
  char *bytes;
  size_t count, capacity;
} text;

static bool text_append(text *t, const char *bytes, size_t count) {
  if (t->count + count + 1 > t->capacity) {
    size_t capacity = 2 * (t->count + count + 1);
    char *more = realloc(t->bytes, capacity);
    if (more == NULL) return false;
    t->bytes = more;
    t->capacity = capacity;
  }
  memcpy(t->bytes + t->count, bytes, count);
  t->count += count;
  t->bytes[t->count] = '\0';
  return true;
}

static const embedded_file *find_file(const char *name, size_t length) {
  for (const embedded_file *f = embedded_kernels; f->name != NULL; f++)
    if (strlen(f->name) == length && memcmp(f->name, name, length) == 0) return f;
  return NULL;
}

static bool append_line_directive(text *t, size_t line, const char *file) {
  char directive[128];
  int length = snprintf(directive, sizeof directive, "#line %zu \"%s\"\n", line, file);
  return text_append(t, directive, (size_t)length);
}

/* Appends the file with its includes in their place; #line keeps the compiler's messages true. Guards in the headers do
 * what they always do. */
static bool expand(text *t, const embedded_file *file) {
  static const char include[] = "#include \"";
  const char *at = (const char *)file->bytes;
  if (!append_line_directive(t, 1, file->name)) return false;
  for (size_t line = 1; *at != '\0'; line++) {
    const char *end = strchr(at, '\n');
    end = end != NULL ? end + 1 : at + strlen(at);
    const embedded_file *included = NULL;
    if (strncmp(at, include, sizeof include - 1) == 0) {
      const char *name = at + sizeof include - 1;
      const char *quote = memchr(name, '"', (size_t)(end - name));
      included = quote != NULL ? find_file(name, (size_t)(quote - name)) : NULL;
    }
    if (included != NULL) {
      if (!expand(t, included) || !append_line_directive(t, line + 1, file->name)) return false;
    } else if (!text_append(t, at, (size_t)(end - at))) {
      return false;
    }
    at = end;
  }
  return true;
}

mlp_cl_status opencl_source(const char *file, char **source, size_t *count, mlp_cl_error *error) {
  text t = {0};
  const embedded_file *embedded = find_file(file, strlen(file));
  if (embedded == NULL) return fail(error, MLP_CL_BUILD, "there is no kernels/%s in this build", file);
  if (!expand(&t, embedded)) {
    free(t.bytes);
    return fail_memory(error, t.count, file);
  }
  *source = t.bytes;
  *count = t.count;
  return MLP_CL_OK;
}
