// Kernels that go row by row, and those that sum over rows: the latter share the columns, rows in order.

INLINE V mean_free(const float *x, ptrdiff_t left, V mean) {
  V v = load_some(x, left) - mean;
  // Lanes that do not exist count 0.
  return left >= 16 ? v : load_some((const float *)&v, left);
}

// y = normed * gain + bias, with normed = (x - mean) rstd as it is stored; no mean and no bias unless centred.
static void norm_forward(void *context, int worker, int count) {
  const lemma_norm_job *n = context;
  ptrdiff_t from, to, width = n->width;
  lemma_share(n->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const float *x = n->x + r * width;
    float mean = 0, variance;
    if (n->bias) {
      V sum = splat(0), squares = splat(0);
      for (ptrdiff_t i = 0; i < width; i += 16) sum += load_some(x + i, width - i);
      mean = sum16(sum) / (float)width;
      for (ptrdiff_t i = 0; i < width; i += 16) {
        V v = mean_free(x + i, width - i, splat(mean));
        squares = fma16(v, v, squares);
      }
      variance = sum16(squares) / (float)width;
    } else {
      variance = dot16(x, x, width) / (float)width;
    }
    float rstd = 1.0f / __builtin_sqrtf(variance + n->epsilon);
    n->rstd[r] = rstd;
    S *normed = (S *)n->normed + r * width, *y = (S *)n->y + r * width;
    for (ptrdiff_t i = 0; i < width; i += 16) {
      ptrdiff_t left = width - i;
      V v = load_some(x + i, left);
      if (n->bias) v -= splat(mean);
      v = as_stored(v * splat(rstd));
      if (n->normed) store_stored(normed + i, v, left);
      v *= load_some(n->gain + i, left);
      if (n->bias) v += load_some(n->bias + i, left);
      store_stored(y + i, v, left);
    }
  }
}

// y again, from what the forward pass kept.
static void norm_again(void *context, int worker, int count) {
  const lemma_norm_job *n = context;
  ptrdiff_t from, to, width = n->width;
  lemma_share(n->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const S *normed = (const S *)n->normed + r * width;
    S *y = (S *)n->y + r * width;
    for (ptrdiff_t i = 0; i < width; i += 16) {
      ptrdiff_t left = width - i;
      V v = load_stored(normed + i, left) * load_some(n->gain + i, left);
      if (n->bias) v += load_some(n->bias + i, left);
      store_stored(y + i, v, left);
    }
  }
}

// With g = gain dy: dx += rstd (g - mean(g) - normed mean(g normed)), without mean(g) unless centred;
// dgain += sum of dy normed, dbias += sum of dy. `stored` takes dx as an operand.
static void norm_backward(void *context, int worker, int count) {
  const lemma_norm_job *n = context;
  ptrdiff_t from, to, width = n->width;
  lemma_share(n->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const S *normed = (const S *)n->normed + r * width;
    const S *dy = (const S *)n->dy + r * width;
    float *dx = n->dx + r * width;
    V along = splat(0), sum = splat(0);
    for (ptrdiff_t i = 0; i < width; i += 16) {
      ptrdiff_t left = width - i;
      V push = load_some(n->gain + i, left) * load_stored(dy + i, left);
      along = fma16(push, load_stored(normed + i, left), along);
      if (n->bias) sum += push;
    }
    V pull = splat(sum16(along) / (float)width), mean = splat(n->bias ? sum16(sum) / (float)width : 0);
    V rstd = splat(n->rstd[r]);
    for (ptrdiff_t i = 0; i < width; i += 16) {
      ptrdiff_t left = width - i;
      V push = load_some(n->gain + i, left) * load_stored(dy + i, left);
      if (n->bias) push -= mean;
      V own = fma16(-load_stored(normed + i, left), pull, push);
      V v = fma16(own, rstd, load_some(dx + i, left));
      store_some(dx + i, v, left);
      if (n->stored) store_stored((S *)n->stored + r * width + i, v, left);
    }
  }
  lemma_share(width, 16, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += 64) {
    V gain[4], bias[4];
    ptrdiff_t left = to - i;
    UNROLL for (int v = 0; v < 4; v++) {
      gain[v] = load_some(n->dgain + i + 16 * v, left - 16 * v);
      bias[v] = n->bias ? load_some(n->dbias + i + 16 * v, left - 16 * v) : splat(0);
    }
    for (ptrdiff_t r = 0; r < n->rows; r++) {
      const S *normed = (const S *)n->normed + r * width + i;
      const S *dy = (const S *)n->dy + r * width + i;
      UNROLL for (int v = 0; v < 4; v++) {
        V slope = load_stored(dy + 16 * v, left - 16 * v);
        gain[v] = fma16(slope, load_stored(normed + 16 * v, left - 16 * v), gain[v]);
        if (n->bias) bias[v] += slope;
      }
    }
    UNROLL for (int v = 0; v < 4; v++) {
      store_some(n->dgain + i + 16 * v, gain[v], left - 16 * v);
      if (n->bias) store_some(n->dbias + i + 16 * v, bias[v], left - 16 * v);
    }
  }
}

// Element i and those beyond of a row of x, in whichever form it is given.
INLINE V load_row(const lemma_rope_job *p, ptrdiff_t row, ptrdiff_t i, ptrdiff_t left) {
  if (p->wide) return load_some(p->wide + row * p->ld + i, left);
  return load_stored((const S *)p->stored + row * p->ld + i, left);
}

// Turns pairs of the first heads, stores the rest of the row as it is.
static void rope(void *context, int worker, int count) {
  const lemma_rope_job *p = context;
  ptrdiff_t from, to, half = p->head / 2, turned = p->heads * p->head;
  lemma_share(p->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    S *out = (S *)p->y + r * p->ld;
    const float *cosine = p->cosines + p->positions[r] * half, *sine = p->sines + p->positions[r] * half;
    for (ptrdiff_t first = 0; first < turned; first += p->head) {
      for (ptrdiff_t i = 0; i < half; i += 16) {
        ptrdiff_t left = half - i;
        V a = load_row(p, r, first + i, left), b = load_row(p, r, first + half + i, left);
        V c = load_some(cosine + i, left), s = load_some(sine + i, left) * splat(p->sign);
        store_stored(out + first + i, fma16(a, c, -(b * s)), left);
        store_stored(out + first + half + i, fma16(b, c, a * s), left);
      }
    }
    if ((const void *)p->y == p->stored) continue;
    for (ptrdiff_t i = turned; i < p->ld; i += 16) store_stored(out + i, load_row(p, r, i, p->ld - i), p->ld - i);
  }
}

INLINE V sigmoid16(V x) { return splat(1.0f) / (splat(1.0f) + exp16(-x)); }

static void swiglu_forward(void *context, int worker, int count) {
  const lemma_gate_job *s = context;
  ptrdiff_t from, to, width = s->width;
  lemma_share(s->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const S *gate = (const S *)s->x + 2 * r * width, *up = gate + width;
    for (ptrdiff_t i = 0; i < width; i += 16) {
      ptrdiff_t left = width - i;
      V g = load_stored(gate + i, left), u = load_stored(up + i, left);
      store_stored((S *)s->y + r * width + i, g * sigmoid16(g) * u, left);
    }
  }
}

// y = g s(g) u: dg = dy u s (1 + g (1 - s)), du = dy g s. y is made again.
static void swiglu_backward(void *context, int worker, int count) {
  const lemma_gate_job *s = context;
  ptrdiff_t from, to, width = s->width;
  lemma_share(s->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const S *gate = (const S *)s->x + 2 * r * width, *up = gate + width, *dy = (const S *)s->dy + r * width;
    S *slope = (S *)s->dx + 2 * r * width, *y = (S *)s->y + r * width;
    for (ptrdiff_t i = 0; i < width; i += 16) {
      ptrdiff_t left = width - i;
      V d = load_stored(dy + i, left), g = load_stored(gate + i, left), u = load_stored(up + i, left);
      V sigmoid = sigmoid16(g), one = splat(1.0f), act = g * sigmoid;
      store_stored(y + i, act * u, left);
      store_stored(slope + i, d * u * sigmoid * fma16(g, one - sigmoid, one), left);
      store_stored(slope + width + i, d * act, left);
    }
  }
}

// GELU by tanh (Hendrycks and Gimpel, 2016): x s(2 z), z = sqrt(2/pi) (x + 0.044715 x^3), s the sigmoid.
INLINE V gelu_argument(V x) {
  const V twice = splat(1.5957691216057308f);  // 2 sqrt(2/pi)
  return twice * x * fma16(splat(0.044715f) * x, x, splat(1.0f));
}

static void gelu_forward(void *context, int worker, int count) {
  const lemma_gate_job *s = context;
  ptrdiff_t from, to;
  lemma_share(s->rows * s->width, 16, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += 16) {
    V x = load_stored((const S *)s->x + i, to - i);
    store_stored((S *)s->y + i, x * sigmoid16(gelu_argument(x)), to - i);
  }
}

// dy/dx = s + x s (1 - s) 2 z'(x), 2 z' = 2 sqrt(2/pi) (1 + 3 0.044715 x^2). y is made again.
static void gelu_backward(void *context, int worker, int count) {
  const lemma_gate_job *s = context;
  ptrdiff_t from, to;
  lemma_share(s->rows * s->width, 16, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += 16) {
    ptrdiff_t left = to - i;
    V x = load_stored((const S *)s->x + i, left), dy = load_stored((const S *)s->dy + i, left), one = splat(1.0f);
    V sigmoid = sigmoid16(gelu_argument(x)), y = x * sigmoid;
    V slope = splat(1.5957691216057308f) * fma16(splat(0.134145f) * x, x, one);
    store_stored((S *)s->y + i, y, left);
    store_stored((S *)s->dx + i, dy * fma16(y * (one - sigmoid), slope, sigmoid), left);
  }
}

static void gather(void *context, int worker, int count) {
  const lemma_rows_job *g = context;
  ptrdiff_t from, to;
  lemma_share(g->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const char *in = (const char *)g->in + (size_t)g->index[r] * (size_t)g->width;
    memcpy((char *)g->out + (size_t)r * (size_t)g->width, in, (size_t)g->width);
  }
}

static void scatter(void *context, int worker, int count) {
  const lemma_rows_job *g = context;
  ptrdiff_t from, to;
  lemma_share(g->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    char *out = (char *)g->out + (size_t)g->index[r] * (size_t)g->width;
    memcpy(out, (const char *)g->in + (size_t)r * (size_t)g->width, (size_t)g->width);
  }
}

static void gather_add(void *context, int worker, int count) {
  const lemma_rows_job *g = context;
  ptrdiff_t from, to, width = g->width;
  lemma_share(g->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const float *in = (const float *)g->in + g->index[r] * width;
    float *out = (float *)g->out + r * width;
    for (ptrdiff_t i = 0; i < width; i += 16) {
      store_some(out + i, load_some(out + i, width - i) + load_some(in + i, width - i), width - i);
    }
  }
}

static void scatter_add(void *context, int worker, int count) {
  const lemma_rows_job *g = context;
  ptrdiff_t from, to;
  lemma_share(g->width, 16, worker, count, &from, &to);
  for (ptrdiff_t r = 0; r < g->rows; r++) {
    const float *in = (const float *)g->in + r * g->width;
    float *out = (float *)g->out + g->index[r] * g->width;
    for (ptrdiff_t i = from; i < to; i += 16) {
      store_some(out + i, load_some(out + i, to - i) + load_some(in + i, to - i), to - i);
    }
  }
}

// out += the sum of the rows, in order.
static void sum_rows(void *context, int worker, int count) {
  const lemma_rows_job *g = context;
  ptrdiff_t from, to;
  lemma_share(g->width, 16, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += 16) {
    const S *in = (const S *)g->in + i;
    V sum = load_some((float *)g->out + i, to - i);
    for (ptrdiff_t r = 0; r < g->rows; r++) sum += load_stored(in + r * g->width, to - i);
    store_some((float *)g->out + i, sum, to - i);
  }
}

// The greatest of n numbers; order does not matter to a maximum.
INLINE float greatest(const float *x, ptrdiff_t n) {
  V top = splat(x[0]);
  ptrdiff_t i = 0;
  for (; i + 16 <= n; i += 16) top = max16(load(x + i), top);
  float best = top16(top);
  for (; i < n; i++) best = x[i] > best ? x[i] : best;
  return best;
}

// x[i] = exp(x[i] - top) for n elements; the sum by lanes. Lanes beyond n count 0.
INLINE float exponentials(float *x, ptrdiff_t n, float top) {
  V sum = splat(0);
  ptrdiff_t i = 0;
  for (; i + 16 <= n; i += 16) {
    V e = exp16(load(x + i) - splat(top));
    store(x + i, e);
    sum += e;
  }
  if (i < n) {
    V e = exp16(load_some(x + i, n - i) - splat(top));
    store_some(x + i, e, n - i);
    sum += load_some(x + i, n - i);
  }
  return sum16(sum);
}

// out[i] = x[i] * factor as an operand, and zeros from n to `end`. `out` may begin where x does.
INLINE void store_multiple(const float *x, ptrdiff_t n, ptrdiff_t end, float factor, S *out) {
  ptrdiff_t i = 0;
  for (; i < n; i += 16) store_stored(out + i, load_some(x + i, n - i) * splat(factor), end - i);
  for (; i < end; i += 16) store_stored(out + i, splat(0), end - i);
}

// With smoothing e over K classes: loss = (1 - e) (-log p[t]) + e mean(-log p), gradient p - (1 - e) [t] - e / K.
static void cross_entropy(void *context, int worker, int count) {
  const lemma_logits_job *l = context;
  ptrdiff_t from, to, n = l->classes;
  const float spread = l->smoothing / (float)n, kept = 1.0f - l->smoothing;
  lemma_share(l->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    float *x = l->logits + r * l->ld;
    S *slope = (S *)x;
    int32_t target = l->targets[r];
    if (target < 0) {
      l->losses[r] = 0;
      if (l->scale != 0) memset(slope, 0, (size_t)l->ld * sizeof(S));
      continue;
    }
    float top = greatest(x, n), chosen = x[target], total = 0;
    if (l->smoothing != 0) {
      V sum = splat(0);
      for (ptrdiff_t i = 0; i < n; i += 16) sum += load_some(x + i, n - i);
      total = sum16(sum);
    }
    float sum = exponentials(x, n, top);
    double partition = lemma_log((double)sum) + (double)top;
    double aim = l->smoothing != 0 ? (double)kept * (double)chosen + (double)spread * (double)total : (double)chosen;
    l->losses[r] = sum == sum ? partition - aim : (double)sum;
    if (l->scale == 0) continue;
    float inverse = 1.0f / sum, likelihood = x[target] * inverse;
    if (l->smoothing != 0) {
      V factor = splat(inverse), less = splat(-spread), scale = splat(l->scale);
      ptrdiff_t i = 0;
      for (; i < n; i += 16) {
        V v = fma16(load_some(x + i, n - i), factor, less) * scale;
        store_stored(slope + i, v, n - i);
      }
      for (i = n; i < l->ld; i++) slope[i] = 0;
    } else {
      store_multiple(x, n, l->ld, inverse * l->scale, slope);
    }
    V own = splat((likelihood - kept - spread) * l->scale);
    store_stored(slope + target, own, 1);
  }
}

static void argmax(void *context, int worker, int count) {
  const lemma_logits_job *l = context;
  ptrdiff_t from, to;
  lemma_share(l->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const float *x = l->logits + r * l->ld;
    int32_t best = 0;
    bool valid = true;
    for (ptrdiff_t i = 0; i < l->classes; i++) {
      valid &= x[i] == x[i];
      if (x[i] > x[best]) best = (int32_t)i;
    }
    l->best[r] = valid ? best : -1;
  }
}

static void store_many(void *context, int worker, int count) {
  const lemma_convert_job *f = context;
  ptrdiff_t from, to;
  lemma_share(f->count, 16, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += 16) store_stored((S *)f->out + i, load_some((const float *)f->in + i, to - i), to - i);
}

static void load_many(void *context, int worker, int count) {
  const lemma_convert_job *f = context;
  ptrdiff_t from, to;
  lemma_share(f->count, 16, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += 16) store_some((float *)f->out + i, load_stored((const S *)f->in + i, to - i), to - i);
}
