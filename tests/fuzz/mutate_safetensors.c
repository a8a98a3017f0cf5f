/* How libFuzzer changes a safetensors file: in its header or in what follows, with the header's length told as it is,
 * since a file whose length is wrong is refused before anything else in it is looked at. */
#include <string.h>

#include "fuzz.h"

enum { LENGTH = 8, TAIL_MAX = 1 << 16 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned number);

static size_t load_length(const uint8_t *data) {
  size_t length = 0;
  for (size_t i = 0; i < LENGTH; i++) length |= (size_t)data[i] << (8 * i);
  return length;
}

static void store_length(uint8_t *data, size_t length) {
  for (size_t i = 0; i < LENGTH; i++) data[i] = (uint8_t)(length >> (8 * i));
}

/* libFuzzer begins with an empty input, beside those of the corpus. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned number) {
  static uint8_t tail[TAIL_MAX];
  if (size < LENGTH && fuzz_whole_file != NULL) return fuzz_whole_file(data, room, number);
  if (size < LENGTH) return LLVMFuzzerMutate(data, size, room);
  size_t header = load_length(data);
  if (number % 8 == 0 || header == 0 || header > size - LENGTH) return LLVMFuzzerMutate(data, size, room);
  size_t rest = size - LENGTH - header;
  if (rest > 0 && number % 8 == 1)
    return LENGTH + header + LLVMFuzzerMutate(data + LENGTH + header, rest, room - LENGTH - header);
  if (rest > TAIL_MAX) return LLVMFuzzerMutate(data, size, room);
  memcpy(tail, data + LENGTH + header, rest);
  header = LLVMFuzzerMutate(data + LENGTH, header, room - LENGTH - rest);
  memcpy(data + LENGTH + header, tail, rest);
  store_length(data, header);
  return LENGTH + header + rest;
}
