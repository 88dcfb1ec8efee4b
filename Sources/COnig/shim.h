#include <oniguruma.h>

// ONIG_ENCODING_UTF8 is an address macro and OnigDefaultSyntax a mutable global, which Swift does not import.
static inline int lemma_onig_initialize(void) {
  OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
  int status = onig_initialize(encodings, 1);
  return status == ONIG_NORMAL ? onig_set_retry_limit_in_search(100000000) : status;
}

static inline int lemma_onig_new(regex_t **regex, const OnigUChar *pattern, const OnigUChar *end) {
  OnigErrorInfo error;
  return onig_new(regex, pattern, end, ONIG_OPTION_NONE, ONIG_ENCODING_UTF8, OnigDefaultSyntax, &error);
}

// Where the next match begins, ONIG_MISMATCH, or an error; *match_end is set with a match.
static inline int lemma_onig_search(
    regex_t *regex, const OnigUChar *text, const OnigUChar *end, const OnigUChar *start, OnigRegion *region,
    int *match_end) {
  int found = onig_search(regex, text, end, start, end, region, ONIG_OPTION_NONE);
  if (found >= 0) *match_end = region->end[0];
  return found;
}
