#!/bin/sh
# A header for Doxygen: the comments before what is declared, which are plain, are documentation, word for word. A specialisation that
# inherits from its own template is one without a base: Doxygen takes it for a circle.
#   sh comments.sh <header>
exec awk '
  function flush(   i) {
    if (count && $0 !~ /^ *$/) {
      print indent "/** @verbatim"
      for (i = 1; i <= count; ++i) print line[i]
      print indent "@endverbatim */"
    }
    count = 0
  }
  /^ *\/\/( |$)/ {
    match($0, /^ */)
    indent = substr($0, 1, RLENGTH)
    line[++count] = substr($0, RLENGTH + 4)
    next
  }
  {
    flush()
    sub(/^struct bias.* : bias<.*> {/, "struct bias<X> {")
    sub(/^struct forgetting.* : forgetting<.*> {/, "struct forgetting<X> {")
    sub(/^struct relative_bias.* : relative_bias<.*> {/, "struct relative_bias<X> {")
    print
  }' "$1"
