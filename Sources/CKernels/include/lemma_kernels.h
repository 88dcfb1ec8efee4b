// The native core: float32 kernels of a LLaMA-style decoder, their run-time dispatch and their thread pool.
// Same bits on every path and for any number of threads (docs/numerics.md); no I/O, no knowledge of models.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- Paths: one source compiled for several instruction sets ----------------------------------

enum { LEMMA_PATH_SCALAR = 0, LEMMA_PATH_AVX2 = 1, LEMMA_PATH_AVX512 = 2, LEMMA_PATH_COUNT = 3 };

/// Whether this processor (and its operating system) can run the path.
bool lemma_path_supported(int path);
/// The fastest supported path.
int lemma_path_best(void);
/// `scalar`, `avx2` or `avx512`.
const char *lemma_path_name(int path);

// ---- Pool: n workers, of which the caller is number 0 -----------------------------------------

typedef struct lemma_pool lemma_pool;

/// A pool of `threads` workers whose kernels run on `path`. Pools are independent of each other; one
/// pool serves one caller at a time. NULL when the path is not supported, `threads` is not in 1...256,
/// or threads or memory cannot be had.
lemma_pool *lemma_pool_create(int threads, int path);
void lemma_pool_destroy(lemma_pool *pool);
int lemma_pool_threads(const lemma_pool *pool);
int lemma_pool_path(const lemma_pool *pool);

// ---- Matrix products, row-major. Each element of C is one chain of fused multiply-adds, k ascending,
// ---- that starts at C0's element (or at 0 where C0 is NULL); C0 has C's shape and pitch and may be C.

/// C[m,n] = C0 + A[m,k] B[n,k]^T
void lemma_gemm_nt(lemma_pool *pool, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda,
                   const float *b, ptrdiff_t ldb, const float *c0, float *c, ptrdiff_t ldc);
/// C[m,n] = C0 + A[m,k] B[k,n]
void lemma_gemm_nn(lemma_pool *pool, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda,
                   const float *b, ptrdiff_t ldb, const float *c0, float *c, ptrdiff_t ldc);
/// C[m,n] = C0 + A[k,m]^T B[k,n]
void lemma_gemm_tn(lemma_pool *pool, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda,
                   const float *b, ptrdiff_t ldb, const float *c0, float *c, ptrdiff_t ldc);

/// How many floats `lemma_pack` writes for a weight of shape [n,k].
ptrdiff_t lemma_packed_size(const lemma_pool *pool, ptrdiff_t n, ptrdiff_t k);
/// Rearranges B[n,k] for `lemma_gemm_packed` on pools of the same path.
void lemma_pack(lemma_pool *pool, ptrdiff_t n, ptrdiff_t k, const float *b, ptrdiff_t ldb, float *packed);
/// C[m,n] = C0 + A[m,k] B^T with a packed B: the bits of `lemma_gemm_nt`, without its packing.
void lemma_gemm_packed(lemma_pool *pool, ptrdiff_t m, ptrdiff_t n, ptrdiff_t k, const float *a, ptrdiff_t lda,
                       const float *packed, const float *c0, float *c, ptrdiff_t ldc);

// ---- Row kernels ------------------------------------------------------------------------------

/// y[r,:] = x[r,:] * rstd[r] * gain, rstd[r] = 1 / sqrt(mean(x[r,:]^2) + epsilon). Arrays are dense [rows,width].
void lemma_rmsnorm_forward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, float epsilon, const float *x,
                           const float *gain, float *y, float *rstd);
/// dx += the gradient through the norm; dgain += sum over rows, in order.
void lemma_rmsnorm_backward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const float *dy, const float *x,
                            const float *gain, const float *rstd, float *dx, float *dgain);

/// cosines and sines [positions, head/2] of position * base^(-2i/head).
void lemma_rope_table(ptrdiff_t positions, ptrdiff_t head, double base, float *cosines, float *sines);
/// Rotates the first `heads` heads of every row of x (pitch `ld`) by its position, in place; element i of a head
/// pairs with i + head/2. `inverse` turns back: it is also the gradient.
void lemma_rope(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t heads, ptrdiff_t head, const int32_t *positions,
                const float *cosines, const float *sines, bool inverse, float *x, ptrdiff_t ld);

/// y[rows,width] = silu(gate) * up, where a row of gate_up is [gate | up].
void lemma_swiglu_forward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const float *gate_up, float *y);
/// Replaces gate_up by its gradient.
void lemma_swiglu_backward(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const float *dy, float *gate_up);

/// y[r,:] = table[index[r],:]
void lemma_gather(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index, const float *table,
                  float *y);
/// table[index[r],:] += dy[r,:], rows in order.
void lemma_scatter_add(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t width, const int32_t *index, const float *dy,
                       float *table);

/// Softmax cross-entropy of rows of logits: losses[r] = -log p[target[r]] (double), and with `scale` not 0 the
/// logits become the gradient of scale * sum of losses. A row whose target is negative is masked: its loss is 0
/// and its gradient is 0.
void lemma_cross_entropy(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t classes, const int32_t *targets, float scale,
                         float *logits, double *losses);
/// best[r] = the index of the greatest logit of row r, the lowest one of equals; -1 for a row with a NaN.
void lemma_argmax(lemma_pool *pool, ptrdiff_t rows, ptrdiff_t classes, const float *logits, int32_t *best);

// ---- Attention: causal, grouped-query, by document --------------------------------------------

/// Shapes of attention over packed documents. A row of qkv (pitch `ld`) is [heads q | groups k | groups v], each
/// `head` wide, with q and k already rotated. Document s owns rows starts[s] ..< starts[s + 1], and a row attends
/// only to itself and to the earlier rows of its own document.
typedef struct {
  ptrdiff_t documents, heads, groups, head, ld;
  const int32_t *starts;
} lemma_attention;

/// out[rows, heads*head]; stats[rows, heads, 2] keeps each softmax row's maximum and 1/sum for the way back.
void lemma_attention_forward(lemma_pool *pool, const lemma_attention *shape, const float *qkv, float *out,
                             float *stats);
/// dqkv (pitch `ld`) is overwritten; heads of one group add into k and v in order.
void lemma_attention_backward(lemma_pool *pool, const lemma_attention *shape, const float *qkv, const float *out,
                              const float *stats, const float *dout, float *dqkv);
/// The greatest document length that attention takes.
ptrdiff_t lemma_attention_limit(void);

/// One cache slot holds, for each group, keys [head, capacity] and then values [capacity, head].
typedef struct {
  ptrdiff_t rows, heads, groups, head, ld, capacity;
  const int32_t *slots;      // of each row
  const int32_t *positions;  // of each row in its slot
} lemma_cached_attention;

/// Puts k and v of each row into its slot, then attends each row to positions 0 ... its own: bit for bit what
/// `lemma_attention_forward` gives for the same document.
void lemma_attention_cached(lemma_pool *pool, const lemma_cached_attention *shape, const float *qkv, float *cache,
                            float *out);

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
double lemma_sin(double x);  // |x| < 1e8
double lemma_cos(double x);
/// The vector exponential of the kernels, for tests: y[i] = exp(x[i]), x clamped to -86 ... 88.
void lemma_exp_many(lemma_pool *pool, ptrdiff_t count, const float *x, float *y);
/// The fused multiply-add of the kernels, for tests: y[i] = a[i] * b[i] + c[i], rounded once.
void lemma_fma_many(lemma_pool *pool, ptrdiff_t count, const float *a, const float *b, const float *c, float *y);

#ifdef __cplusplus
}
#endif
