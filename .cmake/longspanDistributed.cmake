# Finds MPI, any implementation, for this tree and for the installed package. Where there is none, longspan_distributed_missing says so.
set(longspan_distributed_missing)
if(NOT TARGET MPI::MPI_CXX)
  set(MPI_CXX_SKIP_MPICXX TRUE)  # the interface of C is used
  find_package(MPI QUIET COMPONENTS CXX)
endif()
if(NOT TARGET MPI::MPI_CXX)
  set(longspan_distributed_missing "longspan::distributed needs MPI and found none: install libopenmpi-dev or libmpich-dev. ")
endif()
