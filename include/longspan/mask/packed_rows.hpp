#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/simd/packed_bits.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Bits of the keys along an axis, between two words of zeros: 64 of them may be read from up to 63 before the first key.
struct key_bits {
  const std::uint64_t* words = nullptr;

  static constexpr index_t words_for(index_t keys) { return (keys + 63) / 64 + 2; }

  // Of the keys from `key` on.
  std::uint64_t from(index_t key) const {
    const index_t at = key + 64, shift = at % 64;
    const std::uint64_t low = words[at / 64] >> shift;
    return shift == 0 ? low : low | words[at / 64 + 1] << (64 - shift);
  }
};

// What a row of a boolean mask sees, by position in the text: a key_set. One that sees all of its hull needs no bits.
class packed_row {
 public:
  packed_row(interval hull) : hull_(hull.hull()), count_(hull.size()) {}
  packed_row(interval hull, index_t count, key_bits bits, index_t first_key)
      : hull_(hull.hull()), count_(count), bits_(bits), first_key_(first_key) {}

  interval hull() const { return hull_; }
  index_t count() const { return count_; }
  std::uint64_t bits(index_t key) const {
    const std::uint64_t within = hull_.bits(key);
    return bits_.words == nullptr ? within : within & bits_.from(first_key_ + key);
  }

 private:
  interval hull_;
  index_t count_;
  key_bits bits_;
  index_t first_key_ = 0;  // where key 0 of the text is along the key axis
};

// A boolean tensor (batch, head, query, key) packed to bits: what answers for a boolean mask during a call. Rows that queries share, along
// axes of extent 1, are packed once. Hull and number of a row's keys are found when it is packed, and the bits are kept only of rows that
// do not see all of their hull: n^2 / 8 bytes at most, none for a causal mask.
class packed_rows {
 public:
  // `first_key` is that of the call, where the key axis counts all keys of the text.
  explicit packed_rows(const view<const unsigned char>& seen, index_t first_key = 0) : seen_(seen), first_key_(first_key) {
    rows_.reserve(std::size_t(seen.extent[0] * seen.extent[1] * seen.extent[2]));
    for (index_t b = 0; b < seen.extent[0]; ++b)
      for (index_t h = 0; h < seen.extent[1]; ++h)
        for (index_t i = 0; i < seen.extent[2]; ++i) add(seen.head(b, h).row(i));
  }

  // Keys that are not along the key axis, since they are not at hand, are hidden, unless the axis has extent 1.
  packed_row operator()(query_row row) const {
    row.first_key += first_key_;
    const auto along = [&](std::size_t axis, index_t index) { return seen_.extent[axis] == 1 ? 0 : index; };
    const kept& own =
        rows_[std::size_t((along(0, row.batch) * seen_.extent[1] + along(1, row.head)) * seen_.extent[2] + along(2, row.query))];
    const interval within = intersect(own.keys.hull, {row.first_key, row.first_key + row.keys});
    if (own.words == none) return packed_row(placed(within, row));
    const key_bits bits{words_.data() + own.words};
    const some_keys seen = within == own.keys.hull ? own.keys : among(bits, within);
    return {placed(seen.hull, row), seen.count, bits, row.first_key};
  }

 private:
  struct some_keys {
    interval hull;
    index_t count = 0;
  };
  struct kept {
    some_keys keys;  // along the key axis
    index_t words;   // where its bits are, or none
  };
  static constexpr index_t none = -1;

  // An axis of extent 1 stands for any number of keys.
  static constexpr interval all_keys{std::numeric_limits<index_t>::min() / 2, std::numeric_limits<index_t>::max() / 2};

  static interval placed(interval keys, const query_row& row) {
    return interval{keys.first - row.first_key, keys.last - row.first_key}.hull();
  }

  void add(const unsigned char* from) {
    const index_t keys = seen_.extent[3], first = index_t(words_.size());
    if (keys == 1) return rows_.push_back({{*from != 0 ? all_keys : interval{}}, none});
    words_.resize(std::size_t(first + key_bits::words_for(keys)));
    std::uint64_t* const words = words_.data() + first;
    words[0] = words[key_bits::words_for(keys) - 1] = 0;
    for (index_t key = 0; key < keys; key += 64)
      words[key / 64 + 1] = simd::packed_bits(from + key * seen_.stride[3], seen_.stride[3], std::min<index_t>(keys - key, 64));
    const some_keys seen = among({words}, {0, keys});
    const bool whole = seen.count == seen.hull.size();
    if (whole) words_.resize(std::size_t(first));
    rows_.push_back({seen, whole ? none : first});
  }

  // What is seen of some keys, which are along the key axis.
  static some_keys among(key_bits bits, interval keys) {
    const auto word = [=](index_t w) { return bits.words[w + 1] & keys.bits(64 * w); };
    index_t first = keys.first / 64, last = (keys.last + 63) / 64, count = 0;
    while (first < last && word(first) == 0) ++first;
    while (first < last && word(last - 1) == 0) --last;
    if (first >= last) return {};
    for (index_t w = first; w < last; ++w) count += std::popcount(word(w));
    return {{64 * first + std::countr_zero(word(first)), 64 * last - std::countl_zero(word(last - 1))}, count};
  }

  view<const unsigned char> seen_;
  index_t first_key_;
  buffer<kept> rows_;
  buffer<std::uint64_t> words_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
