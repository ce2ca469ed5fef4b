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
  per_head(double every) : values_{every} {}
  per_head(std::vector<double> each) : values_(std::move(each)) {}
  per_head(std::initializer_list<double> each) : values_(each) {}

  // The slope is the same for all heads: a row has one head, so the derivative of its loss is that by its own head's number.
  learned operator[](index_t head) const { return {values_.size() == 1 ? values_.front() : values_[std::size_t(head)], slope_}; }
  const std::vector<double>& values() const { return values_; }

  double* begin() { return values_.data(); }
  double* end() { return values_.data() + values_.size(); }
  const double* begin() const { return values_.data(); }
  const double* end() const { return values_.data() + values_.size(); }

  void seed() { slope_ = 1; }
  void check(const char* field, index_t heads) const {
    if (values_.size() != 1 && index_t(values_.size()) != heads)
      throw std::invalid_argument(std::string(field) + " must be one number or one for each head: " +
                                  std::to_string(values_.size()) + " numbers and " + std::to_string(heads) + " heads");
    for (const double value : values_)
      if (!std::isfinite(value))
        throw std::invalid_argument(std::string(field) + " must be finite, not " + std::to_string(value));
  }

 private:
  std::vector<double> values_;
  double slope_ = 0;
};

LONGSPAN_NAMESPACE_END
