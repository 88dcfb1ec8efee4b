// All kernels of one path and one precision, and their table.
#include "lanes.h"
#include "operands.h"

#include "products.h"
#include "rows.h"

#include "attention.h"
#include "flat.h"

const lemma_table TABLE = {
  .panel = PANEL,
  .step = STEP,
  .product = product,
  .pack = pack,
  .product_packed = product_packed,
  .norm_forward = norm_forward,
  .norm_again = norm_again,
  .norm_backward = norm_backward,
  .rope = rope,
  .swiglu_forward = swiglu_forward,
  .swiglu_backward = swiglu_backward,
  .gelu_forward = gelu_forward,
  .gelu_backward = gelu_backward,
  .gather = gather,
  .scatter = scatter,
  .gather_add = gather_add,
  .scatter_add = scatter_add,
  .sum_rows = sum_rows,
  .cross_entropy = cross_entropy,
  .argmax = argmax,
  .store_many = store_many,
  .load_many = load_many,
  .attention_forward = attention_forward,
  .attention_backward = attention_backward,
  .cache_store = cache_store,
  .attention_cached = attention_cached,
  .squared_norm = squared_norm,
  .adamw = adamw,
  .zero = zero,
  .dropout = dropout,
  .exp_many = exp_many,
  .fma_many = fma_many,
};
