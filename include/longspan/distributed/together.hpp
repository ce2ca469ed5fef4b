#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <longspan/core/shape_error.hpp>
#include <longspan/distributed/ranks.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// A failure of one rank, as it is told to the others: without memory of its own, since there may be none.
struct failure {
  enum class kind { shape, argument, memory, other };
  kind of = kind::other;
  std::array<char, 500> words{};

  failure() = default;
  explicit failure(const std::exception_ptr& exception) {
    try {
      std::rethrow_exception(exception);
    } catch (const shape_error& error) {
      set(kind::shape, error.what());
    } catch (const std::invalid_argument& error) {
      set(kind::argument, error.what());
    } catch (const std::bad_alloc& error) {
      set(kind::memory, error.what());
    } catch (const std::exception& error) {
      set(kind::other, error.what());
    } catch (...) {
      set(kind::other, "an exception of another type");
    }
  }

  [[noreturn]] void throw_as_of(index_t rank) const {
    if (of == kind::memory) throw std::bad_alloc();
    const std::string message = "rank " + std::to_string(rank) + ": " + words.data();
    if (of == kind::shape) throw shape_error(message);
    if (of == kind::argument) throw std::invalid_argument(message);
    throw std::runtime_error(message);
  }

 private:
  void set(kind is, const char* what) { of = is, std::strncpy(words.data(), what, words.size() - 1); }
};

// Throws on every rank where any has failed: on one that has, what it met; on the others what the first of these met, named after it.
inline void agree(const ranks& all, const std::exception_ptr& own) {
  int first = own ? int(all.rank()) : int(all.count());
  require_success(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_INT, MPI_MIN, all.communicator()), "MPI_Allreduce");
  if (first == all.count()) return;
  failure told;
  if (first == all.rank()) told = failure(own);
  all.broadcast(&told, sizeof told, first);
  if (own) std::rethrow_exception(own);
  told.throw_as_of(first);
}

// What work() throws.
template <class Work>
std::exception_ptr failure_of(const Work& work) {
  try {
    work();
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

// Does some work on every rank that needs no other; throws on all where one throws.
template <class Work>
void together(const ranks& all, const Work& work) {
  detail::agree(all, detail::failure_of(work));
}

// What make() makes on every rank, such as new tensors; throws on all where one has no memory for it.
template <class Make>
auto make_together(const ranks& all, const Make& make) {
  std::optional<decltype(make())> made;
  detail::together(all, [&] { made.emplace(make()); });
  return *std::move(made);
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
