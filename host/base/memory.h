/* The memory that there is, so that a file which claims an absurd size is refused before the machine starts to swap. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdint.h>
#include <unistd.h>

/* Bytes of physical memory; without an answer, no limit. */
static inline uint64_t memory_total_bytes(void) {
  long pages = sysconf(_SC_PHYS_PAGES), page_bytes = sysconf(_SC_PAGESIZE);
  if (pages <= 0 || page_bytes <= 0) return UINT64_MAX;
  return (uint64_t)pages * (uint64_t)page_bytes;
}

#endif
