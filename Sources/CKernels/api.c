// The public kernels: each fills in its job's arguments and runs it on the pool's path.
#include "internal.h"

#define RUN(pool, kernel, arguments) lemma_pool_run(pool, lemma_pool_table(pool)->kernel, arguments)

static lemma_product_job product_job(lemma_pool *pool, lemma_layout layout, const lemma_product *p) {
  return (lemma_product_job){pool,   layout, p->m,   p->n, p->k,      p->a,   p->lda,
                             p->b,   p->ldb, p->c0,  p->ld0, p->c, p->stored, p->ldc, NULL};
}

void lemma_product_nt(lemma_pool *pool, const lemma_product *product) {
  lemma_product_job job = product_job(pool, LEMMA_NT, product);
  RUN(pool, product, &job);
}

void lemma_product_nn(lemma_pool *pool, const lemma_product *product) {
  lemma_product_job job = product_job(pool, LEMMA_NN, product);
  RUN(pool, product, &job);
}

void lemma_product_tn(lemma_pool *pool, const lemma_product *product) {
  lemma_product_job job = product_job(pool, LEMMA_TN, product);
  RUN(pool, product, &job);
}

ptrdiff_t lemma_packed_size(const lemma_pool *pool, ptrdiff_t n, ptrdiff_t k) {
  const lemma_table *table = lemma_pool_table(pool);
  ptrdiff_t columns = (n + table->panel - 1) / table->panel * table->panel;
  return columns * ((k + table->step - 1) / table->step) * (ptrdiff_t)sizeof(uint32_t);
}

void lemma_pack(lemma_pool *pool, ptrdiff_t n, ptrdiff_t k, const float *b, ptrdiff_t ldb, void *packed) {
  lemma_product_job job = {
    .pool = pool, .layout = LEMMA_NT, .n = n, .k = k, .b = b, .ldb = ldb, .packed = packed};
  RUN(pool, pack, &job);
}

void lemma_product_packed(lemma_pool *pool, const lemma_product *product) {
  lemma_product_job job = product_job(pool, LEMMA_NT, product);
  job.packed = (uint32_t *)product->b;
  RUN(pool, product_packed, &job);
}

ptrdiff_t lemma_product_depth(int precision) { return precision == LEMMA_BFLOAT16 ? 2 * LEMMA_DEPTH : LEMMA_DEPTH; }

ptrdiff_t lemma_operand_size(const lemma_pool *pool) { return 4 / lemma_pool_table(pool)->step; }

void lemma_store(lemma_pool *pool, ptrdiff_t count, const float *x, lemma_operand *y) {
  lemma_convert_job job = {count, x, y};
  RUN(pool, store_many, &job);
}

void lemma_load(lemma_pool *pool, ptrdiff_t count, const lemma_operand *x, float *y) {
  lemma_convert_job job = {count, x, y};
  RUN(pool, load_many, &job);
}

static lemma_norm_job norm_job(const lemma_norm *n) {
  return (lemma_norm_job){.rows = n->rows, .width = n->width, .epsilon = n->epsilon, .gain = n->gain,
                          .bias = n->bias, .normed = n->normed, .rstd = n->rstd};
}

void lemma_norm_forward(lemma_pool *pool, const lemma_norm *norm, const float *x, lemma_operand *y) {
  lemma_norm_job job = norm_job(norm);
  job.x = x;
  job.y = y;
  RUN(pool, norm_forward, &job);
}

void lemma_norm_again(lemma_pool *pool, const lemma_norm *norm, lemma_operand *y) {
  lemma_norm_job job = norm_job(norm);
  job.y = y;
  RUN(pool, norm_again, &job);
}

void lemma_norm_backward(lemma_pool *pool, const lemma_norm *norm, const lemma_operand *dy, float *dx,
                         lemma_operand *stored, float *dgain, float *dbias) {
  lemma_norm_job job = norm_job(norm);
  job.dy = dy;
  job.dx = dx;
  job.stored = stored;
  job.dgain = dgain;
  job.dbias = dbias;
  RUN(pool, norm_backward, &job);
}

static lemma_rope_job rope_job(const lemma_rotation *r) {
  return (lemma_rope_job){.rows = r->rows, .heads = r->heads, .head = r->head, .ld = r->ld,
                          .positions = r->positions, .cosines = r->cosines, .sines = r->sines,
                          .sign = r->inverse ? -1.0f : 1.0f};
}

void lemma_rope(lemma_pool *pool, const lemma_rotation *rotation, lemma_operand *x) {
  lemma_rope_job job = rope_job(rotation);
  job.stored = x;
  job.y = x;
  RUN(pool, rope, &job);
}

void lemma_rope_store(lemma_pool *pool, const lemma_rotation *rotation, const float *x, lemma_operand *y) {
  lemma_rope_job job = rope_job(rotation);
  job.wide = x;
  job.y = y;
  RUN(pool, rope, &job);
}

void lemma_swiglu_forward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const lemma_operand *gate_up,
                          lemma_operand *y) {
  lemma_gate_job job = {.rows = rows, .width = width, .x = gate_up, .y = y};
  RUN(pool, swiglu_forward, &job);
}

void lemma_swiglu_backward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const lemma_operand *dy,
                           const lemma_operand *gate_up, lemma_operand *slope, lemma_operand *y) {
  lemma_gate_job job = {.rows = rows, .width = width, .x = gate_up, .dy = dy, .y = y, .dx = slope};
  RUN(pool, swiglu_backward, &job);
}

void lemma_gelu_forward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const lemma_operand *x, lemma_operand *y) {
  lemma_gate_job job = {.rows = rows, .width = width, .x = x, .y = y};
  RUN(pool, gelu_forward, &job);
}

void lemma_gelu_backward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const lemma_operand *dy,
                         const lemma_operand *x, lemma_operand *slope, lemma_operand *y) {
  lemma_gate_job job = {.rows = rows, .width = width, .x = x, .dy = dy, .y = y, .dx = slope};
  RUN(pool, gelu_backward, &job);
}

// Rows of bytes, whatever they hold.
static void gather_bytes(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t bytes, const int32_t *index, const void *table,
                         void *y) {
  lemma_rows_job job = {rows, bytes, index, table, y};
  RUN(pool, gather, &job);
}

void lemma_gather(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index, const float *table,
                  float *y) {
  gather_bytes(pool, rows, width * (ptrdiff_t)sizeof(float), index, table, y);
}

void lemma_gather_operands(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index,
                           const lemma_operand *table, lemma_operand *y) {
  gather_bytes(pool, rows, width * lemma_operand_size(pool), index, table, y);
}

void lemma_scatter_operands(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index,
                            const lemma_operand *x, lemma_operand *y) {
  lemma_rows_job job = {rows, width * lemma_operand_size(pool), index, x, y};
  RUN(pool, scatter, &job);
}

void lemma_gather_add(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index, const float *table,
                      float *y) {
  lemma_rows_job job = {rows, width, index, table, y};
  RUN(pool, gather_add, &job);
}

void lemma_scatter_add(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index, const float *dy,
                       float *table) {
  lemma_rows_job job = {rows, width, index, dy, table};
  RUN(pool, scatter_add, &job);
}

void lemma_sum_rows(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const lemma_operand *x, float *sums) {
  lemma_rows_job job = {rows, width, NULL, x, sums};
  RUN(pool, sum_rows, &job);
}

void lemma_dropout_add(lemma_pool *pool, const lemma_dropout *rule, ptrdiff_t rows, ptrdiff_t width,
                       const lemma_operand *x, float *sum) {
  lemma_dropout_job job = {.rows = rows, .width = width, .rule = *rule, .operands = x, .sum = sum};
  RUN(pool, dropout, &job);
}

void lemma_dropout_apply(lemma_pool *pool, const lemma_dropout *rule, ptrdiff_t rows, ptrdiff_t width, const float *x,
                         float *y) {
  lemma_dropout_job job = {.rows = rows, .width = width, .rule = *rule, .x = x, .y = y};
  RUN(pool, dropout, &job);
}

void lemma_dropout_store(lemma_pool *pool, const lemma_dropout *rule, ptrdiff_t rows, ptrdiff_t width, const float *x,
                         lemma_operand *y) {
  lemma_dropout_job job = {.rows = rows, .width = width, .rule = *rule, .x = x, .stored = y};
  RUN(pool, dropout, &job);
}

void lemma_cross_entropy(lemma_pool *pool, const lemma_cross_entropy_shape *shape, const int32_t *targets,
                         float *logits, double *losses) {
  lemma_logits_job job = {shape->rows, shape->classes, shape->ld, targets, shape->scale, shape->smoothing,
                          logits, losses, NULL};
  RUN(pool, cross_entropy, &job);
}

void lemma_argmax(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t classes, ptrdiff_t ld, const float *logits,
                  int32_t *best) {
  lemma_logits_job job = {rows, classes, ld, NULL, 0, 0, (float *)logits, NULL, best};
  RUN(pool, argmax, &job);
}

void lemma_attention_forward(lemma_pool *pool, const lemma_attention *shape, const lemma_operand *qkv,
                             lemma_operand *out, float *stats) {
  lemma_attention_job job = {.pool = pool, .shape = *shape, .qkv = qkv, .out = out, .stats = stats};
  RUN(pool, attention_forward, &job);
}

void lemma_attention_backward(lemma_pool *pool, const lemma_attention *shape, const lemma_operand *qkv,
                              const lemma_operand *out, const float *stats, const lemma_operand *dout, float *dqkv) {
  lemma_attention_job job = {.pool = pool, .shape = *shape, .qkv = qkv, .out = (void *)out,
                             .dout = dout, .stats = (float *)stats, .dqkv = dqkv};
  RUN(pool, attention_backward, &job);
}

ptrdiff_t lemma_attention_limit(void) { return LEMMA_ATTENTION_LIMIT; }

ptrdiff_t lemma_cache_size(const lemma_pool *pool, ptrdiff_t groups, ptrdiff_t head, ptrdiff_t capacity) {
  ptrdiff_t step = lemma_pool_table(pool)->step;
  ptrdiff_t steps = (head + step - 1) / step * capacity + (capacity + step - 1) / step * head;
  return groups * steps * (ptrdiff_t)sizeof(uint32_t);
}

void lemma_attention_cached(lemma_pool *pool, const lemma_cached_attention *shape, const lemma_operand *qkv,
                            void *cache, lemma_operand *out) {
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
