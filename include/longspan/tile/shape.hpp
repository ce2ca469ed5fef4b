#pragma once

#include <algorithm>
#include <cstddef>

#include <longspan/core/index.hpp>
#include <longspan/core/key_set.hpp>
#include <longspan/simd/batch.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

constexpr index_t round_down(index_t number, index_t multiple) { return number / multiple * multiple; }
constexpr index_t round_up(index_t number, index_t multiple) { return round_down(number + multiple - 1, multiple); }

// Every tuning number of the kernel, in rows, keys, words and registers, for products that compute in T.
template <class T>
struct tile_shape {
  static constexpr index_t lanes = simd::lanes<batch<T>>;

  // The register block of a product: accumulators for 6 rows x 4 batches, 4 right operands and a broadcast take 29 of the 32 registers of
  // AVX-512 and 64-bit ARM, with 0.42 loads per multiply-add; 6 x 2, 2 and a broadcast take 15 of the 16 of the others.
  static constexpr bool many_registers = lanes * index_t(sizeof(T)) == 64 || XSIMD_WITH_NEON64;
  struct block {
    static constexpr index_t rows = 6, batches = many_registers ? 4 : 2;
  };

  // Keys are packed in panels. The scores of a register block of rows for one panel become logits while they are in L1. Smaller panels
  // switch between product and transform more often; larger ones pack more keys beyond the diagonal in vain. 64 keys are one word of bits
  // (core/key_set.hpp); 128 were as fast.
  static constexpr index_t panel = panel_keys;

  // Batches of logits that become weights abreast (simd/abreast.hpp): 1 to 2 points of the peak more than one after the other, 4 to 6 in
  // double (Zen 5). Two are slower with AVX2; eight are as fast.
  static constexpr index_t abreast = 4;

  // Query rows that share one pass over a tile of keys in L2. With AVX-512 96 are 1 to 2 points of the peak faster than 48 at 4096 keys and
  // as fast at 512, and 24 are up to 1 point slower than 48; with AVX2 48 and 96 are alike (Zen 5).
  static constexpr index_t query_rows = 96;

  // A prefill prepares keys and values of as many key heads at once as take so many words, 16 MiB, or of one for each thread: fewer rounds
  // in which threads wait for each other (63 texts of 100 tokens and one of 4096 on two: 1.85 x instead of 1.82), and a bias that heads
  // share is read from the cache by all but the first, where they pass their tiles of rows in turn (8 heads of 4096 tokens: 8 % beside
  // reading it instead of 14). Half of it is as good for a bias (Zen 5, 64 channels).
  static constexpr index_t wave_words = (index_t(16) << 20) / index_t(sizeof(T));

  // Up to so many rows of a key head are a call that decodes: its threads share the keys instead of the rows, and none are packed. Where
  // keys and values of a head take 4 MiB or more, packing them costs more than it gains for twice as many rows: 64 rows over 32768 keys of
  // 128 channels run at 72 to 75 % of the peak instead of 57 to 61 (AVX2: 84 instead of 69), over 2048 keys at 73 instead of 78 (Zen 5).
  static constexpr index_t decode_rows(index_t words) {
    return words * index_t(sizeof(T)) < (index_t(4) << 20) ? 48 : most_decode_rows;
  }
  static constexpr index_t most_decode_rows = 96;

  // The most query rows that are multiplied with keys in the registers that these are transposed in (tile/multiply_transposed.hpp): of 32
  // registers 16 hold a square of keys and the others one sum for each row. Where there are 16 (AVX2), 5 rows and more spill some: with 7
  // and 8 rows keys that are broadcast (tile/multiply_broadcast.hpp) are read 2 and 10 % faster. Keys for 16 rows, transposed in strips of
  // 4 channels, were slower than packed panels.
  static constexpr index_t streamed_rows = lanes * index_t(sizeof(T)) == 32 ? 4 : 8;

  // Batches of keys that are transposed at once. A sum is a chain of multiply-adds, 4 cycles each: with AVX2 one batch at a time reads 8
  // bytes a cycle at most, whatever the rows. Two at once read 84 % of the bandwidth instead of 76 with 4 rows, and 92 instead of 83 with
  // one (Zen 5, 4096 keys). The chains of AVX-512 read 16 bytes a cycle, one batch at a time.
  // But of keys so many bytes apart, or a multiple, the 16 of two batches fall into one set of L1, which has 8 or 12 ways: 32 heads on 8
  // whose tokens are rows of 4 KiB are read at 81 to 90 % of the speed of head-major ones one batch at a time, and at 74 to 79 two at once.
  static constexpr index_t streamed_batches = lanes * index_t(sizeof(T)) == 32 ? 2 : 1, same_set = 4096;

  // Where a token is one row of memory, its heads pass a tile together, so many keys at a time, and memory is read in the order of its
  // addresses: 32 heads on 8 at 84 to 98 % of the speed of head-major tensors, with 64 keys at 68 to 72, and head by head at 57 to 69.
  // As many heads as take so many bytes.
  static constexpr index_t keys_side_by_side = 16, bytes_side_by_side = index_t(128) << 10;

  // Keys that are broadcast at once against so many batches of query rows: 8 to 24 sums, that many chains of multiply-adds. With one batch
  // six keys are 6 % slower than 8, twelve as fast, and sixteen half as fast where tokens lie 4 KiB apart, as the 12 ways of L1 no longer
  // tell them apart (Zen 5).
  static constexpr index_t broadcast_rows(index_t batches) { return many_registers || batches == 1 ? 8 : 4; }

  // The backward pass: query rows that pass a tile of keys together, whose bits by key are one word, and keys of a tile, over which rows
  // pass between two loads of their gradients. 128 keys are 1 to 3 points of the peak slower than 256 at 4096 tokens, 512 are 4 (Zen 5).
  static constexpr index_t backward_query_rows = 48, backward_key_rows = 256;

  // A tile of keys in the forward pass, whose softmax is computed at once: rows of 2 KiB of scores, so that the work per tile that does
  // not grow with its keys is 2 % (256 floats instead of 512 are 2 points slower, 128 are 6; 512 doubles 2 points slower than 256), halved
  // until keys and values of `words` together take no more than half of a 1 MiB L2. Tiles begin at multiples of their length from the
  // first key of a call, in prefill and decoding alike, so the length depends on nothing but the channels.
  static constexpr index_t key_rows(index_t words) {
    index_t keys = index_t(2048 / sizeof(T));
    while (keys > 128 && keys * words * index_t(sizeof(T)) > 512 * 1024) keys /= 2;
    return keys;
  }

  // Prefetch distance in bytes: the keys that are taken at once, because the product with a transposed square reads its last key as soon
  // as its first, and 2 KiB more, because addresses a multiple of 4 KiB apart compete for one L1 set. With a batch of keys of 128 channels
  // 10 KiB are best; 8 KiB are 5 % slower, 7 KiB 11 %, 13 KiB 2 %. Keys that are broadcast share the memory with more multiply-adds: with
  // 16 rows 34 KiB, a panel, run at 63 % of the peak, 10 KiB at 52, 66 KiB at 59.
  static constexpr index_t asked_ahead(index_t bytes_at_once) { return std::max<index_t>(8 * 1024, bytes_at_once) + 2048; }

  // The depth for which a product prefetches at once: asked at every step, what it counts goes through memory more slowly than the few
  // multiply-adds of a step do. With AVX2 caches of 8 bits and of floats are read 12 and 9 % faster.
  static constexpr index_t rows_asked_at_once = 4;

  // Keys of a page of a cache: whole panels, of which a tile holds whole pages.
  static constexpr index_t page_keys = 128;

  // The depth of a product whose right operand comes from memory is cut into parts of so many rows: 16 of 128 floats take 8 KiB, so that
  // the second register block of rows finds them in L1. Decoding 32 heads on 8 with 8 rows reads 2 points of the bandwidth less, with 32
  // rows 1 to 5 (Zen 5). Where more blocks pass, loading their sums for every part counts: 48 rows run 3 points of the peak faster by 32.
  static constexpr index_t streamed_depth(index_t blocks) { return blocks > 2 ? 32 : 16; }

  // Where a broadcast takes a shuffle (SSE2), the words of a register block of rows are broadcast so many at a time: 6 KiB, which stay in
  // L1 for all columns. 60 % of the peak instead of 56.
  static constexpr index_t spread_depth = 64;

  static_assert(query_rows % block::rows == 0 && most_decode_rows <= query_rows && backward_query_rows <= 64 &&
                panel % (block::batches * lanes) == 0 && page_keys % panel == 0 && key_rows(1) % page_keys == 0 &&
                key_rows(1 << 20) % page_keys == 0);
};

// Streams that a reader of much memory prefetches in, side by side through a window of so many bytes, and the least window worth it.
// Intel's prefetchers begin anew in every page of 4 KiB: a core of Emerald Rapids reads 14 to 16 GB/s in one stream and 20 in four, and
// decodes at 85 to 90 % of that instead of 72 to 78 (windows of 64 and 128 KiB: 83; into L1: 81; two streams: 78; eight: 87).
// Asked for in bursts of .5 to 2 KiB they are no faster. Zen 5 decodes at 83 to 92 % in one stream whose lines one instruction asks for
// (tile/read_ahead.hpp), and was not measured with four.
inline constexpr index_t prefetched_streams = 4, prefetched_window = index_t(32) << 10, least_window = index_t(4) << 10;
inline bool prefers_streams() {
#if defined(__x86_64__)
  return __builtin_cpu_is("intel") != 0;
#else
  return false;
#endif
}

// Decoding works on as many key heads at once as keep their tiles' parts, outputs not yet merged, in so many bytes: about an L2. 256 KiB
// and 4 MiB are as fast within the noise.
inline constexpr index_t decode_parts = index_t(1) << 20;

// Memory that a thread keeps for its next call, in bytes, and the largest block of it. Decoding must not allocate: 32 heads on 8 with 128
// channels over 32768 keys work in 1.4 MiB on one thread and 2.3 MiB on eight (bfloat16: 1.6 and 4.3 MiB), in blocks of 1 MiB and less.
// And a wave of a prefill (wave_words above) fits: the system clears every page of what was given back to it, which in a virtual machine
// takes 1.8 us each. A prefill of 8 heads of 2048 tokens whose values are packed, 8 MiB in all, takes 35.4 ms so, and 37.3 to 42
// where 8 MiB in blocks of 2 are kept (Emerald Rapids). The keys of longer texts cost less than what attends to them.
inline constexpr std::size_t kept_bytes = std::size_t(32) << 20, largest_kept_block = kept_bytes / 2;

}  // namespace detail
LONGSPAN_NAMESPACE_END
