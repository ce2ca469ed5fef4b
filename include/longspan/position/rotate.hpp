#pragma once

#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/simd/alternating.hpp>
#include <longspan/simd/batch.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Rotates two channels by the angle whose cosine and sine are given, or a batch of pairs by a batch of angles.
template <class Value>
void turn_pair(Value& x, Value& y, const Value& cosine, const Value& sine) {
  const Value turned = x * cosine - y * sine;
  y = x * sine + y * cosine;
  x = turned;
}

// Rotates some of the pairs 0 <= i < pairs.last of a row, pair i by the angle that angle(i) answers, a cosine and a sine. A direction of -1
// rotates back: the inverse, and the transpose, which the backward pass applies to gradients.
template <class T, class Angle>
void rotate_each(std::span<T> row, pairing paired, interval pairs, T direction, Angle angle) {
  for (index_t i = pairs.first; i < pairs.last; ++i) {
    const auto [cosine, sine] = angle(i);
    const index_t first = paired == pairing::halves ? i : 2 * i, second = paired == pairing::halves ? i + pairs.last : 2 * i + 1;
    turn_pair(row[std::size_t(first)], row[std::size_t(second)], cosine, direction * sine);
  }
}

// A batch of pairs in memory: the first channels of them, and the second.
template <class T>
std::pair<batch<T>, batch<T>> load_pairs(const T* row, pairing paired, index_t count, index_t i) {
  using Batch = batch<T>;
  if (paired == pairing::halves) return {simd::load<Batch>(row + i), simd::load<Batch>(row + count + i)};
  return simd::apart(simd::load<Batch>(row + 2 * i), simd::load<Batch>(row + 2 * i + simd::lanes<Batch>));
}
template <class T>
void store_pairs(T* row, pairing paired, index_t count, index_t i, const batch<T>& x, const batch<T>& y) {
  if (paired == pairing::halves) {
    simd::store(row + i, x), simd::store(row + count + i, y);
  } else {
    const auto [lower, upper] = simd::alternating(x, y);
    simd::store(row + 2 * i, lower), simd::store(row + 2 * i + simd::lanes<batch<T>>, upper);
  }
}

// The same by the angles of cosine[i] and sine[i], batch by batch.
template <class T>
void rotate(std::span<T> row, pairing paired, index_t count, const T* cosine, const T* sine, T direction = 1) {
  using Batch = batch<T>;
  const index_t whole = round_down(count, simd::lanes<Batch>);
  for (index_t i = 0; i < whole; i += simd::lanes<Batch>) {
    auto [x, y] = load_pairs(std::as_const(row).data(), paired, count, i);
    turn_pair(x, y, simd::load<Batch>(cosine + i), Batch(direction) * simd::load<Batch>(sine + i));
    store_pairs(row.data(), paired, count, i, x, y);
  }
  rotate_each(row, paired, {whole, count}, direction, [=](index_t i) { return std::pair(cosine[i], sine[i]); });
}

// A rotation by its definition, with std::cos and std::sin for each pair of each row: the reference runs it.
struct rotation_by_definition {
  ladder rungs;

  // At an integer or a fraction.
  template <class T, class Position>
  void turn(std::span<T> row, Position position) const {
    turn(row, double(position), T(1));
  }
  template <class T, class Position>
  void turn_back(std::span<const T>, std::span<T> gradient, Position position) const {
    turn(gradient, double(position), T(-1));
  }

 private:
  template <class T>
  void turn(std::span<T> row, double position, T direction) const {
    std::vector<T> cosine, sine;
    for (const double frequency : rungs.frequencies) {
      cosine.push_back(T(rungs.magnitude * std::cos(position * frequency)));
      sine.push_back(T(rungs.magnitude * std::sin(position * frequency)));
    }
    rotate(row, rungs.pairing, index_t(cosine.size()), cosine.data(), sine.data(), direction);
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
