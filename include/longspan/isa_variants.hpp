#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <initializer_list>
#include <string_view>
#include <type_traits>
#include <utility>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <longspan/core/config.hpp>

// One binary for every processor: a unit of one's own is compiled once for each instruction set, and a function of it is chosen when it
// is called first. CMake's longspan_add_isa_variants(target SOURCES attention.cpp) compiles it; this header chooses, and includes nothing
// of the kernel.
//
//   // attention.hpp, for everyone: types that are the same in all units, so none of the library's
//   LONGSPAN_ISA_VARIANTS(attend, void(const float* q, const float* k, const float* v, float* output, long tokens))
//
//   // attention.cpp, compiled once for each instruction set; LONGSPAN_VARIANT is the namespace of the one at hand
//   namespace LONGSPAN_VARIANT {
//   void attend(const float* q, const float* k, const float* v, float* output, long tokens) { ... }
//   }
//
//   // anywhere
//   attend(q, k, v, output, tokens);
//
// The variants, each of which runs wherever a later one does:
//   baseline   what the compiler takes for granted: SSE2 on x86-64
//   v3         x86-64-v3: AVX2, FMA, F16C
//   v4         x86-64-v4: AVX-512 F, BW, CD, DQ, VL
//   v4_bf16    AVX512-BF16 and AVX512-VNNI, too; not on Intel's, whose products of bfloat16 are slow (core/config.hpp)
// The environment's LONGSPAN_AT_MOST=v3 takes no later one than v3: to compare, and for tests. Exceptions cross as those of the standard
// library that they derive from (std::invalid_argument): shape_error is a type of its own in each instruction set.

// How many of them were compiled, in the order above. longspan_add_isa_variants defines it.
#if !defined(LONGSPAN_VARIANTS)
#define LONGSPAN_VARIANTS 1
#endif

#define LONGSPAN_DECLARE_VARIANT(variant, name, ...) \
  namespace variant {                                \
  std::type_identity_t<__VA_ARGS__> name;            \
  }

// LONGSPAN_ISA_VARIANTS(name, return_type(parameter types)) declares the function in the namespace of each variant, and an object of its
// name that calls the one for this processor.
#if LONGSPAN_VARIANTS >= 4
#define LONGSPAN_ISA_VARIANTS(name, ...)                        \
  LONGSPAN_DECLARE_VARIANT(variant_baseline, name, __VA_ARGS__) \
  LONGSPAN_DECLARE_VARIANT(variant_v3, name, __VA_ARGS__)       \
  LONGSPAN_DECLARE_VARIANT(variant_v4, name, __VA_ARGS__)       \
  LONGSPAN_DECLARE_VARIANT(variant_v4_bf16, name, __VA_ARGS__)  \
  inline constexpr longspan::detail::chosen<__VA_ARGS__> name{  \
      {variant_baseline::name, variant_v3::name, variant_v4::name, variant_v4_bf16::name}};
#elif LONGSPAN_VARIANTS == 3
#define LONGSPAN_ISA_VARIANTS(name, ...)                        \
  LONGSPAN_DECLARE_VARIANT(variant_baseline, name, __VA_ARGS__) \
  LONGSPAN_DECLARE_VARIANT(variant_v3, name, __VA_ARGS__)       \
  LONGSPAN_DECLARE_VARIANT(variant_v4, name, __VA_ARGS__)       \
  inline constexpr longspan::detail::chosen<__VA_ARGS__> name{{variant_baseline::name, variant_v3::name, variant_v4::name}};
#else
#define LONGSPAN_ISA_VARIANTS(name, ...)                        \
  LONGSPAN_DECLARE_VARIANT(variant_baseline, name, __VA_ARGS__) \
  inline constexpr longspan::detail::chosen<__VA_ARGS__> name{{variant_baseline::name}};
#endif

LONGSPAN_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::array<std::string_view, 4> variant_names{"baseline", "v3", "v4", "v4_bf16"};

#if defined(__x86_64__)
// Whether some bits of a register of a leaf of cpuid are all set; a leaf that the processor does not have has none.
inline bool has_cpuid_bits(unsigned leaf, unsigned subleaf, std::size_t number, std::initializer_list<unsigned> bits) {
  std::array<unsigned, 4> registers{};
  if (__get_cpuid_count(leaf, subleaf, &registers[0], &registers[1], &registers[2], &registers[3]) == 0) return false;
  return std::all_of(bits.begin(), bits.end(), [&](unsigned bit) { return (registers[number] >> bit & 1) != 0; });
}

// Whether the operating system keeps registers over a switch of threads: of AVX 0x6, of AVX-512 0xe6. Needs OSXSAVE.
inline bool keeps_registers(unsigned which) {
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (low & which) == which;
}

// The best variant that this processor runs, by the bits of Intel's manual, volume 2, CPUID, and the levels of the x86-64 psABI.
inline std::size_t variant_of_processor() {
  enum : std::size_t { eax, ebx, ecx, edx };
  const bool v3 = has_cpuid_bits(1, 0, ecx, {0, 9, 12, 13, 19, 20, 22, 23, 27, 28, 29}) &&  // SSE3 .. POPCNT, FMA, AVX, F16C
                  has_cpuid_bits(7, 0, ebx, {3, 5, 8}) &&                                   // BMI, AVX2, BMI2
                  has_cpuid_bits(0x80000001, 0, ecx, {0, 5}) &&                             // LAHF, LZCNT
                  keeps_registers(0x6);
  if (!v3) return 0;
  if (!has_cpuid_bits(7, 0, ebx, {16, 17, 28, 30, 31}) || !keeps_registers(0xe6)) return 1;  // F, DQ, CD, BW, VL
  // VNNI and BF16; not with FP16, where products of bfloat16 are slow (core/config.hpp).
  const bool multiplies_bf16 =
      has_cpuid_bits(7, 0, ecx, {11}) && has_cpuid_bits(7, 1, eax, {5}) && !has_cpuid_bits(7, 0, edx, {23});
  return multiplies_bf16 ? 3 : 2;
}
#else
inline std::size_t variant_of_processor() { return 0; }
#endif

// What of some number of compiled variants runs here.
inline std::size_t choose_variant(std::size_t compiled) {
  std::size_t best = std::min(variant_of_processor(), compiled - 1);
  if (const char* at_most = std::getenv("LONGSPAN_AT_MOST"))
    for (std::size_t variant = 0; variant < best; ++variant)
      if (variant_names[variant] == at_most) best = variant;
  return best;
}

inline std::size_t variant_at_hand() {
  static const std::size_t variant = choose_variant(LONGSPAN_VARIANTS);
  return variant;
}

// A function of each variant, called as the one for this processor. Initialised before the program starts: it may be called from
// initialisers, too.
template <class Function>
struct chosen;
template <class Result, class... Arguments>
struct chosen<Result(Arguments...)> {
  std::array<Result (*)(Arguments...), std::size_t(LONGSPAN_VARIANTS)> variants;

  Result operator()(Arguments... arguments) const { return variants[variant_at_hand()](std::forward<Arguments>(arguments)...); }
};

}  // namespace detail

// The name of the variant that runs here: "baseline", "v3", "v4" or "v4_bf16".
inline std::string_view isa_variant() { return detail::variant_names[detail::variant_at_hand()]; }

LONGSPAN_NAMESPACE_END
