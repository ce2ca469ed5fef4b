#pragma once

#include <stdexcept>
#include <string>

namespace testing_support {

// What a call says where it throws an Exception; empty where it does not throw.
template <class Exception = std::invalid_argument, class Call>
std::string words_of(Call call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return {};
}

}  // namespace testing_support
