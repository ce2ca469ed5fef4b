// The loss of one text, 131072 bytes long, of a small language model over 1, 2, 4 ... ranks: mpirun -np 4 example_long_text [bytes] [text].
// Attention is all of a model that needs the rows of others. Everything else works on a rank's own, so that the model of examples/model runs
// as it is: a rank is told its own bytes, and its mechanism is called over a ring. The model learns contexts of 128 bytes for a few seconds.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <random>
#include <vector>

#include <mpi.h>
#include <unsupported/Eigen/CXX11/Tensor>

#include <longspan/distributed/ring.hpp>
#include <longspan/longspan.hpp>

#include "../../bench/support/wait_for_all.hpp"
#include "../model/adamw.hpp"
#include "../model/language_model.hpp"
#include "../model/text.hpp"

namespace {

const auto mechanism = longspan::p_rope{} | longspan::dot_product{} | longspan::scale_invariant{} | longspan::causal{};

// The mechanism over the rows of all ranks.
struct over_ranks : model::attention {
  const longspan::ring<>& over;
  explicit over_ranks(const longspan::ring<>& ranks) : over(ranks) {}

  void forward(const inputs& in, const results& out) const override {
    longspan::forward_into(over, mechanism, in.query, in.key, in.value, out.output, out.log_sum_exp);
  }
};

model::Vector learned(const model::language_model& of, model::Bytes text) {
  constexpr model::Index steps = 200, contexts = 8, length = 128;
  const model::trained contexts_alone(mechanism);
  const model::adamw optimiser{.warmup = 20};
  const model::Vector decayed = of.plan().decayed();
  model::Vector gradients(of.plan().size());
  model::adamw::state now{of.plan().initial(1), model::Vector::Zero(gradients.size()), model::Vector::Zero(gradients.size())};
  std::mt19937_64 source(1);
  std::uniform_int_distribution<std::size_t> start(0, text.size() - length - 1);
  while (now.step < steps) {
    model::examples drawn{.length = length};
    for (model::Index n = 0; n < contexts; ++n) drawn.append(text.subspan(start(source), length + 1));
    gradients.setZero();
    of.loss(now.parameters, contexts_alone, drawn, &gradients);
    optimiser(now, gradients / float(drawn.total()), decayed, steps);
  }
  return now.parameters;
}

// A rank's own of a text's bytes, in the order of its rows.
std::vector<unsigned char> own_bytes(const longspan::ring<>& over, model::Bytes text) {
  Eigen::Tensor<unsigned char, 3, Eigen::RowMajor> all(1, longspan::index_t(text.size()), 1);
  std::copy(text.begin(), text.end(), all.data());
  const auto own = over.scatter(all);
  return {own.data(), own.data() + own.size()};
}

// Of the ranks of a communicator together, in nats per byte.
double loss_over(MPI_Comm ranks, const model::language_model& of, const model::Vector& parameters, model::Bytes text) {
  const longspan::ring over(ranks);
  const model::Bytes read = text.first(text.size() - 1), to_predict = text.subspan(1);
  model::examples own{.bytes = own_bytes(over, read), .targets = own_bytes(over, to_predict)};
  own.length = model::Index(own.bytes.size());
  double sum = of.loss(parameters, over_ranks(over), own);
  MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_DOUBLE, MPI_SUM, ranks);
  return sum / double(read.size());
}

// Returns whether the losses are the same but for rounding.
bool compare(model::Index bytes, const std::filesystem::path& file) {
  int rank = 0, all = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &all);
  const model::text text(file, 65536, bytes + 1);
  const model::language_model of({.blocks = 2, .width = 64, .heads = 1, .channels = 32});
  model::Vector parameters(of.plan().size());
  if (rank == 0) parameters = learned(of, text.training());
  wait_for_all();
  MPI_Bcast(parameters.data(), int(parameters.size()), MPI_FLOAT, 0, MPI_COMM_WORLD);

  double first = 0;
  bool same = true;
  for (int ranks = 1; ranks <= all; ranks *= 2) {
    MPI_Comm some;
    MPI_Comm_split(MPI_COMM_WORLD, rank < ranks ? 0 : MPI_UNDEFINED, rank, &some);
    if (rank < ranks) {
      const auto began = std::chrono::steady_clock::now();
      const double loss = loss_over(some, of, parameters, text.validation());
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
      if (ranks == 1) first = loss;
      same = same && std::abs(loss - first) <= 1e-6 * first;  // not of NaN
      if (rank == 0) std::printf("%td bytes over %d ranks: %.9f nats per byte, %.1f s\n", bytes, ranks, loss, seconds.count());
      MPI_Comm_free(&some);
    }
    wait_for_all();
  }
  return same || rank != 0;
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  try {
    const bool same = compare(argc > 1 ? std::atol(argv[1]) : 131072, argc > 2 ? argv[2] : LONGSPAN_DEFAULT_TEXT);
    MPI_Finalize();
    return same ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "long_text: %s\n", error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}
