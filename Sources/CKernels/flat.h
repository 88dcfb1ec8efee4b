// Kernels over plain runs of numbers: the optimiser, dropout, and small ones for tests.

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

typedef uint64_t WW __attribute__((ext_vector_type(16)));

// Philox4x32-10 of 16 counters at once.
INLINE void philox16(W c[4], uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; round++) {
    WW first = __builtin_convertvector(c[0], WW) * 0xD2511F53u, second = __builtin_convertvector(c[2], WW) * 0xCD9E8D57u;
    W high1 = __builtin_convertvector(first >> 32, W), low1 = __builtin_convertvector(first, W);
    W high2 = __builtin_convertvector(second >> 32, W), low2 = __builtin_convertvector(second, W);
    c[0] = high2 ^ c[1] ^ k0;
    c[1] = low2;
    c[2] = high1 ^ c[3] ^ k1;
    c[3] = low1;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

// Column c of row r is kept by word c / 16 % 4 of the counter (c / 64 * 16 + c % 16, r, site, step).
static void dropout(void *context, int worker, int count) {
  const lemma_dropout_job *d = context;
  const lemma_dropout *rule = &d->rule;
  const W lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const uint32_t threshold = (uint32_t)((double)rule->share * 4294967296.0);
  const V factor = splat(1.0f / (1.0f - rule->share));
  ptrdiff_t from, to, width = d->width;
  lemma_share(d->rows, 1, worker, count, &from, &to);
  for (ptrdiff_t r = from; r < to; r++) {
    for (ptrdiff_t i = 0; i < width; i += 64) {
      W words[4] = {lanes + (uint32_t)(i / 4), (W)((uint32_t)(rule->row + r)), (W)(rule->site), (W)(rule->step)};
      if (threshold) philox16(words, (uint32_t)rule->seed, (uint32_t)(rule->seed >> 32));
      for (int v = 0; v < 4 && i + 16 * v < width; v++) {
        ptrdiff_t at = r * width + i + 16 * v, left = width - i - 16 * v;
        V x = (d->x ? load_some(d->x + at, left) : load_stored((const S *)d->operands + at, left)) * factor;
        x = words[v] >= (W)(threshold) ? x : splat(0);
        if (d->sum) store_some(d->sum + at, load_some(d->sum + at, left) + x, left);
        if (d->y) store_some(d->y + at, x, left);
        if (d->stored) store_stored((S *)d->stored + at, x, left);
      }
    }
  }
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
    ptrdiff_t left = to - i;
    store_some(f->y + i, fma16(load_some(f->x + i, left), load_some(f->b + i, left), load_some(f->c + i, left)), left);
  }
}
