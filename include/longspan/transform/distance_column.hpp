#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include <longspan/core/query_row.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/dual.hpp>
#include <longspan/transform/reach.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A table with a number for each distance of a call. It begins with the largest distance: a query sees consecutive keys at falling
// distances, so that a batch of keys is one load. Distances that no row sees hold 0. They are there for the lanes of a tile that the mask
// hides, up to `padding` keys after the last. Copies share the table.
template <class T>
class distance_column {
 public:
  explicit distance_column(const reach& distances)
      : largest_(distances.touched.last - 1), numbers_(std::make_shared<std::vector<T>>(std::size_t(distances.touched.size()))) {}

  void set(index_t distance, double number) { (*numbers_)[std::size_t(largest_ - distance)] = T(number); }

  // The numbers of one query row. Called with keys as a transform sees them, it returns those of their distances as a batch, or beside dual
  // numbers as one whose slope is 0: whatever `keys.lane` is.
  struct of_row {
    const T* value;
    index_t origin;  // where key 0 is in the table; may lie before its begin

    template <class Keys>
    auto operator()(const Keys& keys) const {
      using Lane = std::remove_cvref_t<decltype(keys.lane)>;
      if constexpr (is_dual<Lane>)
        return Lane(simd::load<decltype(Lane::value)>(value + (origin + keys.first)));
      else
        return simd::load<Lane>(value + (origin + keys.first));
    }
  };
  of_row operator()(const query_row& row) const { return {numbers_->data(), largest_ - row.position}; }

 private:
  index_t largest_;
  std::shared_ptr<std::vector<T>> numbers_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
