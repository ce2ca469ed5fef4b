// compiles
#include <longspan/longspan.hpp>

using namespace longspan;

const auto whole =
    rms_normalize{} | rope{} | cosine{} | cos_scale{16} | softcap{50} | alibi{} | causal{} | sliding_window{9} | sink{};
const auto fragment = temperature{2} | causal{};
const auto continued = dot_product{} | log_n{512} | fragment;

void taken(const Eigen::MatrixXf& q, const Eigen::MatrixXf& k, Eigen::MatrixXf& output, Eigen::VectorXf& log_sum_exp) {
  forward_into(continued, q, k, k, output, log_sum_exp);
}

// What the refusal of an expression advises.
using Tensor = Eigen::Tensor<float, 4>;

auto advised_of_a_tensor(const Tensor& q) {
  const Tensor twice = q * 2.f;
  return forward(continued, twice, q, q);
}
auto advised_of_a_matrix(const Eigen::MatrixXf& q) { return forward(continued, (q * 2.f).eval(), q, q); }
