#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "linear.hpp"

namespace engine {

// The next token: the likeliest at temperature 0, else one drawn from the likeliest that share `nucleus` of the probability.
struct sampling {
  double temperature = 0, nucleus = 0.95;
  std::mt19937_64 source = {};

  index_t operator()(const Eigen::Ref<const Eigen::RowVectorXf>& logits) {
    index_t best = 0;
    const float most = logits.maxCoeff(&best);
    if (temperature <= 0) return best;
    Eigen::RowVectorXd weight = ((logits.array() - most).cast<double>() / temperature).exp();
    std::vector<index_t> order(std::size_t(weight.size()));
    std::iota(order.begin(), order.end(), index_t(0));
    std::ranges::sort(order, std::ranges::greater(), [&](index_t token) { return weight[token]; });
    double left = nucleus * weight.sum();
    for (const index_t token : order) left > 0 ? left -= weight[token] : weight[token] = 0;
    return std::discrete_distribution<index_t>(weight.begin(), weight.end())(source);
  }
};

}  // namespace engine
