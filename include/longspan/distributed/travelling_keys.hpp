#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/ring_call.hpp>
#include <longspan/distributed/stripes.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Keys along the axis of all ranks, some of each of a rank's stripes.
struct some_keys {
  std::array<interval, 2> of_stripe;

  index_t count() const { return of_stripe[0].size() + of_stripe[1].size(); }
};

// Calls visit(head of a tensor's tokens, extent in bytes) for what some keys of a stripe take in a tensor whose tokens are packed.
template <class S, class Visit>
void for_each_run_of_memory(const view<S>& tensor, interval tokens, Visit visit) {
  if (tokens.empty()) return;
  for (index_t b = 0; b < tensor.extent[0]; ++b)
    for (index_t h = 0; h < tensor.extent[1]; ++h)
      visit(tensor.head(b, h).row(tokens.first), tokens.size() * tensor.extent[3] * index_t(sizeof(S)));
}

// A tensor whose tokens are packed: the caller's if its are, or else a copy.
template <class S>
class packed_tokens {
 public:
  explicit packed_tokens(const view<const S>& tensor) : view_(tensor) {
    const index_t channels = tensor.extent[3];
    if (tensor.size() == 0 || (tensor.stride[3] == 1 && tensor.stride[2] == channels)) return;
    memory_.resize(std::size_t(tensor.size()));
    const auto packed = packed_view(memory_.data(), tensor.extent[0], tensor.extent[1], tensor.extent[2], channels);
    detail::copy_tokens(this_thread{}, tensor, packed);
    view_ = packed;
  }
  const view<const S>& packed() const { return view_; }

 private:
  view<const S> view_;
  buffer<S> memory_;
};

// The keys and values of all ranks as they come to one, in steps: step s brings those of the rank s before, straight from it, so that at
// any time every rank sends to one other and receives from one other; of them only what its rows see, in the storage of the tensors. Two
// steps' are in memory: those that are worked on and those on their way. They travel unprepared, since a key is prepared for 1 / rows of
// what its products cost, and prepared it is larger where its storage is narrow.
template <class K, class V>
class travelling_keys {
 public:
  // Takes all the memory it needs. `wanted` says what of each rank's keys the own rows see.
  travelling_keys(const ranks& all, const ring_call& call, const view<const K>& key, const view<const V>& value,
                  std::vector<some_keys> wanted)
      : all_(all), call_(call), key_(key), value_(value), wanted_(std::move(wanted)), asked_(std::size_t(all.count())) {
    index_t most = 0;
    for (index_t rank = 0; rank < all.count(); ++rank)
      if (rank != all.rank()) most = std::max(most, wanted_of(rank).count());
    const index_t heads = call.lengths.batch * call.lengths.key_heads;
    for (room& each : rooms_) {
      each.keys.resize(std::size_t(most * heads * call.lengths.channels));
      each.values.resize(std::size_t(most * heads * call.lengths.value_channels));
    }
    const auto messages = [&](index_t tokens) {
      const index_t bytes = tokens * std::max(call.lengths.channels, call.lengths.value_channels) * index_t(sizeof(double));
      return std::size_t(4 * heads * (1 + ranks::messages(bytes)));
    };
    receives_.reserve(messages(most));
    sends_.reserve(std::size_t(all.count()) * messages(call.keys.tokens()));
  }

  // Tells every rank what is wanted of it.
  void ask() {
    constexpr int bytes = sizeof(some_keys);
    require_success(MPI_Alltoall(wanted_.data(), bytes, MPI_BYTE, asked_.data(), bytes, MPI_BYTE, all_.communicator()),
                    "MPI_Alltoall");
  }

  // The rank whose keys come in a step, and the one that the own go to.
  index_t from(index_t step) const { return (all_.rank() - step + all_.count()) % all_.count(); }
  index_t to(index_t step) const { return (all_.rank() + step) % all_.count(); }
  const some_keys& wanted_of(index_t rank) const { return wanted_[std::size_t(rank)]; }
  const some_keys& asked_by(index_t rank) const { return asked_[std::size_t(rank)]; }

  // Begins what a step brings, and the sending of the own keys for it and the one after, which takes no memory: a rank that is ahead does
  // not wait. `arrive` waits for what the step brings.
  void begin(index_t step) {
    for (; sent_ < std::min(step + 1, all_.count() - 1); ++sent_) send(sent_ + 1);
    if (step < all_.count()) receive(step);
  }
  void arrive() { wait_for_all(receives_); }
  void finish() { wait_for_all(sends_); }

  // What a step brought of a stripe of its rank's.
  struct part {
    interval tokens;
    view<const K> key;
    view<const V> value;
  };
  part part_of(index_t step, std::size_t stripe) {
    const some_keys& some = wanted_of(from(step));
    const interval tokens = some.of_stripe[stripe];
    if (step == 0) {
      const interval whole = call_.keys[stripe], own = call_.keys.own(stripe);
      const index_t first = own.first + tokens.first - whole.first;
      const interval rows = tokens.empty() ? interval{} : interval{first, first + tokens.size()};
      return {tokens, detail::tokens_of(key_.packed(), rows), detail::tokens_of(value_.packed(), rows)};
    }
    room& own = rooms_[std::size_t(step % 2)];
    return {tokens, arriving<K>(own.keys, call_.lengths.channels, some, stripe),
            arriving<V>(own.values, call_.lengths.value_channels, some, stripe)};
  }

 private:
  struct room {
    buffer<K> keys;
    buffer<V> values;
  };

  template <class S>
  view<S> arriving(buffer<S>& memory, index_t channels, const some_keys& some, std::size_t stripe) const {
    const auto all = packed_view(memory.data(), call_.lengths.batch, call_.lengths.key_heads, some.count(), channels);
    const index_t first = stripe == 0 ? 0 : some.of_stripe[0].size();
    return detail::tokens_of(all, {first, first + some.of_stripe[stripe].size()});
  }

  void send(index_t step) {
    const index_t rank = to(step);
    for (std::size_t s = 0; s < call_.keys.count(); ++s) {
      const interval asked = asked_by(rank).of_stripe[s], own = call_.keys.own(s);
      if (asked.empty()) continue;
      const index_t first = own.first + asked.first - call_.keys[s].first;
      const auto run = [&](const auto* from, index_t bytes) { all_.send(message::keys, from, bytes, rank, sends_); };
      for_each_run_of_memory(key_.packed(), {first, first + asked.size()}, run);
      for_each_run_of_memory(value_.packed(), {first, first + asked.size()}, run);
    }
  }
  void receive(index_t step) {
    const index_t rank = from(step);
    room& own = rooms_[std::size_t(step % 2)];
    const auto run = [&](auto* into, index_t bytes) { all_.receive(message::keys, into, bytes, rank, receives_); };
    for (std::size_t s = 0; s < 2; ++s) {
      const interval rows{0, wanted_of(rank).of_stripe[s].size()};
      for_each_run_of_memory(arriving<K>(own.keys, call_.lengths.channels, wanted_of(rank), s), rows, run);
      for_each_run_of_memory(arriving<V>(own.values, call_.lengths.value_channels, wanted_of(rank), s), rows, run);
    }
  }

  const ranks& all_;
  const ring_call& call_;
  packed_tokens<K> key_;
  packed_tokens<V> value_;
  std::vector<some_keys> wanted_, asked_;
  std::array<room, 2> rooms_;
  std::vector<MPI_Request> sends_, receives_;
  index_t sent_ = 0;
};

// What the own rows see of every rank's keys.
template <class Sight>
std::vector<some_keys> wanted_by(const Sight& sight, const ring_call& call) {
  std::vector<some_keys> wanted(call.each.size());
  for (std::size_t rank = 0; rank < wanted.size(); ++rank)
    for (std::size_t s = 0; s < call.each[rank].count(); ++s) wanted[rank].of_stripe[s] = sight.needed(call.each[rank][s]);
  return wanted;
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
