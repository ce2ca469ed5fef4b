#!/bin/sh
# Builds examples/next_byte for this machine's processor and runs it with the arguments given: sh examples/run.sh --help
set -eu

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/.cmake/build.sh"
# What the program prints is alone on the standard output.
{
  install_packages g++ cmake ninja-build libeigen3-dev libxsimd-dev
  configure "$root/build/examples" -DCMAKE_BUILD_TYPE=Release -DLONGSPAN_BUILD_TESTS=OFF -DLONGSPAN_BUILD_BENCH=OFF
  cmake --build "$root/build/examples" --target next_byte -j "$(cores)"
} >&2
exec "$root/build/examples/examples/next_byte" "$@"
