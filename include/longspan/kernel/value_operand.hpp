#pragma once

#include <cstdint>
#include <span>

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
  // out += weights values of as many rows as there are words of bits, each with the keys that it sees: bit j says whether it sees key
  // keys.first + j. At most the keys of a panel.
  virtual void multiply_seen(const T* weights, index_t stride, std::span<const std::uint64_t> seen, interval keys,
                             T* out) const = 0;

 protected:
  ~value_operand() = default;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
