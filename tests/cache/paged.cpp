// Keys and values in pages of an engine's own.
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <longspan/longspan.hpp>

#include "support/devices.hpp"
#include "support/tensors.hpp"
#include "support/words.hpp"

namespace {

using namespace testing_support;
using namespace longspan;

// Texts in a pool whose pages were handed out in no order, (page, token, key head, channel) as vLLM lays them out.
template <class S>
struct engine {
  index_t page_tokens, key_heads, channels, value_channels;
  std::vector<index_t> lengths;
  index_t each = 0;
  std::vector<std::int32_t> table;
  std::vector<S> keys, values;

  engine(index_t page, index_t heads, index_t d, index_t d_v, std::vector<index_t> of)
      : page_tokens(page), key_heads(heads), channels(d), value_channels(d_v), lengths(std::move(of)) {
    for (const index_t length : lengths) each = std::max(each, (length + page - 1) / page);
    index_t pages = each * index_t(lengths.size()) + 3;
    if (pages % 7 == 0) ++pages;  // so that the order below names every page once
    table.assign(std::size_t(each) * lengths.size(), -1);
    index_t next = 0;
    for (std::size_t t = 0; t < lengths.size(); ++t)
      for (index_t p = 0; p * page < lengths[t]; ++p)
        table[t * std::size_t(each) + std::size_t(p)] = std::int32_t((next++ * 7 + 2) % pages);
    const S nan = S(std::numeric_limits<float>::quiet_NaN());  // what is nobody's token
    keys.assign(std::size_t(pages * page * heads * d), nan), values.assign(std::size_t(pages * page * heads * d_v), nan);
  }
  view<const S> pool(const std::vector<S>& of, index_t width) const {
    const index_t page = page_tokens * key_heads * width;
    return {of.data(), {index_t(of.size()) / page, key_heads, page_tokens, width}, {page, width, key_heads * width, 1}};
  }
  // The page of a text, to write to.
  view<S> page_of(std::vector<S>& of, index_t width, std::size_t text, index_t token, index_t tokens) {
    const index_t page = table[text * std::size_t(each) + std::size_t(token / page_tokens)];
    const index_t row = key_heads * width;
    return {of.data() + (page * page_tokens + token % page_tokens) * row, {1, key_heads, tokens, width}, {0, width, row, 1}};
  }
  auto pages() const { return paged{pool(keys, channels), pool(values, value_channels), std::span(table), std::span(lengths)}; }

  // Takes up texts, a page at a time, keys as `write_keys(text, first, from, to)` writes them.
  template <class WriteKeys>
  void take(const tensor<S>& k, const tensor<S>& v, WriteKeys write_keys) {
    for (std::size_t t = 0; t < lengths.size(); ++t)
      for (index_t first = 0; first < lengths[t]; first += page_tokens) {
        const index_t count = std::min(page_tokens, lengths[t] - first);
        const auto some = [&](const tensor<S>& of) {
          const index_t width = of.dimension(3), tokens = of.dimension(2);
          return view<const S>{of.data() + (index_t(t) * key_heads * tokens + first) * width,
                               {1, key_heads, count, width},
                               {0, tokens * width, width, 1}};
        };
        const auto copied = [&](const view<const S>& from, const view<S>& to) {
          for (index_t h = 0; h < key_heads; ++h)
            for (index_t j = 0; j < count; ++j)
              for (index_t c = 0; c < from.extent[3]; ++c) to.head(0, h).row(j)[c] = from.head(0, h).row(j)[c];
        };
        write_keys(first, some(k), page_of(keys, channels, t, first, count), copied);
        copied(some(v), page_of(values, value_channels, t, first, count));
      }
  }
};

constexpr auto as_they_are = [](index_t, const auto& from, const auto& to, const auto& copied) { copied(from, to); };

template <class S>
auto texts_of(index_t queries, index_t heads, index_t key_heads, index_t channels, index_t value_channels,
              const std::vector<index_t>& lengths) {
  return random_inputs<S>({.batch = index_t(lengths.size()),
                           .heads = heads,
                           .key_heads = key_heads,
                           .queries = queries,
                           .keys = *std::max_element(lengths.begin(), lengths.end()),
                           .channels = channels,
                           .value_channels = value_channels});
}

// Pages of every length, of few queries and of many: the bits of the call that is given the texts as tensors.
TEST(paged, texts_have_the_bits_of_tensors) {
  const std::vector<index_t> lengths{300, 0, 1, 777, 129};
  const auto mechanism = dot_product{} | alibi{} | sliding_window{500};
  for (const index_t queries : {1, 3, 70})
    for (const index_t value_channels : {32, 20}) {
      const auto in = texts_of<float>(queries, 6, 2, 32, value_channels, lengths);
      const auto wanted = forward(mechanism, in.q, in.k, in.v, placement{.key_lengths = lengths});
      for (const index_t page : {1, 16, 24, 32, 100, 256}) {
        engine<float> of(page, 2, 32, value_channels, lengths);
        of.take(in.k, in.v, as_they_are);
        const auto got = forward(mechanism, in.q, prepared_keys{of.pages()});
        EXPECT_TRUE(same_bits(got.output, wanted.output) && same_bits(got.log_sum_exp, wanted.log_sum_exp))
            << page << ' ' << queries << ' ' << value_channels;
      }
    }
}

// Keys that are turned by every call, and those that were turned once, page by page, as an engine does.
TEST(paged, keys_are_turned_by_the_call_or_once) {
  const std::vector<index_t> lengths{200, 333};
  const auto mechanism = rope{} | dot_product{} | scale_invariant{} | causal{};
  for (const index_t queries : {1, 40}) {
    const auto in = texts_of<float>(queries, 4, 2, 32, 32, lengths);
    const auto wanted = forward(mechanism, in.q, in.k, in.v, placement{.key_lengths = lengths}).output;
    engine<float> plain(32, 2, 32, 32, lengths), turned(32, 2, 32, 32, lengths);
    plain.take(in.k, in.v, as_they_are);
    turned.take(in.k, in.v, [&](index_t first, const auto& from, const auto& to, const auto&) {
      prepare_keys(mechanism, from, to, placement{.first_key = first});
    });
    tensor<float> output(2, 4, queries, 32);
    forward_into(Eigen::DefaultDevice{}, mechanism, in.q, plain.pages(), output);
    EXPECT_TRUE(same_bits(output, wanted)) << queries;
    forward_into(mechanism, in.q, prepared_keys{turned.pages()}, output);
    EXPECT_TRUE(same_bits(output, wanted)) << queries;
  }
}

// Narrow pages are read as narrow tensors are.
TEST(paged, bfloat16_has_the_bits_of_tensors) {
  const std::vector<index_t> lengths{200, 333};
  const auto mechanism = cosine{} | causal{};
  for (const index_t queries : {1, 40}) {
    const auto in = texts_of<Eigen::bfloat16>(queries, 4, 2, 32, 32, lengths);
    engine<Eigen::bfloat16> of(16, 2, 32, 32, lengths);
    of.take(in.k, in.v, as_they_are);
    EXPECT_TRUE(same_bits(forward(mechanism, in.q, of.pages()).output,
                          forward(mechanism, in.q, in.k, in.v, placement{.key_lengths = lengths}).output));
  }
}

// Texts that share a prompt's pages have the bits that they have alone, on any threads.
TEST(paged, texts_may_share_pages) {
  const std::vector<index_t> lengths{140, 150, 160, 170};
  const auto in = texts_of<float>(1, 4, 2, 32, 32, lengths);
  engine<float> of(16, 2, 32, 32, lengths);
  of.take(in.k, in.v, as_they_are);
  for (std::size_t t = 1; t < lengths.size(); ++t)
    for (std::size_t p = 0; p < 8; ++p) of.table[t * std::size_t(of.each) + p] = of.table[p];
  const auto mechanism = dot_product{} | causal{};
  const auto together = forward(mechanism, in.q, prepared_keys{of.pages()}).output;
  EXPECT_TRUE(same_bits(forward(std_threads{3}, mechanism, in.q, prepared_keys{of.pages()}).output, together));
  for (std::size_t t = 0; t < lengths.size(); ++t) {
    tensor<float> q(1, 4, 1, 32);
    q = in.q.slice(Eigen::array<index_t, 4>{index_t(t), 0, 0, 0}, Eigen::array<index_t, 4>{1, 4, 1, 32});
    auto alone = of.pages();
    alone.table = std::span(of.table).subspan(t * std::size_t(of.each), std::size_t(of.each));
    alone.lengths = std::span(of.lengths).subspan(t, 1);
    const tensor<float> output = forward(mechanism, q, alone).output;
    for (index_t i = 0; i < output.size(); ++i) ASSERT_EQ(output.data()[i], together.data()[index_t(t) * output.size() + i]);
  }
}

// A text may be shorter than the next one with its pages, and its table have old numbers beyond its tokens: each is read where its own table
// says.
TEST(paged, texts_that_share_pages_may_have_any_lengths) {
  const std::vector<index_t> lengths{20, 60, 16, 60};
  const auto in = texts_of<float>(1, 4, 2, 32, 32, lengths);
  engine<float> of(16, 2, 32, 32, lengths);
  of.take(in.k, in.v, as_they_are);
  std::copy_n(of.table.begin() + 4, 4, of.table.begin());                                  // the second is the first, continued
  of.table[8] = of.table[4], std::copy_n(of.table.begin() + 13, 3, of.table.begin() + 9);  // old numbers of the third
  of.table[12] = of.table[4];
  const auto mechanism = dot_product{} | causal{};
  const auto together = forward(mechanism, in.q, prepared_keys{of.pages()}).output;
  for (std::size_t t = 0; t < lengths.size(); ++t) {
    const view<const float> q{in.q.data() + index_t(t) * 4 * 32, {1, 4, 1, 32}, {128, 32, 32, 1}};
    auto alone = of.pages();
    alone.table = std::span(of.table).subspan(t * 4, 4), alone.lengths = std::span(of.lengths).subspan(t, 1);
    tensor<float> output(1, 4, 1, 32);
    forward_into(mechanism, q, prepared_keys{alone}, output);
    for (index_t i = 0; i < output.size(); ++i) ASSERT_EQ(output.data()[i], together.data()[index_t(t) * output.size() + i]) << t;
  }
}

// Many queries, of which the first text is shorter than a page: values of the others still lie in several pages.
TEST(paged, a_prefill_may_begin_with_a_text_in_one_page) {
  const auto mechanism = dot_product{} | causal{};
  for (const std::vector<index_t>& lengths : {std::vector<index_t>{20, 200, 0}, {0, 30, 64}}) {
    const auto in = texts_of<float>(70, 4, 2, 32, 32, lengths);
    engine<float> of(32, 2, 32, 32, lengths);
    of.take(in.k, in.v, as_they_are);
    EXPECT_TRUE(same_bits(forward(mechanism, in.q, prepared_keys{of.pages()}).output,
                          forward(mechanism, in.q, in.k, in.v, placement{.key_lengths = lengths}).output));
  }
}

TEST(paged, texts_may_be_empty_and_have_no_table) {
  engine<float> of(32, 2, 32, 32, {0, 0});
  EXPECT_TRUE(of.table.empty());
  for (const index_t queries : {1, 3, 70}) {
    const auto output = forward(dot_product{} | causal{}, normal<float>(2, 4, queries, 32, 1), prepared_keys{of.pages()}).output;
    for (index_t i = 0; i < output.size(); ++i) ASSERT_EQ(output.data()[i], 0);
  }
  // Alone, a text without a page is one whose values could be read where they lie.
  engine<float> one(32, 2, 32, 32, {0});
  const auto output = forward(rope{} | dot_product{} | causal{}, normal<float>(1, 4, 70, 32, 1), one.pages()).output;
  for (index_t i = 0; i < output.size(); ++i) ASSERT_EQ(output.data()[i], 0);
}

TEST(paged, what_does_not_fit_is_said) {
  const auto in = texts_of<float>(1, 4, 2, 32, 32, {40, 20});
  engine<float> of(16, 2, 32, 32, {40, 20});
  of.take(in.k, in.v, as_they_are);
  const auto mechanism = dot_product{} | causal{};
  tensor<float> output(2, 4, 1, 32);
  output.setConstant(7);
  const auto message = [&](auto change) {
    engine<float> bad = of;
    auto pages = bad.pages();
    change(bad, pages);
    return words_of<shape_error>([&] { forward_into(mechanism, in.q, pages, output); });
  };
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(has(message([](auto& bad, auto&) { bad.table[1] = -1; }), "page 1 of text 0 is number -1"));
  EXPECT_TRUE(has(message([](auto& bad, auto&) { bad.table[4] = 1000; }), "page 1 of text 1 is number 1000 of"));
  EXPECT_TRUE(has(message([](auto& bad, auto&) { bad.lengths[1] = 49; }), "text 1 must have from 0 to the 48 tokens"));
  EXPECT_TRUE(has(message([](auto& bad, auto& pages) { pages.table = std::span(bad.table).first(5); }), "5 for 2 texts"));
  EXPECT_TRUE(has(message([](auto&, auto& pages) { pages.values.extent[2] = 8; }), "tokens"));
  EXPECT_TRUE(has(message([](auto& bad, auto& pages) {
                    pages.lengths = std::span(bad.lengths).first(1), pages.table = std::span(bad.table).first(3);
                  }),
                  "texts"));
  EXPECT_TRUE(has(
      words_of<shape_error>([&] { prepare_keys(mechanism, in.k, view<float>{output.data(), {2, 4, 1, 32}, {128, 32, 32, 1}}); }),
      "prepared keys"));
  for (index_t i = 0; i < output.size(); ++i) ASSERT_EQ(output.data()[i], 7);
}

}  // namespace
