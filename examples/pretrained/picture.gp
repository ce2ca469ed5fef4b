# Loss over the position, from the table of `pretrained perplexity`: call with the CSV and the SVG.
set datafile separator ","
set terminal svg size 1000,560 dynamic font "sans-serif,14" background "white" noenhanced
set output ARG2
set title "SmolLM2-135M, trained at 8192 tokens, reads a novel" font ",17"
set ylabel "nats per token"
set xlabel "tokens read"
set yrange [2.5:6]
set arrow from 8192, graph 0 to 8192, graph 1 nohead lc rgb "#888888" dt 2
set grid lc rgb "#dddddd" lt 1
set border 3 lc rgb "#888888"
set tics nomirror
set key outside right top samplen 2 font ",12"
stats ARG1 skip 1 nooutput
columns = STATS_columns
colors = "#264653 #e9b44c #2a9d8f #c8102e #5b8c5a #8d7b9c #5f8ca3 #b5651d #7a7a7a"
do for [i = 1:27] {
  eval sprintf("set linetype %d lw 2 pt 7 ps 0.4 dt %d lc rgb '%s'", i, word("1 2 4", (i - 1) / 9 + 1) + 0, word(colors, (i - 1) % 9 + 1))
}
plot for [c = 2:columns:2] ARG1 using 1:c with linespoints lt c / 2 title columnheader(c)
