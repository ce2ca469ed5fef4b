#pragma once

#include <cmath>
#include <complex>
#include <memory>
#include <span>
#include <vector>

#include <longspan/core/interval.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/position/rotate.hpp>

LONGSPAN_NAMESPACE_BEGIN

// The cosines and sines of a rotation at every position of a call, made once and shared by all its heads: channels numbers a position.
// The angles are added in double from exact turns of every 64th position, 2 ulp from std::cos at a twentieth of its cost.
template <class T>
class angle_table {
 public:
  angle_table(const ladder& rungs, interval queries, interval keys)
      : pairs_(rungs.pairs), count_(index_t(rungs.frequencies.size())), runs_(disjoint(intervals<2>{queries, keys})) {
    auto table = std::make_shared<std::vector<T>>(std::size_t(2 * count_ * count(runs_)));
    T* to = table->data();
    for (const interval& run : runs_) to = fill(rungs, run, to);
    table_ = std::move(table);
  }

  void turn(std::span<T> row, index_t position) const {
    const T* cosine = at(position);
    rotate(row, pairs_, count_, cosine, cosine + count_);
  }
  void turn_back(std::span<const T>, std::span<T> gradient, index_t position) const {
    const T* cosine = at(position);
    rotate(gradient, pairs_, count_, cosine, cosine + count_, T(-1));
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
    const index_t row = runs_[0].contains(position) ? position - runs_[0].first : runs_[0].size() + position - runs_[1].first;
    return table_->data() + 2 * count_ * row;
  }

  pairing pairs_;
  index_t count_;
  intervals<2> runs_;
  std::shared_ptr<const std::vector<T>> table_;
};

LONGSPAN_NAMESPACE_END
