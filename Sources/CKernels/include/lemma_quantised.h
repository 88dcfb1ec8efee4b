// Weights as model files keep them, widened to float32. It knows block layouts and no files.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Every function reads `count` blocks from `bytes`, of any alignment and least significant byte first, and writes
// all their values to `out`. A block of the plain types is one value. Layouts: the block structures of ggml
// (https://github.com/ggml-org/ggml). Products, sums and differences are float32, each rounded once, in ggml's
// order, so that results are those of ggml bit for bit; widening alone is exact and keeps the bits of a NaN.

typedef void (*lemma_widening)(ptrdiff_t count, const uint8_t *bytes, float *out);

void lemma_widen_f32(ptrdiff_t count, const uint8_t *bytes, float *out);
/// IEEE 754 binary16, subnormals included.
void lemma_widen_f16(ptrdiff_t count, const uint8_t *bytes, float *out);
/// The upper half of a binary32.
void lemma_widen_bf16(ptrdiff_t count, const uint8_t *bytes, float *out);

/// 32 values a block. 18, 20, 22, 24 and 34 bytes.
void lemma_widen_q4_0(ptrdiff_t count, const uint8_t *bytes, float *out);
void lemma_widen_q4_1(ptrdiff_t count, const uint8_t *bytes, float *out);
void lemma_widen_q5_0(ptrdiff_t count, const uint8_t *bytes, float *out);
void lemma_widen_q5_1(ptrdiff_t count, const uint8_t *bytes, float *out);
void lemma_widen_q8_0(ptrdiff_t count, const uint8_t *bytes, float *out);

/// 256 values a block. 144, 176 and 210 bytes.
void lemma_widen_q4_k(ptrdiff_t count, const uint8_t *bytes, float *out);
void lemma_widen_q5_k(ptrdiff_t count, const uint8_t *bytes, float *out);
void lemma_widen_q6_k(ptrdiff_t count, const uint8_t *bytes, float *out);

#ifdef __cplusplus
}
#endif
