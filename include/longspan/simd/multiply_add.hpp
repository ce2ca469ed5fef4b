#pragma once

#include <concepts>

#include <longspan/simd/batch.hpp>
#include <longspan/simd/dual.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace simd {

// x y + z, rounded once on every instruction set that can. Where no fused instruction exists (SSE2, AVX), a fused result would take a
// library call for each lane, so the product is rounded there. xsimd::fma rounds twice under AVX-512 in version 8.1 and under AVX-VNNI in
// 12 to 14.0, which costs clang a quarter of the speed and gives other bits: those have overloads of their own.
template <class T, class A>
xsimd::batch<T, A> multiply_add(const xsimd::batch<T, A>& x, const xsimd::batch<T, A>& y, const xsimd::batch<T, A>& z) {
  return xsimd::fma(x, y, z);
}

template <std::floating_point T>
T multiply_add(T x, T y, T z) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return std::fma(x, y, z);
#else
  return x * y + z;
#endif
}

#if XSIMD_WITH_AVX512F
template <std::derived_from<xsimd::avx512f> A>
xsimd::batch<float, A> multiply_add(const xsimd::batch<float, A>& x, const xsimd::batch<float, A>& y,
                                    const xsimd::batch<float, A>& z) {
  return _mm512_fmadd_ps(x, y, z);
}
template <std::derived_from<xsimd::avx512f> A>
xsimd::batch<double, A> multiply_add(const xsimd::batch<double, A>& x, const xsimd::batch<double, A>& y,
                                     const xsimd::batch<double, A>& z) {
  return _mm512_fmadd_pd(x, y, z);
}
#elif XSIMD_WITH_AVX && defined(__FMA__)
template <std::derived_from<xsimd::avx> A>
  requires(!std::derived_from<A, xsimd::fma3<xsimd::avx2>>)
xsimd::batch<float, A> multiply_add(const xsimd::batch<float, A>& x, const xsimd::batch<float, A>& y,
                                    const xsimd::batch<float, A>& z) {
  return _mm256_fmadd_ps(x, y, z);
}
template <std::derived_from<xsimd::avx> A>
  requires(!std::derived_from<A, xsimd::fma3<xsimd::avx2>>)
xsimd::batch<double, A> multiply_add(const xsimd::batch<double, A>& x, const xsimd::batch<double, A>& y,
                                     const xsimd::batch<double, A>& z) {
  return _mm256_fmadd_pd(x, y, z);
}
#endif

template <class V>
dual<V> multiply_add(const dual<V>& x, const V& y, const V& z) {
  return {multiply_add(x.value, y, z), x.slope * y};
}
template <class V>
dual<V> multiply_add(const V& x, const dual<V>& y, const V& z) {
  return multiply_add(y, x, z);
}
template <class V>
dual<V> multiply_add(const dual<V>& x, const dual<V>& y, const dual<V>& z) {
  return {multiply_add(x.value, y.value, z.value), x.slope * y.value + x.value * y.slope + z.slope};
}

}  // namespace simd
LONGSPAN_NAMESPACE_END
