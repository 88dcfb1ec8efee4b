#pragma once

#include <stddef.h>

// Whether the bytes of a value stand somewhere in some bytes (memmem, which is GNU's own).
int lemma_contains(const void *bytes, size_t count, const void *value, size_t value_count);
