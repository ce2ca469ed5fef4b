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
#include <longspan/distributed/travelling_keys.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The gradients of keys and values, in the precision of the computation, on their way back: in step s a rank adds to those of the rank s
// before, gives them back when it has taken the step, and adds what came back for its own keys one step later, so that the way is hidden
// behind the work of that step. Every rank adds to its own in the order of the steps: the same bits every time.
template <class T>
class returning_gradients {
 public:
  template <class Travelling>
  returning_gradients(const ranks& all, const ring_call& call, const Travelling& keys) : all_(all), call_(call) {
    index_t most = 0;
    for (index_t step = 1; step < all.count(); ++step) most = std::max(most, keys.wanted_of(keys.from(step)).count());
    own_.resize(call, call.keys.tokens());
    if (all.count() == 1) return;
    for (gradients& each : to_others_) each.resize(call, most);
    back_.resize(call, call.keys.tokens());
    const index_t heads = call.lengths.batch * call.lengths.key_heads;
    const index_t bytes = call.lengths.keys * std::max(call.lengths.channels, call.lengths.value_channels) * index_t(sizeof(T));
    requests_.reserve(std::size_t(8 * heads * (1 + ranks::messages(bytes))));
  }

  // The gradients that step `step` adds to, of some keys of a stripe of its rank's: zeros when it begins.
  struct part {
    view<T> d_key, d_value;
  };
  template <class Travelling>
  void begin(index_t step, const Travelling& keys) {
    of(step).clear(call_, step == 0 ? call_.keys.tokens() : keys.wanted_of(keys.from(step)).count());
  }
  template <class Travelling>
  part part_of(index_t step, std::size_t stripe, const Travelling& keys) {
    const some_keys& some = keys.wanted_of(keys.from(step));
    const interval tokens = some.of_stripe[stripe];
    index_t first = stripe == 0 ? 0 : some.of_stripe[0].size();
    if (step == 0 && !tokens.empty()) first = call_.keys.own(stripe).first + tokens.first - call_.keys[stripe].first;
    return of(step).rows(call_, step == 0 ? call_.keys.tokens() : some.count(), {first, first + tokens.size()});
  }

  // Gives back what a step added to, and begins to receive what another rank added to the own.
  template <class Travelling>
  void give(index_t step, const Travelling& keys) {
    const index_t rank = keys.from(step), count = keys.wanted_of(rank).count();
    const part given = of(step).rows(call_, count, {0, count});
    const auto send = [&](const auto* from, index_t bytes) { all_.send(message::gradients, from, bytes, rank, requests_); };
    for_each_run_of_memory(given.d_key, {0, count}, send), for_each_run_of_memory(given.d_value, {0, count}, send);
    const index_t other = keys.to(step), own = keys.asked_by(other).count();
    const part taken = back_.rows(call_, own, {0, own});
    const auto receive = [&](auto* into, index_t bytes) { all_.receive(message::gradients, into, bytes, other, requests_); };
    for_each_run_of_memory(taken.d_key, {0, own}, receive), for_each_run_of_memory(taken.d_value, {0, own}, receive);
  }
  // Waits for what was begun and adds it.
  template <class Travelling>
  void take(index_t step, const Travelling& keys) {
    wait_for_all(requests_);
    const some_keys& asked = keys.asked_by(keys.to(step));
    for (std::size_t s = 0; s < call_.keys.count(); ++s) {
      const interval tokens = asked.of_stripe[s];
      if (tokens.empty()) continue;
      const index_t first = call_.keys.own(s).first + tokens.first - call_.keys[s].first,
                    from = s == 0 ? 0 : asked.of_stripe[0].size();
      const part added = back_.rows(call_, asked.count(), {from, from + tokens.size()});
      const part sum = own_.rows(call_, call_.keys.tokens(), {first, first + tokens.size()});
      detail::add_tokens(this_thread{}, added.d_key, sum.d_key), detail::add_tokens(this_thread{}, added.d_value, sum.d_value);
    }
  }

  part own() { return own_.rows(call_, call_.keys.tokens(), {0, call_.keys.tokens()}); }

 private:
  struct gradients {
    buffer<T> d_key, d_value;

    static index_t heads(const ring_call& call) { return call.lengths.batch * call.lengths.key_heads; }
    void resize(const ring_call& call, index_t tokens) {
      d_key.resize(std::size_t(heads(call) * tokens * call.lengths.channels));
      d_value.resize(std::size_t(heads(call) * tokens * call.lengths.value_channels));
    }
    void clear(const ring_call& call, index_t tokens) {
      std::fill_n(d_key.data(), heads(call) * tokens * call.lengths.channels, T(0));
      std::fill_n(d_value.data(), heads(call) * tokens * call.lengths.value_channels, T(0));
    }
    part rows(const ring_call& call, index_t tokens, interval some) {
      const auto one = [&](buffer<T>& memory, index_t channels) {
        return detail::tokens_of(packed_view(memory.data(), call.lengths.batch, call.lengths.key_heads, tokens, channels), some);
      };
      return {one(d_key, call.lengths.channels), one(d_value, call.lengths.value_channels)};
    }
  };
  gradients& of(index_t step) { return step == 0 ? own_ : to_others_[std::size_t(step % 2)]; }

  const ranks& all_;
  const ring_call& call_;
  gradients own_, back_;
  std::array<gradients, 2> to_others_;
  std::vector<MPI_Request> requests_;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
