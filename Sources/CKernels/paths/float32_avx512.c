// Float32 on the path of AVX-512: a lane group is one zmm register.
#include "../internal.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define BFLOAT16 0
#define FUSED 1
#define MASKED 1
#define TILE_ROWS 14
#define TILE_VECTORS 2
#define TABLE lemma_float32_avx512

#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic ignored "-Wpsabi"  // lane groups never cross a call: all helpers are inlined
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,fma"))), apply_to = function)
#include "../table.h"
#pragma clang attribute pop
#endif
