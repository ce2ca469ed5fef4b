#pragma once

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/tile/multiply.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The values that the kernel multiplies weights with: what key_operand is to keys.
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
