#pragma once

#include <cmath>
#include <limits>

#include "drawn.hpp"
#include "guarded.hpp"

namespace fuzz {

// What queries, keys and values are drawn from.
struct drawn_numbers {
  enum class kind { normal, large, zero_rows, subnormal, huge, not_finite } are;
  float gain = 1;
  std::mt19937 generator;

  explicit drawn_numbers(drawn& from, bool special = true)
      : are(special ? from.of({kind::normal, kind::normal, kind::normal, kind::large, kind::zero_rows, kind::subnormal,
                               kind::huge, kind::not_finite})
                    : kind::normal),
        generator(from.generator()) {
    if (are == kind::large) gain = from.of({5.f, 30.f});
    if (are == kind::subnormal) gain = 1e-40f;
  }
  // Whether an output has an error that can be bounded.
  bool bounded() const { return are != kind::huge && are != kind::not_finite; }

  template <class S>
  void fill(guarded<S>& tensor) {
    std::normal_distribution<float> normal;
    tensor.fill(S(std::numeric_limits<float>::quiet_NaN()), [&] { return S(gain * normal(generator)); });
    if (are == kind::zero_rows) for_some_rows(tensor, [](S& number) { number = S(0.f); });
    if (are == kind::huge) for_some_numbers(tensor, {3e38f, -3e38f, 1e20f});
    if (are == kind::not_finite)
      for_some_numbers(tensor, {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                                -std::numeric_limits<float>::infinity()});
  }

 private:
  template <class S, class Change>
  void for_some_rows(guarded<S>& tensor, Change change) {
    const auto all = tensor.all();
    for_each_index({all.extent[0], all.extent[1], all.extent[2], 1}, [&](index_t b, index_t h, index_t i, index_t) {
      if (generator() % 8 == 0)
        for (index_t c = 0; c < all.extent[3]; ++c) change(at(all, b, h, i, c));
    });
  }
  template <class S>
  void for_some_numbers(guarded<S>& tensor, std::initializer_list<float> numbers) {
    const auto all = tensor.all();
    for_each_index(all.extent, [&](auto... i) {
      if (generator() % 400 == 0) at(all, i...) = S(numbers.begin()[generator() % numbers.size()]);
    });
  }
};

// The largest Euclidean norm of a row, and the largest number; infinite where one is not finite.
template <class S>
double largest_norm(const view<S>& of) {
  double largest = 0;
  for_each_index({of.extent[0], of.extent[1], of.extent[2], 1}, [&](index_t b, index_t h, index_t i, index_t) {
    double sum = 0;
    for (index_t c = 0; c < of.extent[3]; ++c) sum += std::pow(double(at(of, b, h, i, c)), 2);
    largest = sum >= largest * largest ? std::sqrt(sum) : largest;
  });
  return largest;
}

}  // namespace fuzz
