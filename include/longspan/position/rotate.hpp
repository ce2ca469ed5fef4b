#pragma once

#include <cmath>
#include <span>
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

// Rotates the first `count` pairs of a row, pair i by the angle of cosine[i] and sine[i]. A direction of -1 rotates back: the
// inverse, and the transpose, which the backward pass applies to gradients.
template <class T>
void rotate(std::span<T> row, pairing paired, index_t count, const T* cosine, const T* sine, T direction = 1) {
  using Batch = batch<T>;
  T* const channel = row.data();
  if (paired == pairing::interleaved) {
    for (index_t i = 0; i < count; ++i) turn_pair(channel[2 * i], channel[2 * i + 1], cosine[i], direction * sine[i]);
    return;
  }
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

  template <class T>
  void turn(std::span<T> row, index_t position) const {
    turn(row, position, T(1));
  }
  template <class T>
  void turn_back(std::span<const T>, std::span<T> gradient, index_t position) const {
    turn(gradient, position, T(-1));
  }

 private:
  template <class T>
  void turn(std::span<T> row, index_t position, T direction) const {
    std::vector<T> cosine, sine;
    for (const double frequency : rungs.frequencies) {
      cosine.push_back(T(rungs.magnitude * std::cos(double(position) * frequency)));
      sine.push_back(T(rungs.magnitude * std::sin(double(position) * frequency)));
    }
    rotate(row, rungs.pairing, index_t(cosine.size()), cosine.data(), sine.data(), direction);
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
