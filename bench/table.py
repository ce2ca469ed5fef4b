"""The promises of longspan's speed beside what was measured: a table, as text and CSV, and the data of the picture.

Usage: python3 table.py <folder of measurements> <folder of results>
"""
import csv
import datetime
import json
import pathlib
import re
import statistics
import sys

PERCENT = "{:.1%}".format
TIMES = "{:.2f} x".format
MEBI = "{:.1f} MiB".format


class Measurements:
    """Counters by build and benchmark, from the JSON of Google Benchmark."""

    def __init__(self, folder):
        self.counters, self.contexts = {}, {}
        for file in sorted(folder.glob("*.json")):
            build = file.stem.split("-")[0]
            content = json.loads(file.read_text())
            self.contexts.setdefault(build, {}).update(content["context"])
            for run in content["benchmarks"]:
                if not run.get("error_occurred"):
                    self.counters[build, re.sub(r"/(iterations:\d+|manual_time)", "", run["name"])] = run

    def __call__(self, build, name, counter="of peak"):
        return self.counters.get((build, name), {}).get(counter)


class Row:
    def __init__(self, what, wanted, measured, form=PERCENT, at_most=False):
        self.what, self.wanted, self.measured, self.form, self.at_most = what, wanted, measured, form, at_most

    def met(self):
        if self.measured is None:
            return ""
        return "yes" if (self.measured <= self.wanted if self.at_most else self.measured >= self.wanted) else "NO"

    def cells(self):
        bound = ("at most " if self.at_most else "at least ") + self.form(self.wanted)
        return [self.what, bound, "" if self.measured is None else self.form(self.measured), self.met()]


WANTED = {  # of the peak, by mask, d and n; of g++, to which clang++ must come close
    ("causal", 64, 4096): 0.84, ("causal", 128, 4096): 0.87, ("full", 64, 4096): 0.87, ("full", 128, 4096): 0.89,
    ("causal", 64, 512): 0.75,
}
ODD = [
    ("n = 1000, d = 64", "heads:1/n:1000/d:64"),
    ("n = 1000, d = 80", "heads:1/n:1000/d:80"),
    ("n = 1000, d = 96", "heads:1/n:1000/d:96"),
    ("n = 1000, d = 64, 40 value channels", "heads:1/n:1000/d:64/dv:40"),
]
SQUARE = "heads:1/n:4096/d:64"
# Prepared queries, their gradients and those of the output, and some 300 bytes for each row: seven eighths of a copy of q, k, v, output.
BACKWARD_MEMORY = 65536 * (3 * 64 * 4 + 384) / 2**20 + 16
COSTS = {
    "info_scale": 0.03, "log_n": 0.03, "ss_max": 0.03, "cosine + cos_scale + info_scale": 0.03, "rope": 0.03, "p_rope": 0.03,
    "scale_invariant": 0.04, "alibi": 0.04, "by_distance": 0.04, "softcap": 0.15,
}


def heads_alone(n):
    """That bench_forward runs: enough to be timed."""
    return 8 if n == 512 else 1


def forward_name(mask, d, n):
    return f"forward/float/{mask}/heads:{heads_alone(n)}/n:{n}/d:{d}"


def shape_text(mask, d, n):
    return f"{'causal' if mask == 'causal' else 'no mask'}, n = {n}, d = {d}"


def forward_rows(m):
    for (mask, d, n), wanted in WANTED.items():
        yield Row(f"float, {shape_text(mask, d, n)}, of peak", wanted, m("native", forward_name(mask, d, n)))
    for mask, d, n in WANTED:
        clang, gcc = m("clang", forward_name(mask, d, n)), m("native", forward_name(mask, d, n))
        yield Row(f"float, {shape_text(mask, d, n)}, clang++ of g++", 0.92, clang / gcc if clang and gcc else None)
    for build, what, wanted in (("v3", "AVX2", 0.75), ("baseline", "SSE2", 0.6)):
        yield Row(f"float, causal, n = 4096, d = 64, {what}, of its peak", wanted, m(build, f"forward/float/causal/{SQUARE}"))
    for what, name in ODD:
        yield Row(f"float, causal, {what}, of peak", 0.6, m("native", f"forward/float/causal/{name}"))
    yield Row("double, causal, n = 4096, d = 64, of the double peak", 0.8, m("native", f"forward/double/causal/{SQUARE}"))


def narrow_rows(m, has_bfloat16):
    for kind, build, wanted in [
        ("bfloat16", "native", 1.6 if has_bfloat16 else 0.9),
        ("bfloat16", "v3", 0.9),
        ("half", "native", 0.9),
        ("half", "v3", 0.9),
    ]:
        where = "" if build == "native" else ", AVX2"
        speed = m(build, f"forward/{kind}/causal/{SQUARE}", "x float")
        yield Row(f"{kind} tensors{where}, of the speed of float", wanted, speed, TIMES)


def cost_rows(m):
    for part, wanted in COSTS.items():
        yield Row(f"{part}, cost over plain causal", wanted, m("native", f"transform/{part}", "cost"), at_most=True)
    own = m("native", "transform/own decay over alibi", "cost")
    yield Row("a user's own linear decay, cost over alibi", 0.03, own, at_most=True)


def thread_rows(m):
    for what, name, wanted in [
        ("8 heads, n = 2048", "prefill/heads:8/n:2048/d:64", 1.9),
        ("one head, n = 16384", "prefill/heads:1/n:16384/d:64", 1.85),
        ("decoding, one key head in the cache", "decode/heads:8/key_heads:1/n:4096/d:128", 1.6),
        ("decoding, one key head in memory", "decode/heads:8/key_heads:1/n:32768/d:128", 1.0),
    ]:
        yield Row(f"two threads, {what}", wanted, m("native", f"threads/{name}", "x one thread"), TIMES)


def decode_rows(m):
    for n in (4096, 32768):
        name = f"decode/float/heads:32/key_heads:8/n:{n}/d:128"
        yield Row(f"decoding, 32 heads on 8, d = 128, n = {n}, of the bandwidth", 0.85, m("native", name, "of bandwidth"))


def length_rows(m):
    for what, name, wanted in [("a window of 1024", "window:1024", 2.1), ("causal", "causal", 4.2)]:
        growth = m("native", f"lengths/{name}/heads:1/n:16384/d:64", "growth")
        yield Row(f"{what}, time from n = 8192 to 16384", wanted, growth, TIMES, at_most=True)


def memory_rows(m):
    allowed = 2 * 131072 * 64 * 4 / 2**20 + 16
    for what, name in [("a window of 1024", "window:1024"), ("causal", "causal")]:
        extra = m("native", f"memory/{name}/heads:1/n:131072/d:64", "MiB extra")
        yield Row(f"{what}, n = 131072, memory besides inputs and outputs", allowed, extra, MEBI, at_most=True)


def backward_rows(m):
    for d in (64, 128):
        share = m("native", f"backward/float/causal/heads:1/n:4096/d:{d}")
        yield Row(f"backward, float, causal, n = 4096, d = {d}, of peak", 0.75, share)
    plain = m("native", f"backward/cost/scale_invariant/{SQUARE}", "x plain")
    yield Row("backward, scale_invariant, cost over plain causal", 0.06, plain and plain - 1, at_most=True)
    threads = m("native", "backward/threads:2/causal/heads:8/n:2048/d:64", "x one thread")
    yield Row("backward, two threads, 8 heads, n = 2048", 1.85, threads, TIMES)
    extra = m("native", f"memory/causal_backward/heads:1/n:65536/d:64", "MiB extra")
    yield Row("backward, causal, n = 65536, memory besides all tensors", BACKWARD_MEMORY, extra, MEBI, at_most=True)


def has_bfloat16_products():
    try:
        return "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


def processor():
    try:
        return re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())[1]
    except (OSError, TypeError):
        return "an unknown processor"


INSTRUCTION_SETS = {"avx512bw": "AVX-512", "avx512f": "AVX-512", "fma3+avx2": "AVX2", "avx2": "AVX2"}
ENGINES = {"longspan": "longspan", "torch": "PyTorch", "flex": "FlexAttention", "openblas": "OpenBLAS", "onednn": "oneDNN",
           "eigen": "Eigen", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
SHAPES = [(d, n) for d in (64, 128) for n in (512, 2048, 4096)]


def peer_share(m, engine, mask, d, n):
    """Of the peak, 8 heads; longspan's is the median beside each peer: the best of all would be of more runs than theirs."""
    name = f"{mask}/heads:8/n:{n}/d:{d}"
    if engine == "longspan":
        beside = [*filter(None, (m("native", f"peers/{peer}/{name}", "longspan of peak") for peer in ENGINES))]
        return statistics.median(beside) if beside else m("native", forward_name(mask, d, n))
    return m("native", f"peers/{engine}/{name}") or m("python", f"peers/{engine}/{name}")


def peer_table(m):
    engines = [e for e in ENGINES if any(peer_share(m, e, mask, d, n) for mask in ("causal", "full") for d, n in SHAPES)]
    table = [["8 heads, float, one thread, of peak"] + [ENGINES[e] for e in engines]]
    for mask in ("causal", "full"):
        for d, n in SHAPES:
            shares = [peer_share(m, e, mask, d, n) for e in engines]
            table.append([shape_text(mask, d, n)] + [PERCENT(s) if s else "" for s in shares])
    return engines, table


def write_picture_data(m, engines, folder, machine):
    """Blocks for gnuplot: of each engine a name and its bars, at last what is wanted of longspan."""
    width = 1 / (len(engines) + 1.5)
    for mask in ("causal", "full"):
        blocks = []
        for e, engine in enumerate(engines):
            bars = [f'"{ENGINES[engine]}"']
            for g, (d, n) in enumerate(SHAPES):
                bars.append(f"{g + (e + 0.5 - len(engines) / 2) * width} {peer_share(m, engine, mask, d, n) or 'NaN'}")
            blocks.append("\n".join(bars))
        marks = ['"wanted"']
        for g, (d, n) in enumerate(SHAPES):
            marks.append(f"{g + (0.5 - len(engines) / 2) * width} {WANTED.get((mask, d, n), 'NaN')} {g} \"n = {n}\"")
        blocks.append("\n".join(marks))
        (folder / f"picture-{mask}.dat").write_text("\n\n\n".join(blocks) + "\n")
    (folder / "picture-settings.gp").write_text(f'machine = "{machine}"\nengines = {len(engines)}\nwidth = {width}\n')


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
    instructions = INSTRUCTION_SETS.get(context["instruction_set"], context["instruction_set"])
    machine = f"{processor()}, {instructions}, {context['compiler']}, {date}"
    rows = [*forward_rows(m), *narrow_rows(m, has_bfloat16_products()), *cost_rows(m), *thread_rows(m), *decode_rows(m),
            *length_rows(m), *memory_rows(m), *backward_rows(m)]
    table = [["what", "wanted", "measured", "met"]] + [row.cells() for row in rows]
    engines, peers = peer_table(m)
    print(machine)
    print_table(table)
    write_csv(table + [["machine", machine, "", ""]], results / "table.csv")
    if len(engines) > 1:
        print()
        print_table(peers)
        write_csv(peers + [["machine", machine]], results / "peers.csv")
    write_picture_data(m, engines, measured, machine)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
