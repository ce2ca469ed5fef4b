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

// A number of every distance that some row sees, farthest first, so that the keys under a batch find theirs side by side; and its
// derivative by the learned number that asks for it, if one does. Distances that no row sees hold zeros; `touched` pads the ends for
// the lanes that a tile cuts away.
template <class T>
class distance_column {
 public:
  explicit distance_column(const reach& distances)
      : beyond_(distances.touched.last), numbers_(std::make_shared<numbers>(std::size_t(distances.touched.size()))) {}

  void set(index_t distance, const learned& number) {
    const auto at = std::size_t(beyond_ - 1 - distance);
    numbers_->value[at] = T(number.value);
    if (number.slope == 0 && numbers_->slope.empty()) return;
    numbers_->slope.resize(numbers_->value.size());
    numbers_->slope[at] = T(number.slope);
  }

  // The numbers of a row: those under a batch of keys, of the kind of number that tells where the keys stand.
  struct of_row {
    const T *value, *slope;
    index_t origin;

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
    return {numbers_->value.data(), numbers_->slope.empty() ? nullptr : numbers_->slope.data(), beyond_ - 1 - row.position};
  }

 private:
  struct numbers {
    std::vector<T> value, slope;
    explicit numbers(std::size_t size) : value(size) {}
  };
  index_t beyond_;
  std::shared_ptr<numbers> numbers_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
