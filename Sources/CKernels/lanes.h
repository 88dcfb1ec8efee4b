// The 16 virtual lanes on which every kernel is written: one zmm, two ymm or four xmm registers, with the same bits.
// Included once by each path's file, after the target of its functions is set; FUSED says if the target has FMA.

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef float V __attribute__((ext_vector_type(16)));
typedef int32_t VI __attribute__((ext_vector_type(16)));
typedef uint32_t W __attribute__((ext_vector_type(16)));
typedef float VU __attribute__((ext_vector_type(16), aligned(4), may_alias));
typedef uint32_t WU __attribute__((ext_vector_type(16), aligned(4), may_alias));
typedef float V8 __attribute__((ext_vector_type(8)));
typedef float V4 __attribute__((ext_vector_type(4)));
typedef float V2 __attribute__((ext_vector_type(2)));

#define AS(type, x) __builtin_bit_cast(type, x)

INLINE V splat(float x) { return (V)(x); }
INLINE V load(const float *p) { return *(const VU *)p; }
INLINE void store(float *p, V v) { *(VU *)p = v; }

// The first n lanes, n of any sign; the others are 0.
#if MASKED
// Masked stores cost a Zen 4 core tens of cycles, so whole vectors go without.
INLINE __mmask16 first_lanes(ptrdiff_t n) { return n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }
INLINE V load_some(const float *p, ptrdiff_t n) {
  if (n >= 16) return load(p);
  return (V)_mm512_maskz_loadu_ps(first_lanes(n), p);
}
INLINE void store_some(float *p, V v, ptrdiff_t n) {
  if (n >= 16)
    store(p, v);
  else
    _mm512_mask_storeu_ps(p, first_lanes(n), (__m512)v);
}
#else
INLINE V load_some(const float *p, ptrdiff_t n) {
  if (n >= 16) return load(p);
  float lanes[16] = {0};
  for (ptrdiff_t i = 0; i < n; i++) lanes[i] = p[i];
  return load(lanes);
}
INLINE void store_some(float *p, V v, ptrdiff_t n) {
  if (n >= 16) {
    store(p, v);
    return;
  }
  float lanes[16];
  store(lanes, v);
  for (ptrdiff_t i = 0; i < n; i++) p[i] = lanes[i];
}
#endif

#if FUSED
INLINE V fma16(V a, V b, V c) { return __builtin_elementwise_fma(a, b, c); }
#else
// A fused multiply-add without the instruction: the product of two floats is exact in double, and a sum rounded to
// odd in 53 bits rounds to 24 bits as the exact sum does (Boldo and Melquiond, 2008).
INLINE float fma1(float a, float b, float c) {
  double product = (double)a * (double)b, addend = (double)c;
  double sum = product + addend;
  double from = sum - product;
  double error = (product - (sum - from)) + (addend - from);
  int64_t bits;
  memcpy(&bits, &sum, 8);
  // Not for an infinite or NaN sum, whose error is NaN and compares false.
  if ((error > 0 || error < 0) && !(bits & 1)) {
    bits += ((error > 0) == (bits >= 0)) ? 1 : -1;
    memcpy(&sum, &bits, 8);
  }
  return (float)sum;
}
INLINE V fma16(V a, V b, V c) {
  float x[16], y[16], z[16];
  store(x, a);
  store(y, b);
  store(z, c);
  for (int i = 0; i < 16; i++) z[i] = fma1(x[i], y[i], z[i]);
  return load(z);
}
#endif

// The fixed halving tree: lanes 8 apart, then 4, 2, 1.
INLINE float sum16(V v) {
  V8 a = v.lo + v.hi;
  V4 b = a.lo + a.hi;
  V2 c = b.lo + b.hi;
  return c.x + c.y;
}

INLINE V max16(V a, V b) { return a > b ? a : b; }
INLINE float top16(V v) {
  float lanes[16], top = v[0];
  store(lanes, v);
  for (int i = 1; i < 16; i++) top = lanes[i] > top ? lanes[i] : top;
  return top;
}

// exp by x = n ln 2 + r, |r| <= ln 2 / 2, with Cephes' polynomial for r (Moshier): about 1 unit in the last place.
// The clamp keeps 2^n normal; NaN passes through.
INLINE V exp16(V x) {
  x = x < splat(-86.0f) ? splat(-86.0f) : x;
  x = x > splat(88.0f) ? splat(88.0f) : x;
  const V magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  V t = fma16(x, splat(1.44269504088896341f), magic);
  V n = t - magic;
  V r = fma16(n, splat(-0.693359375f), x);
  r = fma16(n, splat(2.12194440e-4f), r);
  V p = fma16(splat(1.9875691500e-4f), r, splat(1.3981999507e-3f));
  p = fma16(p, r, splat(8.3334519073e-3f));
  p = fma16(p, r, splat(4.1665795894e-2f));
  p = fma16(p, r, splat(1.6666665459e-1f));
  p = fma16(p, r, splat(5.0000001201e-1f));
  V y = fma16(p, r * r, r) + splat(1.0f);
  VI bits = AS(VI, t) - AS(VI, magic);
  return y * AS(V, (bits + 127) << 23);
}

// 2^t for t up to about 0, as softmax has it, with Cephes' polynomial for the fraction: about 1 unit in the last place.
INLINE V exp2_below16(V t) {
  const V magic = splat(12582912.0f), least = splat(-125.0f);
  t = least > t ? least : t;  // keeps the result normal; NaN passes through
  V z = t + magic, r = t - (z - magic);
  V p = fma16(splat(1.535336188e-4f), r, splat(1.339887440e-3f));
  p = fma16(p, r, splat(9.618437357e-3f));
  p = fma16(p, r, splat(5.550332471e-2f));
  p = fma16(p, r, splat(2.402264791e-1f));
  p = fma16(p, r, splat(6.931472028e-1f));
  p = fma16(p, r, splat(1.0f));
  return AS(V, AS(VI, p) + (AS(VI, z) << 23));
}

INLINE V sqrt16(V x) { return __builtin_elementwise_sqrt(x); }

// Sum of x*y over n elements: lane l takes elements l mod 16 in order.
INLINE float dot16(const float *x, const float *y, ptrdiff_t n) {
  V s = splat(0);
  ptrdiff_t i = 0;
  for (; i + 16 <= n; i += 16) s = fma16(load(x + i), load(y + i), s);
  if (i < n) s = fma16(load_some(x + i, n - i), load_some(y + i, n - i), s);
  return sum16(s);
}

#define SWAP(a, b, s)                                                               \
  {                                                                                 \
    W low = __builtin_shufflevector(a, b, FIRST##s), high = __builtin_shufflevector(a, b, SECOND##s); \
    a = low;                                                                        \
    b = high;                                                                       \
  }
#define FIRST1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define SECOND1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define FIRST2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define SECOND2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define FIRST4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define SECOND4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define FIRST8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define SECOND8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define STAGE(s)                                                  \
  UNROLL for (int i = 0; i < 16; i++) {                           \
    if (!(i & s)) SWAP(v[i], v[i | s], s)                         \
  }

// Transposes 16 x 16 in registers: four rounds that swap blocks of 1, 2, 4 and 8.
INLINE void transpose16(W v[16]) {
  STAGE(1)
  STAGE(2)
  STAGE(4)
  STAGE(8)
}
