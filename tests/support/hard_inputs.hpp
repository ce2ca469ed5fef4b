#pragma once

#include <string>

#include "tensors.hpp"

namespace testing_support {

// Rows drawn from N(0, 1) have logits of a few units, whose softmax forgives much. These are sharp, as those of trained models are.

// Adds `along` to every channel of a row.
template <class T>
void shift(tensor<T>& rows, longspan::index_t b, longspan::index_t h, longspan::index_t i, float along) {
  for (longspan::index_t c = 0; c < rows.dimension(3); ++c) rows(b, h, i, c) = T(float(rows(b, h, i, c)) + along);
}

// Queries that point one way, for keys that are ordered along it.
template <class T>
inputs<T> one_way(const lengths& of, unsigned seed) {
  auto made = random_inputs<T>(of, seed);
  for (longspan::index_t b = 0; b < of.batch; ++b)
    for (longspan::index_t h = 0; h < of.heads; ++h)
      for (longspan::index_t i = 0; i < of.queries; ++i) shift(made.q, b, h, i, 1);
  return made;
}

// visit(what, inputs) for logits that are 5 to 30 times as large; for one key, in the midst of others, that takes nearly all the weight;
// and for keys of which each tile has a larger logit than those before it, so that the running maximum of a softmax rises to the end.
template <class T, class Visit>
void for_each_hard_input(const lengths& of, unsigned seed, Visit visit) {
  using longspan::index_t;
  for (const float gain : {5.f, 12.f, 30.f}) {
    auto sharp = random_inputs<T>(of, seed);
    for (Eigen::Index i = 0; i < sharp.q.size(); ++i) sharp.q.data()[i] = T(gain * float(sharp.q.data()[i]));
    visit("a gain of " + std::to_string(int(gain)), sharp);
  }
  auto dominated = one_way<T>(of, seed), rising = one_way<T>(of, seed);
  for (index_t b = 0; b < of.batch; ++b)
    for (index_t g = 0; g < of.key_heads; ++g) {
      shift(dominated.k, b, g, of.keys * 2 / 3, 6);
      for (index_t j = 0; j < of.keys; ++j) shift(rising.k, b, g, j, 8 * float(j) / float(of.keys) - 4);
    }
  visit("one key dominates", dominated);
  visit("maxima rise late", rising);
}

}  // namespace testing_support
