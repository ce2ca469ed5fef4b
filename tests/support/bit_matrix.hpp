#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <longspan/core/key_set.hpp>
#include <longspan/core/query_row.hpp>
#include <longspan/core/shapes.hpp>

namespace testing_support {

// Masks that are data: which keys a row sees is a row of bits, its own for each text, head and position.
struct bit_matrix {
  struct row {
    std::vector<std::uint64_t> words;
    longspan::interval hull;
    longspan::index_t count = 0;
  };

  // An answer, which refers to the matrix. It has what the concept asks for and nothing else.
  struct answer {
    const row* own;
    longspan::interval hull() const { return own->hull; }
    longspan::index_t count() const { return own->count; }
    std::uint64_t bits(longspan::index_t key) const {
      const auto word = [&](longspan::index_t w) {
        return w < longspan::index_t(own->words.size()) ? own->words[std::size_t(w)] : 0;
      };
      const longspan::index_t shift = key % 64;
      return shift == 0 ? word(key / 64) : word(key / 64) >> shift | word(key / 64 + 1) << (64 - shift);
    }
  };

  longspan::index_t heads, queries, first_position;
  std::shared_ptr<std::vector<row>> rows = std::make_shared<std::vector<row>>();

  // sees(text, head, position, key) for texts whose queries are the last of the keys.
  template <class Sees>
  bit_matrix(longspan::index_t texts, longspan::index_t heads_of_text, longspan::index_t queries_of_text, longspan::index_t keys,
             Sees sees)
      : heads(heads_of_text), queries(queries_of_text), first_position(keys - queries_of_text) {
    for (longspan::index_t b = 0; b < texts; ++b)
      for (longspan::index_t h = 0; h < heads; ++h)
        for (longspan::index_t i = 0; i < queries; ++i) {
          row made{std::vector<std::uint64_t>(std::size_t(keys + 63) / 64), {}};
          for (longspan::index_t j = 0; j < keys; ++j)
            if (sees(b, h, first_position + i, j)) {
              made.words[std::size_t(j / 64)] |= std::uint64_t(1) << j % 64;
              made.hull = longspan::detail::hull(made.hull, {j, j + 1});
              ++made.count;
            }
          rows->push_back(std::move(made));
        }
  }

  answer operator()(const longspan::query_row& of) const {
    return {&(*rows)[std::size_t((of.batch * heads + of.head) * queries + of.position - first_position)]};
  }
};

}  // namespace testing_support
