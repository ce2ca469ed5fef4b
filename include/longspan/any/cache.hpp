#pragma once

#include <memory>
#include <typeinfo>
#include <utility>

#include <longspan/any/mechanism.hpp>
#include <longspan/any/sentence.hpp>
#include <longspan/cache/cache_shape.hpp>
#include <longspan/core/any_device.hpp>
#include <longspan/core/device.hpp>
#include <longspan/core/index.hpp>
#include <longspan/tensor/traits.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Keys and values that are kept between calls, for an any_mechanism: a kv_cache of a storage that is named when it is made, the first of
// make_any where none is. A copy shares pages. Errors and rules are those of kv_cache.
//
//   any_cache<float> cache(mechanism, {.key_heads = 8, .channels = 128, .value_channels = 128});
//   any_cache<float> small(mechanism, {...}, std::in_place_type<longspan::quantized<8>>);
//   cache.append(k, v);
//   const auto output = forward(mechanism, q, cache).output;
template <class S>
class any_cache {
 public:
  any_cache(const any_mechanism<S>& whole, const cache_shape& of) : kept_(whole.inside().make_cache(of, nullptr)), of_(of) {}
  template <class Storage>
  any_cache(const any_mechanism<S>& whole, const cache_shape& of, std::in_place_type_t<Storage>)
      : kept_(whole.inside().make_cache(of, &typeid(Storage))), of_(of) {}

  any_cache(const any_cache& other) : kept_(other.kept_->clone()), of_(other.of_) {}
  any_cache(any_cache&&) noexcept = default;
  any_cache& operator=(const any_cache& other) { return *this = any_cache(other); }
  any_cache& operator=(any_cache&&) noexcept = default;

  index_t texts() const { return kept_->texts(); }
  index_t length(index_t text = 0) const { return kept_->length(text); }
  index_t bytes() const { return kept_->bytes(); }
  void reserve(index_t tokens) { kept_->reserve(tokens); }
  void copy(index_t from, index_t to) { kept_->copy(from, to); }
  void truncate(index_t length) { kept_->truncate({}, length); }
  void truncate(index_t text, index_t length) { kept_->truncate(text, length); }
  void erase(index_t text) { truncate(text, 0); }

  template <device D, class K, class V>
  void append(const D& d, const K& k, const V& v) {
    kept_->append(detail::any_device::of(d), {}, detail::view_of(k), detail::view_of(v));
  }
  template <device D, class K, class V>
  void append(const D& d, index_t text, const K& k, const V& v) {
    kept_->append(detail::any_device::of(d), text, detail::view_of(k), detail::view_of(v));
  }
  template <class K, class V>
  void append(const K& k, const V& v) {
    append(detail::this_thread{}, k, v);
  }
  template <class K, class V>
  void append(index_t text, const K& k, const V& v) {
    append(detail::this_thread{}, text, k, v);
  }

  const detail::any_kept<S>& inside() const { return *kept_; }  // internal
  const cache_shape& shape() const { return of_; }

 private:
  std::unique_ptr<detail::any_kept<S>> kept_;
  cache_shape of_;
};

LONGSPAN_NAMESPACE_END
