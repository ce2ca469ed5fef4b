# The loss over the length: gnuplot -c picture.gp <table.csv> <picture.svg>
call ARG0[:strstrt(ARG0, "length_extrapolation/picture.gp") - 1]."model/by_length.gp" ARG1 ARG2 \
  "Trained at the first length, measured at the others" "loss, nats per byte"
