#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

#include <longspan/core/device.hpp>
#include <longspan/core/interval.hpp>
#include <longspan/core/text.hpp>
#include <longspan/distributed/piece_tensors.hpp>
#include <longspan/distributed/progressing.hpp>
#include <longspan/distributed/ranks.hpp>
#include <longspan/distributed/ring_call.hpp>
#include <longspan/distributed/ring_sight.hpp>
#include <longspan/distributed/stripes.hpp>
#include <longspan/distributed/together.hpp>
#include <longspan/distributed/travelling_keys.hpp>
#include <longspan/kernel/attend_texts.hpp>
#include <longspan/kernel/prepare_row.hpp>
#include <longspan/kernel/without_negligible.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/bind_summands.hpp>
#include <longspan/softmax/merge.hpp>
#include <longspan/tensor/copy_tokens.hpp>
#include <longspan/tensor/fill_between.hpp>
#include <longspan/tensor/forward_tensors.hpp>
#include <longspan/tile/buffer.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// The forward pass of a rank's rows, to which keys come part by part: the first part of a stripe of rows is written where it belongs, each
// further one is attended to apart and merged, in the precision of the computation; so is each further summand of a sum. Parts are merged
// as they come, the own first: the bits are the same for any device, and of one rank those of a call without a ring, but not the same for
// any number of ranks. In the order of the keys every rank would begin with the keys of rank 0, which could send them to one other at a
// time.
template <device D, class Tensors, class... Parts>
class ring_forward {
  using Words = typename Tensors::words;
  using T = typename Words::compute;
  static constexpr bool exact = std::is_same_v<number_of<decltype(Tensors::output)>, T>;

 public:
  // Takes all the memory it needs. Reads what it is given until it is gone.
  ring_forward(const D& d, const mechanism<Parts...>& whole, const ring_call& call, const ring_sight<Parts...>& sight,
               const Tensors& tensors, bool several)
      : d_(d), whole_(whole), call_(call), sight_(sight), tensors_(tensors), log_sum_exp_(tensors.log_sum_exp) {
    const auto [batch, heads, rows, channels] = tensors.output.extent;
    if constexpr (exact)
      output_ = tensors.output;
    else
      output_memory_.resize(std::size_t(tensors.output.size())),
          output_ = packed_view(output_memory_.data(), batch, heads, rows, channels);
    if (!tensors.keeps_log_sum_exp()) {
      sums_memory_.resize(std::size_t(batch * heads * rows));
      log_sum_exp_ = packed_view(sums_memory_.data(), batch, heads, rows, 1);
    }
    if (!several && !is_sum<Parts...>) return;
    const index_t most = std::max(call.own.own(0).size(), call.own.own(1).size());
    part_output_.resize(std::size_t(batch * heads * most * channels));
    part_sums_.resize(std::size_t(batch * heads * most));
  }

  // Rows see nothing yet.
  void begin() { see_nothing({output_, log_sum_exp_}); }

  // The rows of all stripes attend to a part. A text without keys comes with the first.
  template <class Part>
  void attend(const Part& part, bool first) {
    for (std::size_t s = 0; s < call_.own.count(); ++s) {
      const buffer<text> texts = sight_.texts(s, part.tokens, first);
      if (texts.empty()) continue;
      auto bound = detail::bind_for_kernel<T>(whole_, call_.lengths, texts, texts, tile_keys<Words>(call_.lengths));
      detail::for_each_sentence(whole_, std::move(bound), [&](const auto& sentence, auto of_texts) {
        attend(sentence, std::move(of_texts), part, rows_of_texts(texts), attended_[s]);
      });
    }
  }

  void finish() {
    if constexpr (!exact) detail::copy_tokens(this_thread{}, output_, tensors_.output);
  }

 private:
  void see_nothing(const part_view<T, T>& rows) {
    detail::for_each_head(d_, rows.output, [&](index_t b, index_t h) {
      const auto output = rows.output.head(b, h), sums = rows.log_sum_exp.head(b, h);
      for (index_t i = 0; i < output.tokens; ++i) {
        *sums.row(i) = -std::numeric_limits<T>::infinity();
        for (index_t c = 0; c < output.channels; ++c) output.row(i)[c * output.channel_stride] = T(0);
      }
    });
  }
  // The rows of some texts of a stripe attend to a part in one sentence.
  template <class Sentence, class Bound, class Part>
  void attend(const Sentence& sentence, Bound bound, const Part& part, interval rows, bool& attended) {
    const part_view<T, T> all{detail::tokens_of(output_, rows), detail::tokens_of(log_sum_exp_, rows)};
    if (!std::exchange(attended, true)) return attend_into(all, sentence, std::move(bound), part, rows);
    const auto [batch, heads, tokens, channels] = all.output.extent;
    const part_view<T, T> apart{packed_view(part_output_.data(), batch, heads, tokens, channels),
                                packed_view(part_sums_.data(), batch, heads, tokens, 1)};
    see_nothing(apart);
    attend_into(apart, sentence, std::move(bound), part, rows);
    detail::write_merged(d_, all, all, apart);
  }
  template <class Sentence, class Bound, class Part>
  void attend_into(const part_view<T, T>& to, const Sentence& sentence, Bound bound, const Part& part, interval rows) {
    const piece_tensors piece{forward_tensors<Words, decltype(tensors_.query), view<const number_of<decltype(part.key)>>,
                                              view<const number_of<decltype(part.value)>>, view<T>>{
                                  detail::tokens_of(tensors_.query, rows), part.key, part.value, to.output, to.log_sum_exp},
                              rows.first, part.tokens.first};
    detail::attend_rows(d_, detail::without_negligible(d_, sentence, std::move(bound), piece), piece);
  }

  const D& d_;
  const mechanism<Parts...>& whole_;
  const ring_call& call_;
  const ring_sight<Parts...>& sight_;
  Tensors tensors_;
  view<T> output_, log_sum_exp_;
  buffer<T> output_memory_, sums_memory_, part_output_, part_sums_;
  std::array<bool, 2> attended_{};  // to any part, by stripe
};

// Of inputs and results that fit each other on this rank; whether those of all fit, `call` knows.
template <device D, class... Parts, class Tensors>
void run_ring_forward(const ranks& all, const D& d, const mechanism<Parts...>& whole, const ring_call& call,
                      const Tensors& tensors) {
  using Device = progressing<D>;
  const Device device{d, all};
  std::optional<ring_sight<Parts...>> sight;
  std::optional<travelling_keys<number_of<decltype(tensors.key)>, number_of<decltype(tensors.value)>>> keys;
  std::optional<ring_forward<Device, Tensors, Parts...>> rows;
  together(all, [&] {
    detail::check(whole, call.lengths, call.texts);
    sight.emplace(whole, call);
    keys.emplace(all, call, tensors.key, tensors.value, detail::wanted_by(*sight, call));
    rows.emplace(device, whole, call, *sight, tensors, all.count() > 1 || call.keys.count() > 1);
  });
  keys->ask();
  std::exception_ptr failed = failure_of([&] { rows->begin(); });
  for (index_t step = 0; step < all.count(); ++step) {
    keys->begin(step + 1);
    for (std::size_t s = 0; s < 2 && !failed; ++s)
      failed = failure_of([&] { rows->attend(keys->part_of(step, s), step == 0 && s == 0); });
    keys->arrive();
  }
  if (!failed) failed = failure_of([&] { rows->finish(); });
  keys->finish();
  detail::agree(all, failed);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
