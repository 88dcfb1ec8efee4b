// Causal grouped-query attention by document. A task is one document and one group of heads that share k and v;
// inside it, heads and blocks of queries go in order, so that sums over queries are one ascending chain.

// The worker's memory, cut into the pieces that a task needs. Panels and tiles are in steps, rows are operands.
typedef struct {
  U *keys, *values, *keys_across, *slopes_across, *queries_across, *tiles;
  float *scores, *slopes;  // a block's, [LEMMA_BLOCK, pitch]
  S *shares, *stored;      // the same as operands: probabilities, and their slopes
  ptrdiff_t pitch;
} attention_scratch;

INLINE ptrdiff_t rounded(ptrdiff_t n, ptrdiff_t unit) { return (n + unit - 1) / unit * unit; }

static attention_scratch cut(void *scratch, ptrdiff_t length, ptrdiff_t head) {
  attention_scratch s;
  ptrdiff_t by_key = rounded(length, PANEL) * steps_of(head), by_feature = steps_of(length) * rounded(head, PANEL);
  ptrdiff_t block = LEMMA_BLOCK * rounded(head, PANEL), row = rounded(length, 16);
  ptrdiff_t scores = LEMMA_BLOCK * row;
  U *next = scratch;
  s.pitch = row;
  s.keys = next, next += by_key;
  s.values = next, next += by_key > by_feature ? by_key : by_feature;
  s.keys_across = next, next += by_feature;
  s.slopes_across = next, next += block;
  s.queries_across = next, next += block;
  s.scores = (float *)next, next += scores;
  s.slopes = (float *)next, next += scores;
  s.shares = (S *)next, next += scores / STEP;
  s.stored = (S *)next, next += scores / STEP;
  s.tiles = next;
  return s;
}

// 1 / sqrt(head), the scale of every score.
INLINE float score_scale(ptrdiff_t head) { return 1.0f / __builtin_sqrtf((float)head); }
// The same for powers of 2.
INLINE float score_scale2(ptrdiff_t head) { return score_scale(head) * 1.44269504f; }

// x[i] = 2^(scale x[i] - top) for n elements; their sum by lanes.
INLINE float powers(float *x, ptrdiff_t n, float scale, float top) {
  V sum = splat(0), factor = splat(scale), less = splat(-top);
  ptrdiff_t i = 0;
  for (; i + 16 <= n; i += 16) {
    V e = exp2_below16(fma16(load(x + i), factor, less));
    store(x + i, e);
    sum += e;
  }
  if (i < n) {
    V e = exp2_below16(fma16(load_some(x + i, n - i), factor, less));
    store_some(x + i, e, n - i);
    sum += load_some(x + i, n - i);
  }
  return sum16(sum);
}

// Scores of queries [first, last) against keys [0, last), a tile of them, as powers of 2; s->shares takes them times
// 1 / sum, and 0 for later keys up to `end`. With `fresh`, top and 1 / sum are found and kept in stats; else they are
// read from there. Rows of s count from `from`.
static void probabilities(const lemma_attention *shape, const S *q, const attention_scratch *s, ptrdiff_t from,
                          ptrdiff_t first, ptrdiff_t last, ptrdiff_t end, float *stats, bool fresh) {
  ptrdiff_t steps = steps_of(shape->head);
  float scale = score_scale2(shape->head);
  chains to = {NULL, 0, s->scores + (first - from) * s->pitch, NULL, s->pitch};
  panels(last - first, last, steps, (const U *)(q + first * shape->ld), shape->ld / STEP, s->keys, steps * PANEL, to);
  for (ptrdiff_t i = first; i < last; i++) {
    float *x = s->scores + (i - from) * s->pitch, *stat = stats + i * shape->heads * 2;
    if (fresh) stat[0] = greatest(x, i + 1) * scale;
    float sum = powers(x, i + 1, scale, stat[0]);
    if (fresh) stat[1] = 1.0f / sum;
    store_multiple(x, i + 1, end, stat[1], s->shares + (i - from) * s->pitch);
  }
}

static void attention_forward(void *context, int worker, int count) {
  (void)count;
  const lemma_attention_job *a = context;
  const lemma_attention *shape = &a->shape;
  ptrdiff_t head = shape->head, per_group = shape->heads / shape->groups, width = shape->heads * head, task;
  while ((task = lemma_pool_claim(a->pool)) < shape->documents * shape->groups) {
    ptrdiff_t document = task / shape->groups, group = task % shape->groups;
    ptrdiff_t start = shape->starts[document], length = shape->starts[document + 1] - start;
    ptrdiff_t value_pitch = steps_of(length) * PANEL;
    attention_scratch s = cut(lemma_pool_scratch(a->pool, worker), length, head);
    const S *q = (const S *)a->qkv + start * shape->ld + group * per_group * head;
    const S *k = (const S *)a->qkv + start * shape->ld + width + group * head, *v = k + shape->groups * head;
    pack_along(head, length, k, shape->ld, s.keys, steps_of(head) * PANEL);
    pack_across(false, length, head, v, shape->ld, s.values, value_pitch);
    for (ptrdiff_t h = 0; h < per_group; h++) {
      float *stats = a->stats + (start * shape->heads + group * per_group + h) * 2;
      S *out = (S *)a->out + start * width + (group * per_group + h) * head;
      for (ptrdiff_t i = 0; i < length; i += TILE_ROWS) {
        ptrdiff_t last = i + TILE_ROWS < length ? i + TILE_ROWS : length;
        probabilities(shape, q + h * head, &s, i, i, last, rounded(last, 16), stats, true);
        chains to = {NULL, 0, NULL, out + i * width, width};
        panels(last - i, head, steps_of(last), (const U *)s.shares, s.pitch / STEP, s.values, value_pitch, to);
      }
    }
  }
}

// A tile's dS = P (dP - sum of dO O) scale as operands, 0 for later keys, from dP in s->slopes.
static void tile_slopes(const lemma_attention *shape, const attention_scratch *s, ptrdiff_t from, ptrdiff_t first,
                        ptrdiff_t last, ptrdiff_t end, const S *dout, const S *out, const float *stats) {
  const ptrdiff_t head = shape->head, width = shape->heads * head;
  const V scale = splat(score_scale(head));
  for (ptrdiff_t i = first; i < last; i++) {
    V sum = splat(0), inverse = splat(stats[i * shape->heads * 2 + 1]);
    for (ptrdiff_t e = 0; e < head; e += 16) {
      sum = fma16(load_stored(dout + i * width + e, head - e), load_stored(out + i * width + e, head - e), sum);
    }
    V along = splat(sum16(sum));
    const float *p = s->scores + (i - from) * s->pitch, *slope = s->slopes + (i - from) * s->pitch;
    S *stored = s->stored + (i - from) * s->pitch;
    ptrdiff_t j = 0;
    for (; j <= i; j += 16) {
      ptrdiff_t left = i + 1 - j;
      store_stored(stored + j, load_some(p + j, left) * inverse * (load_some(slope + j, left) - along) * scale, 16);
    }
    for (; j < end; j += 16) store_stored(stored + j, splat(0), 16);
  }
}

// With P the probabilities: dV = P^T dO, dP = dO V^T, dS = P (dP - rowsum(dO O)) scale, dQ = dS K, dK = dS^T Q.
// By tiles of queries as far as a query goes alone, by blocks where queries are summed.
static void attention_backward(void *context, int worker, int count) {
  (void)count;
  const lemma_attention_job *a = context;
  const lemma_attention *shape = &a->shape;
  ptrdiff_t head = shape->head, per_group = shape->heads / shape->groups, width = shape->heads * head, task;
  ptrdiff_t ld = shape->ld, steps = steps_of(head), block_pitch = steps_of(LEMMA_BLOCK) * PANEL;
  while ((task = lemma_pool_claim(a->pool)) < shape->documents * shape->groups) {
    ptrdiff_t document = task / shape->groups, group = task % shape->groups;
    ptrdiff_t start = shape->starts[document], length = shape->starts[document + 1] - start;
    ptrdiff_t across_pitch = steps_of(length) * PANEL;
    attention_scratch s = cut(lemma_pool_scratch(a->pool, worker), length, head);
    ptrdiff_t key = start * ld + width + group * head, value = key + shape->groups * head;
    const S *qkv = a->qkv;
    pack_along(head, length, qkv + key, ld, s.keys, steps * PANEL);
    pack_along(head, length, qkv + value, ld, s.values, steps * PANEL);
    pack_across(false, length, head, qkv + key, ld, s.keys_across, across_pitch);
    float *dv = a->dqkv + value, *dk = a->dqkv + key;
    for (ptrdiff_t i = 0; i < length; i++) {
      memset(dk + i * ld, 0, (size_t)head * sizeof(float));
      memset(dv + i * ld, 0, (size_t)head * sizeof(float));
    }
    for (ptrdiff_t h = 0; h < per_group; h++) {
      ptrdiff_t column = (group * per_group + h) * head;
      float *stats = a->stats + (start * shape->heads + group * per_group + h) * 2;
      const S *q = qkv + start * ld + column, *dout = (const S *)a->dout + start * width + column;
      const S *out = (const S *)a->out + start * width + column;
      for (ptrdiff_t from = 0; from < length; from += LEMMA_BLOCK) {
        ptrdiff_t to = from + LEMMA_BLOCK < length ? from + LEMMA_BLOCK : length, end = rounded(to, 16);
        for (ptrdiff_t i = from; i < to; i += TILE_ROWS) {
          ptrdiff_t last = i + TILE_ROWS < to ? i + TILE_ROWS : to;
          probabilities(shape, q, &s, from, i, last, end, stats, false);
          chains slopes = {NULL, 0, s.slopes + (i - from) * s.pitch, NULL, s.pitch};
          panels(last - i, last, steps, (const U *)(dout + i * width), width / STEP, s.values, steps * PANEL, slopes);
          tile_slopes(shape, &s, from, i, last, end, dout, out, stats);
          chains dq = {NULL, 0, a->dqkv + (start + i) * ld + column, NULL, ld};
          panels(last - i, head, steps_of(last), (const U *)(s.stored + (i - from) * s.pitch), s.pitch / STEP,
                 s.keys_across, across_pitch, dq);
        }
        ptrdiff_t rows = to - from;
        pack_across(true, rows, head, dout + from * width, width, s.slopes_across, block_pitch);
        pack_tiles(to, rows, s.shares, s.pitch, s.tiles);
        panels(to, head, steps_of(rows), s.tiles, 0, s.slopes_across, block_pitch, (chains){dv, ld, dv, NULL, ld});
        pack_across(true, rows, head, q + from * ld, ld, s.queries_across, block_pitch);
        pack_tiles(to, rows, s.stored, s.pitch, s.tiles);
        panels(to, head, steps_of(rows), s.tiles, 0, s.queries_across, block_pitch, (chains){dk, ld, dk, NULL, ld});
      }
    }
  }
}

// One slot of the cache: for each group, keys [steps of head, capacity] and then values [steps of capacity, head].
INLINE ptrdiff_t group_steps(const lemma_cached_attention *shape) {
  return steps_of(shape->head) * shape->capacity + steps_of(shape->capacity) * shape->head;
}

// Puts one number into its half of a step; its partner is zero until it comes.
INLINE void put(U *step, S x, ptrdiff_t at) {
  S *halves = (S *)step;
  halves[at % STEP] = x;
  if (STEP == 2 && at % STEP == 0) halves[STEP - 1] = 0;
}

static void cache_store(void *context, int worker, int count) {
  const lemma_cached_job *a = context;
  const lemma_cached_attention *shape = &a->shape;
  ptrdiff_t task, head = shape->head, capacity = shape->capacity;
  (void)worker, (void)count;
  // By group, so that rows that share a step do not meet.
  while ((task = lemma_pool_claim(a->pool)) < shape->groups) {
    for (ptrdiff_t r = 0; r < shape->rows; r++) {
      ptrdiff_t position = shape->positions[r];
      const S *k = (const S *)a->qkv + r * shape->ld + (shape->heads + task) * head, *v = k + shape->groups * head;
      U *keys = (U *)a->cache + (shape->slots[r] * shape->groups + task) * group_steps(shape);
      U *values = keys + steps_of(head) * capacity + position / STEP * head;
      for (ptrdiff_t i = 0; i < head; i++) {
        put(keys + i / STEP * capacity + position, k[i], i);
        put(values + i, v[i], position);
      }
    }
  }
}

// Sums of p[j] values[j, 16 features of each of `n` heads], j ascending: the chains of several heads side by side.
INLINE void weigh(const int n, const S *p, ptrdiff_t pitch, ptrdiff_t steps, const U *values, ptrdiff_t head,
                  ptrdiff_t feature, S *out) {
  V sum[4];
  UNROLL for (int h = 0; h < n; h++) sum[h] = splat(0);
  for (ptrdiff_t j = 0; j < steps; j++) {
    W value = load_some_steps(values + j * head + feature, head - feature);
    UNROLL for (int h = 0; h < n; h++) {
      sum[h] = accumulate(sum[h], splat_step(((const U *)(p + h * pitch))[j]), value);
    }
  }
  UNROLL for (int h = 0; h < n; h++) store_stored(out + h * head + feature, sum[h], head - feature);
}

static void attention_cached(void *context, int worker, int count) {
  (void)count;
  const lemma_cached_job *a = context;
  const lemma_cached_attention *shape = &a->shape;
  ptrdiff_t head = shape->head, capacity = shape->capacity, per_group = shape->heads / shape->groups, task;
  ptrdiff_t pitch = rounded(capacity, 16);
  float scale = score_scale2(head), *scores = (float *)lemma_pool_scratch(a->pool, worker);
  S *shares = (S *)(scores + pitch);
  while ((task = lemma_pool_claim(a->pool)) < shape->rows * shape->groups) {
    ptrdiff_t r = task / shape->groups, g = task % shape->groups, length = shape->positions[r] + 1;
    const U *q = (const U *)((const S *)a->qkv + r * shape->ld + g * per_group * head);
    const U *keys = (const U *)a->cache + (shape->slots[r] * shape->groups + g) * group_steps(shape);
    const U *values = keys + steps_of(head) * capacity;
    S *out = (S *)a->out + (r * shape->heads + g * per_group) * head;
    for (ptrdiff_t h = 0; h < per_group; h += 4) {
      ptrdiff_t heads = per_group - h < 4 ? per_group - h : 4;
      for (ptrdiff_t one = 0; one < heads; one++) {
        for (ptrdiff_t j = 0; j < length; j += 16) {
          V sum = splat(0);
          for (ptrdiff_t i = 0; i < steps_of(head); i++) {
            W key = load_some_steps(keys + i * capacity + j, capacity - j);
            sum = accumulate(sum, splat_step(q[(h + one) * head / STEP + i]), key);
          }
          store(scores + j, sum);
        }
        float sum = powers(scores, length, scale, greatest(scores, length) * scale);
        store_multiple(scores, length, steps_of(length) * STEP, 1.0f / sum, shares + one * pitch);
      }
      for (ptrdiff_t feature = 0; feature < head; feature += 16) {
        ptrdiff_t steps = steps_of(length);
        switch (heads) {
          case 1: weigh(1, shares, pitch, steps, values, head, feature, out + h * head); break;
          case 2: weigh(2, shares, pitch, steps, values, head, feature, out + h * head); break;
          case 3: weigh(3, shares, pitch, steps, values, head, feature, out + h * head); break;
          default: weigh(4, shares, pitch, steps, values, head, feature, out + h * head);
        }
      }
    }
  }
}
