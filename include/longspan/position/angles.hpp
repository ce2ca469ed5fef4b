#pragma once

#include <cmath>
#include <complex>
#include <utility>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The cosines and sines of a ladder, position by position, with bits that depend on the position alone: on no table, no text and no
// order. std::polar is asked for the multiples of 64 and for the 64 offsets from there; the positions between are their complex products
// in double, at a twelfth of the cost (1 ns a pair on Zen 5). A position that is no integer has a cosine and a sine of its own.
class angles {
 public:
  angles(ladder rungs)
      : rungs_(std::move(rungs)), padded_(round_up(count(), lanes)), offsets_(std::size_t(block)), product_(turns(padded_)) {}

  index_t count() const { return index_t(rungs_.frequencies.size()); }
  longspan::pairing pairing() const { return rungs_.pairing; }

  // Writes the cosine of every pair, then the sines, times the magnitude.
  template <class T>
  void write(index_t position, T* to) {
    const index_t offset = (position % block + block) % block;
    if (begin_.cosine.empty() || first_ != position - offset)
      turn_at(double(position - offset), 1, begin_), first_ = position - offset;
    turns& within = offsets_[std::size_t(offset)];
    if (within.cosine.empty()) turn_at(double(offset), rungs_.magnitude, within);
    multiply(begin_, within, product_);
    copy(product_, to);
  }
  template <class T>
  void write(double position, T* to) {
    constexpr double exact = 9007199254740992;  // 2^53: integers beyond it are not all doubles
    if (std::abs(position) < exact && position == std::floor(position)) return write(index_t(position), to);
    turn_at(position, rungs_.magnitude, product_);
    copy(product_, to);
  }

 private:
  using Batch = batch<double>;
  static constexpr index_t block = 64, lanes = simd::lanes<Batch>;

  // Of every pair, padded with zeros to whole batches.
  struct turns {
    std::vector<double> cosine, sine;
    turns() = default;
    explicit turns(index_t padded) : cosine(std::size_t(padded)), sine(cosine) {}
  };

  // In memory that is there from the second time on.
  void turn_at(double position, double magnitude, turns& each) const {
    each.cosine.resize(std::size_t(padded_)), each.sine.resize(std::size_t(padded_));
    for (std::size_t i = 0; i < rungs_.frequencies.size(); ++i) {
      const auto turn = std::polar(magnitude, position * rungs_.frequencies[i]);
      each.cosine[i] = turn.real(), each.sine[i] = turn.imag();
    }
  }

  static void multiply(const turns& a, const turns& b, turns& product) {
    for (std::size_t i = 0; i < product.cosine.size(); i += std::size_t(lanes)) {
      const Batch c = simd::load<Batch>(&a.cosine[i]), s = simd::load<Batch>(&a.sine[i]), x = simd::load<Batch>(&b.cosine[i]),
                  y = simd::load<Batch>(&b.sine[i]);
      simd::store(&product.cosine[i], simd::multiply_add(c, x, -(s * y)));
      simd::store(&product.sine[i], simd::multiply_add(s, x, c * y));
    }
  }

  template <class T>
  void copy(const turns& from, T* to) const {
    const index_t pairs = count();
    for (index_t i = 0; i < pairs; ++i) to[i] = T(from.cosine[std::size_t(i)]), to[pairs + i] = T(from.sine[std::size_t(i)]);
  }

  ladder rungs_;
  index_t padded_;
  std::vector<turns> offsets_;  // each made when it is first asked for
  turns begin_;                 // of the block that begins at first_
  index_t first_ = 0;
  turns product_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
