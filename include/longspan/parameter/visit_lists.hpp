#pragma once

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>

#include <longspan/core/config.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// Calls visit(number of the first, number of the second ...) with all lists of numbers of one or several mechanisms. Throws
// std::invalid_argument, before anything is visited, where a list is longer than its namesake.
template <class Visit, class First, class... Others>
void visit_lists(Visit& visit, const First& first, const Others&... others) {
  for (std::size_t n = 0; n < first.size(); ++n)
    for (const std::size_t size : std::array<std::size_t, 1 + sizeof...(Others)>{first[n].size(), others[n].size()...})
      if (size != first[n].size())
        throw std::invalid_argument("for_each_learned: learned number " + std::to_string(n) +
                                    " is a list of different lengths: " + std::to_string(first[n].size()) + " and " +
                                    std::to_string(size));
  for (std::size_t n = 0; n < first.size(); ++n)
    for (std::size_t i = 0; i < first[n].size(); ++i) visit(first[n][i], others[n][i]...);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
