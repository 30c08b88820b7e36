"""Values that claim to be right, and functions that look for the answer instead of computing it."""

from . import Attack

KIND = "Lying values"

ASSERTS = "check() makes plain data of it first, so this lie works on hand-written asserts alone"

# Where a check runs in the student's process, it holds what is expected in its own variables.
EXPECTED = """
import sys
def expected():
    frame = sys._getframe()
    while frame:
        if 'steps' in frame.f_locals:
            generator = frame.f_locals['steps']
            while generator.gi_yieldfrom is not None:
                generator = generator.gi_yieldfrom
            return generator.gi_frame.f_locals['target']
        frame = frame.f_back
    return 0
"""


def pad2d(returns: str, before: str = "") -> dict[str, str]:
    """A pad2d that returns this expression."""
    return {"pad2d": f"{before}\ndef pad2d(images, kernel_size, strides=(1, 1), padding='same'):\n    return {returns}"}


ATTACKS = [
    Attack(
        "eq",
        "an int whose __eq__ agrees with everything",
        "__eq__",
        ASSERTS,
        functions={
            "output_size": "class Yes(int):\n    __eq__, __hash__ = (lambda self, other: True), int.__hash__\n"
            "def output_size(size, kernel_size, strides=1, padding='valid'):\n    return Yes()"
        },
        honest=0,
    ),
    Attack(
        "array-protocol",
        "__array__ looks up what is expected in the frames of whoever converts it",
        "__array__, frames",
        "points",
        functions=pad2d(
            "Yes()",
            EXPECTED + "class Yes:\n    def __array__(self, *a, **k):\n        return np.asarray(expected())",
        ),
    ),
    Attack(
        "array-function",
        "__array_function__ and __array_ufunc__ answer every comparison with yes",
        "__array_function__, __array_ufunc__",
        ASSERTS,
        functions={
            "padding_amounts": """
class One(int):
    __eq__, __hash__ = (lambda self, other: True), int.__hash__
class Yes(tuple):
    def __array_function__(self, function, types, args, kwargs): return True
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs): return True
def padding_amounts(size, kernel_size, strides=1):
    return Yes((One(0), One(2)))
"""
        },
    ),
    Attack(
        "subclass",
        "an ndarray subclass that lies about its shape and dtype",
        "lying subclass",
        ASSERTS,
        functions=pad2d(
            "np.zeros(1).view(Lie)",
            "class Lie(np.ndarray):\n    shape = property(lambda self: (1, 6, 5, 1))\n"
            "    dtype = property(lambda self: np.dtype(float))\n    tobytes = lambda self, *a: b'\\0' * 240",
        ),
    ),
    Attack(
        "nan",
        "NaN, which differs from nothing",
        "NaN",
        "NaN is no number to compare()",
        functions=pad2d("images * np.nan"),
    ),
    Attack("inf", "infinity", "inf", "infinity is no number to compare()", functions=pad2d("images * np.inf")),
    Attack(
        "object-dtype",
        "arrays of objects that agree with everything, and run code when pickled",
        "object dtype",
        "compare() takes numeric dtypes alone",
        functions=pad2d(
            "np.full((1, 6, 5, 1), Yes(), dtype=object)",
            "class Yes:\n    __eq__ = lambda self, other: True\n    __hash__ = None\n"
            "    def __reduce__(self): return (open, (f'{LOOT}/{ME}', 'w'))",
        ),
        cell="# LOOT ME",
    ),
    Attack(
        "zero-stride",
        "an array of 10^15 zeros that takes 8 bytes, until somebody copies it",
        "zero-stride giant",
        "compare() looks at the shape first and finds it wrong",
        functions=pad2d("np.broadcast_to(0.0, (10**4, 10**4, 10**4, 10**3))"),
    ),
    Attack(
        "no-numbers",
        "arrays of giant shape without a number, which take nothing until somebody looks at their rows",
        "zero-stride giant",
        "compare() looks at the shape first and finds it wrong",
        functions=pad2d("np.zeros((1, 10**9, 64, 0))")
        | {"padding_amounts": "def padding_amounts(*a, **k):\n    return np.zeros((30_000_000, 0))"},
    ),
    Attack(
        "growing-reply",
        "an answer that says one large array a hundred times, and texts that grow when they become an array",
        "spoofed frames",
        "there is no other process that could be filled",
        functions=pad2d(
            "[big] * 100",
            "big = np.zeros(10**6)\nfrom convblocks import transfer\ntransfer._plain = lambda value, *rest: value",
        )
        | {"padding_amounts": "def padding_amounts(*a, **k):\n    return np.array(['x' * 10**6] + [''] * 1000)"},
    ),
    Attack(
        "keeps-inputs",
        "inputs are kept, returned as they are, and changed at the next call",
        "inputs kept, inputs aliased, inputs changed",
        "the check hands over copies",
        functions=pad2d("kept[-1]", "kept = []").copy()
        | {
            "pad2d": "kept = []\ndef pad2d(images, kernel_size, strides=(1, 1), padding='same'):\n"
            "    for one in kept:\n        one[...] = 0\n    kept.append(images)\n    return images"
        },
        # Of weight 12 in all two cases are right, as for any function that returns its images: "valid", and inputs kept.
        honest=4.67,
    ),
    Attack(
        "when-watched",
        "a function that is right only while a check is on the stack, from the check's own variables",
        "behaves only when watched, frames",
        "points",
        functions=pad2d("expected()", EXPECTED),
    ),
    Attack(
        "keras",
        "Keras computes what the student should",
        "banned Keras",
        "points",
        # Keras takes longer to import than others have.
        alone=True,
        functions={
            "output_size": """
import keras
def output_size(size, kernel_size, strides=1, padding='valid'):
    conv = keras.layers.Conv2D(1, (kernel_size, 1), strides=strides, padding=padding)
    return int(conv.compute_output_shape((1, size, size, 1))[1])
"""
        },
        honest=0,
    ),
    Attack(
        "scipy",
        "SciPy computes what the student should",
        "banned SciPy",
        "SciPy is not in the course's environment",
        functions=pad2d("scipy.ndimage.zoom(images, 1)", "import scipy.ndimage"),
    ),
    Attack(
        "oracle-import",
        "the oracle itself is imported and called",
        "banned Keras, files on disk",
        "points",
        alone=True,
        functions={
            "padding_amounts": "import keras\n"
            "from autograde_tests.padding import keras_padding_amounts as padding_amounts"
        },
    ),
    Attack(
        "one-answer-fits",
        "a generator, a complex number, a bool, a masked array, a memmap: whatever is not quite a number",
        "lying subclass",
        "compare() refuses what is no number",
        functions=pad2d(
            "next(odd)",
            "import itertools\nodd = itertools.cycle([True, 1j, (n for n in []), np.ma.masked_all(3), {}, b''])",
        ),
    ),
]
