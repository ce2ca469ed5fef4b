/* longspan from C, and from whatever calls C: fused attention over float tensors. Built on request, as the shared library longspan_c:
 * cmake -DLONGSPAN_C_LIBRARY=ON. No exception leaves it; every function that can fail returns a status, and longspan_message() says what was
 * wrong in the words of the C++ library: "key and value differ in tokens: 30 and 29". Nothing is written where a status is not LONGSPAN_OK.
 * Mechanisms may be used by several threads at once, a cache by one at a time. */
#ifndef LONGSPAN_H
#define LONGSPAN_H

#include <stddef.h>

#if defined(__GNUC__)
#define LONGSPAN_API __attribute__((visibility("default")))
#else
#define LONGSPAN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  LONGSPAN_OK = 0,
  LONGSPAN_INVALID = 1,       /* shapes that do not fit, or a parameter out of its range */
  LONGSPAN_OUT_OF_MEMORY = 2, /* a cache is as it was */
  LONGSPAN_FAILED = 3
} longspan_status;

/* What went wrong in the last call of this thread that did not return LONGSPAN_OK; valid until its next one. */
LONGSPAN_API const char* longspan_message(void);

/* A tensor (batch, head, token, channel): extents and strides count elements. log_sum_exp is (batch, head, query, 1). */
typedef struct {
  float* data;
  ptrdiff_t extent[4];
  ptrdiff_t stride[4];
} longspan_view;

typedef enum {
  LONGSPAN_PLAIN = 0,          /* z = s */
  LONGSPAN_LOG_N = 1,          /* z = s log n / log trained */
  LONGSPAN_SCALE_INVARIANT = 2 /* z = a_t s + 1 - a_t^2, a_t = sqrt(1 + 2 log(1 + t / tau)) */
} longspan_temperature;

/* A sentence. Begin with longspan_defaults(): causal attention with RoPE. */
typedef struct {
  double rope_base; /* 10000 */
  double rotated;   /* the share of the pairs that turn, the fastest ones: 1 is RoPE, 0 no position, between p-RoPE */
  double scale;     /* of q.k; 0 is 1 / sqrt(channels) */
  longspan_temperature temperature;
  ptrdiff_t trained; /* tokens, for LONGSPAN_LOG_N */
  double tau;        /* for LONGSPAN_SCALE_INVARIANT */
  ptrdiff_t before;  /* keys that a query sees before its own and after it; PTRDIFF_MAX is all */
  ptrdiff_t after;   /* 0 is causal */
} longspan_sentence;
LONGSPAN_API longspan_sentence longspan_defaults(void);

typedef struct longspan_mechanism longspan_mechanism;
LONGSPAN_API longspan_status longspan_make_mechanism(const longspan_sentence* of, longspan_mechanism** made);
LONGSPAN_API void longspan_free_mechanism(longspan_mechanism* mechanism); /* NULL is legal */

/* Threads of the caller's: run calls work(of, n) once for each n from 0 to count - 1, count being at most `threads`, on any threads, and
 * returns when all have returned. NULL in the place of a device is the calling thread alone; the bits are the same. */
typedef struct {
  ptrdiff_t threads;
  void (*run)(void* context, ptrdiff_t count, void (*work)(const void* of, ptrdiff_t n), const void* of);
  void* context;
} longspan_device;

/* Attention; the queries are the last tokens of the keys. log_sum_exp may be NULL. */
LONGSPAN_API longspan_status longspan_forward(const longspan_mechanism* mechanism, const longspan_device* device,
                                              const longspan_view* q, const longspan_view* k, const longspan_view* v,
                                              const longspan_view* output, const longspan_view* log_sum_exp);
/* Its gradients, from what longspan_forward wrote. */
LONGSPAN_API longspan_status longspan_backward(const longspan_mechanism* mechanism, const longspan_device* device,
                                               const longspan_view* q, const longspan_view* k, const longspan_view* v,
                                               const longspan_view* output, const longspan_view* log_sum_exp,
                                               const longspan_view* d_output, const longspan_view* d_q, const longspan_view* d_k,
                                               const longspan_view* d_v);

/* Keys and values of some texts, kept between calls. */
typedef struct longspan_cache longspan_cache;
LONGSPAN_API longspan_status longspan_make_cache(const longspan_mechanism* mechanism, ptrdiff_t key_heads, ptrdiff_t channels,
                                                 ptrdiff_t value_channels, ptrdiff_t texts, longspan_cache** made);
LONGSPAN_API void longspan_free_cache(longspan_cache* cache);
LONGSPAN_API longspan_status longspan_append(longspan_cache* cache, const longspan_view* k, const longspan_view* v);
LONGSPAN_API longspan_status longspan_truncate(longspan_cache* cache, ptrdiff_t length);
LONGSPAN_API ptrdiff_t longspan_length(const longspan_cache* cache, ptrdiff_t text); /* -1 where there is no such text */
LONGSPAN_API longspan_status longspan_forward_over_cache(const longspan_mechanism* mechanism, const longspan_device* device,
                                                         const longspan_view* q, const longspan_cache* cache,
                                                         const longspan_view* output, const longspan_view* log_sum_exp);

#ifdef __cplusplus
}
#endif

#endif
