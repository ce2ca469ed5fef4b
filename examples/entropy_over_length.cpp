// How the entropy of attention grows with the number of keys, on random queries and keys.
#include <cmath>
#include <cstdio>
#include <numeric>
#include <random>

#include <longspan/longspan.hpp>

using Tensor = Eigen::Tensor<double, 4, Eigen::RowMajor>;

Tensor gaussian(Eigen::Index heads, Eigen::Index tokens) {
  static std::mt19937_64 source(1);
  std::normal_distribution<double> normal;
  Tensor rows(1, heads, tokens, 128);
  for (Eigen::Index i = 0; i < rows.size(); ++i) rows.data()[i] = normal(source);
  return rows;
}

// 256 heads share the keys, each with one query that stands at the last key and sees all of them. With
// L(x) = log sum_j exp(x z_j) the mean logit is L'(1), so the entropy L(1) - L'(1) follows from log-sum-exps alone.
double entropy(const auto& sentence, Eigen::Index keys) {
  const Tensor q = gaussian(256, 1), k = gaussian(1, keys);
  const auto log_sum_exp = [&](double x) {
    const auto mechanism = sentence | longspan::temperature{x} | longspan::causal{};
    const auto sums = longspan::forward(mechanism, q, k, k).log_sum_exp;
    return std::accumulate(sums.data(), sums.data() + sums.size(), 0.0) / double(sums.size());
  };
  return log_sum_exp(1) - (log_sum_exp(1.001) - log_sum_exp(0.999)) / 0.002;
}

int main() {
  bool right = true;
  const auto row = [&](const char* name, const auto& sentence, double expected) {
    std::printf("%-16s", name);
    double last = 0;
    for (const Eigen::Index keys : {64, 256, 1024, 4096}) std::printf("%8.2f", last = entropy(sentence, keys));
    std::printf("\n");
    right = right && std::abs(last - expected) < 0.15;
  };

  // Rows of RMS 1 give logits of variance 1, or of the square of the gain: how peaked a trained head is.
  using namespace longspan;
  for (const bool peaked : {false, true}) {
    const auto base = rms_normalize{} | dot_product{} | temperature{peaked ? 2.88 : 1.0};
    std::printf("%-16s%8d%8d%8d%8d keys, entropy in nats\n", peaked ? "gain 2.88" : "gain 1", 64, 256, 1024, 4096);
    row("plain", base, peaked ? 4.783 : 7.824);
    row("InfoScale", base | info_scale{.trained = 64}, peaked ? 3.128 : 7.373);
    row("LogN", base | log_n{.trained = 64}, peaked ? 1.827 : 6.428);
    row("scale-invariant", base | scale_invariant{}, peaked ? 0.9 : 4.1);
  }
  return right ? 0 : 1;
}
