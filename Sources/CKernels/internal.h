// What the dispatcher, the pool and the kernels of each path share; not seen outside this target.
#pragma once

#include <string.h>

#include "lemma_kernels.h"

typedef void (*lemma_job)(void *context, int worker, int count);

// One table a path: the same source, compiled for another instruction set.
typedef struct {
  ptrdiff_t panel;  // columns of a packed panel
  lemma_job gemm, pack, gemm_packed;
  lemma_job rmsnorm_forward, rmsnorm_backward, rope, swiglu_forward, swiglu_backward, gather, scatter_add;
  lemma_job cross_entropy, argmax, attention_forward, attention_backward, cache_store, attention_cached;
  lemma_job squared_norm, adamw, zero, exp_many, fma_many;
} lemma_table;

extern const lemma_table lemma_table_scalar, lemma_table_avx2, lemma_table_avx512;

enum {
  LEMMA_DEPTH = 640,            // k block of a product: a panel of it stays in L1, a block of rows in L2
  LEMMA_COLUMNS = 2048,         // n block: bounds the shared packed operand
  LEMMA_BLOCK = 64,             // queries of an attention block
  LEMMA_ATTENTION_LIMIT = 16384,
  LEMMA_CHUNK = 16384,          // elements of a norm's chunk; part of the numerics contract
};

static const size_t lemma_scratch_bytes = (size_t)64 << 20;  // address space a worker; touched as needed

void lemma_pool_run(lemma_pool *pool, lemma_job job, void *context);
// All workers of the running job meet here.
void lemma_pool_barrier(lemma_pool *pool);
// The next unclaimed task of the running job: any worker may take any task, since tasks write apart.
ptrdiff_t lemma_pool_claim(lemma_pool *pool);
float *lemma_pool_shared(lemma_pool *pool);
float *lemma_pool_scratch(lemma_pool *pool, int worker);
const lemma_table *lemma_pool_table(const lemma_pool *pool);

// Worker `worker`'s part of n items, in units of `grain`.
static inline void lemma_share(ptrdiff_t n, ptrdiff_t grain, int worker, int count, ptrdiff_t *from, ptrdiff_t *to) {
  ptrdiff_t units = (n + grain - 1) / grain;
  *from = units * worker / count * grain;
  *to = units * (worker + 1) / count * grain;
  if (*from > n) *from = n;
  if (*to > n) *to = n;
}

// Arguments of the jobs.
typedef struct {
  lemma_pool *pool;
  ptrdiff_t m, n, k;
  const float *a;
  ptrdiff_t a_row, a_column;  // strides
  const float *b;
  ptrdiff_t b_row, b_column;  // strides of k and of n
  const float *c0;
  float *c;
  ptrdiff_t ldc;
  float *packed;
} lemma_gemm_job;

typedef struct {
  ptrdiff_t rows, width;
  float epsilon;
  const float *x, *gain, *dy, *rstd_in;
  float *y, *rstd, *dx, *dgain;
} lemma_norm_job;

typedef struct {
  ptrdiff_t rows, heads, head, ld;
  const int32_t *positions;
  const float *cosines, *sines;
  float sign;
  float *x;
} lemma_rope_job;

typedef struct {
  ptrdiff_t rows, width;
  const int32_t *index;
  const float *in;
  float *out;
} lemma_rows_job;

typedef struct {
  ptrdiff_t rows, classes;
  const int32_t *targets;
  float scale;
  float *logits;
  double *losses;
  int32_t *best;
} lemma_logits_job;

typedef struct {
  lemma_pool *pool;
  lemma_attention shape;
  const float *qkv, *out_in, *dout;
  float *out, *stats, *dqkv;
} lemma_attention_job;

typedef struct {
  lemma_pool *pool;
  lemma_cached_attention shape;
  const float *qkv;
  float *cache, *out;
} lemma_cached_job;

typedef struct {
  ptrdiff_t count;
  const float *x, *b, *c;
  float *first, *second, *y;
  double *partial;
  lemma_adamw rule;
} lemma_flat_job;
