#include "reference/helper.h"

#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "reference/floating_point.h"

/* The helper is awake for so long after a piece, and is woken for calls that are no farther apart: as long as the last
 * call took, or an eighth less than before, within these. */
enum { AWAKE_LEAST_US = 100, AWAKE_MOST_US = 1000 };
enum { LOOKS_OF_CLOCK = 16 }; /* at the pieces, for one at the clock */

struct helper {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  atomic_bool asleep, ends;
  /* Pieces [begin, end) have not been taken: call << 32 | end << 16 | begin. The call's number makes each state unique;
   * who takes a piece may read the two below, since the call does not return before the piece is done. */
  _Atomic uint64_t open;
  helper_piece *piece;
  void *user;
  atomic_size_t helped; /* pieces of this call that the helper has done */
  uint32_t calls;
  atomic_uint awake_us;
  double called_s; /* when the last call ended */
};

/* The `round`th moment of waiting: some microseconds awake, then others may run. */
static void relax(unsigned round) {
  if (round > 500) {
    sched_yield();
    return;
  }
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static double awake_s(helper *h) {
  return 1e-6 * atomic_load(&h->awake_us);
}

static bool is_open(uint64_t pieces) {
  return (pieces & 0xffff) != (pieces >> 16 & 0xffff);
}

/* Takes piece *i from the front or the back, if one is left. */
static bool take(helper *h, bool front, size_t *i) {
  uint64_t seen = atomic_load(&h->open);
  while (is_open(seen)) {
    uint64_t rest = front ? seen + 1 : seen - 0x10000;
    *i = (size_t)(front ? seen & 0xffff : rest >> 16 & 0xffff);
    if (atomic_compare_exchange_weak(&h->open, &seen, rest)) return true;
  }
  return false;
}

static void sleep_until_woken(helper *h) {
  pthread_mutex_lock(&h->mutex);
  atomic_store(&h->asleep, true);
  while (!atomic_load(&h->ends) && !is_open(atomic_load(&h->open))) pthread_cond_wait(&h->wake, &h->mutex);
  atomic_store(&h->asleep, false);
  pthread_mutex_unlock(&h->mutex);
}

static void wake(helper *h) {
  pthread_mutex_lock(&h->mutex);
  pthread_cond_signal(&h->wake);
  pthread_mutex_unlock(&h->mutex);
}

static void *help(void *argument) {
  helper *h = argument;
  (void)floating_point_set();
  unsigned idle = 0; /* moments since the last piece */
  for (double since = clock_now_s(); !atomic_load(&h->ends);) {
    size_t i;
    for (; take(h, false, &i); idle = 0) {
      h->piece(h->user, i);
      atomic_fetch_add(&h->helped, 1);
    }
    if (idle == 0) since = clock_now_s();
    relax(idle++);
    if (idle % LOOKS_OF_CLOCK != 0 || clock_now_s() - since < awake_s(h)) continue;
    sleep_until_woken(h);
    idle = 0;
  }
  return NULL;
}

helper *helper_create(void) {
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) return NULL;
  helper *h = calloc(1, sizeof *h);
  if (h == NULL) return NULL;
  atomic_init(&h->awake_us, AWAKE_LEAST_US);
  pthread_mutex_init(&h->mutex, NULL);
  pthread_cond_init(&h->wake, NULL);
  if (thread_start(&h->thread, help, h)) return h;
  pthread_cond_destroy(&h->wake);
  pthread_mutex_destroy(&h->mutex);
  free(h);
  return NULL;
}

void helper_destroy(helper *h) {
  if (h == NULL) return;
  atomic_store(&h->ends, true);
  wake(h);
  pthread_join(h->thread, NULL);
  pthread_cond_destroy(&h->wake);
  pthread_mutex_destroy(&h->mutex);
  free(h);
}

void helper_share(helper *h, size_t count, helper_piece *piece, void *user) {
  size_t i, mine = 0;
  if (h == NULL || count <= 1) {
    for (i = 0; i < count; i++) piece(user, i);
    return;
  }
  h->piece = piece;
  h->user = user;
  atomic_store(&h->helped, 0);
  atomic_store(&h->open, (uint64_t)++h->calls << 32 | (uint64_t)count << 16);
  double begin_s = clock_now_s();
  if (atomic_load(&h->asleep) && begin_s - h->called_s < awake_s(h)) wake(h);
  for (; take(h, true, &i); mine++) piece(user, i);
  for (unsigned round = 0; mine + atomic_load(&h->helped) < count; round++) relax(round);
  h->called_s = clock_now_s();
  double took_us = 1e6 * (h->called_s - begin_s), us = fmax(took_us, atomic_load(&h->awake_us) * 7 / 8);
  atomic_store(&h->awake_us, (unsigned)fmin(AWAKE_MOST_US, fmax(AWAKE_LEAST_US, us)));
}
