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
            said = f"it returned the {type(yours).__name__} {short(yours)} where an int was expected: "
            if yours == expected:
                return "type", f"{said}use // instead of /, or int(…)"
            if abs(yours - expected) < 1:
                return "type", f"{said}is it to be rounded up or down?"
            return "value", f"{_both(yours, expected)}, and an int is wanted"
        right = yours == expected
    else:
        right = np.isclose(yours, expected, rtol=TOLERANCE, atol=TOLERANCE)
    return ("right", "") if right else ("value", _both(yours, expected))


def _sequence_difference(yours, expected) -> tuple[str, str]:
    kind = type(expected).__name__
    if isinstance(yours, str) and len(yours) <= 100:
        return "type", f'it returned the text "{yours}" where a {kind} of {len(expected)} was expected'
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
            both = f"at [{place}]: yours is {_written(mine)}, expected {_written(target)}"
            if isinstance(target, (list, tuple)) and len(both) <= 100 and "…" not in both:
                return problem, both
            inner = sentence.removeprefix("it returned ")
            # As the place is written in Python.
            return problem, f"at [{place}]" + (inner.removeprefix("at ") if inner.startswith("at [") else f": {inner}")
    return "right", ""


def _written(value) -> str:
    """A value as it is written in Python, whichever way its numbers are kept; "…" for what is long."""
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
        if len(value) > 20:
            return "…"
        parts = [_written(one) for one in value]
        return f"[{', '.join(parts)}]" if isinstance(value, list) else f"({', '.join(parts)}{',' * (len(parts) == 1)})"
    return short(value) if isinstance(value, numbers.Number) and not isinstance(value, complex) else repr(value)


def _array_difference(yours, expected: np.ndarray) -> tuple[str, str]:
    try:
        # One long text would make all numbers beside it as long.
        mine = np.asarray(None if _holds_text(yours) else yours)
    except ValueError:
        return "type", "it returned nested lists of different lengths, which are not an array"
    if mine.dtype.kind not in "iuf":
        return "type", f"it returned {called(yours)} where an array of numbers was expected"
    if mine.shape != expected.shape:
        return (
            "shape",
            f"yours has shape {mine.shape}, expected {expected.shape}{_shape_hint(mine.shape, expected.shape)}",
        )
    close = np.isclose(mine, expected, rtol=TOLERANCE, atol=TOLERANCE)
    if close.all():
        return "right", ""
    return "value", _what_is_off(mine, expected, ~close)


def _holds_text(value) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_holds_text, value))
    return isinstance(value, str) or (isinstance(value, np.ndarray) and value.dtype.kind == "U")


AXES = {
    1: ("numbers",),
    2: ("rows", "columns"),
    3: ("rows", "columns", "channels"),
    4: ("images", "rows", "columns", "channels"),
}
"""What the axes of an array are called, by their number."""


def _shape_hint(mine: tuple, target: tuple) -> str:
    """What is missing or swapped, where the two shapes leave no doubt; begins with what joins it to the sentence."""
    if len(target) == 4:
        lacking = {
            target[1:]: "the batch axis at the start is missing",
            target[:3]: "the channel axis at the end is missing",
            target[1:3]: "the batch axis at the start and the channel axis at the end are missing",
        }
        if mine in lacking and (len(mine) == 2 or target[1:] != target[:3]):
            return f": {lacking[mine]}"
    if len(mine) != len(target) or len(target) not in AXES:
        return f": {len(target)} axes are needed, yours has {len(mine)}" if len(mine) != len(target) else ""
    if len(target) > 1:
        rows, columns = _rows_and_columns(len(target))
        swapped = list(target)
        swapped[rows], swapped[columns] = swapped[columns], swapped[rows]
        # Where another axis is as long, others may have been swapped as well.
        if tuple(swapped) == mine and len(set(target)) == len(target):
            return ": the sizes of rows and columns are swapped"
        # Nor is it known which of both it was where either gives this shape.
        first = (*target[:rows], target[-1], *target[rows:-1])
        if len(target) > 2 and first == mine and first != tuple(swapped):
            return ": the channels come first, expected last"
        if sorted(mine) == sorted(target) and len(set(target)) == len(target):
            return ": the axes are in another order"
    said = [
        f"{abs(one - other)} {name if abs(one - other) > 1 else name[:-1]} too {'many' if one > other else 'few'}"
        for name, one, other in zip(AXES[len(target)], mine, target, strict=True)
        if one != other
    ]
    return f": {' and '.join(said)}"


def _rows_and_columns(axes: int) -> tuple[int, int]:
    return (1, 2) if axes == 4 else (0, 1)


def _what_is_off(mine: np.ndarray, target: np.ndarray, wrong: np.ndarray) -> str:
    place = tuple(int(axis) for axis in np.argwhere(wrong)[0])
    said = _both(mine[place], target[place])
    if mine.size == 1:
        return said
    # Whole numbers of few bits would wrap around in what follows.
    hint = _value_hint(mine.astype(float), target.astype(float), wrong)
    return f"{int(wrong.sum())} of {mine.size} numbers differ: at {list(place)} {said}" + (f" ({hint})" if hint else "")


def _value_hint(mine: np.ndarray, target: np.ndarray, wrong: np.ndarray) -> str:
    """What all that differs has in common, "" where it is nothing or could well be chance."""
    if not np.isfinite(mine).all():
        return "there are NaN or infinite numbers in yours"
    if mine.size < 3:
        return ""
    spoken = np.count_nonzero(target) > 2
    if not mine.any() and spoken:
        return "yours is 0 everywhere"
    if _close(-mine, target) and spoken:
        return "the sign is turned everywhere"
    offset = mine - target
    if _close(offset, np.full_like(offset, offset.flat[0])):
        return f"yours is off by {short(offset.flat[0])} everywhere"
    if mine.shape[-1] > 1 and mine.size > 2 * mine.shape[-1] and _close(offset, offset.reshape(-1, mine.shape[-1])[0]):
        return f"each {AXES.get(mine.ndim, ('channels',))[-1][:-1]} is off by a number of its own"
    largest = np.unravel_index(np.argmax(abs(target)), target.shape)
    factor = mine[largest] / target[largest] if target[largest] else 0
    if factor and spoken and _close(mine, target * factor):
        return f"yours is {short(factor)} times what is expected everywhere"
    rows, columns = _rows_and_columns(mine.ndim) if mine.ndim in (2, 3, 4) else (0, 0)
    if mine.ndim in (2, 3, 4):
        for words, turned in (
            ("rows and columns are swapped", mine.swapaxes(rows, columns)),
            ("yours is turned upside down", np.flip(mine, rows)),
            ("yours is mirrored, left for right", np.flip(mine, columns)),
            ("yours is turned by half a turn", np.flip(mine, (rows, columns))),
        ):
            if turned.shape == target.shape and _close(turned, target):
                return words
    if _close(np.sort(mine, axis=None), np.sort(target, axis=None)):
        return "the same numbers in another order"
    for words, changed in (
        ("yours are the expected numbers without what comes after the point", np.trunc(target)),
        ("yours are the expected numbers rounded", np.round(target)),
        ("yours are the expected numbers less 256 or a multiple of it, as the type uint8 makes them", target % 256),
        ("yours is 0 where negative numbers are expected", np.maximum(target, 0)),
    ):
        if wrong.sum() > 1 and _close(mine, changed):
            return words
    if wrong.sum() > 1 and (mine[wrong] < 0).all() and not target[wrong].any():
        return "yours is negative where 0 is expected"
    # A table of two axes has no border that anybody speaks of, and what differs on one side alone is no border.
    if mine.ndim == 4 and min(mine.shape[rows], mine.shape[columns]) > 2 and not wrong[:, 1:-1, 1:-1].any():
        sides = (wrong[:, 0], wrong[:, -1], wrong[:, :, 0], wrong[:, :, -1])
        if sum(side.sum() > 1 for side in sides) > 1:
            return "only the border differs"
    return ""


def _close(mine, target) -> bool:
    return np.allclose(mine, target, rtol=TOLERANCE, atol=TOLERANCE)


def _both(mine, target) -> str:
    return f"yours is {short(mine)}, expected {short(target)}"


def short(number) -> str:
    """A number as a person writes it, of a fraction six digits at most."""
    return (str(number) if isinstance(number, numbers.Integral) else f"{float(number):.6g}").replace("-", "−")
