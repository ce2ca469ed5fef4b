#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <longspan/any/sentence.hpp>
#include <longspan/cache/kv_cache.hpp>
#include <longspan/core/any_device.hpp>
#include <longspan/core/index.hpp>
#include <longspan/tensor/view.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A cache of one storage.
template <class S, class Storage>
struct kept_in final : any_kept<S> {
  kv_cache<Storage> own;

  explicit kept_in(kv_cache<Storage> of) : own(std::move(of)) {}
  any_object cache() const override { return any_object::of(own); }
  std::unique_ptr<any_kept<S>> clone() const override { return std::make_unique<kept_in>(own); }
  index_t texts() const override { return own.texts(); }
  index_t length(index_t text) const override { return own.length(text); }
  index_t bytes() const override { return own.bytes(); }
  void append(const any_device& d, std::optional<index_t> text, const view<const S>& k, const view<const S>& v) override {
    text ? own.append(d, *text, k, v) : own.append(d, k, v);
  }
  void reserve(index_t tokens) override { own.reserve(tokens); }
  void copy(index_t from, index_t to) override { own.copy(from, to); }
  void truncate(std::optional<index_t> text, index_t length) override {
    text ? own.truncate(*text, length) : own.truncate(length);
  }
};

}  // namespace detail
LONGSPAN_NAMESPACE_END
