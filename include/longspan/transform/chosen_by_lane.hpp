#pragma once

#include <longspan/core/query_row.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/transform/keys.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A comparison in the body of a transform answers for each lane. `if`, `?:` and std::max would choose by it for all lanes at once. They do
// not compile, since masks of xsimd do not convert to bool, but for those of AVX-512, which do by way of an integer. There a sentence reads
// its bodies for batches of AVX2, too, that are neither run nor compiled to code, so that the same is refused in the same words. Of doubles,
// so that no body's numbers are narrowed.
#if XSIMD_WITH_AVX512F && !defined(LONGSPAN_SCALAR)
using strict_batch = xsimd::batch<double, xsimd::avx2>;
#else
using strict_batch = batch<double>;
#endif

template <class F>
concept chosen_by_lane =
    requires(const F& f, const query_row& row, const keys_under<strict_batch>& keys, const strict_batch& logit) {
      f(row)(logit, keys);
    } || true;

}  // namespace detail
LONGSPAN_NAMESPACE_END
