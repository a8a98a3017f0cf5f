/* Philox4x32-10 against the known answers of its authors, and that its uses cannot meet. */
#include "philox.h"
#include "test.h"

typedef struct known_answer {
  uint32_t counter[4], key[2], words[4];
} known_answer;

static const known_answer known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

START_TEST(known_answers) {
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    uint32_t words[4];
    for (size_t j = 0; j < 4; j++) words[j] = known[i].counter[j];
    philox4x32_10(words, known[i].key[0], known[i].key[1]);
    for (size_t j = 0; j < 4; j++)
      ck_assert_msg(words[j] == known[i].words[j], "answer %zu word %zu is %08x, not %08x", i, j, words[j],
                    known[i].words[j]);
  }
}
END_TEST

START_TEST(every_input_word_matters) {
  for (size_t bit = 0; bit < 6 * 32; bit++) {
    uint32_t input[6] = {1, 2, 3, 4, 5, 6}, words[4] = {1, 2, 3, 4};
    input[bit / 32] ^= 1u << bit % 32;
    philox4x32_10(words, 5, 6);
    philox4x32_10(input, input[4], input[5]);
    size_t same = 0;
    for (size_t j = 0; j < 4; j++) same += words[j] == input[j];
    ck_assert_msg(same == 0, "bit %zu leaves %zu words as they were", bit, same);
  }
}
END_TEST

START_TEST(purposes_are_apart) {
  static const uint32_t purposes[] = {PHILOX_DROPOUT, PHILOX_INITIAL_WEIGHTS, PHILOX_INITIAL_BIASES, PHILOX_SHUFFLE,
                                      PHILOX_SPLIT};
  for (size_t i = 0; i < 5; i++)
    for (size_t j = 0; j < i; j++)
      for (uint32_t layer = 0; layer < 1u << 24; layer += (1u << 24) - 1)
        ck_assert_uint_ne(PHILOX_STREAM(purposes[i], layer), PHILOX_STREAM(purposes[j], layer));
  ck_assert_uint_eq(PHILOX_STREAM(PHILOX_SPLIT, 0xffffffu), 0x04ffffffu);
}
END_TEST

int main(void) {
  Suite *suite = suite_create("philox");
  TCase *cases = tcase_create("philox");
  tcase_add_test(cases, known_answers);
  tcase_add_test(cases, every_input_word_matters);
  tcase_add_test(cases, purposes_are_apart);
  suite_add_tcase(suite, cases);
  return test_run(suite);
}
