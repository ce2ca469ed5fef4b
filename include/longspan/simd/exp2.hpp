#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

#include <longspan/simd/lanes.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/simd/polynomial.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// The numbers behind exp2: 2^x = 2^n p(r) with n = round(x), r = x - n in [-1/2, 1/2], p the minimax polynomial of the relative error
// among those with p(0) = 1: 2^0 is 1 exactly.
template <class T>
struct exp2_constants;

template <>
struct exp2_constants<float> {
  using bits = std::uint32_t;
  static constexpr int mantissa = 23, bias = 127;
  // Worst relative error 9.1e-8, so that the rounding of 2^x dominates it.
  static constexpr std::array polynomial{
      1.f, 0.693146977558f, 0.24022242077f, 0.0555073377765f, 0.00967151302234f, 0.00132647203663f};
};

template <>
struct exp2_constants<double> {
  using bits = std::uint64_t;
  static constexpr int mantissa = 52, bias = 1023;
  // Worst relative error 1.8e-17, an eighth of an ulp.
  static constexpr std::array polynomial{1.0,
                                         0.69314718055994569675,
                                         0.24022650695910098006,
                                         0.055504108664790394528,
                                         0.0096181291076070026171,
                                         0.001333355815343996974,
                                         0.00015403530441571850099,
                                         0.00001525272738518977478,
                                         1.3215442675452855182e-6,
                                         1.0180647660573069343e-7,
                                         7.0725703945407994337e-9,
                                         4.0780717860928704165e-10};
};

// 2^(rate x) for rate x <= 127 (1023 in double): the weights of a softmax, whose exponents are not positive, and which change to base
// 2 by a rate. Exactly 0 below the normal numbers and at -infinity. NaN stays NaN: it is the second argument of simd::max, and 2^n is a
// factor. Adding 1.5 * 2^23 leaves round(x) in the low bits of the mantissa, from where a shift moves it into the exponent.
template <class Batch>
  requires(!is_scalar<Batch>)
Batch exp2(const Batch& x, scalar<Batch> rate = 1) {
  using T = scalar<Batch>;
  using constants = exp2_constants<T>;
  using integers = xsimd::batch<typename constants::bits, typename Batch::arch_type>;
  const Batch rounder(T(1.5) * T(typename constants::bits(1) << constants::mantissa) + T(constants::bias));
  const Batch bounded = simd::max(Batch(T(-constants::bias) / rate), x);
  const Batch shifted = multiply_add(bounded, Batch(rate), rounder);
  const Batch rest = multiply_add(bounded, Batch(rate), rounder - shifted);
  return polynomial(constants::polynomial, rest) * std::bit_cast<Batch>(std::bit_cast<integers>(shifted) << constants::mantissa);
}

template <std::floating_point T>
T exp2(T x, T rate = 1) {
  return std::exp2(x * rate);
}

}  // namespace simd
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END
