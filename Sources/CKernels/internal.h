// What the dispatcher, the pool and the kernels of each path share; not seen outside this target.
#pragma once

#include <string.h>

#include "lemma_kernels.h"

typedef void (*lemma_job)(void *context, int worker, int count);

// One table a path and precision: the same source, compiled for each.
typedef struct {
  ptrdiff_t panel;  // columns of a packed panel
  ptrdiff_t step;   // elements of k that a product takes at a time
  lemma_job product, pack, product_packed;
  lemma_job norm_forward, norm_again, norm_backward, rope;
  lemma_job swiglu_forward, swiglu_backward, gelu_forward, gelu_backward;
  lemma_job gather, scatter, gather_add, scatter_add, sum_rows, cross_entropy, argmax, store_many, load_many;
  lemma_job attention_forward, attention_backward, cache_store, attention_cached;
  lemma_job squared_norm, adamw, zero, dropout, exp_many, fma_many;
} lemma_table;

extern const lemma_table lemma_float32_scalar, lemma_bfloat16_scalar;
#if defined(__x86_64__)
extern const lemma_table lemma_float32_avx2, lemma_float32_avx512;
extern const lemma_table lemma_bfloat16_avx2, lemma_bfloat16_avx512, lemma_bfloat16_avx512bf16;
#elif defined(__aarch64__)
extern const lemma_table lemma_float32_neon, lemma_bfloat16_neon;
#endif

enum {
  LEMMA_DEPTH = 640,            // steps of a product's block of k: a block of rows stays in L2
  LEMMA_COLUMNS = 2048,         // n block: bounds the shared packed operand
  LEMMA_BLOCK = 64,             // queries of an attention block
  LEMMA_ATTENTION_LIMIT = 16384,
  LEMMA_CHUNK = 16384,          // elements of a norm's chunk; part of the numerics contract
};

static const size_t lemma_scratch_bytes = (size_t)128 << 20;  // address space a worker; touched as needed

void lemma_pool_run(lemma_pool *pool, lemma_job job, void *context);
// All workers of the running job meet here.
void lemma_pool_barrier(lemma_pool *pool);
// The next unclaimed task of the running job: any worker may take any task, since tasks write apart.
ptrdiff_t lemma_pool_claim(lemma_pool *pool);
void *lemma_pool_shared(lemma_pool *pool);
void *lemma_pool_scratch(lemma_pool *pool, int worker);
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
typedef enum { LEMMA_NT, LEMMA_NN, LEMMA_TN } lemma_layout;

typedef struct {
  lemma_pool *pool;
  lemma_layout layout;
  ptrdiff_t m, n, k;
  const void *a;
  ptrdiff_t lda;
  const void *b;
  ptrdiff_t ldb;
  const float *c0;
  ptrdiff_t ld0;
  float *c;
  void *stored;
  ptrdiff_t ldc;
  uint32_t *packed;
} lemma_product_job;

typedef struct {
  ptrdiff_t rows, width;
  float epsilon;
  const float *x, *gain, *bias;
  const void *dy;
  void *normed, *y, *stored;
  float *rstd, *dx, *dgain, *dbias;
} lemma_norm_job;

typedef struct {
  ptrdiff_t rows, heads, head, ld;
  const int32_t *positions;
  const float *cosines, *sines;
  float sign;
  const float *wide;   // x as floats, or
  const void *stored;  // as operands
  void *y;
} lemma_rope_job;

typedef struct {
  ptrdiff_t rows, width;
  const void *x, *dy;
  void *y, *dx;
} lemma_gate_job;

typedef struct {
  ptrdiff_t rows, width;
  const int32_t *index;
  const void *in;
  void *out;
} lemma_rows_job;

typedef struct {
  ptrdiff_t count;
  const void *in;
  void *out;
} lemma_convert_job;

typedef struct {
  ptrdiff_t rows, classes, ld;
  const int32_t *targets;
  float scale, smoothing;
  float *logits;
  double *losses;
  int32_t *best;
} lemma_logits_job;

typedef struct {
  lemma_pool *pool;
  lemma_attention shape;
  const void *qkv, *dout;
  void *out;
  float *stats, *dqkv;
} lemma_attention_job;

typedef struct {
  lemma_pool *pool;
  lemma_cached_attention shape;
  const void *qkv;
  void *cache, *out;
} lemma_cached_job;

typedef struct {
  ptrdiff_t count;
  const float *x, *b, *c;
  float *first, *second, *y;
  double *partial;
  lemma_adamw rule;
} lemma_flat_job;

typedef struct {
  ptrdiff_t rows, width;
  lemma_dropout rule;
  const float *x;        // as floats, or
  const void *operands;  // as operands
  float *sum, *y;
  void *stored;
} lemma_dropout_job;
