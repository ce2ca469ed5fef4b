#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <longspan/core/interval.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/position/rotate.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The cosines and sines of a rotation at every position of a call, made once and shared by all its heads: 2 numbers for each pair
// of channels. std::polar is asked for the first position of each block of 64 and for the 64 offsets within a block; their
// complex products in double are the others: within 2 ulp of std::cos at a twentieth of its cost.
template <class T>
class angle_table {
 public:
  angle_table(const ladder& rungs, interval queries, interval keys)
      : pairing_(rungs.pairing), count_(index_t(rungs.frequencies.size())), low_(queries), high_(keys) {
    if (high_.first < low_.first) std::swap(low_, high_);
    high_.first = std::max(high_.first, low_.empty() ? low_.first : low_.last);
    auto table = std::make_shared<std::vector<T>>(std::size_t(2 * count_ * (low_.size() + high_.size())));
    fill(rungs, high_, fill(rungs, low_, table->data()));
    table_ = std::move(table);
  }

  void turn(std::span<T> row, index_t position) const {
    const T* cosine = at(position);
    rotate(row, pairing_, count_, cosine, cosine + count_);
  }
  void turn_back(std::span<const T>, std::span<T> gradient, index_t position) const {
    const T* cosine = at(position);
    rotate(gradient, pairing_, count_, cosine, cosine + count_, T(-1));
  }

 private:
  using turns = std::vector<std::complex<double>>;
  static constexpr index_t block = 64;

  static turns turns_at(const ladder& rungs, index_t position, double magnitude) {
    turns each;
    for (const double frequency : rungs.frequencies) each.push_back(std::polar(magnitude, double(position) * frequency));
    return each;
  }

  static T* fill(const ladder& rungs, interval run, T* to) {
    std::vector<turns> within;
    for (index_t p = 0; p < std::min(block, run.size()); ++p) within.push_back(turns_at(rungs, p, rungs.magnitude));
    for (index_t first = run.first; first < run.last; first += block) {
      const turns begin = turns_at(rungs, first, 1);
      for (index_t p = 0; p < std::min(block, run.last - first); ++p, to += 2 * begin.size())
        for (std::size_t i = 0; i < begin.size(); ++i) {
          const double c = begin[i].real(), s = begin[i].imag(), x = within[std::size_t(p)][i].real(),
                       y = within[std::size_t(p)][i].imag();
          to[i] = T(c * x - s * y);
          to[begin.size() + i] = T(s * x + c * y);
        }
    }
    return to;
  }

  const T* at(index_t position) const {
    const index_t row = low_.contains(position) ? position - low_.first : low_.size() + position - high_.first;
    return table_->data() + 2 * count_ * row;
  }

  pairing pairing_;
  index_t count_;
  interval low_, high_;  // the positions of queries and keys: those of one, and what the other has beyond them
  std::shared_ptr<const std::vector<T>> table_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
