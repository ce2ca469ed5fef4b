#pragma once

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/tile/multiply.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What the kernel multiplies query rows with, a tile at a time: keys and values, wherever they are kept. The kernel takes any class with
// these functions. A prefill gives it the one kind that it has, whose functions are inlined; decoding, which has several kinds and whose
// time is that of memory, chooses one for each tile and gives it as these, so that the kernel is compiled once for all of them.

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

template <class Words>
class value_operand {
 public:
  using T = typename Words::compute;

  // out (+)= weights values, of some rows and whole words of keys. The words of weights begin with that of the first of the keys.
  virtual void multiply(start from, const T* weights, index_t stride, index_t rows, interval keys, T* out) const = 0;
  // out += weight value for one row and one key that shares its word with hidden ones.
  virtual void multiply_one(const T* weight, index_t key, T* out) const = 0;

 protected:
  ~value_operand() = default;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
