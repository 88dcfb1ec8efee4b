// Measures what this processor's arithmetic can do at most: multiply-adds that touch registers only, on THREADS
// threads. Prints {"float32": GFLOP/s, "bfloat16": GFLOP/s}; bfloat16 is left out where there is no instruction.
//   cc -O2 -march=native -pthread peak.c -o peak && ./peak THREADS
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif
typedef float vector __attribute__((vector_size(BYTES)));

// Twelve chains hide the latency of an instruction on every processor known to the author.
#define CHAINS 12
#define EACH(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define ROUNDS 2000000L
#define SLICES 12

static volatile float half = 0.5f;
static volatile float sink;

static double float32_flops(void) {
  vector x = (vector){0} + half, y = x;
#define DECLARE(i) vector s##i = x + (float)i;
#define STEP(i) s##i = s##i * x + y;
#define KEEP(i) + s##i[0]
  EACH(DECLARE)
  for (long round = 0; round < ROUNDS; round++) {
    EACH(STEP)
  }
  sink = 0 EACH(KEEP);
  return 2.0 * CHAINS * (BYTES / 4) * ROUNDS;
}

#if defined(__AVX512BF16__)
#include <immintrin.h>
static double bfloat16_flops(void) {
  __m512 wide = _mm512_set1_ps(half);
  __m512bh x = _mm512_cvtne2ps_pbh(wide, wide), y = x;
#define DECLARE_PAIR(i) __m512 s##i = _mm512_set1_ps(half + i);
#define STEP_PAIR(i) s##i = _mm512_dpbf16_ps(s##i, x, y);
  EACH(DECLARE_PAIR)
  for (long round = 0; round < ROUNDS; round++) {
    EACH(STEP_PAIR)
  }
  sink = 0 EACH(KEEP);
  return 4.0 * CHAINS * (BYTES / 4) * ROUNDS;
}
#endif

static pthread_barrier_t barrier;
static double (*work)(void);

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec * 1e-9;
}

/// The GFLOP/s of the calling thread's team in its best slice.
static void *run(void *threads) {
  double *best = malloc(sizeof(double));
  *best = 0;
  for (int slice = 0; slice < SLICES; slice++) {
    pthread_barrier_wait(&barrier);
    double start = now();
    double flops = work() * *(int *)threads;
    pthread_barrier_wait(&barrier);
    double rate = flops / (now() - start) / 1e9;
    if (rate > *best) *best = rate;
  }
  return best;
}

static double peak(int threads, double (*flops)(void)) {
  pthread_t others[256];
  work = flops;
  pthread_barrier_init(&barrier, NULL, threads);
  for (int i = 1; i < threads; i++) pthread_create(&others[i], NULL, run, &threads);
  double *best = run(&threads);
  double result = *best;
  for (int i = 1; i < threads; i++) {
    void *theirs;
    pthread_join(others[i], &theirs);
    free(theirs);
  }
  free(best);
  pthread_barrier_destroy(&barrier);
  return result;
}

int main(int count, char **words) {
  int threads = count > 1 ? atoi(words[1]) : 1;
  if (threads < 1 || threads > 256) return 2;
  printf("{\"float32\": %.1f", peak(threads, float32_flops));
#if defined(__AVX512BF16__)
  printf(", \"bfloat16\": %.1f", peak(threads, bfloat16_flops));
#endif
  printf("}\n");
}
