#pragma once

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The keys that the kernel multiplies query rows with, a tile at a time, wherever they are kept. The kernel takes any class with this
// function. A prefill gives it the one kind that it has, inlined; decoding, whose time is that of memory, chooses one of several kinds
// for each tile and gives it as this base, so that the kernel is compiled once for all of them.
template <class Words>
class key_operand {
 public:
  using T = typename Words::compute;

  // Dot products of some prepared query rows, `query_stride` words apart, with some keys of one panel, whole batches of them: key after
  // key from `to` on, rows `stride` apart.
  virtual void multiply(const T* query, index_t query_stride, index_t rows, interval keys, T* to, index_t stride) const = 0;

 protected:
  ~key_operand() = default;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
