"""Messages between a student's process and the one that scores: data comes through, everything else is refused."""

import contextlib
import io
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convblocks.transfer import MalformedMessage, Unknown, pack, plain, unpack

VALUES = [
    None,
    True,
    3,
    -2.5,
    float("inf"),
    "text ✓",
    [1, (2, "three"), {"four": [5.0]}],
    np.arange(6).reshape(2, 3),
    np.zeros((0, 3)),
    np.float32(1.5),
    np.array(["triangle", "square"]),
    np.array([True, False]),
]


@pytest.mark.parametrize("value", VALUES, ids=str)
def test_data_comes_back_as_it_was(value):
    back = unpack(pack(plain(value)))
    assert type(back) is type(value)
    np.testing.assert_equal(back, value)


def test_the_order_in_memory_and_what_is_shared_are_kept():
    turned = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)
    assert unpack(pack(turned)).strides == turned.strides
    array = np.arange(3)
    first, second = unpack(pack([array, array]))
    assert first is second


@pytest.mark.parametrize(
    ("value", "called"),
    [
        ((one for one in "x"), "a generator"),
        (np.array([object()]), "an array of Python objects of shape (1,)"),
        (dict, "the class dict itself, without calling it,"),
        (lambda: 1, "a function"),
        (10**400, "an int of more than 300 digits"),
        (np.broadcast_to(np.float64(1), (10**6, 10**6)), "an array of float64 of shape (1000000, 1000000)"),
    ],
)
def test_what_is_no_data_is_called_by_its_name(value, called):
    back = unpack(pack(plain(value)))
    assert isinstance(back, Unknown)
    assert back.called.startswith(called)


class Lying(np.ndarray):
    """Says that it has another shape and type, and equals everything."""

    shape = property(lambda self: (1, 2, 3))
    __eq__ = lambda self, other: True  # noqa: E731


def test_a_subclass_arrives_as_the_array_that_it_is():
    back = unpack(pack(plain(np.arange(4).view(Lying))))
    assert (type(back), back.shape) == (np.ndarray, (4,))


def framed(tree, *arrays: np.ndarray) -> bytes:
    """A message of this JSON and these arrays."""
    parts = [(tree if isinstance(tree, str) else json.dumps(tree)).encode()]
    for array in arrays:
        buffer = io.BytesIO()
        np.save(buffer, array)
        parts.append(buffer.getvalue())
    return b"".join(len(part).to_bytes(8, "big") + part for part in parts)


def answering(value, *arrays: np.ndarray, **instead) -> bytes:
    """The answer of a student's process that returned the value of this tree."""
    reply = {"kind": "returned", "sentence": "", "changed": {"list": []}, "value": value} | instead
    return framed({"dict": [[key, one] for key, one in reply.items()]}, *arrays)


def model(weights=(), **layer) -> dict:
    """The tree of a Keras model with one layer."""
    fields = ("kind", "output_shape", "params", "weight_shapes", "activation", "filters", "kernel_size", "units")
    one = {"dict": [[field, layer.get(field, "x")] for field in fields]}
    said = {"input_shape": None, "layers": {"list": [one]}, "weights": weights, "computed": None}
    return {"model": {"dict": [[key, value] for key, value in said.items()]}}


MANY = np.zeros(30_000_000, "int8")
ROWS = MANY.reshape(-1, 1)
HOSTILE = {
    "no numbers in many rows": lambda: answering({"array": 0}, np.zeros((30_000_000, 0))),
    "no numbers in many rows of many": lambda: answering({"array": 0}, np.zeros((1, 10**9, 64, 0), "int8")),
    "one number in each of many rows": lambda: answering({"array": 0}, ROWS),
    "two of many rows": lambda: answering({"array": 0}, ROWS.reshape(2, -1, 1)),
    "no texts in many rows": lambda: answering({"texts": [[10**9, 0], []]}),
    "one array many times": lambda: answering({"list": [{"array": 0}] * 90_000}, np.zeros(3_000_000)),
    "one array turned many times": lambda: answering(
        {"list": [{"turned": [0, [1, 0]]}] * 90_000}, np.zeros((3_000_000, 1))
    ),
    "one long text makes all long": lambda: answering({"texts": [[50_001], ["x" * 50_000, *["y"] * 50_000]]}),
    "one long text among numbers": lambda: answering({"list": ["x" * 4_000_000, *[1] * 2_000]}),
    "one long text beside numbers": lambda: answering({"list": ["x" * 4_000_000, {"array": 0}]}, np.zeros(2_000)),
    "a list that is a long text": lambda: answering({"texts": [[2_000], [["x" * 4_000_000], *["y"] * 1_999]]}),
    "a text that is many": lambda: answering({"texts": [[1_000_000], "ж" * 600_000]}),
    "lists in lists": lambda: answering({"list": [[None] * 50] * 100_000}),
    "nested deep": lambda: framed("[" * 4_000_000),
    "lists nested deep": lambda: framed('{"list": [' * 400_000),
    "empty lists": lambda: framed("[" + "[[]]," * 800_000 + "1]"),
    "many digits": lambda: framed("9" * 4_000_000),
    "many numbers": lambda: answering({"list": [0.5] * 900_000}),
    "NaN and no end": lambda: answering({"list": [float("nan"), float("inf"), -(10**4000)]}),
    "many arrays": lambda: framed("{}", *[np.zeros((), "int8")] * 200_000),
    "many empty parts": lambda: bytes(32 * 2**20),
    "changed is an array": lambda: answering(None, MANY, changed={"array": 0}),
    "changed is a text": lambda: answering(None, changed="ж" * 600_000),
    "a model of many weights": lambda: answering(model({"array": 0}), ROWS),
    "a model of many shapes": lambda: answering(model({"list": []}, weight_shapes={"array": 0}), MANY),
    "a model with a long name": lambda: answering(model({"list": []}, kind="x" * 4_000_000)),
    "an array alone": lambda: framed({"array": 0}, MANY),
}

JUDGE = """
import json, os, re, resource, signal, sys
import numpy as np
from autograde_tests import shapes_classifier
from autograde_tests.cases import Case
from autograde_tests.checking import _judge, to_outcome

targets = (1, 1.0, (1, 1), ["circle"], np.ones((2, 2)), [((8, 8, 2), 20)])
models = [*shapes_classifier.build_model_cases(np.random.default_rng(0)), *shapes_classifier.train_cases(None)]
cases = [*((Case("x"), target) for target in targets), *((case, np.ones((3, 3))) for case in models)]

def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1]) // 1024

for message in sys.argv[1:]:
    if os.fork():
        os.wait()
        continue
    # So that a failure takes neither the machine nor the evening along.
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, 4 * 2**30))
    signal.alarm(60)
    before = peak()
    outcome = to_outcome(open(message, "rb").read())
    said = [_judge(case, outcome, target) for case, target in cases]
    print(json.dumps([message, peak() - before, said]), flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """What each hostile message took, in MB, and what was said of it; each in a process of its own."""
    place = tmp_path_factory.mktemp("messages")
    for name, make in HOSTILE.items():
        (place / name).write_bytes(make())
    done = subprocess.run([sys.executable, "-c", JUDGE, *HOSTILE], cwd=place, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {name: (megabytes, said) for name, megabytes, said in map(json.loads, done.stdout.splitlines())}


@pytest.mark.skipif(sys.platform != "linux", reason="reads a process' peak of memory from /proc")
@pytest.mark.parametrize("name", HOSTILE)
def test_no_message_takes_much_memory_to_read_or_to_judge(judged, name):
    assert name in judged, "its reader ended or did not come to an end"
    megabytes, said = judged[name]
    # A message has 32 MB at most, and so has the copy that is made in reading it.
    assert megabytes < 300
    assert all(said) and not any("MemoryError" in sentence for sentence in said)
    assert max(map(len, said)) <= 400


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(message):
    with contextlib.suppress(MalformedMessage):
        unpack(message)


@given(st.sampled_from(VALUES), st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_a_tampered_message_is_read_or_refused(value, place, bytes_):
    message = pack(plain(value))
    place = min(place, len(message))
    with contextlib.suppress(MalformedMessage):
        unpack(message[:place] + bytes_ + message[place + len(bytes_) :])


class Bomb:
    def __reduce__(self):
        return pytest.fail, ("a pickle was opened",)


def test_a_pickle_is_never_opened():
    buffer = io.BytesIO()
    np.save(buffer, np.array([Bomb()], dtype=object), allow_pickle=True)
    parts = [b'{"array": 0}', buffer.getvalue()]
    with pytest.raises(MalformedMessage, match="object are not taken"):
        unpack(b"".join(len(part).to_bytes(8, "big") + part for part in parts))
    with pytest.raises(MalformedMessage):
        unpack(pickle.dumps(Bomb()))


def test_a_header_cannot_ask_for_more_than_was_sent():
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": (10**9,)})
    parts = [b'{"array": 0}', buffer.getvalue()]
    with pytest.raises(MalformedMessage, match="shape and length disagree"):
        unpack(b"".join(len(part).to_bytes(8, "big") + part for part in parts))
