// The public kernels: each fills in its job's arguments and runs it on the pool's path.
#include "internal.h"

#define RUN(pool, kernel, arguments) lemma_pool_run(pool, lemma_pool_table(pool)->kernel, arguments)

void lemma_gemm_nt(lemma_pool *pool, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda,
                   const float *b, ptrdiff_t ldb, const float *c0, float *c, ptrdiff_t ldc) {
  lemma_gemm_job job = {pool, m, n, k, a, lda, 1, b, 1, ldb, c0, c, ldc, NULL};
  RUN(pool, gemm, &job);
}

void lemma_gemm_nn(lemma_pool *pool, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda,
                   const float *b, ptrdiff_t ldb, const float *c0, float *c, ptrdiff_t ldc) {
  lemma_gemm_job job = {pool, m, n, k, a, lda, 1, b, ldb, 1, c0, c, ldc, NULL};
  RUN(pool, gemm, &job);
}

void lemma_gemm_tn(lemma_pool *pool, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda,
                   const float *b, ptrdiff_t ldb, const float *c0, float *c, ptrdiff_t ldc) {
  lemma_gemm_job job = {pool, m, n, k, a, 1, lda, b, ldb, 1, c0, c, ldc, NULL};
  RUN(pool, gemm, &job);
}

ptrdiff_t lemma_packed_size(const lemma_pool *pool, ptrdiff_t n, ptrdiff_t k) {
  ptrdiff_t panel = lemma_pool_table(pool)->panel;
  return (n + panel - 1) / panel * panel * k;
}

void lemma_pack(lemma_pool *pool, ptrdiff_t n, ptrdiff_t k, const float *b, ptrdiff_t ldb, float *packed) {
  lemma_gemm_job job = {.pool = pool, .n = n, .k = k, .b = b, .b_row = 1, .b_column = ldb, .packed = packed};
  RUN(pool, pack, &job);
}

void lemma_gemm_packed(lemma_pool *pool, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda,
                       const float *packed, const float *c0, float *c, ptrdiff_t ldc) {
  lemma_gemm_job job = {pool, m, n, k, a, lda, 1, NULL, 0, 0, c0, c, ldc, (float *)packed};
  RUN(pool, gemm_packed, &job);
}

void lemma_rmsnorm_forward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, float epsilon, const float *x,
                           const float *gain, float *y, float *rstd) {
  lemma_norm_job job = {.rows = rows, .width = width, .epsilon = epsilon, .x = x, .gain = gain, .y = y, .rstd = rstd};
  RUN(pool, rmsnorm_forward, &job);
}

void lemma_rmsnorm_backward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const float *dy, const float *x,
                            const float *gain, const float *rstd, float *dx, float *dgain) {
  lemma_norm_job job = {.rows = rows, .width = width, .x = x, .gain = gain,
                        .dy = dy, .rstd_in = rstd, .dx = dx, .dgain = dgain};
  RUN(pool, rmsnorm_backward, &job);
}

void lemma_rope(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t heads, ptrdiff_t head, const int32_t *positions,
                const float *cosines, const float *sines, bool inverse, float *x, ptrdiff_t ld) {
  lemma_rope_job job = {rows, heads, head, ld, positions, cosines, sines, inverse ? -1.0f : 1.0f, x};
  RUN(pool, rope, &job);
}

void lemma_swiglu_forward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const float *gate_up, float *y) {
  lemma_rows_job job = {rows, width, NULL, gate_up, y};
  RUN(pool, swiglu_forward, &job);
}

void lemma_swiglu_backward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const float *dy, float *gate_up) {
  lemma_rows_job job = {rows, width, NULL, dy, gate_up};
  RUN(pool, swiglu_backward, &job);
}

void lemma_gather(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index, const float *table,
                  float *y) {
  lemma_rows_job job = {rows, width, index, table, y};
  RUN(pool, gather, &job);
}

void lemma_scatter_add(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index, const float *dy,
                       float *table) {
  lemma_rows_job job = {rows, width, index, dy, table};
  RUN(pool, scatter_add, &job);
}

void lemma_cross_entropy(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t classes, const int32_t *targets, float scale,
                         float *logits, double *losses) {
  lemma_logits_job job = {rows, classes, targets, scale, logits, losses, NULL};
  RUN(pool, cross_entropy, &job);
}

void lemma_argmax(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t classes, const float *logits, int32_t *best) {
  lemma_logits_job job = {rows, classes, NULL, 0, (float *)logits, NULL, best};
  RUN(pool, argmax, &job);
}

void lemma_attention_forward(lemma_pool *pool, const lemma_attention *shape, const float *qkv, float *out,
                             float *stats) {
  lemma_attention_job job = {.pool = pool, .shape = *shape, .qkv = qkv, .out = out, .stats = stats};
  RUN(pool, attention_forward, &job);
}

void lemma_attention_backward(lemma_pool *pool, const lemma_attention *shape, const float *qkv, const float *out,
                              const float *stats, const float *dout, float *dqkv) {
  lemma_attention_job job = {.pool = pool, .shape = *shape, .qkv = qkv, .out_in = out,
                             .dout = dout, .stats = (float *)stats, .dqkv = dqkv};
  RUN(pool, attention_backward, &job);
}

ptrdiff_t lemma_attention_limit(void) { return LEMMA_ATTENTION_LIMIT; }

void lemma_attention_cached(lemma_pool *pool, const lemma_cached_attention *shape, const float *qkv, float *cache,
                            float *out) {
  lemma_cached_job job = {pool, *shape, qkv, cache, out};
  RUN(pool, cache_store, &job);
  RUN(pool, attention_cached, &job);
}

double lemma_squared_norm(lemma_pool *pool, ptrdiff_t count, const float *x, double *partial) {
  lemma_flat_job job = {.count = count, .x = x, .partial = partial};
  RUN(pool, squared_norm, &job);
  double sum = 0;
  for (ptrdiff_t i = 0; i * LEMMA_CHUNK < count; i++) sum += partial[i];
  return sum;
}

void lemma_adamw_step(lemma_pool *pool, const lemma_adamw *rule, ptrdiff_t count, const float *gradient,
                      float *first, float *second, float *weights) {
  lemma_flat_job job = {.count = count, .x = gradient, .first = first, .second = second, .y = weights, .rule = *rule};
  RUN(pool, adamw, &job);
}

void lemma_zero(lemma_pool *pool, ptrdiff_t count, float *x) {
  lemma_flat_job job = {.count = count, .y = x};
  RUN(pool, zero, &job);
}

void lemma_exp_many(lemma_pool *pool, ptrdiff_t count, const float *x, float *y) {
  lemma_flat_job job = {.count = count, .x = x, .y = y};
  RUN(pool, exp_many, &job);
}

void lemma_fma_many(lemma_pool *pool, ptrdiff_t count, const float *a, const float *b, const float *c, float *y) {
  lemma_flat_job job = {.count = count, .x = a, .b = b, .c = c, .y = y};
  RUN(pool, fma_many, &job);
}
