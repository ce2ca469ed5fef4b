"""longspan from Python by ctypes, without another package: python3 use.py <liblongspan_c.so>"""

import ctypes
import math
import sys

library = ctypes.CDLL(sys.argv[1])
library.longspan_message.restype = ctypes.c_char_p


class View(ctypes.Structure):
    _fields_ = [("data", ctypes.POINTER(ctypes.c_float)), ("extent", ctypes.c_ssize_t * 4), ("stride", ctypes.c_ssize_t * 4)]


class Sentence(ctypes.Structure):
    _fields_ = [("rope_base", ctypes.c_double), ("rotated", ctypes.c_double), ("scale", ctypes.c_double),
                ("temperature", ctypes.c_int), ("trained", ctypes.c_ssize_t), ("tau", ctypes.c_double),
                ("before", ctypes.c_ssize_t), ("after", ctypes.c_ssize_t)]


library.longspan_defaults.restype = Sentence


def view(numbers, tokens, channels):
    return View(numbers, (1, 1, tokens, channels), (tokens * channels, tokens * channels, channels, 1))


def check(status):
    if status != 0:
        raise ValueError(library.longspan_message().decode())


tokens, channels = 40, 8
q, k, v, output = ((ctypes.c_float * (tokens * channels))() for _ in range(4))
for n in range(tokens * channels):
    q[n], k[n], v[n] = math.sin(0.37 * n), math.sin(0.73 * n), math.sin(0.19 * n)

sentence = library.longspan_defaults()
sentence.rotated = 0  # no position: the definition below is short
mechanism = ctypes.c_void_p()
check(library.longspan_make_mechanism(ctypes.byref(sentence), ctypes.byref(mechanism)))
tensors = [view(each, tokens, channels) for each in (q, k, v, output)]
check(library.longspan_forward(mechanism, None, *(ctypes.byref(each) for each in tensors), None))

worst = 0.0
for i in range(tokens):
    weights = [math.exp(sum(q[i * channels + c] * k[j * channels + c] for c in range(channels)) / math.sqrt(channels))
               for j in range(i + 1)]
    for c in range(channels):
        wanted = sum(w * v[j * channels + c] for j, w in enumerate(weights)) / sum(weights)
        worst = max(worst, abs(wanted - output[i * channels + c]))
tensors[2].extent[2] = tokens - 1
try:
    check(library.longspan_forward(mechanism, None, *(ctypes.byref(each) for each in tensors), None))
    told = "nothing"
except ValueError as error:
    told = str(error)
library.longspan_free_mechanism(mechanism)
print(f"largest difference from the definition {worst:.1e}; told: {told}")
sys.exit(0 if worst < 1e-6 and told == "key and value differ in tokens: 40 and 39" else 1)
