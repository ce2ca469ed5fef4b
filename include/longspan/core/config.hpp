#pragma once

// Every name of the library lives in an inline namespace named after the instruction set of the including translation unit, the one
// xsimd chooses from the same compiler flags. Units built for different instruction sets then link together: no linker can hand the
// AVX-512 body of a function to a unit that promised to run without.

#if defined(__FAST_MATH__)
#error "longspan promises IEEE results (NaN, infinity, exact rounding): compile without -ffast-math"
#endif

// Whether bfloat16 are multiplied as they are. Intel's processors do one vdpbf16ps while they do four multiply-adds of floats, AMD's one
// while they do one (Sapphire and Emerald Rapids; Zen 4 and 5): on the former bfloat16 are widened. AVX512-FP16 tells them apart, which
// those of AMD do not have; so would AMX, were it not for hypervisors that hide it.
#if defined(__AVX512BW__) && defined(__AVX512BF16__) && !defined(__AVX512FP16__) && !defined(LONGSPAN_SCALAR)
#define LONGSPAN_MULTIPLIES_BFLOAT16
#endif

#if defined(LONGSPAN_SCALAR)
#define LONGSPAN_ISA isa_scalar
#elif defined(LONGSPAN_MULTIPLIES_BFLOAT16) && defined(__AVX512VNNI__)
#define LONGSPAN_ISA isa_avx512bf16
#elif defined(LONGSPAN_MULTIPLIES_BFLOAT16)
#define LONGSPAN_ISA isa_avx512bf16_without_vnni
#elif defined(__AVX512BW__) && defined(__AVX512VNNI__)
#define LONGSPAN_ISA isa_avx512vnni
#elif defined(__AVX512BW__)
#define LONGSPAN_ISA isa_avx512bw
#elif defined(__AVX512F__)
#define LONGSPAN_ISA isa_avx512f
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define LONGSPAN_ISA isa_fma3_avx2
#elif defined(__AVX2__) && defined(__FMA__)
#define LONGSPAN_ISA isa_fma3_avx2_without_f16c
#elif defined(__AVX2__)
#define LONGSPAN_ISA isa_avx2
#elif defined(__AVX__)
#define LONGSPAN_ISA isa_avx
#elif defined(__SSE4_1__)
#define LONGSPAN_ISA isa_sse4
#elif defined(__SSE2__)
#define LONGSPAN_ISA isa_sse2
#elif defined(__ARM_NEON)
#define LONGSPAN_ISA isa_neon
#else
#define LONGSPAN_ISA isa_other
#endif

// Open and close the namespace of every header. Indexers that do not run the preprocessor (Universal Ctags) lose a whole file in
// `namespace longspan::inline LONGSPAN_ISA {`; a macro on a line of its own they pass over. What users do not name stands in
// longspan::detail.
#define LONGSPAN_NAMESPACE_BEGIN \
  namespace longspan {           \
  inline namespace LONGSPAN_ISA {
#define LONGSPAN_NAMESPACE_END \
  }                            \
  }
