#define _GNU_SOURCE
#include "lemma_search.h"

#include <string.h>

int lemma_contains(const void *bytes, size_t count, const void *value, size_t value_count) {
  return memmem(bytes, count, value, value_count) != 0;
}
