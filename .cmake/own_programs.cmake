# What our own tests, benchmarks and examples are built with; no user of the library sees any of it.
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)
find_package(Threads REQUIRED)
# Eigen's thread pool exchanges atomics of one byte, for which g++ 12 on RISC-V needs a library.
check_cxx_source_compiles("#include <atomic>
  int main() { return std::atomic<bool>().exchange(true); }" longspan_exchanges_bytes)

set(longspan_native_flags)
if(LONGSPAN_NATIVE)
  check_cxx_compiler_flag(-march=native longspan_takes_march_native)
  if(longspan_takes_march_native)
    set(longspan_native_flags -march=native)
  endif()
endif()

# The second compiler that every program in tests/usage and every sentence in tests/forbidden is tried with: clang++ beside g++, and g++
# beside clang++.
find_program(LONGSPAN_CLANG NAMES clang++ clang++-14 clang++-15 clang++-16 clang++-17 clang++-18 clang++-19)
find_program(LONGSPAN_GCC NAMES g++)
set(longspan_second_compiler)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang AND LONGSPAN_GCC)
  set(longspan_second_compiler ${LONGSPAN_GCC})
elseif(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND LONGSPAN_CLANG)
  set(longspan_second_compiler ${LONGSPAN_CLANG})
endif()

set(longspan_warnings -Wall -Wextra -Wconversion -Wshadow $<$<BOOL:${LONGSPAN_WERROR}>:-Werror>)

# longspan_own_program(<target> <option>...): links the library, and compiles with warnings and the options.
function(longspan_own_program target)
  target_link_libraries(${target} PRIVATE longspan::longspan Threads::Threads $<$<NOT:$<BOOL:${longspan_exchanges_bytes}>>:atomic>)
  target_compile_options(${target} PRIVATE ${longspan_warnings} ${ARGN})
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  if(LONGSPAN_SANITIZE)
    # The checks of every pointer but for its alignment cost a sixth of the time to compile, and the address sanitizer stops at what most
    # of them would find.
    set(sanitizers -fsanitize=address,undefined -fno-sanitize=null,object-size,vptr,nonnull-attribute,returns-nonnull-attribute,pointer-overflow
        -fno-sanitize-recover=all)
    if(LONGSPAN_SANITIZE STREQUAL "thread")
      set(sanitizers -fsanitize=thread)
    endif()
    # Kernels with checks compile six times as long at -O1 as at -O0, at which they still run fast enough.
    # g++ documents that its warnings are less reliable with sanitizers: they are not errors here. clang compiles this build in less time.
    target_compile_options(${target} PRIVATE ${sanitizers} -O$<IF:$<CONFIG:Debug>,0,1> -fno-omit-frame-pointer
                           $<$<CXX_COMPILER_ID:GNU>:-Wno-error>)
    target_compile_definitions(${target} PRIVATE _GLIBCXX_ASSERTIONS)
    target_link_options(${target} PRIVATE ${sanitizers})
  endif()
endfunction()

# longspan_test_over_ranks(<name> <target> <ranks> <argument>...): runs a program as so many ranks of MPI on this machine. More ranks than
# cores take turns. Open MPI refuses that, and root, unless it is told; other implementations do not look.
function(longspan_test_over_ranks name target ranks)
  add_test(NAME ${name}.over_${ranks}
           COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} ${MPIEXEC_PREFLAGS} $<TARGET_FILE:${target}> ${MPIEXEC_POSTFLAGS} ${ARGN})
  set_tests_properties(${name}.over_${ranks} PROPERTIES TIMEOUT 300 PROCESSORS 2 ENVIRONMENT
    "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1;OMPI_MCA_mpi_yield_when_idle=1")
endfunction()
