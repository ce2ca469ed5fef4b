#pragma once

#include <array>
#include <cstddef>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Which tokens of an axis are a rank's: of 2 R stripes, as equal as can be, numbers r and 2 R - 1 - r. Under a causal mask a pair of an
// early and a late stripe sees as many keys as any other pair, of the keys of every rank. Two that are neighbours, those of the last rank,
// are one; empty ones are left out.
class stripes {
 public:
  stripes() = default;
  stripes(index_t tokens, index_t ranks, index_t rank) {
    add(stripe(tokens, 2 * ranks, rank));
    add(stripe(tokens, 2 * ranks, 2 * ranks - 1 - rank));
  }

  std::size_t count() const { return count_; }
  interval operator[](std::size_t s) const { return each_[s]; }
  index_t tokens() const { return each_[0].size() + each_[1].size(); }

  // Where a stripe is among the rank's own tokens.
  interval own(std::size_t s) const {
    const index_t first = s == 0 ? 0 : each_[0].size();
    return {first, first + each_[s].size()};
  }

 private:
  static interval stripe(index_t tokens, index_t of, index_t number) {
    const auto begin = [&](index_t n) { return tokens / of * n + tokens % of * n / of; };
    return {begin(number), begin(number + 1)};
  }
  void add(interval tokens) {
    if (tokens.empty()) return;
    if (count_ > 0 && each_[0].last == tokens.first)
      each_[0].last = tokens.last;
    else
      each_[count_++] = tokens;
  }

  std::array<interval, 2> each_;
  std::size_t count_ = 0;
};

template <class View>
using number_of = std::remove_const_t<std::remove_pointer_t<decltype(View::data)>>;

// Some tokens of a tensor, of every text and head.
template <class S>
view<S> tokens_of(const view<S>& tensor, interval tokens) {
  view<S> some = tensor;
  some.extent[2] = tokens.size();
  if (!tokens.empty()) some.data += tokens.first * tensor.stride[2];
  return some;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
