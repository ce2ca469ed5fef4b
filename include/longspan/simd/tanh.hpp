#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <numbers>

#include <longspan/simd/dual.hpp>
#include <longspan/simd/exp2.hpp>
#include <longspan/simd/lanes.hpp>
#include <longspan/simd/polynomial.hpp>
#include <longspan/simd/quiet.hpp>

LONGSPAN_QUIET_BEGIN

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// tanh(x) / x as a polynomial of x^2, for |x| up to 5/8.
template <class T>
struct tanh_constants;

template <>
struct tanh_constants<float> {
  // Worst relative error 4.0e-9.
  static constexpr std::array polynomial{0.999999996023f,   -0.333332598629f, 0.133311140557f,
                                         -0.0537201076566f, 0.0205881914546f, -0.00565713518438f};
};

template <>
struct tanh_constants<double> {
  // Worst relative error 9.8e-18.
  static constexpr std::array polynomial{0.99999999999999999024,     -0.33333333333332613516,   0.13333333333245252897,
                                         -0.053968253925945695567,   0.021869487483410595755,   -0.0088632200212560951287,
                                         0.0035919825215839249649,   -0.001454929385854390258,  0.00058623143160506117835,
                                         -0.00022841018529512850373, 0.00007698563199045422871, -0.000016001499513001041087};
};

// tanh(rate x). Up to |rate x| = 5/8, where the logits of a softcap mostly lie, without a division: a batch that has no lane beyond pays
// for nothing else. Each lane has the bits that it has alone. Within 3 units of the last place, odd, at most 1; NaN stays NaN.
template <class Batch>
  requires(!is_scalar<Batch>)
Batch tanh(const Batch& x, scalar<Batch> rate = 1) {
  using T = scalar<Batch>;
  const Batch scaled = x * Batch(rate), square = scaled * scaled;
  const Batch near = scaled * polynomial(tanh_constants<T>::polynomial, square);
  const auto beyond = square > Batch(T(0.625 * 0.625));
  if (!any(beyond)) [[likely]]  // of xsimd, which has none where it knows no instruction set
    return near;
  const Batch sign(T(-0.0)), power = simd::exp2(scaled | sign, 2 * std::numbers::log2e_v<T>);
  const Batch far = (Batch(T(1)) - power) / (Batch(T(1)) + power) | (scaled & sign);
  return simd::select(beyond, far, near);
}

template <std::floating_point T>
T tanh(T x, T rate = 1) {
  return std::tanh(x * rate);
}

template <class V>
dual<V> tanh(const dual<V>& x, scalar<V> rate = 1) {
  const V value = simd::tanh(x.value, rate);
  return {value, x.slope * (V(rate) * (V(1) - value * value))};
}

}  // namespace simd
LONGSPAN_NAMESPACE_END

LONGSPAN_QUIET_END
