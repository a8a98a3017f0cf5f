/* See format.h. */
#include "data/format.h"

#include "data/idx.h"
#include "data/stream.h"

static data_format format_of(const unsigned char *bytes, size_t count) {
  /* Text has no NUL; and no text is empty, which the reader of tables says best. */
  return count > 0 && bytes[0] == 0 ? DATA_IDX : DATA_TEXT;
}

mlp_cl_status format_find(const char *path, data_format *format, mlp_cl_error *error) {
  stream s;
  const unsigned char *bytes;
  size_t count;
  TRY(stream_open(&s, path, error));
  mlp_cl_status status = stream_peek(&s, &bytes, &count, error);
  if (status == MLP_CL_OK) *format = format_of(bytes, count);
  stream_close(&s);
  return status;
}

mlp_cl_status format_open(const char *path, data_format format, const char *labels_path, mlp_cl_dataset **dataset,
                          mlp_cl_error *error) {
  dataset_parts parts = {0};
  switch (format) {
    case DATA_TEXT: break;
    case DATA_IDX: TRY(idx_read(path, labels_path, &parts, error)); return dataset_adopt(&parts, dataset, error);
  }
  return fail(error, MLP_CL_BAD_FILE, "%s: is a table, not an array", path);
}
