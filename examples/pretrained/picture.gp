# Loss over the position, from the table of `pretrained perplexity`: gnuplot -c picture.gp <table.csv> <picture.svg>
linear = 1
set xtics 4096
set yrange [:7]
set arrow from 8192, graph 0 to 8192, graph 1 nohead lc rgb "#888888" dt 2
call system("dirname '".ARG0."'")."/../model/by_length.gp" ARG1 ARG2 \
  "SmolLM2-135M, trained at 8192 tokens" "nats per token" "tokens read"
