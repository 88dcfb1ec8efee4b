#include "lemma_kernels.h"
