// The path of any processor: fused multiply-adds are computed in double.
#include "internal.h"

#if defined(__aarch64__)
#define FUSED 1  // the baseline has the instruction
#else
#define FUSED 0
#endif
#define TILE_ROWS 4
#define TILE_VECTORS 1
#define TABLE lemma_table_scalar

#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic ignored "-Wpsabi"  // lane groups never cross a call: all helpers are inlined
#include "table.h"
