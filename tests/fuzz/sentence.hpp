#pragma once

#include <string>

#include <longspan/longspan.hpp>

#include "drawn_call.hpp"

namespace fuzz {

// A mechanism that may read data, as make(data), and what the rules must know of it.
template <class Make>
struct sentence {
  const char* name;
  Make make;
  double factor = 1;          // that logits are at most, times the norms of a query and a key over sqrt(channels)
  bool cosine = false;        // norms are 1
  bool reads_text = false;    // its number: a text differs from the same text alone
  bool takes_parts = true;    // of the keys
  bool bounds_logits = true;  // adds nothing as large as data may be
};
template <class Make, class... Rest>
sentence(const char*, Make, Rest...) -> sentence<Make>;

}  // namespace fuzz
