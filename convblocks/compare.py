"""Compare a result with the expected one and say in one sentence what is off."""

import numbers
from dataclasses import dataclass

import numpy as np

from convblocks.transfer import called

TOLERANCE = 1e-5
"""Absolute, and relative to the expected value: float64 against Keras' float32 differs by about 1e-7 on our sizes."""


@dataclass
class Comparison:
    """kind: "right", "none", "type", "shape" or "value"; sentence: what is off, in words ("" when right).

    yours, expected: the two values, as arrays where they are arrays.
    """

    kind: str
    sentence: str
    yours: object
    expected: object

    @property
    def agrees(self) -> bool:
        return self.kind == "right"

    def _repr_mimebundle_(self, include=None, exclude=None):
        from convblocks import figures

        if self.agrees:
            return {"text/plain": "yours and the target agree"}
        picture = figures.side_by_side(self.yours, self.expected)
        html = f"<p>{figures.escape(self.sentence)}</p>{picture.html if picture else ''}"
        return {"text/plain": self.sentence, "text/html": html}


def compare(yours, expected) -> Comparison:
    """Compare `yours` with `expected`: an int, a float, a string, an array, or a list or tuple of such.

    Lists pass for arrays and tuples, float32 for float64, Python numbers for NumPy's; an int has to be a whole-number
    type, since sizes and counts are used to index.
    """
    kind, sentence = _difference(yours, expected)
    return Comparison(kind, sentence, yours, expected)


def _difference(yours, expected) -> tuple[str, str]:
    if yours is None:
        return "none", "it returned None: is the `return` missing?"
    if isinstance(expected, np.ndarray):
        return _array_difference(yours, expected)
    if isinstance(expected, (list, tuple)):
        return _sequence_difference(yours, expected)
    if isinstance(expected, str):
        if not isinstance(yours, str):
            return "type", f"it returned {called(yours)} where a text was expected"
        return ("right", "") if yours == expected else ("value", f'yours is "{yours}", expected "{expected}"')
    return _number_difference(yours, expected)


def _number_difference(yours, expected) -> tuple[str, str]:
    if isinstance(yours, np.ndarray) and yours.ndim == 0:
        yours = yours[()]
    if isinstance(yours, np.ndarray):
        return "shape", f"it returned an array of shape {yours.shape} where a single number was expected"
    if isinstance(yours, (bool, np.bool_)) or not isinstance(yours, numbers.Number) or isinstance(yours, complex):
        return "type", f"it returned {called(yours)} where a number was expected"
    if isinstance(expected, numbers.Integral):
        if not isinstance(yours, numbers.Integral):
            return "type", f"it returned the {type(yours).__name__} {yours} where an int was expected: use // or int()"
        right = yours == expected
    else:
        right = np.isclose(yours, expected, rtol=TOLERANCE, atol=TOLERANCE)
    return ("right", "") if right else ("value", f"yours is {_short(yours)}, expected {_short(expected)}")


def _sequence_difference(yours, expected) -> tuple[str, str]:
    kind = type(expected).__name__
    if isinstance(yours, np.ndarray) and not yours.ndim:
        yours = yours.item()
    if not isinstance(yours, (list, tuple, np.ndarray)):
        return "type", f"it returned {called(yours)} where a {kind} of {len(expected)} was expected"
    if len(yours) != len(expected):
        return "shape", f"it returned {len(yours)} items, expected {len(expected)}"
    # Rows of an array stay arrays: as lists they can take a hundred times the memory.
    for place, (mine, target) in enumerate(zip(yours, expected, strict=True)):
        problem, sentence = _difference(mine.item() if isinstance(mine, np.generic) else mine, target)
        if problem != "right":
            return problem, f"at position {place}: {sentence.removeprefix('it returned ')}"
    return "right", ""


def _array_difference(yours, expected: np.ndarray) -> tuple[str, str]:
    try:
        # One long text would make all numbers beside it as long.
        mine = np.asarray(None if _holds_text(yours) else yours)
    except ValueError:
        return "type", "it returned nested lists of different lengths, which are not an array"
    if mine.dtype.kind not in "iuf":
        return "type", f"it returned {called(yours)} where an array of numbers was expected"
    if mine.shape != expected.shape:
        swapped = "; rows and columns are swapped" if _swapped(mine.shape, expected.shape) else ""
        return "shape", f"yours has shape {mine.shape}, expected {expected.shape}{swapped}"
    close = np.isclose(mine, expected, rtol=TOLERANCE, atol=TOLERANCE)
    if close.all():
        return "right", ""
    return "value", _what_is_off(mine, expected, ~close)


def _holds_text(value) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_text, value))
    return isinstance(value, str) or (isinstance(value, np.ndarray) and value.dtype.kind == "U")


def _swapped(mine: tuple, target: tuple) -> bool:
    axes = (0, 1) if len(target) == 2 else (1, 2)
    if len(mine) != len(target) or len(target) < 2:
        return False
    flipped = list(target)
    flipped[axes[0]], flipped[axes[1]] = flipped[axes[1]], flipped[axes[0]]
    return tuple(flipped) == mine


def _what_is_off(mine: np.ndarray, target: np.ndarray, wrong: np.ndarray) -> str:
    place = tuple(int(axis) for axis in np.argwhere(wrong)[0])
    where = f"at {list(place)} yours is {_short(mine[place])}, expected {_short(target[place])}"
    if mine.size == 1:
        return f"yours is {_short(mine[place])}, expected {_short(target[place])}"
    count = f"{int(wrong.sum())} of {mine.size} numbers differ: {where}"
    if not np.isfinite(mine).all():
        return f"{count} (there are NaN or infinite numbers in yours)"
    if np.allclose(mine, -target, rtol=TOLERANCE, atol=TOLERANCE):
        return f"{count} (the sign is turned everywhere)"
    offset = mine - target
    if mine.size > 2 and np.allclose(offset, offset.flat[0], rtol=TOLERANCE, atol=TOLERANCE):
        return f"{count} (yours is off by {_short(offset.flat[0])} everywhere)"
    rows, columns = (0, 1) if mine.ndim == 2 else (1, 2)
    if mine.ndim in (2, 4) and min(mine.shape[rows], mine.shape[columns]) > 2:
        if mine.shape[rows] == mine.shape[columns] and np.allclose(
            mine.swapaxes(rows, columns), target, rtol=TOLERANCE, atol=TOLERANCE
        ):
            return f"{count} (rows and columns are swapped)"
        inner = [slice(None)] * mine.ndim
        inner[rows] = inner[columns] = slice(1, -1)
        if not wrong[tuple(inner)].any():
            return f"{count} (only the border differs)"
    return count


def _short(number) -> str:
    return str(number) if isinstance(number, numbers.Integral) else f"{float(number):.6g}"
