/* The second thread of work in quick succession: every piece is done once, whoever does it, and calls end when all
 * are. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "reference/helper.h"
#include "test.h"

enum { PIECES_MAX = 300 };

typedef struct count {
  int done[PIECES_MAX]; /* not atomic: ThreadSanitizer sees whether pieces and calls are in order */
  pthread_t caller;
  atomic_int helped;
} count;

static void piece(void *user, size_t i) {
  count *c = user;
  c->done[i]++;
  if (!pthread_equal(pthread_self(), c->caller)) atomic_fetch_add(&c->helped, 1);
}

static void pause_ms(long ms) {
  nanosleep(&(struct timespec){.tv_nsec = 1000000 * ms}, NULL);
}

static void share_and_check(helper *h, count *c, size_t pieces, int calls) {
  memset(c->done, 0, sizeof c->done);
  for (int i = 0; i < calls; i++) helper_share(h, pieces, piece, c);
  for (size_t i = 0; i < PIECES_MAX; i++) ck_assert_int_eq(c->done[i], i < pieces ? calls : 0);
}

START_TEST(every_piece_is_done_once) {
  static const size_t pieces[] = {0, 1, 2, 3, 17, PIECES_MAX};
  helper *h = helper_create();
  count c = {.caller = pthread_self()};
  for (int round = 0; round < 20; round++)
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) share_and_check(h, &c, pieces[i], 200);
  helper_destroy(h);
}
END_TEST

START_TEST(a_lone_caller_does_all) {
  count c = {.caller = pthread_self()};
  share_and_check(NULL, &c, PIECES_MAX, 3);
  ck_assert_int_eq(atomic_load(&c.helped), 0);
  helper_destroy(NULL);
}
END_TEST

static void long_piece(void *user, size_t i) {
  piece(user, i);
  pause_ms(2);
}

/* The helper wakes up for calls that follow each other, after any pause. */
START_TEST(the_helper_takes_part) {
  helper *h = helper_create();
  if (h == NULL) return; /* a lone processor */
  count c = {.caller = pthread_self()};
  for (int pause = 0; pause < 3; pause++) {
    atomic_store(&c.helped, 0);
    for (int i = 0; i < 500 && atomic_load(&c.helped) == 0; i++) helper_share(h, 16, long_piece, &c);
    ck_assert_int_gt(atomic_load(&c.helped), 0);
    pause_ms(5);
  }
  helper_destroy(h);
}
END_TEST

/* Asleep, awake, and before it has run at all. */
START_TEST(helpers_come_and_go) {
  count c = {.caller = pthread_self()};
  for (int i = 0; i < 60; i++) {
    helper *h = helper_create();
    if (i % 3 > 0) share_and_check(h, &c, 5, i);
    if (i % 3 > 1) pause_ms(1);
    helper_destroy(h);
  }
}
END_TEST

int main(void) {
  Suite *suite = suite_create("helper");
  TCase *tests = tcase_create("all");
  tcase_set_timeout(tests, 120);
  tcase_add_test(tests, every_piece_is_done_once);
  tcase_add_test(tests, a_lone_caller_does_all);
  tcase_add_test(tests, the_helper_takes_part);
  tcase_add_test(tests, helpers_come_and_go);
  suite_add_tcase(suite, tests);
  return test_run(suite);
}
