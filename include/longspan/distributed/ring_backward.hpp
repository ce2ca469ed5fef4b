#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <longspan/backward.hpp>
#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/text.hpp>
#include <longspan/distributed/piece_tensors.hpp>
#include <longspan/distributed/progressing.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/returning_gradients.hpp>
#include <longspan/distributed/ring_call.hpp>
#include <longspan/distributed/ring_sight.hpp>
#include <longspan/distributed/stripes.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/distributed/travelling_keys.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bind_summands.hpp>
#include <longspan/mechanism/parameters_of.hpp>
#include <longspan/mechanism/takers.hpp>
#include <longspan/tensor/backward_tensors.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The backward pass of a rank's rows, to which keys come part by part: each adds to the gradients of the rows and to those of its keys, in
// the precision of the computation.
template <bool Learning, device D, class Whole, class Taking, class Tensors>
class ring_backward {
  using T = typename Tensors::compute;

 public:
  // Takes all the memory it needs. Reads what it is given until it is gone.
  ring_backward(const D& d, const Whole& whole, const Taking& taking, const ring_call& call, const Tensors& tensors,
                std::vector<std::vector<double>>& d_parameters)
      : d_(d), whole_(whole), taking_(taking), call_(call), tensors_(tensors), d_parameters_(d_parameters) {
    const auto memory = [&](const auto& tensor, index_t tokens) {
      return std::size_t(tensor.extent[0] * tensor.extent[1] * tokens * tensor.extent[3]);
    };
    const index_t most = std::max(call.own.own(0).size(), call.own.own(1).size());
    index_t most_keys = 0;
    for (const stripes& each : call.each) most_keys = std::max({most_keys, each[0].size(), each[1].size()});
    d_query_.resize(memory(tensors.query, tensors.query.extent[2]));
    part_d_query_.resize(memory(tensors.query, most));
    part_d_key_.resize(memory(tensors.key, most_keys));
    part_d_value_.resize(memory(tensors.value, most_keys));
  }

  void begin() {
    std::fill(d_query_.begin(), d_query_.end(), T(0));
    detail::begin_gradients(taking_);
  }

  // The rows of all stripes and a part of the keys.
  template <class Sight, class Part, class Gradients>
  void differentiate(const Sight& sight, const Part& part, const Gradients& to, bool first) {
    for (std::size_t s = 0; s < call_.own.count(); ++s)
      if (const buffer<text> texts = sight.texts(s, part.tokens, first); !texts.empty())
        differentiate(texts, part, rows_of_texts(texts), to);
  }

  template <class Gradients>
  void finish(const Gradients& of_keys) {
    detail::finish_gradients(taking_);
    d_parameters_ = detail::with_those_of_takers<Learning>(taking_, std::move(d_parameters_));
    detail::copy_tokens(this_thread{}, own_d_query(), tensors_.d_query);
    detail::copy_tokens(this_thread{}, of_keys.d_key, tensors_.d_key);
    detail::copy_tokens(this_thread{}, of_keys.d_value, tensors_.d_value);
  }

 private:
  template <class Part, class Gradients>
  void differentiate(const buffer<text>& texts, const Part& part, interval rows, const Gradients& to) {
    const auto own = [&](const auto& tensor) { return detail::tokens_of(tensor, rows); };
    const view<T> d_query = beside(part_d_query_, own(tensors_.query)), d_key = beside(part_d_key_, part.key),
                  d_value = beside(part_d_value_, part.value);
    const piece_tensors piece{
        backward_tensors<T, number_of<decltype(tensors_.query)>, number_of<decltype(part.key)>, number_of<decltype(part.value)>,
                         number_of<decltype(tensors_.output)>, number_of<decltype(tensors_.d_output)>, T, T, T>{
            own(tensors_.query), part.key, part.value, own(tensors_.output), own(tensors_.log_sum_exp), own(tensors_.d_output),
            own(tensors_.d_log_sum_exp), d_query, d_key, d_value},
        rows.first, part.tokens.first};
    angle_tables<T> tables(texts);
    auto bound = detail::bind_each(taking_, call_.lengths, texts, [&](const auto& sentence, const auto& seen) {
      return detail::bind_backward<Learning, T>(sentence, call_.lengths, texts, seen, tables);
    });
    std::span<std::vector<double>> lists(d_parameters_);
    detail::for_each_sentence(whole_, std::move(bound), [&]<class Sentence>(const Sentence& sentence, auto of_texts) {
      for (const auto& each : {d_query, d_key, d_value}) std::fill_n(each.data, each.size(), T(0));
      detail::differentiate_texts(d_, sentence, std::move(of_texts), piece, detail::take_lists<Sentence>(lists));
      detail::add_tokens(this_thread{}, d_query, detail::tokens_of(own_d_query(), rows));
      detail::add_tokens(this_thread{}, d_key, to.d_key), detail::add_tokens(this_thread{}, d_value, to.d_value);
    });
  }

  template <class S>
  static view<T> beside(buffer<T>& memory, const view<S>& tensor) {
    return packed_view(memory.data(), tensor.extent[0], tensor.extent[1], tensor.extent[2], tensor.extent[3]);
  }
  view<T> own_d_query() { return beside(d_query_, tensors_.query); }

  const D& d_;
  const Whole& whole_;
  const Taking& taking_;
  const ring_call& call_;
  Tensors tensors_;
  std::vector<std::vector<double>>& d_parameters_;
  buffer<T> d_query_, part_d_query_, part_d_key_, part_d_value_;
};

// The gradients that parts write of tensors that all queries share, those of every rank: their sum, on all. Where the ranks' tensors have
// other extents than 1 along their queries, these are rows of each rank's own.
template <class... Parts>
void add_up_part_gradients(const ranks& all, const mechanism<Parts...>& whole) {
  detail::for_each_part_gradient(whole, [&](const char*, const auto& gradient, index_t) {
    int own_rows = gradient.extent[2] != 1 ? 1 : 0;
    require_success(MPI_Allreduce(MPI_IN_PLACE, &own_rows, 1, MPI_INT, MPI_MAX, all.communicator()), "MPI_Allreduce");
    if (own_rows != 0) return;
    std::array<double, 1024> some;
    for (index_t b = 0; b < gradient.extent[0]; ++b)
      for (index_t h = 0; h < gradient.extent[1]; ++h)
        for (index_t j = 0; j < gradient.extent[3]; j += index_t(some.size())) {
          const index_t count = std::min(index_t(some.size()), gradient.extent[3] - j), stride = gradient.stride[3];
          auto* const at = gradient.head(b, h).data + j * stride;
          copy_row(at, stride, some.data(), 1, count);
          all.add_up(some.data(), count);
          copy_row(some.data(), 1, at, stride, count);
        }
  });
}

// Calls differentiate(step, stripe) for every part of the keys while others travel, and their gradients one step behind. The own late
// stripe comes last: the last gradients are on their way meanwhile.
template <class Keys, class Gradients, class Differentiate>
void for_each_part(const ranks& all, Keys& keys, Gradients& gradients, const Differentiate& differentiate) {
  for (index_t step = 0; step < all.count(); ++step) {
    keys.begin(step + 1);
    gradients.begin(step, keys);
    differentiate(step, 0);
    if (step > 0) differentiate(step, 1);
    keys.arrive();
    if (step > 1) gradients.take(step - 1, keys);
    if (step > 0) gradients.give(step, keys);
  }
  differentiate(0, 1);
  if (all.count() > 1) gradients.take(all.count() - 1, keys);
}

// Of tensors that fit each other on this rank; whether those of all fit, `call` knows.
template <bool Learning, device D, class... Parts, class Tensors>
void run_ring_backward(const ranks& all, const D& d, const mechanism<Parts...>& whole, const ring_call& call,
                       const Tensors& tensors, std::vector<std::vector<double>>& d_parameters) {
  using T = typename Tensors::compute;
  using Device = progressing<D>;
  using Taking = std::remove_cvref_t<decltype(detail::with_takers<Learning, T>(whole, call.lengths))>;
  const Device device{d, all};
  std::optional<Taking> taking;
  std::optional<ring_sight<Parts...>> sight;
  std::optional<travelling_keys<number_of<decltype(tensors.key)>, number_of<decltype(tensors.value)>>> keys;
  std::optional<returning_gradients<T>> gradients;
  std::optional<ring_backward<Learning, Device, mechanism<Parts...>, Taking, Tensors>> rows;
  together(all, [&] {
    detail::require_fitting(whole, tensors, call.lengths);
    detail::check(whole, call.lengths, call.texts);
    taking.emplace(detail::with_takers<Learning, T>(whole, call.lengths));
    d_parameters = detail::no_derivatives<Learning>(*taking, call.lengths);
    sight.emplace(whole, call);
    keys.emplace(all, call, tensors.key, tensors.value, detail::wanted_by(*sight, call));
    gradients.emplace(all, call, *keys);
    rows.emplace(device, whole, *taking, call, tensors, d_parameters);
  });
  keys->ask();
  std::exception_ptr failed = failure_of([&] { rows->begin(); });
  for_each_part(all, *keys, *gradients, [&](index_t step, std::size_t stripe) {
    if (failed) return;
    failed = failure_of([&] {
      rows->differentiate(*sight, keys->part_of(step, stripe), gradients->part_of(step, stripe, *keys), step == 0 && stripe == 0);
    });
  });
  if (!failed) failed = failure_of([&] { rows->finish(gradients->own()); });
  keys->finish();
  detail::agree(all, failed);
  detail::add_up_part_gradients(all, whole);
  for (auto& numbers : d_parameters) all.add_up(numbers.data(), index_t(numbers.size()));
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
