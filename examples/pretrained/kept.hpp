#pragma once

#include <memory>
#include <vector>

#include "mechanism.hpp"
#include "team.hpp"

namespace pretrained {

using heads_in = longspan::view<const float>;
using heads_out = longspan::view<float>;

// The heads that stand side by side in the columns of a matrix with a row for each token.
template <class M>
auto heads_of(M& rows, index_t heads, index_t first_column = 0) {
  const index_t width = rows.cols(), channels = (width - first_column) / heads;
  using number = std::remove_pointer_t<decltype(rows.data())>;
  return longspan::view<number>{
      rows.data() + first_column, {1, heads, rows.rows(), channels}, {width * rows.rows(), channels, width, 1}};
}

// What one layer keeps of a text: its keys and values.
class kept {
 public:
  virtual ~kept() = default;
  virtual void append(const heads_in& k, const heads_in& v) = 0;
  // Attention of the last tokens.
  virtual void attend(const team& threads, const reading& by, const heads_in& q, const heads_out& output) const = 0;
  virtual void truncate(index_t length) = 0;
  virtual index_t bytes() const = 0;
};

// As they are, not turned: any mechanism may read them, and what is longer than `room` tokens does not fit.
std::unique_ptr<kept> keep_rows(index_t key_heads, index_t channels, index_t room);

// In a cache, turned once for one way of reading: what generates. As float, half of that, or a quarter.
template <class Storage>
std::unique_ptr<kept> keep_in_cache(index_t key_heads, index_t channels, const reading& by);

}  // namespace pretrained
