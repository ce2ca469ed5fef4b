#pragma once

#include <algorithm>

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

constexpr index_t round_down(index_t number, index_t multiple) { return number / multiple * multiple; }
constexpr index_t round_up(index_t number, index_t multiple) { return round_down(number + multiple - 1, multiple); }

// Every tuning number of the kernel, in rows, keys and registers. Logits of T, products in batches of `lanes`.
template <class T>
struct tile_shape {
  static constexpr index_t lanes = simd::lanes<batch<T>>;

  // The register block: 6 x 4 accumulators, 4 right operands and a broadcast fill the 32 registers of AVX-512 and 64-bit ARM with 0.42
  // loads per multiply-add; 6 x 2 fill the 16 of the others.
  static constexpr bool many_registers = lanes * index_t(sizeof(T)) == 64 || XSIMD_WITH_NEON64;
  struct block {
    static constexpr index_t rows = 6, batches = many_registers ? 4 : 2;
  };

  // Keys are packed in panels, whose scores for a register block of rows turn to logits while they are hot. Narrower ones pay more often
  // for the change of passes; the wider, the more keys beyond the diagonal are packed for nothing.
  static constexpr index_t panel = 64;

  // Query rows that share the passes over a tile of keys from L2.
  static constexpr index_t query_rows = 48;

  // As many query rows as can share a key that is read but once: 16 registers of keys and a sum for each row.
  static constexpr index_t streamed_rows = many_registers ? 8 : 6;

  // Bytes that are asked for before they are read: a batch of keys, whose last is needed as soon as its first, and a little more, since
  // what lies a multiple of 4 KiB apart shares a place in the first-level cache. At 128 channels 10 KiB are best; 8 KiB are 5 % slower,
  // 7 KiB 11 %, 13 KiB 2 %.
  static constexpr index_t asked_ahead(index_t key_bytes) { return std::max<index_t>(8 * 1024, lanes * key_bytes) + 2048; }

  // A tile of keys, whose softmax is computed at once: rows of 2 KiB of scores, so that what a tile costs beside its keys is a fiftieth
  // (256 floats instead of 512 are 2 points slower, 128 are 6; 512 doubles 2 points slower than 256), halved until keys and values of
  // `words` together take no more than half of a 1 MiB L2. Tiles begin at multiples of their length from the first key of a call, whoever
  // asks, so it depends on nothing but the sizes of the heads.
  static constexpr index_t key_rows(index_t words) {
    index_t keys = index_t(2048 / sizeof(T));
    while (keys > 128 && keys * words * index_t(sizeof(T)) > 512 * 1024) keys /= 2;
    return keys;
  }

  // A tile of keys in the backward pass: what query rows pass between two visits to their gradients.
  static constexpr index_t backward_key_rows = 256;

  static_assert(query_rows % block::rows == 0 && panel % (block::batches * lanes) == 0 && key_rows(1) % panel == 0 &&
                key_rows(1 << 20) % panel == 0);
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
