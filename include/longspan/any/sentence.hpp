#pragma once

#include <memory>
#include <optional>
#include <span>
#include <typeinfo>
#include <vector>

#include <longspan/cache/cache_shape.hpp>
#include <longspan/core/any_device.hpp>
#include <longspan/core/index.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What an any_mechanism and an any_cache call; any/sentence_of.hpp and any/kept_in.hpp implement it.

// What is read, and one head's results. No log-sum-exp is kept, or is part of the loss, where there is none.
template <class S>
struct any_inputs {
  view<const S> q, k, v;
};
template <class S>
struct any_results {
  view<S> output;
  std::optional<view<compute_t<S>>> log_sum_exp;
};
template <class S>
struct any_gradients {
  view<const S> output;
  view<const compute_t<S>> log_sum_exp;
  view<const S> d_output;
  std::optional<view<const compute_t<S>>> d_log_sum_exp;
  view<S> d_q, d_k, d_v;
};

// An object of which the type is told: a kv_cache of some storage, pages of an engine's own, or a view of these that is written.
struct any_object {
  const std::type_info* type;
  const void* object;

  template <class X>
  static any_object of(const X& x) {
    return {&typeid(X), &x};
  }
  template <class X>
  const X* as() const {
    return *type == typeid(X) ? static_cast<const X*>(object) : nullptr;
  }
};

// A cache of some storage: see kv_cache.
template <class S>
struct any_kept {
  virtual ~any_kept() = default;
  virtual any_object cache() const = 0;
  virtual std::unique_ptr<any_kept> clone() const = 0;
  virtual index_t texts() const = 0;
  virtual index_t length(index_t text) const = 0;
  virtual index_t bytes() const = 0;
  virtual void append(const any_device& d, std::optional<index_t> text, const view<const S>& k, const view<const S>& v) = 0;
  virtual void reserve(index_t tokens) = 0;
  virtual void copy(index_t from, index_t to) = 0;
  virtual void truncate(std::optional<index_t> text, index_t length) = 0;
};

// A sentence of any parts.
template <class S>
struct any_sentence {
  virtual ~any_sentence() = default;
  virtual void forward(const any_device& d, const any_inputs<S>& of, const any_results<S>& into,
                       const placement& where) const = 0;
  virtual void forward_over(const any_device& d, const view<const S>& q, const any_object& kept, const any_results<S>& into,
                            const placement& where) const = 0;
  virtual void prepare_keys(const any_device& d, const view<const S>& k, const any_object& prepared,
                            const placement& where) const = 0;
  virtual void backward(const any_device& d, const any_inputs<S>& of, const any_gradients<S>& all,
                        const placement& where) const = 0;
  // Returns the sentence with the gradients of its learned numbers in their place.
  virtual std::shared_ptr<const any_sentence> backward_with_parameters(const any_device& d, const any_inputs<S>& of,
                                                                       const any_gradients<S>& all,
                                                                       const placement& where) const = 0;
  // Of the first storage that it was made with where none is named.
  virtual std::unique_ptr<any_kept<S>> make_cache(const cache_shape& of, const std::type_info* storage) const = 0;
  virtual std::shared_ptr<any_sentence> clone() const = 0;
  // Its learned numbers as lists, in order.
  virtual std::vector<std::span<double>> learned() = 0;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
