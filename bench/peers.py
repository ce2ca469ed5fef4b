"""Times attention by PyTorch's FlexAttention, ONNX Runtime and OpenVINO on one thread of the CPU, on the shapes of bench_peers.

Usage: python3 peers.py <bench_roofline> <result.json> [seconds for each]
Each is skipped with a word if it is missing. Shares are of the multiply-add peak that bench_roofline measures right before each.
"""
import json
import os
import subprocess
import sys
import time

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np

SHAPES = [(8, n, d) for d in (64, 128) for n in (512, 2048, 4096)]


def flex_attention():
    import torch
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    torch.set_num_threads(1)
    compiled = torch.compile(flex_attention)

    def prepare(q, k, v, causal):
        tensors = [torch.from_numpy(x) for x in (q, k, v)]
        n = q.shape[2]
        mask = create_block_mask(lambda b, h, i, j: i >= j, None, None, n, n, device="cpu") if causal else None

        def attend():
            with torch.inference_mode():
                return compiled(*tensors, block_mask=mask)

        return attend, lambda result: result.numpy()

    return torch.__version__, prepare


def onnx_runtime():
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1

    def prepare(q, k, v, causal):
        infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, q.shape) for name in ("q", "k", "v", "o")]
        node = helper.make_node("Attention", ["q", "k", "v"], ["o"], is_causal=int(causal))
        graph = helper.make_graph([node], "attention", infos[:3], infos[3:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, {"q": q, "k": k, "v": v}), lambda result: result[0]

    return onnxruntime.__version__, prepare


def openvino():
    import openvino as ov
    from openvino import opset13

    core = ov.Core()
    # Its default on processors with AVX512-BF16 computes in bfloat16.
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}

    def prepare(q, k, v, causal):
        parameters = [opset13.parameter(x.shape, np.float32) for x in (q, k, v)]
        product = opset13.scaled_dot_product_attention(*parameters, causal=causal)
        compiled = core.compile_model(ov.Model([product], parameters), "CPU", settings)
        request = compiled.create_infer_request()
        for at, x in enumerate((q, k, v)):
            request.set_input_tensor(at, ov.Tensor(x, shared_memory=True))
        return request.infer, lambda _: request.get_output_tensor(0).data

    return ov.__version__, prepare


ENGINES = {"flex": flex_attention, "onnxruntime": onnx_runtime, "openvino": openvino}


def measured_peak(program):
    """Of float, in flop/s."""
    command = [program, "--benchmark_filter=peak/float", "--benchmark_format=json"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found["benchmarks"][0]["GFLOP/s"] * 1e9


def definition(q, k, v, causal):
    """Of the first head, in double."""
    q, k, v = (x[0, 0].astype(np.float64) for x in (q, k, v))
    s = q @ k.T / np.sqrt(q.shape[1])
    if causal:
        s[np.triu_indices(len(s), 1)] = -np.inf
    weights = np.exp(s - s.max(axis=1, keepdims=True))
    return weights @ v / weights.sum(axis=1, keepdims=True)


def best_time(attend, seconds):
    """The shortest of at least three runs."""
    best, runs, end = float("inf"), 0, time.perf_counter() + seconds
    while runs < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        attend()
        best, runs = min(best, time.perf_counter() - begin), runs + 1
    return best


def measure(engine, prepare, peak, seconds):
    generator = np.random.default_rng(1)
    for heads, n, d in SHAPES:
        tensors = [generator.standard_normal((1, heads, n, d), dtype=np.float32) for _ in range(3)]
        for mask in ("causal", "full"):
            attend, output = prepare(*tensors, mask == "causal")
            name = f"peers/{engine}/{mask}/heads:{heads}/n:{n}/d:{d}"
            if np.abs(output(attend())[0, 0] - definition(*tensors, mask == "causal")).max() > 1e-3:
                print(f"Skipped: {name} computes something else", file=sys.stderr)
                continue
            taken = best_time(attend, seconds)
            flop = heads * n * n * d * (2 if mask == "causal" else 4)
            share = flop / taken / peak
            print(f"{name:50} {taken * 1e3:9.2f} ms  {share:6.1%} of peak", flush=True)
            yield {"name": name, "real_time": taken * 1e3, "time_unit": "ms", "GFLOP/s": flop / taken * 1e-9, "of peak": share}


def main(program, result, seconds):
    context, benchmarks = {"date": time.strftime("%Y-%m-%dT%H:%M:%S%z")}, []
    for engine, load in ENGINES.items():
        try:
            context[engine], prepare = load()
            benchmarks += measure(engine, prepare, measured_peak(program), seconds)
        except Exception as why:  # whatever an engine fails with, the others are measured
            print(f"Skipped: {engine}: {type(why).__name__}: {str(why).splitlines()[0] if str(why) else ''}", file=sys.stderr)
    with open(result, "w") as out:
        json.dump({"context": context, "benchmarks": benchmarks}, out, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 1)
