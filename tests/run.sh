#!/bin/sh
# Builds and runs every test, from a bare Debian 12 on.
set -eu
exec </dev/null

usage() {
  cat <<'END'
Usage: sh tests/run.sh [--quick] [--long]
Installs what is missing (Debian, as root or with sudo), builds in build/ and runs the tests.
  --quick   for this machine's processor only, without the sanitizers
  --long    the tests that take minutes, and every benchmark once, as well
  --help    this text
LONGSPAN_WERROR=ON in the environment makes warnings errors.
END
}

# AVX2 comes under the sanitizers.
variants='native;baseline;scalar'
sanitize=yes
without='^long$'
for option in "$@"; do
  case $option in
    --quick) variants=native sanitize=no ;;
    --long) without='^$' ;;
    --help) usage; exit 0 ;;
    *) echo "Unknown option: $option" >&2; usage >&2; exit 2 ;;
  esac
done

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/.cmake/build.sh"
install_packages g++ clang cmake ninja-build libeigen3-dev libxsimd-dev libgtest-dev libbenchmark-dev libcli11-dev

# build_and_test <folder> <option>...
build_and_test() {
  configure "$@" -DLONGSPAN_WERROR="${LONGSPAN_WERROR:-OFF}"
  cmake --build "$1" -j "$(cores)"
  ctest --test-dir "$1" -j "$(cores)" -LE "$without" --output-on-failure --no-tests=error
}

build_and_test "$root/build/tests" -DCMAKE_BUILD_TYPE=Release -DLONGSPAN_TEST_VARIANTS="$variants"
if [ "$sanitize" = yes ]; then
  build_and_test "$root/build/sanitize" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-g1 -DLONGSPAN_SANITIZE=ON \
    -DLONGSPAN_TEST_VARIANTS=v3 -DLONGSPAN_BUILD_BENCH=OFF -DLONGSPAN_BUILD_EXAMPLES=OFF
fi
echo "All tests pass."
