#pragma once

#include <memory>
#include <span>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <longspan/any/kept_in.hpp>
#include <longspan/any/sentence.hpp>
#include <longspan/backward.hpp>
#include <longspan/cache/forward.hpp>
#include <longspan/cache/kv_cache.hpp>
#include <longspan/cache/prepare_keys.hpp>
#include <longspan/forward.hpp>
#include <longspan/mechanism.hpp>
#include <longspan/mechanism/parameters.hpp>
#include <longspan/tensor/paged.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What make_any's list names: the storage of a cache, or pages as they are.
template <class Named>
struct kept_as {
  using type = kv_cache<Named>;
};
template <class Pages>
  requires is_paged<Pages>
struct kept_as<Pages> {
  using type = Pages;
};

template <class Mechanism>
inline constexpr bool learns = std::tuple_size_v<decltype(detail::parameters_of(std::declval<Mechanism&>()))> != 0;

// A sentence over tensors of S and what else is named, with gradients if it is Trained.
template <class S, bool Trained, class Mechanism, class... Named>
class sentence_of final : public any_sentence<S> {
  using T = compute_t<S>;

 public:
  explicit sentence_of(Mechanism whole) : whole_(std::move(whole)) {}

  void forward(const any_device& d, const any_inputs<S>& of, const any_results<S>& into, const placement& where) const override {
    view<S> output = into.output;
    detail::checked_forward(d, whole_,
                            detail::make_forward_tensors(of.q, of.k, of.v, output, into.log_sum_exp.value_or(view<T>{})), where,
                            into.log_sum_exp.has_value());
  }

  void forward_over(const any_device& d, const view<const S>& q, const any_object& object, const any_results<S>& into,
                    const placement& where) const override {
    find<Named...>([&]<class One>(std::type_identity<One>) {
      const auto* const kept = object.as<typename kept_as<One>::type>();
      if (kept == nullptr) return false;
      into.log_sum_exp ? longspan::forward_into(d, whole_, q, *kept, into.output, *into.log_sum_exp, where)
                       : longspan::forward_into(d, whole_, q, *kept, into.output, where);
      return true;
    });
  }

  void prepare_keys(const any_device& d, const view<const S>& k, const any_object& object,
                    const placement& where) const override {
    find<Named...>([&]<class One>(std::type_identity<One>) {
      if constexpr (requires(const One& of) { of.pages; }) {
        const auto* const prepared = object.as<decltype(to_write(One::pages.keys))>();
        if (prepared != nullptr) longspan::prepare_keys(d, whole_, k, *prepared, where);
        return prepared != nullptr;
      } else {
        return false;
      }
    });
  }

  void backward(const any_device& d, const any_inputs<S>& of, const any_gradients<S>& all,
                const placement& where) const override {
    differentiate(of, all, where, [&](const auto& tensors, const batch_of_texts& batch) {
      detail::checked_backward<false>(d, whole_, tensors, batch);
    });
  }

  std::shared_ptr<const any_sentence<S>> backward_with_parameters(const any_device& d, const any_inputs<S>& of,
                                                                  const any_gradients<S>& all,
                                                                  const placement& where) const override {
    auto made = std::make_shared<sentence_of>(whole_);
    differentiate(of, all, where, [&](const auto& tensors, const batch_of_texts& batch) {
      if constexpr (learns<Mechanism>)
        detail::backward_with_parameters(d, whole_, tensors, batch, made->whole_);
      else
        detail::checked_backward<false>(d, whole_, tensors, batch);
    });
    return made;
  }

  std::unique_ptr<any_kept<S>> make_cache(const cache_shape& of, const std::type_info* storage) const override {
    std::unique_ptr<any_kept<S>> made;
    find<Named...>([&]<class One>(std::type_identity<One>) {
      if constexpr (!is_paged<One>)
        if (storage == nullptr || *storage == typeid(One)) made = std::make_unique<kept_in<S, One>>(kv_cache<One>(whole_, of));
      return made != nullptr;
    });
    return made;
  }

  std::shared_ptr<any_sentence<S>> clone() const override { return std::make_shared<sentence_of>(whole_); }
  std::vector<std::span<double>> learned() override {
    readable_mechanism<Mechanism> own{whole_};
    const auto lists = detail::lists_of(own);
    return {lists.begin(), lists.end()};
  }

 private:
  template <class K>
  static view<K> to_write(const view<const K>&);

  template <class Differentiate>
  static void differentiate(const any_inputs<S>& of, const any_gradients<S>& all, const placement& where,
                            const Differentiate& run) {
    if constexpr (Trained) {
      const batch_of_texts batch(of.q, of.k, of.v, where);
      if (all.d_log_sum_exp) require_one_a_row("d_log_sum_exp", *all.d_log_sum_exp);
      run(backward_tensors<T, S, S, S, S, S, S, S, S>{of.q, of.k, of.v, all.output, all.log_sum_exp, all.d_output,
                                                      all.d_log_sum_exp.value_or(view<const T>{}), all.d_q, all.d_k, all.d_v},
          batch);
    } else {
      throw std::invalid_argument("any_mechanism: made without gradients, by make_any_for_inference: make_any has them");
    }
  }

  // Asks of each that is named, until one answers that it is what was meant.
  template <class... Each, class Ask>
  static void find(const Ask& ask) {
    if (!(ask(std::type_identity<Each>{}) || ...))
      throw std::invalid_argument(
          "any_mechanism: made for other caches or pages: name the storages and the pages that it is to attend to, as in "
          "make_any<float, float, quantized<8>, paged<float>>(sentence); none is for skip_negligible, nor for a sum whose "
          "summands turn "
          "keys differently");
  }

  Mechanism whole_;
};

template <class S, bool Trained, class... Named, class Mechanism>
std::shared_ptr<const any_sentence<S>> make_sentence(Mechanism whole) {
  static_assert(are_numbers<S>());
  using sentence = std::remove_cvref_t<decltype(detail::unprepared(whole))>;
  if constexpr (sizeof...(Named) == 0 && keys_turn_alike<sentence> && !skips<sentence>)
    return detail::make_sentence<S, Trained, S>(std::move(whole));
  else
    return std::make_shared<sentence_of<S, Trained, Mechanism, Named...>>(std::move(whole));
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
