// Random numbers by counter, and exp, log, sin and cos in double from IEEE +, -, * and / alone.
// Nothing here depends on a libm, whose results differ between versions.
#include "internal.h"

#pragma STDC FP_CONTRACT OFF

static double from_bits(int64_t bits) {
  double x;
  memcpy(&x, &bits, 8);
  return x;
}

static double rounded(double x) { return (double)(int64_t)(x + (x < 0 ? -0.5 : 0.5)); }

// x = n ln 2 + r, |r| <= 0.35; Taylor to r^13, whose next term is below 5e-18.
double lemma_exp(double x) {
  if (!(x > -700)) return x != x ? x : 0;
  if (x > 709) return __builtin_inf();
  double n = rounded(x * 1.4426950408889634);
  double r = (x - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double sum = 1;
  for (int i = 13; i > 0; i--) sum = 1 + sum * r / i;
  return sum * from_bits(((int64_t)n + 1023) << 52);
}

// x = 2^e m, m in [0.7, 1.42]; log m = 2 atanh(s) with s = (m - 1) / (m + 1), |s| <= 0.172.
double lemma_log(double x) {
  int64_t bits;
  memcpy(&bits, &x, 8);
  if (!(x > 0) || x == __builtin_inf()) return x == 0 ? -__builtin_inf() : x > 0 ? x : __builtin_nan("");
  int64_t exponent = ((bits >> 52) & 0x7FF) - 1023;
  double m = from_bits((bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent += 1;
  }
  double s = (m - 1) / (m + 1), square = s * s, sum = 0;
  for (int i = 23; i > 1; i -= 2) sum = (sum + 1.0 / i) * square;
  double e = (double)exponent;
  return e * 6.93147180369123816490e-01 + (2 * s + (2 * s * sum + e * 1.90821492927058770002e-10));
}

// x = n pi/2 + r, |r| <= pi/4, with pi/2 in three pieces whose products with n are exact for |n| < 2^20.
static double reduced(double x, int64_t *quadrant) {
  double n = rounded(x * 0.63661977236758134308);
  *quadrant = (int64_t)n & 3;
  return ((x - n * 1.57079632673412561417e+00) - n * 6.07710050630396597660e-11) - n * 2.02226624879595063154e-21;
}

static double sine(double r) {
  double sum = 0, square = r * r;
  for (int i = 20; i > 0; i -= 2) sum = (sum + 1) * -square / (i * (i + 1));
  return r + r * sum;
}

static double cosine(double r) {
  double sum = 0, square = r * r;
  for (int i = 21; i > 0; i -= 2) sum = (sum + 1) * -square / (i * (i + 1));
  return 1 + sum;
}

static double turned(double r, int64_t quadrant) {
  switch (quadrant) {
    case 0: return sine(r);
    case 1: return cosine(r);
    case 2: return -sine(r);
    default: return -cosine(r);
  }
}

double lemma_sin(double x) {
  int64_t quadrant;
  double r = reduced(x, &quadrant);
  return turned(r, quadrant);
}

double lemma_cos(double x) {
  int64_t quadrant;
  double r = reduced(x, &quadrant);
  return turned(r, (quadrant + 1) & 3);
}

void lemma_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]}, k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t first = (uint64_t)0xD2511F53u * c[0], second = (uint64_t)0xCD9E8D57u * c[2];
    uint32_t next[4] = {(uint32_t)(second >> 32) ^ c[1] ^ k0, (uint32_t)second,
                        (uint32_t)(first >> 32) ^ c[3] ^ k1, (uint32_t)first};
    memcpy(c, next, sizeof c);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  memcpy(out, c, sizeof c);
}

void lemma_fill_normal(uint64_t seed, uint64_t stream, ptrdiff_t count, float deviation, float *x) {
  const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
  for (ptrdiff_t i = 0; i < count; i++) {
    uint64_t index = (uint64_t)i;
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
    uint32_t bits[4];
    lemma_philox(counter, key, bits);
    uint64_t first = ((uint64_t)bits[0] << 32 | bits[1]) >> 11, second = ((uint64_t)bits[2] << 32 | bits[3]) >> 11;
    double u = (double)(first + 1) * 0x1p-53, v = (double)second * 0x1p-53;
    double radius = __builtin_sqrt(-2 * lemma_log(u));
    x[i] = (float)(radius * lemma_cos(6.28318530717958647693 * v) * (double)deviation);
  }
}

void lemma_rope_frequencies(ptrdiff_t head, double base, double *frequencies) {
  double logarithm = lemma_log(base);
  for (ptrdiff_t i = 0; i < head / 2; i++) frequencies[i] = lemma_exp(-2.0 * (double)i / (double)head * logarithm);
}

void lemma_rope_table(ptrdiff_t positions, ptrdiff_t head, const double *frequencies, float *cosines, float *sines) {
  ptrdiff_t half = head / 2;
  for (ptrdiff_t i = 0; i < half; i++) {
    for (ptrdiff_t p = 0; p < positions; p++) {
      cosines[p * half + i] = (float)lemma_cos((double)p * frequencies[i]);
      sines[p * half + i] = (float)lemma_sin((double)p * frequencies[i]);
    }
  }
}
