#pragma once

#include <type_traits>

#include <longspan/tensor/eigen.hpp>

LONGSPAN_NAMESPACE_BEGIN

namespace detail {

// As a pointer to another type of the same size that is nothing but its bits; to const where the words are.
template <class Number, class Word>
auto bits_as(Word* words) {
  if constexpr (!std::is_void_v<Word>)
    static_assert(sizeof(Word) == sizeof(Number) && alignof(Word) >= alignof(Number) && std::is_trivially_copyable_v<Word>,
                  "bits of 16-bit numbers lie in words of 16 bits, such as std::uint16_t, or are told by a void pointer");
  using to = std::conditional_t<std::is_const_v<Word>, const Number, Number>;
  return static_cast<to*>(static_cast<std::conditional_t<std::is_const_v<Word>, const void, void>*>(words));
}

}  // namespace detail

// Memory that holds the bits of bfloat16 or of half in 16-bit words (std::uint16_t, a struct of an engine's, void), as numbers: without a
// copy, to read or, where the words are not const, to write. For a tensor of them:
//   view<const Eigen::bfloat16> keys{bfloat16_bits(words), {batch, heads, tokens, channels}, strides};
template <class Word>
auto bfloat16_bits(Word* words) {
  return detail::bits_as<Eigen::bfloat16>(words);
}
template <class Word>
auto half_bits(Word* words) {
  return detail::bits_as<Eigen::half>(words);
}

LONGSPAN_NAMESPACE_END
