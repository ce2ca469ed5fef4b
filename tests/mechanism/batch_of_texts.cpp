#include <longspan/mechanism/batch_of_texts.hpp>

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>
#include <vector>

#include <longspan/longspan.hpp>

#include "support/words.hpp"

namespace {

using namespace longspan;
using namespace longspan::detail;
using numbers = std::vector<index_t>;

const shapes batch_of_3{.batch = 3, .heads = 2, .key_heads = 1, .queries = 5, .keys = 9, .first_query = 4, .all_keys = 9};
const shapes batch_of_1{.batch = 1, .heads = 2, .key_heads = 1, .queries = 5, .keys = 9, .first_query = 4, .all_keys = 9};

TEST(texts_of, are_the_rows_of_the_batch_unless_told) {
  const auto texts = texts_of(batch_of_3, {});
  ASSERT_EQ(texts.size(), 3u);
  for (index_t b = 0; b < 3; ++b) EXPECT_EQ(texts[std::size_t(b)], (text{b, b, {0, 5}, {0, 9}, 4, 0, 9}));
}

TEST(texts_of, padded_have_their_queries_at_their_own_end) {
  const numbers keys{9, 0, 4}, queries{5, 2, 0};
  const auto texts = texts_of(batch_of_3, {.key_lengths = keys, .query_lengths = queries});
  EXPECT_EQ(texts[0], (text{0, 0, {0, 5}, {0, 9}, 4, 0, 9}));
  EXPECT_EQ(texts[1], (text{1, 1, {0, 2}, {0, 0}, -2, 0, 0}));
  EXPECT_EQ(texts[2], (text{2, 2, {0, 0}, {0, 4}, 4, 0, 4}));
  EXPECT_EQ(texts_of(batch_of_3, {.key_lengths = keys})[1], (text{1, 1, {0, 5}, {0, 0}, -5, 0, 0}));
  EXPECT_EQ(texts_of(batch_of_3, {.query_lengths = queries})[1], (text{1, 1, {0, 2}, {0, 9}, 7, 0, 9}));
}

TEST(texts_of, packed_lie_one_behind_the_other) {
  const numbers queries{0, 1, 1, 5}, keys{0, 4, 9, 9};
  const auto texts = texts_of(batch_of_1, {.query_starts = queries, .key_starts = keys});
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_EQ(texts[0], (text{0, 0, {0, 1}, {0, 4}, 3, 0, 4}));
  EXPECT_EQ(texts[1], (text{1, 0, {1, 1}, {4, 9}, 5, 0, 5}));
  EXPECT_EQ(texts[2], (text{2, 0, {1, 5}, {9, 9}, -4, 0, 0}));
}

TEST(texts_of, refuse_what_does_not_fit_and_name_the_text) {
  const auto refusal = [](const shapes& of, const placement& where) {
    return testing_support::words_of<shape_error>([&] { texts_of(of, where); });
  };
  const numbers two{1, 2}, beyond{9, 10, 0}, negative{1, 2, -1}, none, from_1{1, 5}, falling{0, 3, 2, 5}, early{0, 4},
      all_5{0, 5}, all_9{0, 9}, two_of_9{0, 4, 9}, fine{1, 2, 3};
  EXPECT_EQ(refusal(batch_of_3, {.key_lengths = two}), "placement: key_lengths needs a length for each text: 2 and 3");
  EXPECT_EQ(refusal(batch_of_3, {.key_lengths = none}), "placement: key_lengths needs a length for each text: 0 and 3");
  EXPECT_EQ(refusal(batch_of_3, {.key_lengths = beyond}),
            "placement: key_lengths of text 1 must be from 0 to the tensor's 9 tokens, not 10");
  EXPECT_EQ(refusal(batch_of_3, {.query_lengths = negative}),
            "placement: query_lengths of text 2 must be from 0 to the tensor's 5 tokens, not -1");
  EXPECT_EQ(refusal(batch_of_1, {.query_starts = none, .key_starts = all_9}),
            "placement: query_starts needs one number more than there are texts, not none");
  EXPECT_EQ(refusal(batch_of_1, {.query_starts = from_1, .key_starts = all_9}),
            "placement: query_starts of text 0 must be 0, not 1");
  EXPECT_EQ(refusal(batch_of_1, {.query_starts = falling, .key_starts = all_9}),
            "placement: query_starts must ascend: text 1 would be from 3 to 2");
  EXPECT_EQ(refusal(batch_of_1, {.query_starts = all_5, .key_starts = early}),
            "placement: key_starts must end with the tensor's tokens: 4 and 9");
  EXPECT_EQ(refusal(batch_of_1, {.query_starts = all_5, .key_starts = two_of_9}),
            "placement: query_starts and key_starts differ in texts: 1 and 2");
  EXPECT_EQ(refusal(batch_of_3, {.query_starts = all_5, .key_starts = all_9}),
            "placement: packed texts lie in tensors of batch 1, not 3");
  EXPECT_EQ(refusal(batch_of_1, {.query_starts = all_5}), "placement: packed texts need both query_starts and key_starts");
  EXPECT_EQ(refusal(batch_of_1, {.key_lengths = fine, .query_starts = all_5, .key_starts = all_9}),
            "placement: texts are padded (lengths) or packed (starts), not both");
  EXPECT_EQ(refusal(batch_of_3, {.first_query = 3, .key_lengths = fine}),
            "placement: first_query, first_key and all_keys are those of one text, not of padded or packed ones");
}

// Nothing is written where a door refuses.
TEST(texts, are_checked_before_anything_is_written) {
  Eigen::Tensor<float, 4, Eigen::RowMajor> q(2, 1, 3, 4), k(2, 1, 5, 4), v(2, 1, 5, 4), output(2, 1, 3, 4);
  q.setRandom(), k.setRandom(), v.setRandom(), output.setConstant(5);
  const std::array<index_t, 2> wrong{5, 6};
  EXPECT_THROW(forward_into(dot_product{} | causal{}, q, k, v, output, placement{.key_lengths = wrong}), shape_error);
  EXPECT_THROW(forward(dot_product{} | causal{}, q, k, v, placement{.key_lengths = wrong}), shape_error);
  const auto kept = forward(dot_product{} | causal{}, q, k, v);
  EXPECT_THROW(backward(dot_product{} | causal{}, q, k, v, kept, output, placement{.key_lengths = wrong}), shape_error);
  for (index_t i = 0; i < output.size(); ++i) EXPECT_EQ(output.data()[i], 5);
}

}  // namespace
