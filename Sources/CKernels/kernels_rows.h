// Kernels that go row by row, and those that sum over rows: the latter share the columns, rows in order.

static void rmsnorm_forward(void *context, int worker, int count) {
  const lemma_norm_job *n = context;
  ptrdiff_t from, to, width = n->width;
  lemma_share(n->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const float *x = n->x + r * width;
    float mean = dot16(x, x, width) / (float)width;
    float rstd = 1.0f / __builtin_sqrtf(mean + n->epsilon);
    n->rstd[r] = rstd;
    for (ptrdiff_t i = 0; i < width; i += 16) {
      V y = load_some(x + i, width - i) * splat(rstd) * load_some(n->gain + i, width - i);
      store_some(n->y + r * width + i, y, width - i);
    }
  }
}

// dx = rstd * (g dy - x rstd^2 mean(g dy x)); dg = sum of dy x rstd.
static void rmsnorm_backward(void *context, int worker, int count) {
  const lemma_norm_job *n = context;
  ptrdiff_t from, to, width = n->width;
  lemma_share(n->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const float *x = n->x + r * width, *dy = n->dy + r * width;
    float *dx = n->dx + r * width, rstd = n->rstd_in[r];
    V sum = splat(0);
    for (ptrdiff_t i = 0; i < width; i += 16) {
      ptrdiff_t left = width - i;
      sum = fma16(load_some(n->gain + i, left) * load_some(dy + i, left), load_some(x + i, left), sum);
    }
    V pull = splat(sum16(sum) / (float)width * rstd * rstd * rstd);
    for (ptrdiff_t i = 0; i < width; i += 16) {
      ptrdiff_t left = width - i;
      V push = load_some(n->gain + i, left) * load_some(dy + i, left);
      V own = fma16(push, splat(rstd), -(load_some(x + i, left) * pull));
      store_some(dx + i, load_some(dx + i, left) + own, left);
    }
  }
  lemma_share(width, 16, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += 64) {
    V sum[4];
    ptrdiff_t left = to - i;
    UNROLL for (int v = 0; v < 4; v++) sum[v] = load_some(n->dgain + i + 16 * v, left - 16 * v);
    for (ptrdiff_t r = 0; r < n->rows; r++) {
      const float *x = n->x + r * width + i, *dy = n->dy + r * width + i;
      V rstd = splat(n->rstd_in[r]);
      UNROLL for (int v = 0; v < 4; v++) {
        V scaled = load_some(x + 16 * v, left - 16 * v) * rstd;
        sum[v] = fma16(load_some(dy + 16 * v, left - 16 * v), scaled, sum[v]);
      }
    }
    UNROLL for (int v = 0; v < 4; v++) store_some(n->dgain + i + 16 * v, sum[v], left - 16 * v);
  }
}

static void rope(void *context, int worker, int count) {
  const lemma_rope_job *p = context;
  ptrdiff_t from, to, half = p->head / 2;
  lemma_share(p->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const float *cosine = p->cosines + p->positions[r] * half, *sine = p->sines + p->positions[r] * half;
    for (ptrdiff_t h = 0; h < p->heads; h++) {
      float *first = p->x + r * p->ld + h * p->head, *second = first + half;
      for (ptrdiff_t i = 0; i < half; i += 16) {
        ptrdiff_t left = half - i;
        V a = load_some(first + i, left), b = load_some(second + i, left);
        V c = load_some(cosine + i, left), s = load_some(sine + i, left) * splat(p->sign);
        store_some(first + i, fma16(a, c, -(b * s)), left);
        store_some(second + i, fma16(b, c, a * s), left);
      }
    }
  }
}

INLINE V sigmoid16(V x) { return splat(1.0f) / (splat(1.0f) + exp16(-x)); }

static void swiglu_forward(void *context, int worker, int count) {
  const lemma_rows_job *s = context;
  ptrdiff_t from, to, width = s->width;
  lemma_share(s->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const float *gate = s->in + 2 * r * width, *up = gate + width;
    for (ptrdiff_t i = 0; i < width; i += 16) {
      V g = load_some(gate + i, width - i), u = load_some(up + i, width - i);
      store_some(s->out + r * width + i, g * sigmoid16(g) * u, width - i);
    }
  }
}

// y = g s(g) u: dg = dy u s (1 + g (1 - s)), du = dy g s.
static void swiglu_backward(void *context, int worker, int count) {
  const lemma_rows_job *s = context;
  ptrdiff_t from, to, width = s->width;
  lemma_share(s->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    float *gate = s->out + 2 * r * width, *up = gate + width;
    for (ptrdiff_t i = 0; i < width; i += 16) {
      ptrdiff_t left = width - i;
      V dy = load_some(s->in + r * width + i, left), g = load_some(gate + i, left), u = load_some(up + i, left);
      V sigmoid = sigmoid16(g), one = splat(1.0f);
      store_some(gate + i, dy * u * sigmoid * fma16(g, one - sigmoid, one), left);
      store_some(up + i, dy * g * sigmoid, left);
    }
  }
}

static void gather(void *context, int worker, int count) {
  const lemma_rows_job *g = context;
  ptrdiff_t from, to;
  lemma_share(g->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    memcpy(g->out + r * g->width, g->in + g->index[r] * g->width, (size_t)g->width * sizeof(float));
  }
}

static void scatter_add(void *context, int worker, int count) {
  const lemma_rows_job *g = context;
  ptrdiff_t from, to;
  lemma_share(g->width, 16, worker, count, &from, &to);
  for (ptrdiff_t r = 0; r < g->rows; r++) {
    const float *in = g->in + r * g->width;
    float *out = g->out + g->index[r] * g->width;
    for (ptrdiff_t i = from; i < to; i += 16) {
      store_some(out + i, load_some(out + i, to - i) + load_some(in + i, to - i), to - i);
    }
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

// x[i] = exp(scale x[i] - top) for n elements; the sum by lanes. Lanes beyond n count 0.
INLINE float exponentials(float *x, ptrdiff_t n, float scale, float top) {
  V sum = splat(0);
  ptrdiff_t i = 0;
  for (; i + 16 <= n; i += 16) {
    V e = exp16(load(x + i) * splat(scale) - splat(top));
    store(x + i, e);
    sum += e;
  }
  if (i < n) {
    V e = exp16(load_some(x + i, n - i) * splat(scale) - splat(top));
    store_some(x + i, e, n - i);
    sum += load_some(x + i, n - i);
  }
  return sum16(sum);
}

INLINE void multiply(float *x, ptrdiff_t n, float factor) {
  for (ptrdiff_t i = 0; i < n; i += 16) store_some(x + i, load_some(x + i, n - i) * splat(factor), n - i);
}

static void cross_entropy(void *context, int worker, int count) {
  const lemma_logits_job *l = context;
  ptrdiff_t from, to, n = l->classes;
  lemma_share(l->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    float *x = l->logits + r * n;
    int32_t target = l->targets[r];
    if (target < 0) {
      l->losses[r] = 0;
      if (l->scale != 0) memset(x, 0, (size_t)n * sizeof(float));
      continue;
    }
    float top = greatest(x, n), chosen = x[target];
    float sum = exponentials(x, n, 1.0f, top);
    l->losses[r] = sum == sum ? lemma_log((double)sum) + (double)top - (double)chosen : (double)sum;
    if (l->scale == 0) continue;
    float inverse = 1.0f / sum, likelihood = x[target] * inverse;
    multiply(x, n, inverse * l->scale);
    x[target] = (likelihood - 1.0f) * l->scale;
  }
}

static void argmax(void *context, int worker, int count) {
  const lemma_logits_job *l = context;
  ptrdiff_t from, to;
  lemma_share(l->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    const float *x = l->logits + r * l->classes;
    int32_t best = 0;
    bool valid = true;
    for (ptrdiff_t i = 0; i < l->classes; i++) {
      valid &= x[i] == x[i];
      if (x[i] > x[best]) best = (int32_t)i;
    }
    l->best[r] = valid ? best : -1;
  }
}

static void squared_norm(void *context, int worker, int count) {
  const lemma_flat_job *f = context;
  ptrdiff_t from, to;
  lemma_share(f->count, LEMMA_CHUNK, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += LEMMA_CHUNK) {
    ptrdiff_t n = to - i < LEMMA_CHUNK ? to - i : LEMMA_CHUNK;
    f->partial[i / LEMMA_CHUNK] = (double)dot16(f->x + i, f->x + i, n);
  }
}

static void adamw(void *context, int worker, int count) {
  const lemma_flat_job *f = context;
  const lemma_adamw a = f->rule;
  ptrdiff_t from, to;
  lemma_share(f->count, 16, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += 16) {
    ptrdiff_t left = to - i;
    V g = load_some(f->x + i, left) * splat(a.gradient_scale);
    V m = fma16(splat(a.beta1), load_some(f->first + i, left), splat(1.0f - a.beta1) * g);
    V v = fma16(splat(a.beta2), load_some(f->second + i, left), splat(1.0f - a.beta2) * g * g);
    V w = load_some(f->y + i, left);
    V step = m * splat(a.correction1) / (sqrt16(v * splat(a.correction2)) + splat(a.epsilon));
    store_some(f->first + i, m, left);
    store_some(f->second + i, v, left);
    store_some(f->y + i, fma16(splat(-a.rate), fma16(splat(a.decay), w, step), w), left);
  }
}

static void zero(void *context, int worker, int count) {
  const lemma_flat_job *f = context;
  ptrdiff_t from, to;
  lemma_share(f->count, 1024, worker, count, &from, &to);
  memset(f->y + from, 0, (size_t)(to - from) * sizeof(float));
}

static void exp_many(void *context, int worker, int count) {
  const lemma_flat_job *f = context;
  ptrdiff_t from, to;
  lemma_share(f->count, 16, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += 16) store_some(f->y + i, exp16(load_some(f->x + i, to - i)), to - i);
}

static void fma_many(void *context, int worker, int count) {
  const lemma_flat_job *f = context;
  ptrdiff_t from, to;
  lemma_share(f->count, 16, worker, count, &from, &to);
  for (ptrdiff_t i = from; i < to; i += 16) {
    V sum = fma16(load_some(f->x + i, to - i), load_some(f->b + i, to - i), load_some(f->c + i, to - i));
    store_some(f->y + i, sum, to - i);
  }
}
