# The weight within a window, and the mean distance attended to, over the scale: gnuplot -c picture.gp <table.csv> <picture.svg>
set datafile separator ","
set terminal svg size 900,420 dynamic font "sans-serif,14" background "white"
set output ARG2
set title "CosScale: cosine attention with RoPE becomes a window" font ",17"
set xlabel "scale S"
set ylabel "share of the weight"
set y2label "tokens"
set logscale x 2
set logscale y2
set yrange [0:1]
set y2tics
set ytics nomirror
set grid lc rgb "#dddddd" lt 1
set border 11 lc rgb "#888888"
set key outside right top samplen 2
plot for [c = 2:4] ARG1 using 1:c with linespoints lw 2 pt 7 ps 0.5 lc rgb word("#264653 #5f8ca3 #a3c293", c - 1) title columnheader(c), \
     ARG1 using 1:5 axes x1y2 with linespoints lw 2 pt 7 ps 0.5 dt 2 lc rgb "#c8102e" title columnheader(5)
