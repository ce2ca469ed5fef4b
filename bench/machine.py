"""What machine this is: the names that the tables, the picture and the folder of results go by."""
import pathlib
import re

# As parts of xsimd's names.
INSTRUCTION_SETS = {"avx512": "AVX-512", "avx2": "AVX2", "sse": "SSE", "neon": "NEON"}
# By vendor and family: generation and models, as Linux tells them apart.
GENERATIONS = {
    ("AuthenticAMD", 25): {"Zen 3": [(0x00, 0x0F), (0x20, 0x5F)], "Zen 4": [(0x10, 0x1F), (0x60, 0xAF)]},
    ("AuthenticAMD", 26): {"Zen 5": [(0x00, 0x2F), (0x40, 0x4F), (0x60, 0x7F)]},
    ("GenuineIntel", 6): {
        "Ice Lake": [(0x6A, 0x6A), (0x6C, 0x6C)],
        "Sapphire Rapids": [(0x8F, 0x8F)],
        "Emerald Rapids": [(0xCF, 0xCF)],
        "Granite Rapids": [(0xAD, 0xAE)],
    },
}


def cpuinfo(key):
    try:
        found = re.search(rf"^{key}\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else ""


def generation():
    """Of a processor whose model number tells it; nothing of others."""
    of_family = GENERATIONS.get((cpuinfo("vendor_id"), int(cpuinfo("cpu family") or 0)), {})
    for name, models in of_family.items():
        if any(first <= int(cpuinfo("model")) <= last for first, last in models):
            return name
    return ""


def processor():
    model, known = cpuinfo("model name") or "an unknown processor", generation()
    return f"{model} ({known})" if known else model


def has_bfloat16_products():
    """Whether longspan multiplies bfloat16 as they are here: see core/config.hpp."""
    return "avx512_bf16" in cpuinfo("flags") and "avx512_fp16" not in cpuinfo("flags")


def instruction_set(context):
    """Of a program of ours, from what Google Benchmark wrote with its numbers."""
    name = context["instruction_set"]
    return next((known for part, known in INSTRUCTION_SETS.items() if part in name), name)


def folder(context):
    """Of the results of such machines: zen5-avx512."""
    kind = generation().replace(" ", "") or cpuinfo("model name") or "unknown"
    return re.sub(r"[^a-z0-9]+", "-", f"{kind}-{instruction_set(context).replace('-', '')}".lower())
