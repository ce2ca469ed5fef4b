#pragma once

// The headers of g++ 12 hand undefined registers to unmasked AVX-512 instructions, and the compiler then warns of its own trick in
// whatever it inlines them into; it also takes a moved empty std::optional for one that is read. Between these two words it does not.
#if defined(__GNUC__) && !defined(__clang__)
#define LONGSPAN_QUIET_BEGIN                                                                 \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wmaybe-uninitialized\"") \
      _Pragma("GCC diagnostic ignored \"-Wuninitialized\"")
#define LONGSPAN_QUIET_END _Pragma("GCC diagnostic pop")
#else
#define LONGSPAN_QUIET_BEGIN
#define LONGSPAN_QUIET_END
#endif

// Behind the parameters of a lambda that a hot loop calls: what it captures must stay in registers.
#define LONGSPAN_INLINE __attribute__((always_inline))
