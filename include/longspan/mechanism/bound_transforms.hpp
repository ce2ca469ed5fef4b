#pragma once

#include <tuple>
#include <type_traits>

#include <longspan/core/query_row.hpp>
#include <longspan/mechanism/composed.hpp>
#include <longspan/mechanism/takers.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

template <class Transforms>
inline constexpr bool some_read_tensors = false;
template <class... Each>
inline constexpr bool some_read_tensors<std::tuple<Each...>> = (reads_tensors<std::remove_cvref_t<Each>> || ...);

// What becomes of the dot product of a prepared query and a prepared key: the score's scale, then the transforms in the order written.
template <class Transforms>
struct bound_transforms {
  double scale;
  Transforms transforms;

  // Whether any reads a tensor, of which heads may share a row.
  static constexpr bool read_tensors = some_read_tensors<Transforms>;

  // The function of one row's scores, which start from scale * dot product: by the definition.
  auto of_scores(const query_row& row) const {
    return std::apply([&](const auto&... each) { return composed{std::tuple{each(row)...}}; }, transforms);
  }

  // The same for the kernel, which starts from the dot product: function(factor * dot product). See tempered_function.
  auto of_products(const query_row& row) const {
    return std::apply([&](const auto&... each) { return detail::tempered(learned(scale), each(row)...); }, transforms);
  }

  // How many numbers transforms sum for each query head of a tile of keys while they take gradients, see takes_gradient; and hands over
  // those of a head and all of its tiles.
  index_t tile_sums() const {
    return std::apply([](const auto&... each) { return (index_t(0) + ... + sums_of(each)); }, transforms);
  }
  void add_up(index_t head, const double* sums) const {
    const auto one = [&](const auto& each) {
      if constexpr (requires { each.tile_sums(); }) each.add_up(head, sums);
      sums += sums_of(each);
    };
    std::apply([&](const auto&... each) { (one(each), ...); }, transforms);
  }

 private:
  static index_t sums_of(const auto& transform) {
    if constexpr (requires { transform.tile_sums(); })
      return transform.tile_sums();
    else
      return 0;
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
