#pragma once

#include <cmath>
#include <complex>
#include <utility>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/position/ladder.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The cosines and sines of a ladder, position by position, with bits that depend on the position alone: on no table, no text and no
// order. std::polar is asked for the multiples of 64 and for the 64 offsets from there; their complex products in double are the
// positions between, a twentieth of the cost of a cosine each. A position that is no integer has cosines of its own.
class angles {
 public:
  angles(ladder rungs) : rungs_(std::move(rungs)), offsets_(std::size_t(block)) {}

  index_t count() const { return index_t(rungs_.frequencies.size()); }
  longspan::pairing pairing() const { return rungs_.pairing; }

  // Writes the cosine of every pair, then the sines, times the magnitude.
  template <class T>
  void write(index_t position, T* to) {
    const index_t offset = ((position % block) + block) % block;
    if (begin_.empty() || first_ != position - offset)
      begin_ = turns_at(double(position - offset), 1), first_ = position - offset;
    turns& within = offsets_[std::size_t(offset)];
    if (within.empty()) within = turns_at(double(offset), rungs_.magnitude);
    for (std::size_t i = 0; i < begin_.size(); ++i) {
      const double c = begin_[i].real(), s = begin_[i].imag(), x = within[i].real(), y = within[i].imag();
      to[i] = T(c * x - s * y);
      to[begin_.size() + i] = T(s * x + c * y);
    }
  }
  template <class T>
  void write(double position, T* to) {
    constexpr double exact = 9007199254740992;  // 2^53: integers beyond it are not all doubles
    if (std::abs(position) < exact && position == std::floor(position)) return write(index_t(position), to);
    const turns each = turns_at(position, rungs_.magnitude);
    for (std::size_t i = 0; i < each.size(); ++i) to[i] = T(each[i].real()), to[each.size() + i] = T(each[i].imag());
  }

 private:
  using turns = std::vector<std::complex<double>>;
  static constexpr index_t block = 64;

  turns turns_at(double position, double magnitude) const {
    turns each;
    for (const double frequency : rungs_.frequencies) each.push_back(std::polar(magnitude, position * frequency));
    return each;
  }

  ladder rungs_;
  std::vector<turns> offsets_;  // each made when it is first asked for
  turns begin_;                 // of the block that begins at first_
  index_t first_ = 0;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
