// Widening of stored weights to float32, one block layout after the other. Scalar source: the compiler's vectors
// are faster than the memory that the values go to.
#include "lemma_quantised.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

static float from_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, 4);
  return x;
}

static uint16_t load16(const uint8_t *bytes) {
  uint16_t x;
  memcpy(&x, bytes, 2);
  return x;
}

static uint32_t load32(const uint8_t *bytes) {
  uint32_t x;
  memcpy(&x, bytes, 4);
  return x;
}

// A subnormal's mantissa m stands for m 2^-24: put behind the exponent of 2^-14, it is 2^-14 too great. No binary32
// here is subnormal, so that a thread which flushes those gives the same.
static float half(uint16_t bits) {
  uint32_t sign = (uint32_t)(bits & 0x8000) << 16, rest = (uint32_t)(bits & 0x7FFF) << 13;
  uint32_t exponent = rest & 0x0F800000;
  float subnormal = from_bits(rest + (113u << 23)) - from_bits(113u << 23);
  uint32_t small;
  memcpy(&small, &subnormal, 4);
  uint32_t normal = rest + (112u << 23), special = rest + (224u << 23);
  uint32_t widened = exponent == 0 ? small : exponent == 0x0F800000 ? special : normal;
  return from_bits(widened | sign);
}

void lemma_widen_f32(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  if (count > 0) memcpy(out, bytes, (size_t)count * 4);
}

void lemma_widen_f16(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  for (ptrdiff_t i = 0; i < count; i++) out[i] = half(load16(bytes + 2 * i));
}

void lemma_widen_bf16(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  for (ptrdiff_t i = 0; i < count; i++) out[i] = from_bits((uint32_t)load16(bytes + 2 * i) << 16);
}

// Scale; 16 bytes whose low halves are the first 16 values, plus 8, and whose high halves are the others.
void lemma_widen_q4_0(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  for (ptrdiff_t i = 0; i < count; i++, bytes += 18, out += 32) {
    float scale = half(load16(bytes));
    for (int j = 0; j < 16; j++) {
      out[j] = scale * (float)((bytes[2 + j] & 15) - 8);
      out[j + 16] = scale * (float)((bytes[2 + j] >> 4) - 8);
    }
  }
}

// Scale; least value; halves of bytes as above, from 0.
void lemma_widen_q4_1(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  for (ptrdiff_t i = 0; i < count; i++, bytes += 20, out += 32) {
    float scale = half(load16(bytes)), least = half(load16(bytes + 2));
    for (int j = 0; j < 16; j++) {
      out[j] = scale * (float)(bytes[4 + j] & 15) + least;
      out[j + 16] = scale * (float)(bytes[4 + j] >> 4) + least;
    }
  }
}

// Scale; the fifth bit of each of the 32 values, plus 16; halves of bytes as above.
void lemma_widen_q5_0(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  for (ptrdiff_t i = 0; i < count; i++, bytes += 22, out += 32) {
    float scale = half(load16(bytes));
    uint32_t high = load32(bytes + 2);
    for (int j = 0; j < 16; j++) {
      out[j] = scale * (float)((int)((bytes[6 + j] & 15) | (high >> j & 1) << 4) - 16);
      out[j + 16] = scale * (float)((int)(bytes[6 + j] >> 4 | (high >> (j + 16) & 1) << 4) - 16);
    }
  }
}

// Scale; least value; fifth bits; halves of bytes.
void lemma_widen_q5_1(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  for (ptrdiff_t i = 0; i < count; i++, bytes += 24, out += 32) {
    float scale = half(load16(bytes)), least = half(load16(bytes + 2));
    uint32_t high = load32(bytes + 4);
    for (int j = 0; j < 16; j++) {
      out[j] = scale * (float)((bytes[8 + j] & 15) | (high >> j & 1) << 4) + least;
      out[j + 16] = scale * (float)(bytes[8 + j] >> 4 | (high >> (j + 16) & 1) << 4) + least;
    }
  }
}

// Scale; 32 signed bytes.
void lemma_widen_q8_0(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  for (ptrdiff_t i = 0; i < count; i++, bytes += 34, out += 32) {
    float scale = half(load16(bytes));
    for (int j = 0; j < 32; j++) out[j] = scale * (float)(int8_t)bytes[2 + j];
  }
}

// Eight scales and eight minima of six bits each in 12 bytes: those of the first four groups lie in the low six bits
// of bytes 0-3 and 4-7; of the others, the low four bits in bytes 8-11 and the high two above those of the first.
static void unpack_six(const uint8_t *bytes, int group, int *scale, int *least) {
  if (group < 4) {
    *scale = bytes[group] & 63;
    *least = bytes[group + 4] & 63;
  } else {
    *scale = (bytes[group + 4] & 15) | bytes[group - 4] >> 6 << 4;
    *least = bytes[group + 4] >> 4 | bytes[group] >> 6 << 4;
  }
}

// Scale of the scales and of the minima; their 12 bytes; 128 bytes: 32 of them hold two groups of 32 values.
void lemma_widen_q4_k(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  for (ptrdiff_t i = 0; i < count; i++, bytes += 144, out += 256) {
    float scale = half(load16(bytes)), least = half(load16(bytes + 2));
    for (int group = 0; group < 8; group++) {
      int own_scale, own_least, shift = group % 2 * 4;
      unpack_six(bytes + 4, group, &own_scale, &own_least);
      float step = scale * (float)own_scale, offset = least * (float)own_least;
      const uint8_t *values = bytes + 16 + group / 2 * 32;
      for (int j = 0; j < 32; j++) out[group * 32 + j] = step * (float)(values[j] >> shift & 15) - offset;
    }
  }
}

// The same, with 32 bytes before the values that hold the fifth bits: bit g of byte j is that of value j in group g.
void lemma_widen_q5_k(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  for (ptrdiff_t i = 0; i < count; i++, bytes += 176, out += 256) {
    float scale = half(load16(bytes)), least = half(load16(bytes + 2));
    for (int group = 0; group < 8; group++) {
      int own_scale, own_least, shift = group % 2 * 4;
      unpack_six(bytes + 4, group, &own_scale, &own_least);
      float step = scale * (float)own_scale, offset = least * (float)own_least;
      const uint8_t *high = bytes + 16, *values = bytes + 48 + group / 2 * 32;
      for (int j = 0; j < 32; j++) {
        int value = (values[j] >> shift & 15) | (high[j] >> group & 1) << 4;
        out[group * 32 + j] = step * (float)value - offset;
      }
    }
  }
}

// 128 bytes of low halves, 64 of high two bits, 16 signed scales of 16 values each, the scale of the scales. Of every
// 128 values, 64 bytes of halves and 32 of pairs: value 32 q + j has its half in byte 32 (q mod 2) + j, the low one
// for q < 2, and its pair in byte j at bit 2 q.
void lemma_widen_q6_k(ptrdiff_t count, const uint8_t *restrict bytes, float *restrict out) {
  for (ptrdiff_t i = 0; i < count; i++, bytes += 210, out += 256) {
    float scale = half(load16(bytes + 208));
    for (int group = 0; group < 8; group++) {
      int part = group / 4, quarter = group % 4, shift = quarter / 2 * 4;
      const uint8_t *low = bytes + part * 64 + quarter % 2 * 32, *high = bytes + 128 + part * 32;
      for (int j = 0; j < 32; j++) {
        float step = scale * (float)(int8_t)bytes[192 + group * 2 + j / 16];
        int value = (low[j] >> shift & 15) | (high[j] >> 2 * quarter & 3) << 4;
        out[group * 32 + j] = step * (float)(value - 32);
      }
    }
  }
}
