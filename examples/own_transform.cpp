// A transform of one's own in five lines: weights that fall with a power of the distance, fused like the library's.
#include <algorithm>
#include <cmath>
#include <iostream>

#include <longspan/longspan.hpp>

// z = s - power log(1 + t): the weight of a key t tokens back is divided by (1 + t)^power. The outer call runs once per query
// row. What it returns runs once per batch of logits: on SIMD batches in the kernel, on doubles in the definition.
struct fading {
  float power;
  auto operator()(const longspan::query_row&) const {
    return [power = power](auto logit, const auto& keys) { return logit - power * log(1 + keys.distance()); };
  }
};
static_assert(longspan::transform<fading>);

int main() {
  const Eigen::Index tokens = 1000, channels = 16;
  // A matrix is one head, with a column for each token.
  const Eigen::MatrixXf q = Eigen::MatrixXf::Random(channels, tokens), k = Eigen::MatrixXf::Random(channels, tokens);
  // The value of a token is its place in the text, from 0 to 1, so the output is the mean place that a query attends to.
  const Eigen::MatrixXf v = Eigen::RowVectorXf::LinSpaced(tokens, 0, 1);

  bool right = true;
  double nearer_than = double(tokens);
  for (const float power : {0.f, 0.5f, 1.f, 2.f}) {
    const auto mechanism = longspan::dot_product{} | fading{power} | longspan::causal{};
    const auto attended = longspan::forward(mechanism, q, k, v);
    const auto expected = longspan::reference::attention(mechanism, q, k, v);
    const double worst = (attended.output.cast<double>() - expected.output).cwiseAbs().maxCoeff<Eigen::PropagateNaN>();
    const double distance = double(tokens - 1) * double(1 - attended.output(0, tokens - 1));
    std::cout << "power " << power << ": the last token looks " << distance << " tokens back; off the definition by " << worst
              << '\n';
    right = right && worst < 1e-5 && distance < nearer_than;
    nearer_than = distance;
  }
  return right ? 0 : 1;
}
