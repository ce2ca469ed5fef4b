// A prompt is read over the ranks, and continued token by token from caches: each rank keeps the keys that it read, and its answer is the
// whole one. Run by mpirun -np 4.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

#include <mpi.h>
#include <unsupported/Eigen/CXX11/Tensor>

#include <longspan/distributed/ring.hpp>
#include <longspan/longspan.hpp>

using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;
using Eigen::Index;

Tensor random_tensor(Index heads, Index tokens) {
  Tensor made(1, heads, tokens, 32);
  for (Index i = 0; i < made.size(); ++i) made.data()[i] = float(std::rand()) / float(RAND_MAX) - 0.5f;
  return made;
}

Tensor tokens_of(const Tensor& t, longspan::interval some) {
  return t.slice(Eigen::array<Index, 4>{0, 0, some.first, 0},
                 Eigen::array<Index, 4>{1, t.dimension(1), some.size(), t.dimension(3)});
}

float worst_difference(const Tensor& a, const Tensor& b) {
  float worst = a.size() == b.size() ? 0.f : INFINITY;
  for (Index i = 0; i < std::min(a.size(), b.size()); ++i) {
    const float difference = std::abs(a.data()[i] - b.data()[i]);
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
  }
  return worst;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const longspan::ring over(MPI_COMM_WORLD);

  // Every rank makes the same text, so that each can check its part against all of it.
  const Index prompt = 500, tokens = 503;
  std::srand(7);
  const Tensor q = random_tensor(4, tokens), k = random_tensor(2, tokens), v = random_tensor(2, tokens);
  const auto mechanism = longspan::rope{} | longspan::dot_product{} | longspan::log_n{.trained = 16} | longspan::causal{};
  const Tensor wanted = longspan::forward(mechanism, q, k, v).output;

  const auto own = [&](const Tensor& all) { return over.scatter(tokens_of(all, {0, prompt})); };
  float worst = worst_difference(longspan::forward(over, mechanism, own(q), own(k), own(v)).output, own(wanted));

  std::vector<longspan::kv_cache<float>> caches;
  for (const longspan::interval stripe : over.own(prompt)) {
    caches.push_back({mechanism, {.key_heads = 2, .channels = 32, .value_channels = 32, .first_key = stripe.first}});
    caches.back().append(tokens_of(k, stripe), tokens_of(v, stripe));
  }
  for (Index token = prompt; token < tokens; ++token) {
    const longspan::interval next{token, token + 1};
    if (over.rank() == 0) caches.back().append(tokens_of(k, next), tokens_of(v, next));  // behind the last stripe
    const Tensor output = longspan::forward(over, mechanism, tokens_of(q, next), caches).output;
    worst = std::max(worst, worst_difference(output, tokens_of(wanted, next)));
  }

  MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_FLOAT, MPI_MAX, MPI_COMM_WORLD);
  if (over.rank() == 0) std::cout << over.ranks() << " ranks against one: " << worst << '\n';
  MPI_Finalize();
  return worst < 1e-5f ? 0 : 1;
}
