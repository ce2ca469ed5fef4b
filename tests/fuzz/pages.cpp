// Keys and values in pages of an engine's own: the bits of tensors.
#include <cstdint>
#include <string>
#include <vector>

#include <longspan/longspan.hpp>

#include "devices.hpp"
#include "drawn_call.hpp"
#include "drawn_numbers.hpp"
#include "guarded.hpp"
#include "subjects.hpp"

namespace fuzz {
namespace {

using namespace longspan;

// Texts in pages that are handed out in a drawn order; some begin with the pages of the first.
template <class S>
class over_pages {
 public:
  explicit over_pages(drawn& from)
      : from_(from),
        texts_(from.between(1, 4)),
        key_heads_(from.between(1, 3)),
        heads_(key_heads_ * from.of<index_t>({1, 2, 3})),
        channels_(from.once_in(3) ? 2 * from.between(1, 35) : from.of<index_t>({8, 16, 32, 64})),
        value_channels_(from.once_in(3) ? from.between(1, 70) : from.of<index_t>({8, 16, 32, 64})),
        page_(from.once_in(2) ? from.of<index_t>({16, 32, 64, 128}) : from.between(1, 70)),
        each_(from.between(1, 300 / page_ + 1)),
        pages_(texts_ * each_ + from.between(0, 3)),
        numbers_(from),
        pools_lie_{.tokens_are_rows = from.once_in(2)},
        keys_(from, {pages_, key_heads_, page_, channels_}, pools_lie_),
        values_(from, {pages_, key_heads_, page_, value_channels_}, pools_lie_) {
    numbers_.fill(keys_), numbers_.fill(values_);
    std::vector<std::int32_t> order;
    for (index_t p = 0; p < pages_; ++p) order.push_back(std::int32_t(p));
    std::shuffle(order.begin(), order.end(), numbers_.generator);
    table_.assign(order.begin(), order.begin() + texts_ * each_);
    for (index_t t = 0; t < texts_; ++t) {
      lengths_.push_back(from.between(0, each_ * page_));
      if (t > 0 && from.once_in(3)) std::copy_n(table_.begin(), from.between(0, each_), table_.begin() + t * each_);
    }
  }

  template <class Mechanism>
  void hold_all(const Mechanism& mechanism) {
    const guarded<S> k = whole(keys_, channels_), v = whole(values_, value_channels_);
    const index_t most =
        std::min<index_t>(60, affordable_rows(from_, texts_ * heads_ * each_ * page_ * (channels_ + value_channels_)));
    const index_t queries = from_.once_in(2) ? 1 : from_.between(0, most);
    const std::vector<index_t> rows = rows_of_texts(from_, texts_, queries);
    guarded<S> q(from_, {texts_, heads_, queries, channels_}, {.broadcast = true});
    numbers_.fill(q);
    const auto results = [&](const auto& call) {
      guarded<S> output(from_, {texts_, heads_, queries, value_channels_});
      guarded<float> sums(from_, {texts_, heads_, queries, 1});
      output.seal(), sums.seal();
      call(output.all(), sums.all());
      hold(output.unchanged_outside() && sums.unchanged_outside(), "written outside of results");
      return std::pair(std::move(output), std::move(sums));
    };
    const auto wanted = results([&](const auto&... to) {
      forward_into(drawn_device{}, mechanism, q.all(), k.all(), v.all(), to...,
                   placement{.key_lengths = lengths_, .query_lengths = rows});
    });
    const auto expect = [&](const auto& got, const std::string& words) {
      for_each_index(got.first.all().extent, [&](auto... i) {
        const S x = at(got.first.all(), i...), y = at(wanted.first.all(), i...);
        hold(same_number(x, y), words + ": " + std::to_string(float(x)) + " for " + std::to_string(float(y)) + " at" +
                                    ((' ' + std::to_string(i)) + ...));
      });
      hold(same_numbers(got.second.all(), wanted.second.all()), words);
    };
    const auto pages = [&](const view<const S>& keys) {
      return paged{keys, std::as_const(values_).all(), std::span(std::as_const(table_)), std::span(std::as_const(lengths_))};
    };
    expect(results([&](const auto&... to) {
             forward_into(drawn_device(from_), mechanism, q.all(), pages(std::as_const(keys_).all()), to...,
                          placement{.query_lengths = rows});
           }),
           "pages have other bits than tensors");
    if constexpr (std::is_same_v<S, float>) {
      guarded<S> prepared(from_, keys_.all().extent);
      for (index_t t = 0; t < texts_; ++t)
        for (index_t p = 0; p * page_ < lengths_[std::size_t(t)]; ++p)
          prepare_keys(drawn_device(from_), mechanism, page_of(keys_, t, p), page_of(prepared, t, p),
                       placement{.first_key = p * page_});
      expect(results([&](const auto&... to) {
               forward_into(drawn_device(from_), mechanism, q.all(), prepared_keys{pages(std::as_const(prepared).all())}, to...,
                            placement{.query_lengths = rows});
             }),
             "prepared pages have other bits than tensors");
    }
  }

  std::string words() const {
    std::string made = "pages: ";
    for (const index_t n : {texts_, heads_, key_heads_, channels_, value_channels_, page_, each_})
      made += std::to_string(n) + ' ';
    made += ", lengths ";
    for (const index_t n : lengths_) made += std::to_string(n) + ' ';
    made += ", table ";
    for (const index_t n : table_) made += std::to_string(n) + ' ';
    return made + ", numbers " + std::to_string(int(numbers_.are));
  }

 private:
  view<S> page_of(guarded<S>& of, index_t text, index_t page) {
    view<S> all = of.all();
    all.data += table_[std::size_t(text * each_ + page)] * all.stride[0];
    all.extent[0] = 1;
    return all;
  }
  guarded<S> whole(guarded<S>& of, index_t width) {
    guarded<S> made({texts_, key_heads_, each_ * page_, width});
    for_each_index(made.all().extent, [&](index_t t, index_t h, index_t i, index_t c) {
      at(made.all(), t, h, i, c) = at(page_of(of, t, i / page_), 0, h, i % page_, c);
    });
    return made;
  }

  drawn& from_;
  index_t texts_, key_heads_, heads_, channels_, value_channels_, page_, each_, pages_;
  drawn_numbers numbers_;
  layout pools_lie_;
  guarded<S> keys_, values_;
  std::vector<std::int32_t> table_;
  std::vector<index_t> lengths_;
};

template <class S, class Mechanism>
void hold_over_pages(drawn& from, const Mechanism& mechanism) {
  hold_all(over_pages<S>(from), mechanism);
}

}  // namespace

void hold_pages(drawn& from) {
  const index_t few = from.between(0, 100);
  const auto rotated = rope{} | cosine{} | cos_scale{16} | sliding_window{few};
  switch (from.between(0, 2)) {
    case 0:
      return hold_over_pages<float>(from, rotated);
    case 1:
      return hold_over_pages<float>(from, dot_product{} | alibi{} | causal{});
    default:
      return hold_over_pages<Eigen::bfloat16>(from, rotated);
  }
}

}  // namespace fuzz
