#!/bin/sh
# What a unit costs to compile, in seconds of the processor: the table of compile_cost.md.
#   sh examples/guide/compile_cost.sh [compiler and options]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
[ $# -gt 0 ] || set -- g++ -O2 -march=native
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# measure <what it is> <header> <body of a function of tensors q and out> <compiler>...
measure() {
  what=$1 header=$2 body=$3
  shift 3
  cat >"$folder/unit.cpp" <<END
#include <longspan/$header>
using namespace longspan;
using Tensor = Eigen::Tensor<float, 4, Eigen::RowMajor>;
void f(const Tensor& q, Tensor& out) {
  (void)q, (void)out;
  $body
}
END
  start=$(awk '{print $16}' /proc/$$/stat)
  "$@" -std=c++20 -w -I"$root/include" -isystem /usr/include/eigen3 -c "$folder/unit.cpp" -o "$folder/unit.o"
  end=$(awk '{print $16}' /proc/$$/stat)
  awk -v what="$what" -v ticks=$((end - start)) -v rate="$(getconf CLK_TCK)" 'BEGIN {printf "| %s | %.1f |\n", what, ticks / rate}'
}

rope='const auto m = rope{} | dot_product{} | causal{};'
measure 'any_mechanism.hpp' any_mechanism.hpp '' "$@"
measure 'longspan.hpp' longspan.hpp '' "$@"
measure '`forward`, `dot_product{} \| causal{}`' longspan.hpp 'out = forward(dot_product{} | causal{}, q, q, q).output;' "$@"
measure '`forward`, `rope{} \| dot_product{} \| causal{}`' longspan.hpp "$rope out = forward(m, q, q, q).output;" "$@"
measure '`forward`, `p_rope{} \| dot_product{} \| scale_invariant{} \| softcap{20} \| sliding_window{.before = 99} \| causal{}`' longspan.hpp \
  'out = forward(p_rope{} | dot_product{} | scale_invariant{} | softcap{20} | sliding_window{.before = 99} | causal{}, q, q, q).output;' "$@"
measure '`forward` and `backward`, rope' longspan.hpp "$rope const auto kept = forward(m, q, q, q); out = backward(m, q, q, q, kept, q).d_query;" "$@"
measure '`forward` over a `kv_cache<float>`, rope' longspan.hpp \
  "$rope kv_cache<float> cache(m, {.key_heads = 8, .channels = 64, .value_channels = 64}); cache.append(q, q); out = forward(m, q, cache).output;" "$@"
measure '`make_any<float>`, rope: all of these' longspan.hpp "$rope static const auto any = make_any<float>(m);" "$@"
