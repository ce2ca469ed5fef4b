#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <mpi.h>

#include <longspan/core/index.hpp>

LONGSPAN_NAMESPACE_BEGIN
namespace detail {

// What is in a message, its tag. Messages of one kind arrive in the order in which they were sent.
enum class message { keys, gradients, nothing };

// Throws std::runtime_error with MPI's own words where a call failed.
inline void require_success(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char words[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, words, &length);
  throw std::runtime_error(std::string(call) + ": " + std::string(words, std::size_t(length)));
}

// Throws std::invalid_argument for what is no communicator of one group of ranks, std::runtime_error outside of MPI_Init and MPI_Finalize:
// MPI would end the program.
inline MPI_Comm require_communicator(MPI_Comm of) {
  int initialised = 0, finalised = 0, inter = 0;
  require_success(MPI_Initialized(&initialised), "MPI_Initialized");
  require_success(MPI_Finalized(&finalised), "MPI_Finalized");
  if (initialised == 0 || finalised != 0)
    throw std::runtime_error(std::string("ring: MPI ") +
                             (finalised != 0 ? "was finalised" : "is not initialised: call MPI_Init"));
  if (of == MPI_COMM_NULL)
    throw std::invalid_argument(
        "ring: MPI_COMM_NULL is what ranks outside of a communicator have: they take no part in its calls");
  require_success(MPI_Comm_test_inter(of, &inter), "MPI_Comm_test_inter");
  if (inter != 0) throw std::invalid_argument("ring: the communicator is between two groups of ranks; a ring needs one group");
  return of;
}

// The ranks of a communicator, and a duplicate of it, so that no message meets one of the user's. The last copy frees the duplicate, unless
// MPI was finalised before: a ring may outlive it. MPI is called by the thread that calls the library and by no other.
class ranks {
 public:
  explicit ranks(MPI_Comm of) : shared_(std::make_shared<state>()) {
    require_success(MPI_Comm_dup(require_communicator(of), &shared_->duplicate), "MPI_Comm_dup");
    require_success(MPI_Comm_set_errhandler(communicator(), MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    int number = 0;
    require_success(MPI_Comm_rank(communicator(), &number), "MPI_Comm_rank"), rank_ = number;
    require_success(MPI_Comm_size(communicator(), &number), "MPI_Comm_size"), count_ = number;
  }

  index_t rank() const { return rank_; }
  index_t count() const { return count_; }
  MPI_Comm communicator() const { return shared_->duplicate; }
  index_t bytes_sent() const { return shared_->bytes_sent; }

  // So many bytes to or from a rank, in messages of at most 1 GiB, which an int counts.
  void send(message kind, const void* from, index_t bytes, index_t to, std::vector<MPI_Request>& requests) const {
    const auto* const memory = static_cast<const std::byte*>(from);
    shared_->bytes_sent += bytes;
    for_each_message(bytes, [&](index_t first, int size) {
      requests.push_back(MPI_REQUEST_NULL);
      require_success(MPI_Isend(memory + first, size, MPI_BYTE, int(to), int(kind), communicator(), &requests.back()),
                      "MPI_Isend");
    });
  }
  void receive(message kind, void* into, index_t bytes, index_t from, std::vector<MPI_Request>& requests) const {
    auto* const memory = static_cast<std::byte*>(into);
    for_each_message(bytes, [&](index_t first, int size) {
      requests.push_back(MPI_REQUEST_NULL);
      require_success(MPI_Irecv(memory + first, size, MPI_BYTE, int(from), int(kind), communicator(), &requests.back()),
                      "MPI_Irecv");
    });
  }
  static index_t messages(index_t bytes) { return (bytes + most_bytes - 1) / most_bytes; }

  // Moves all transfers on: MPI looks for a message of a kind that nobody sends.
  void progress() const {
    int found = 0;
    require_success(MPI_Iprobe(MPI_ANY_SOURCE, int(message::nothing), communicator(), &found, MPI_STATUS_IGNORE), "MPI_Iprobe");
  }

  // What one rank has, to all; and the sum of what all have, the same bits on all.
  void add_up(double* numbers, index_t count) const {
    require_success(MPI_Reduce(rank() == 0 ? MPI_IN_PLACE : numbers, numbers, int(count), MPI_DOUBLE, MPI_SUM, 0, communicator()),
                    "MPI_Reduce");
    broadcast(numbers, count * index_t(sizeof(double)), 0);
  }
  void broadcast(void* memory, index_t bytes, index_t from) const {
    auto* const at = static_cast<std::byte*>(memory);
    for_each_message(bytes, [&](index_t first, int size) {
      require_success(MPI_Bcast(at + first, size, MPI_BYTE, int(from), communicator()), "MPI_Bcast");
    });
  }

 private:
  static constexpr index_t most_bytes = index_t(1) << 30;

  template <class Message>
  static void for_each_message(index_t bytes, Message one) {
    for (index_t first = 0; first < bytes; first += most_bytes) one(first, int(std::min(bytes - first, most_bytes)));
  }

  struct state {
    MPI_Comm duplicate = MPI_COMM_NULL;
    index_t bytes_sent = 0;

    ~state() {
      int finalised = 0;
      MPI_Finalized(&finalised);
      if (finalised == 0 && duplicate != MPI_COMM_NULL) MPI_Comm_free(&duplicate);
    }
  };

  std::shared_ptr<state> shared_;
  index_t rank_ = 0, count_ = 1;
};

// Waits until all of some transfers are done.
inline void wait_for_all(std::vector<MPI_Request>& requests) {
  if (!requests.empty()) require_success(MPI_Waitall(int(requests.size()), requests.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  requests.clear();
}

}  // namespace detail
LONGSPAN_NAMESPACE_END
