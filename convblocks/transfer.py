"""Values as bytes and back, between a student's process and the one that scores: JSON and .npy, never pickle.

What comes from a student's process is data whatever it does: numbers, texts, arrays of numbers, lists of such, and
descriptions of what is none of these.
"""

import collections.abc
import functools
import io
import json
import math
import numbers
import socket
import time
from dataclasses import dataclass

import numpy as np

from convblocks.keras_model import Description, Recipe, describe, is_model

LIMIT = 32 * 2**20
"""Bytes that one message may have."""

ITEMS = 100_000
"""Values that a message may hold: numbers in lists, texts, arrays; an array counts as one."""

PARTS = 20_000
"""Parts of a message: each array is one, and takes much longer to read than a number in a list."""

TEXT = 4 * 2**20
"""Bytes of a message that may be JSON, and of an array of texts: Python makes many times that of either."""

DEPTH = 20
"""How deep lists may be nested."""


QUESTION = b"?"
"""What stands before a message with which a call under way asks for a lent function; no other message begins so."""


class MalformedMessage(ValueError):
    """Bytes that are no message: cut off, too large, or holding what no message holds."""


@dataclass
class _Budget:
    """What a message may still make: values, and bytes of arrays, which count each time they are there."""

    values: int = ITEMS
    size: int = LIMIT

    def take(self, values: int = 0, size: int = 0) -> None:
        self.values -= values
        self.size -= size
        if self.values < 0 or self.size < 0:
            raise MalformedMessage("it holds too many values")


@dataclass(frozen=True)
class Unknown:
    """Stands for a value that is no data, such as a generator; called: what a person calls it, "a generator"."""

    called: str


def plain(value, probe=None):
    """The value as data: array-likes as arrays, sequences as lists, a Keras model described, else Unknown.

    probe: for a model, `(images, weights)` to try it on; see `keras_model.describe`. An Exception that the value's own
    methods raise makes it Unknown.
    """
    try:
        return _plain(value, probe, 0)
    except Exception:
        return Unknown(called(value))


def _plain(value, probe, depth):
    if depth > DEPTH:
        return Unknown("a list nested too deep")
    if value is None or isinstance(value, (Unknown, Description, Recipe)):
        return value
    if is_model(value):
        try:
            return describe(value, *(probe or (None, None)))
        except Exception as error:
            return Unknown(f"a model that cannot be looked at ({type(error).__name__})")
    if isinstance(value, np.generic):
        return _plain_array(np.asarray(value), value)[()]
    for kind in (bool, str, int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, numbers.Rational):
        return float(value)
    if isinstance(value, np.ndarray) or (hasattr(value, "__array__") and not isinstance(value, type)):
        return _plain_array(np.asarray(value), value)
    if isinstance(value, dict):
        return {_plain(key, None, depth + 1): _plain(one, probe, depth + 1) for key, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_plain(one, probe, depth + 1) for one in value)
    if isinstance(value, collections.abc.Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return [_plain(one, probe, depth + 1) for one in value]
    return Unknown(called(value))


def _plain_array(array, original):
    if array.nbytes > LIMIT // 2:
        return Unknown(f"{called(array)}, which is too large to be looked at,")
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(float)
    # Subclasses have methods of their own, and views may share one number a million times.
    return np.array(array, subok=False) if array.dtype.kind in "biufcU" else Unknown(called(original))


def called(value) -> str:
    """What a person calls a value of this kind, with its article: "a list", "an array of bool of shape (2,)"."""
    if isinstance(value, Unknown):
        return value.called
    if isinstance(value, Description):
        return "a Keras model"
    if isinstance(value, type):
        return f"the class {value.__name__} itself, without calling it,"
    if isinstance(value, np.ndarray):
        named = {"U": "texts", "O": "Python objects", "c": "complex numbers"}
        return f"an array of {named.get(value.dtype.kind, value.dtype)} of shape {value.shape}"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def pack(value) -> bytes:
    """The bytes of a value that is data (see `plain`). Raises MalformedMessage for what is not, or is too large."""
    arrays: dict[int, np.ndarray] = {}
    tree = _tree(value, arrays)
    parts = [json.dumps(tree).encode()]
    for array in arrays.values():
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, array, allow_pickle=False)
        parts.append(buffer.getvalue())
    message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
    if len(message) > LIMIT:
        raise MalformedMessage("it is too large")
    return message


def _tree(value, arrays):
    """JSON that tells lists from tuples, with numbers in place of arrays."""
    if value is None or isinstance(value, (bool, float, str)):
        return value
    if isinstance(value, int):
        if value.bit_length() > 1024:
            return {"unknown": "an int of more than 300 digits"}
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind == "U":
        return {"texts": [list(value.shape), value.ravel().tolist()]}
    if isinstance(value, (np.ndarray, np.generic)):
        axes = sorted(range(value.ndim), key=lambda axis: -value.strides[axis])
        # By identity, so that an array given twice stays one array.
        arrays.setdefault(id(value), np.asarray(value).transpose(axes))
        place = list(arrays).index(id(value))
        if axes != sorted(axes):
            # The order in memory is kept: functions that depend on it are to be found out.
            return {"turned": [place, axes]}
        return {"array" if isinstance(value, np.ndarray) else "scalar": place}
    if isinstance(value, list):
        return {"list": [_tree(one, arrays) for one in value]}
    if isinstance(value, tuple):
        return {"tuple": [_tree(one, arrays) for one in value]}
    if isinstance(value, dict):
        return {"dict": [[_tree(key, arrays), _tree(one, arrays)] for key, one in value.items()]}
    if isinstance(value, Unknown):
        return {"unknown": value.called[:100]}
    if isinstance(value, Description):
        return {"model": _tree(vars(value), arrays)}
    if isinstance(value, Recipe):
        return {"recipe": _tree(vars(value), arrays)}
    raise MalformedMessage(f"{type(value).__name__} is no data")


def unpack(message: bytes | memoryview):
    """The value of a message. Raises MalformedMessage for bytes that `pack` does not make; runs no code."""
    try:
        parts = _parts(message)
        if len(parts[0]) > TEXT:
            raise MalformedMessage("it holds too many values")
        tree = json.loads(bytes(parts[0]))
        return _value(tree, [_array(part) for part in parts[1:]], _Budget(), 0)
    except MalformedMessage:
        raise
    except Exception as error:
        raise MalformedMessage(f"{type(error).__name__}: {str(error)[:100]}") from None


def _parts(message: bytes | memoryview) -> list[bytes | memoryview]:
    if len(message) > LIMIT:
        raise MalformedMessage("it is too large")
    parts, place = [], 0
    while place < len(message):
        end = place + 8 + int.from_bytes(message[place : place + 8], "big")
        if end > len(message):
            raise MalformedMessage("it is cut off")
        parts.append(message[place + 8 : end])
        place = end
        if len(parts) > PARTS:
            raise MalformedMessage("it holds too many arrays")
    return parts


def _array(part: bytes | memoryview) -> np.ndarray:
    header = bytes(part[: 10 + int.from_bytes(part[8:10], "little")])
    # It is looked at before anything is made, so that it cannot ask for more than was sent.
    shape, by_columns, dtype = _header(header)
    if math.prod(shape) * dtype.itemsize != len(part) - len(header):
        raise MalformedMessage("an array's shape and length disagree")
    _look_at(shape)
    order = "F" if by_columns else "C"
    if 0 in shape:
        return np.empty(shape, dtype, order)
    return np.frombuffer(part, dtype, offset=len(header)).reshape(shape, order=order).copy(order="K")


@functools.lru_cache(500)
def _header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether it goes by columns, and type of an array, by the beginning of its .npy: most are seen often."""
    if len(header) > 1010:
        raise MalformedMessage("an array's header is too long")
    buffer = io.BytesIO(header)
    if np.lib.format.read_magic(buffer) != (1, 0):
        raise MalformedMessage("its arrays are in another version of .npy")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(buffer, max_header_size=1000)
    if dtype.kind not in "biufc" or dtype.itemsize > 16 or dtype.shape:
        raise MalformedMessage(f"arrays of {dtype} are not taken")
    return shape, by_columns, dtype


def _look_at(shape) -> None:
    """Refuse shapes that no array has, and many rows without numbers, which take memory once they are lists."""
    if len(shape) > 32 or any(size < 0 for size in shape):
        raise MalformedMessage("an array's shape is none")
    if 0 in shape and math.prod(size for size in shape if size) > ITEMS:
        raise MalformedMessage("an array without numbers has too many rows")


def _value(tree, arrays, budget, depth):
    budget.take(values=1)
    if depth > DEPTH + 8:
        raise MalformedMessage("it is nested too deep")
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return tree
    ((kind, content),) = tree.items()
    within = [_value(one, arrays, budget, depth + 1) for one in content] if kind in ("list", "tuple") else []
    match kind:
        case "list":
            return within
        case "tuple":
            return tuple(within)
        case "array" | "turned" | "scalar":
            place, axes = content if kind == "turned" else (content, None)
            budget.take(size=arrays[place].nbytes)
            if kind == "turned":
                return arrays[place].transpose(np.argsort(axes))
            return arrays[place] if kind == "array" else arrays[place][()]
        case "dict":
            return {
                _value(key, arrays, budget, depth + 1): _value(one, arrays, budget, depth + 1) for key, one in content
            }
        case "texts":
            shape, texts = content
            budget.take(values=len(texts))
            if not isinstance(texts, list) or not all(isinstance(one, str) for one in texts):
                raise MalformedMessage("its texts are none")
            # Every text of an array takes as much memory as the longest.
            if len(texts) * max(map(len, texts), default=0) > TEXT:
                raise MalformedMessage("its texts are too long")
            _look_at(shape)
            return np.array(texts, dtype=str).reshape(shape)
        case "unknown":
            return Unknown(str(content)[:100])
        case "model":
            return Description.checked(**_value(content, arrays, budget, depth + 1))
        case "recipe":
            return Recipe(**_value(content, arrays, budget, depth + 1))
    raise MalformedMessage(f"it holds {kind[:20]}")


def send(connection: socket.socket, message: bytes) -> None:
    """Send a message over a stream, with its length in front."""
    connection.sendall(len(message).to_bytes(8, "big") + message)


def receive(connection: socket.socket, deadline: float | None = None) -> bytes:
    """The next message of a stream, b"" when the other side is done.

    deadline: in seconds of time.monotonic(). Raises TimeoutError after it, and MalformedMessage for a message that is
    cut off or larger than LIMIT.
    """
    size = int.from_bytes(_exactly(connection, 8, deadline), "big")
    if size > LIMIT:
        raise MalformedMessage("it is too large")
    message = _exactly(connection, size, deadline)
    if len(message) < size:
        raise MalformedMessage("it is cut off")
    return message


def _exactly(connection, size, deadline) -> bytes:
    """So many bytes, fewer when the other side is done before."""
    parts = []
    while size:
        if deadline is not None:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            connection.settimeout(remaining)
        part = connection.recv(min(size, 1 << 20))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
