# Lines over the length, from a table that model::by_length wrote: call with the CSV, the SVG, a title and what the axes are.
set datafile separator ","
set terminal svg size 1000,560 dynamic font "sans-serif,14" background "white" noenhanced
set output ARG2
set title ARG3 font ",17"
set ylabel ARG4
set xlabel ARG5
if (!exists("linear")) set logscale x 2
set grid lc rgb "#dddddd" lt 1
set border 3 lc rgb "#888888"
set tics nomirror
set key outside right top samplen 2 font ",12"
stats ARG1 skip 1 nooutput
columns = STATS_columns
colors = "#264653 #5f8ca3 #8d7b9c #5b8c5a #e9b44c #c8102e #b5651d #7a7a7a #2a9d8f"
do for [i = 1:36] {
  eval sprintf("set linetype %d lw 2 pt 7 ps 0.4 dt %d lc rgb '%s'", i, word("1 2 4 3", (i - 1) / 9 + 1) + 0, word(colors, (i - 1) % 9 + 1))
}
plot for [c = 2:columns:2] ARG1 using 1:c:c + 1 with yerrorlines lt c / 2 title columnheader(c)
