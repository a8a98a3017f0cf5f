#include "data/number.h"

#include <float.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* [+-] digits [. digits] [e [+-] digits], with a digit before the exponent. The digits' value goes to *mantissa and the
 * power of ten to *power; *exact is false when they do not hold it. */
static bool scan_number(const char *text, uint64_t *mantissa, int *power, bool *exact) {
  size_t digits = 0, significant = 0;
  long exponent = 0;
  *mantissa = 0;
  *power = 0;
  bool point = false;
  for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
    if (*text == '.') {
      point = true;
      continue;
    }
    digits++;
    *power -= point;
    significant += significant > 0 || *text != '0';
    if (significant <= 19) *mantissa = *mantissa * 10 + (uint64_t)(*text - '0');
  }
  if (digits == 0) return false;
  if (*text == 'e' || *text == 'E') {
    text++;
    bool negative = *text == '-';
    if (*text == '-' || *text == '+') text++;
    if (*text < '0' || *text > '9') return false;
    for (; *text >= '0' && *text <= '9'; text++)
      exponent = exponent < 100000 ? exponent * 10 + (*text - '0') : exponent;
    *power += (int)(negative ? -exponent : exponent);
  }
  *exact = significant <= 19 && digits < 1000;
  return *text == '\0';
}

/* A product or quotient of two exact doubles is rounded once; all else goes to the C library in the C locale. */
bool number_read(const char *text, locale_t c_locale, double *value) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  bool negative = *text == '-', exact = false;
  const char *magnitude = text + (*text == '-' || *text == '+');
  uint64_t mantissa;
  int power;
  if (!scan_number(magnitude, &mantissa, &power, &exact)) return false;
  double number;
  if (exact && mantissa <= (UINT64_C(1) << 53) && power >= -22 && power <= 22) {
    number = power < 0 ? (double)mantissa / powers[-power] : (double)mantissa * powers[power];
  } else {
    number = strtod_l(magnitude, NULL, c_locale);
  }
  *value = negative ? -number : number;
  return number <= (double)FLT_MAX;
}

const char *number_fault(const char *text, locale_t c_locale) {
  double value = 0.0;
  (void)number_read(text, c_locale, &value);
  if (value != 0.0) return "is more than float32 holds";
  bool comma = strchr(text, ',') != NULL && text[strspn(text, "+-.,0123456789")] == '\0';
  return comma ? "is not a number, which has a point and no comma" : "is not a number";
}

bool number_is_missing(const char *text) {
  static const char *const words[] = {"", "NA", "N/A", "NaN", "nan", "NAN", "null", "NULL", "None", "?", "-"};
  if (strlen(text) > 4) return false;
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    if (strcmp(text, words[i]) == 0) return true;
  }
  return false;
}

bool text_is_missing(const char *text) {
  return *text == '\0' || strcmp(text, "?") == 0;
}
