// Float32 on the path of aarch64: a lane group is four q registers. It has been run under qemu alone.
#include "../internal.h"

#if defined(__aarch64__)
#define BFLOAT16 0
#define FUSED 1
#define TILE_ROWS 6
#define TILE_VECTORS 1
#define TABLE lemma_float32_neon

#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic ignored "-Wpsabi"  // lane groups never cross a call: all helpers are inlined
#include "../table.h"
#endif
