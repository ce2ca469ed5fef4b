#pragma once

#include <cmath>
#include <string>
#include <type_traits>

#include <longspan/longspan.hpp>

#include "devices.hpp"
#include "drawn_call.hpp"
#include "drawn_numbers.hpp"
#include "guarded.hpp"
#include "sentence.hpp"

namespace fuzz {

// The rules of a forward pass over tensors: the definition, the bits of texts and rows alone, of any threads and of memory that lies
// otherwise, parts that are merged, and what a row does not see.
template <class Q, class K, class V, class Sentence>
class over_tensors {
  using T = longspan::detail::compute_t<Q>;
  // Where products read bfloat16, rows that were prepared are rounded to it.
  static constexpr double rounding = std::is_same_v<T, double> ? 1e-15 : std::is_same_v<Q, Eigen::bfloat16> ? 4e-4 : 6e-8;
  static constexpr double rounding_of_output = std::is_same_v<Q, Eigen::half>       ? 1e-3
                                               : std::is_same_v<Q, Eigen::bfloat16> ? 8e-3
                                                                                    : 2 * rounding;

  struct results {
    guarded<Q> output;
    guarded<T> sums;
    std::string refused = {};

    results(drawn& from, const drawn_call& call) : output(from, call.of_output()), sums(from, call.of_sums()) { prepare(); }
    explicit results(const drawn_call& call) : output(call.of_output()), sums(call.of_sums()) { prepare(); }
    void prepare() {
      output.fill(Q(-7.f), [] { return Q(-7.f); }), sums.fill(T(-7), [] { return T(-7); });
      output.seal(), sums.seal();
    }
  };

 public:
  over_tensors(drawn& from, const Sentence& sentence)
      : from_(from),
        sentence_(sentence),
        call_(from),
        data_(from, call_),
        numbers_(from),
        q_(from, call_.of_queries(), call_.queries_lie),
        k_(from, call_.of_keys(), call_.keys_lie),
        v_(from, call_.of_values(), call_.keys_lie),
        attended_(from, call_) {
    numbers_.fill(q_), numbers_.fill(k_), numbers_.fill(v_);
    q_.seal(), k_.seal(), v_.seal();
  }

  void hold_all() {
    run(drawn_device(from_), q_.all(), k_.all(), v_.all(), attended_);
    hold(q_.unchanged() && k_.unchanged() && v_.unchanged(), "inputs change");
    const bool refused = agrees_with_the_definition();
    if (refused) {
      hold(attended_.output.unchanged() && attended_.sums.unchanged(), "written before it is refused: " + attended_.refused);
      return;
    }
    hold(attended_.output.unchanged_outside() && attended_.sums.unchanged_outside(), "written outside of results");
    has_the_bits_of_other_memory();
    for (const own_text& each : call_.texts()) texts_stand_alone(each);
    nothing_beyond_texts();
    rows_stand_alone();
    parts_merge();
    what_is_hidden_does_not_matter();
  }

  std::string words() const {
    return std::string(sentence_.name) + ", " + call_.words() + ", numbers " + std::to_string(int(numbers_.are)) + ' ' +
           std::to_string(numbers_.gain);
  }

 private:
  void run(const drawn_device& device, const view<Q>& q, const view<K>& k, const view<V>& v, results& to) const {
    try {
      longspan::forward_into(device, sentence_.make(data_.all()), q, k, v, to.output.all(), to.sums.all(), call_.where());
    } catch (const std::invalid_argument& error) {
      to.refused = error.what();
    }
  }

  // Logits err by a few units in the last place of the largest product of a row; outputs by as much of the largest value.
  double error_of_logits() {
    const double norms =
        sentence_.cosine ? 1 : largest_norm(q_.all()) * largest_norm(k_.all()) / std::sqrt(double(call_.channels));
    return rounding * (40 + 12 * sentence_.factor * (1 + norms) + (sentence_.bounds_logits ? 0 : 1000));
  }
  static bool agree(double fused, double exact, double allowed, bool only_if_finite) {
    if (only_if_finite && !std::isfinite(fused)) return true;
    if (std::isnan(exact) || std::isnan(fused)) return std::isnan(exact) == std::isnan(fused);
    return fused == exact || std::abs(fused - exact) <= allowed;
  }

  bool agrees_with_the_definition() {
    const auto exact = [&] {
      try {
        auto made = longspan::reference::attention(sentence_.make(data_.all()), q_.all(), k_.all(), v_.all(), call_.where());
        hold(attended_.refused.empty(), "only the kernel refuses: " + attended_.refused);
        return made;
      } catch (const std::invalid_argument& error) {
        hold(attended_.refused == error.what(),
             "the definition refuses: " + std::string(error.what()) + "; the kernel: " + attended_.refused);
        return decltype(longspan::reference::attention(sentence_.make(data_.all()), q_.all(), k_.all(), v_.all(),
                                                       call_.where())){};
      }
    }();
    if (!attended_.refused.empty()) return true;
    exact_sums_.assign(exact.log_sum_exp.data(), exact.log_sum_exp.data() + exact.log_sum_exp.size());
    const double error = error_of_logits(), value = largest_norm(v_.all());
    const bool huge = numbers_.are == drawn_numbers::kind::huge, not_finite = numbers_.are == drawn_numbers::kind::not_finite;
    std::size_t n = 0;
    for_each_index(call_.of_output(), [&](index_t b, index_t h, index_t i, index_t c) {
      const double x = double(at(attended_.output.all(), b, h, i, c)), y = exact.output.data()[n++];
      const double allowed = 4 * value * error + std::abs(y) * rounding_of_output + 1e-37;
      const std::string where = std::to_string(b) + ' ' + std::to_string(h) + ' ' + std::to_string(i) + ' ' + std::to_string(c);
      if (not_finite || huge)
        hold(std::isfinite(x) ? std::isfinite(y) : huge || !std::isfinite(y),
             "output " + std::to_string(x) + " for " + std::to_string(y) + " at " + where);
      else
        hold(agree(x, y, allowed, false), "output " + std::to_string(x) + " for " + std::to_string(y) + ", allowed " +
                                              std::to_string(allowed) + " at " + where);
    });
    n = 0;
    for_each_index(call_.of_sums(), [&](index_t b, index_t h, index_t i, index_t) {
      const double x = double(at(attended_.sums.all(), b, h, i, 0)), y = exact_sums_[n++];
      hold(agree(x, y, numbers_.bounded() ? 4 * error * (1 + std::abs(y) / 40) : 1e300, huge),
           "log_sum_exp " + std::to_string(x) + " for " + std::to_string(y) + " of row " + std::to_string(b) + ' ' +
               std::to_string(h) + ' ' + std::to_string(i));
    });
    return false;
  }

  void has_the_bits_of_other_memory() {
    guarded<Q> q(from_, call_.of_queries());
    guarded<K> k(from_, call_.of_keys());
    guarded<V> v(from_, call_.of_values());
    q.take(q_.all(), Q(1.f)), k.take(k_.all(), K(1.f)), v.take(v_.all(), V(1.f));
    results again(from_, call_);
    run(drawn_device(from_), q.all(), k.all(), v.all(), again);
    hold(same_numbers(again.output.all(), attended_.output.all()) && same_numbers(again.sums.all(), attended_.sums.all()),
         "other bits on other threads or in other memory");
  }

  // What a call of one text has, as rows of the text in the results.
  void has_the_bits_of(const own_text& text, index_t first, index_t count, const data_of_parts& data, const placement& where,
                       const char* words) {
    const auto of_text = [&](auto of) { return part_of(of, 0, text.batch, 1); };
    const auto keys = [&](auto of) {
      of.data += text.first_key * of.stride[2], of.extent[2] = text.keys;
      return of_text(of);
    };
    const auto rows = [&](auto of) {
      of.data += (text.first_query + first) * of.stride[2], of.extent[2] = count;
      return of_text(of);
    };
    guarded<Q> output({1, call_.heads, count, call_.value_channels});
    guarded<T> sums({1, call_.heads, count, 1});
    longspan::forward_into(drawn_device{}, sentence_.make(data), rows(q_.all()), keys(k_.all()), keys(v_.all()), output.all(),
                           sums.all(), where);
    hold(same_numbers(output.all(), rows(attended_.output.all())) && same_numbers(sums.all(), rows(attended_.sums.all())),
         std::string(words) + ' ' + std::to_string(text.batch) + ' ' + std::to_string(text.first_query) + ' ' +
             std::to_string(first));
  }

  void texts_stand_alone(const own_text& text) {
    if (sentence_.reads_text) return;
    has_the_bits_of(text, 0, text.queries, data_.all().of(text), call_.alone(), "a text has other bits alone");
  }

  void nothing_beyond_texts() {
    const auto texts = call_.texts();
    if (call_.texts_are == drawn_call::kind::packed) return;
    for (const own_text& text : texts)
      for (index_t h = 0; h < call_.heads; ++h)
        for (index_t i = text.queries; i < call_.queries; ++i) {
          hold(at(attended_.sums.all(), text.batch, h, i, 0) == -std::numeric_limits<T>::infinity(), "a sum beyond a text");
          for (index_t c = 0; c < call_.value_channels; ++c)
            hold(same_number(at(attended_.output.all(), text.batch, h, i, c), Q(0.f)), "output beyond a text");
        }
  }

  void rows_stand_alone() {
    const auto texts = call_.texts();
    const own_text& text = texts[std::size_t(from_.between(0, index_t(texts.size()) - 1))];
    if (text.queries == 0 || sentence_.reads_text) return;
    const index_t i = from_.between(0, text.queries - 1);
    placement where = call_.alone();
    const bool part = call_.texts_are == drawn_call::kind::part;
    where.first_query = (part ? call_.first_query : text.keys - text.queries) + i;
    data_of_parts data = data_.all().of(text).of_query(i);
    has_the_bits_of(text, i, 1, data, where, "a row has other bits alone");
  }

  void parts_merge() {
    using kind = drawn_call::kind;
    if (!sentence_.takes_parts || !numbers_.bounded() || call_.texts_are == kind::packed || call_.texts_are == kind::padded)
      return;
    const index_t cut = from_.between(0, call_.keys);
    placement where = call_.where();
    where.all_keys = call_.texts_are == kind::part ? call_.all_keys : call_.keys;
    where.first_query = where.first_query.value_or(call_.keys - call_.queries);
    const auto part = [&](index_t first, index_t count) {
      placement own = where;
      own.first_key += first;
      const auto keys = [&](auto of) {
        of.data += first * of.stride[2], of.extent[2] = count;
        return of;
      };
      longspan::attended made{guarded<Q>(call_.of_output()), guarded<T>(call_.of_sums())};
      longspan::forward_into(drawn_device{}, sentence_.make(data_.all().of_keys(first, count)), q_.all(), keys(k_.all()),
                             keys(v_.all()), made.output.all(), made.log_sum_exp.all(), own);
      return made;
    };
    auto left = part(0, cut), right = part(cut, call_.keys - cut);
    longspan::merge_into(longspan::attended{left.output.all(), left.log_sum_exp.all()},
                         longspan::attended{right.output.all(), right.log_sum_exp.all()});
    const double error = 1e-7 + 2 * error_of_logits(), value = largest_norm(v_.all());
    for_each_index(call_.of_output(), [&](auto... i) {
      const double x = double(at(left.output.all(), i...)), y = double(at(attended_.output.all(), i...));
      hold(agree(x, y, value * (4 * error + 2 * rounding_of_output) + 1e-37, false),
           "parts cut at " + std::to_string(cut) + " merge to " + std::to_string(x) + " for " + std::to_string(y));
    });
  }

  // NaN in a key and its value: rows of which the definition finds no NaN do not see it.
  void what_is_hidden_does_not_matter() {
    if (call_.keys == 0 || call_.queries == 0) return;
    const index_t b = from_.between(0, call_.batch - 1), j = from_.between(0, call_.keys - 1);
    guarded<K> k(from_, call_.of_keys());
    guarded<V> v(from_, call_.of_values());
    k.take(k_.all(), K(NAN)), v.take(v_.all(), V(NAN));
    for (index_t h = 0; h < call_.key_heads; ++h) {
      for (index_t c = 0; c < call_.channels; ++c) at(k.all(), b, h, j, c) = K(NAN);
      for (index_t c = 0; c < call_.value_channels; ++c) at(v.all(), b, h, j, c) = V(NAN);
    }
    results poisoned(call_);
    run(drawn_device(from_), q_.all(), k.all(), v.all(), poisoned);
    const auto exact = longspan::reference::attention(sentence_.make(data_.all()), q_.all(), k.all(), v.all(), call_.where());
    std::size_t n = 0;
    for_each_index(call_.of_sums(), [&](index_t text, index_t h, index_t i, index_t) {
      const double before = exact_sums_[n], after = exact.log_sum_exp.data()[n];
      ++n;
      const std::string where = "NaN in key " + std::to_string(j) + " of " + std::to_string(b) + ", row " + std::to_string(text) +
                                ' ' + std::to_string(h) + ' ' + std::to_string(i);
      if (std::isnan(after)) {
        hold(std::isnan(double(at(poisoned.sums.all(), text, h, i, 0))), where + ": seen, and the sum is a number");
        return;
      }
      if (std::isnan(before)) return;
      hold(same_number(at(poisoned.sums.all(), text, h, i, 0), at(attended_.sums.all(), text, h, i, 0)), where + ": another sum");
      for (index_t c = 0; c < call_.value_channels; ++c)
        hold(same_number(at(poisoned.output.all(), text, h, i, c), at(attended_.output.all(), text, h, i, c)),
             where + ": another output");
    });
  }

  drawn& from_;
  Sentence sentence_;
  drawn_call call_;
  drawn_data data_;
  drawn_numbers numbers_;
  guarded<Q> q_;
  guarded<K> k_;
  guarded<V> v_;
  results attended_;
  std::vector<double> exact_sums_;
};

template <class Q, class K = Q, class V = Q, class Sentence>
void hold_over_tensors(drawn& from, const Sentence& sentence) {
  hold_all(over_tensors<Q, K, V, Sentence>(from, sentence));
}

}  // namespace fuzz
