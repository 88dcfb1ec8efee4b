// Causal grouped-query attention by document. A task is one document and one group of heads that share k and v;
// inside it, heads and blocks of queries go in order, so that sums over queries are one ascending chain.

// The worker's memory, cut into the pieces that a task needs.
typedef struct {
  float *keys, *values, *keys_by_row, *rows, *scores, *slopes;
  ptrdiff_t pitch;  // of scores and slopes
} attention_scratch;

INLINE ptrdiff_t rounded(ptrdiff_t n, ptrdiff_t unit) { return (n + unit - 1) / unit * unit; }

static attention_scratch cut(float *scratch, ptrdiff_t length, ptrdiff_t head) {
  attention_scratch s;
  ptrdiff_t by_key = rounded(length, PANEL) * head, by_feature = length * rounded(head, PANEL);
  s.pitch = rounded(length, 16);
  s.keys = scratch;
  s.values = s.keys + by_key;
  s.keys_by_row = s.values + (by_key > by_feature ? by_key : by_feature);
  s.rows = s.keys_by_row + by_feature;
  s.scores = s.rows + LEMMA_BLOCK * rounded(head, PANEL);
  s.slopes = s.scores + LEMMA_BLOCK * s.pitch;
  return s;
}

// 1 / sqrt(head), the scale of every score.
INLINE float score_scale(ptrdiff_t head) { return 1.0f / __builtin_sqrtf((float)head); }

// Scores of queries [from, to) against keys [0, to), masked, then p = exp(scale s - top) * inverse.
// With `fresh`, top and inverse are found and kept in stats; else they are read from there.
static void probabilities(const lemma_attention *shape, const float *q, const attention_scratch *s, ptrdiff_t from,
                          ptrdiff_t to, float *stats, bool fresh) {
  ptrdiff_t head = shape->head;
  float scale = score_scale(head);
  panels(to - from, to, head, q, shape->ld, 1, s->keys, head * PANEL, NULL, s->scores, s->pitch);
  for (ptrdiff_t i = from; i < to; i++) {
    float *x = s->scores + (i - from) * s->pitch, *stat = stats + i * shape->heads * 2;
    if (fresh) stat[0] = greatest(x, i + 1) * scale;
    float sum = exponentials(x, i + 1, scale, stat[0]);
    if (fresh) stat[1] = 1.0f / sum;
    multiply(x, i + 1, stat[1]);
    memset(x + i + 1, 0, (size_t)(s->pitch - i - 1) * sizeof(float));
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
    attention_scratch s = cut(lemma_pool_scratch(a->pool, worker), length, head);
    const float *q = a->qkv + start * shape->ld + group * per_group * head;
    const float *k = a->qkv + start * shape->ld + width + group * head, *v = k + shape->groups * head;
    pack_panels(head, length, k, 1, shape->ld, s.keys, head * PANEL);
    pack_panels(length, head, v, shape->ld, 1, s.values, length * PANEL);
    for (ptrdiff_t h = 0; h < per_group; h++) {
      float *stats = a->stats + (start * shape->heads + group * per_group + h) * 2;
      for (ptrdiff_t from = 0; from < length; from += LEMMA_BLOCK) {
        ptrdiff_t to = from + LEMMA_BLOCK < length ? from + LEMMA_BLOCK : length;
        probabilities(shape, q + h * head + from * shape->ld, &s, from, to, stats, true);
        float *out = a->out + (start + from) * width + (group * per_group + h) * head;
        panels(to - from, head, to, s.scores, s.pitch, 1, s.values, length * PANEL, NULL, out, width);
      }
    }
  }
}

// With P the probabilities: dV = P^T dO, dP = dO V^T, dS = P (dP - rowsum(dO O)) scale, dQ = dS K, dK = dS^T Q.
static void attention_backward(void *context, int worker, int count) {
  (void)count;
  const lemma_attention_job *a = context;
  const lemma_attention *shape = &a->shape;
  ptrdiff_t head = shape->head, per_group = shape->heads / shape->groups, width = shape->heads * head, task;
  ptrdiff_t ld = shape->ld, panel_of_rows = LEMMA_BLOCK * PANEL;
  float scale = score_scale(head);
  while ((task = lemma_pool_claim(a->pool)) < shape->documents * shape->groups) {
    ptrdiff_t document = task / shape->groups, group = task % shape->groups;
    ptrdiff_t start = shape->starts[document], length = shape->starts[document + 1] - start;
    attention_scratch s = cut(lemma_pool_scratch(a->pool, worker), length, head);
    ptrdiff_t key = start * ld + width + group * head, value = key + shape->groups * head;
    pack_panels(head, length, a->qkv + key, 1, ld, s.keys, head * PANEL);
    pack_panels(head, length, a->qkv + value, 1, ld, s.values, head * PANEL);
    pack_panels(length, head, a->qkv + key, ld, 1, s.keys_by_row, length * PANEL);
    for (ptrdiff_t i = 0; i < length; i++) {
      memset(a->dqkv + key + i * ld, 0, (size_t)head * sizeof(float));
      memset(a->dqkv + value + i * ld, 0, (size_t)head * sizeof(float));
    }
    for (ptrdiff_t h = 0; h < per_group; h++) {
      ptrdiff_t column = (group * per_group + h) * head;
      float *stats = a->stats + (start * shape->heads + group * per_group + h) * 2;
      for (ptrdiff_t from = 0; from < length; from += LEMMA_BLOCK) {
        ptrdiff_t to = from + LEMMA_BLOCK < length ? from + LEMMA_BLOCK : length, rows = to - from;
        const float *q = a->qkv + (start + from) * ld + column;
        const float *dout = a->dout + (start + from) * width + column;
        const float *out = a->out_in + (start + from) * width + column;
        probabilities(shape, q, &s, from, to, stats, false);
        pack_panels(rows, head, dout, width, 1, s.rows, panel_of_rows);
        float *dv = a->dqkv + value, *dk = a->dqkv + key;
        panels(to, head, rows, s.scores, 1, s.pitch, s.rows, panel_of_rows, dv, dv, ld);
        panels(rows, to, head, dout, width, 1, s.values, head * PANEL, NULL, s.slopes, s.pitch);
        for (ptrdiff_t i = 0; i < rows; i++) {
          V along = splat(dot16(dout + i * width, out + i * width, head));
          float *p = s.scores + i * s.pitch, *slope = s.slopes + i * s.pitch;
          for (ptrdiff_t j = 0; j < to; j += 16) {
            V x = load_some(p + j, to - j) * (load_some(slope + j, to - j) - along) * splat(scale);
            store_some(slope + j, x, to - j);
          }
        }
        panels(rows, head, to, s.slopes, s.pitch, 1, s.keys_by_row, length * PANEL, NULL,
               a->dqkv + (start + from) * ld + column, ld);
        pack_panels(rows, head, q, ld, 1, s.rows, panel_of_rows);
        panels(to, head, rows, s.slopes, 1, s.pitch, s.rows, panel_of_rows, dk, dk, ld);
      }
    }
  }
}

INLINE ptrdiff_t slot_size(const lemma_cached_attention *shape) {
  return 2 * shape->groups * shape->head * shape->capacity;
}

static void cache_store(void *context, int worker, int count) {
  const lemma_cached_job *a = context;
  const lemma_cached_attention *shape = &a->shape;
  ptrdiff_t from, to, head = shape->head, capacity = shape->capacity;
  lemma_share(shape->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const float *k = a->qkv + r * shape->ld + shape->heads * head, *v = k + shape->groups * head;
    for (ptrdiff_t g = 0; g < shape->groups; g++) {
      float *keys = a->cache + shape->slots[r] * slot_size(shape) + 2 * g * head * capacity;
      float *values = keys + head * capacity + shape->positions[r] * head;
      for (ptrdiff_t i = 0; i < head; i++) {
        keys[i * capacity + shape->positions[r]] = k[g * head + i];
        values[i] = v[g * head + i];
      }
    }
  }
}

// Sums of p[j] values[j, 16 features of each of `n` heads], j ascending: the chains of several heads side by side.
INLINE void weigh(const int n, const float *p, ptrdiff_t pitch, ptrdiff_t length, const float *values, ptrdiff_t head,
                  ptrdiff_t feature, float *out) {
  V sum[4];
  UNROLL for (int h = 0; h < n; h++) sum[h] = splat(0);
  for (ptrdiff_t j = 0; j < length; j++) {
    V value = load_some(values + j * head + feature, head - feature);
    UNROLL for (int h = 0; h < n; h++) sum[h] = fma16(splat(p[h * pitch + j]), value, sum[h]);
  }
  UNROLL for (int h = 0; h < n; h++) store_some(out + h * head + feature, sum[h], head - feature);
}

static void attention_cached(void *context, int worker, int count) {
  (void)count;
  const lemma_cached_job *a = context;
  const lemma_cached_attention *shape = &a->shape;
  ptrdiff_t head = shape->head, capacity = shape->capacity, per_group = shape->heads / shape->groups, task;
  ptrdiff_t pitch = rounded(capacity, 16);
  float scale = score_scale(head), *scores = lemma_pool_scratch(a->pool, worker);
  while ((task = lemma_pool_claim(a->pool)) < shape->rows * shape->groups) {
    ptrdiff_t r = task / shape->groups, g = task % shape->groups, length = shape->positions[r] + 1;
    const float *q = a->qkv + r * shape->ld + g * per_group * head;
    const float *keys = a->cache + shape->slots[r] * slot_size(shape) + 2 * g * head * capacity;
    const float *values = keys + head * capacity;
    float *out = a->out + (r * shape->heads + g * per_group) * head;
    for (ptrdiff_t h = 0; h < per_group; h += 4) {
      ptrdiff_t heads = per_group - h < 4 ? per_group - h : 4;
      for (ptrdiff_t one = 0; one < heads; one++) {
        float *x = scores + one * pitch;
        for (ptrdiff_t j = 0; j < length; j += 16) {
          V sum = splat(0);
          for (ptrdiff_t i = 0; i < head; i++) {
            sum = fma16(splat(q[(h + one) * head + i]), load_some(keys + i * capacity + j, capacity - j), sum);
          }
          store(x + j, sum);
        }
        float sum = exponentials(x, length, scale, greatest(x, length) * scale);
        multiply(x, length, 1.0f / sum);
      }
      for (ptrdiff_t feature = 0; feature < head; feature += 16) {
        switch (heads) {
          case 1: weigh(1, scores, pitch, length, values, head, feature, out + h * head); break;
          case 2: weigh(2, scores, pitch, length, values, head, feature, out + h * head); break;
          case 3: weigh(3, scores, pitch, length, values, head, feature, out + h * head); break;
          default: weigh(4, scores, pitch, length, values, head, feature, out + h * head);
        }
      }
    }
  }
}
