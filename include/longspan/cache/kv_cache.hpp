#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <longspan/cache/cache_rows.hpp>
#include <longspan/cache/cache_shape.hpp>
#include <longspan/cache/kept_tables.hpp>
#include <longspan/cache/longer_text.hpp>
#include <longspan/cache/page_layout.hpp>
#include <longspan/cache/spare_pages.hpp>
#include <longspan/cache/text_pages.hpp>
#include <longspan/cache/write_tokens.hpp>
#include <longspan/core/device.hpp>
#include <longspan/core/shape_error.hpp>
#include <longspan/mechanism/prepare.hpp>
#include <longspan/tensor/traits.hpp>
#include <longspan/tensor/view.hpp>
#include <longspan/tile/shape.hpp>

LONGSPAN_NAMESPACE_BEGIN

// Keys and values of one or more texts that are kept between calls, prepared as the kernel reads them, in pages of 128 tokens: a key is
// turned when it is appended, never again. Made with a sentence; then `forward(mechanism, q, cache)` attends to all of a text's keys, for
// any mechanism with the same row parts and score; parts that cannot be compared, as functions of a caller's and tables of his memory, are
// taken to be the cache's own, and what they read must outlive it. As float and double the results have the bits of the call that sees all
// keys at once, in whatever pieces they came; Eigen::half, Eigen::bfloat16 and quantized<8> round keys, after they are prepared, and values
// once, when they are appended, and are computed with as floats; 8 bits as integers, beside queries and weights of 16, where the
// instruction set multiplies these faster (AVX2, AVX-512).
//
//   kv_cache<float> cache(mechanism, {.key_heads = 8, .channels = 128, .value_channels = 128});
//   cache.append(k, v);                                    // the tokens of a prompt, or the next one
//   const auto output = forward(mechanism, q, cache).output;   // q: the queries of the last tokens
//
// A copy shares pages with its original, of a cache and of a text within it, and a shared page is copied before it is written to. Texts
// that follow each other with one prompt read its pages once for up to 96 of the query rows of a call. Pages that no row from the last
// appended tokens on can see under the masks of the sentence (mask concept: later) are given back. Memory is allocated some pages at a
// time, up to a quarter of what a text has; running out of it leaves the cache as it was. A cache is used by one thread at a time; its
// copies may be used by others.
// What does not fit throws shape_error, and nothing is appended.
template <class Storage>
class kv_cache {
  using layout = detail::page_layout<Storage>;
  using T = typename layout::T;
  using pages = detail::text_pages<Storage>;

 public:
  template <class... Parts>
  kv_cache(const mechanism<Parts...>& whole, const cache_shape& of)
      : layout_{of.key_heads, of.channels, of.value_channels, of.first_key},
        texts_(std::size_t(detail::require_positive_shape(of).texts)) {
    const shapes lengths = detail::lengths_of(of);
    const auto& sentence = detail::unprepared(whole);
    detail::check_parts<detail::place::rows, detail::place::score>(detail::summand_of_keys(sentence, lengths), lengths, {});
    rows_ = detail::rows_of<T>(sentence, lengths);
  }

  kv_cache(const kv_cache& other) : layout_(other.layout_), texts_(other.texts_), rows_(other.rows_->clone()) {}
  kv_cache(kv_cache&&) noexcept = default;
  kv_cache& operator=(const kv_cache& other) { return *this = kv_cache(other); }
  kv_cache& operator=(kv_cache&&) noexcept = default;

  index_t texts() const { return index_t(texts_.size()); }
  index_t length(index_t text = 0) const { return text_at(text).length; }

  // Memory of all pages, in bytes, those that are held for tokens to come among them. A page that texts share counts once; one that copies
  // of the cache share counts in each of them.
  index_t bytes() const { return (detail::count_pages(std::span<const pages>(texts_)) + spare_.count()) * layout_.bytes(); }

  // Appends tokens to every text, k (text, key_head, token, channel) and v (text, key_head, token, value_channel); or to one, of batch 1.
  // The threads of a device share the key heads; without one the calling thread does it.
  template <device D, class K, class V>
  void append(const D& d, const K& k, const V& v) {
    append_to(d, {0, texts()}, detail::view_of(k), detail::view_of(v));
  }
  template <device D, class K, class V>
  void append(const D& d, index_t text, const K& k, const V& v) {
    text_at(text);
    append_to(d, {text, text + 1}, detail::view_of(k), detail::view_of(v));
  }
  template <class K, class V>
  void append(const K& k, const V& v) {
    append(detail::this_thread{}, k, v);
  }
  template <class K, class V>
  void append(index_t text, const K& k, const V& v) {
    append(detail::this_thread{}, text, k, v);
  }

  // Makes room for every text to grow to so many tokens: until then appending asks for no pages, and pages that are let go are kept.
  void reserve(index_t tokens) {
    if (tokens < 0 || tokens > detail::most_position)
      throw shape_error("kv_cache: room for " + std::to_string(tokens) + " tokens");
    const index_t most = detail::round_up(tokens, layout::keys) / layout::keys;
    index_t missing = 0;
    for (pages& each : texts_) {
      each.pages.reserve(std::size_t(most));
      const auto last = std::size_t(each.length / layout::keys);  // that the next token is written to, copied if it is shared
      const bool copied = last < each.pages.size() && each.pages[last].shared();
      missing += std::max(most - index_t(each.pages.size()), index_t(0)) + copied;
    }
    spare_.reserve(missing, layout_.bytes());
  }

  // Makes text `to` a copy of text `from`: they share pages, of which each is copied before it is written to, so that many continuations
  // take the memory of one prompt. Keys stay as they were turned.
  void copy(index_t from, index_t to) {
    const pages& source = text_at(from);
    pages& copied = (text_at(to), texts_[std::size_t(to)]);
    if (&copied == &source) return;
    copied.pages.reserve(source.pages.size());
    cut(copied, 0);
    copied.pages = source.pages, copied.length = source.length;
  }

  // Forgets the tokens of a text from `length` on. Throws where rows that come then would see what was given back.
  void truncate(index_t length) {
    for (index_t t = 0; t < texts(); ++t) check_truncated(t, length);
    for (index_t t = 0; t < texts(); ++t) cut(texts_[std::size_t(t)], length);
  }
  void truncate(index_t text, index_t length) {
    check_truncated(text, length);
    cut(texts_[std::size_t(text)], length);
  }
  void erase(index_t text) { truncate(text, 0); }

  // Internal: what the forward pass reads.
  struct kept {
    const layout& of_pages;
    std::span<const pages> texts;
    detail::cache_rows<T>& rows;
    detail::kept_tables& tables;
  };
  kept inside() const { return {layout_, texts_, *rows_, *tables_}; }

 private:
  const pages& text_at(index_t text) const {
    if (text < 0 || text >= texts())
      throw shape_error("kv_cache has " + std::to_string(texts()) + " texts, and none of number " + std::to_string(text));
    return texts_[std::size_t(text)];
  }

  void check_truncated(index_t text, index_t length) const {
    const pages& of = text_at(text);
    if (length < 0 || length > of.length)
      throw shape_error("kv_cache: a text of " + std::to_string(of.length) + " tokens cannot be cut to " +
                        std::to_string(length));
    for (index_t first = 0, last = layout::keys; first < length; first = last, last += layout::keys)
      if (of.pages[std::size_t(first / layout::keys)] == nullptr && (length < last || rows_->needed_from(length, {first, last})))
        throw shape_error("kv_cache: a text cannot be cut to " + std::to_string(length) +
                          " tokens: what the next would see or be written behind was given back");
  }
  void cut(pages& of, index_t length) {
    of.length = length;
    for (const auto most = std::size_t(detail::round_up(length, layout::keys) / layout::keys); of.pages.size() > most;) {
      spare_.give(std::move(of.pages.back()));
      of.pages.pop_back();
    }
  }

  template <device D, class K, class V>
  void append_to(const D& d, interval texts, const view<K>& k, const view<V>& v) {
    detail::require_tokens(layout_, texts.size(), k, v);
    detail::buffer<detail::longer_text<Storage>> longer;
    for (index_t t = texts.first; t < texts.last; ++t) longer.emplace_back(texts_[std::size_t(t)], k.extent[2], layout_, spare_);
    for (index_t t = 0; t < texts.size(); ++t)
      detail::write_text(d, layout_, *rows_, texts.first + t, longer[std::size_t(t)], k, v, t);
    for (index_t t = 0; t < texts.size(); ++t) {
      const index_t first = longer[std::size_t(t)].places().first;
      longer[std::size_t(t)].commit();
      if (k.extent[2] > 0) give_back(texts_[std::size_t(texts.first + t)], first);
    }
  }

  // Lets go of the full pages that no row from a position on may see: the next token is written to the other.
  void give_back(pages& of, index_t position) {
    for (index_t p = 0; p < of.length / layout::keys; ++p)
      if (of.pages[std::size_t(p)] != nullptr && !rows_->needed_from(position, {p * layout::keys, (p + 1) * layout::keys}))
        spare_.give(std::move(of.pages[std::size_t(p)]));
  }

  layout layout_;
  std::vector<pages> texts_;
  std::unique_ptr<detail::cache_rows<T>> rows_;
  detail::spare_pages spare_;
  std::unique_ptr<detail::kept_tables> tables_ = std::make_unique<detail::kept_tables>();
};

namespace detail {
template <class Storage>
inline constexpr bool is_cache<kv_cache<Storage>> = true;
}  // namespace detail

LONGSPAN_NAMESPACE_END
