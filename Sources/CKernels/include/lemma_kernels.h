// The native core: kernels of a decoder in float32 or bfloat16, their run-time dispatch and their thread pool.
// Same bits on every path and for any number of threads (docs/numerics.md); no I/O, no knowledge of models.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- Paths: one source compiled for several instruction sets ----------------------------------

enum {
  LEMMA_PATH_SCALAR = 0,
  LEMMA_PATH_AVX2 = 1,
  LEMMA_PATH_AVX512 = 2,
  LEMMA_PATH_AVX512_BF16 = 3,
  LEMMA_PATH_NEON = 4,
  LEMMA_PATH_COUNT = 5,
};

/// Whether this processor (and its operating system) can run the path.
bool lemma_path_supported(int path);
/// The fastest supported path.
int lemma_path_best(void);
/// `scalar`, `avx2`, `avx512`, `avx512bf16` or `neon`.
const char *lemma_path_name(int path);

// ---- Precision: how operands of matrix products are stored. Weights, the residual stream, sums, gradients of
// ---- weights and the optimiser are float32 in either. `operand` below means an array of float or of bfloat16
// ---- (the upper half of a float); rows of bfloat16 operands have an even pitch and are 0 beyond an odd width.

enum { LEMMA_FLOAT32 = 0, LEMMA_BFLOAT16 = 1, LEMMA_PRECISION_COUNT = 2 };

typedef void lemma_operand;

// ---- Pool: n workers, of which the caller is number 0 -----------------------------------------

typedef struct lemma_pool lemma_pool;

/// A pool of `threads` workers whose kernels run on `path` with operands of `precision`. Pools are independent of
/// each other; one pool serves one caller at a time. NULL when the path is not supported, `threads` is not in
/// 1...256, the precision is none, or threads or memory cannot be had.
lemma_pool *lemma_pool_create(int threads, int path, int precision);
void lemma_pool_destroy(lemma_pool *pool);
int lemma_pool_threads(const lemma_pool *pool);
int lemma_pool_path(const lemma_pool *pool);
int lemma_pool_precision(const lemma_pool *pool);
/// Bytes of one element of an operand: 4 or 2.
ptrdiff_t lemma_operand_size(const lemma_pool *pool);
/// Stores numbers as operands: bfloat16 rounds to nearest even, denormals become zeros.
void lemma_store(lemma_pool *pool, ptrdiff_t count, const float *x, lemma_operand *y);
/// Reads operands as numbers.
void lemma_load(lemma_pool *pool, ptrdiff_t count, const lemma_operand *x, float *y);

// ---- Matrix products, row-major. Each element of C is one chain of fused multiply-adds along k that starts at
// ---- C0's element, or at 0 where C0 is NULL. C0 may be C; with pitch 0 one row of it serves all rows of C. Where
// ---- `stored` is not NULL, the result goes there as operands, with C's pitch; C is then only where chains wait, and
// ---- may be NULL for a k of up to `lemma_product_depth`.
// ---- The chain ascends; in bfloat16, where A lies by rows, each pair (2i, 2i + 1) goes with its odd element first.

typedef struct {
  ptrdiff_t m, n, k;
  const lemma_operand *a;
  ptrdiff_t lda;
  const void *b;
  ptrdiff_t ldb;
  const float *c0;
  ptrdiff_t ld0;
  float *c;
  lemma_operand *stored;
  ptrdiff_t ldc;
} lemma_product;

/// The greatest k whose chains need no place to wait in, for operands of a precision.
ptrdiff_t lemma_product_depth(int precision);

/// C[m,n] = C0 + A[m,k] B[n,k]^T, with B a weight in float32, rounded as an operand.
void lemma_product_nt(lemma_pool *pool, const lemma_product *product);
/// C[m,n] = C0 + A[m,k] B[k,n], with B a weight in float32, rounded as an operand.
void lemma_product_nn(lemma_pool *pool, const lemma_product *product);
/// C[m,n] = C0 + A[k,m]^T B[k,n], with both operands.
void lemma_product_tn(lemma_pool *pool, const lemma_product *product);

/// How many bytes `lemma_pack` writes for a weight of shape [n,k].
ptrdiff_t lemma_packed_size(const lemma_pool *pool, ptrdiff_t n, ptrdiff_t k);
/// Rearranges B[n,k] for `lemma_product_packed` on pools of the same path and precision.
void lemma_pack(lemma_pool *pool, ptrdiff_t n, ptrdiff_t k, const float *b, ptrdiff_t ldb, void *packed);
/// C[m,n] = C0 + A[m,k] B^T with a packed B: the bits of `lemma_product_nt`, without its packing.
void lemma_product_packed(lemma_pool *pool, const lemma_product *product);

// ---- Row kernels; arrays are dense [rows, width] where no pitch is given ----------------------

/// RMSNorm (Zhang and Sennrich, 2019) where `bias` is NULL, else LayerNorm (Ba et al., 2016).
typedef struct {
  ptrdiff_t rows, width;
  float epsilon;
  const float *gain, *bias;
  /// (x - mean) / root of the mean square, and 1 / that root [rows]: kept for the way back.
  lemma_operand *normed;
  float *rstd;
} lemma_norm;
/// y = normed * gain + bias. `normed` may be NULL.
void lemma_norm_forward(lemma_pool *pool, const lemma_norm *norm, const float *x, lemma_operand *y);
/// y once more, from what was kept.
void lemma_norm_again(lemma_pool *pool, const lemma_norm *norm, lemma_operand *y);
/// dx += the gradient through the norm, also stored as an operand where `stored` is not NULL;
/// dgain and dbias += their sums over rows, in order.
void lemma_norm_backward(lemma_pool *pool, const lemma_norm *norm, const lemma_operand *dy, float *dx,
                         lemma_operand *stored, float *dgain, float *dbias);

/// cosines and sines [positions, head/2] of position * frequency[i], i < head/2.
void lemma_rope_table(ptrdiff_t positions, ptrdiff_t head, const double *frequencies, float *cosines, float *sines);
/// frequency[i] = base^(-2i/head).
void lemma_rope_frequencies(ptrdiff_t head, double base, double *frequencies);
/// Where rows of queries, keys and values are turned: `heads` heads of each row (pitch `ld`) by the row's position;
/// element i of a head pairs with i + head/2 (Su et al., 2021). `inverse` turns back: it is also the gradient.
typedef struct {
  ptrdiff_t rows, heads, head, ld;
  const int32_t *positions;
  const float *cosines, *sines;
  bool inverse;
} lemma_rotation;
/// Turns operands in place.
void lemma_rope(lemma_pool *pool, const lemma_rotation *rotation, lemma_operand *x);
/// Stores all of x as operands, the first heads turned. y may be x where operands are float32.
void lemma_rope_store(lemma_pool *pool, const lemma_rotation *rotation, const float *x, lemma_operand *y);

/// y[rows,width] = silu(gate) * up (Shazeer, 2020), where a row of gate_up is [gate | up].
void lemma_swiglu_forward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const lemma_operand *gate_up,
                          lemma_operand *y);
/// The gradient of gate_up, which may take its place, and y once more.
void lemma_swiglu_backward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const lemma_operand *dy,
                           const lemma_operand *gate_up, lemma_operand *slope, lemma_operand *y);
/// y = GELU(x) in its form by tanh (Hendrycks and Gimpel, 2016); the rest as for SwiGLU.
void lemma_gelu_forward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const lemma_operand *x, lemma_operand *y);
void lemma_gelu_backward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const lemma_operand *dy,
                         const lemma_operand *x, lemma_operand *slope, lemma_operand *y);

/// y[r,:] = table[index[r],:]
void lemma_gather(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index, const float *table,
                  float *y);
/// The same of operands.
void lemma_gather_operands(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index,
                           const lemma_operand *table, lemma_operand *y);
/// y[index[r],:] = x[r,:], of operands; no index twice.
void lemma_scatter_operands(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index,
                            const lemma_operand *x, lemma_operand *y);
/// y[r,:] += table[index[r],:]
void lemma_gather_add(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index, const float *table,
                      float *y);
/// table[index[r],:] += dy[r,:], rows in order.
void lemma_scatter_add(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index, const float *dy,
                       float *table);
/// sums[width] += the rows of x, in order.
void lemma_sum_rows(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const lemma_operand *x, float *sums);

/// Dropout (Srivastava et al., 2014): an element is zeroed with probability `share`, else scaled by 1/(1 - share).
/// Which ones is a function of (seed, step, site, row, column) by Philox; `row` is added to the rows' numbers.
typedef struct {
  uint64_t seed;
  uint32_t step, site, row;
  float share;
} lemma_dropout;
/// sum += dropout(x)
void lemma_dropout_add(lemma_pool *pool, const lemma_dropout *rule, ptrdiff_t rows, ptrdiff_t width,
                       const lemma_operand *x, float *sum);
/// y = dropout(x); y may be x.
void lemma_dropout_apply(lemma_pool *pool, const lemma_dropout *rule, ptrdiff_t rows, ptrdiff_t width, const float *x,
                         float *y);
/// y = dropout(x), as operands.
void lemma_dropout_store(lemma_pool *pool, const lemma_dropout *rule, ptrdiff_t rows, ptrdiff_t width, const float *x,
                         lemma_operand *y);

/// Softmax cross-entropy of rows of logits, `ld` apart (a multiple of 2). losses[r] = -(1 - smoothing) log p[target]
/// - smoothing * mean log p, in double (Szegedy et al., 2016). With `scale` not 0 the gradient of scale * sum of
/// losses is written over the logits, as operands: row r begins where it did, so that their pitch is
/// 4 ld / operand size. A row whose target is negative is masked: its loss and its gradient are 0.
typedef struct {
  ptrdiff_t rows, classes, ld;
  float scale, smoothing;
} lemma_cross_entropy_shape;
void lemma_cross_entropy(lemma_pool *pool, const lemma_cross_entropy_shape *shape, const int32_t *targets,
                         float *logits, double *losses);
/// best[r] = the index of the greatest logit of row r, the lowest one of equals; -1 for a row with a NaN.
void lemma_argmax(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t classes, ptrdiff_t ld, const float *logits,
                  int32_t *best);

// ---- Attention: causal, grouped-query, by document --------------------------------------------

/// Shapes of attention over packed documents. A row of qkv (pitch `ld`) is [heads q | groups k | groups v], each
/// `head` wide (an even number), with q and k already rotated. Document s owns rows starts[s] ..< starts[s + 1], and a row attends
/// only to itself and to the earlier rows of its own document.
typedef struct {
  ptrdiff_t documents, heads, groups, head, ld;
  const int32_t *starts;
} lemma_attention;

/// out[rows, heads*head]; stats[rows, heads, 2] keeps each softmax row's maximum and 1/sum for the way back.
void lemma_attention_forward(lemma_pool *pool, const lemma_attention *shape, const lemma_operand *qkv,
                             lemma_operand *out, float *stats);
/// dqkv (pitch `ld`) is overwritten; heads of one group add into k and v in order.
void lemma_attention_backward(lemma_pool *pool, const lemma_attention *shape, const lemma_operand *qkv,
                              const lemma_operand *out, const float *stats, const lemma_operand *dout, float *dqkv);
/// The greatest document length that attention takes.
ptrdiff_t lemma_attention_limit(void);

/// One cache slot holds, for each group, keys [head, capacity] and then values [capacity, head], in steps of the
/// precision's products. `capacity` is a multiple of 16.
typedef struct {
  ptrdiff_t rows, heads, groups, head, ld, capacity;
  const int32_t *slots;      // of each row
  const int32_t *positions;  // of each row in its slot
} lemma_cached_attention;

/// Bytes of one slot.
ptrdiff_t lemma_cache_size(const lemma_pool *pool, ptrdiff_t groups, ptrdiff_t head, ptrdiff_t capacity);
/// Puts k and v of each row into its slot, positions of a slot in order, then attends each row to positions
/// 0 ... its own: bit for bit what `lemma_attention_forward` gives for the same document.
void lemma_attention_cached(lemma_pool *pool, const lemma_cached_attention *shape, const lemma_operand *qkv,
                            void *cache, lemma_operand *out);

// ---- Optimiser --------------------------------------------------------------------------------

/// The squared L2 norm: sums of fixed 16,384-element chunks, added in order in double.
/// `partial` holds ceil(count / 16384) doubles.
double lemma_squared_norm(lemma_pool *pool, ptrdiff_t count, const float *x, double *partial);

/// AdamW (Loshchilov and Hutter, 2019); `correction1` is 1/(1 - beta1^t), `correction2` the same of beta2.
typedef struct {
  float rate, beta1, beta2, epsilon, decay, correction1, correction2, gradient_scale;
} lemma_adamw;
void lemma_adamw_step(lemma_pool *pool, const lemma_adamw *rule, ptrdiff_t count, const float *gradient,
                      float *first, float *second, float *weights);

void lemma_zero(lemma_pool *pool, ptrdiff_t count, float *x);

// ---- Numbers that do not come from libm -------------------------------------------------------

/// Philox4x32-10 (Salmon et al., 2011): 128 bits for a counter and a key.
void lemma_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
/// x[i] = deviation * a standard normal number of (seed, stream, i), by Box and Muller.
void lemma_fill_normal(uint64_t seed, uint64_t stream, ptrdiff_t count, float deviation, float *x);
/// Double functions made of IEEE +, -, *, / alone; each is within 2 units of the last place on the ranges used.
double lemma_exp(double x);
double lemma_log(double x);  // x > 0, normal
double lemma_sin(double x);  // |x| < 1.6e6
double lemma_cos(double x);
/// The vector exponential of the kernels, for tests: y[i] = exp(x[i]), x clamped to -86 ... 88.
void lemma_exp_many(lemma_pool *pool, ptrdiff_t count, const float *x, float *y);
/// The fused multiply-add of the kernels, for tests: y[i] = a[i] * b[i] + c[i], rounded once.
void lemma_fma_many(lemma_pool *pool, ptrdiff_t count, const float *a, const float *b, const float *c, float *y);

#ifdef __cplusplus
}
#endif
