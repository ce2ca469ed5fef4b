"""Times attention by PyTorch, zentorch, ONNX Runtime and OpenVINO on one thread: the shapes of bench_peers, and decoding.

Usage: python3 peers.py <bench_roofline> <result.json> [seconds for each]
Each is skipped with a word if it is missing. Shares are of the multiply-add peak, or when decoding of the read bandwidth, that
bench_roofline measures right before each. PyTorch's prefill is bench_peers' to time.
"""
import json
import os
import subprocess
import sys
import time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

from engines import ENGINES

# Query heads, key heads, queries, keys, channels.
PREFILL = [(8, 8, n, n, d) for d in (64, 128) for n in (512, 2048, 4096)]
DECODE = [(32, 8, 1, n, 128) for n in (4096, 32768)]
# Of a number of a cache; the others are of floats.
BYTES = {"decode/half": 2, "decode/int8": 1}


def measured_limits(program):
    """Multiply-adds of float, in flop/s; reading, in bytes/s; and so many bytes that no cache of the processor keeps them."""
    command = [program, "--benchmark_filter=peak/float|bandwidth", "--benchmark_format=json"]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    peak, bandwidth = said["benchmarks"]
    largest = max([16 << 20, *(cache["size"] for cache in said["context"]["caches"])])
    return peak["GFLOP/s"] * 1e9, bandwidth["GB/s"] * 1e9, 8 * largest


def definition(q, k, v, causal):
    """Of the first head, in double."""
    q, k, v = (x[0, 0].astype(np.float64) for x in (q, k, v))
    s = q @ k.T / np.sqrt(q.shape[1])
    if causal:
        s[np.triu_indices(len(s), 1)] = -np.inf
    weights = np.exp(s - s.max(axis=1, keepdims=True))
    return weights @ v / weights.sum(axis=1, keepdims=True)


def best_time(calls, seconds):
    """The shortest of at least three runs of each, one after the other."""
    best, runs, end = float("inf"), 0, time.perf_counter() + seconds
    while runs < 3 * len(calls) or time.perf_counter() < end:
        begin = time.perf_counter()
        calls[runs % len(calls)]()
        best, runs = min(best, time.perf_counter() - begin), runs + 1
    return best


def time_shape(name, prepare, shape, mode, layers, seconds):
    """Nothing for an engine that computes something else."""
    heads, key_heads, queries, keys, d = shape
    generator = np.random.default_rng(1)

    def normal(*extent):
        return generator.standard_normal((1, *extent, d), dtype=np.float32)

    text = normal(heads, queries), normal(key_heads, keys), normal(key_heads, keys)
    prepared = [prepare(mode, *(x.copy() for x in text)) for _ in range(layers)]
    attend, output = prepared[0]
    tolerance = 5e-3 if mode in BYTES else 1e-3
    if np.abs(output(attend())[0, 0] - definition(*text, mode == "causal")).max() > tolerance:
        print(f"Skipped: {name} computes something else", file=sys.stderr)
        return None
    return best_time([attend for attend, _ in prepared], seconds)


def measure(engine, modes, prepare, limits, seconds):
    peak, bandwidth, beyond_caches = limits
    for mode, shape in [(mode, shape) for mode in modes for shape in (DECODE if mode.startswith("decode") else PREFILL)]:
        heads, key_heads, queries, keys, d = shape
        group = "" if heads == key_heads else f"/key_heads:{key_heads}"
        name = f"peers/{engine}/{mode}/heads:{heads}{group}/n:{keys}/d:{d}"
        kept = 2 * key_heads * keys * d * BYTES.get(mode, 4)
        # Decoding reads the keys and values of another layer in each call, as a model does.
        taken = time_shape(name, prepare, shape, mode, beyond_caches // kept + 1 if queries == 1 else 1, seconds)
        if not taken:
            continue
        flop = heads * queries * keys * d * (2 if mode == "causal" else 4)
        read = kept + 2 * heads * queries * d * 4
        of_peak, of_bandwidth = flop / taken / peak, read / taken / bandwidth
        print(f"{name:64} {taken * 1e3:9.2f} ms  {of_peak:6.1%} of peak  {of_bandwidth:6.1%} of bandwidth", flush=True)
        yield {
            "name": name, "real_time": taken * 1e3, "time_unit": "ms", "GFLOP/s": flop / taken * 1e-9, "of peak": of_peak,
            "GB/s": read / taken * 1e-9, "of bandwidth": of_bandwidth,
        }


def torch_tensors(limits, seconds):
    """What PyTorch does with causal masks and biases that are tensors, and with texts of different lengths, which it cannot mask."""
    import torch

    torch.set_num_threads(1)
    attend = torch.nn.functional.scaled_dot_product_attention
    n, d, peak = 4096, 64, limits[0]

    def measured(name, call, flop):
        with torch.inference_mode():
            taken = best_time([call], seconds)
        print(f"{name:64} {taken * 1e3:9.2f} ms  {flop / taken / peak:6.1%} of peak", flush=True)
        return {"name": name, "real_time": taken * 1e3, "time_unit": "ms", "of peak": flop / taken / peak}

    seen = torch.ones(n, n, dtype=torch.bool).tril()[None, None]
    bias = torch.zeros(1, 1, n, n).masked_fill(~seen, -torch.inf)
    for heads in (1, 8):
        q, k, v = (torch.randn(1, heads, n, d) for _ in range(3))
        for what, tensor in (("boolean_mask", seen), ("bias", bias)):
            name = f"peers/torch/{what}/heads:{heads}/n:{n}/d:{d}"
            yield measured(name, lambda: attend(q, k, v, attn_mask=tensor), heads * n * n * d * 2)
    # Eight texts: it holds a (text, head, longest, longest) matrix several times, and 32 would take more than 24 GB.
    lengths = [100 + t * 3900 // 7 for t in range(8)]
    q, k, v = (torch.nested.nested_tensor([torch.randn(4, m, d) for m in lengths]) for _ in range(3))
    flop = 4 * sum(m * m for m in lengths) * d * 4
    yield measured("peers/torch/nested/full/texts:8/n:100-4000", lambda: attend(q, k, v), flop)


def main(program, result, seconds):
    context, benchmarks = {"date": time.strftime("%Y-%m-%dT%H:%M:%S%z")}, []
    for engine, load in ENGINES.items():
        try:
            context[engine], modes, prepare = load()
            benchmarks += measure(engine, modes, prepare, measured_limits(program), seconds)
        except Exception as why:  # whatever an engine fails with, the others are measured
            print(f"Skipped: {engine}: {type(why).__name__}: {str(why).splitlines()[0] if str(why) else ''}", file=sys.stderr)
    try:
        benchmarks += torch_tensors(measured_limits(program), seconds)
    except Exception as why:
        print(f"Skipped: tensors of PyTorch: {type(why).__name__}: {str(why).splitlines()[0] if str(why) else ''}", file=sys.stderr)
    with open(result, "w") as out:
        json.dump({"context": context, "benchmarks": benchmarks}, out, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 1)
