#pragma once

#include <algorithm>
#include <stdexcept>

#include "../model/heads.hpp"
#include "mechanism.hpp"

namespace pretrained {

// Keys and values of a text as they came, not turned, a row for each token: any mechanism may read them, while a cache is for those that
// turn keys as its own does. A text that is longer than the room for it does not fit.
class rows {
 public:
  rows(const config& of, index_t room) : heads_(of.key_heads), keys_(room, of.key_heads * of.channels), values_(keys_) {}

  index_t bytes() const { return index_t(sizeof(float)) * 2 * keys_.size(); }
  index_t length() const { return length_; }
  view<const float> keys() { return heads_of(keys_); }
  void truncate(index_t length) { length_ = length; }
  void append(const team&, const view<const float>& k, const view<const float>& v) {
    if (length_ + k.extent[2] > keys_.rows()) throw std::length_error("a text is longer than the room for it");
    for (index_t t = 0; t < k.extent[2]; ++t, ++length_) {
      std::copy_n(k.data + t * k.stride[2], keys_.cols(), &keys_(length_, 0));
      std::copy_n(v.data + t * v.stride[2], keys_.cols(), &values_(length_, 0));
    }
  }

  // Attention of the last tokens.
  friend void attend(const team& threads, const sentence& by, const view<const float>& q, rows& past, const view<float>& output) {
    longspan::forward_into(threads, by, q, past.heads_of(past.keys_), past.heads_of(past.values_), output);
  }

 private:
  view<float> heads_of(Matrix& from) const {
    auto all = model::heads_of(from, from.rows(), heads_, from.cols() / heads_);
    all.extent[2] = length_;
    return all;
  }

  index_t heads_, length_ = 0;
  Matrix keys_, values_;
};

}  // namespace pretrained
