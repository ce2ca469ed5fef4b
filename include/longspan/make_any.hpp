#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include <longspan/any_mechanism.hpp>
#include <longspan/backward.hpp>
#include <longspan/cache/any_sentence.hpp>
#include <longspan/cache/forward.hpp>
#include <longspan/cache/kv_cache.hpp>
#include <longspan/forward.hpp>
#include <longspan/mechanism.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A cache of one storage.
template <class S, class Storage>
struct kept_in final : any_kept<S> {
  kv_cache<Storage> cache;

  explicit kept_in(kv_cache<Storage> of) : cache(std::move(of)) {}
  const std::type_info& storage() const override { return typeid(Storage); }
  std::unique_ptr<any_kept<S>> clone() const override { return std::make_unique<kept_in>(cache); }
  index_t texts() const override { return cache.texts(); }
  index_t length(index_t text) const override { return cache.length(text); }
  index_t bytes() const override { return cache.bytes(); }
  void append(const any_device& d, std::optional<index_t> text, const view<const S>& k, const view<const S>& v) override {
    text ? cache.append(d, *text, k, v) : cache.append(d, k, v);
  }
  void reserve(index_t tokens) override { cache.reserve(tokens); }
  void copy(index_t from, index_t to) override { cache.copy(from, to); }
  void truncate(std::optional<index_t> text, index_t length) override {
    text ? cache.truncate(*text, length) : cache.truncate(length);
  }
};

// A sentence over tensors of S and caches of some storages, with gradients if it is Trained.
template <class S, bool Trained, class Mechanism, class... Storages>
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

  void forward_over(const any_device& d, const view<const S>& q, const any_kept<S>& cache, const any_results<S>& into,
                    const placement& where) const override {
    [[maybe_unused]] const auto one = [&]<class Storage>(std::type_identity<Storage>) {
      if (cache.storage() != typeid(Storage)) return false;
      const auto& kept = static_cast<const kept_in<S, Storage>&>(cache).cache;
      into.log_sum_exp ? longspan::forward_into(d, whole_, q, kept, into.output, *into.log_sum_exp, where)
                       : longspan::forward_into(d, whole_, q, kept, into.output, where);
      return true;
    };
    if (!(one(std::type_identity<Storages>{}) || ...)) throw_no_storage();
  }

  void backward(const any_device& d, const any_inputs<S>& of, const any_gradients<S>& all,
                const placement& where) const override {
    if constexpr (Trained) {
      const batch_of_texts batch(of.q, of.k, of.v, where);
      if (all.d_log_sum_exp) require_one_a_row("d_log_sum_exp", *all.d_log_sum_exp);
      detail::checked_backward<false>(
          d, whole_,
          backward_tensors<T, S, S, S, S, S, S, S, S>{of.q, of.k, of.v, all.output, all.log_sum_exp, all.d_output,
                                                      all.d_log_sum_exp.value_or(view<const T>{}), all.d_q, all.d_k, all.d_v},
          batch);
    } else {
      throw std::invalid_argument("any_mechanism: made without gradients, by make_any_for_inference: make_any has them");
    }
  }

  std::unique_ptr<any_kept<S>> make_cache(const cache_shape& of, const std::type_info* storage) const override {
    std::unique_ptr<any_kept<S>> made;
    [[maybe_unused]] const auto one = [&]<class Storage>(std::type_identity<Storage>) {
      if (storage == nullptr || *storage == typeid(Storage))
        made = std::make_unique<kept_in<S, Storage>>(kv_cache<Storage>(whole_, of));
      return made != nullptr;
    };
    if (!(one(std::type_identity<Storages>{}) || ...)) throw_no_storage();
    return made;
  }

 private:
  [[noreturn]] static void throw_no_storage() {
    throw std::invalid_argument(
        "any_mechanism: made for caches of other storages: name those it is to attend to, as in make_any<float, float, "
        "quantized<8>>(sentence); a sum whose summands turn keys differently has no cache");
  }

  Mechanism whole_;
};

template <class S, bool Trained, class... Storages, class Mechanism>
any_mechanism<S> make_sentence(Mechanism whole) {
  static_assert(are_numbers<S>());
  using sentence = std::remove_cvref_t<decltype(detail::unprepared(whole))>;
  if constexpr (sizeof...(Storages) == 0 && keys_turn_alike<sentence>)
    return detail::make_sentence<S, Trained, S>(std::move(whole));
  else
    return any_mechanism<S>(std::make_shared<sentence_of<S, Trained, Mechanism, Storages...>>(std::move(whole)));
}

}  // namespace detail

// A sentence that is chosen at run time, for tensors of S: see any_mechanism. `Storages` are those of the caches that it can attend to, of
// which the first is that of an any_cache where none is named: without any, S; none for sums whose summands turn keys differently, such as
// rerope. Include this header in the units that make sentences, few, since each sentence compiles for seconds: forward, backward and each
// storage.
//
//   longspan::any_mechanism<float> mechanism_of(const configuration& c) {
//     if (c.slopes) return longspan::make_any<float>(dot_product{} | alibi{} | causal{});
//     return longspan::make_any<float>(rope{.base = c.base} | dot_product{} | causal{});
//   }
template <class S, class... Storages, class... Parts>
any_mechanism<S> make_any(mechanism<Parts...> whole) {
  return detail::make_sentence<S, true, Storages...>(std::move(whole));
}

// The same without gradients, which take 3 of 19 s of a sentence to compile (g++ 12, -O2): backward throws std::invalid_argument.
template <class S, class... Storages, class... Parts>
any_mechanism<S> make_any_for_inference(mechanism<Parts...> whole) {
  return detail::make_sentence<S, false, Storages...>(std::move(whole));
}

LONGSPAN_NAMESPACE_END
