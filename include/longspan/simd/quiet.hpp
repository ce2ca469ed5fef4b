#pragma once

// Switch off two false warnings of g++ 12 between them. Its AVX-512 intrinsics pass an uninitialised register as the unused operand of
// unmasked instructions, and -Wuninitialized then blames the function that they are inlined into. And it takes a moved empty
// std::optional for a read of its value.
#if defined(__GNUC__) && !defined(__clang__)
#define LONGSPAN_QUIET_BEGIN                                                                 \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wmaybe-uninitialized\"") \
      _Pragma("GCC diagnostic ignored \"-Wuninitialized\"")
#define LONGSPAN_QUIET_END _Pragma("GCC diagnostic pop")
#else
#define LONGSPAN_QUIET_BEGIN
#define LONGSPAN_QUIET_END
#endif

// Stands behind the parameters of a lambda that a hot loop calls: only inlined, it keeps what it captures in registers.
#define LONGSPAN_INLINE __attribute__((always_inline))
