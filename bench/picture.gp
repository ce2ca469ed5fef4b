# The share of what the machine can do, by shape and engine: gnuplot -c picture.gp <folder of the data>
load ARG1."/picture-settings.gp"
data(panel) = ARG1."/picture-".panel.".dat"

set terminal svg size 1400,520 dynamic font "sans-serif,14" background "white"
set output picture
set linetype 1 lc rgb "#c8102e"
set linetype 2 lc rgb "#264653"
set linetype 3 lc rgb "#5f8ca3"
set linetype 4 lc rgb "#9fc5d8"
set linetype 5 lc rgb "#5b8c5a"
set linetype 6 lc rgb "#a3c293"
set linetype 7 lc rgb "#e9b44c"
set linetype 8 lc rgb "#8d7b9c"
set linetype 9 lc rgb "#c9b8d4"
set linetype 10 lc rgb "#b5895b"
set style fill solid noborder
set boxwidth 0.9 * width
set style arrow 1 nohead lc rgb "black" lw 2.5
set style data boxes

set yrange [0:100]
set border 1 lc rgb "#888888"
set grid y lc rgb "#dddddd" lt 1
set xtics scale 0 textcolor rgb "black"
set ytics 20 format "%.0f %%" scale 0
set tmargin at screen 0.79
set bmargin at screen 0.215
unset key

# A panel has a bar for each engine, and a mark across those of which a share is wanted. In all panels bars are as wide.
set multiplot
set label 1 "Attention in single precision on one thread: share of the multiply-add peak, when decoding of the read bandwidth" \
  at screen 0.5,0.95 center font ",18"
set label 2 machine at screen 0.5,0.89 center textcolor rgb "#555555"
array titles[3] = ["8 heads, causal", "8 heads, no mask", "decoding, 32 heads on 8"]
array lefts[3] = [0.045, 0.44, 0.835]
array rights[3] = [0.425, 0.82, 0.985]
do for [panel = 1:3] {
  groups = panel == 3 ? 2 : 6
  set xrange [-0.6:groups - 0.4]
  set lmargin at screen lefts[panel]
  set rmargin at screen rights[panel]
  set label 3 (panel == 3 ? "d = 128" : "d = 64") at first (panel == 3 ? 0.5 : 1),graph -0.14 center
  if (panel < 3) {
    set label 4 "d = 128" at first 4,graph -0.14 center
    set arrow 1 from 2.5,graph -0.16 to 2.5,graph 1 nohead lc rgb "#bbbbbb"
  }
  set label 5 titles[panel] at graph 0.5,1.045 center font ",15"
  plot for [e = 0:engines - 1] data(panel - 1) index e using 1:(100 * $2) lt e + 1, \
       "" index engines using ($1 - width / 2):(100 * $2):(width):(0) with vectors arrowstyle 1, \
       "" index engines using 3:(NaN):xticlabels(4) with points
  unset label
  unset arrow
  set format y ""
}

# A panel of nothing but the names, as wide as the picture.
unset border
unset tics
unset grid
set lmargin at screen 0
set rmargin at screen 1
set key at screen 0.5,0.05 center horizontal maxrows 2 samplen 1.2 width 1 height 0
plot for [e = 0:engines - 1] data(0) index e using (NaN):(NaN) lt e + 1 title columnheader(1), \
     NaN with lines lc rgb "black" lw 2.5 title "wanted"
unset multiplot
