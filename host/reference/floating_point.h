/* The floating-point environment that the contract needs: round to nearest, subnormals kept, no traps. Another library
 * in the process may have changed it, so every operation sets it and gives the caller's back. */
#ifndef REFERENCE_FLOATING_POINT_H
#define REFERENCE_FLOATING_POINT_H

#if defined(__x86_64__) || defined(__SSE2__)
#include <xmmintrin.h>

typedef unsigned floating_point;

static inline floating_point floating_point_set(void) {
  floating_point saved = _mm_getcsr();
  _mm_setcsr(0x1f80);
  return saved;
}

static inline void floating_point_restore(floating_point saved) {
  _mm_setcsr(saved);
}

#elif defined(__aarch64__)
#include <stdint.h>

typedef uint64_t floating_point;

static inline floating_point floating_point_set(void) {
  floating_point saved;
  __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
  __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)0));
  return saved;
}

static inline void floating_point_restore(floating_point saved) {
  __asm__ volatile("msr fpcr, %0" : : "r"(saved));
}

#else
#include <fenv.h>

typedef fenv_t floating_point;

static inline floating_point floating_point_set(void) {
  floating_point saved;
  fegetenv(&saved);
  fesetenv(FE_DFL_ENV);
  return saved;
}

static inline void floating_point_restore(floating_point saved) {
  fesetenv(&saved);
}

#endif
#endif
