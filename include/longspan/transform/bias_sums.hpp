#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <numeric>
#include <type_traits>

#include <longspan/core/interval.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tensor/broadcast.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/transform/key_sums.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Calls visit(b, h, i) for the rows of some extents, slowest axis first.
template <class Visit>
void for_each_row(interval batches, interval heads, interval rows, Visit visit) {
  for (index_t b = batches.first; b < batches.last; ++b)
    for (index_t h = heads.first; h < heads.last; ++h)
      for (index_t i = rows.first; i < rows.last; ++i) visit(b, h, i);
}

// Where the gradient of a bias of extents (batch, head, query, key) is summed while a backward pass runs. A number that belongs to one
// query and one key is summed in the gradient itself if it is of type T, else in memory of T. Numbers that many queries or many keys
// share would be added to by several threads in any order: each head sums its own, by key or else by query, and finish() adds the heads
// up. Copies share the memory.
template <class T, class D>
class bias_sums {
 public:
  bias_sums(const view<D>& gradient, const shapes& lengths) : gradient_(gradient), by_lane_(gradient.extent[3] == 1) {
    const auto& [batch, heads, queries, keys] = gradient.extent;
    if (by_lane_) {
      sum_in_memory({lengths.batch, lengths.heads, lengths.queries, simd::lanes<simd::batch<T>>});
    } else if (queries == 1) {
      sum_in_memory({lengths.batch, lengths.heads, 1, keys});
    } else {
      if constexpr (std::is_same_v<T, D>)
        sums_ = gradient;
      else
        sum_in_memory(gradient.extent);
    }
    heads_add_up_ = sums_.extent[0] < lengths.batch || sums_.extent[1] < lengths.heads;
  }

  key_sums<T> operator()(const query_row& row) const {
    T* const at = detail::broadcast_row(sums_, row);
    if (by_lane_) return {at, 0, {}};
    const interval keys = places_of_text(gradient_.extent[3], row);
    return {at + row.key(keys.first) * sums_.stride[3], sums_.stride[3], keys};
  }

  // Whether heads or texts add to the same sums.
  bool heads_add_up() const { return heads_add_up_; }

  void begin() const {
    for_each_row(all(sums_, 0), all(sums_, 1), all(sums_, 2), [&](index_t b, index_t h, index_t i) {
      T* const row = sums_.head(b, h).row(i);
      if (sums_.stride[3] == 1)
        std::fill(row, row + sums_.extent[3], T(0));
      else
        for (index_t j = 0; j < sums_.extent[3]; ++j) row[j * sums_.stride[3]] = T(0);
    });
  }

  void finish() const {
    if (memory_ == nullptr) return;
    buffer<double> total(std::size_t(gradient_.extent[3]));
    for_each_row(all(gradient_, 0), all(gradient_, 1), all(gradient_, 2), [&](index_t b, index_t h, index_t i) {
      std::fill(total.begin(), total.end(), 0.0);
      for_each_row(shared(0, b), shared(1, h), shared(2, i), [&](index_t of, index_t head, index_t query) {
        const T* const row = sums_.head(of, head).row(query);
        if (by_lane_)
          total[0] = std::accumulate(row, row + sums_.extent[3], total[0]);
        else
          std::transform(row, row + sums_.extent[3], total.begin(), total.begin(), [](T x, double y) { return double(x) + y; });
      });
      D* const to = gradient_.head(b, h).row(i);
      for (index_t j = 0; j < gradient_.extent[3]; ++j) to[j * gradient_.stride[3]] = static_cast<D>(total[std::size_t(j)]);
    });
  }

 private:
  void sum_in_memory(const std::array<index_t, 4>& extent) {
    sums_ = {nullptr, extent, {extent[1] * extent[2] * extent[3], extent[2] * extent[3], extent[3], 1}};
    memory_ = std::make_shared<buffer<T>>(std::size_t(std::max<index_t>(sums_.size(), 0)));
    sums_.data = memory_->data();
  }

  template <class S>
  static interval all(const view<S>& tensor, std::size_t axis) {
    return {0, tensor.extent[axis]};
  }
  // The sums along an axis that an element of the gradient stands for.
  interval shared(std::size_t axis, index_t index) const {
    return gradient_.extent[axis] == 1 ? all(sums_, axis) : interval{index, index + 1};
  }

  view<D> gradient_;
  view<T> sums_;
  bool by_lane_, heads_add_up_;
  std::shared_ptr<buffer<T>> memory_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
