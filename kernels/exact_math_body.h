/* The functions of exact_math.h for one element type: REAL and UINT are float and uint, or vectors of them. No
 * branches, loops or tables: ?: selects per element. Results that would be subnormal are 0, subnormal arguments count
 * as 0, and no intermediate value is subnormal, so devices that flush them agree. Zeros are +0, every NaN is
 * 0x7fc00000. */

/* |x| < floor ? 0 : x, with -0 as 0; NaN and infinities stay. What every store to a tensor goes through. */
EXACT_FUNCTION REAL canonical(REAL x, float floor) {
  return AS_REAL(AS_UINT(x) & 0x7fffffffu) < (REAL)(floor) ? (REAL)(0.0f) : x;
}

/* e^x within 1 ulp. x = n ln 2 + r with |r| <= (ln 2)/2, ln 2 in two parts; the polynomial is N. Juffa's minimax. */
EXACT_FUNCTION REAL exact_exp(REAL x) {
  UINT magnitude = AS_UINT(x) & 0x7fffffffu;
  REAL shifted = EXACT_FMA(x, (REAL)(0x1.715476p0f), (REAL)(0x1.8p23f)); /* n in the low bits */
  REAL n = shifted - 0x1.8p23f;
  REAL r = EXACT_FMA(n, (REAL)(-0x1.62e4p-1f), x);
  r = EXACT_FMA(n, (REAL)(-0x1.7f7d1cp-20f), r);
  REAL p = (REAL)(0x1.694p-10f);
  p = EXACT_FMA(p, r, (REAL)(0x1.125edcp-7f));
  p = EXACT_FMA(p, r, (REAL)(0x1.555b5ap-5f));
  p = EXACT_FMA(p, r, (REAL)(0x1.55545p-3f));
  p = EXACT_FMA(p, r, (REAL)(0x1.fffff6p-2f));
  p = EXACT_FMA(p, r, (REAL)(1.0f));
  p = EXACT_FMA(p, r, (REAL)(1.0f));
  p = AS_REAL(AS_UINT(p) + (AS_UINT(shifted) << 23)); /* · 2^n */
  p = x > (REAL)(0x1.62e42ep6f) ? AS_REAL((UINT)(0x7f800000u)) : p;
  p = x < (REAL)(-0x1.5d589ep6f) ? (REAL)(0.0f) : p;
  return magnitude > 0x7f800000u ? AS_REAL((UINT)(0x7fc00000u)) : p;
}

/* ln x within 1 ulp: -inf for 0, NaN below. x = m · 2^e with m in [2/3, 4/3); the polynomial is N. Juffa's minimax. */
EXACT_FUNCTION REAL exact_log(REAL x) {
  UINT bits = AS_UINT(x);
  UINT magnitude = bits & 0x7fffffffu;
  UINT biased = (bits + 0x00555555u) >> 23; /* e + 127 */
  REAL e = AS_REAL(biased + 0x4b400000u) - (0x1.8p23f + 127.0f);
  REAL m = AS_REAL(bits - ((biased - 127u) << 23)) - 1.0f;
  REAL s = m * m;
  REAL p = (REAL)(-0x1.0aep-3f);
  REAL q = (REAL)(0x1.208p-3f);
  p = EXACT_FMA(p, s, (REAL)(-0x1.f198b2p-4f));
  q = EXACT_FMA(q, s, (REAL)(0x1.1e574p-3f));
  p = EXACT_FMA(p, s, (REAL)(-0x1.55b36cp-3f));
  q = EXACT_FMA(q, s, (REAL)(0x1.99d8b2p-3f));
  p = EXACT_FMA(p, s, (REAL)(-0x1.fffe02p-3f));
  p = EXACT_FMA(q, m, p);
  p = EXACT_FMA(p, m, (REAL)(0x1.5554fap-2f));
  p = EXACT_FMA(p, m, (REAL)(-0.5f));
  p = EXACT_FMA(p, s, m);
  p = EXACT_FMA(e, (REAL)(0x1.62e43p-1f), p);
  p = bits == 0x3f800000u ? (REAL)(0.0f) : p; /* some fma give -0 here */
  p = bits == 0x7f800000u ? x : p;
  p = bits > 0x80000000u ? AS_REAL((UINT)(0x7fc00000u)) : p;
  p = magnitude > 0x7f800000u ? AS_REAL((UINT)(0x7fc00000u)) : p;
  return magnitude < 0x00800000u ? AS_REAL((UINT)(0xff800000u)) : p;
}

/* 1 / b, correctly rounded, for b in [2^-60, 2^60]: Newton's steps, which leave one significand at a tie (checked for
 * each of the 2^23). */
EXACT_FUNCTION REAL newton_reciprocal(REAL b) {
  UINT bits = AS_UINT(b);
  REAL one = (REAL)(1.0f);
  REAL y = AS_REAL(0x7ef127eau - bits); /* within 6 % */
  REAL e = EXACT_FMA(-b, y, one);
  y = EXACT_FMA(y, EXACT_FMA(e, e, e), y);
  e = EXACT_FMA(-b, y, one);
  y = EXACT_FMA(y, EXACT_FMA(e, e, e), y);
  e = EXACT_FMA(-b, y, one);
  y = EXACT_FMA(y, e, y);
  return (bits & 0x007fffffu) == 0x007fffffu ? AS_REAL(0x7f000000u - bits) : y;
}

/* a / b, correctly rounded, from y = 1 / b, correctly rounded, which serves many a: a quotient within 1 ulp is made
 * exact by a residual (Markstein 1990), twice. No residual may be subnormal: a is 0, or its magnitude and b are both in
 * [2^-60, 2^60]. The sign of a 0 is open. */
EXACT_FUNCTION REAL exact_quotient(REAL a, REAL b, REAL y) {
  REAL q = a * y;
  q = EXACT_FMA(EXACT_FMA(-b, q, a), y, q);
  return EXACT_FMA(EXACT_FMA(-b, q, a), y, q);
}

/* a / b, correctly rounded wherever the quotient is normal. Significands first, exponents after. */
EXACT_FUNCTION REAL exact_divide(REAL a, REAL b) {
  UINT a_bits = AS_UINT(a) & 0x7fffffffu, b_bits = AS_UINT(b) & 0x7fffffffu;
  UINT sign = (AS_UINT(a) ^ AS_UINT(b)) & 0x80000000u;
  REAL n = AS_REAL((a_bits & 0x007fffffu) | 0x3f800000u);
  REAL d = AS_REAL((b_bits & 0x007fffffu) | 0x3f800000u);
  REAL q = exact_quotient(n, d, newton_reciprocal(d));
  UINT exponent = (AS_UINT(q) >> 23) + (a_bits >> 23) - (b_bits >> 23) + 256u; /* biased by 256 more: never negative */
  REAL result = AS_REAL((AS_UINT(q) & 0x007fffffu) | ((exponent - 256u) << 23) | sign);
  REAL zero = (REAL)(0.0f);
  REAL infinity = AS_REAL((UINT)(0x7f800000u) | sign);
  REAL nan_value = AS_REAL((UINT)(0x7fc00000u));
  result = exponent > 256u + 254u ? infinity : result;
  result = exponent < 256u + 1u ? zero : result;
  result = a_bits < 0x00800000u ? zero : result;
  result = b_bits == 0x7f800000u ? zero : result;
  result = b_bits < 0x00800000u ? (a_bits < 0x00800000u ? nan_value : infinity) : result;
  result = a_bits == 0x7f800000u ? (b_bits == 0x7f800000u ? nan_value : infinity) : result;
  result = a_bits > 0x7f800000u ? nan_value : result;
  return b_bits > 0x7f800000u ? nan_value : result;
}

/* sqrt(m), correctly rounded, for m in [2^-40, 2^120] (checked for each): Goldschmidt's iteration, one residual. */
EXACT_FUNCTION REAL goldschmidt_root(REAL m) {
  REAL y = AS_REAL(0x5f375a86u - (AS_UINT(m) >> 1)); /* 1/sqrt(m) within 4 % */
  REAL one_half = (REAL)(0.5f);
  REAL g = m * y, h = one_half * y;
  REAL r = EXACT_FMA(-g, h, one_half);
  g = EXACT_FMA(g, r, g);
  h = EXACT_FMA(h, r, h);
  r = EXACT_FMA(-g, h, one_half);
  g = EXACT_FMA(g, r, g);
  h = EXACT_FMA(h, r, h);
  r = EXACT_FMA(-g, h, one_half);
  g = EXACT_FMA(g, r, g);
  h = EXACT_FMA(h, r, h);
  return EXACT_FMA(EXACT_FMA(-g, g, m), h, g);
}

/* sqrt(x), correctly rounded: m in [1, 4) with x = m · 4^k. NaN below 0. */
EXACT_FUNCTION REAL exact_sqrt(REAL x) {
  UINT bits = AS_UINT(x);
  UINT magnitude = bits & 0x7fffffffu;
  UINT biased = bits >> 23;
  REAL m = AS_REAL((bits & 0x007fffffu) | (0x40000000u - ((biased & 1u) << 23)));
  REAL g = goldschmidt_root(m);
  REAL result = AS_REAL(AS_UINT(g) + ((((biased + 1u) >> 1) - 64u) << 23));
  result = bits == 0x7f800000u ? x : result;
  result = bits > 0x80000000u ? AS_REAL((UINT)(0x7fc00000u)) : result;
  result = magnitude > 0x7f800000u ? AS_REAL((UINT)(0x7fc00000u)) : result;
  return magnitude < 0x00800000u ? (REAL)(0.0f) : result;
}

/* The same of usual numbers, correctly rounded with nothing subnormal or infinite on the way: 1 / b and a / b for b in
 * [2^-60, 2^60] and a = 0 or |a| in the same range, the sign of a 0 being open; sqrt(x) for x in [0, 2^60], but 0 where
 * that is below 2^-50. Significands need not be taken apart. */
#if CORRECT_DIVISION

EXACT_FUNCTION REAL exact_reciprocal(REAL b) {
  return 1.0f / b;
}

EXACT_FUNCTION REAL exact_ratio(REAL a, REAL b) {
  return a / b;
}

EXACT_FUNCTION REAL exact_root(REAL x) {
  return x < (REAL)(0x1p-100f) ? (REAL)(0.0f) : sqrt(x);
}

#else

EXACT_FUNCTION REAL exact_reciprocal(REAL b) {
  return newton_reciprocal(b);
}

EXACT_FUNCTION REAL exact_ratio(REAL a, REAL b) {
  return exact_quotient(a, b, newton_reciprocal(b));
}

EXACT_FUNCTION REAL exact_root(REAL x) {
  return x < (REAL)(0x1p-100f) ? (REAL)(0.0f) : goldschmidt_root(x * 0x1p60f) * 0x1p-30f;
}

#endif
