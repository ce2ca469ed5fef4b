#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

// Features of what has just been read, without training: contexts that share their last bytes have similar rows.

// A channel for each bit of a 64-bit hash. More channels would mean less noise, and less to see: the noise is what plain
// attention drowns in.
constexpr std::ptrdiff_t channels = 64;
constexpr std::size_t deepest = 6;

// The finaliser of splitmix64: every bit of x reaches every bit of the result.
inline std::uint64_t scramble(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// The share of a context's last c bytes in a row is 1/c, and the shares add up to one.
inline std::array<float, deepest> weights() {
  std::array<float, deepest> weight;
  double sum = 0;
  for (std::size_t c = 1; c <= deepest; ++c) sum += 1 / double(c);
  for (std::size_t c = 1; c <= deepest; ++c) weight[c - 1] = float(std::sqrt(1 / double(c) / sum));
  return weight;
}

// Row i describes the bytes that end at i: the sum over c = 1 .. 6 of sqrt(share_c) times 64 signs hashed from the last c
// bytes. Its root mean square is about 1, so q.k/sqrt(d) is about N(0, 1) where nothing matches and sqrt(d) times the shared
// shares where the last bytes do: the base logits that both papers assume. Bytes before the text count as zero.
inline std::vector<float> features(std::string_view bytes) {
  const auto weight = weights();
  std::vector<float> rows(bytes.size() * std::size_t(channels));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    float* const row = rows.data() + i * std::size_t(channels);
    std::uint64_t context = 0;
    for (std::size_t c = 0; c < deepest; ++c) {
      const std::uint64_t byte = c <= i ? static_cast<unsigned char>(bytes[i - c]) : 0;
      context = scramble(context * 257 + byte + 1);
      for (std::size_t bit = 0; bit < std::size_t(channels); ++bit)
        row[bit] += (context >> bit & 1) != 0 ? weight[c] : -weight[c];
    }
  }
  return rows;
}

// Values: row i has a one in the column of byte i. The columns are the bytes that occur.
struct one_hot {
  std::array<std::ptrdiff_t, 256> column{};
  std::ptrdiff_t distinct = 0, width = 0;
  std::vector<float> rows;

  // Whole SIMD batches of columns, whatever the batch: such values are read where they lie.
  explicit one_hot(std::string_view bytes) {
    column.fill(-1);
    for (const char byte : bytes)
      if (auto& own = column[static_cast<unsigned char>(byte)]; own < 0) own = distinct++;
    width = (distinct + 15) / 16 * 16;
    rows.resize(bytes.size() * std::size_t(width));
    for (std::size_t i = 0; i < bytes.size(); ++i) rows[i * std::size_t(width) + std::size_t(of(bytes[i]))] = 1;
  }

  std::ptrdiff_t of(char byte) const { return column[static_cast<unsigned char>(byte)]; }
};
