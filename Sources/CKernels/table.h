// All kernels of one path and their table.
#include "vector.h"

#include "kernels_gemm.h"
#include "kernels_rows.h"

#include "kernels_attention.h"

const lemma_table TABLE = {
  .panel = PANEL,
  .gemm = gemm,
  .pack = pack,
  .gemm_packed = gemm_packed,
  .rmsnorm_forward = rmsnorm_forward,
  .rmsnorm_backward = rmsnorm_backward,
  .rope = rope,
  .swiglu_forward = swiglu_forward,
  .swiglu_backward = swiglu_backward,
  .gather = gather,
  .scatter_add = scatter_add,
  .cross_entropy = cross_entropy,
  .argmax = argmax,
  .attention_forward = attention_forward,
  .attention_backward = attention_backward,
  .cache_store = cache_store,
  .attention_cached = attention_cached,
  .squared_norm = squared_norm,
  .adamw = adamw,
  .zero = zero,
  .exp_many = exp_many,
  .fma_many = fma_many,
};
