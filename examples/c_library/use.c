/* longspan from C: attention, its gradients, a cache, an error. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "longspan.h"

enum { heads = 4, tokens = 50, channels = 16, count = heads * tokens * channels };

static longspan_view view_of(float* data, ptrdiff_t some_tokens, ptrdiff_t last) {
  const longspan_view made = {data, {1, heads, some_tokens, last}, {heads * some_tokens * last, some_tokens * last, last, 1}};
  return made;
}

static int check(longspan_status status) {
  if (status != LONGSPAN_OK) printf("status %d: %s\n", (int)status, longspan_message());
  return status != LONGSPAN_OK;
}

int main(void) {
  static float q[count], k[count], v[count], output[count], d_q[count], d_k[count], d_v[count], sums[heads * tokens];
  static float last[heads * channels], decoded[heads * channels];
  for (int n = 0; n < count; ++n) q[n] = sinf(0.37f * (float)n), k[n] = sinf(0.73f * (float)n), v[n] = sinf(0.19f * (float)n);

  longspan_sentence sentence = longspan_defaults();
  sentence.temperature = LONGSPAN_SCALE_INVARIANT;
  longspan_mechanism* mechanism = NULL;
  longspan_cache* cache = NULL;
  int wrong = check(longspan_make_mechanism(&sentence, &mechanism));

  const longspan_view qs = view_of(q, tokens, channels), ks = view_of(k, tokens, channels), vs = view_of(v, tokens, channels),
                      out = view_of(output, tokens, channels), lse = view_of(sums, tokens, 1),
                      d_qs = view_of(d_q, tokens, channels), d_ks = view_of(d_k, tokens, channels),
                      d_vs = view_of(d_v, tokens, channels);
  wrong |= check(longspan_forward(mechanism, NULL, &qs, &ks, &vs, &out, &lse));
  wrong |= check(longspan_backward(mechanism, NULL, &qs, &ks, &vs, &out, &lse, &out, &d_qs, &d_ks, &d_vs));
  wrong |= output[0] != v[0]; /* the first row sees its own key alone */

  /* The last row again, from a cache: the same bits. */
  for (int h = 0; h < heads; ++h) memcpy(last + h * channels, q + (h * tokens + tokens - 1) * channels, sizeof(float) * channels);
  const longspan_view one = view_of(last, 1, channels), row = view_of(decoded, 1, channels);
  wrong |= check(longspan_make_cache(mechanism, heads, channels, channels, 1, &cache));
  wrong |= check(longspan_append(cache, &ks, &vs));
  wrong |= check(longspan_forward_over_cache(mechanism, NULL, &one, cache, &row, NULL));
  for (int h = 0; h < heads; ++h)
    wrong |= memcmp(decoded + h * channels, output + (h * tokens + tokens - 1) * channels, sizeof(float) * channels) != 0;
  wrong |= longspan_length(cache, 0) != tokens || longspan_length(cache, 1) != -1;

  /* What does not fit is said. */
  longspan_view shorter = vs;
  shorter.extent[2] = tokens - 1;
  wrong |= longspan_forward(mechanism, NULL, &qs, &ks, &shorter, &out, NULL) != LONGSPAN_INVALID;
  wrong |= strcmp(longspan_message(), "key and value differ in tokens: 50 and 49") != 0;
  wrong |= longspan_forward(NULL, NULL, &qs, &ks, &vs, &out, NULL) != LONGSPAN_INVALID;
  printf("%s; told: %s\n", wrong ? "wrong" : "right", longspan_message());

  longspan_free_cache(cache);
  longspan_free_mechanism(mechanism);
  return wrong;
}
