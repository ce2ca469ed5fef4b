#pragma once

#include <longspan/longspan.hpp>

namespace testing_support {

// A sentence as the reference is given it, for one text of a call without padding.
template <class Mechanism>
auto bound_of(const Mechanism& whole, const longspan::shapes& lengths, longspan::index_t text = 0) {
  using namespace longspan::detail;
  return bind_definition(whole, lengths, texts_of(lengths, {}))[std::size_t(text)];
}

}  // namespace testing_support
