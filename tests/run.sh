#!/bin/sh
# Builds and runs every test, from a bare Debian 12 on.
set -eu
exec </dev/null

usage() {
  cat <<'END'
Usage: sh tests/run.sh [--quick] [--long]
       sh tests/run.sh --format | --threads | --foreign
Installs what is missing (Debian, as root or with sudo), builds in build/ and runs the tests.
  --quick   for this machine's processor only, by one compiler, without the sanitizers, but with the sweeps and examples that take minutes to compile
  --long    these sweeps, the tests that take minutes, and every benchmark once, as well
  --format  no tests: whether clang-format 19 would leave every source as it is and codespell finds no misspelling
  --threads no tests but those that start threads, and calls drawn from a seed, by clang under the sanitizer of threads
  --foreign no tests for this machine's processor: those for 64-bit ARM, and a part of them for RISC-V, run by QEMU
  --help    this text
LONGSPAN_WERROR=ON in the environment makes warnings errors.
END
}

quick=no
without='^long$'
sweeps=OFF
optimisation=-O0  # of examples and programs of users: they compile in a third of the time
format=no
threads=no
foreign=no
for option in "$@"; do
  case $option in
    --quick) quick=yes sweeps=ON optimisation=-O2 ;;
    --long) without='^$' sweeps=ON optimisation=-O2 ;;
    --format) format=yes ;;
    --threads) threads=yes ;;
    --foreign) foreign=yes ;;
    --help) usage; exit 0 ;;
    *) echo "Unknown option: $option" >&2; usage >&2; exit 2 ;;
  esac
done

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/.cmake/build.sh"

# The style is in .clang-format; the one in tests/usage turns it off there. Other versions of clang-format disagree with 19 here and there.
if [ "$format" = yes ]; then
  install_packages git clang-format-19 codespell
  cd "$root"
  files=$(git ls-files -- '*.cpp' '*.hpp')
  if ! clang-format-19 --dry-run -Werror $files; then
    echo "Let it mend them: clang-format-19 -i \$(git ls-files '*.cpp' '*.hpp')" >&2
    exit 1
  fi
  codespell $(git ls-files)  # .codespellrc has the words that it does not know
  echo "Every source is formatted, and every word spelt."
  exit 0
fi

install_packages g++ clang clang-tidy libclang-rt-dev cmake ninja-build libeigen3-dev libxsimd-dev libgtest-dev libbenchmark-dev libcli11-dev nlohmann-json3-dev universal-ctags libopenmpi-dev openmpi-bin

# build_and_test <folder> <option>...
build_and_test() {
  configure "$@" -DLONGSPAN_WERROR="${LONGSPAN_WERROR:-OFF}"
  cmake --build "$1" -j "$(cores)"
  ctest --test-dir "$1" -j "$(cores)" -LE "$without" --output-on-failure --no-tests=error
}

# build_and_test_for <triple> <sets of tests> <regular expression: their files>: for another processor, and run by QEMU.
build_and_test_for() {
  triple=$1 sets=$2 files=$3 folder=$root/build/$1
  install_packages "g++-$triple" qemu-user googletest
  # g++ notes what its version 10 changed in passing pairs of doubles.
  set -- -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS=-Wno-psabi -DCMAKE_SYSTEM_NAME=Linux "-DCMAKE_SYSTEM_PROCESSOR=${triple%%-*}" "-DCMAKE_CXX_COMPILER=$triple-g++"
  if [ ! -e "$folder/installed" ]; then  # GoogleTest, as Debian has its sources
    cmake -S /usr/src/googletest -B "$folder/googletest" "$@" -DCMAKE_BUILD_TYPE=Debug -DBUILD_GMOCK=OFF -DCMAKE_INSTALL_LIBDIR=lib
    cmake --build "$folder/googletest" -j "$(cores)"
    cmake --install "$folder/googletest" --prefix "$folder/installed"
  fi
  build_and_test "$folder/tests" "$@" "-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-${triple%%-*};-L;/usr/$triple" \
    "-DGTest_DIR=$folder/installed/lib/cmake/GTest" "-Dxsimd_DIR=$(dirname "$(dpkg -L libxsimd-dev | grep /xsimdConfig.cmake)")" \
    -DLONGSPAN_TEST_VARIANTS=baseline -DLONGSPAN_TEST_SETS="$sets" -DLONGSPAN_TEST_FILES="$files" -DLONGSPAN_TEST_SWEEPS=OFF \
    -DLONGSPAN_DISTRIBUTED=OFF -DLONGSPAN_BUILD_BENCH=OFF -DLONGSPAN_BUILD_EXAMPLES=OFF
}

if [ "$foreign" = yes ]; then
  build_and_test_for aarch64-linux-gnu 'processor;memory;rest' .
  build_and_test_for riscv64-linux-gnu processor .
  echo "All tests pass."
  exit 0
fi

# by_clang_under <sanitizers> <folder> <sets of tests>
by_clang_under() {
  build_and_test "$2" -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DLONGSPAN_SANITIZE="$1" \
    -DLONGSPAN_TEST_VARIANTS=v3 -DLONGSPAN_TEST_SETS="$3" -DLONGSPAN_TEST_SWEEPS="$sweeps" \
    -DLONGSPAN_BUILD_BENCH=OFF -DLONGSPAN_BUILD_EXAMPLES=OFF
}

if [ "$threads" = yes ]; then
  by_clang_under thread "$root/build/threads" 'processor;computing;memory;rest'
  echo "All tests pass."
  exit 0
fi

# with_examples <folder> <option>...
with_examples() {
  build_and_test "$@" -DCMAKE_BUILD_TYPE=Release -DLONGSPAN_TEST_SWEEPS="$sweeps" -DLONGSPAN_BUILD_STUDIES="$sweeps" \
    -DLONGSPAN_OPTIMISATION="$optimisation"
}

if [ "$quick" = yes ]; then
  with_examples "$root/build/quick" -DLONGSPAN_TEST_VARIANTS=native -DLONGSPAN_TEST_ONCE=native
else
  # Each compiler does what it does best: g++, with which most users compile, what depends on the processor, optimised; clang, which takes
  # half the time where nothing is optimised, all else.
  build_and_test "$root/build/tests" -DCMAKE_BUILD_TYPE=Release -DLONGSPAN_TEST_VARIANTS=native \
    -DLONGSPAN_TEST_SETS='processor;computing' -DLONGSPAN_TEST_SWEEPS="$sweeps" -DLONGSPAN_BUILD_BENCH="$sweeps" \
    -DLONGSPAN_BUILD_EXAMPLES=OFF -DLONGSPAN_DISTRIBUTED=OFF
  with_examples "$root/build/clang" -DCMAKE_CXX_COMPILER=clang++ -DLONGSPAN_TEST_VARIANTS='baseline;scalar' \
    -DLONGSPAN_TEST_SETS='processor;rest;programs' -DLONGSPAN_BUILD_BENCH=OFF
  by_clang_under ON "$root/build/sanitize" 'processor;memory'
  build_and_test_for aarch64-linux-gnu processor '^tile/'
fi
echo "All tests pass."
