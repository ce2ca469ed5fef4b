#pragma once

#include <algorithm>
#include <array>
#include <span>
#include <type_traits>

#include <longspan/core/index.hpp>
#include <longspan/core/shapes.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/widen.hpp>
#include <longspan/simd/words.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Rows of words: what the products read of queries, keys and values.

// Words that hold so many channels, and the same in whole batches: how far rows stand apart.
template <class Words>
constexpr index_t words_for(index_t channels) {
  return round_up(channels, Words::per_word) / Words::per_word;
}
template <class Words>
constexpr index_t padded_words_for(index_t channels) {
  return round_up(words_for<Words>(channels), simd::lanes<typename Words::Batch>);
}

// Words of a key and its value, and how many keys a tile of the forward pass holds.
template <class Words>
constexpr index_t words_of_a_key(const shapes& lengths) {
  return words_for<Words>(lengths.channels) + words_for<Words>(lengths.value_channels);
}
template <class Words>
constexpr index_t tile_keys(const shapes& lengths) {
  return tile_shape<typename Words::compute>::key_rows(words_of_a_key<Words>(lengths));
}

// Numbers to words, in place: `words` of them, whole batches.
template <class Words>
void join_row(typename Words::compute* row, index_t words) {
  if constexpr (Words::per_word > 1) {
    constexpr index_t lanes = simd::lanes<typename Words::Batch>;
    for (index_t c = 0; c < words; c += lanes) {
      std::array<typename Words::Batch, std::size_t(Words::per_word)> numbers;
      for (index_t w = 0; w < Words::per_word; ++w)
        numbers[std::size_t(w)] = simd::load<typename Words::Batch>(row + c * Words::per_word + w * lanes);
      simd::store(row + c, Words::join(numbers));
    }
  }
}

// Rounds a row of numbers as words hold them, in place: the backward pass multiplies numbers, and must see the rows that the forward pass
// saw.
template <class Words>
void round_row(std::span<typename Words::compute> row) {
  if constexpr (Words::per_word > 1) {
    constexpr index_t lanes = simd::lanes<typename Words::Batch>;
    std::array<typename Words::compute, std::size_t(lanes)> some{};
    for (index_t c = 0; c < index_t(row.size()); c += lanes) {
      const auto part = row.subspan(std::size_t(c), std::size_t(std::min(lanes, index_t(row.size()) - c)));
      std::copy(part.begin(), part.end(), some.begin());
      simd::store(some.data(), Words::rounded(simd::load<typename Words::Batch>(some.data())));
      std::copy_n(some.begin(), part.size(), part.begin());
    }
  }
}

// Whether a token's channels in memory are a row of words already, in whole batches.
template <class Words, head_rows Head>
bool is_words(const Head& rows) {
  using T = typename Words::compute;
  using S = typename Head::number;
  return (Words::per_word > 1 ? sizeof(S) * std::size_t(Words::per_word) == sizeof(T) : std::is_same_v<S, T>) &&
         rows.channel_stride == 1 && rows.channels % (Words::per_word * simd::lanes<typename Words::Batch>) == 0 &&
         rows.token_stride % Words::per_word == 0;
}

// As what the products read rows that lie ready: words, or 16-bit numbers that become words when they are loaded (simd/widen.hpp).
template <class Words, head_rows Head>
inline constexpr bool widens_to_words =
    std::is_same_v<Words, number_words<float>> && simd::widens<narrow_format<typename Head::number>>;
template <class Words, head_rows Head>
using row_number = std::conditional_t<widens_to_words<Words, Head>, typename Head::number, typename Words::compute>;

// Whether rows lie ready for that, in whole batches.
template <class Words, head_rows Head>
bool lies_ready(const Head& rows) {
  return is_words<Words>(rows) ||
         (widens_to_words<Words, Head> && rows.channel_stride == 1 && rows.channels % simd::lanes<typename Words::Batch> == 0);
}

// A token's channels, prepared, as a row of words; clears what pads them. `row` has room for the numbers.
template <class Words, head_rows Head, class Prepare>
void prepare_row(const Head& from, index_t token, typename Words::compute* row, Prepare prepare) {
  using T = typename Words::compute;
  const index_t words = padded_words_for<Words>(from.channels);
  copy_row(from.row(token), from.channel_stride, row, 1, from.channels);
  prepare(std::span<T>(row, std::size_t(from.channels)));
  std::fill(row + from.channels, row + words * Words::per_word, T(0));
  join_row<Words>(row, words);
}

// Keys `first` and on of a key head, prepared, rows `stride` words apart. Those beyond the last repeat it: their scores are cut.
template <class Words, class Mechanism, head_rows Head, class Ahead>
void prepare_keys_of_head(const Mechanism& mechanism, index_t key_head, const Head& keys, index_t first, index_t count,
                          typename Words::compute* to, index_t stride, Ahead& ahead) {
  using T = typename Words::compute;
  for (index_t j = 0; j < count; ++j) {
    const index_t token = std::min(first + j, keys.tokens - 1);
    ahead.ask(keys.channels * index_t(sizeof(typename Head::number)));
    prepare_row<Words>(keys, token, to + j * stride,
                       [&](std::span<T> channels) { mechanism.key(channels, mechanism.key_token(key_head, token)); });
  }
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
