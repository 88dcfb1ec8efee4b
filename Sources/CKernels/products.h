// Matrix products: tiles of TILE_ROWS x (16 * TILE_VECTORS) in registers over packed panels of B.
// How the work is blocked or shared never shows in the bits: each element is one chain of steps along k.

#define PANEL (16 * TILE_VECTORS)

// Where chains begin and end: they start at c0, whose rows are ld0 apart, or at 0 where it is NULL, and go to c, or
// as operands to `stored` where that is not NULL.
typedef struct {
  const float *c0;
  ptrdiff_t ld0;
  float *c;
  S *stored;
  ptrdiff_t ldc;  // of either
} chains;

// The chains of the element (i, j) and those beyond.
INLINE chains beyond(const chains *to, ptrdiff_t i, ptrdiff_t j) {
  chains part = *to;
  if (to->c0) part.c0 += i * to->ld0 + j;
  if (to->c) part.c += i * to->ldc + j;
  if (to->stored) part.stored += i * to->ldc + j;
  return part;
}

// One tile of `h` rows. A's step (i, p) is a[i * stride + p] when `rows_of_a`, else a[p * stride + i].
INLINE void tile(const int h, const bool rows_of_a, const U *a, ptrdiff_t stride, const U *b, ptrdiff_t steps,
                 const chains *to, ptrdiff_t columns) {
  const float *c0 = to->c0;
  const ptrdiff_t ld0 = to->ld0, ldc = to->ldc;
  V sum[TILE_ROWS][TILE_VECTORS];
  const bool full = columns >= PANEL;
  UNROLL for (int i = 0; i < h; i++) {
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
      if (!c0)
        sum[i][v] = splat(0);
      else
        sum[i][v] = full ? load(c0 + i * ld0 + 16 * v) : load_some(c0 + i * ld0 + 16 * v, columns - 16 * v);
    }
  }
  for (ptrdiff_t p = 0; p < steps; p++) {
    W column[TILE_VECTORS];
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) column[v] = load_steps(b + p * PANEL + 16 * v);
    UNROLL for (int i = 0; i < h; i++) {
      W x = splat_step(rows_of_a ? a[i * stride + p] : a[p * stride + i]);
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) sum[i][v] = accumulate(sum[i][v], x, column[v]);
    }
  }
  if (to->stored) {
    UNROLL for (int i = 0; i < h; i++) {
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
        store_stored(to->stored + i * ldc + 16 * v, sum[i][v], columns - 16 * v);
      }
    }
    return;
  }
  UNROLL for (int i = 0; i < h; i++) {
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) store_some(to->c + i * ldc + 16 * v, sum[i][v], columns - 16 * v);
  }
}

#define HEIGHT(h)                                                                                   \
  case h:                                                                                           \
    if (h <= TILE_ROWS) tile(h <= TILE_ROWS ? h : 1, rows_of_a, a, stride, b, steps, to, columns); \
    return;

INLINE void tile_of_height(ptrdiff_t height, const bool rows_of_a, const U *a, ptrdiff_t stride, const U *b,
                           ptrdiff_t steps, const chains *to, ptrdiff_t columns) {
  switch (height) {
    HEIGHT(1) HEIGHT(2) HEIGHT(3) HEIGHT(4) HEIGHT(5) HEIGHT(6) HEIGHT(7)
    HEIGHT(8) HEIGHT(9) HEIGHT(10) HEIGHT(11) HEIGHT(12) HEIGHT(13) HEIGHT(14)
  }
}

static __attribute__((noinline)) void tile_by_rows(ptrdiff_t height, const U *a, ptrdiff_t stride, const U *b,
                                                   ptrdiff_t steps, const chains *to, ptrdiff_t columns) {
  tile_of_height(height, true, a, stride, b, steps, to, columns);
}

static __attribute__((noinline)) void tile_by_columns(ptrdiff_t height, const U *a, ptrdiff_t stride, const U *b,
                                                      ptrdiff_t steps, const chains *to, ptrdiff_t columns) {
  tile_of_height(height, false, a, stride, b, steps, to, columns);
}

// Rows are spread evenly over tiles: the first tiles have one row less than the last where they do not all fit.
typedef struct {
  ptrdiff_t count, height, lower;  // tiles, rows of the lower ones, and how many of them there are
} tiling;
INLINE tiling tiles_of(ptrdiff_t rows) {
  ptrdiff_t count = (rows + TILE_ROWS - 1) / TILE_ROWS;
  return count ? (tiling){count, rows / count, count - rows % count} : (tiling){0, 0, 0};
}
INLINE ptrdiff_t height_of(tiling t, ptrdiff_t tile) { return t.height + (tile >= t.lower); }

// Chains of [rows, columns] over panels `panel_pitch` steps apart. A lies by rows `a_row` steps apart, or, where
// a_row is 0, as packed tiles.
static void panels(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t steps, const U *a, ptrdiff_t a_row, const U *b,
                   ptrdiff_t panel_pitch, chains to) {
  const tiling tiling = tiles_of(rows);
  for (ptrdiff_t j = 0; j < columns; j += PANEL, b += panel_pitch) {
    for (ptrdiff_t t = 0, i = 0; t < tiling.count; t++) {
      ptrdiff_t height = height_of(tiling, t);
      chains part = beyond(&to, i, j);
      if (a_row)
        tile_by_rows(height, a + i * a_row, a_row, b, steps, &part, columns - j);
      else
        tile_by_columns(height, a + i * steps, height, b, steps, &part, columns - j);
      i += height;
    }
  }
}

// Copies stored rows into an order that a row of steps is read from without many of them falling into one set of
// the cache.
static void copy_rows(ptrdiff_t rows, ptrdiff_t steps, const U *a, ptrdiff_t a_row, U *out, ptrdiff_t pitch) {
  for (ptrdiff_t i = 0; i < rows; i++) memcpy(out + i * pitch, a + i * a_row, (size_t)steps * sizeof(U));
}

// Rows of k that are packed at a time: their lines stay in the L1 cache till all tiles or panels have had their part.
#define PACKED_ROWS 64

// Packs A that lies by columns, k = its rows, into tiles, each [steps, its height], as `panels` walks them.
static void pack_tiles(ptrdiff_t rows, ptrdiff_t k, const S *a, ptrdiff_t a_column, U *out) {
  const tiling tiling = tiles_of(rows);
  const ptrdiff_t steps = steps_of(k);
  for (ptrdiff_t first = 0; first < steps; first += PACKED_ROWS / STEP) {
    ptrdiff_t last = first + PACKED_ROWS / STEP < steps ? first + PACKED_ROWS / STEP : steps;
    for (ptrdiff_t t = 0, i = 0; t < tiling.count; t++) {
      ptrdiff_t height = height_of(tiling, t), width = rows - i < 16 ? rows - i : 16;
      U *to = out + i * steps;
      for (ptrdiff_t p = first; p < last; p++) {
        // Whole vectors are read and written where there is room; what is too much is written over.
        W w = steps_across(false, true, a + p * STEP * a_column + i, a_column, k - p * STEP, width, 0);
        if (p * height + 16 <= steps * height)
          store_steps(to + p * height, w);
        else
          store_some_steps(to + p * height, w, height);
      }
      i += height;
    }
  }
}

// One panel, out[step, 0 ..< PANEL], of B whose columns lie along k, `pitch` elements apart; zeros beyond `columns`.
INLINE void pack_panel_along(const bool wide, ptrdiff_t k, ptrdiff_t columns, const void *b, ptrdiff_t pitch, U *out) {
  const ptrdiff_t size = wide ? sizeof(float) : sizeof(S);
  for (int v = 0; v < TILE_VECTORS; v++) {
    ptrdiff_t width = columns - 16 * v < 16 ? columns - 16 * v : 16;
    for (ptrdiff_t p = 0; p < k; p += 16 * STEP) {
      W block[16];
      UNROLL for (int j = 0; j < 16; j++) {
        const char *from = (const char *)b + ((16 * v + j) * pitch + p) * size;
        block[j] = j < width ? steps_along(wide, from, k - p) : (W)(0);
      }
      transpose16(block);
      U *to = out + p / STEP * PANEL + 16 * v;
      ptrdiff_t depth = steps_of(k - p);
      UNROLL for (int i = 0; i < 16; i++) {
        if (i < depth) store_steps(to + i * PANEL, block[i]);
      }
    }
  }
}

// One panel of B whose rows, `pitch` elements apart, follow k.
INLINE void pack_panel_across(const bool wide, const bool ascending, ptrdiff_t k, ptrdiff_t columns, const void *b,
                              ptrdiff_t pitch, U *out) {
  const ptrdiff_t size = wide ? sizeof(float) : sizeof(S);
  for (ptrdiff_t p = 0; p < steps_of(k); p++) {
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
      const char *from = (const char *)b + (p * STEP * pitch + 16 * v) * size;
      store_steps(out + p * PANEL + 16 * v,
                  steps_across(wide, ascending, from, pitch, k - p * STEP, columns - 16 * v, LONE));
    }
  }
}

// Panels of stored B for products within attention.
static void pack_along(ptrdiff_t k, ptrdiff_t columns, const S *b, ptrdiff_t pitch, U *out, ptrdiff_t panel_pitch) {
  for (ptrdiff_t j = 0; j < columns; j += PANEL, out += panel_pitch) {
    pack_panel_along(false, k, columns - j, b + j * pitch, pitch, out);
  }
}
static void pack_across(const bool ascending, ptrdiff_t k, ptrdiff_t columns, const S *b, ptrdiff_t pitch, U *out,
                        ptrdiff_t panel_pitch) {
  for (ptrdiff_t j = 0; j < columns; j += PANEL, out += panel_pitch) {
    if (ascending)
      pack_panel_across(false, true, k, columns - j, b + j, pitch, out);
    else
      pack_panel_across(false, false, k, columns - j, b + j, pitch, out);
  }
}

// Panels of B(k, columns) from element (p, j) of the product's operand.
static void pack_operand(const lemma_product_job *g, ptrdiff_t p, ptrdiff_t k, ptrdiff_t j, ptrdiff_t columns, U *out,
                         ptrdiff_t panel_pitch) {
  const ptrdiff_t ld = g->ldb, rows = g->layout == LEMMA_NT ? k : PACKED_ROWS;
  for (ptrdiff_t first = 0; first < k; first += rows) {
    ptrdiff_t depth = k - first < rows ? k - first : rows, from = p + first;
    for (ptrdiff_t at = 0; at < columns; at += PANEL) {
      U *to = out + at / PANEL * panel_pitch + first / STEP * PANEL;
      ptrdiff_t left = columns - at, column = j + at;
      switch (g->layout) {
        case LEMMA_NT: pack_panel_along(true, depth, left, (const float *)g->b + column * ld + from, ld, to); break;
        case LEMMA_NN:
          pack_panel_across(true, false, depth, left, (const float *)g->b + from * ld + column, ld, to);
          break;
        default: pack_panel_across(false, true, depth, left, (const S *)g->b + from * ld + column, ld, to);
      }
    }
  }
}

// k is cut into equal blocks, so that no short one is left over.
static ptrdiff_t depth_of(ptrdiff_t k) {
  const ptrdiff_t most = LEMMA_DEPTH * STEP;
  ptrdiff_t blocks = (k + most - 1) / most;
  return blocks ? steps_of((k + blocks - 1) / blocks) * STEP : STEP;
}

// Rows of A that stay in the L2 cache while the panels pass.
static ptrdiff_t rows_of_block(ptrdiff_t steps) {
  ptrdiff_t rows = 65536 / steps / TILE_ROWS * TILE_ROWS;
  return rows < TILE_ROWS ? TILE_ROWS : rows;
}

static void multiply_rows(const lemma_product_job *g, ptrdiff_t from, ptrdiff_t to, ptrdiff_t j, ptrdiff_t columns,
                          ptrdiff_t p, ptrdiff_t k, const U *packed, U *scratch) {
  const ptrdiff_t steps = steps_of(k), block = rows_of_block(steps), size = sizeof(S);
  // Between blocks of k the chains wait in C.
  const chains all = {p ? g->c : g->c0, p ? g->ldc : g->ld0, g->c, p + k < g->k ? NULL : (S *)g->stored, g->ldc};
  const bool by_columns = g->layout == LEMMA_TN;
  // Rows a multiple of 2 KiB apart meet in the same few sets of the L1 cache.
  const bool copied = !by_columns && g->lda * size % 2048 == 0 && to - from >= TILE_ROWS;
  for (ptrdiff_t i = from; i < to; i += block) {
    ptrdiff_t rows = to - i < block ? to - i : block, pitch = g->lda / STEP;
    const U *a = (const U *)((const S *)g->a + i * g->lda + p);
    if (by_columns) {
      pack_tiles(rows, k, (const S *)g->a + p * g->lda + i, g->lda, scratch);
      a = scratch;
      pitch = 0;
    } else if (copied) {
      pitch = steps + 16;
      copy_rows(rows, steps, a, g->lda / STEP, scratch, pitch);
      a = scratch;
    }
    panels(rows, columns, steps, a, pitch, packed, steps * PANEL, beyond(&all, i, j));
  }
}

// Workers pack B together, then each takes a share of the rows.
static void product(void *context, int worker, int count) {
  const lemma_product_job *g = context;
  U *shared = lemma_pool_shared(g->pool), *scratch = lemma_pool_scratch(g->pool, worker);
  ptrdiff_t depth = depth_of(g->k), from, to;
  lemma_share(g->m, 1, worker, count, &from, &to);
  for (ptrdiff_t j = 0; j < g->n; j += LEMMA_COLUMNS) {
    ptrdiff_t columns = g->n - j < LEMMA_COLUMNS ? g->n - j : LEMMA_COLUMNS;
    for (ptrdiff_t p = 0; p < g->k; p += depth) {
      ptrdiff_t k = g->k - p < depth ? g->k - p : depth, steps = steps_of(k), first, last;
      lemma_share(columns, PANEL, worker, count, &first, &last);
      pack_operand(g, p, k, j + first, last - first, shared + first * steps, steps * PANEL);
      lemma_pool_barrier(g->pool);
      multiply_rows(g, from, to, j, columns, p, k, shared, scratch);
      if (p + depth < g->k || j + columns < g->n) lemma_pool_barrier(g->pool);
    }
  }
}

// A packed weight is its blocks of k one after another, each with all of its panels.
static void pack(void *context, int worker, int count) {
  const lemma_product_job *g = context;
  ptrdiff_t depth = depth_of(g->k), first, last, width = (g->n + PANEL - 1) / PANEL * PANEL;
  lemma_share(g->n, PANEL, worker, count, &first, &last);
  for (ptrdiff_t p = 0; p < g->k; p += depth) {
    ptrdiff_t k = g->k - p < depth ? g->k - p : depth, steps = steps_of(k);
    pack_operand(g, p, k, first, last - first, g->packed + width * (p / STEP) + first * steps, steps * PANEL);
  }
}

// Few rows, many columns: workers share the columns.
static void product_packed(void *context, int worker, int count) {
  const lemma_product_job *g = context;
  ptrdiff_t depth = depth_of(g->k), first, last, width = (g->n + PANEL - 1) / PANEL * PANEL;
  lemma_share(g->n, PANEL, worker, count, &first, &last);
  if (first == last) return;
  for (ptrdiff_t p = 0; p < g->k; p += depth) {
    ptrdiff_t k = g->k - p < depth ? g->k - p : depth, steps = steps_of(k);
    multiply_rows(g, 0, g->m, first, last - first, p, k, g->packed + width * (p / STEP) + first * steps,
                  lemma_pool_scratch(g->pool, worker));
  }
}
