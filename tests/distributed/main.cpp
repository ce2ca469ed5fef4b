#include <gtest/gtest.h>
#include <mpi.h>

// Every rank runs every test, in the same order. Of the others than the first only failures are printed.
int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (rank != 0) testing::GTEST_FLAG(brief) = true;
  const int failed = RUN_ALL_TESTS();
  MPI_Finalize();
  return failed;
}
