// Float32 on the path of any processor: fused multiply-adds are computed in double.
#include "../internal.h"

#define BFLOAT16 0
#define FUSED 0
#define TILE_ROWS 4
#define TILE_VECTORS 1
#define TABLE lemma_float32_scalar

#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic ignored "-Wpsabi"  // lane groups never cross a call: all helpers are inlined
#include "../table.h"
