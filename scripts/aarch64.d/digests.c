// Prints a digest of what every kernel gives for fixed inputs, a line for each kernel and precision. All supported
// paths and 1 to 3 threads must agree; scripts/aarch64 compares the lines of two architectures.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lemma_kernels.h"

enum { ROWS = 45, WIDTH = 70, OUT = 94, HEADS = 4, GROUPS = 2, HEAD = 18, LD = (HEADS + 2 * GROUPS) * HEAD };
enum { ROOM = 1 << 16 };

static uint64_t hash(const void *data, size_t size) {
  uint64_t h = 0xCBF29CE484222325u;  // FNV-1a
  for (size_t i = 0; i < size; i++) h = (h ^ ((const unsigned char *)data)[i]) * 0x100000001B3u;
  return h;
}

static float *numbers(ptrdiff_t count, uint64_t stream) {
  float *x = aligned_alloc(64, ROOM * sizeof(float));
  memset(x, 0, ROOM * sizeof(float));
  lemma_fill_normal(7, stream, count, 1, x);
  return x;
}

static void *operands(lemma_pool *pool, ptrdiff_t count, uint64_t stream) {
  float *x = numbers(count, stream);
  void *y = aligned_alloc(64, ROOM * sizeof(float));
  memset(y, 0, ROOM * sizeof(float));
  lemma_store(pool, count, x, y);
  free(x);
  return y;
}

typedef struct {
  const char *name;
  uint64_t digest;
} line;

static int run(lemma_pool *pool, line *lines) {
  int count = 0;
  const ptrdiff_t size = lemma_operand_size(pool);
  float *a = numbers(ROWS * WIDTH, 1), *w = numbers(OUT * WIDTH, 2), *c = numbers(0, 0), *d = numbers(ROWS * WIDTH, 3);
  void *x = operands(pool, ROWS * WIDTH, 1), *y = operands(pool, ROWS * OUT, 4), *z = operands(pool, 0, 0);
#define LINE(what, data, bytes) lines[count++] = (line){what, hash(data, bytes)}
  lemma_product product = {ROWS, OUT, WIDTH, x, WIDTH, w, WIDTH, NULL, 0, c, NULL, OUT};
  lemma_product_nt(pool, &product);
  LINE("product nt", c, ROWS * OUT * 4);
  product = (lemma_product){ROWS, WIDTH, OUT, y, OUT, w, WIDTH, NULL, 0, c, NULL, WIDTH};
  lemma_product_nn(pool, &product);
  LINE("product nn", c, ROWS * WIDTH * 4);
  product = (lemma_product){OUT, WIDTH, ROWS, y, OUT, x, WIDTH, NULL, 0, c, NULL, WIDTH};
  lemma_product_tn(pool, &product);
  LINE("product tn", c, OUT * WIDTH * 4);
  void *packed = malloc((size_t)lemma_packed_size(pool, OUT, WIDTH));
  lemma_pack(pool, OUT, WIDTH, w, WIDTH, packed);
  product = (lemma_product){5, OUT, WIDTH, x, WIDTH, packed, 0, NULL, 0, c, NULL, OUT};
  lemma_product_packed(pool, &product);
  LINE("product packed", c, 5 * OUT * 4);
  free(packed);

  float *gain = numbers(WIDTH, 5), *bias = numbers(WIDTH, 6), *rstd = numbers(0, 0);
  float *dgain = numbers(0, 0), *dbias = numbers(0, 0);
  void *normed = operands(pool, 0, 0);
  for (int centred = 0; centred < 2; centred++) {
    lemma_norm norm = {ROWS, WIDTH, 1e-5f, gain, centred ? bias : NULL, normed, rstd};
    lemma_norm_forward(pool, &norm, a, z);
    LINE(centred ? "LayerNorm" : "RMSNorm", z, ROWS * WIDTH * size);
    lemma_norm_backward(pool, &norm, x, d, z, dgain, centred ? dbias : NULL);
    LINE("its gradient", d, ROWS * WIDTH * 4);
    LINE("its gain's", dgain, WIDTH * 4);
  }

  lemma_swiglu_forward(pool, ROWS, WIDTH / 2, x, z);
  LINE("SwiGLU", z, ROWS * WIDTH / 2 * size);
  void *slope = operands(pool, 0, 0);
  lemma_swiglu_backward(pool, ROWS, WIDTH / 2, y, x, slope, z);
  LINE("its gradient", slope, ROWS * WIDTH * size);
  lemma_gelu_forward(pool, ROWS, WIDTH, x, z);
  LINE("GELU", z, ROWS * WIDTH * size);
  lemma_gelu_backward(pool, ROWS, WIDTH, y, x, slope, z);
  LINE("its gradient", slope, ROWS * WIDTH * size);

  int32_t positions[ROWS], targets[ROWS], starts[] = {0, 7, 8, ROWS};
  for (int r = 0; r < ROWS; r++) positions[r] = r * 3 % 40, targets[r] = r * 7 % WIDTH;
  double frequencies[HEAD / 2];
  lemma_rope_frequencies(HEAD, 1e4, frequencies);
  float *cosines = numbers(0, 0), *sines = numbers(0, 0);
  lemma_rope_table(40, HEAD, frequencies, cosines, sines);
  void *qkv = operands(pool, ROWS * LD, 8);
  lemma_rotation rotation = {ROWS, HEADS + GROUPS, HEAD, LD, positions, cosines, sines, false};
  lemma_rope(pool, &rotation, qkv);
  LINE("rotary positions", qkv, ROWS * LD * size);
  lemma_attention attention = {3, HEADS, GROUPS, HEAD, LD, starts};
  float *stats = numbers(0, 0), *dqkv = numbers(0, 0);
  lemma_attention_forward(pool, &attention, qkv, z, stats);
  LINE("attention", z, ROWS * HEADS * HEAD * size);
  void *dout = operands(pool, ROWS * HEADS * HEAD, 9);
  lemma_attention_backward(pool, &attention, qkv, z, stats, dout, dqkv);
  LINE("its gradient", dqkv, ROWS * LD * 4);

  double losses[ROWS];
  lemma_cross_entropy_shape shape = {ROWS, WIDTH, WIDTH, 0.01f, 0.1f};
  memcpy(c, a, ROWS * WIDTH * 4);
  lemma_cross_entropy(pool, &shape, targets, c, losses);
  LINE("cross-entropy", losses, sizeof losses);
  LINE("its gradient", c, ROWS * WIDTH * size);

  lemma_dropout rule = {11, 3, 1, 5, 0.2f};
  lemma_dropout_apply(pool, &rule, ROWS, WIDTH, a, c);
  LINE("dropout", c, ROWS * WIDTH * 4);
  double partial[4];
  double norm = lemma_squared_norm(pool, ROWS * WIDTH, a, partial);
  LINE("gradient norm", &norm, sizeof norm);
  lemma_adamw adamw = {1e-3f, 0.9f, 0.95f, 1e-8f, 0.1f, 10, 20, 0.5f};
  float *first = numbers(0, 0), *second = numbers(0, 0);
  for (int step = 0; step < 3; step++) lemma_adamw_step(pool, &adamw, ROWS * WIDTH, d, first, second, a);
  LINE("AdamW", a, ROWS * WIDTH * 4);
  float *exponents = numbers(2000, 12);
  for (int i = 0; i < 2000; i++) exponents[i] *= 30;
  lemma_exp_many(pool, 2000, exponents, c);
  LINE("exp", c, 2000 * 4);

  void *all[] = {a,     w,      c,     d,       x,     y,   z,     gain, bias, rstd,  dgain,  dbias,
                 normed, slope, cosines, sines, qkv, stats, dqkv, dout, first, second, exponents};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
  return count;
}

int main(void) {
  static const char *precisions[] = {"float32", "bfloat16"};
  int differing = 0;
  for (int precision = 0; precision < LEMMA_PRECISION_COUNT; precision++) {
    line expected[64], found[64];
    int count = 0;
    for (int path = 0; path < LEMMA_PATH_COUNT; path++) {
      if (!lemma_path_supported(path)) continue;
      fprintf(stderr, "%s %s\n", precisions[precision], lemma_path_name(path));
      for (int threads = 1; threads <= 3; threads++) {
        lemma_pool *pool = lemma_pool_create(threads, path, precision);
        if (!pool) return 2;
        int lines = run(pool, count ? found : expected);
        for (int i = 0; count && i < lines; i++) {
          if (found[i].digest == expected[i].digest) continue;
          fprintf(stderr, "differs: %s, %d threads, %s\n", lemma_path_name(path), threads, found[i].name);
          differing++;
        }
        if (!count) count = lines;
        lemma_pool_destroy(pool);
      }
    }
    for (int i = 0; i < count; i++)
      printf("%s %s %016llx\n", precisions[precision], expected[i].name, (unsigned long long)expected[i].digest);
  }
  return differing != 0;
}
