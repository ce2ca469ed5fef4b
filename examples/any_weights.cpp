// Weights by any function f >= 0 of the score instead of softmax's: z = log f(s). The softmax divides by the sum of all f, whose logarithm is
// log_sum_exp; times exp(log_sum_exp) the output is the sum of f(s) v, as sigmoid attention, the original gated attention unit and Mega have
// it. Held against a plain loop, and its gradient against differences of the loop.
#include <algorithm>
#include <cmath>
#include <iostream>

#include <longspan/longspan.hpp>

using std::max;  // of doubles, for the reference; those of batches and of dual numbers are found by themselves

// Where f is 0 the logit is -infinity, the weight is exactly 0 and nothing flows back: the larger of f and a constant 0 has the slope of the
// constant there.
template <class F>
struct weights_by {
  F f;  // of a score and n, the number of keys that the row sees
  auto operator()(const longspan::query_row& row) const {
    return [f = f, n = float(row.seen)](auto s, const auto&) { return log(max(f(s, n), decltype(s)(0))); };
  }
};
template <class F>
weights_by(F) -> weights_by<F>;

using Matrix = Eigen::MatrixXf;  // one head, with a column for each token

// The sum of f(s) v over the keys up to each query, in double, by definition.
template <class F>
Eigen::MatrixXd plain_loop(const F& f, double scale, const Matrix& q, const Matrix& k, const Matrix& v) {
  Eigen::MatrixXd output = Eigen::MatrixXd::Zero(v.rows(), q.cols());
  for (Eigen::Index i = 0; i < q.cols(); ++i)
    for (Eigen::Index j = 0; j <= i; ++j) {
      const double s = scale * q.col(i).cast<double>().dot(k.col(j).cast<double>());
      output.col(i) += f(s, float(i + 1)) * v.col(j).cast<double>();
    }
  return output;
}

// Whether output and gradients are right.
template <class F>
bool try_weights(const char* name, double scale, const F& f) {
  const Eigen::Index tokens = 100, channels = 16;
  Matrix q = 2 * Matrix::Random(channels, tokens), k = 2 * Matrix::Random(channels, tokens), v = Matrix::Random(channels, tokens);

  const auto mechanism = longspan::dot_product{.scale = scale} | weights_by{f} | longspan::causal{};
  const auto kept = longspan::forward(mechanism, q, k, v);
  const Eigen::RowVectorXf sums = kept.log_sum_exp.array().exp().matrix().transpose();
  const Matrix output = kept.output * sums.asDiagonal();
  const double off = (output.cast<double>() - plain_loop(f, scale, q, k, v)).cwiseAbs().template maxCoeff<Eigen::PropagateNaN>();

  // The loss is half the sum of all squares: the output's own gradient is the output. It reaches the kept output times exp(log_sum_exp), and
  // log_sum_exp itself as the product of both.
  const Matrix d_kept = output * sums.asDiagonal();
  const Eigen::VectorXf d_log_sum_exp = output.cwiseProduct(output).colwise().sum().transpose();
  const auto gradient = longspan::backward(mechanism, q, k, v, kept, longspan::attended{d_kept, d_log_sum_exp});
  double worst = 0;
  const auto compare = [&](Matrix& x, const Matrix& d_x) {
    for (Eigen::Index i = 5; i < x.size(); i += x.size() / 20) {
      const float before = x.data()[i], step = 1e-2f;
      const auto loss = [&](float change) {
        x.data()[i] = before + change;
        const double sum = plain_loop(f, scale, q, k, v).squaredNorm() / 2;
        x.data()[i] = before;
        return sum;
      };
      const double difference = (loss(step) - loss(-step)) / double((before + step) - (before - step));
      const double error = std::abs(double(d_x.data()[i]) - difference) / (1 + std::abs(difference));
      worst = std::isnan(error) ? error : std::max(worst, error);
    }
  };
  compare(q, gradient.d_query), compare(k, gradient.d_key), compare(v, gradient.d_value);
  std::cout << name << ": off the plain loop by " << off << ", gradient off the differences by " << worst << '\n';
  return off < 1e-4 && worst < 1e-2 && gradient.d_query.allFinite() && gradient.d_key.allFinite();
}

int main() {
  const double scale = 0.25;                                                   // 1 / sqrt(16)
  const auto sigmoid = [](auto s, float n) { return 1 / (1 + n * exp(-s)); };  // b = -log n
  const auto squared_relu = [](auto s, float n) {
    const auto rising = max(s, 0 * s) / n;
    return rising * rising;
  };
  const auto laplace = [](auto s, float) { return 0.5f * (1 + erf(2.50662827f * (s - 0.70710678f))); };

  bool right = try_weights("sigmoid attention", scale, sigmoid);
  right = try_weights("squared relu, of the gated attention unit", 1, squared_relu) && right;
  right = try_weights("Laplace function, of Mega", scale, laplace) && right;
  return right ? 0 : 1;
}
