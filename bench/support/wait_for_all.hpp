#pragma once

#include <chrono>
#include <thread>

#include <mpi.h>

// A barrier at which ranks sleep: those that wait in MPI turn on their cores.
inline void wait_for_all() {
  MPI_Request request;
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  for (int done = 0; done == 0; std::this_thread::sleep_for(std::chrono::milliseconds(1)))
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
}
