"""Writes tests/papers/families/<family>.txt: what the attention of well-known families returns, as PyPI's transformers computes it.

    python3 tests/papers/families.py          (pip install torch transformers; seconds)

A tiny model of each family runs over 300 tokens, eagerly (falcon_alibi by PyTorch's sdpa: eagerly, transformers adds ALiBi twice, once
with the mask and once in the layer), in float. What its projections return is replaced by numbers that
tests/papers/families.cpp makes too, as are the learned numbers of norms and sinks, so that a file has some rows of what enters the
output projection of each layer, and nothing else.
"""
import pathlib

import numpy
import torch
import transformers

TOKENS = 300
ROWS = [0, 1, 2, 31, 63, 64, 65, 150, 256, 299]
PROJECTIONS = {"q_proj": 0, "k_proj": 1, "v_proj": 2, "query_key_value": 3, "Wqkv": 3, "qkv_proj": 3, "q_b_proj": 0,
               "kv_b_proj": 1, "kv_a_proj_with_mqa": 2, "c_attn": 3}
OUTPUTS = ("o_proj", "dense", "out_proj", "c_proj", "Wo")
GAINS = {"q_norm": 4, "k_norm": 5, "q_layernorm": 4, "k_layernorm": 5, "query_layernorm": 4, "key_layernorm": 5}


def numbers(seed, *extents):
    """Numbers in [-1.75, 1.75), each a multiple of 1.75 / 2^23: element i of tensor `seed` by SplitMix64."""
    size = int(numpy.prod(extents))
    with numpy.errstate(over="ignore"):
        z = (numpy.arange(1, size + 1, dtype=numpy.uint64) + numpy.uint64(seed << 32)) * numpy.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
        z = z ^ (z >> numpy.uint64(31))
    unit = (z >> numpy.uint64(40)).astype(numpy.float64) / 2**23 - 1
    return torch.tensor((1.75 * unit).astype(numpy.float32).reshape(extents))


COMMON = dict(vocab_size=32, hidden_size=64, intermediate_size=32, num_hidden_layers=1, num_attention_heads=4,
              num_key_value_heads=2, head_dim=16, max_position_embeddings=512, pad_token_id=0, bos_token_id=1, eos_token_id=2,
              tie_word_embeddings=False)
LOCAL, GLOBAL = "sliding_attention", "full_attention"
BOTH = dict(num_hidden_layers=2, layer_types=[LOCAL, GLOBAL], sliding_window=50)


def rotary(kind="default", theta=10000.0, **more):
    return {"rope_parameters": {"rope_type": kind, "rope_theta": theta, **more}}


LONG = [1.0 + 0.5 * i for i in range(8)]
FAMILIES = {
    "llama": ("llama", {}),
    "llama3": ("llama", rotary("llama3", 500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                               original_max_position_embeddings=64)),
    "llama_linear": ("llama", rotary("linear", factor=4.0)),
    "llama_dynamic": ("llama", rotary("dynamic", factor=2.0) | dict(max_position_embeddings=64)),
    "llama_yarn": ("llama", rotary("yarn", factor=4.0, original_max_position_embeddings=64)),
    "mistral": ("mistral", dict(sliding_window=50)),
    "ministral3": ("ministral3", rotary("yarn", 1000000.0, factor=16.0, original_max_position_embeddings=64, beta_fast=32.0,
                                        beta_slow=1.0, mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.1)),
    "qwen2": ("qwen2", dict(num_hidden_layers=2, use_sliding_window=True, sliding_window=50, max_window_layers=1)),
    "qwen3": ("qwen3", {}),
    "gemma": ("gemma", {}),
    "gemma2": ("gemma2", dict(**BOTH, query_pre_attn_scalar=24, attn_logit_softcapping=2.0)),
    "gemma3_text": ("gemma3_text", dict(**BOTH, query_pre_attn_scalar=24, rope_parameters={
        LOCAL: {"rope_type": "default", "rope_theta": 10000.0},
        GLOBAL: {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0}})),
    "gemma4_text": ("gemma4_text", dict(**BOTH, global_head_dim=16, num_kv_shared_layers=0,
                                        hidden_size_per_layer_input=0, rope_parameters={
        LOCAL: {"rope_type": "default", "rope_theta": 10000.0},
        GLOBAL: {"rope_type": "proportional", "partial_rotary_factor": 0.25, "rope_theta": 1000000.0}})),
    "gpt_oss": ("gpt_oss", dict(**BOTH, num_local_experts=2, num_experts_per_tok=1) | rotary(
        "yarn", 150000.0, factor=32.0, beta_fast=32.0, beta_slow=1.0, truncate=False, original_max_position_embeddings=64)),
    "phi": ("phi", dict(qk_layernorm=True) | rotary(partial_rotary_factor=0.5)),
    "phi3": ("phi3", dict(sliding_window=50, original_max_position_embeddings=64) | rotary(
        "longrope", long_factor=LONG, short_factor=[1.0] * 8, original_max_position_embeddings=64)),
    "olmo": ("olmo", dict(clip_qkv=1.0)),
    "olmo2": ("olmo2", {}),
    "olmo3": ("olmo3", dict(**BOTH, rope_parameters={GLOBAL: {
        "rope_type": "yarn", "factor": 8.0, "attention_factor": 1.2, "beta_fast": 32.0, "beta_slow": 1.0,
        "original_max_position_embeddings": 64}})),
    "gpt_neox": ("gpt_neox", rotary(partial_rotary_factor=0.25)),
    "bloom": ("bloom", dict(num_attention_heads=6, hidden_size=96)),
    "mpt": ("mpt", dict(num_attention_heads=6, hidden_size=96)),
    "falcon": ("falcon", dict(head_dim=None, new_decoder_architecture=True, num_kv_heads=2)),
    "falcon_alibi": ("falcon", dict(head_dim=None, new_decoder_architecture=False, multi_query=True, alibi=True)),
    "gptj": ("gptj", dict(n_embd=64, n_head=4, rotary_dim=8, n_positions=512)),
        "gpt_bigcode": ("gpt_bigcode", dict(n_embd=64, n_head=4, n_positions=512, multi_query=True)),
    "llama4_text": ("llama4_text", dict(num_hidden_layers=2, attention_chunk_size=64, no_rope_layers=[1, 0],
                                        layer_types=["chunked_attention", GLOBAL], floor_scale=32, attn_scale=0.1,
                                        num_local_experts=2, intermediate_size_mlp=32, moe_layers=[], use_qk_norm=True, attn_temperature_tuning=True)),
    "smollm3": ("smollm3", dict(num_hidden_layers=2, no_rope_layers=[1, 0], use_sliding_window=False)),
    "exaone4": ("exaone4", dict(**BOTH)),
    "cohere": ("cohere", dict(use_qk_norm=True)),
    "cohere2": ("cohere2", dict(**BOTH)),
    "glm4": ("glm4", rotary(partial_rotary_factor=0.5)),
    "starcoder2": ("starcoder2", dict(sliding_window=50)),
    "stablelm": ("stablelm", dict(qk_layernorm=True) | rotary(partial_rotary_factor=0.25)),
    "persimmon": ("persimmon", dict(qk_layernorm=True) | rotary(partial_rotary_factor=0.5)),
    "nemotron": ("nemotron", rotary(partial_rotary_factor=0.5)),
    "granite": ("granite", dict(attention_multiplier=0.11)),
    "hunyuan_v1_dense": ("hunyuan_v1_dense", rotary("dynamic", alpha=1000.0, factor=1.0)),
    "ernie4_5": ("ernie4_5", {}),
    "apertus": ("apertus", {}),
    "deepseek_v3": ("deepseek_v3", dict(q_lora_rank=16, kv_lora_rank=16, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=16,
                                        num_key_value_heads=4, first_k_dense_replace=1, head_dim=8) | rotary(
        "yarn", factor=40.0, mscale=1.0, mscale_all_dim=1.0, beta_fast=32.0, beta_slow=1.0, original_max_position_embeddings=64)),
    "minimax_m2": ("minimax_m2", dict(num_local_experts=2, num_experts_per_tok=1) | rotary(partial_rotary_factor=0.5)),
    "nanochat": ("nanochat", {}),
    "modernbert": ("modernbert", dict(num_hidden_layers=2, layer_types=[LOCAL, GLOBAL], local_attention=50)),
    "gpt2": ("gpt2", dict(n_embd=64, n_head=4, n_positions=512)),
}

BY = {"falcon_alibi": "sdpa"}


def set_learned(layer, attention):
    """Norms of queries and keys have gains of 1 + x / 2 (gemma's keep x / 2), and shifts x / 4; sinks are x."""
    for name, norm in attention.named_modules():
        seed = GAINS.get(name.split(".")[0])
        if seed is None:
            continue
        parts = [each for each in norm.modules() if getattr(each, "weight", None) is not None]
        for head, part in enumerate(parts if name in GAINS else []):
            around_zero = "Gemma" in type(part).__name__ and "Gemma4" not in type(part).__name__
            shape = part.weight.shape
            drawn = numbers(100 * layer + seed, len(parts), *shape)[head]
            part.weight.copy_(drawn / 2 + (0 if around_zero else 1))
            if getattr(part, "bias", None) is not None:
                part.bias.copy_(numbers(100 * layer + seed + 4, len(parts), *shape)[head] / 4)
    if hasattr(attention, "sinks"):
        attention.sinks.copy_(numbers(100 * layer + 6, attention.sinks.shape[0]))


def captured(model):
    """Rows of what enters each layer's output projection, in the order of the layers."""
    rows = []
    attentions = [each for each in model.modules()
                  if "Attention" in type(each).__name__ and any(hasattr(each, name) for name in OUTPUTS)
                  and any(hasattr(each, name) for name in PROJECTIONS)]
    for layer, attention in enumerate(attentions):
        set_learned(layer, attention)
        for name, projection in attention.named_children():
            if name in PROJECTIONS:
                seed = 100 * layer + PROJECTIONS[name]
                projection.register_forward_hook(lambda _, __, out, seed=seed: numbers(seed, *out.shape))
            elif name in OUTPUTS:
                projection.register_forward_pre_hook(lambda _, given: rows.append(given[0].reshape(TOKENS, -1)[ROWS]))
    model(torch.arange(TOKENS)[None] % 29 + 3)
    return rows


def main():
    folder = pathlib.Path(__file__).parent / "families"
    folder.mkdir(exist_ok=True)
    transformers.logging.set_verbosity_error()
    for name, (architecture, changes) in FAMILIES.items():
        torch.manual_seed(1)
        settings = {key: value for key, value in (COMMON | changes).items() if value is not None}
        config = transformers.AutoConfig.for_model(architecture, **settings)
        with torch.no_grad():
            model = transformers.AutoModel.from_config(config, attn_implementation=BY.get(name, "eager")).float().eval()
            layers = captured(model)
        with open(folder / f"{name}.txt", "w") as file:
            for rows in layers:
                file.write(f"layer {rows.shape[1]}\n")
                for row in rows:
                    file.write(" ".join(f"{x:.6f}".replace("0.", ".", 1) if abs(x) < 1 else f"{x:.6f}" for x in row.tolist()) + "\n")
        print(f"{name}: {len(layers)} layers of {layers[0].shape[1]} channels", flush=True)


if __name__ == "__main__":
    main()
