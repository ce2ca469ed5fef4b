#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <longspan/longspan.hpp>

// A user's types bring their namespace with them wherever they are an argument, or an argument of a type's template: there anything may be
// called as the library's own functions are. None of these may ever be called, and none makes a call of the library ambiguous.
namespace greedy {

#define GREEDY(name)             \
  template <class... Any>        \
  void name(Any&&...) {          \
    ADD_FAILURE() << #name;      \
  }                              \
  template <class, class... Any> \
  void name(Any&&...) {          \
    ADD_FAILURE() << #name;      \
  }                              \
  template <auto, class... Any>  \
  void name(Any&&...) {          \
    ADD_FAILURE() << #name;      \
  }

// clang-format off
GREEDY(add) GREEDY(add_tokens) GREEDY(append_rows) GREEDY(apply_to) GREEDY(as_key_set) GREEDY(as_logit) GREEDY(as_mechanism)
GREEDY(as_text) GREEDY(assemble) GREEDY(attend_by_definition) GREEDY(attend_rows) GREEDY(attend_summands) GREEDY(attention)
GREEDY(attention_by_definition) GREEDY(backward) GREEDY(backward_into) GREEDY(backward_with_parameters)
GREEDY(backward_with_parameters_into) GREEDY(batch_of) GREEDY(become) GREEDY(beside) GREEDY(bind) GREEDY(bind_backward)
GREEDY(bind_definition) GREEDY(bind_definitions) GREEDY(bind_for_kernel) GREEDY(bind_over_cache) GREEDY(bind_rows)
GREEDY(bind_seeds) GREEDY(bind_summands) GREEDY(bind_transforms) GREEDY(bind_transforms_for) GREEDY(bound_texts)
GREEDY(bound_to_pages) GREEDY(bytes) GREEDY(calibrate) GREEDY(check) GREEDY(check_numbers) GREEDY(check_part)
GREEDY(check_parts) GREEDY(checked) GREEDY(checked_backward) GREEDY(checked_forward) GREEDY(checked_over) GREEDY(contains)
GREEDY(copy_row) GREEDY(copy_tokens) GREEDY(count_folded) GREEDY(count_pages) GREEDY(covers) GREEDY(cut) GREEDY(decode)
GREEDY(dense) GREEDY(differentiate) GREEDY(differentiate_sentence) GREEDY(differentiate_summands) GREEDY(differentiate_texts)
GREEDY(distances_of) GREEDY(entropy_of) GREEDY(exact_row) GREEDY(extents_for) GREEDY(factors_of_head) GREEDY(factors_of_heads)
GREEDY(fill_between) GREEDY(find_part) GREEDY(find_place) GREEDY(finish_backward_row) GREEDY(for_each_head)
GREEDY(for_each_item) GREEDY(for_each_learned) GREEDY(for_each_lying_together) GREEDY(for_each_parameter) GREEDY(for_each_run)
GREEDY(for_each_run_of_bits) GREEDY(for_each_score) GREEDY(forward) GREEDY(forward_into) GREEDY(geometric) GREEDY(get)
GREEDY(get_part) GREEDY(group_rows) GREEDY(hull) GREEDY(in_summand) GREEDY(interleave) GREEDY(intersect)
GREEDY(intersection) GREEDY(is_words) GREEDY(join) GREEDY(join_row) GREEDY(lengths_of) GREEDY(lies_ready) GREEDY(lists_of)
GREEDY(load_pairs) GREEDY(load_wide) GREEDY(make_attended) GREEDY(make_backward_tensors) GREEDY(make_forward_tensors)
GREEDY(make_gradients) GREEDY(make_like) GREEDY(make_rows) GREEDY(make_tensors_over) GREEDY(masks_of) GREEDY(may_see)
GREEDY(measured_lengths) GREEDY(merge) GREEDY(merge_into) GREEDY(multiply) GREEDY(multiply_broadcast) GREEDY(multiply_first_ahead)
GREEDY(multiply_transposed) GREEDY(no_derivatives) GREEDY(pack_values) GREEDY(packed_texts) GREEDY(packed_view)
GREEDY(padded_texts) GREEDY(pages_in) GREEDY(parameters_of) GREEDY(parts_of) GREEDY(pick) GREEDY(place_of_row) GREEDY(placed)
GREEDY(prefill) GREEDY(prepare_backward_row) GREEDY(prepare_keys) GREEDY(prepare_keys_of_head) GREEDY(prepare_row)
GREEDY(prepare_sentence) GREEDY(put_parameters) GREEDY(read_panels) GREEDY(remade) GREEDY(require) GREEDY(require_apart)
GREEDY(require_apart_from_read) GREEDY(require_differentiable) GREEDY(require_distinct) GREEDY(require_fitting)
GREEDY(require_gradients_unaliased) GREEDY(require_held) GREEDY(require_kept_for) GREEDY(require_lengths) GREEDY(require_like)
GREEDY(require_measured) GREEDY(require_memory) GREEDY(require_mergeable) GREEDY(require_one_kind) GREEDY(require_pages)
GREEDY(require_positive_shape) GREEDY(require_results) GREEDY(require_starts) GREEDY(require_tokens) GREEDY(require_unaliased)
GREEDY(require_within) GREEDY(room_of) GREEDY(rotate) GREEDY(rows_of) GREEDY(run_forward) GREEDY(run_on_pool) GREEDY(run_over)
GREEDY(run_over_cache) GREEDY(run_over_pages) GREEDY(scale) GREEDY(see) GREEDY(see_summands) GREEDY(seed) GREEDY(seen_by_all)
GREEDY(side_of_keys) GREEDY(store_pairs) GREEDY(summand_of_keys) GREEDY(summand_with_sink) GREEDY(summands_of) GREEDY(tempered)
GREEDY(text_by_definition) GREEDY(text_of) GREEDY(texts_of) GREEDY(threads_of) GREEDY(tile_keys) GREEDY(times)
GREEDY(transposed) GREEDY(turn) GREEDY(turn_alike) GREEDY(turn_back) GREEDY(unprepare_row) GREEDY(unprepared) GREEDY(values_of)
GREEDY(view_of) GREEDY(view_of_pages) GREEDY(view_part) GREEDY(visible) GREEDY(visit_learned) GREEDY(visit_lists)
GREEDY(weigh_keys) GREEDY(with_takers) GREEDY(with_those_of_takers) GREEDY(without) GREEDY(words_for) GREEDY(write_merged)
GREEDY(write_merged_row) GREEDY(write_text) GREEDY(write_tokens);
// clang-format on
#undef GREEDY

// A part of every kind, a set of keys, a device and a tensor.
struct rows {
  void turn(auto row, longspan::index_t) const { row[0] *= 2; }
  void turn_back(auto, auto gradient, longspan::index_t) const { gradient[0] *= 2; }
};
struct rotation {
  longspan::ladder frequencies(longspan::index_t) const { return {{0.5}, longspan::pairing::interleaved}; }
};
struct score {
  void query(auto) const {}
  void key(auto) const {}
  void query_back(auto, auto) const {}
  void key_back(auto, auto) const {}
  double factor(const longspan::shapes&) const { return 0.25; }
};
struct temperature {
  longspan::learned factor = 1.5;
  longspan::row_factor operator()(const longspan::query_row&) const { return {factor}; }
  auto parameters() { return std::tie(factor); }
};
struct transform {
  longspan::learned slope = 0.5;
  longspan::per_head shift{0.25, -0.25};
  auto operator()(const longspan::query_row& row) const {
    return [slope = slope, shift = shift[row.head]](auto logit, const auto& keys) {
      return logit + shift - slope * 0.01 * keys.distance();
    };
  }
  auto parameters() { return std::tie(slope, shift); }
};
// A function of the distance, for by_distance.
struct wave {
  double operator()(longspan::index_t t) const { return 0.1 * double(t % 5); }
};
struct set {
  longspan::index_t last;

  longspan::interval hull() const { return {0, last}; }
  std::uint64_t bits(longspan::index_t key) const { return longspan::interval{0, last}.bits(key); }
  longspan::index_t count() const { return last; }
};
struct mask {
  set operator()(const longspan::query_row& row) const {
    return {std::max<longspan::index_t>(0, std::min(row.keys, row.position + 1))};
  }
};
struct window {
  longspan::interval operator()(const longspan::query_row& row) const { return {row.position - 40, row.position + 1}; }
};
struct device {
  longspan::index_t threads() const { return 2; }
  void run(longspan::index_t count, const auto& work) const {
    for (longspan::index_t n = 0; n < count; ++n) work(n);
  }
};

template <class T>
struct tensor {
  longspan::index_t heads, tokens, channels;
  std::vector<T> memory = std::vector<T>(std::size_t(heads * tokens * channels));

  static tensor some(longspan::index_t heads, longspan::index_t tokens, longspan::index_t channels, unsigned seed) {
    tensor made{heads, tokens, channels};
    std::mt19937 generator(seed);
    std::normal_distribution<T> number;
    for (T& each : made.memory) each = number(generator);
    return made;
  }
};

inline auto sentence() {
  using longspan::operator|;
  return rows{} | rotation{} | score{} | temperature{} | transform{} | longspan::by_distance{wave{}} | mask{} | window{};
}

}  // namespace greedy

template <class T>
struct longspan::tensor_traits<greedy::tensor<T>> {
  template <class X>
  static auto of(X& t) {
    using S = std::conditional_t<std::is_const_v<X>, const T, T>;
    return longspan::view<S>{t.memory.data(), {1, t.heads, t.tokens, t.channels}, {0, t.tokens * t.channels, t.channels, 1}};
  }
  template <class X>
  static auto log_sum_exp_of(X& t) {
    return of(t);
  }
  template <class S>
  static auto make_output(const longspan::shapes& of) {
    return greedy::tensor<S>{of.heads, of.queries, of.value_channels};
  }
  template <class S>
  static auto make_log_sum_exp(const longspan::shapes& of) {
    return greedy::tensor<S>{of.heads, of.queries, 1};
  }
};
