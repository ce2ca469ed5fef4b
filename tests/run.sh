#!/bin/sh
# Builds and runs every test, from a bare Debian 12 on.
set -eu
exec </dev/null

usage() {
  cat <<'END'
Usage: sh tests/run.sh [--quick] [--long]
       sh tests/run.sh --format
Installs what is missing (Debian, as root or with sudo), builds in build/ and runs the tests.
  --quick   for this machine's processor only, without the sanitizers, but with the sweeps and examples that take minutes to compile
  --long    these sweeps, the tests that take minutes, and every benchmark once, as well
  --format  no tests: whether clang-format 19 would leave every source as it is (git and clang-format-19)
  --help    this text
LONGSPAN_WERROR=ON in the environment makes warnings errors.
END
}

# AVX2 comes under the sanitizers.
variants='native;baseline;scalar'
sanitize=yes
without='^long$'
sweeps=OFF
optimisation=-O0  # of examples and programs of users: they compile in a third of the time
format=no
for option in "$@"; do
  case $option in
    --quick) variants=native sanitize=no sweeps=ON optimisation=-O2 ;;
    --long) without='^$' sweeps=ON optimisation=-O2 ;;
    --format) format=yes ;;
    --help) usage; exit 0 ;;
    *) echo "Unknown option: $option" >&2; usage >&2; exit 2 ;;
  esac
done

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/.cmake/build.sh"

# The style is in .clang-format; the one in tests/usage turns it off there. Other versions of clang-format disagree with 19 here and there.
if [ "$format" = yes ]; then
  install_packages git clang-format-19
  cd "$root"
  files=$(git ls-files -- '*.cpp' '*.hpp')
  if ! clang-format-19 --dry-run -Werror $files; then
    echo "Let it mend them: clang-format-19 -i \$(git ls-files '*.cpp' '*.hpp')" >&2
    exit 1
  fi
  echo "Every source is formatted."
  exit 0
fi

install_packages g++ clang cmake ninja-build libeigen3-dev libxsimd-dev libgtest-dev libbenchmark-dev libcli11-dev nlohmann-json3-dev universal-ctags libopenmpi-dev openmpi-bin

# build_and_test <folder> <option>...
build_and_test() {
  configure "$@" -DLONGSPAN_WERROR="${LONGSPAN_WERROR:-OFF}"
  cmake --build "$1" -j "$(cores)"
  ctest --test-dir "$1" -j "$(cores)" -LE "$without" --output-on-failure --no-tests=error
}

build_and_test "$root/build/tests" -DCMAKE_BUILD_TYPE=Release -DLONGSPAN_TEST_VARIANTS="$variants" \
  -DLONGSPAN_TEST_SWEEPS="$sweeps" -DLONGSPAN_BUILD_BENCH="$sweeps" -DLONGSPAN_BUILD_STUDIES="$sweeps" \
  -DLONGSPAN_OPTIMISATION="$optimisation"
if [ "$sanitize" = yes ]; then
  build_and_test "$root/build/sanitize" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DLONGSPAN_SANITIZE=ON \
    -DLONGSPAN_TEST_VARIANTS=v3 -DLONGSPAN_TEST_SWEEPS="$sweeps" -DLONGSPAN_BUILD_BENCH=OFF -DLONGSPAN_BUILD_EXAMPLES=OFF
fi
echo "All tests pass."
