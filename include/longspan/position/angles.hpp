#pragma once

#include <bitset>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <utility>

#include <longspan/core/index.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/simd/multiply_add.hpp>
#include <longspan/tile/buffer.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The cosines and sines of a ladder, position by position, with bits that depend on the position alone: on no table, no text and no
// order. std::polar is asked for the multiples of 64 and for the 64 offsets from there; the positions between are their complex products
// in double, at a twelfth of the cost (1 ns a pair on Zen 5). A position that is no integer has a cosine and a sine of its own.
class angles {
 public:
  angles(ladder rungs)
      : rungs_(std::move(rungs)), padded_(round_up(count(), lanes)), turns_(std::size_t((block + 2) * 2 * padded_)) {}

  index_t count() const { return index_t(rungs_.frequencies.size()); }
  longspan::pairing pairing() const { return rungs_.pairing; }

  // Writes the cosine of every pair, then the sines, times the magnitude.
  template <class T>
  void write(index_t position, T* to) {
    const index_t offset = (position % block + block) % block;
    double *const within = turns_.data() + offset * 2 * padded_, *const begin = turns_.data() + block * 2 * padded_;
    if (first_ != position - offset) turn_at(double(position - offset), 1, begin), first_ = position - offset;
    if (!made_[std::size_t(offset)]) turn_at(double(offset), rungs_.magnitude, within), made_.set(std::size_t(offset));
    multiply(begin, within, product());
    copy(product(), to);
  }
  template <class T>
  void write(double position, T* to) {
    constexpr double exact = 9007199254740992;  // 2^53: integers beyond it are not all doubles
    if (std::abs(position) < exact && position == std::floor(position)) return write(index_t(position), to);
    turn_at(position, rungs_.magnitude, product());
    copy(product(), to);
  }

 private:
  using Batch = batch<double>;
  static constexpr index_t block = 64, lanes = simd::lanes<Batch>;

  // The turns of every pair at a position: cosines, then sines, each padded with zeros to whole batches.
  void turn_at(double position, double magnitude, double* turns) const {
    for (index_t i = 0; i < count(); ++i) {
      const auto turn = std::polar(magnitude, position * rungs_.frequencies[std::size_t(i)]);
      turns[i] = turn.real(), turns[padded_ + i] = turn.imag();
    }
    for (index_t i = count(); i < padded_; ++i) turns[i] = turns[padded_ + i] = 0;
  }

  void multiply(const double* a, const double* b, double* product) const {
    for (index_t i = 0; i < padded_; i += lanes) {
      const Batch c = simd::load<Batch>(a + i), s = simd::load<Batch>(a + padded_ + i), x = simd::load<Batch>(b + i),
                  y = simd::load<Batch>(b + padded_ + i);
      simd::store(product + i, simd::multiply_add(c, x, -(s * y)));
      simd::store(product + padded_ + i, simd::multiply_add(s, x, c * y));
    }
  }

  template <class T>
  void copy(const double* turns, T* to) const {
    const index_t pairs = count();
    for (index_t i = 0; i < pairs; ++i) to[i] = T(turns[i]), to[pairs + i] = T(turns[padded_ + i]);
  }

  double* product() { return turns_.data() + (block + 1) * 2 * padded_; }

  ladder rungs_;
  index_t padded_;
  buffer<double>
      turns_;  // at the offsets, each made when it is first asked for, where a block begins, and of the position asked for
  std::bitset<block> made_;                              // which offsets are
  index_t first_ = std::numeric_limits<index_t>::max();  // where the block begins
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
