#pragma once

#include <longspan/core/index.hpp>
#include <longspan/simd/batch.hpp>

namespace longspan::inline LONGSPAN_ISA {

// Every tuning number of the kernel, in rows, keys and registers. Logits of T, products in batches of `lanes`.
template <class T>
struct tile_shape {
  static constexpr index_t lanes = simd::lanes<batch<T>>;

  // The register block: 6 x 4 accumulators, 4 right operands and a broadcast fill the 32 registers of AVX-512 and 64-bit ARM with 0.42
  // loads per multiply-add; 6 x 2 fill the 16 of the others.
  static constexpr bool many_registers = lanes * index_t(sizeof(T)) == 64 || XSIMD_WITH_NEON64;
  static constexpr index_t block_rows = 6;
  static constexpr index_t block_batches = many_registers ? 4 : 2;

  // Keys are packed in panels as wide as the register block.
  static constexpr index_t panel = block_batches * lanes;

  // 48 rows use each key panel eight times from L1; the tile of 256 keys keeps K, V and scores of 64 channels (176 KiB in float) in L2.
  static constexpr index_t query_rows = 48;
  static constexpr index_t key_rows = 256;

  static_assert(query_rows % block_rows == 0 && key_rows % panel == 0);
};

constexpr index_t round_up(index_t number, index_t multiple) { return (number + multiple - 1) / multiple * multiple; }

}  // namespace longspan::inline LONGSPAN_ISA
