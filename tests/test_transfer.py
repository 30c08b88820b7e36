"""Messages between a student's process and the one that scores: data comes through, everything else is refused."""

import contextlib
import io
import json
import pickle
import tracemalloc

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
        (np.array([object()]), "an array of object of shape (1,)"),
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


def framed(tree: str) -> bytes:
    """A message of this JSON alone."""
    return len(tree).to_bytes(8, "big") + tree.encode()


@pytest.mark.parametrize(
    "tree",
    [
        json.dumps({"texts": [[50_001], ["x" * 50_000, *["y"] * 50_000]]}),
        json.dumps({"list": [[None] * 50] * 100_000}),
    ],
    ids=["one long text makes all long", "lists in lists"],
)
def test_a_small_message_cannot_take_much_memory(tree):
    tracemalloc.start()
    with pytest.raises(MalformedMessage):
        unpack(framed(tree))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100 * 2**20


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
