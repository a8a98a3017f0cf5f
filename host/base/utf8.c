/* See utf8.h. */
#include "base/utf8.h"

#include <stddef.h>

bool utf8_is_valid(const char *text) {
  for (const unsigned char *u = (const unsigned char *)text; *u != '\0';) {
    size_t more = *u < 0x80 ? 0 : *u < 0xc2 ? 4 : *u < 0xe0 ? 1 : *u < 0xf0 ? 2 : *u < 0xf5 ? 3 : 4;
    bool good = more < 4 && !(u[0] == 0xe0 && u[1] < 0xa0) && !(u[0] == 0xed && u[1] > 0x9f) &&
                !(u[0] == 0xf0 && u[1] < 0x90) && !(u[0] == 0xf4 && u[1] > 0x8f);
    for (size_t i = 1; good && i <= more; i++) good = u[i] >> 6 == 2;
    if (!good) return false;
    u += more + 1;
  }
  return true;
}
