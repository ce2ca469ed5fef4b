#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <type_traits>

#include <longspan/longspan.hpp>

#include "devices.hpp"
#include "drawn_call.hpp"
#include "drawn_numbers.hpp"
#include "guarded.hpp"
#include "sentence.hpp"

namespace fuzz {

// The rules of a backward pass: differences of the definition along a drawn direction, the bits of a text alone, of any threads and of
// memory that lies otherwise, and what no row sees.
template <class S, class Sentence>
class over_gradients {
  using T = longspan::detail::compute_t<S>;

  struct gradients {
    guarded<S> q, k, v;

    gradients(drawn& from, const drawn_call& call)
        : q(from, call.of_queries()), k(from, call.of_keys()), v(from, call.of_values()) {
      for (guarded<S>* each : {&q, &k, &v}) each->fill(S(-7.f), [] { return S(-7.f); }), each->seal();
    }
    bool unchanged_outside() const { return q.unchanged_outside() && k.unchanged_outside() && v.unchanged_outside(); }
    bool unchanged() const { return q.unchanged() && k.unchanged() && v.unchanged(); }
    bool same(const gradients& other) const {
      return same_numbers(q.all(), other.q.all()) && same_numbers(k.all(), other.k.all()) && same_numbers(v.all(), other.v.all());
    }
  };

 public:
  over_gradients(drawn& from, const Sentence& sentence)
      : from_(from),
        sentence_(sentence),
        call_(from, 120),
        data_(from, call_),
        numbers_(from, from.once_in(4)),
        q_(from, call_.of_queries(), call_.queries_lie),
        k_(from, call_.of_keys(), call_.keys_lie),
        v_(from, call_.of_values(), call_.keys_lie),
        d_output_(from, call_.of_output(), {.broadcast = true}),
        d_sums_(from, call_.of_sums()),
        output_(from, call_.of_output()),
        sums_(from, call_.of_sums()) {
    numbers_.fill(q_), numbers_.fill(k_), numbers_.fill(v_);
    drawn_numbers ordinary(from, false);
    ordinary.fill(d_output_), ordinary.fill(d_sums_);
    q_.seal(), k_.seal(), v_.seal(), d_output_.seal(), d_sums_.seal();
  }

  void hold_all() {
    try {
      longspan::forward_into(drawn_device{}, sentence_.make(data_.all()), q_.all(), k_.all(), v_.all(), output_.all(),
                             sums_.all(), call_.where());
    } catch (const std::invalid_argument& error) {
      gradients refused(from_, call_);
      try {
        run(drawn_device(from_), k_.all(), v_.all(), refused);
      } catch (const std::invalid_argument& again) {
        hold(refused.unchanged(), "written before it is refused");
        hold(std::string(error.what()) == again.what(), "refused with other words: " + std::string(again.what()));
        return;
      }
      throw broken_rule("only forward refuses: " + std::string(error.what()));
    }
    gradients made(from_, call_), again(from_, call_);
    run(drawn_device(from_), k_.all(), v_.all(), made);
    hold(made.unchanged_outside(), "written outside of gradients");
    hold(q_.unchanged() && k_.unchanged() && v_.unchanged() && d_output_.unchanged() && d_sums_.unchanged(), "inputs change");
    run(drawn_device(from_), k_.all(), v_.all(), again);
    hold(made.same(again), "other bits on other threads or in other memory");
    if (numbers_.are == drawn_numbers::kind::normal && std::is_same_v<S, double>) agrees_with_differences(made);
    for (const own_text& each : call_.texts()) stands_alone(each, made);
    what_is_hidden_does_not_matter(made);
  }

  std::string words() const {
    return std::string("gradients of ") + sentence_.name + ", " + call_.words() + ", numbers " +
           std::to_string(int(numbers_.are)) + ' ' + std::to_string(numbers_.gain);
  }

 private:
  void run(const drawn_device& device, const view<const S>& k, const view<const S>& v, gradients& to) {
    longspan::backward_into(device, sentence_.make(data_.all()), q_.all(), k, v, longspan::attended{output_.all(), sums_.all()},
                            longspan::attended{d_output_.all(), d_sums_.all()}, to.q.all(), to.k.all(), to.v.all(),
                            call_.where());
  }

  // Of the definition: the loss is the sum of the outputs and the finite sums times their gradients.
  double loss(const view<const S>& q, const view<const S>& k, const view<const S>& v) const {
    const auto exact = longspan::reference::attention(sentence_.make(data_.all()), q, k, v, call_.where());
    double sum = 0;
    std::size_t n = 0;
    for_each_index(call_.of_output(), [&](auto... i) { sum += exact.output.data()[n++] * double(at(d_output_.all(), i...)); });
    n = 0;
    for_each_index(call_.of_sums(), [&](auto... i) {
      const double one = exact.log_sum_exp.data()[n++];
      if (std::isfinite(one)) sum += one * double(at(d_sums_.all(), i...));
    });
    return sum;
  }

  void agrees_with_differences(const gradients& made) {
    const auto one = [&](const char* words, const guarded<S>& tensor, const guarded<S>& gradient, auto loss_of) {
      guarded<S> above(tensor.all().extent), below(tensor.all().extent), direction(tensor.all().extent);
      drawn_numbers(from_, false).fill(direction);
      above.take(tensor.all(), S(0)), below.take(tensor.all(), S(0));
      double slope = 0, scale = 1;
      constexpr double step = 1e-7;
      for_each_index(tensor.all().extent, [&](auto... i) {
        const S d = at(direction.all(), i...);
        at(above.all(), i...) += S(step) * d, at(below.all(), i...) -= S(step) * d;
        const double term = double(d) * double(at(gradient.all(), i...));
        slope += term, scale += std::abs(term);
      });
      const double wanted = (loss_of(above.all()) - loss_of(below.all())) / (2 * step);
      hold(std::abs(slope - wanted) <= 1e-5 * (scale + 100),
           std::string(words) + " has slope " + std::to_string(slope) + " for " + std::to_string(wanted));
    };
    one("d_query", q_, made.q, [&](const view<const S>& q) { return loss(q, k_.all(), v_.all()); });
    one("d_key", k_, made.k, [&](const view<const S>& k) { return loss(q_.all(), k, v_.all()); });
    one("d_value", v_, made.v, [&](const view<const S>& v) { return loss(q_.all(), k_.all(), v); });
  }

  // The same bits as alone; beyond a text zeros.
  void stands_alone(const own_text& text, const gradients& made) {
    if (sentence_.reads_text) return;
    const auto tokens = [&](auto of, index_t first, index_t count) {
      of.data += first * of.stride[2], of.extent[2] = count;
      return part_of(of, 0, text.batch, 1);
    };
    const auto rows = [&](auto of) { return tokens(of, text.first_query, text.queries); };
    const auto keys = [&](auto of) { return tokens(of, text.first_key, text.keys); };
    guarded<S> q(rows(q_.all()).extent), k(keys(k_.all()).extent), v(keys(v_.all()).extent);
    longspan::backward_into(drawn_device{}, sentence_.make(data_.all().of(text)), rows(q_.all()), keys(std::as_const(k_).all()),
                            keys(std::as_const(v_).all()), longspan::attended{rows(output_.all()), rows(sums_.all())},
                            longspan::attended{rows(d_output_.all()), rows(d_sums_.all())}, q.all(), k.all(), v.all(),
                            call_.alone());
    hold(same_numbers(q.all(), rows(made.q.all())), "d_query of a text has other bits alone");
    hold(same_numbers(k.all(), keys(made.k.all())), "d_key of a text has other bits alone");
    hold(same_numbers(v.all(), keys(made.v.all())), "d_value of a text has other bits alone");
    if (call_.texts_are != drawn_call::kind::padded) return;
    const auto nothing_from = [&](const view<const S>& of, index_t first) {
      for_each_index({1, of.extent[1], of.extent[2] - first, of.extent[3]}, [&](index_t, index_t h, index_t i, index_t c) {
        hold(at(of, text.batch, h, first + i, c) == S(0.f), "a gradient beyond a text");
      });
    };
    nothing_from(made.q.all(), text.queries), nothing_from(made.k.all(), text.keys), nothing_from(made.v.all(), text.keys);
  }

  // NaN in a key and its value that no row sees: it has no gradient, and no other changes.
  void what_is_hidden_does_not_matter(const gradients& made) {
    if (call_.keys == 0 || numbers_.are == drawn_numbers::kind::not_finite || numbers_.are == drawn_numbers::kind::huge) return;
    const index_t b = from_.between(0, call_.batch - 1), j = from_.between(0, call_.keys - 1);
    guarded<S> k(from_, call_.of_keys()), v(from_, call_.of_values());
    k.take(k_.all(), S(NAN)), v.take(v_.all(), S(NAN));
    const auto poison = [&](guarded<S>& tensor) {
      for_each_index({1, tensor.all().extent[1], 1, tensor.all().extent[3]},
                     [&](index_t, index_t h, index_t, index_t c) { at(tensor.all(), b, h, j, c) = S(NAN); });
    };
    poison(k), poison(v);
    const auto exact = longspan::reference::attention(sentence_.make(data_.all()), q_.all(), std::as_const(k).all(),
                                                      std::as_const(v).all(), call_.where());
    for (index_t i = 0; i < exact.log_sum_exp.size(); ++i)
      if (std::isnan(exact.log_sum_exp.data()[i])) return;
    gradients poisoned(from_, call_);
    run(drawn_device(from_), std::as_const(k).all(), std::as_const(v).all(), poisoned);
    hold(poisoned.same(made), "NaN in key " + std::to_string(j) + ", which no row sees");
  }

  drawn& from_;
  Sentence sentence_;
  drawn_call call_;
  drawn_data data_;
  drawn_numbers numbers_;
  guarded<S> q_, k_, v_, d_output_;
  guarded<T> d_sums_;
  guarded<S> output_;
  guarded<T> sums_;
};

template <class S, class Sentence>
void hold_over_gradients(drawn& from, const Sentence& sentence) {
  hold_all(over_gradients<S, Sentence>(from, sentence));
}

}  // namespace fuzz
