"""The promises of longspan's speed beside what was measured: a table, as text and CSV, and the data of the picture.

Usage: python3 table.py <folder of measurements> <folder of results>
Writes into a folder of the results that is named by the processor's generation and the instruction set.
"""
import csv
import datetime
import itertools
import pathlib
import sys

import machine
import picture
from measurements import Measurements

PERCENT = "{:.1%}".format
TIMES = "{:.2f} x".format
MEBI = "{:.1f} MiB".format
POINTS = "{:.1f} points".format


class Row:
    """Without a number wanted, a row only tells what was measured."""

    def __init__(self, what, wanted, measured, form=PERCENT, at_most=False):
        self.what, self.wanted, self.measured, self.form, self.at_most = what, wanted, measured, form, at_most

    def met(self):
        if self.measured is None or self.wanted is None:
            return ""
        return "yes" if (self.measured <= self.wanted if self.at_most else self.measured >= self.wanted) else "NO"

    def cells(self):
        bound = "" if self.wanted is None else ("at most " if self.at_most else "at least ") + self.form(self.wanted)
        return [self.what, bound, "" if self.measured is None else self.form(self.measured), self.met()]


# By mask, d and n, of the peak of one core. What is wanted of them on each kind of machine; of others nothing is.
FORWARD = [("causal", 64, 4096), ("causal", 128, 4096), ("full", 64, 4096), ("full", 128, 4096), ("causal", 64, 512)]
AVX2_BESIDE_AVX512 = (0.85, 0.88, None, None, None)
WANTED = {
    ("AVX-512", "Zen 5"): (0.85, 0.88, 0.87, 0.90, 0.76),
    ("AVX-512", "Zen 4"): (0.87, 0.90, 0.88, 0.92, 0.78),
    ("AVX2", "Zen 5"): AVX2_BESIDE_AVX512,
    ("AVX2", "Zen 4"): AVX2_BESIDE_AVX512,
    ("AVX2", "Zen 3"): (0.80, 0.82, 0.82, 0.85, None),
}
ODD = [
    ("n = 1000, d = 64", "heads:1/n:1000/d:64"),
    ("n = 1000, d = 80", "heads:1/n:1000/d:80"),
    ("n = 1000, d = 96", "heads:1/n:1000/d:96"),
    ("n = 1000, d = 64, 40 value channels", "heads:1/n:1000/d:64/dv:40"),
]
MODELS = [
    ("d = 256", "wide/heads:8/key_heads:4/n:2048/d:256"),
    ("d = 512", "wide/heads:8/key_heads:2/n:2048/d:512"),
    ("d = 192, 128 value channels", "narrow_values/heads:8/n:2048/d:192/dv:128"),
    ("16 heads on 1, d = 576, 512 value channels within the keys", "latent/heads:16/key_heads:1/n:2048/d:576/dv:512"),
]
LAYOUTS = [
    ("token-major tensors", "token_major"),
    ("token-major tensors of 4 to 16 KiB a token", r"stride:\d+"),
    ("q, k, v of a fused projection", "fused"),
]
SQUARE = "heads:1/n:4096/d:64"
# Prepared queries, their gradients and those of the output, and some 300 bytes for each row: seven eighths of a copy of q, k, v, output.
BACKWARD_MEMORY = 65536 * (3 * 64 * 4 + 384) / 2**20 + 16
COSTS = {
    "info_scale": 0.03, "log_n": 0.03, "ss_max": 0.03, "cosine + cos_scale + info_scale": 0.03, "rope": 0.03, "p_rope": 0.03,
    "scale_invariant": 0.04, "alibi": 0.04, "by_distance": 0.04, "softcap": 0.10, "dropout": 0.10,
}


def wanted_forward(instructions):
    of_kind = WANTED.get((instructions, machine.generation()), [None] * len(FORWARD))
    return dict(zip(FORWARD, of_kind))


def builds(m):
    """With what to say of each: the machine's own instruction set goes without saying, and AVX2 where it is not that."""
    yield "native", ""
    if machine.instruction_set(m.contexts["native"]) != "AVX2":
        yield "v3", ", AVX2"


def forward_name(mask, d, n):
    """Of bench_forward, with so many heads that a run is long enough to be timed."""
    return f"forward/float/{mask}/heads:{8 if n == 512 else 1}/n:{n}/d:{d}"


def shape_text(mask, d, n):
    return f"{'causal' if mask == 'causal' else 'no mask'}, n = {n}, d = {d}"


def forward_rows(m):
    for build, where in builds(m):
        if build in m.contexts:
            for (mask, d, n), wanted in wanted_forward(machine.instruction_set(m.contexts[build])).items():
                yield Row(f"float, {shape_text(mask, d, n)}{where}, of peak", wanted, m(build, forward_name(mask, d, n)))
    for mask, d, n in FORWARD:
        clang, gcc = m("clang", forward_name(mask, d, n)), m("native", forward_name(mask, d, n))
        yield Row(f"float, {shape_text(mask, d, n)}, clang++ of g++", 0.92, clang / gcc if clang and gcc else None)
    yield Row("float, causal, n = 4096, d = 64, SSE2, of its peak", 0.65, m("baseline", f"forward/float/causal/{SQUARE}"))
    for what, name in ODD:
        yield Row(f"float, causal, {what}, of peak", 0.6, m("native", f"forward/float/causal/{name}"))
    for build, where in builds(m):
        for what, name in MODELS:
            yield Row(f"float, causal, n = 2048, {what}{where}, of peak", 0.75, m(build, f"shapes/{name}"))
        share = m(build, f"forward/double/causal/{SQUARE}")
        yield Row(f"double, causal, n = 4096, d = 64{where}, of the double peak", 0.8, share)


def layout_rows(m):
    for build, where in builds(m):
        for what, name in LAYOUTS:
            least = m.least(build, f"layouts/{name}/.*", "x head-major")
            yield Row(f"{what}{where}, the slowest of n = 512 to 4096, of the speed of head-major", 0.95, least, TIMES)


def narrow_rows(m):
    for kind, build, where in [(kind, *build) for kind in ("bfloat16", "half") for build in builds(m)]:
        products = kind == "bfloat16" and build == "native" and machine.has_bfloat16_products()
        speed = m(build, f"forward/{kind}/causal/{SQUARE}", "x float")
        yield Row(f"{kind} tensors{where}, of the speed of float", 1.6 if products else 0.9, speed, TIMES)


def cost_rows(m):
    for part, wanted in COSTS.items():
        yield Row(f"{part}, cost over plain causal", wanted, m("native", f"transform/{part}", "cost"), at_most=True)
    own = m("native", "transform/own decay over alibi", "cost")
    yield Row("a user's own linear decay, cost over alibi", 0.03, own, at_most=True)


def thread_rows(m):
    for what, name, wanted in [
        ("8 heads, n = 2048", "prefill/heads:8/n:2048/d:64", 1.92),
        ("one head, n = 16384", "prefill/heads:1/n:16384/d:64", 1.85),
        ("decoding, one key head in the cache", "decode/heads:8/key_heads:1/n:4096/d:128", 1.6),
        ("decoding, one key head in memory", "decode/heads:8/key_heads:1/n:32768/d:128", 1.0),
    ]:
        yield Row(f"two threads, {what}", wanted, m("native", f"threads/{name}", "x one thread"), TIMES)


def decode_rows(m):
    for build, where in builds(m):
        for n in (4096, 32768):
            share = m(build, f"decode/float/heads:32/key_heads:8/n:{n}/d:128", "of bandwidth")
            yield Row(f"decoding, 32 heads on 8, d = 128, n = {n}{where}, of the bandwidth", 0.85, share)
            for kind in ("bfloat16", "half"):
                speed = m(build, f"decode/{kind}/heads:32/key_heads:8/n:{n}/d:128", "x float")
                yield Row(f"decoding, 32 heads on 8, d = 128, n = {n}, {kind}{where}, of the speed of float", None, speed, TIMES)
        for n in (4096, 8192, 32768):
            speed = m(build, f"decode/float/token_major/heads:32/key_heads:8/n:{n}/d:128", "x head-major")
            yield Row(f"decoding, 32 heads on 8, n = {n}, token-major{where}, of the speed of head-major", 0.8, speed, TIMES)
        for heads, queries in [(heads, queries) for heads in (8, 32) for queries in (2, 4, 8, 16)]:
            shape = "heads:8" if heads == 8 else f"heads:{heads}/key_heads:8"
            share = m(build, f"decode/float/queries:{queries}/{shape}/n:32768/d:128", "of the limit")
            what = f"decoding {queries} queries, {heads} heads on 8, n = 32768{where}, of the nearer limit"
            yield Row(what, 0.8 if queries <= 4 else 0.75, share)
        for group in (7, 8):
            speed = m(build, f"decode/float/group/heads:{4 * group}/key_heads:4/n:32768/d:128", "x group of 4")
            yield Row(f"decoding, groups of {group} heads{where}, of the speed of groups of 4", 0.85, speed, TIMES)


def cache_rows(m):
    of = "heads:32/key_heads:8/n:{}/d:128"
    for build, where in builds(m):
        for n in (4096, 32768):
            name = f"cache/rope/{{}}/{of.format(n)}"
            what = f"a cache, rope, 32 heads on 8, d = 128, n = {n}{where}"
            yield Row(f"{what}, float, of the bandwidth", 0.85, m(build, name.format("float"), "of bandwidth"))
            for storage, wanted in [("bfloat16", 1.8), ("half", 1.8), ("quantized8", 2.2 if machine.instruction_set(m.contexts[build]) == "AVX2" else 3)]:
                yield Row(f"{what}, {storage}, of the speed of float", wanted, m(build, name.format(storage), "x float"), TIMES)
            cost = m(build, f"cache/scale_invariant/{of.format(n)}", "over plain")
            yield Row(f"{what}, scale_invariant, cost over plain", 0.03, cost, at_most=True)
            wanted = 1.5 if n == 4096 else 1.0
            threads = f"cache/threads:2/float/{of.format(n)}"
            yield Row(f"{what}, two threads", wanted, m(build, threads, "x one thread"), TIMES)
            yield Row(f"{what}, two threads, of the bandwidth of two", None, m(build, threads, "of the bandwidth of two"))
            for tokens, kind in itertools.product((16, 64, 256), ("", "token_major", "bfloat16")):
                pages = m(build, f"cache/pages:{tokens}/{kind and kind + '/'}{of.format(n)}", "x cache")
                kind = kind.replace("_", "-")
                what = f"an engine's {kind and kind + ' '}pages of {tokens} tokens, n = {n}{where}, of the speed of a cache"
                yield Row(what, None, pages, TIMES)
        batch = m(build, "cache/threads:2/texts:8/n:1000-8000", "of the bandwidth of two")
        yield Row(f"a cache of 8 texts of 1000 to 8000 tokens{where}, two threads, of the bandwidth of two", 0.85, batch)
        shared = m(build, "cache/texts:64/one prompt/heads:32/key_heads:8/n:8192/d:128", "x one by one")
        yield Row(f"64 continuations of 8192 tokens in one call{where}, of the time one by one", None, shared, TIMES, at_most=True)
        append = m(build, f"cache/append/{of.format(4096)}", "of decoding")
        yield Row(f"a cache, appending a token{where}, of decoding it at n = 4096", 0.03, append, at_most=True)
        chunks = m(build, "cache/chunks:512/heads:4/key_heads:1/n:16384/d:128", "over at once")
        yield Row(f"a cache, 16384 tokens in chunks of 512{where}, over all at once", 0.05, chunks, at_most=True)
        faster = m(build, f"cache/x tensors/{of.format(4096)}", "x tensors")
        yield Row(f"a cache, rope, n = 4096{where}, of the speed of turning keys again", None, faster, TIMES)
    for storage, wanted in [("float", 0.02), ("bfloat16", 0.02), ("quantized8", 0.05)]:
        beyond = m("native", f"cache/rope/{storage}/{of.format(4096)}", "beyond numbers")
        yield Row(f"a cache, {storage}, memory beside its numbers", wanted, beyond, at_most=True)


def cache_peer_rows(m):
    """Caches of the same kind of numbers, each by its share of the bandwidth: the processes measure some minutes apart."""
    for n in (4096, 32768):
        for storage, mode in [("float", "decode"), ("half", "decode/half"), ("quantized8", "decode/int8")]:
            name = f"cache/rope/{storage}/heads:32/key_heads:8/n:{n}/d:128"
            own, beyond = m("native", name, "of bandwidth"), m("native", name, "beyond numbers")
            other = m("python", f"peers/onnxruntime_gqa/{mode}/heads:32/key_heads:8/n:{n}/d:128", "of bandwidth")
            if own and other:
                yield Row(f"a cache, 32 heads on 8, d = 128, n = {n}, {storage}, of the speed of ONNX Runtime's", None,
                          own / (1 + beyond) / other, TIMES)


def length_rows(m):
    for what, name, wanted in [("a window of 1024", "window:1024", 2.1), ("causal", "causal", 4.2)]:
        growth = m("native", f"lengths/{name}/heads:1/n:16384/d:64", "growth")
        yield Row(f"{what}, time from n = 8192 to 16384", wanted, growth, TIMES, at_most=True)


def memory_rows(m):
    allowed = 2 * 131072 * 64 * 4 / 2**20 + 16
    for what, name in [("a window of 1024", "window:1024"), ("causal", "causal")]:
        extra = m("native", f"memory/{name}/heads:1/n:131072/d:64", "MiB extra")
        yield Row(f"{what}, n = 131072, memory besides inputs and outputs", allowed, extra, MEBI, at_most=True)


def text_rows(m):
    for what, name, wanted in [
        ("32 texts of 100 to 4000 tokens, padded", "prefill/texts:32/n:100-4000", 1.05),
        ("decoding 64 texts of 100 to 2000 keys", "decode/texts:64/n:100-2000", 1.05),
        ("decoding 8 texts of 512 keys", "decode/texts:8/n:512", 1.0),
        ("decoding 64 texts of 512 keys", "decode/texts:64/n:512", 1.0),
    ]:
        yield Row(f"{what}, of the time of a call for each", wanted, m("native", f"texts/{name}", "x one by one"), TIMES, True)
    for what, name in [
        ("63 texts of 100 tokens and one of 4096", "prefill/texts:64/n:100+4096"),
        ("32 texts of 100 to 4000 tokens", "prefill/texts:32/n:100-4000"),
    ]:
        yield Row(f"two threads, {what}", 1.85, m("native", f"texts/threads:2/{name}", "x one thread"), TIMES)
    threads = m("native", "texts/threads:2/decode/texts:64/n:100-2000", "x one thread")
    yield Row("two threads, decoding 64 texts of 100 to 2000 keys", None, threads, TIMES)


def tensor_rows(m):
    """Masks and biases that are tensors; what it takes to read them from memory is taken off."""
    for heads in (1, 8):
        shape = f"heads:{heads}/n:4096/d:64"
        for what, name, wanted in [("causal", "causal", 0.1), ("blocks of 256", "blocks:256", None)]:
            cost = m("native", f"masks/{name}/{shape}", "cost")
            reading = m("native", f"masks/{name}/{shape}", "of it reading")
            yield Row(f"boolean_mask, {what}, {heads} heads, n = 4096, over intervals and reading it", wanted,
                      None if cost is None else (1 + cost) / (1 + reading) - 1, at_most=True)
        for what, wanted in [("forward", 0.12), ("backward", None), ("gradient", None)]:
            yield Row(f"bias (1, 1, n, n), {what}, {heads} heads, n = 4096, over plain and reading it", wanted,
                      m("native", f"bias/{what}/float/{shape}", "beyond reading"), at_most=True)
        for what, wanted in [("boolean_mask", 1.0), ("bias", 1.0)]:
            own = m("native", {"boolean_mask": "masks/causal/", "bias": "bias/forward/float/"}[what] + shape)
            other = m("python", f"peers/torch/{what}/{shape}")
            if other:
                yield Row(f"{what}, causal, {heads} heads, n = 4096, of the speed of PyTorch's attn_mask", wanted, own / other, TIMES)
    own, other = m("native", "texts/prefill/texts:32/n:100-4000"), m("python", "peers/torch/nested/full/texts:8/n:100-4000")
    if own and other:
        yield Row("texts of 100 to 4000 tokens, share of the peak over that of PyTorch's nested tensors, unmasked", 1.0, own / other, TIMES)
    for what, name, wanted in [("forgetting, log f = -0.01", "forgetting:0.01", 2.0), ("forgetting, log f = -0.03", "forgetting:0.03", None),
                               ("alibi", "alibi", None)]:
        for way in ("forward", "backward"):
            faster = m("native", f"skipping/{way}/{name}/heads:8/n:16384/d:64", "x faster")
            yield Row(f"skip_negligible, {what}, {way}, n = 16384, of the speed without", wanted, faster, TIMES)


def backward_rows(m):
    own = (0.78, 0.78) if machine.instruction_set(m.contexts["native"]) == "AVX2" else (0.82, 0.85)
    for build, where in builds(m):
        for d, wanted in zip((64, 128), own if build == "native" else (0.78, 0.78)):
            share = m(build, f"backward/float/causal/heads:1/n:4096/d:{d}")
            yield Row(f"backward, float, causal, n = 4096, d = {d}{where}, of peak", wanted, share)
    plain = m("native", f"backward/cost/scale_invariant/{SQUARE}", "x plain")
    yield Row("backward, scale_invariant, cost over plain causal", 0.06, plain and plain - 1, at_most=True)
    threads = m("native", "backward/threads:2/causal/heads:8/n:2048/d:64", "x one thread")
    yield Row("backward, two threads, 8 heads, n = 2048", 1.85, threads, TIMES)
    extra = m("native", "memory/causal_backward/heads:1/n:65536/d:64", "MiB extra")
    yield Row("backward, causal, n = 65536, memory besides all tensors", BACKWARD_MEMORY, extra, MEBI, at_most=True)


def lead_rows(panels):
    for panel, wanted in zip(panels, (5, 0, 0)):
        leads = [100 * (bars["longspan"] - max(others)) for bars in panel.groups.values()
                 if "longspan" in bars and (others := [share for engine, share in bars.items() if engine != "longspan"])]
        if leads:
            yield Row(f"{panel.title}, ahead of every other engine, the least of {len(leads)} shapes", wanted, min(leads), POINTS)


def peer_table(engines, panels):
    table = [["float, one thread"] + [picture.ENGINES[e] for e in engines]]
    for panel in panels:
        for name, bars in panel.groups.items():
            table.append([f"{panel.title}, {name}, of {panel.limit}"] + [PERCENT(bars[e]) if e in bars else "" for e in engines])
    return table


def print_table(table):
    widths = [max(len(row[c]) for row in table) for c in range(len(table[0]))]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def write_csv(table, file):
    with file.open("w", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows(table)


def main(measured, results):
    m = Measurements(measured)
    context = m.contexts["native"]
    date = datetime.date.fromisoformat(context["date"][:10])
    instructions = machine.instruction_set(context)
    here = f"{machine.processor()}, {instructions}, {context['compiler']}, {date}"
    panels = picture.panels(m, forward_name, wanted_forward(instructions))
    rows = [*forward_rows(m), *layout_rows(m), *narrow_rows(m), *cost_rows(m), *thread_rows(m), *decode_rows(m), *cache_rows(m),
            *cache_peer_rows(m), *length_rows(m), *memory_rows(m), *text_rows(m), *tensor_rows(m), *backward_rows(m), *lead_rows(panels)]
    table = [["what", "wanted", "measured", "met"]] + [row.cells() for row in rows]
    engines = picture.engines(panels)
    folder = results / machine.folder(context)
    folder.mkdir(parents=True, exist_ok=True)
    print(here)
    print_table(table)
    write_csv(table + [["machine", here, "", ""]], folder / "table.csv")
    if len(engines) > 1:
        peers = peer_table(engines, panels)
        print()
        print_table(peers)
        write_csv(peers + [["machine", here]], folder / "peers.csv")
    peak, bandwidth = m("native", "peak/float", "GFLOP/s"), m("native", "bandwidth", "GB/s")
    here += f"; a core multiplies {peak:.0f} GFLOP/s and reads {bandwidth:.0f} GB/s"
    picture.write(panels, engines, here, measured, folder / "forward.svg")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
