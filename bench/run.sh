#!/bin/sh
# Measures everything that longspan promises of its speed, from a bare Debian 12 on.
set -eu
exec </dev/null

usage() {
  cat <<'END'
Usage: sh bench/run.sh [--peers] [--quick]
Installs what is missing (Debian, as root or with sudo), builds in build/bench-*, measures for some minutes, prints what is wanted
beside what is measured, and writes both with a picture to a folder of bench/results that is named by the kind of machine. Leave the
machine alone meanwhile.
  --peers   compare with Eigen, OpenBLAS, oneDNN, PyTorch, zentorch, ONNX Runtime and OpenVINO too. Installs the last four from PyPI
            (5 GB) into build/bench-python, unless LONGSPAN_PYTHON in the environment names a Python that has what is wanted of them
  --quick   short runs without the half minute at 131072 tokens, to see that everything works; results go to build/bench-results
  --help    this text
END
}

root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P)
peers=no seconds=0.5 skip='^$' results=$root/bench/results
for option in "$@"; do
  case $option in
    --peers) peers=yes ;;
    --quick) seconds=0.01 skip=memory/causal results=$root/build/bench-results ;;
    --help) usage; exit 0 ;;
    *) echo "Unknown option: $option" >&2; usage >&2; exit 2 ;;
  esac
done

. "$root/.cmake/build.sh"
export PYTHONDONTWRITEBYTECODE=1
measured=$root/build/bench-measured
rm -rf "$measured"
mkdir -p "$measured" "$results"

# build <name> "<program>..." <option>...
build() {
  name=$1
  programs=$2
  shift 2
  configure "$root/build/bench-$name" -DCMAKE_BUILD_TYPE=Release -DLONGSPAN_BUILD_TESTS=OFF -DLONGSPAN_BUILD_EXAMPLES=OFF "$@"
  cmake --build "$root/build/bench-$name" -j "$(cores)" --target $(printf 'bench_%s ' $programs)
}

# measure <name> "<program>...": what a processor cannot run is missing from the table.
measure() {
  for program in $2; do
    echo "Measuring: $program, $1"
    "$root/build/bench-$1/bench/bench_$program" --benchmark_min_time="$seconds" --benchmark_filter="-$skip" \
      --benchmark_out="$measured/$1-$program.json" --benchmark_out_format=json >"$measured/$1-$program.txt" ||
      { echo "Skipped: $program, $1" && rm -f "$measured/$1-$program.json"; }
  done
}

# The table is alone on the standard output.
{
  install_packages g++ clang cmake ninja-build libeigen3-dev libxsimd-dev libbenchmark-dev python3 gnuplot-nox
  all="roofline forward shapes layouts decode cache transform threads lengths texts masks biases skipping memory backward"
  build native "$all"
  build clang forward -DCMAKE_CXX_COMPILER="${LONGSPAN_CLANG:-clang++}"
  measure native "$all"
  measure clang forward
  if [ "$(uname -m)" = x86_64 ]; then
    build v3 "forward shapes layouts decode cache backward" -DLONGSPAN_NATIVE=OFF -DCMAKE_CXX_FLAGS=-march=x86-64-v3
    build baseline forward -DLONGSPAN_NATIVE=OFF -DCMAKE_CXX_FLAGS=-march=x86-64
    measure v3 "forward shapes layouts decode cache backward"
    measure baseline forward
  fi

  if [ "$peers" = yes ]; then
    install_packages libopenblas-dev libdnnl-dev python3-venv python3-dev
    python=${LONGSPAN_PYTHON:-$root/build/bench-python/bin/python}
    if [ -z "${LONGSPAN_PYTHON:-}" ]; then
      python3 -m venv "$root/build/bench-python"
      # zentorch works with one minor version of PyTorch, and does not tell pip.
      "$python" -m pip install --quiet --no-deps zentorch || echo "Missing: zentorch"
      torch=$("$python" -m pip show zentorch 2>/dev/null | sed -n 's/^Version: \([0-9]*\.[0-9]*\).*/torch==\1.*/p')
      for package in numpy "${torch:-torch}" zentorch onnx onnxruntime openvino; do
        "$python" -m pip install --quiet "$package" || echo "Missing: $package"
      done
    fi
    # Where the wheel lies, without loading it; nothing where there is none.
    torch=$("$python" -c '
import importlib.util
wheel = importlib.util.find_spec("torch")
print(wheel.submodule_search_locations[0] if wheel else "")')
    # A processor chosen by hand for some older OpenBLAS would slow down every newer one.
    unset OPENBLAS_CORETYPE
    build native peers -DLONGSPAN_TORCH="$torch"
    measure native peers
    "$python" "$root/bench/peers.py" "$root/build/bench-native/bench/bench_roofline" "$measured/python-peers.json" "$seconds" ||
      echo "Skipped: the peers of PyPI"
  fi
} >&2

python3 "$root/bench/table.py" "$measured" "$results"
gnuplot -c "$root/bench/picture.gp" "$measured"
echo "Written: $results" >&2
