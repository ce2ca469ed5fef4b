// What one rank throws, all throw.
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "both_ways.hpp"
#include "words_of.hpp"

using namespace testing_support;
using namespace longspan;

namespace {

const lengths of{.heads = 2, .key_heads = 1, .queries = 64, .keys = 64};

// Fails on one rank, at some row, when the kernel asks for it.
template <class Exception>
struct failing {
  index_t position = -1;
  auto operator()(const query_row& row) const {
    if (row.position == position) throw Exception();
    return [](auto logit, const auto&) { return logit; };
  }
};

}  // namespace

TEST(ring_errors, shapes_that_differ_on_one_rank) {
  const ring over(MPI_COMM_WORLD);
  const inputs<float> in = random_inputs<float>(of);
  const auto q = over.scatter(in.q), k = over.scatter(in.k), v = over.scatter(in.v);
  const auto mechanism = dot_product{} | causal{};
  const index_t last = over.ranks() - 1;
  if (over.ranks() == 1) return;

  const tensor<float> more = normal<float>(1, over.rank() == last ? 4 : 2, q.dimension(2), 8, 1);
  EXPECT_EQ(words_of([&] { forward(over, mechanism, more, k, v); }),
            "ranks 0 and " + std::to_string(last) + " differ in query heads: 2 and 4");
  const tensor<float> shorter = normal<float>(1, 1, k.dimension(2) - (over.rank() == last), 8, 1);
  EXPECT_THROW(forward(over, mechanism, q, shorter, v), shape_error);
  EXPECT_THROW(forward(over, mechanism, q, shorter, shorter), shape_error);
  EXPECT_THROW(over.gather(shorter), shape_error);
  const placement elsewhere{.first_query = over.rank() == last ? 1 : 0};
  EXPECT_EQ(words_of([&] { forward(over, mechanism, q, k, v, elsewhere); }),
            "ranks 0 and " + std::to_string(last) + " differ in placement");
  EXPECT_THROW(forward(over, dot_product{} | sliding_window{.before = over.rank() == last ? -1 : 5}, q, k, v),
               std::invalid_argument);
  EXPECT_EQ(
      words_of([&] { forward(over, dot_product{} | ss_max{.scale = over.rank() == last ? 0.5 : 0.4} | causal{}, q, k, v); }),
      "ranks 0 and " + std::to_string(last) + " differ in what the mechanism learned, or in the tensors of its parts");
  const auto part = forward(over, mechanism, q, k, v);
  EXPECT_THROW(backward(over, mechanism, q, k, v, part, over.rank() == last ? more : part.output), shape_error);
}

TEST(ring_errors, what_a_rank_meets_while_it_works) {
  const ring over(MPI_COMM_WORLD);
  const inputs<float> in = random_inputs<float>(of);
  const auto q = over.scatter(in.q), k = over.scatter(in.k), v = over.scatter(in.v);
  const auto part = forward(over, dot_product{} | causal{}, q, k, v);
  for (const index_t position : {0, 20, 63}) {
    EXPECT_EQ(words_of([&] { forward(over, dot_product{} | failing<std::bad_alloc>{position} | causal{}, q, k, v); }),
              "bad_alloc");
    EXPECT_EQ(words_of([&] {
                backward(over, dot_product{} | failing<std::bad_alloc>{position} | causal{}, q, k, v, part, part.output);
              }),
              "bad_alloc");
  }
  const std::string words = words_of([&] { forward(over, dot_product{} | failing<std::exception>{0} | causal{}, q, k, v); });
  EXPECT_EQ(words, over.rank() == 0 ? "std::exception" : "rank 0: std::exception");
  const auto again = forward(over, dot_product{} | causal{}, q, k, v);  // nothing of the failed calls is on its way
  EXPECT_TRUE(same_bits(again.output, part.output));
}

TEST(ring_errors, what_is_no_communicator) {
  EXPECT_EQ(words_of([] { ring{MPI_COMM_NULL}; }),
            "ring: MPI_COMM_NULL is what ranks outside of a communicator have: they take no part in its calls");
  int rank = 0, ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank), MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (ranks == 1) return;
  MPI_Comm half, between;
  MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
  MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, 1 - rank % 2, 0, &between);
  EXPECT_EQ(words_of([&] { ring{between}; }), "ring: the communicator is between two groups of ranks; a ring needs one group");
  MPI_Comm_free(&between), MPI_Comm_free(&half);
}

// For main: before MPI_Init and behind MPI_Finalize.
std::string words_of_a_ring_outside_of_mpi() {
  return words_of([] { ring{MPI_COMM_WORLD}; });
}

// It would be gone when the first call comes.
static_assert(!std::is_constructible_v<ring<detail::this_thread>, MPI_Comm, detail::this_thread>);
