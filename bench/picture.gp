# The share of the multiply-add peak by shape and engine: gnuplot -c picture.gp <folder of the data> <picture.svg>
load ARG1."/picture-settings.gp"
data(mask) = ARG1."/picture-".mask.".dat"

set terminal svg size 1200,500 dynamic font "sans-serif,14" background "white"
set output ARG2
set linetype 1 lc rgb "#c8102e"
set linetype 2 lc rgb "#264653"
set linetype 3 lc rgb "#5f8ca3"
set linetype 4 lc rgb "#5b8c5a"
set linetype 5 lc rgb "#a3c293"
set linetype 6 lc rgb "#e9b44c"
set linetype 7 lc rgb "#8d7b9c"
set linetype 8 lc rgb "#c9b8d4"
set style fill solid noborder
set boxwidth 0.9 * width
set style arrow 1 nohead lc rgb "black" lw 2.5
set style data boxes

set xrange [-0.6:5.6]
set yrange [0:100]
set border 1 lc rgb "#888888"
set grid y lc rgb "#dddddd" lt 1
set xtics scale 0 textcolor rgb "black"
set ytics 20 format "%.0f %%" scale 0
set tmargin at screen 0.79
set bmargin at screen 0.215
unset key

# One panel: a bar for each engine, and a mark across those of which a share is wanted.
set multiplot
set label 1 "Attention in single precision on one thread: share of the multiply-add peak" at screen 0.5,0.95 center font ",18"
set label 2 machine at screen 0.5,0.89 center textcolor rgb "#555555"
set label 3 "d = 64" at first 1,graph -0.14 center
set label 4 "d = 128" at first 4,graph -0.14 center
set arrow 1 from 2.5,graph -0.16 to 2.5,graph 1 nohead lc rgb "#bbbbbb"
do for [mask in "causal full"] {
  left = mask eq "causal" ? 0.05 : 0.53
  set lmargin at screen left
  set rmargin at screen left + 0.46
  set label 5 (mask eq "causal" ? "causal" : "no mask") at graph 0.5,1.045 center font ",15"
  plot for [e = 0:engines - 1] data(mask) index e using 1:(100 * $2) lt e + 1, \
       "" index engines using ($1 - width / 2):(100 * $2):(width):(0) with vectors arrowstyle 1, \
       "" index engines using 3:(NaN):xticlabels(4) with points
  unset label 1
  unset label 2
  set format y ""
}

# A panel of nothing but the names, as wide as the picture.
unset label
unset arrow
unset border
unset tics
unset grid
set lmargin at screen 0
set rmargin at screen 1
set key at screen 0.5,0.05 center horizontal maxrows 1 samplen 1.2 width 1 height 0
plot for [e = 0:engines - 1] data("causal") index e using (NaN):(NaN) lt e + 1 title columnheader(1), \
     NaN with lines lc rgb "black" lw 2.5 title "wanted"
unset multiplot
