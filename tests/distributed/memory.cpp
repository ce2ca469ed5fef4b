// What a rank's calls take. Where the memory of one rank runs out, at any allocation of a call, all ranks throw, and none waits for
// another.
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

#include <malloc.h>

#include "both_ways.hpp"

namespace {

std::atomic<long> left = -1;  // how many more allocations succeed before one fails; any number where it is negative
std::atomic<std::size_t> held = 0, most_held = 0;  // bytes

void* allocated(std::size_t bytes, std::size_t alignment) {
  if (left >= 0 && left-- == 0) throw std::bad_alloc();
  void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  const std::size_t now = held += malloc_usable_size(memory);
  for (std::size_t most = most_held; most < now && !most_held.compare_exchange_weak(most, now);) {
  }
  return memory;
}
void freed(void* memory) {
  held -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

// Inlined, the operators look mismatched to g++.
[[gnu::noinline]] void* operator new(std::size_t bytes) { return allocated(bytes, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocated(bytes, std::size_t(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { freed(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { freed(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept { freed(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { freed(memory); }

using namespace testing_support;
using namespace longspan;

namespace {

const auto sentence = rms_normalize{.query_gain = std::vector<double>(16, 1.1)} | rope{} | dot_product{} |
                      ss_max{.scale = {0.4, 0.5, 0.6, 0.7}} | alibi{} | sliding_window{.before = 30} | sink{0.3};
const auto sum = (rope{} | dot_product{} | sliding_window{9}) +
                 (dot_product{} | ss_max{.scale = {0.4, 0.5, 0.6, 0.7}} | causal{} | at_least{10} | sink{0.3});

// Calls allocate what they ask for: nothing is kept from calls before.
void forget_kept_blocks() {
  auto& kept = detail::kept_blocks::of_this_thread();
  for (std::size_t bytes = 1; bytes <= detail::largest_kept_block; bytes *= 2)
    for (std::size_t before = 1, after = 0; before != after;) {
      before = kept.bytes();
      ::operator delete(kept.take(bytes), std::align_val_t{64});
      after = kept.bytes();
    }
}

// The most bytes that a call takes beside what was there before.
template <class Call>
std::size_t bytes_of(const Call& call) {
  forget_kept_blocks();
  const std::size_t before = held;
  most_held = before;
  call();
  return most_held - before;
}

// Every allocation of the last rank fails in turn.
template <class Call>
void expect_all_return(const Call& call) {
  const ring over(MPI_COMM_WORLD);
  long allocations = 0;
  for (bool some_failed = true; some_failed; ++allocations) {
    forget_kept_blocks();
    int failed = 0, thrown = 0;
    if (over.rank() == over.ranks() - 1) left = allocations;
    try {
      call(over);
    } catch (const std::bad_alloc&) {
      thrown = 1;
    }
    failed = over.rank() == over.ranks() - 1 && left.exchange(-1) < 0;
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    EXPECT_EQ(thrown, failed) << "rank " << over.rank() << ", allocation " << allocations;
    some_failed = failed != 0;
  }
  EXPECT_GT(allocations, 1);
}

}  // namespace

TEST(memory_of_a_rank, runs_out) {
  const ring over(MPI_COMM_WORLD);
  const lengths of = grouped(40, 40);
  const inputs<float> in = random_inputs<float>(of);
  const auto q = over.scatter(in.q), k = over.scatter(in.k), v = over.scatter(in.v), d = over.scatter(d_output_of<float>(of));
  expect_all_return([&](const auto& ring) { forward(ring, sentence, q, k, v); });
  const auto part = forward(over, sum, q, k, v), whole = forward(sum, in.q, in.k, in.v);
  expect_all_return([&](const auto& ring) { backward_with_parameters(ring, sum, q, k, v, part, d); });
  expect_all_return([&](const auto& ring) { (void)ring.merge(whole), ring.gather(part); });
}

// Beside what calls of the rank's own rows and keys take, and what their rooms of other sizes leave to the next: two other ranks' parts of
// keys and values, and the output that is merged. Backward also the gradients of parts: those that are added to, those on their way out and
// in, the sums of the rank's own, and those of one stripe.
TEST(memory_of_a_rank, holds_two_parts_of_keys_and_values) {
  const ring over(MPI_COMM_WORLD);
  const index_t rows = 8 * over.ranks(), keys = 128 * over.ranks();
  const lengths of{.heads = 8, .key_heads = 8, .queries = rows, .keys = keys, .channels = 128, .value_channels = 128};
  const inputs<float> in = random_inputs<float>(of);
  const auto q = over.scatter(in.q), k = over.scatter(in.k), v = over.scatter(in.v), d = over.scatter(d_output_of<float>(of));
  const auto plain = dot_product{} | causal{};
  const auto part = forward(over, plain, q, k, v), alone = forward(plain, q, k, v);
  const std::size_t keys_and_values = 2 * std::size_t(k.size()) * sizeof(float), output = std::size_t(q.size()) * sizeof(float);
  const std::size_t of_one = bytes_of([&] { forward(plain, q, k, v); });
  const std::size_t backward_of_one = bytes_of([&] { backward(plain, q, k, v, alone, d); });
  EXPECT_LE(bytes_of([&] { forward(over, plain, q, k, v); }), 2 * of_one + 2 * keys_and_values + output);
  EXPECT_LE(bytes_of([&] { backward(over, plain, q, k, v, part, d); }), 2 * backward_of_one + 7 * keys_and_values);
}
