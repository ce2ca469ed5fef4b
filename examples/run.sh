#!/bin/sh
# Builds one of the larger examples for this machine's processor, runs it and draws what it measured.
set -eu

usage() {
  cat <<'END'
Usage: sh examples/run.sh [<example> [<argument>...]]
  pretrained             a model that others trained, SmolLM2, beyond the length that it was trained at (the default)
  length_extrapolation   language models trained at 128 bytes, measured at up to 8192
  needle                 retrieval at lengths that were never trained
  entropy_over_length    the entropy of attention, beside the papers' figures
  cos_scale_window       the window that CosScale makes
sh examples/run.sh <example> --help tells its arguments. Installs what is missing (Debian, as root or with sudo). Tables, pictures and
checkpoints go to build/results/<example>, or to the folder that LONGSPAN_RESULTS in the environment names.
END
}

example=${1:-pretrained}
case $example in
  pretrained | length_extrapolation | needle | entropy_over_length | cos_scale_window) [ $# -eq 0 ] || shift ;;
  --help) usage; exit 0 ;;
  *) echo "No such example: $example" >&2; usage >&2; exit 2 ;;
esac

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
. "$root/.cmake/build.sh"
packages="g++ cmake ninja-build libeigen3-dev libxsimd-dev libcli11-dev libbenchmark-dev gnuplot-nox"
[ "$example" != length_extrapolation ] || packages="$packages libvulkan-dev"
if [ "$example" = pretrained ]; then
  . "$root/examples/pretrained/run.sh"
  packages="$packages nlohmann-json3-dev python3-venv"
  [ -n "${LONGSPAN_TEXT:-}" ] || packages="$packages r-cran-janeaustenr"
fi
LONGSPAN_RESULTS=${LONGSPAN_RESULTS:-$root/build/results/$example}
export LONGSPAN_RESULTS
mkdir -p "$LONGSPAN_RESULTS"
# What the program prints is alone on the standard output.
{
  install_packages $packages
  configure "$root/build/examples" -DCMAKE_BUILD_TYPE=Release -DLONGSPAN_BUILD_TESTS=OFF -DLONGSPAN_BUILD_BENCH=OFF
  cmake --build "$root/build/examples" --target "$example" -j "$(cores)"
} >&2
# Layers pass matrices on to each other: where malloc keeps their memory (glibc), a training runs a fifth faster, without page faults.
export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296
began=$(mktemp)
trap 'rm -f "$began"' EXIT
status=0
if [ "$example" = pretrained ]; then
  run_pretrained "$@" || status=$?
else
  "$root/build/examples/examples/$example" "$@" || status=$?
fi
if [ -n "$(find "$LONGSPAN_RESULTS/$example.csv" -newer "$began" 2>/dev/null)" ]; then
  gnuplot -c "$root/examples/$example/picture.gp" "$LONGSPAN_RESULTS/$example.csv" "$LONGSPAN_RESULTS/$example.svg"
  echo "Written: $LONGSPAN_RESULTS/$example.csv and .svg" >&2
fi
exit $status
