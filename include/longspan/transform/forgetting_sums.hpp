#pragma once

#include <algorithm>
#include <memory>

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

// Where the gradient of the numbers c of `forgetting`, as (batch, head, 1, token), is summed while a backward pass runs. A token is added
// to as a query and, by other threads, as a key: the two sums are kept apart, for each head, and finish() takes one from the other. Copies
// share the memory.
template <class T, class D>
class forgetting_sums {
  static constexpr index_t lanes = simd::lanes<simd::batch<T>>;

 public:
  forgetting_sums(const view<D>& gradient, const shapes& lengths) : gradient_(gradient) {
    const index_t tokens = std::max<index_t>(gradient.extent[3], 0), batch = lengths.batch, heads = lengths.heads;
    memory_ = std::make_shared<buffer<T>>(std::size_t(batch * heads * tokens * (lanes + 1)));
    as_query_ = {memory_->data(), {batch, heads, tokens, lanes}, {heads * tokens * lanes, tokens * lanes, lanes, 1}};
    as_key_ = {as_query_.data + as_query_.size(), {batch, heads, 1, tokens}, {heads * tokens, tokens, 0, 1}};
  }

  key_sums<T> of_keys(const query_row& row) const {
    const interval keys = places_of_text(as_key_.extent[3], row);
    return {broadcast_row(as_key_, row) + row.key(keys.first), 1, keys};
  }
  // None where the query's own token is not among the keys.
  key_sums<T> of_query(const query_row& row) const {
    if (!of_keys(row).keys.contains(row.position)) return {};
    return {as_query_.head(row.batch, row.head).row(row.key(row.position)), 0, {}};
  }

  void begin() const { std::fill(memory_->begin(), memory_->end(), T(0)); }

  void finish() const {
    const auto& [batches, heads, none, tokens] = gradient_.extent;
    for (index_t b = 0; b < batches; ++b)
      for (index_t h = 0; h < heads; ++h)
        for (index_t j = 0; j < tokens; ++j)
          gradient_.head(b, h).data[j * gradient_.stride[3]] = static_cast<D>(total(shared(0, b), shared(1, h), j));
  }

 private:
  // Of one token, over the texts and heads that share its number.
  double total(interval batches, interval heads, index_t token) const {
    double sum = 0;
    for (index_t b = batches.first; b < batches.last; ++b)
      for (index_t h = heads.first; h < heads.last; ++h) {
        for (index_t l = 0; l < lanes; ++l) sum += double(as_query_.head(b, h).row(token)[l]);
        sum -= double(as_key_.head(b, h).data[token]);
      }
    return sum;
  }
  interval shared(std::size_t axis, index_t index) const {
    return gradient_.extent[axis] == 1 ? interval{0, as_query_.extent[axis]} : interval{index, index + 1};
  }

  view<D> gradient_;
  view<T> as_query_, as_key_;
  std::shared_ptr<buffer<T>> memory_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
