// How a number is stored as an operand of a matrix product, and the step that products are made of.
// BFLOAT16 says which: float32, or bfloat16 whose products take two neighbours at a time and sum in float32.

// The elements of one step; rows of operands are padded with zeros to whole steps.
#if BFLOAT16
#define STEP 2
typedef uint16_t S;
#else
#define STEP 1
typedef float S;
#endif
// One step of one row or column, four bytes in either precision.
typedef uint32_t U __attribute__((aligned(2), may_alias));

INLINE W splat_step(U u) { return (W)(u); }
INLINE W load_steps(const U *p) { return *(const WU *)p; }
INLINE void store_steps(U *p, W w) { *(WU *)p = w; }

INLINE W load_some_steps(const U *p, ptrdiff_t n) { return AS(W, load_some((const float *)p, n)); }
INLINE void store_some_steps(U *p, W w, ptrdiff_t n) { store_some((float *)p, AS(V, w), n); }

#if BFLOAT16

typedef uint16_t H __attribute__((ext_vector_type(16)));
typedef uint16_t HU __attribute__((ext_vector_type(16), aligned(2), may_alias));

INLINE V widen(H h) { return AS(V, __builtin_convertvector(h, W) << 16); }

// Rounds to nearest even; denormals become zeros, and a NaN stays one.
#if NATIVE_BFLOAT16
INLINE H narrow(V v) { return AS(H, _mm512_cvtneps_pbh((__m512)v)); }
#else
INLINE H narrow(V v) {
  W bits = AS(W, v), magnitude = bits & 0x7FFFFFFF;
  W rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  rounded = magnitude < (W)(0x00800000) ? (bits >> 16) & 0x8000 : rounded;
  rounded = magnitude > (W)(0x7F800000) ? (bits >> 16) | 0x40 : rounded;
  return __builtin_convertvector(rounded, H);
}
#endif

#if MASKED
INLINE H load_halves(const S *p, ptrdiff_t n) {
  if (n >= 16) return *(const HU *)p;
  return AS(H, _mm256_maskz_loadu_epi16(first_lanes(n), p));
}
INLINE void store_halves(S *p, H h, ptrdiff_t n) {
  if (n >= 16)
    *(HU *)p = h;
  else
    _mm256_mask_storeu_epi16(p, first_lanes(n), AS(__m256i, h));
}
#else
INLINE H load_halves(const S *p, ptrdiff_t n) {
  if (n >= 16) return *(const HU *)p;
  S lanes[16] = {0};
  for (ptrdiff_t i = 0; i < n; i++) lanes[i] = p[i];
  return *(const HU *)lanes;
}
INLINE void store_halves(S *p, H h, ptrdiff_t n) {
  if (n >= 16) {
    *(HU *)p = h;
    return;
  }
  S lanes[16];
  *(HU *)lanes = h;
  for (ptrdiff_t i = 0; i < n; i++) p[i] = lanes[i];
}
#endif

INLINE V load_stored(const S *p, ptrdiff_t n) { return widen(load_halves(p, n)); }
INLINE void store_stored(S *p, V v, ptrdiff_t n) { store_halves(p, narrow(v), n); }
// What is left of a number once it is stored.
INLINE V as_stored(V v) { return widen(narrow(v)); }

// sum + both products of each lane's pair, the upper half's first, each step rounded once: VDPBF16PS.
#if NATIVE_BFLOAT16
INLINE V accumulate(V sum, W a, W b) { return (V)_mm512_dpbf16_ps((__m512)sum, AS(__m512bh, a), AS(__m512bh, b)); }
#else
INLINE V accumulate(V sum, W a, W b) {
  sum = fma16(AS(V, a & 0xFFFF0000), AS(V, b & 0xFFFF0000), sum);
  return fma16(AS(V, a << 16), AS(V, b << 16), sum);
}
#endif

// What stands beside a last element without a partner: its product with the other operand's zero is -0, which
// changes no sum.
#define LONE 0x8000

// Steps that lie along a row: 32 neighbours, of which n exist, as 16 pairs.
INLINE W steps_along(const bool wide, const void *p, ptrdiff_t n) {
  W pairs;
  if (wide) {
    const float *x = p;
    H low = narrow(load_some(x, n)), high = narrow(load_some(x + 16, n - 16));
    pairs = AS(W, __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
                                          19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31));
  } else {
    const S *x = p;
    H low = load_halves(x, n), high = load_halves(x + 16, n - 16);
    pairs = AS(W, __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
                                          19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31));
  }
  if (n > 0 && n < 32 && n % 2) pairs[n / 2] |= (uint32_t)LONE << 16;
  return pairs;
}

INLINE W halves_of(const bool wide, const void *p, ptrdiff_t n) {
  return __builtin_convertvector(wide ? narrow(load_some(p, n)) : load_halves(p, n), W);
}

// Steps across rows `pitch` elements apart: n neighbours of one row, each with the one below it where `rows` > 1,
// else with `lone`. The earlier row is the step's upper half, and so the first to be added, where `ascending`.
INLINE W steps_across(const bool wide, const bool ascending, const void *p, ptrdiff_t pitch, ptrdiff_t rows,
                      ptrdiff_t n, uint32_t lone) {
  W first = halves_of(wide, p, n);
  const void *below = wide ? (const void *)((const float *)p + pitch) : (const void *)((const S *)p + pitch);
  W second = rows > 1 ? halves_of(wide, below, n) : (W)(lone);
  return ascending ? first << 16 | second : second << 16 | first;
}

#else

#define LONE 0

INLINE V load_stored(const S *p, ptrdiff_t n) { return load_some(p, n); }
INLINE void store_stored(S *p, V v, ptrdiff_t n) { store_some(p, v, n); }
INLINE V as_stored(V v) { return v; }

INLINE V accumulate(V sum, W a, W b) { return fma16(AS(V, a), AS(V, b), sum); }

INLINE W steps_along(const bool wide, const void *p, ptrdiff_t n) {
  (void)wide;
  return load_some_steps(p, n);
}

INLINE W steps_across(const bool wide, const bool ascending, const void *p, ptrdiff_t pitch, ptrdiff_t rows,
                      ptrdiff_t n, uint32_t lone) {
  (void)wide, (void)ascending, (void)pitch, (void)rows, (void)lone;
  return load_some_steps(p, n);
}

#endif

// How many steps n elements take.
INLINE ptrdiff_t steps_of(ptrdiff_t n) { return (n + STEP - 1) / STEP; }
