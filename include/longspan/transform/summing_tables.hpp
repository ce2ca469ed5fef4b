#pragma once

#include <memory>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/simd/select.hpp>
#include <longspan/transform/bucket_sums.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The function of a row of tables by distance, z = s + shift or z = scale s + shift, in a backward pass that sums the gradients by the
// shift along diagonals, and behind them, where Scaled, those by the scale.
template <class Logits, class T, bool Scaled>
struct summing_row : Logits {
  typename bucket_sums<T>::of_row place;
  index_t width, tile_sums;
  static constexpr bool heads_add_up = false;

  template <class Batch>
  void take(const Batch& logit, const Batch& d_logit, const auto& keys, auto* sums) const {
    place.add(keys.first, d_logit, sums);
    if constexpr (Scaled)  // where d_logit is 0 the logit may be anything
      place.add(keys.first, simd::select(d_logit == Batch(T(0)), d_logit, logit * d_logit), sums + width);
  }
};

// Tables by distance in such a pass.
template <class T, class Tables, bool Scaled>
struct summing_tables {
  Tables tables;
  std::shared_ptr<bucket_sums<T>> sums;

  auto operator()(const query_row& row) const {
    return summing_row<decltype(tables(row)), T, Scaled>{{tables(row)}, (*sums)(row), sums->width(), tile_sums()};
  }
  auto at_most(const query_row& row) const { return tables.at_most(row); }

  index_t tile_sums() const { return (Scaled ? 2 : 1) * sums->width(); }
  void add_up(index_t head, const double* of_tiles) const {
    sums->add_up(0, head, of_tiles);
    if (Scaled) sums->add_up(1, head, of_tiles + sums->width());
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
