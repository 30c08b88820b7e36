"""A convolution to step through: its window moves over the picture, and each number's arithmetic is written out."""

import operator
import os
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

import numpy as np

from convblocks.arithmetic import ACTIVATIONS, TooLong, activated, output_steps, padding_around, pair
from convblocks.calling import Outcome, call, parameter_names
from convblocks.compare import compare, short
from convblocks.figures import Figure, draw, grid
from convblocks.live import live
from convblocks.table import LONGEST

WIDEST = 640
"""Pixels of a line of the figure: what fits beside JupyterLab's file browser on a tablet without becoming small."""
MOST_PIXELS = 4000
"""Of a padded picture, channels counted: more take too long to draw at every step."""


def step(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None, yours=None):
    """Step through a convolution, output cell by output cell and filter by filter; shown when it ends a cell.

    images: (rows, columns), or a batch (batch, rows, columns, channels) of which the first picture is shown.
    kernel: (rows, columns), or (rows, columns, channels, filters). bias: (filters,), or None.
    strides, padding, activation: as in `conv2d`.
    yours: a function to run along, one window at a time: one like `weighted_sum`, whose first parameter is called
    `patch`; or one like `conv2d`, or like `correlate2d` where images and kernel have two axes, which gets the window
    alone as a picture, and where all of these are right the whole picture. What it gets different is marked, and where
    it first does is said.
    Where no widget runs, and while nbgrader autogrades, it is a still picture of the first window and the whole output;
    while autograding, `yours` is not called. Raises ValueError for what cannot be stepped through.
    """
    walk = _Walk(images, kernel, bias, strides, padding, activation)
    if yours is not None:
        walk.follow(yours)
    return live(walk.still(), "step.js", walk.answer, walk.tell(0))


@dataclass(frozen=True)
class _Still(Figure):
    """A figure with lines of text below it."""

    lines: tuple[str, ...]

    @property
    def html(self) -> str:
        return f"{super().html}<p>{'<br>'.join(map(escape, self.lines))}</p>"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/plain": "\n".join([self.alt, *self.lines]), "text/html": self.html}


@dataclass(frozen=True)
class _Found:
    """What a student's function made of one window. number: None where none came out; off: what is wrong, in words."""

    number: float | None
    off: str
    printed: str


class _Walk:
    """All cells of one convolution's output, in the order in which they are walked through."""

    def __init__(self, images, kernel, bias, strides, padding, activation):
        images, kernel = _numbers("images", images), _numbers("kernel", kernel)
        # How the pictures were given is how they are shown, and how a student's function gets them.
        self.flat = images.ndim == kernel.ndim == 2
        images = images[None, :, :, None] if images.ndim == 2 else images[:1]
        kernel = kernel[:, :, None, None] if kernel.ndim == 2 else kernel
        if images.shape[3] != kernel.shape[2]:
            raise ValueError(
                f"the picture has {images.shape[3]} channels and the kernel weights for {kernel.shape[2]}: the last "
                "axis of images and the third of the kernel, (rows, columns, channels, filters), have to agree"
            )
        if padding not in ("valid", "same"):
            raise ValueError(f'unknown padding {padding!r}: use "valid" or "same"')
        if activation not in ACTIVATIONS:
            raise ValueError(f"unknown activation {activation!r}: use one of {', '.join(map(str, ACTIVATIONS))}")
        self.strides = _strides(strides)
        self.kernel, self.activation = kernel, activation
        self.bias = None if bias is None else np.asarray(bias)
        if self.bias is not None and self.bias.shape != kernel.shape[3:]:
            raise ValueError(
                f"the bias has shape {self.bias.shape}, and one number for each filter is needed: {kernel.shape[3:]}"
            )
        self.around = padding_around(images, kernel.shape[:2], self.strides, padding)
        self.images, self.padding = images, padding
        self.padded = np.pad(images[0], (*self.around, (0, 0)))
        if any(size > whole for size, whole in zip(kernel.shape[:2], self.padded.shape[:2], strict=True)):
            raise ValueError(
                f"the kernel, {_shape(kernel)}, is larger than the picture, {_shape(self.padded)}: take a smaller "
                'kernel, or padding="same"'
            )
        if self.padded.size > MOST_PIXELS:
            raise ValueError(
                f"the picture has {self.padded.size} numbers, too many to step through ({MOST_PIXELS} at most): cut "
                "out a part, such as images[:, :20, :20]"
            )
        windows = np.lib.stride_tricks.sliding_window_view(self.padded, kernel.shape[:2], (0, 1))
        # To (rows, columns, kernel rows, kernel columns, channels).
        self.windows = np.moveaxis(windows[:: self.strides[0], :: self.strides[1]], 2, -1)
        sums = np.tensordot(self.windows.astype(float), kernel.astype(float), axes=3)
        self.output = activated(sums + (0 if bias is None else self.bias), activation)
        rows, columns, filters = self.output.shape
        self.places = [(row, column, one) for one in range(filters) for row in range(rows) for column in range(columns)]
        self.name, self.unwritten, self.found, self.tried = "", False, [], ""

    def follow(self, yours: Callable) -> None:
        """Run a student's function on one window after the other, until it never ends or turns out to be unwritten."""
        if not callable(yours):
            raise ValueError(f"yours has to be a function, such as yours=conv2d, not {yours!r}")
        name = getattr(yours, "__name__", "")
        self.name = name if name.isidentifier() else "yours"
        first = parameter_names(yours, 1)[0]
        if first == "patch" and not (self.bias is None and self.activation in (None, "linear")):
            raise ValueError(f"{self.name} gives weighted sums alone: leave out the bias and the activation")
        if os.environ.get("NBGRADER_EXECUTION") == "autograde":
            return
        outcomes: dict[tuple, Outcome] = {}
        for row, column, one in self.places:
            # Of a layer all filters come out of one call, since softmax needs them all.
            key = (row, column, one if first == "patch" else None)
            arguments, options, target = self._question(first, row, column, one)
            outcome = outcomes[key] = outcomes.get(key) or call(yours, *arguments, **options)
            self.unwritten = outcome.kind == "not written"
            if not self.unwritten:
                self.found.append(_judged(outcome, target, one))
            if outcome.kind in ("not written", "too long"):
                return
        self.tried = "each given to it alone"
        # A weighted sum knows of windows alone; of others it is to be seen too whether they cut them out rightly.
        if first != "patch" and not any(found.off for found in self.found):
            self._follow_whole(yours, first)

    def _follow_whole(self, yours: Callable, first: str) -> None:
        """Run a student's function, right on every window alone, on the whole picture."""
        if self.flat and first != "images":
            if self.strides != (1, 1):
                self.tried += ": where windows start is not tried here"
                return
            # It knows of no padding either: its picture is the padded one.
            arguments, options, target = (self.padded[..., 0], self.kernel[..., 0, 0]), {}, self.output[..., 0]
        else:
            arguments, target = (self.images, self.kernel), self.output[None]
            options = {"bias": self.bias, "activation": self.activation}
            options |= {"strides": self.strides} if self.strides != (1, 1) else {}
            options |= {"padding": self.padding} if self.padding != "valid" else {}
            options = {name: value for name, value in options.items() if value is not None}
        self.tried += ", and on the whole picture"
        outcome = call(yours, *arguments, **options)
        if outcome.kind == "returned" and compare(outcome.value, target).kind == "right" and not outcome.changed:
            return
        places = np.arange(self.output.size).reshape(self.output.shape)
        for cell, place in enumerate(self.places):
            found = _judged(outcome, target, places[place])
            if found.off:
                off = f"each window alone is right, but given the whole picture: {found.off}"
                self.found[cell] = _Found(found.number, off, found.printed)

    def _question(self, first, row, column, one) -> tuple[tuple, dict, object]:
        """Arguments and options of a function whose first parameter has this name, and what it should return."""
        window, kernel, numbers = self.windows[row, column], self.kernel, self.output[row, column]
        if first == "patch":
            kernel = kernel[..., one]
            arguments = (window[..., 0], kernel[..., 0]) if self.flat else (window, kernel)
            return arguments, {}, float(numbers[one])
        options = {"bias": self.bias, "activation": self.activation}
        options = {name: value for name, value in options.items() if value is not None}
        if self.flat and first != "images":
            return (window[..., 0], kernel[..., 0, 0]), options, numbers.reshape(1, 1)
        return (window[None], kernel), options, numbers.reshape(1, 1, 1, -1)

    def answer(self, asked: dict) -> dict:
        """What to tell of the cell that a page asks for, or of the nearest that there is."""
        return self.tell(min(max(asked["cell"], 0), len(self.places) - 1))

    def tell(self, cell: int) -> dict:
        """All that is shown of one cell of the output, as JSON has it."""
        figure = draw(*self._parts(cell, cell + 1), widest=WIDEST)
        return {
            "cell": cell,
            "cells": len(self.places),
            "svg": figure.svg,
            "alt": figure.alt,
            "place": self._place(cell),
            "steps": self._steps(cell),
            "yours": self._yours(cell + 1, cell),
            "printed": self.found[cell].printed[:LONGEST] if cell < len(self.found) else "",
        }

    def still(self) -> Figure:
        """The first window with its arithmetic, and the output when all is done."""
        cells = len(self.places)
        figure = draw(*self._parts(0, cells), widest=WIDEST)
        said = [f"Cell 1 of {cells}: {self._place(0)}", *self._steps(0), self._yours(cells)]
        return _Still(figure.svg, figure.alt, tuple(filter(None, said)))

    def _parts(self, cell: int, done: int) -> list:
        """Of a figure: the window of one cell, and the output when the first `done` cells are known."""
        row, column, one = self.places[cell]
        window = (row * self.strides[0], column * self.strides[1], *self.kernel.shape[:2])
        picture, kernel = self.padded, self.kernel[..., one]
        if self.flat:
            picture, kernel = picture[..., 0], kernel[..., 0]
        rows, columns, filters = self.output.shape
        several = filters > 1
        parts = [
            grid(picture, "input", "padded input" if np.any(self.around) else "input", window, self.around),
            "∗",
            grid(kernel, "kernel", f"kernel of filter {one}" if several else "kernel", part=several),
        ]
        # While walking, the filter at hand is enough to look at.
        for at in [one] if done == cell + 1 else range(filters):
            cells = range(at * rows * columns, (at + 1) * rows * columns)
            frame = (row, column, 1, 1) if at == one else ()
            title = f"output of filter {at}" if several else "output"
            to_come = np.array(cells).reshape(rows, columns) >= done
            known = np.ma.array(self.output[..., at], mask=to_come)
            if at != one:
                parts += ["\n", "∗", grid(self.kernel[..., at], "kernel", f"kernel of filter {at}", part=True)]
            parts += ["\n"] if self.found else []
            parts += ["=", grid(known, "output", title, frame, part=several)]
            if self.found:
                off = any(found.off for found in self.found[cells.start : min(cells.stop, done)])
                parts += ["≠" if off else "=", self._mine(cells, done, (rows, columns), frame)]
        return parts

    def _mine(self, cells: range, done: int, shape: tuple, frame: tuple):
        """The numbers of a student's function in one plane, those that are off marked."""
        found = [self.found[cell] if cell < len(self.found) else _Found(0, "", "") for cell in cells]
        numbers = ["✗" if one.number is None else one.number for one in found]
        numbers = np.array(numbers, dtype=object if "✗" in numbers else float).reshape(shape)
        to_come = np.array(cells).reshape(shape) >= min(done, len(self.found))
        marks = np.array([bool(one.off) for one in found]).reshape(shape) & ~to_come
        return grid(np.ma.array(numbers, mask=to_come), "output", self.name, frame, marks=marks, part=True)

    def _place(self, cell: int) -> str:
        row, column, one = self.places[cell]
        return f"row {row}, column {column}" + (f" of filter {one}" if self.output.shape[2] > 1 else "")

    def _steps(self, cell: int) -> list[str]:
        row, column, one = self.places[cell]
        starts = [
            f"{axis} {at}·{stride} = {at * stride}"
            for axis, at, stride in zip(("row", "column"), (row, column), self.strides, strict=True)
        ]
        steps = [f"the window starts at {', '.join(starts)}"] if self.strides != (1, 1) else []
        window = self.windows[row, column].astype(float)
        # As they were given: a picture without channels has no "channel 0".
        window, kernel = (window[..., 0], self.kernel[:, :, 0]) if self.flat else (window, self.kernel)
        try:
            return steps + output_steps(window, kernel, self.bias, one, self.activation)
        except TooLong:
            number = short(self.output[row, column, one])
            return [*steps, f"{window.size} products, too many to write out; what comes out in the end: {number}"]

    def _yours(self, done: int, here: int | None = None) -> str:
        """What is to be said of a student's function after its first `done` cells, and of one of them."""
        if self.unwritten:
            return f"{self.name} is not written yet: these are the numbers that it has to find"
        off = [cell for cell, found in enumerate(self.found[:done]) if found.off]
        if not off:
            if not self.found:
                return ""
            if done < len(self.places):
                return f"✓ {self.name} agrees so far"
            return f"✓ {self.name} agrees at every window, {self.tried}"
        first = self.found[off[0]].off
        if here == off[0]:
            return f"✗ {self.name} differs here for the first time: {first}"
        said = f"✗ {self.name} differs first at {self._place(off[0])}: {first}"
        if here is not None and here >= len(self.found):
            return f"{said}. It was not run from there on"
        return f"{said}. Here: {self.found[here].off}" if here in off else said


def _judged(outcome: Outcome, target, place: int) -> _Found:
    """What came of one call. target: what it should return; place: of the number that is looked at, if several are."""
    if outcome.kind != "returned":
        return _Found(None, outcome.sentence, outcome.printed)
    comparison = compare(outcome.value, target)
    if comparison.kind not in ("right", "value"):
        return _Found(None, comparison.sentence, outcome.printed)
    number, expected = (float(np.ravel(value)[place if np.size(value) > 1 else 0]) for value in (outcome.value, target))
    off = compare(number, expected).sentence
    if not off and outcome.changed:
        off = f"the number agrees, but the function changed its input {' and '.join(outcome.changed)}"
    return _Found(number, off, outcome.printed)


def _numbers(name: str, array) -> np.ndarray:
    array = np.asarray(array)
    shapes = {"images": "(batch, rows, columns, channels)", "kernel": "(rows, columns, channels, filters)"}
    if array.ndim not in (2, 4):
        raise ValueError(
            f"{name} has shape {array.shape}, {array.ndim} axes: give (rows, columns), or four axes, {shapes[name]}"
        )
    if array.dtype.kind not in "iuf" or not array.size:
        raise ValueError(f"{name} has to hold numbers, and holds none: its shape is {array.shape}, type {array.dtype}")
    return array


def _strides(strides) -> tuple[int, int]:
    try:
        rows, columns = (operator.index(one) for one in pair(strides))
    except (TypeError, ValueError):
        rows = columns = 0
    if min(rows, columns) < 1:
        raise ValueError(f"strides is {strides!r}: give an int of 1 or more, or a pair of them, (rows, columns)")
    return rows, columns


def _shape(array: np.ndarray) -> str:
    return f"{array.shape[0]} × {array.shape[1]}"
