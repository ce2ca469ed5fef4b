"""What machine this is: the names that the tables, the picture and the folder of results go by."""
import pathlib
import re

# As parts of xsimd's names.
INSTRUCTION_SETS = {"avx512": "AVX-512", "avx2": "AVX2", "sse": "SSE", "neon": "NEON"}
# Of AMD's processors by family: generation and models, as Linux tells them apart.
GENERATIONS = {
    25: {"Zen 3": [(0x00, 0x0F), (0x20, 0x5F)], "Zen 4": [(0x10, 0x1F), (0x60, 0xAF)]},
    26: {"Zen 5": [(0x00, 0x2F), (0x40, 0x4F), (0x60, 0x7F)]},
}


def cpuinfo(key):
    try:
        found = re.search(rf"^{key}\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else ""


def generation():
    """Of a processor that speed is promised of; nothing of others."""
    if cpuinfo("vendor_id") == "AuthenticAMD":
        for name, models in GENERATIONS.get(int(cpuinfo("cpu family")), {}).items():
            if any(first <= int(cpuinfo("model")) <= last for first, last in models):
                return name
    return ""


def processor():
    model, known = cpuinfo("model name") or "an unknown processor", generation()
    return f"{model} ({known})" if known else model


def has_bfloat16_products():
    return "avx512_bf16" in cpuinfo("flags")


def instruction_set(context):
    """Of a program of ours, from what Google Benchmark wrote with its numbers."""
    name = context["instruction_set"]
    return next((known for part, known in INSTRUCTION_SETS.items() if part in name), name)


def folder(context):
    """Of the results of such machines: zen5-avx512."""
    kind = generation().replace(" ", "") or cpuinfo("model name") or "unknown"
    return re.sub(r"[^a-z0-9]+", "-", f"{kind}-{instruction_set(context).replace('-', '')}".lower())
