#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include <longspan/core/query_row.hpp>
#include <longspan/parameter/learned.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A table with a number for each distance of a call, and beside it the derivative of each by a learned number, if one was set. It
// begins with the largest distance: a query sees consecutive keys at falling distances, so that a batch of keys is one load.
// Distances that no row sees hold 0. They are there for the lanes of a tile that the mask hides, up to `padding` keys after the
// last.
template <class T>
class distance_column {
 public:
  explicit distance_column(const reach& distances)
      : largest_(distances.touched.last - 1), numbers_(std::make_shared<numbers>(std::size_t(distances.touched.size()))) {}

  // The slopes get memory with the first that is not 0.
  void set(index_t distance, const learned& number) {
    const auto at = std::size_t(largest_ - distance);
    numbers_->value[at] = T(number.value);
    if (number.slope == 0 && numbers_->slope.empty()) return;
    numbers_->slope.resize(numbers_->value.size());
    numbers_->slope[at] = T(number.slope);
  }

  // The numbers of one query row. Called with keys as a transform sees them, it returns those of their distances as a batch, or
  // with their slopes as a dual number: whatever `keys.lane` is.
  struct of_row {
    const T *value, *slope;
    index_t origin;  // where key 0 is in the table; may lie before its begin

    template <class Keys>
    auto operator()(const Keys& keys) const {
      using Lane = std::remove_cvref_t<decltype(keys.lane)>;
      const index_t at = origin + keys.first;
      if constexpr (is_dual<Lane>) {
        using Batch = decltype(Lane::value);
        return Lane(simd::load<Batch>(value + at), slope == nullptr ? Batch(T(0)) : simd::load<Batch>(slope + at));
      } else {
        return simd::load<Lane>(value + at);
      }
    }
  };
  of_row operator()(const query_row& row) const {
    return {numbers_->value.data(), numbers_->slope.empty() ? nullptr : numbers_->slope.data(), largest_ - row.position};
  }

 private:
  struct numbers {
    std::vector<T> value, slope;
    explicit numbers(std::size_t size) : value(size) {}
  };
  index_t largest_;
  std::shared_ptr<numbers> numbers_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
