"""The data of the picture: panels of groups of bars, a bar for each engine."""
import statistics
from dataclasses import dataclass

# In the order of the bars, with the names that readers know.
ENGINES = {
    "longspan": "longspan", "torch": "PyTorch", "flex": "FlexAttention", "zentorch": "zentorch", "openblas": "OpenBLAS",
    "onednn": "oneDNN", "eigen": "Eigen", "onnxruntime": "ONNX Runtime", "onnxruntime_gqa": "ONNX Runtime, GQA",
    "openvino": "OpenVINO",
}
PREFILL = [(d, n) for d in (64, 128) for n in (512, 2048, 4096)]
DECODE = "heads:32/key_heads:8/n:{}/d:128"


@dataclass
class Panel:
    title: str
    limit: str  # what a bar is a share of
    groups: dict  # by shape: the share of each engine that was measured
    wanted: list  # of longspan, group by group, None where nothing is


def longspan_beside(m, name):
    """The median beside each peer: the best of all would be of more runs than theirs."""
    beside = [*filter(None, (m("native", f"peers/{peer}/{name}", "longspan of peak") for peer in ENGINES))]
    return statistics.median(beside) if beside else None


def measured_shares(m, name, longspan, counter):
    """By how much longspan is faster says more of what was timed in turn with it than two shares, each of its own minute's machine."""
    def share(engine):
        if engine == "longspan":
            return longspan
        faster = m("native", f"peers/{engine}/{name}", "longspan x faster")
        return longspan / faster if longspan and faster else m("python", f"peers/{engine}/{name}", counter)

    return {engine: measured for engine in ENGINES if (measured := share(engine))}


def panels(m, forward_name, wanted):
    made = []
    for mask, title in (("causal", "causal"), ("full", "no mask")):
        groups = {}
        for d, n in PREFILL:
            name = f"{mask}/heads:8/n:{n}/d:{d}"
            longspan = longspan_beside(m, name) or m("native", forward_name(mask, d, n))
            groups[f"n = {n}, d = {d}"] = measured_shares(m, name, longspan, "of peak")
        made.append(Panel(f"8 heads, {title}", "the peak", groups, [wanted.get((mask, d, n)) for d, n in PREFILL]))
    groups = {}
    for n in (4096, 32768):
        longspan = m("native", "decode/float/" + DECODE.format(n), "of bandwidth")
        groups[f"n = {n}, d = 128"] = measured_shares(m, "decode/" + DECODE.format(n), longspan, "of bandwidth")
    made.append(Panel("decoding, 32 heads on 8", "the bandwidth", groups, [0.85, 0.85]))
    return made


def engines(made):
    """Those that were measured."""
    return [e for e in ENGINES if any(e in bars for panel in made for bars in panel.groups.values())]


def blocks(panel, measured, width):
    """For gnuplot: of each engine a name and its bars, at last what is wanted of longspan. Who has no bar in a panel takes no room."""
    present = [e for e in measured if any(e in bars for bars in panel.groups.values())]
    left = -len(present) / 2 * width
    for engine in measured:
        at = left + (present.index(engine) + 0.5) * width if engine in present else 0
        bars = [f"{g + at} {shares.get(engine, 'NaN')}" for g, shares in enumerate(panel.groups.values())]
        yield [f'"{ENGINES[engine]}"'] + bars
    marks = ['"wanted"']
    for g, (shape, wanted) in enumerate(zip(panel.groups, panel.wanted)):
        length = shape.split(",")[0]
        marks.append(f'{g + left + width / 2} {wanted or "NaN"} {g} "{length}"')
    yield marks


def write(made, measured, machine, data, file):
    width = 1 / (len(measured) + 1.5)
    for number, panel in enumerate(made):
        text = "\n\n\n".join("\n".join(block) for block in blocks(panel, measured, width))
        (data / f"picture-{number}.dat").write_text(text + "\n")
    settings = f'machine = "{machine}"\nengines = {len(measured)}\nwidth = {width}\npicture = "{file}"\n'
    (data / "picture-settings.gp").write_text(settings)
