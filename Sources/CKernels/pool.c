// A pool of workers that run one job at a time, all together; the caller is worker 0.
// Waiting is a short spin and then a futex: a machine shared with others is not burnt.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"

typedef _Atomic uint32_t counter;

typedef struct {
  lemma_pool *pool;
  int index;
} worker;

struct lemma_pool {
  int threads, path, precision;
  const lemma_table *table;
  pthread_t *handles;
  worker *workers;
  void **scratch;  // one a worker, then the shared one
  lemma_job job;
  void *context;
  _Atomic ptrdiff_t claimed;
  counter epoch, pending, arrived, generation, sleepers;
  bool stopping;
};

static void futex_wait(counter *word, uint32_t seen) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

static void futex_wake(counter *word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0); }

static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

enum { SPINS = 2000 };

// Returns when *word is no longer `seen`.
static void wait_while(lemma_pool *pool, counter *word, uint32_t seen) {
  for (int i = 0; i < SPINS; i++) {
    if (atomic_load_explicit(word, memory_order_acquire) != seen) return;
    relax();
  }
  atomic_fetch_add(&pool->sleepers, 1);
  while (atomic_load(word) == seen) futex_wait(word, seen);
  atomic_fetch_sub(&pool->sleepers, 1);
}

// Wakes whoever sleeps on *word, after it was changed. A sleeper counts itself before it looks again.
static void announce(lemma_pool *pool, counter *word) {
  if (atomic_load(&pool->sleepers) > 0) futex_wake(word);
}

// Denormals are zeros, going in and coming out; the old mode is returned.
static uint64_t flush_denormals(void) {
#if defined(__x86_64__)
  uint32_t old = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(0x1F80 | 0x8040);  // all exceptions masked, to nearest, FTZ and DAZ
  return old;
#else
  uint64_t old;
  __asm__ volatile("mrs %0, fpcr" : "=r"(old));
  __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)1 << 24));
  return old;
#endif
}

static void restore_mode(uint64_t old) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr((uint32_t)old);
#else
  __asm__ volatile("msr fpcr, %0" : : "r"(old));
#endif
}

static void *work(void *argument) {
  lemma_pool *pool = ((worker *)argument)->pool;
  int index = ((worker *)argument)->index;
  flush_denormals();
  for (uint32_t seen = 0;; seen++) {
    wait_while(pool, &pool->epoch, seen);
    if (pool->stopping) return NULL;
    pool->job(pool->context, index, pool->threads);
    if (atomic_fetch_sub(&pool->pending, 1) == 1) announce(pool, &pool->pending);
  }
}

void lemma_pool_run(lemma_pool *pool, lemma_job job, void *context) {
  pool->job = job;
  pool->context = context;
  atomic_store(&pool->claimed, 0);
  if (pool->threads > 1) {
    atomic_store(&pool->pending, (uint32_t)pool->threads - 1);
    atomic_fetch_add(&pool->epoch, 1);
    announce(pool, &pool->epoch);
  }
  uint64_t mode = flush_denormals();
  job(context, 0, pool->threads);
  restore_mode(mode);
  uint32_t left;
  while (pool->threads > 1 && (left = atomic_load(&pool->pending)) > 0) wait_while(pool, &pool->pending, left);
}

void lemma_pool_barrier(lemma_pool *pool) {
  if (pool->threads == 1) return;
  uint32_t generation = atomic_load(&pool->generation);
  if (atomic_fetch_add(&pool->arrived, 1) == (uint32_t)pool->threads - 1) {
    atomic_store(&pool->arrived, 0);
    atomic_fetch_add(&pool->generation, 1);
    announce(pool, &pool->generation);
  } else {
    wait_while(pool, &pool->generation, generation);
  }
}

ptrdiff_t lemma_pool_claim(lemma_pool *pool) {
  return atomic_fetch_add_explicit(&pool->claimed, 1, memory_order_relaxed);
}

void *lemma_pool_shared(lemma_pool *pool) { return pool->scratch[pool->threads]; }
void *lemma_pool_scratch(lemma_pool *pool, int worker) { return pool->scratch[worker]; }
const lemma_table *lemma_pool_table(const lemma_pool *pool) { return pool->table; }
int lemma_pool_threads(const lemma_pool *pool) { return pool->threads; }
int lemma_pool_path(const lemma_pool *pool) { return pool->path; }
int lemma_pool_precision(const lemma_pool *pool) { return pool->precision; }

static void stop(lemma_pool *pool, int running) {
  pool->stopping = true;
  atomic_fetch_add(&pool->epoch, 1);
  futex_wake(&pool->epoch);
  for (int i = 0; i < running; i++) pthread_join(pool->handles[i], NULL);
}

static void release(lemma_pool *pool) {
  for (int i = 0; pool->scratch && i <= pool->threads; i++) {
    if (pool->scratch[i]) munmap(pool->scratch[i], lemma_scratch_bytes);
  }
  free(pool->scratch);
  free(pool->workers);
  free(pool->handles);
  free(pool);
}

void lemma_pool_destroy(lemma_pool *pool) {
  if (!pool) return;
  stop(pool, pool->threads - 1);
  release(pool);
}

static const lemma_table *const tables[LEMMA_PATH_COUNT][LEMMA_PRECISION_COUNT] = {
  [LEMMA_PATH_SCALAR] = {&lemma_float32_scalar, &lemma_bfloat16_scalar},
#if defined(__x86_64__)
  [LEMMA_PATH_AVX2] = {&lemma_float32_avx2, &lemma_bfloat16_avx2},
  [LEMMA_PATH_AVX512] = {&lemma_float32_avx512, &lemma_bfloat16_avx512},
  [LEMMA_PATH_AVX512_BF16] = {&lemma_float32_avx512, &lemma_bfloat16_avx512bf16},
#elif defined(__aarch64__)
  [LEMMA_PATH_NEON] = {&lemma_float32_neon, &lemma_bfloat16_neon},
#endif
};

static bool allocate(lemma_pool *pool) {
  size_t count = (size_t)pool->threads;
  pool->handles = calloc(count, sizeof *pool->handles);
  pool->workers = calloc(count, sizeof *pool->workers);
  pool->scratch = calloc(count + 1, sizeof *pool->scratch);
  if (!pool->handles || !pool->workers || !pool->scratch) return false;
  for (size_t i = 0; i <= count; i++) {
    void *memory = mmap(NULL, lemma_scratch_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return false;
    pool->scratch[i] = memory;
  }
  return true;
}

lemma_pool *lemma_pool_create(int threads, int path, int precision) {
  if (threads < 1 || threads > 256 || !lemma_path_supported(path)) return NULL;
  if (precision < 0 || precision >= LEMMA_PRECISION_COUNT) return NULL;
  lemma_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return NULL;
  pool->threads = threads;
  pool->path = path;
  pool->precision = precision;
  pool->table = tables[path][precision];
  if (!allocate(pool)) {
    release(pool);
    return NULL;
  }
  for (int i = 0; i < threads - 1; i++) {
    pool->workers[i] = (worker){pool, i + 1};
    if (pthread_create(&pool->handles[i], NULL, work, &pool->workers[i])) {
      stop(pool, i);
      release(pool);
      return NULL;
    }
  }
  return pool;
}

bool lemma_path_supported(int path) {
  switch (path) {
    case LEMMA_PATH_SCALAR: return true;
#if defined(__x86_64__)
    case LEMMA_PATH_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case LEMMA_PATH_AVX512_BF16: return lemma_path_supported(LEMMA_PATH_AVX512) && __builtin_cpu_supports("avx512bf16");
    case LEMMA_PATH_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
#elif defined(__aarch64__)
    case LEMMA_PATH_NEON: return true;
#endif
    default: return false;
  }
}

int lemma_path_best(void) {
  int path = LEMMA_PATH_COUNT - 1;
  while (!lemma_path_supported(path)) path--;
  return path;
}

const char *lemma_path_name(int path) {
  static const char *const names[LEMMA_PATH_COUNT] = {"scalar", "avx2", "avx512", "avx512bf16", "neon"};
  return path >= 0 && path < LEMMA_PATH_COUNT ? names[path] : "unknown";
}
