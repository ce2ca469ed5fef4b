#pragma once

#include <cmath>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <longspan/core/index.hpp>
#include <longspan/parameter/learned.hpp>

LONGSPAN_NAMESPACE_BEGIN

// A learned parameter: one number for every head, or a number for each. [head] is the number of a head as it takes part in
// arithmetic; `for (double& number : numbers)` reads and sets them all. A list that does not fit the heads of a call is refused
// by the call.
class per_head {
 public:
  per_head(double every) : is_one_(true), one_(every) {}
  per_head(std::vector<double> each) : each_(std::move(each)) {}
  per_head(std::initializer_list<double> each) : each_(each) {}

  // The slope is the same for all heads: a row has one head, so the derivative of its loss is that by its own head's number.
  learned operator[](index_t head) const { return {size() == 1 ? *begin() : begin()[head], slope_}; }
  std::vector<double> values() const { return {begin(), end()}; }

  double* begin() { return is_one_ ? &one_ : each_.data(); }
  double* end() { return begin() + size(); }
  const double* begin() const { return is_one_ ? &one_ : each_.data(); }
  const double* end() const { return begin() + size(); }

  void seed() { slope_ = 1; }
  void check(const char* field, index_t heads) const {
    if (size() != 1 && size() != heads)
      throw std::invalid_argument(std::string(field) + " must be one number or one for each head: " + std::to_string(size()) +
                                  " numbers and " + std::to_string(heads) + " heads");
    for (const double value : *this)
      if (!std::isfinite(value))
        throw std::invalid_argument(std::string(field) + " must be finite, not " + std::to_string(value));
  }

 private:
  index_t size() const { return is_one_ ? 1 : index_t(each_.size()); }

  // One number takes no memory of its own: calls copy mechanisms. Not a std::variant: where a copy of one finds no memory, that of
  // libstdc++ 12 destroys the list that it did not make.
  bool is_one_ = false;
  double one_ = 0;
  std::vector<double> each_;
  double slope_ = 0;
};

LONGSPAN_NAMESPACE_END
