#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <longspan/longspan.hpp>

#include "devices.hpp"
#include "drawn_call.hpp"
#include "drawn_numbers.hpp"
#include "guarded.hpp"
#include "sentence.hpp"

namespace fuzz {

// The rules of a cache: after any appending, cutting and copying it has the bits of one that took all its tokens at once, and as float or
// double those of tensors. What is refused leaves it as it was.
template <class Storage, class Sentence>
class over_cache {
  using mechanism = decltype(std::declval<Sentence>().make(data_of_parts{}));
  using cache = longspan::kv_cache<Storage>;
  using T = std::conditional_t<std::is_same_v<Storage, double>, double, float>;

  // A cache, and which tokens of the stock each of its texts has.
  struct held {
    cache kept;
    std::vector<std::vector<index_t>> tokens;

    held(const mechanism& whole, const longspan::cache_shape& of) : kept(whole, of), tokens(std::size_t(of.texts)) {}
  };

 public:
  over_cache(drawn& from, const Sentence& sentence)
      : from_(from),
        sentence_(sentence),
        whole_(sentence.make({})),
        of_{.key_heads = from.between(1, 3),
            .channels = from.once_in(3) ? 2 * from.between(1, 35) : from.of<index_t>({8, 16, 32, 64}),
            .value_channels = from.once_in(3) ? from.between(1, 70) : from.of<index_t>({8, 16, 32, 64}),
            .texts = from.between(1, 4)},
        heads_(of_.key_heads * from.of<index_t>({1, 2, 3})),
        numbers_(from),
        k_({1, of_.key_heads, stock, of_.channels}),
        v_({1, of_.key_heads, stock, of_.value_channels}) {
    numbers_.fill(k_), numbers_.fill(v_);
    caches_.reserve(most_caches);  // references to them stay
    caches_.emplace_back(whole_, of_);
  }

  void hold_all() {
    for (index_t step = from_.between(1, 12); step > 0; --step) {
      held& one = caches_[std::size_t(from_.between(0, index_t(caches_.size()) - 1))];
      change(one);
      lengths_are_kept(one);
      if (from_.once_in(2)) results_are_kept(one);
    }
    for (held& each : caches_) results_are_kept(each);
  }

  std::string words() const {
    std::string made = std::string("cache of ") + sentence_.name + ": " + steps_ + "; ";
    for (const index_t n : {of_.key_heads, of_.channels, of_.value_channels, of_.texts, heads_}) made += std::to_string(n) + ' ';
    return made + ", numbers " + std::to_string(int(numbers_.are));
  }

 private:
  static constexpr index_t stock = 400;
  static constexpr std::size_t most_caches = 3;

  void change(held& one) {
    const auto text = std::size_t(from_.between(0, of_.texts - 1)), other = std::size_t(from_.between(0, of_.texts - 1));
    const index_t length = index_t(one.tokens[text].size());
    switch (from_.between(0, 6)) {
      case 0:
      case 1:
        return append(one, 0, of_.texts);
      case 2:
        return append(one, index_t(text), 1);
      case 3:
        return cut(one, text, from_.between(0, length));
      case 4:
        note("copy text", index_t(text), index_t(other));
        one.kept.copy(index_t(text), index_t(other));
        one.tokens[other] = one.tokens[text];
        return;
      case 5:
        note("copy", 0, 0);
        if (caches_.size() < most_caches) {
          held copied = one;
          caches_.push_back(std::move(copied));
        } else {
          held copied = caches_[std::size_t(from_.between(0, index_t(most_caches) - 1))];
          one = std::move(copied);
        }
        return;
      default: {
        const index_t room = from_.between(0, 500);
        note("reserve", room, 0);
        return one.kept.reserve(room);
      }
    }
  }

  void append(held& one, index_t text, index_t texts) {
    const index_t count = from_.once_in(2) ? from_.between(0, 3) : from_.between(0, 300);
    note("append", text, count);
    guarded<T> k(from_, {texts, of_.key_heads, count, of_.channels}, {.broadcast = true});
    guarded<T> v(from_, {texts, of_.key_heads, count, of_.value_channels}, {.broadcast = true});
    // As a stride may be 0, texts may take the same tokens.
    const bool the_same = k.all().stride[0] == 0 || v.all().stride[0] == 0 || k.all().stride[1] == 0 || v.all().stride[1] == 0;
    if (the_same) k = guarded<T>(k.all().extent), v = guarded<T>(v.all().extent);
    std::vector<std::vector<index_t>> taken(static_cast<std::size_t>(texts));
    for (index_t t = 0; t < texts; ++t)
      for (index_t i = 0; i < count; ++i) {
        const index_t token = next_++ % stock;
        taken[std::size_t(t)].push_back(token);
        for (index_t h = 0; h < of_.key_heads; ++h) {
          for (index_t c = 0; c < of_.channels; ++c) at(k.all(), t, h, i, c) = at(k_.all(), 0, h, token, c);
          for (index_t c = 0; c < of_.value_channels; ++c) at(v.all(), t, h, i, c) = at(v_.all(), 0, h, token, c);
        }
      }
    if (texts == of_.texts && texts > 1)
      one.kept.append(drawn_device(from_), k.all(), v.all());
    else
      one.kept.append(drawn_device(from_), text, k.all(), v.all());
    for (index_t t = 0; t < texts; ++t) {
      auto& of = one.tokens[std::size_t(text + t)];
      of.insert(of.end(), taken[std::size_t(t)].begin(), taken[std::size_t(t)].end());
    }
  }

  // A text whose window has gone on cannot be cut to where it would look back.
  void cut(held& one, std::size_t text, index_t length) {
    note("truncate", index_t(text), length);
    try {
      one.kept.truncate(index_t(text), length);
      one.tokens[text].resize(std::size_t(length));
    } catch (const longspan::shape_error& error) {
      hold(std::string(error.what()).find("given back") != std::string::npos, error.what());
    }
  }

  void lengths_are_kept(const held& one) {
    for (index_t t = 0; t < of_.texts; ++t)
      hold(one.kept.length(t) == index_t(one.tokens[std::size_t(t)].size()), "another length of text " + std::to_string(t));
  }

  void results_are_kept(const held& one) {
    index_t keys = 0;
    for (const auto& each : one.tokens) keys += index_t(each.size());
    const index_t most = std::min<index_t>(40, affordable_rows(from_, heads_ * keys * (of_.channels + of_.value_channels)));
    const index_t queries = from_.once_in(2) ? 1 : from_.between(0, most);
    const std::vector<index_t> rows = rows_of_texts(from_, of_.texts, queries);
    guarded<T> q(from_, {of_.texts, heads_, queries, of_.channels}, {.broadcast = true});
    numbers_.fill(q);
    guarded<T> output(from_, {of_.texts, heads_, queries, of_.value_channels}), sums(from_, {of_.texts, heads_, queries, 1});
    output.fill(-7, [] { return T(-7); }), sums.fill(-7, [] { return T(-7); });
    output.seal(), sums.seal();
    try {
      longspan::forward_into(drawn_device(from_), whole_, std::as_const(q).all(), one.kept, output.all(), sums.all(),
                             {.query_lengths = rows});
    } catch (const longspan::shape_error& error) {
      hold(std::string(error.what()).find("given back") != std::string::npos, error.what());
      hold(output.unchanged() && sums.unchanged(), "written before it is refused");
      return;
    }
    hold(output.unchanged_outside() && sums.unchanged_outside(), "written outside of results");
    compare(one, q, rows, output, sums);
  }

  void compare(const held& one, const guarded<T>& q, const std::vector<index_t>& rows, guarded<T>& output, guarded<T>& sums) {
    index_t longest = 0;
    std::vector<index_t> lengths;
    for (const auto& each : one.tokens) lengths.push_back(index_t(each.size())), longest = std::max(longest, lengths.back());
    guarded<T> k({of_.texts, of_.key_heads, longest, of_.channels}), v({of_.texts, of_.key_heads, longest, of_.value_channels});
    cache at_once(whole_, of_);
    for (index_t t = 0; t < of_.texts; ++t) {
      const auto& tokens = one.tokens[std::size_t(t)];
      for (index_t i = 0; i < index_t(tokens.size()); ++i)
        for (index_t h = 0; h < of_.key_heads; ++h) {
          const index_t token = tokens[std::size_t(i)];
          for (index_t c = 0; c < of_.channels; ++c) at(k.all(), t, h, i, c) = at(k_.all(), 0, h, token, c);
          for (index_t c = 0; c < of_.value_channels; ++c) at(v.all(), t, h, i, c) = at(v_.all(), 0, h, token, c);
        }
      at_once.append(t, k.all().tokens_of(t, {0, lengths[std::size_t(t)]}), v.all().tokens_of(t, {0, lengths[std::size_t(t)]}));
    }
    guarded<T> wanted(output.all().extent), wanted_sums(sums.all().extent);
    longspan::forward_into(drawn_device{}, whole_, q.all(), at_once, wanted.all(), wanted_sums.all(), {.query_lengths = rows});
    hold(same_numbers(output.all(), wanted.all()) && same_numbers(sums.all(), wanted_sums.all()),
         "other bits than taken at once");
    longspan::forward_into(drawn_device{}, whole_, q.all(), k.all(), v.all(), wanted.all(), wanted_sums.all(),
                           longspan::placement{.key_lengths = lengths, .query_lengths = rows});
    if constexpr (std::is_same_v<Storage, T>) {
      hold(same_numbers(output.all(), wanted.all()) && same_numbers(sums.all(), wanted_sums.all()), "other bits than tensors");
    } else if (numbers_.are == drawn_numbers::kind::normal) {
      const double allowed = 0.25 * largest_norm(v.all());
      for_each_index(output.all().extent, [&](auto... i) {
        hold(std::abs(double(at(output.all(), i...)) - double(at(wanted.all(), i...))) <= allowed, "far from tensors");
      });
    }
  }

  void note(const char* step, index_t a, index_t b) {
    steps_ += std::string(step) + ' ' + std::to_string(a) + ' ' + std::to_string(b) + ", ";
  }

  drawn& from_;
  Sentence sentence_;
  mechanism whole_;
  longspan::cache_shape of_;
  index_t heads_;
  drawn_numbers numbers_;
  guarded<T> k_, v_;
  index_t next_ = 0;
  std::vector<held> caches_;
  std::string steps_;
};

template <class Storage, class Sentence>
void hold_over_cache(drawn& from, const Sentence& sentence) {
  hold_all(over_cache<Storage, Sentence>(from, sentence));
}

}  // namespace fuzz
