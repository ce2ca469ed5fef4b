#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <mpi.h>

#include <longspan/core/index.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/batch_of_texts.hpp>
#include <longspan/mechanism/parameters.hpp>
#include <longspan/mechanism/takers.hpp>
#include <longspan/simd/widen.hpp>
#include <longspan/tensor/placement.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What the ranks of one call must have alike.

// A number that differs where any of some numbers do (FNV-1a).
class digest {
 public:
  void add(index_t number) {
    for (int byte = 0; byte < 8; ++byte)
      value_ = (value_ ^ (std::uint64_t(number) >> 8 * byte & 255)) * std::uint64_t(0x100000001b3u);
  }
  void add(const std::optional<index_t>& number) { add(number ? 1 : 0), add(number.value_or(0)); }
  void add(const token_counts& numbers) {
    add(numbers ? index_t(numbers->size()) : -1);
    if (numbers)
      for (const index_t each : *numbers) add(each);
  }
  index_t value() const { return index_t(value_); }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

inline index_t digest_of(const placement& where) {
  digest all;
  all.add(where.first_query), all.add(where.first_key), all.add(where.all_keys);
  all.add(where.key_lengths), all.add(where.query_lengths), all.add(where.query_starts), all.add(where.key_starts);
  return all.value();
}

// Of learned numbers, and of the extents of tensors that parts read, but for what is a rank's own: their query axes.
template <class... Parts>
index_t digest_of(const mechanism<Parts...>& whole) {
  digest all;
  detail::for_each_part_tensor(whole, [&](const char*, const auto& tensor) {
    for (const std::size_t axis : {0u, 1u, 3u}) all.add(tensor.extent[axis]);
  });
  longspan::for_each_learned(whole, [&](const double& number) { all.add(std::bit_cast<std::int64_t>(number)); });
  return all.value();
}

// Of what tensors hold.
template <class... S>
index_t digest_of_types() {
  digest all;
  ((all.add(index_t(sizeof(S))), all.add(index_t(narrow_format<std::remove_const_t<S>>))), ...);
  return all.value();
}

// What every rank tells all others of a call. The first `Alike` numbers must be the same on all; those without a word are digests.
template <std::size_t Numbers, std::size_t Alike>
class told_by_ranks {
 public:
  using numbers = std::array<index_t, Numbers>;
  struct meaning {
    const char* of;
    bool is_digest = false;
  };

  // Takes the memory that `tell` needs.
  explicit told_by_ranks(const ranks& all) : by_rank_(std::size_t(all.count())) {}
  void tell(const ranks& all, const numbers& own) {
    require_success(MPI_Allgather(&own, sizeof own, MPI_BYTE, by_rank_.data(), sizeof own, MPI_BYTE, all.communicator()),
                    "MPI_Allgather");
  }
  std::span<const numbers> by_rank() const { return by_rank_; }

  // Throws shape_error, the same on every rank.
  void require_alike(const std::array<meaning, Alike>& of) const {
    for (std::size_t rank = 1; rank < by_rank_.size(); ++rank)
      for (std::size_t n = 0; n < Alike; ++n) {
        const index_t first = by_rank_[0][n], other = by_rank_[rank][n];
        if (first == other) continue;
        const std::string both = of[n].is_digest ? "" : ": " + std::to_string(first) + " and " + std::to_string(other);
        throw shape_error("ranks 0 and " + std::to_string(rank) + " differ in " + of[n].of + both);
      }
  }

 private:
  std::vector<numbers> by_rank_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
