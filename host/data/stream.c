/* See stream.h. */
#include "data/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/size.h"

static mlp_cl_status read_file(stream *s, unsigned char *bytes, size_t count, size_t *got, mlp_cl_error *error) {
  ssize_t result;
  do {
    result = read(s->file, bytes, count);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return fail(error, MLP_CL_IO, "%s: cannot read: %s", s->path, strerror(errno));
  *got = (size_t)result;
  return MLP_CL_OK;
}

static mlp_cl_status fail_packed(const stream *s, const char *reason, mlp_cl_error *error) {
  return fail(error, MLP_CL_BAD_FILE, "%s: corrupt gzip data after byte %llu of the content (%s); fetch the file again",
              s->path, (unsigned long long)s->offset, reason == NULL ? "damaged" : reason);
}

/* Zeros behind a member fill up the last block of a tape or a disk. */
static void skip_zeros(z_stream *z) {
  for (; z->avail_in > 0 && *z->next_in == 0; z->avail_in--) z->next_in++;
}

/* Unpacks until there is content. A file may be several gzip members one after the other. */
static mlp_cl_status unpack(stream *s, mlp_cl_error *error) {
  z_stream *z = &s->inflater;
  while (s->end == 0) {
    if (z->avail_in == 0) {
      size_t got;
      TRY(read_file(s, s->packed, STREAM_BUFFER, &got, error));
      z->next_in = s->packed;
      z->avail_in = (uInt)got;
      if (got == 0) {
        s->ended = true;
        /* After a whole member nothing has been unpacked since inflateReset. */
        return z->total_in == 0 ? MLP_CL_OK : fail_packed(s, "it ends early", error);
      }
    }
    if (z->total_in == 0) skip_zeros(z);
    if (z->avail_in == 0) continue;
    z->next_out = s->content;
    z->avail_out = STREAM_BUFFER;
    int result = inflate(z, Z_NO_FLUSH);
    s->end = STREAM_BUFFER - z->avail_out;
    if (result == Z_MEM_ERROR) return fail_memory(error, 1 << 17, "decompression");
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      s->offset += s->end;
      return fail_packed(s, z->msg, error);
    }
    if (result == Z_STREAM_END) inflateReset(z);
  }
  return MLP_CL_OK;
}

static mlp_cl_status refill(stream *s, mlp_cl_error *error) {
  if (s->begin < s->end || s->ended) return MLP_CL_OK;
  s->begin = s->end = 0;
  if (s->gzip) return unpack(s, error);
  TRY(read_file(s, s->content, STREAM_BUFFER, &s->end, error));
  s->ended = s->end == 0;
  return MLP_CL_OK;
}

/* Two bytes tell gzip; a pipe may give them one at a time. */
static mlp_cl_status begin_gzip(stream *s, mlp_cl_error *error) {
  TRY(refill(s, error));
  if (s->end == 0 || s->content[0] != 0x1f) return MLP_CL_OK;
  while (s->end < 2) {
    size_t got;
    TRY(read_file(s, s->content + s->end, STREAM_BUFFER - s->end, &got, error));
    if (got == 0) return MLP_CL_OK;
    s->end += got;
  }
  if (s->content[1] != 0x8b) return MLP_CL_OK;
  int gzip_only = 16 + MAX_WBITS;
  if (inflateInit2(&s->inflater, gzip_only) != Z_OK) return fail_memory(error, 1 << 17, "decompression");
  s->gzip = true;
  memcpy(s->packed, s->content, s->end);
  s->inflater.next_in = s->packed;
  s->inflater.avail_in = (uInt)s->end;
  s->begin = s->end = 0;
  return MLP_CL_OK;
}

mlp_cl_status stream_open(stream *s, const char *path, mlp_cl_error *error) {
  bool standard = strcmp(path, "-") == 0;
  *s = (stream){.path = standard ? "standard input" : path, .size = UINT64_MAX};
  s->file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (s->file < 0 || fstat(s->file, &status) != 0) {
    mlp_cl_status failed = fail(error, MLP_CL_IO, "%s: cannot open: %s", s->path, strerror(errno));
    if (s->file >= 0) stream_close(s);
    return failed;
  }
  mlp_cl_status opened = MLP_CL_OK;
  if (S_ISDIR(status.st_mode)) opened = fail(error, MLP_CL_IO, "%s: is a folder; name a file", s->path);
  if (S_ISREG(status.st_mode)) s->size = (uint64_t)status.st_size;
  s->content = malloc(2 * STREAM_BUFFER);
  if (s->content == NULL) opened = fail_memory(error, 2 * STREAM_BUFFER, "reading a file");
  s->packed = s->content + STREAM_BUFFER;
  if (opened == MLP_CL_OK) opened = begin_gzip(s, error);
  if (opened != MLP_CL_OK) stream_close(s);
  return opened;
}

void stream_close(stream *s) {
  if (s->gzip) inflateEnd(&s->inflater);
  free(s->content);
  if (s->file > STDIN_FILENO) close(s->file);
}

mlp_cl_status stream_peek(stream *s, const unsigned char **bytes, size_t *count, mlp_cl_error *error) {
  TRY(refill(s, error));
  *bytes = s->content + s->begin;
  *count = s->end - s->begin;
  return MLP_CL_OK;
}

mlp_cl_status stream_read(stream *s, void *bytes, size_t count, size_t *got, mlp_cl_error *error) {
  TRY(refill(s, error));
  *got = size_min(count, s->end - s->begin);
  memcpy(bytes, s->content + s->begin, *got);
  s->begin += *got;
  s->offset += *got;
  return MLP_CL_OK;
}
