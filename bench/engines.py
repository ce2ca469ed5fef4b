"""What peers.py times, each loaded when it is called.

An engine is a function that returns its version, the modes it is timed in, and prepare(mode, q, k, v), which returns a call to time and
a function that makes an array (batch, head, query, channel) of its result. Modes are "causal", "full", and "decode", of one query that
sees all keys: in floats, and where a cache can hold them as "decode/half" and "decode/int8".
"""
import functools

import numpy as np


def with_torch(attention):
    """prepare() from a function of PyTorch's tensors."""
    import torch

    torch.set_num_threads(1)

    def prepare(mode, q, k, v):
        tensors = [torch.from_numpy(x) for x in (q, k, v)]

        def attend():
            with torch.inference_mode():
                return attention(*tensors, mode == "causal")

        return attend, lambda result: result.numpy()

    return prepare


def torch_attention():
    import torch

    def attend(q, k, v, causal):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal, enable_gqa=True)

    return torch.__version__, ["decode"], with_torch(attend)


def flex_attention():
    import torch
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    compiled = torch.compile(flex_attention)

    @functools.cache
    def causal_mask(n):
        return create_block_mask(lambda b, h, i, j: i >= j, None, None, n, n, device="cpu")

    def attend(q, k, v, causal):
        return compiled(q, k, v, block_mask=causal_mask(q.shape[2]) if causal else None)

    return torch.__version__, ["causal", "full"], with_torch(attend)


def zentorch():
    import torch
    import zentorch

    def attend(q, k, v, causal):
        return torch.ops.zentorch.zentorch_sdpa(q, k, v, is_causal=causal)[0]

    return zentorch.__version__, ["causal", "full"], with_torch(attend)


def onnx_session(operator, inputs, results, **attributes):
    """Of one operator, from arrays by name; an input that it goes without is None."""
    import onnxruntime
    from onnx import helper

    def infos(arrays):
        kind = helper.np_dtype_to_tensor_dtype
        return [helper.make_tensor_value_info(name, kind(array.dtype), array.shape) for name, array in arrays.items() if array is not None]

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    given = ["" if array is None else name for name, array in inputs.items()]
    node = helper.make_node(operator, given, [*results], **attributes)
    graph = helper.make_graph([node], "attention", infos(inputs), infos(results))
    sets = [helper.make_opsetid("", 23), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=sets, ir_version=10)
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def onnx_runtime():
    import onnxruntime

    def prepare(mode, q, k, v):
        inputs = {"q": q, "k": k, "v": v}
        session = onnx_session("Attention", inputs, {"o": q}, is_causal=int(mode == "causal"))
        return lambda: session.run(None, inputs), lambda result: result[0]

    return onnxruntime.__version__, ["causal", "full", "decode"], prepare


def onnx_runtime_gqa():
    """Its operator for grouped queries: token-major rows, and a cache to which it appends those of this call."""
    import onnxruntime

    def prepare(mode, q, k, v):
        heads, key_heads, queries, keys = q.shape[1], k.shape[1], q.shape[2], k.shape[2]
        rows = [x[:, :, -queries:].transpose(0, 2, 1, 3).reshape(1, queries, -1) for x in (q, k, v)]
        lengths = [np.array([keys - 1], np.int32), np.array([keys], np.int32)]
        options = {"domain": "com.microsoft", "num_heads": heads, "kv_num_heads": key_heads}
        scales = []
        if mode == "decode/half":
            k, v, *rows = (x.astype(np.float16) for x in (k, v, *rows))
        if mode == "decode/int8":
            scales = [np.array([np.abs(x).max() / 127], np.float32) for x in (k, v)]
            k, v = (np.rint(x / scale).astype(np.int8) for x, scale in zip((k, v), scales))
            options |= {"k_quant_type": "PER_TENSOR", "v_quant_type": "PER_TENSOR", "kv_cache_bit_width": 8}
        # While decoding the cache is its own result, as in an engine; a prefill begins with an empty one.
        past = [k, v] if queries == 1 else [k[:, :, :0], v[:, :, :0]]
        present = [k, v] if queries == 1 else [k.copy(), v.copy()]
        names = ("q", "k", "v", "past_k", "past_v", "last", "total", "cos", "sin", "places", "bias", "sink", "k_scale", "v_scale")
        inputs = dict(zip(names, rows + past + lengths + ([None] * 5 + scales if scales else [])))
        results = dict(zip(("o", "present_k", "present_v"), [np.empty_like(rows[0])] + present))
        session = onnx_session("GroupQueryAttention", inputs, results, **options)
        binding = session.io_binding()
        for name, array in inputs.items():
            if array is not None:
                binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))
        for name, array in results.items():
            binding.bind_ortvalue_output(name, onnxruntime.OrtValue.ortvalue_from_numpy(array))

        def output(_):
            return binding.get_outputs()[0].numpy().reshape(1, queries, heads, -1).transpose(0, 2, 1, 3)

        return lambda: session.run_with_iobinding(binding), output

    return onnxruntime.__version__, ["causal", "decode", "decode/half", "decode/int8"], prepare


def openvino():
    import openvino as ov
    from openvino import opset13

    core = ov.Core()
    # Its default on processors with AVX512-BF16 computes in bfloat16.
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}

    def prepare(mode, q, k, v):
        parameters = [opset13.parameter(x.shape, np.float32) for x in (q, k, v)]
        product = opset13.scaled_dot_product_attention(*parameters, causal=mode == "causal")
        compiled = core.compile_model(ov.Model([product], parameters), "CPU", settings)
        request = compiled.create_infer_request()
        for at, x in enumerate((q, k, v)):
            request.set_input_tensor(at, ov.Tensor(x, shared_memory=True))
        return request.infer, lambda _: request.get_output_tensor(0).data

    # It decodes from a cache of its own, within a model that keeps one: from tensors it reads a tenth of the bandwidth.
    return ov.__version__, ["causal", "full"], prepare


ENGINES = {
    "torch": torch_attention, "flex": flex_attention, "zentorch": zentorch, "onnxruntime": onnx_runtime,
    "onnxruntime_gqa": onnx_runtime_gqa, "openvino": openvino,
}
