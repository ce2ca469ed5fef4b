#!/bin/sh
# Tokens read and written a second beside llama.cpp, on the same weights of SmolLM2-135M in float and bfloat16: 2048 tokens read, and 32
# written behind 2048 and behind 8192, on one thread and on two. llama.cpp is that of PyPI's source package llama-cpp-python, built for this
# processor. Half an hour; figures mean something on a quiet machine only.  sh examples/pretrained/beside_llama.sh [<threads>...]
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd -P)
folder=$root/build/pretrained
python=$folder/python/bin/python
[ $# -gt 0 ] || set -- 1 2

# The model, and 8192 tokens of the novel.
sh "$root/examples/run.sh" pretrained generate "Once" --tokens 1 >/dev/null
model=$folder/SmolLM2-135M-Instruct
narrow=$folder/bfloat16
[ -f "$narrow/config.json" ] || "$python" "$root/examples/pretrained/prepare.py" narrow "$model" "$narrow"
Rscript -e 'cat(janeaustenr::prideprejudice, sep = "\n")' |
  "$python" "$root/examples/pretrained/prepare.py" encode "$model" >"$folder/novel.tokens"
for tokens in 16 2048 8192; do head -n $tokens "$folder/novel.tokens" >"$folder/$tokens.tokens"; done

llama=$folder/llama.cpp
if [ ! -x "$llama/build/bin/llama-bench" ]; then
  "$python" -m pip download -q --no-deps --no-binary llama-cpp-python -d "$folder" llama-cpp-python
  mkdir -p "$folder/unpacked" && tar -xzf "$folder"/llama_cpp_python-*.tar.gz -C "$folder/unpacked"
  rm -rf "$llama" && mv "$folder"/unpacked/llama_cpp_python-*/vendor/llama.cpp "$llama"
  cmake -S "$llama" -B "$llama/build" -DCMAKE_BUILD_TYPE=Release -DGGML_NATIVE=ON -DBUILD_SHARED_LIBS=OFF -DLLAMA_OPENSSL=OFF \
    -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_TESTS=OFF >/dev/null
  cmake --build "$llama/build" --target llama-bench llama-quantize -j "${LONGSPAN_JOBS:-$(nproc)}"
fi
gguf=$(find "$model" -name '*.gguf')
for type in F32 BF16; do
  [ -f "$folder/$type.gguf" ] || "$llama/build/bin/llama-quantize" --allow-requantize "$gguf" "$folder/$type.gguf" $type >/dev/null 2>&1
done

for threads in "$@"; do
  for type in F32 BF16; do
    "$llama/build/bin/llama-bench" -m "$folder/$type.gguf" -t "$threads" -fa 0,1 -r 3 -p 2048 -n 32 -d 0
    "$llama/build/bin/llama-bench" -m "$folder/$type.gguf" -t "$threads" -fa 0,1 -r 3 -p 0 -n 32 -d 2048,8192
    [ $type = F32 ] && of=$model || of=$narrow
    for cache in float bfloat16 8; do
      for tokens in 16 2048 8192; do
        echo "longspan, weights $type, cache $cache, threads $threads"
        "$root/build/examples/examples/pretrained" "$of" --threads "$threads" generate "$folder/$tokens.tokens" --tokens 32 \
          --cache $cache 2>&1 >/dev/null
      done
    done
  done
done
