// Bfloat16 on the path of AVX2 with FMA: a lane group is two ymm registers.
#include "../internal.h"

#if defined(__x86_64__)
#define BFLOAT16 1
#define FUSED 1
#define TILE_ROWS 6
#define TILE_VECTORS 1
#define TABLE lemma_bfloat16_avx2

#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic ignored "-Wpsabi"  // lane groups never cross a call: all helpers are inlined
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "../table.h"
#pragma clang attribute pop
#endif
