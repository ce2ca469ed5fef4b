# The loss over the length: gnuplot -c picture.gp <table.csv> <picture.svg>
call system("dirname '".ARG0."'")."/../model/by_length.gp" ARG1 ARG2 \
  "Trained at the first length, measured at the others" "loss, nats per byte" "context in bytes"
