// Four ranks as 2 x 2: half of the heads on each pair, and each half of a text's rows on one rank of a pair. Heads need nothing of each
// other, so no message crosses between the pairs. Run by mpirun -np 4; another even number of ranks makes longer rings, one rank all alone.
#include <algorithm>
#include <cmath>
#include <iostream>

#include <mpi.h>
#include <unsupported/Eigen/CXX11/Tensor>

#include <longspan/distributed/ring.hpp>
#include <longspan/longspan.hpp>

using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;

Tensor random_tensor(Eigen::Index heads, Eigen::Index tokens, Eigen::Index channels) {
  Tensor made(1, heads, tokens, channels);
  for (Eigen::Index i = 0; i < made.size(); ++i) made.data()[i] = float(std::rand()) / float(RAND_MAX) - 0.5f;
  return made;
}

Tensor heads_of(const Tensor& t, Eigen::Index first, Eigen::Index heads) {
  return t.slice(Eigen::array<Eigen::Index, 4>{0, first, 0, 0},
                 Eigen::array<Eigen::Index, 4>{1, heads, t.dimension(2), t.dimension(3)});
}

float worst_difference(const Tensor& a, const Tensor& b) {
  float worst = a.size() == b.size() ? 0.f : INFINITY;
  for (Eigen::Index i = 0; i < std::min(a.size(), b.size()); ++i) {
    const float difference = std::abs(a.data()[i] - b.data()[i]);
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
  }
  return worst;
}

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0, ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);

  // The ranks with the same heads are a communicator of their own, and a ring over it.
  const int groups = ranks % 2 == 0 ? 2 : 1, group = rank % groups;
  MPI_Comm same_heads;
  MPI_Comm_split(MPI_COMM_WORLD, group, rank, &same_heads);
  const longspan::ring over(same_heads);

  // Every rank makes the same text, so that each can check its part against all of it, and keeps its own heads and rows.
  std::srand(7);
  const Tensor q = random_tensor(4, 500, 32), k = random_tensor(2, 500, 32), v = random_tensor(2, 500, 32),
               d_output = random_tensor(4, 500, 32);
  const auto own = [&](const Tensor& all) {
    const Eigen::Index heads = all.dimension(1) / groups;
    return over.scatter(heads_of(all, group * heads, heads));
  };
  const Tensor own_q = own(q), own_k = own(k), own_v = own(v), own_d = own(d_output);
  const auto mechanism = longspan::rope{} | longspan::dot_product{} | longspan::log_n{.trained = 16} | longspan::causal{};
  const auto part = longspan::forward(over, mechanism, own_q, own_k, own_v);
  const auto d_part = longspan::backward(over, mechanism, own_q, own_k, own_v, part, own_d);

  const auto whole = longspan::forward(mechanism, q, k, v);
  const auto d_whole = longspan::backward(mechanism, q, k, v, whole, d_output);
  float worst =
      std::max({worst_difference(part.output, own(whole.output)), worst_difference(d_part.d_query, own(d_whole.d_query)),
                worst_difference(d_part.d_key, own(d_whole.d_key)), worst_difference(d_part.d_value, own(d_whole.d_value))});
  MPI_Allreduce(MPI_IN_PLACE, &worst, 1, MPI_FLOAT, MPI_MAX, MPI_COMM_WORLD);
  if (rank == 0)
    std::cout << groups << " groups of heads over " << over.ranks() << " ranks each, against one process: " << worst << '\n';
  MPI_Comm_free(&same_heads);
  MPI_Finalize();
  return worst < 1e-5f ? 0 : 1;
}
