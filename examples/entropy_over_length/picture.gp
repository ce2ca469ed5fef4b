# Entropies over the length, ours as lines and the papers' numbers as rings: gnuplot -c picture.gp <table.csv> <picture.svg>
set datafile separator ","
set datafile missing NaN  # rows of other schemes do not cut a line
set terminal svg size 1200,430 dynamic font "sans-serif,13" background "white"
set output ARG2
set logscale x
set format x "10^{%T}"
set grid lc rgb "#dddddd" lt 1
set border 3 lc rgb "#888888"
set tics nomirror
set key top left samplen 2
set yrange [0:*]
colors = "#264653 #e9b44c #c8102e"
ours(what, scheme) = strcol(1) eq what && strcol(2) eq scheme ? column(4) : NaN
papers(what, scheme) = strcol(1) eq what && strcol(2) eq scheme ? column(5) : NaN

set multiplot layout 1,3
set title "Gaussian logits, all keys" font ",15"
set ylabel "entropy, nats"
set xlabel "keys"
plot for [s = 1:3] ARG1 using 3:(ours("entropy", word("none LogN scale-invariant", s))) with linespoints pt 0 lw 2 lc rgb word(colors, s) \
       title word("none LogN scale-invariant", s), \
     for [s = 1:3] "" using 3:(papers("entropy", word("none LogN scale-invariant", s))) with points pt 6 lc rgb word(colors, s) notitle

set title "Keys t to tD back, D = 10" font ",15"
set xlabel "t"
plot for [s = 1:3] ARG1 using 3:(ours("figure 2 D = 10", word("none LogN scale-invariant", s))) with linespoints pt 0 lw 2 \
       lc rgb word(colors, s) title word("none LogN scale-invariant", s), \
     for [s = 1:3] "" using 3:(papers("figure 2 D = 10", word("none LogN scale-invariant", s))) with points pt 6 lc rgb word(colors, s) notitle

set title "Random directions, d = 128, gains 1, 2.88, 5" font ",15"
set xlabel "keys"
gains = "1.00 2.88 5.00"
plot for [g = 1:3] for [s = 1:3] ARG1 using 3:(ours("gain ".word(gains, g), word("none LogN InfoScale", s))) with linespoints pt 0 lw 2 \
       lc rgb word(colors, s) title (g == 1 ? word("none LogN InfoScale", s) : ""), \
     for [g = 1:3] for [s = 1:3] "" using 3:(papers("gain ".word(gains, g), word("none LogN InfoScale", s))) with points pt 6 \
       lc rgb word(colors, s) notitle
unset multiplot
