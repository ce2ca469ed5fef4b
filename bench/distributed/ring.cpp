// What a ring costs: ranks of one thread against one process of as many threads, by turns, and the bytes that a rank sends beside the least
// that its neighbours need.
//
//   mpirun --bind-to none -np 2 bench_ring [tokens] [heads] [key heads] [repetitions] [window]
//
// With a window above 0 rows see so many keys. One line for each pass, with the fastest of all repetitions, and what the slowest rank took;
// of causal passes also the flops a second of one of one process's threads: 2 products of a row and a key forward, 5 backward.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <string>

#include <mpi.h>
#include <unsupported/Eigen/CXX11/Tensor>
#include <unsupported/Eigen/CXX11/ThreadPool>

#include <longspan/distributed/ring.hpp>
#include <longspan/longspan.hpp>

#include "../support/wait_for_all.hpp"

namespace {

using namespace longspan;
using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;

template <class Work>
double seconds_of(const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// On all ranks at once: what the slowest took.
template <class Work>
double seconds_of_all(const Work& work) {
  wait_for_all();
  double seconds = seconds_of(work);
  MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  return seconds;
}

// On the first rank alone.
template <class Work>
double seconds_alone(int rank, const Work& work) {
  wait_for_all();
  double seconds = 0;
  if (rank == 0) seconds = seconds_of(work);
  wait_for_all();
  MPI_Bcast(&seconds, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  return seconds;
}

struct sizes {
  index_t tokens, heads, key_heads, repetitions, window;
  static constexpr index_t channels = 128;
};

// The most that any rank must send under a causal mask: its early stripe to all others, its late one to those before it. Backward it also
// gives back as much as it receives: 3 (ranks - 1) stripes together, of any rank.
double least_megabytes(const sizes& of, index_t ranks) {
  return double(2 * (ranks - 1) * of.tokens / (2 * ranks)) * double(2 * of.key_heads * sizes::channels * index_t(sizeof(float))) /
         1e6;
}

// Of all threads, in Tflop, with so many products.
double causal_teraflops(const sizes& of, int products) {
  return 2e-12 * products * double(sizes::channels * of.heads) * double(of.tokens) * double(of.tokens) / 2;
}

template <class Mechanism>
void measure(const Mechanism& mechanism, const sizes& of) {
  const ring over(MPI_COMM_WORLD);
  const int rank = int(over.rank()), ranks = int(over.ranks());
  Eigen::ThreadPool pool(ranks);
  const Eigen::ThreadPoolDevice threads(&pool, ranks);

  std::srand(3);
  Tensor q(1, of.heads, of.tokens, sizes::channels), k(1, of.key_heads, of.tokens, sizes::channels), v = k;
  for (Tensor* tensor : {&q, &k, &v})
    for (index_t i = 0; i < tensor->size(); ++i) tensor->data()[i] = float(std::rand()) / float(RAND_MAX) - 0.5f;
  const auto own_q = over.scatter(q), own_k = over.scatter(k), own_v = over.scatter(v);

  constexpr double never = std::numeric_limits<double>::infinity();
  double forward_alone = never, forward_together = never, backward_alone = never, backward_together = never;
  index_t forward_bytes = 0, backward_bytes = 0;
  for (index_t n = 0; n < of.repetitions; ++n) {
    const auto whole = forward(threads, mechanism, q, k, v);
    const auto part = over.scatter(whole);
    forward_alone = std::min(forward_alone, seconds_alone(rank, [&] { forward(threads, mechanism, q, k, v); }));
    index_t sent = over.bytes_sent();
    forward_together = std::min(forward_together, seconds_of_all([&] { forward(over, mechanism, own_q, own_k, own_v); }));
    forward_bytes = over.bytes_sent() - sent, sent = over.bytes_sent();
    backward_alone =
        std::min(backward_alone, seconds_alone(rank, [&] { backward(threads, mechanism, q, k, v, whole, whole.output); }));
    backward_together =
        std::min(backward_together, seconds_of_all([&] { backward(over, mechanism, own_q, own_k, own_v, part, part.output); }));
    backward_bytes = over.bytes_sent() - sent;
  }
  MPI_Allreduce(MPI_IN_PLACE, &forward_bytes, 1, MPI_LONG, MPI_MAX, MPI_COMM_WORLD);
  MPI_Allreduce(MPI_IN_PLACE, &backward_bytes, 1, MPI_LONG, MPI_MAX, MPI_COMM_WORLD);
  if (rank != 0) return;
  const auto line = [&](const std::string& pass, int products, double alone, double together, index_t bytes, double least) {
    std::cout << pass << ": " << of.tokens << " tokens, " << of.heads << " heads on " << of.key_heads << ", window " << of.window
              << ": one process of " << ranks << " threads " << alone << " s, " << ranks << " ranks " << together << " s, speed "
              << alone / together << "; the rank that sends most sends " << double(bytes) / 1e6 << " MB";
    if (of.window == 0)
      std::cout << " of at least " << least << "; " << causal_teraflops(of, products) / alone / ranks << " Tflop/s a thread";
    std::cout << '\n';
  };
  const double least = least_megabytes(of, ranks);
  line("forward", 2, forward_alone, forward_together, forward_bytes, least);
  line("backward", 5, backward_alone, backward_together, backward_bytes, 1.5 * least);
}

}  // namespace

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  const auto argument = [&](int number, long otherwise) { return index_t(argc > number ? std::atol(argv[number]) : otherwise); };
  const sizes of{argument(1, 32768), argument(2, 4), argument(3, 1), argument(4, 3), argument(5, 0)};
  const auto rows = p_rope{} | dot_product{} | scale_invariant{};
  if (of.window > 0)
    measure(rows | sliding_window{.before = of.window - 1}, of);
  else
    measure(rows | causal{}, of);
  MPI_Finalize();
}
