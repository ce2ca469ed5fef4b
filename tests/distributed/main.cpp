#include <iostream>
#include <string>

#include <gtest/gtest.h>
#include <mpi.h>

std::string words_of_a_ring_outside_of_mpi();

// Every rank runs every test, in the same order. Of the others than the first only failures are printed.
int main(int argc, char** argv) {
  const std::string before = words_of_a_ring_outside_of_mpi();
  int provided = 0, rank = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
  testing::InitGoogleTest(&argc, argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank != 0) testing::GTEST_FLAG(brief) = true;
  const int failed = RUN_ALL_TESTS();
  MPI_Finalize();
  const std::string behind = words_of_a_ring_outside_of_mpi();
  if (before == "ring: MPI is not initialised: call MPI_Init" && behind == "ring: MPI was finalised") return failed;
  std::cerr << "Before MPI_Init: " << before << ". Behind MPI_Finalize: " << behind << '\n';
  return 1;
}
