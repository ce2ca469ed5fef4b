#pragma once

#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/position/ladder.hpp>
#include <longspan/simd/batch.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Rotates two channels by the angle whose cosine and sine are given, or a batch of pairs by a batch of angles.
template <class Value>
void turn_pair(Value& x, Value& y, const Value& cosine, const Value& sine) {
  const Value turned = x * cosine - y * sine;
  y = x * sine + y * cosine;
  x = turned;
}

// Rotates the first `count` pairs of a row, pair i by the angle that angle(i) answers, a cosine and a sine. A direction of -1 rotates
// back: the inverse, and the transpose, which the backward pass applies to gradients.
template <class T, class Angle>
void rotate_each(std::span<T> row, pairing paired, index_t count, T direction, Angle angle) {
  for (index_t i = 0; i < count; ++i) {
    const auto [cosine, sine] = angle(i);
    const index_t first = paired == pairing::halves ? i : 2 * i, second = paired == pairing::halves ? i + count : 2 * i + 1;
    turn_pair(row[std::size_t(first)], row[std::size_t(second)], cosine, direction * sine);
  }
}

// The same by the angles of cosine[i] and sine[i], halves batch by batch.
template <class T>
void rotate(std::span<T> row, pairing paired, index_t count, const T* cosine, const T* sine, T direction = 1) {
  using Batch = batch<T>;
  T* const channel = row.data();
  if (paired == pairing::interleaved)
    return rotate_each(row, paired, count, direction, [=](index_t i) { return std::pair(cosine[i], sine[i]); });
  index_t i = 0;
  for (; i + simd::lanes<Batch> <= count; i += simd::lanes<Batch>) {
    Batch x = simd::load<Batch>(channel + i), y = simd::load<Batch>(channel + count + i);
    turn_pair(x, y, simd::load<Batch>(cosine + i), Batch(direction) * simd::load<Batch>(sine + i));
    simd::store(channel + i, x), simd::store(channel + count + i, y);
  }
  for (; i < count; ++i) turn_pair(channel[i], channel[i + count], cosine[i], direction * sine[i]);
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
