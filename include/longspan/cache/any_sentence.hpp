#pragma once

#include <memory>
#include <optional>
#include <typeinfo>

#include <longspan/cache/cache_shape.hpp>
#include <longspan/core/any_device.hpp>
#include <longspan/core/index.hpp>
#include <longspan/tensor/placement.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What an any_mechanism and an any_cache call; make_any.hpp implements it for a sentence and for the storage of a cache.

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

// A cache of some storage: see kv_cache.
template <class S>
struct any_kept {
  virtual ~any_kept() = default;
  virtual const std::type_info& storage() const = 0;
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
  virtual void forward_over(const any_device& d, const view<const S>& q, const any_kept<S>& cache, const any_results<S>& into,
                            const placement& where) const = 0;
  virtual void backward(const any_device& d, const any_inputs<S>& of, const any_gradients<S>& all,
                        const placement& where) const = 0;
  // Of the first storage that it was made with where none is named.
  virtual std::unique_ptr<any_kept<S>> make_cache(const cache_shape& of, const std::type_info* storage) const = 0;
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
