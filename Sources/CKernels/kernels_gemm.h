// Matrix products: tiles of TILE_ROWS x (16 * TILE_VECTORS) in registers over packed panels of B.
// How the work is blocked or shared never shows in the bits: each element is one chain, k ascending.

#define PANEL (16 * TILE_VECTORS)

// One tile of `h` rows. A's element (i, p) is a[i * stride + p] when `rows_of_a`, else a[p * stride + i].
INLINE void tile(const int h, const bool rows_of_a, const float *a, ptrdiff_t stride, const float *b, ptrdiff_t k,
                 const float *c0, float *c, ptrdiff_t ldc, ptrdiff_t columns) {
  V sum[TILE_ROWS][TILE_VECTORS];
  const bool full = columns >= PANEL;
  UNROLL for (int i = 0; i < h; i++) {
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
      if (!c0)
        sum[i][v] = splat(0);
      else
        sum[i][v] = full ? load(c0 + i * ldc + 16 * v) : load_some(c0 + i * ldc + 16 * v, columns - 16 * v);
    }
  }
  for (ptrdiff_t p = 0; p < k; p++) {
    V column[TILE_VECTORS];
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) column[v] = load(b + p * PANEL + 16 * v);
    UNROLL for (int i = 0; i < h; i++) {
      V x = splat(rows_of_a ? a[i * stride + p] : a[p * stride + i]);
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) sum[i][v] = fma16(x, column[v], sum[i][v]);
    }
  }
  UNROLL for (int i = 0; i < h; i++) {
    UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
      if (full)
        store(c + i * ldc + 16 * v, sum[i][v]);
      else
        store_some(c + i * ldc + 16 * v, sum[i][v], columns - 16 * v);
    }
  }
}

#define HEIGHT(h)                                                          \
  case h:                                                                  \
    if (h <= TILE_ROWS) tile(h <= TILE_ROWS ? h : 1, rows_of_a, a, stride, b, k, c0, c, ldc, columns); \
    return;

INLINE void tile_of_height(ptrdiff_t height, const bool rows_of_a, const float *a, ptrdiff_t stride, const float *b,
                           ptrdiff_t k, const float *c0, float *c, ptrdiff_t ldc, ptrdiff_t columns) {
  switch (height) {
    HEIGHT(1) HEIGHT(2) HEIGHT(3) HEIGHT(4) HEIGHT(5) HEIGHT(6) HEIGHT(7)
    HEIGHT(8) HEIGHT(9) HEIGHT(10) HEIGHT(11) HEIGHT(12) HEIGHT(13) HEIGHT(14)
  }
}

static __attribute__((noinline)) void tile_by_rows(ptrdiff_t height, const float *a, ptrdiff_t stride, const float *b,
                                                   ptrdiff_t k, const float *c0, float *c, ptrdiff_t ldc,
                                                   ptrdiff_t columns) {
  tile_of_height(height, true, a, stride, b, k, c0, c, ldc, columns);
}

static __attribute__((noinline)) void tile_by_columns(ptrdiff_t height, const float *a, ptrdiff_t stride,
                                                      const float *b, ptrdiff_t k, const float *c0, float *c,
                                                      ptrdiff_t ldc, ptrdiff_t columns) {
  tile_of_height(height, false, a, stride, b, k, c0, c, ldc, columns);
}

// C[rows, columns] over panels `panel_pitch` floats apart; rows are spread evenly over the tiles. A lies by rows
// (element (i, p) at i * a_row + p), by columns (at i + p * a_column), or, where a_column is 0, as packed tiles.
static void panels(ptrdiff_t rows, ptrdiff_t columns, ptrdiff_t k, const float *a, ptrdiff_t a_row,
                   ptrdiff_t a_column, const float *b, ptrdiff_t panel_pitch, const float *c0, float *c,
                   ptrdiff_t ldc) {
  ptrdiff_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
  for (ptrdiff_t j = 0; j < columns; j += PANEL) {
    for (ptrdiff_t t = 0, i = 0; t < tiles; t++) {
      ptrdiff_t height = (rows - i) / (tiles - t);
      const float *start = c0 ? c0 + i * ldc + j : NULL;
      if (a_column == 1)
        tile_by_rows(height, a + i * a_row, a_row, b, k, start, c + i * ldc + j, ldc, columns - j);
      else if (a_column == 0)
        tile_by_columns(height, a + i * k, height, b, k, start, c + i * ldc + j, ldc, columns - j);
      else
        tile_by_columns(height, a + i, a_column, b, k, start, c + i * ldc + j, ldc, columns - j);
      i += height;
    }
    b += panel_pitch;
  }
}

// Copies A that lies by columns into tiles, each [k, its height], as `panels` walks them.
static void pack_tiles(ptrdiff_t rows, ptrdiff_t k, const float *a, ptrdiff_t a_column, float *out) {
  ptrdiff_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
  for (ptrdiff_t t = 0, i = 0; t < tiles; t++) {
    ptrdiff_t height = (rows - i) / (tiles - t);
    for (ptrdiff_t p = 0; p < k; p++) {
      const float *from = a + i + p * a_column;
      float *to = out + i * k + p * height;
      for (ptrdiff_t r = 0; r < height; r++) to[r] = from[r];
    }
    i += height;
  }
}

// One panel: out[p, 0 ..< PANEL] = B(p, j), zeros beyond `columns`. One of B's strides is 1.
static void pack_panel(ptrdiff_t k, ptrdiff_t columns, const float *b, ptrdiff_t b_row, ptrdiff_t b_column,
                       float *out) {
  if (b_column == 1) {
    for (ptrdiff_t p = 0; p < k; p++) {
      UNROLL for (int v = 0; v < TILE_VECTORS; v++) {
        store(out + p * PANEL + 16 * v, load_some(b + p * b_row + 16 * v, columns - 16 * v));
      }
    }
    return;
  }
  for (int v = 0; v < TILE_VECTORS; v++) {
    ptrdiff_t width = columns - 16 * v < 16 ? columns - 16 * v : 16;
    for (ptrdiff_t p = 0; p < k; p += 16) {
      ptrdiff_t depth = k - p < 16 ? k - p : 16;
      V block[16];
      UNROLL for (int j = 0; j < 16; j++) {
        block[j] = j < width ? load_some(b + (16 * v + j) * b_column + p, depth) : splat(0);
      }
      transpose16(block);
      UNROLL for (int i = 0; i < 16; i++) {
        if (i < depth) store(out + (p + i) * PANEL + 16 * v, block[i]);
      }
    }
  }
}

static void pack_panels(ptrdiff_t k, ptrdiff_t columns, const float *b, ptrdiff_t b_row, ptrdiff_t b_column,
                        float *out, ptrdiff_t panel_pitch) {
  for (ptrdiff_t j = 0; j < columns; j += PANEL) {
    pack_panel(k, columns - j, b + j * b_column, b_row, b_column, out);
    out += panel_pitch;
  }
}

// k is cut into equal blocks, so that no short one is left over.
static ptrdiff_t depth_of(ptrdiff_t k) {
  ptrdiff_t blocks = (k + LEMMA_DEPTH - 1) / LEMMA_DEPTH;
  return blocks ? (k + blocks - 1) / blocks : 1;
}

// Rows of A that stay in the L2 cache while the panels pass.
static ptrdiff_t rows_of_block(ptrdiff_t k) {
  ptrdiff_t rows = 65536 / k / TILE_ROWS * TILE_ROWS;
  return rows < TILE_ROWS ? TILE_ROWS : rows;
}

static void multiply_rows(const lemma_gemm_job *g, ptrdiff_t from, ptrdiff_t to, ptrdiff_t j, ptrdiff_t columns,
                          ptrdiff_t p, ptrdiff_t depth, const float *packed, float *scratch) {
  const float *c0 = p ? g->c : g->c0;
  ptrdiff_t step = rows_of_block(depth);
  for (ptrdiff_t i = from; i < to; i += step) {
    ptrdiff_t rows = to - i < step ? to - i : step;
    const float *a = g->a + i * g->a_row + p * g->a_column;
    ptrdiff_t column = g->a_column;
    if (column != 1) {
      pack_tiles(rows, depth, a, column, scratch);
      a = scratch;
      column = 0;
    }
    panels(rows, columns, depth, a, g->a_row, column, packed, depth * PANEL, c0 ? c0 + i * g->ldc + j : NULL,
           g->c + i * g->ldc + j, g->ldc);
  }
}

// Workers pack B together, then each takes a share of the rows.
static void gemm(void *context, int worker, int count) {
  const lemma_gemm_job *g = context;
  float *shared = lemma_pool_shared(g->pool), *scratch = lemma_pool_scratch(g->pool, worker);
  ptrdiff_t depth = depth_of(g->k), from, to;
  lemma_share(g->m, 1, worker, count, &from, &to);
  for (ptrdiff_t j = 0; j < g->n; j += LEMMA_COLUMNS) {
    ptrdiff_t columns = g->n - j < LEMMA_COLUMNS ? g->n - j : LEMMA_COLUMNS;
    for (ptrdiff_t p = 0; p < g->k; p += depth) {
      ptrdiff_t k = g->k - p < depth ? g->k - p : depth, first, last;
      lemma_share(columns, PANEL, worker, count, &first, &last);
      pack_panels(k, last - first, g->b + p * g->b_row + (j + first) * g->b_column, g->b_row, g->b_column,
                  shared + first * k, k * PANEL);
      lemma_pool_barrier(g->pool);
      multiply_rows(g, from, to, j, columns, p, k, shared, scratch);
      if (p + depth < g->k || j + columns < g->n) lemma_pool_barrier(g->pool);
    }
  }
}

// A packed weight is its blocks of k one after another, each with all of its panels.
static void pack(void *context, int worker, int count) {
  const lemma_gemm_job *g = context;
  ptrdiff_t depth = depth_of(g->k), first, last, width = (g->n + PANEL - 1) / PANEL * PANEL;
  lemma_share(g->n, PANEL, worker, count, &first, &last);
  for (ptrdiff_t p = 0; p < g->k; p += depth) {
    ptrdiff_t k = g->k - p < depth ? g->k - p : depth;
    pack_panels(k, last - first, g->b + p * g->b_row + first * g->b_column, g->b_row, g->b_column,
                g->packed + width * p + first * k, k * PANEL);
  }
}

// Few rows, many columns: workers share the columns.
static void gemm_packed(void *context, int worker, int count) {
  const lemma_gemm_job *g = context;
  ptrdiff_t depth = depth_of(g->k), first, last, width = (g->n + PANEL - 1) / PANEL * PANEL;
  lemma_share(g->n, PANEL, worker, count, &first, &last);
  if (first == last) return;
  for (ptrdiff_t p = 0; p < g->k; p += depth) {
    ptrdiff_t k = g->k - p < depth ? g->k - p : depth;
    multiply_rows(g, 0, g->m, first, last - first, p, k, g->packed + width * p + first * k, NULL);
  }
}
