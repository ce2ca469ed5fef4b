#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <longspan/longspan.hpp>

#include "drawn.hpp"
#include "guarded.hpp"

namespace fuzz {

using longspan::placement;

// How many query rows a text has, of so many at most: a few, as when decoding, or any number.
inline index_t rows_of_a_text(drawn& from, index_t most) {
  return from.between(0, from.once_in(2) ? std::min<index_t>(most, 3) : most);
}

// So many of each of some texts: all that there are, or some of them.
inline std::vector<index_t> rows_of_texts(drawn& from, index_t texts, index_t most) {
  const bool some = from.once_in(2);
  std::vector<index_t> rows;
  for (index_t t = 0; t < texts; ++t) rows.push_back(some ? rows_of_a_text(from, most) : most);
  return rows;
}

// How many query rows are tried in a tenth of a second, one time in eight in a second, if one takes so many multiply-adds.
inline index_t affordable_rows(drawn& from, index_t multiply_adds) {
  return (from.once_in(8) ? 4000000 : 400000) / std::max<index_t>(multiply_adds, 1) + 1;
}

// One text of a call: where its tokens lie in the tensors.
struct own_text {
  index_t batch, first_query, queries, first_key, keys;
};

// How large the tensors of a call are, and which texts lie in them.
struct drawn_call {
  index_t batch = 1, heads = 1, key_heads = 1, queries = 1, keys = 1, channels = 1, value_channels = 1;
  enum class kind { whole, part, padded, packed } texts_are = kind::whole;
  index_t first_key = 0, all_keys = 0, first_query = 0;  // of a part
  std::vector<index_t> key_lengths, query_lengths, query_starts, key_starts;
  layout keys_lie{.broadcast = true}, queries_lie{.broadcast = true};

  explicit drawn_call(drawn& from, index_t most_keys = 200) {
    key_heads = from.between(1, 3), heads = key_heads * from.of<index_t>({1, 1, 2, 3});
    channels = from.once_in(3) ? from.between(1, 70) : from.of<index_t>({8, 16, 32, 64, 2, 20});
    value_channels = from.once_in(3) ? from.between(1, 70) : from.of<index_t>({8, 16, 32, 64, 1, 20});
    texts_are = from.of({kind::whole, kind::part, kind::padded, kind::packed});
    keys = from.between(0, from.once_in(8) ? 3 * most_keys : most_keys);
    queries = from.between(0, from.of<index_t>({4, 40, most_keys}));
    batch = texts_are == kind::packed ? 1 : from.between(1, 3);
    queries = std::min(queries, affordable_rows(from, batch * heads * keys * (channels + value_channels)));
    if (texts_are == kind::part) {
      first_key = from.between(0, 300), all_keys = first_key + keys + from.between(0, 100);
      first_query = from.once_in(2) ? all_keys - queries : from.between(0, all_keys + 10) - 5;
    }
    if (texts_are == kind::padded)
      for (index_t b = 0; b < batch; ++b)
        key_lengths.push_back(from.between(0, keys)), query_lengths.push_back(rows_of_a_text(from, queries));
    if (texts_are == kind::packed)
      query_starts = starts(from, queries), key_starts = starts(from, keys, index_t(query_starts.size()));
    keys_lie.tokens_are_rows = from.once_in(2), queries_lie.tokens_are_rows = from.once_in(4);
    keys_lie.one_text = from.once_in(6);
  }

  placement where() const {
    switch (texts_are) {
      case kind::whole:
        return {};
      case kind::part:
        return {.first_query = first_query, .first_key = first_key, .all_keys = all_keys};
      case kind::padded:
        return {.key_lengths = key_lengths, .query_lengths = query_lengths};
      case kind::packed:
        return {.query_starts = query_starts, .key_starts = key_starts};
    }
    return {};
  }
  std::vector<own_text> texts() const {
    std::vector<own_text> made;
    if (texts_are == kind::packed)
      for (std::size_t t = 0; t + 1 < query_starts.size(); ++t)
        made.push_back(
            {0, query_starts[t], query_starts[t + 1] - query_starts[t], key_starts[t], key_starts[t + 1] - key_starts[t]});
    else
      for (index_t b = 0; b < batch; ++b)
        made.push_back({b, 0, query_lengths.empty() ? queries : query_lengths[std::size_t(b)], 0,
                        key_lengths.empty() ? keys : key_lengths[std::size_t(b)]});
    return made;
  }
  // Where the text stands when it is called alone.
  placement alone() const { return texts_are == kind::part ? where() : placement{}; }

  extents of_queries() const { return {batch, heads, queries, channels}; }
  extents of_keys() const { return {batch, key_heads, keys, channels}; }
  extents of_values() const { return {batch, key_heads, keys, value_channels}; }
  extents of_output() const { return {batch, heads, queries, value_channels}; }
  extents of_sums() const { return {batch, heads, queries, 1}; }

  std::string words() const {
    std::string made;
    for (const index_t n : {batch, heads, key_heads, queries, keys, channels, value_channels}) made += std::to_string(n) + ' ';
    return made + "as " + std::to_string(int(texts_are));
  }

 private:
  static std::vector<index_t> starts(drawn& from, index_t tokens, index_t count = 0) {
    if (count == 0) count = from.between(2, 5);
    const bool few_at_once = from.once_in(2);
    std::vector<index_t> made{0};
    for (index_t t = 2; t < count; ++t)
      made.push_back(few_at_once ? made.back() + rows_of_a_text(from, tokens - made.back()) : from.between(0, tokens));
    made.push_back(tokens);
    std::sort(made.begin(), made.end());
    return made;
  }
};

// Extents that broadcast to some others: any axis may be 1.
inline extents broadcast(drawn& from, extents whole) {
  for (index_t& extent : whole)
    if (from.once_in(2)) extent = 1;
  return whole;
}

// What sentences read beside queries, keys and values.
struct data_of_parts {
  view<const unsigned char> seen;
  view<const float> numbers, gates, cosines, sines, ids;

  // Of one text, and of one of its queries.
  data_of_parts of(const own_text& text) const {
    data_of_parts own = *this;
    const auto cut = [&](auto& each, std::size_t axis, index_t first, index_t count) {
      each = part_of(each, axis, first, count);
    };
    cut(own.seen, 0, text.batch, 1), cut(own.numbers, 0, text.batch, 1), cut(own.gates, 0, text.batch, 1);
    cut(own.cosines, 0, text.batch, 1), cut(own.sines, 0, text.batch, 1), cut(own.ids, 2, text.batch, 1);
    cut(own.seen, 2, text.first_query, text.queries), cut(own.numbers, 2, text.first_query, text.queries);
    cut(own.seen, 3, text.first_key, text.keys), cut(own.numbers, 3, text.first_key, text.keys);
    for (auto* each : {&own.gates, &own.cosines, &own.sines})
      each->data += text.first_key * each->stride[2], each->extent[2] = text.keys;
    own.ids.data += text.first_key * own.ids.stride[3], own.ids.extent[3] = text.keys;
    return own;
  }
  data_of_parts of_keys(index_t first, index_t count) const {
    data_of_parts own = *this;
    own.seen = part_of(seen, 3, first, count), own.numbers = part_of(numbers, 3, first, count);
    return own;
  }
  data_of_parts of_query(index_t i) const {
    data_of_parts own = *this;
    own.seen = part_of(seen, 2, i, 1), own.numbers = part_of(numbers, 2, i, 1);
    return own;
  }
};

// The same, in memory.
class drawn_data {
 public:
  drawn_data(drawn& from, const drawn_call& call)
      : seen_(from, broadcast(from, {call.batch, call.heads, call.queries, call.keys})),
        numbers_(from, broadcast(from, {call.batch, call.heads, call.queries, call.keys})),
        gates_(from, {from.once_in(2) ? 1 : call.batch, from.once_in(2) ? 1 : call.heads, call.keys, 1}),
        cosines_(from,
                 {from.once_in(2) ? 1 : call.batch, 1, call.keys, std::min<index_t>(call.channels / 2, from.between(0, 40))}),
        sines_(from, cosines_.all().extent),
        ids_(from, {1, 1, from.once_in(2) ? 1 : call.batch, call.keys}) {
    auto generator = from.generator();
    std::normal_distribution<float> normal;
    const unsigned most = from.of<unsigned>({2, 2, 10, 1, 100});  // one of so many is false
    seen_.fill(1, [&] { return generator() % most != 0; });
    const bool holes = from.once_in(3);
    numbers_.fill(nan,
                  [&] { return holes && generator() % 8 == 0 ? -std::numeric_limits<float>::infinity() : normal(generator); });
    float c = 0;
    gates_.fill(nan, [&] { return c -= std::abs(normal(generator)) / 8; });
    auto angles = generator;
    cosines_.fill(nan, [&] { return std::cos(3 * normal(angles)); });
    angles = generator;
    sines_.fill(nan, [&] { return std::sin(3 * normal(angles)); });
    ids_.fill(nan, [&] { return std::floor(20 * normal(generator)) / 2; });
  }
  data_of_parts all() const { return {seen_.all(), numbers_.all(), gates_.all(), cosines_.all(), sines_.all(), ids_.all()}; }

 private:
  static constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  guarded<unsigned char> seen_;
  guarded<float> numbers_, gates_, cosines_, sines_, ids_;
};

}  // namespace fuzz
