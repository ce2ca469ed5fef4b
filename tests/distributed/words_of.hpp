#pragma once

#include <exception>
#include <new>
#include <string>

namespace testing_support {

// What a call throws, in words.
template <class Call>
std::string words_of(Call call) {
  try {
    call();
  } catch (const std::bad_alloc&) {
    return "bad_alloc";
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace testing_support
