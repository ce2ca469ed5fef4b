#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "linear.hpp"

namespace pretrained {

// The next token: the likeliest at temperature 0, else one drawn from the likeliest that share `nucleus` of the probability.
struct sampling {
  double temperature = 0, nucleus = 0.95;
  std::mt19937_64 source;

  index_t operator()(const Eigen::Ref<const Eigen::RowVectorXf>& logits) {
    Eigen::Index best = 0;
    const float most = logits.maxCoeff(&best);
    if (temperature <= 0) return best;
    std::vector<double> weight(std::size_t(logits.size()));
    for (Eigen::Index i = 0; i < logits.size(); ++i) weight[std::size_t(i)] = std::exp(double(logits[i] - most) / temperature);
    std::vector<std::size_t> order(weight.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return weight[a] > weight[b]; });
    const double enough = nucleus * std::accumulate(weight.begin(), weight.end(), 0.0);
    std::size_t count = 0;
    for (double sum = 0; count < order.size() && sum < enough; ++count) sum += weight[order[count]];
    double left = std::uniform_real_distribution<double>(0, 1)(source) * enough;
    for (std::size_t i = 0; i < count; ++i)
      if ((left -= weight[order[i]]) <= 0) return index_t(order[i]);
    return index_t(order[0]);
  }
};

}  // namespace pretrained
