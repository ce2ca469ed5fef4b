# The share of right answers over the length: gnuplot -c picture.gp <table.csv> <picture.svg>
call system("dirname '".ARG0."'")."/../model/by_length.gp" ARG1 ARG2 \
  "The number of X, asked at lengths that were never trained" "share of right answers" "context in bytes"
