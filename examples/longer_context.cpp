#include <iostream>

#include <longspan/longspan.hpp>

// The last token looks for one key among n. Which share of its attention does that key get?
int main() {
  using namespace longspan;
  for (const int n : {64, 1024, 16384}) {
    const Eigen::MatrixXf q = Eigen::MatrixXf::Random(64, 1);  // one head of 64 channels, a column a token
    Eigen::MatrixXf k = Eigen::MatrixXf::Random(64, n), v = Eigen::MatrixXf::Zero(1, n);
    k.col(n / 2) = 2.5f * q;
    v(0, n / 2) = 1;  // all other values are 0, so the output is the share
    const float plain = forward(dot_product{} | causal{}, q, k, v).output(0, 0);
    const float scaled = forward(dot_product{} | log_n{.trained = 64} | causal{}, q, k, v).output(0, 0);
    std::cout << n << " keys: " << int(100 * plain) << " %, with log n / log m " << int(100 * scaled) << " %\n";
  }
}
