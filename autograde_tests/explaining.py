"""How Keras comes to the first number that differs, written out: for hidden cases that may be shown.

Every function below has the arguments of the graded function that it is named after, and `yours` and `keras`, the two
results. It works the numbers out itself, from the arguments alone; a test proves that it gets what Keras gets.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autograde_tests.cases import Case
from convblocks.arithmetic import (
    TooLong,
    activation_steps,
    axis_sizes,
    missing_pixels,
    output_steps,
    padding_around,
    pair,
    products,
    same_amounts,
)
from convblocks.checks import describe_call
from convblocks.compare import TOLERANCE, compare, short
from convblocks.figures import Figure, Grid, decimals_to_differ, draw, grid
from convblocks.shapes import CLASSES

WIDEST = 350
"""Pixels: what a phone shows without making it smaller."""


@dataclass(frozen=True)
class Explanation:
    """figure: the numbers that it takes, and what came of them; steps: the arithmetic, a line each, "what: this = that"."""

    figure: Figure | None
    steps: tuple[str, ...]


EXPLAINERS: dict[str, Callable] = {}


def explain(name: str, case: Case, yours, expected) -> Explanation | None:
    """How Keras comes to the first number in which `yours` differs from `expected`; None where nothing can be shown.

    name: the check's. Only of showable cases, and only of results that could be compared number by number or by shape.
    """
    if not case.showable or name not in EXPLAINERS or compare(yours, expected).kind not in ("value", "shape"):
        return None
    try:
        found = EXPLAINERS[name](*case.args, **case.kwargs, yours=yours, keras=expected)
    except TooLong:
        return None
    call = describe_call(EXPLAINERS[name], case.args, case.kwargs)
    return Explanation(found.figure, (f"the call: {call}", *found.steps))


def _explains(function: Callable) -> Callable:
    EXPLAINERS[function.__name__] = function
    return function


# 1-padding


@_explains
def output_size(size, kernel_size, strides=1, padding="valid", *, yours, keras):
    before, after = same_amounts(size, kernel_size, strides) if padding == "same" else (0, 0)
    return Explanation(
        _windows(size, kernel_size, strides, keras, before, after), (_size_step(size, kernel_size, strides, padding),)
    )


@_explains
def padding_amounts(size, kernel_size, strides=1, *, yours, keras):
    before, after = same_amounts(size, kernel_size, strides)
    picture = _windows(size, kernel_size, strides, -(-size // strides), before, after)
    return Explanation(picture, _amount_steps(size, kernel_size, strides, ("before", "after")))


@_explains
def pad2d(images, kernel_size, strides=(1, 1), padding="same", *, yours, keras):
    steps = []
    for axis, names in enumerate((("above", "below"), ("left", "right"))):
        if padding == "same":
            sizes = axis_sizes(images, kernel_size, strides)[axis]
            steps += _amount_steps(*sizes, names, f"along the {('rows', 'columns')[axis]}, ")
    around = padding_around(images, kernel_size, strides, padding)
    place = _first_difference(yours, keras)
    if place is None:
        steps += _shape_steps(images, around)
        return Explanation(_both(yours, keras), tuple(steps))
    image, row, column, channel = place
    (top, _), (left, _) = around
    row, column = row - top, column - left
    if 0 <= row < images.shape[1] and 0 <= column < images.shape[2]:
        at = f"[{image}, {place[1]} − {top}, {place[2]} − {left}, {channel}]"
        steps.append(f"inside: images{at} = {short(images[image, row, column, channel])}")
    else:
        steps.append(f"[{_said(place)}] lies in the padding, so it is 0")
    shown = grid(images[image, :, :, channel], "input", _plane_name("images", images, image, channel), part=True)
    return Explanation(draw(shown, "\n", *_outcomes(yours, keras, place), widest=WIDEST), tuple(steps))


# 2-conv-forward


@_explains
def weighted_sum(patch, kernel, *, yours, keras):
    steps, _ = products(np.asarray(patch), np.asarray(kernel))
    figure = draw(
        grid(patch, "input", "patch"), "∗", grid(kernel, "kernel"), "\n", *_numbers(yours, keras), widest=WIDEST
    )
    return Explanation(figure, tuple(steps))


@_explains
def correlate2d(image, kernel, *, yours, keras):
    return _convolution(image[None, :, :, None], kernel[:, :, None, None], yours=yours, keras=keras)


@_explains
def conv2d(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None, *, yours, keras):
    return _convolution(images, kernel, bias, strides, padding, activation, yours=yours, keras=keras)


def _convolution(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None, *, yours, keras):
    """conv2d, and correlate2d as its case of one channel and filter, whose results have rows and columns alone."""
    size, (row_strides, column_strides) = kernel.shape[:2], pair(strides)
    around = padding_around(images, size, strides, padding)
    place = _first_difference(yours, keras)
    if place is None:
        steps = _size_steps(images, size, strides, padding)
        return Explanation(_both(yours, keras), (*steps, *_filter_step(kernel, keras)))
    image, row, column, one = place if len(place) == 4 else (0, *place, 0)
    padded = np.pad(images.astype(float), ((0, 0), *around, (0, 0)))
    top, left = row * row_strides, column * column_strides
    window = padded[image, top : top + size[0], left : left + size[1]]
    steps = [f"row: {row}·{row_strides} = {top}", f"column: {column}·{column_strides} = {left}"]
    steps = [f"the window starts at {step}" for step in steps] if (row_strides, column_strides) != (1, 1) else []
    steps += output_steps(window, kernel, bias, one, activation)
    title = "image" if len(place) == 2 else _plane_name("images", images, image, None)
    figure = draw(
        _cut(padded[image], around, (top, left, *size), title),
        "∗",
        grid(kernel[..., one], "kernel", "kernel" if kernel.shape[-1] == 1 else f"kernel of filter {one}", part=True),
        "\n",
        *_outcomes(yours, keras, place),
        widest=WIDEST,
    )
    return Explanation(figure, tuple(steps))


@_explains
def activate(x, activation=None, *, yours, keras):
    place = _first_difference(yours, keras)
    if place is None:
        steps = (f"shape: an activation keeps it, {_shape(np.shape(x))}",)
        return Explanation(_both(yours, keras), steps)
    line, last = x[place[:-1]], place[-1]
    if activation in (None, "linear"):
        steps = [f"nothing changes, it stays {short(line[last])}"]
    else:
        steps = activation_steps(line.astype(float), last, activation)
    parts = [
        grid(line[None], "input", f"x{_at(place[:-1])}", windows=(0, last, 1, 1), part=True),
        *_outcomes(yours, keras, place),
    ]
    return Explanation(draw(parts[0], "\n", *parts[1:], widest=WIDEST), tuple(steps))


# 3-weight-counting


@_explains
def dense_params(inputs, units, use_bias=True, *, yours, keras):
    return Explanation(None, (_dense_step(inputs, units, use_bias),))


@_explains
def conv2d_params(kernel_size, in_channels, filters, use_bias=True, *, yours, keras):
    return Explanation(None, (_conv_step(pair(kernel_size), in_channels, filters, use_bias),))


@_explains
def summarize(input_shape, layers, *, yours, keras):
    mine = yours.tolist() if isinstance(yours, np.ndarray) else yours
    wrong = [i for i, (one, target) in enumerate(zip(mine, keras, strict=False)) if not compare(one, target).agrees]
    if not wrong:
        return Explanation(None, (f"there is one pair for every layer: {len(layers)}",))
    place = wrong[0]
    shape = tuple(input_shape) if place == 0 else keras[place - 1][0]
    layer = layers[place]
    name = f"layer {place}, {layer['layer']}, gets {_shape(shape)}"
    return Explanation(None, tuple(f"{name}; {step}" for step in _layer_steps(layer, shape)))


_NO_WEIGHTS = "weights, as nothing in it is learned: 0"


def _layer_steps(layer: dict, shape: tuple) -> list[str]:
    """Output shape and weights of a layer that gets an input of this shape."""
    kind = layer["layer"]
    if kind == "Flatten":
        return [f"numbers: {'·'.join(map(str, shape))} = {math.prod(shape)}", _NO_WEIGHTS]
    if kind == "Dense":
        inputs, units = shape[-1], layer["units"]
        return [
            f"numbers, as many as units: {units}",
            f"weights: {_dense_step(inputs, units, layer.get('use_bias', True))}",
        ]
    pools = kind == "MaxPooling2D"
    size = pair(layer.get("pool_size", 2) if pools else layer["kernel_size"])
    strides = pair((layer.get("strides") or size) if pools else layer.get("strides", 1))
    padding = layer.get("padding", "valid")
    steps = [
        f"{axis}: {_size_step(*sizes, padding)}"
        for axis, *sizes in zip(("rows", "columns"), shape[:2], size, strides, strict=True)
    ]
    if pools:
        return [*steps, f"channels stay: {shape[2]}", _NO_WEIGHTS]
    filters = layer["filters"]
    weights = _conv_step(size, shape[2], filters, layer.get("use_bias", True))
    return [*steps, f"channels, one for each filter: {filters}", f"weights: {weights}"]


# 4-max-pool


@_explains
def max_pool2d(images, pool_size=(2, 2), strides=None, padding="valid", *, yours, keras):
    size = pair(pool_size)
    strides = size if strides is None else pair(strides)
    around = padding_around(images, size, strides, padding)
    place = _first_difference(yours, keras)
    if place is None:
        steps = _size_steps(images, size, strides, padding)
        return Explanation(_both(yours, keras), tuple(steps))
    image, row, column, channel = place
    starts = [at * step - before for at, step, (before, _) in zip((row, column), strides, around, strict=True)]
    top, left = (max(start, 0) for start in starts)
    bottom, right = (start + reach for start, reach in zip(starts, size, strict=True))
    window = images[image, top:bottom, left:right, channel]
    height, width = window.shape
    numbers = [short(number) for number in window.ravel()]
    largest = f"max({', '.join(numbers)}) = {short(window.max())}" if len(numbers) > 1 else f"{numbers[0]} alone"
    steps = [f"rows {top} to {top + height - 1}, columns {left} to {left + width - 1}: {largest}"]
    if window.size < math.prod(size):
        steps.insert(0, "the window hangs over the edge; what lies outside takes no part")
    where = (top, left, height, width)
    figure = draw(
        _cut(images[image, :, :, channel], [(0, 0)] * 2, where, _plane_name("images", images, image, channel)),
        "\n",
        *_outcomes(yours, keras, place),
        widest=WIDEST,
    )
    return Explanation(figure, tuple(steps))


@_explains
def unchanged_fraction(image, moved, pool_size, *, yours, keras):
    before, after = (_pooled(one, pair(pool_size)) for one in (image, moved))
    stays = before == after
    figure = draw(
        grid(before, "output", "image, pooled"),
        grid(after, "output", "moved, pooled", marks=~stays),
        "\n",
        *_numbers(yours, keras),
        widest=WIDEST,
    )
    steps = (
        f"pooled pixels: {before.shape[0]}·{before.shape[1]} = {before.size}",
        f"unchanged of them: {int(stays.sum())} / {before.size} = {short(stays.mean())}",
    )
    return Explanation(figure, steps)


def _pooled(image, size) -> np.ndarray:
    rows, columns = (whole // reach for whole, reach in zip(image.shape, size, strict=True))
    cut = image[: rows * size[0], : columns * size[1]]
    return cut.reshape(rows, size[0], columns, size[1]).max(axis=(1, 3))


# 5-flatten


@_explains
def flatten(images, *, yours, keras):
    _, rows, columns, channels = images.shape
    place = _first_difference(yours, keras)
    if place is None:
        return Explanation(_both(yours, keras), (f"numbers of a row: {rows}·{columns}·{channels} = {keras.shape[1]}",))
    image, index = place
    row, column, channel = (int(at) for at in np.unravel_index(index, images.shape[1:]))
    steps = (
        f"place: {_flat_sum(row, column, channel, columns, channels)} = {index}",
        f"so there comes: images[{image}, {row}, {column}, {channel}] = {short(images[image, row, column, channel])}",
    )
    figure = draw(
        _cut(
            images[image, :, :, channel],
            [(0, 0)] * 2,
            (row, column, 1, 1),
            _plane_name("images", images, image, channel),
        ),
        "\n",
        *_outcomes(yours, keras, place),
        widest=WIDEST,
    )
    return Explanation(figure, steps)


@_explains
def flat_index(row, column, channel, shape, *, yours, keras):
    return Explanation(
        None, (f"(row·columns + column)·channels + channel: {_flat_sum(row, column, channel, *shape[1:])} = {keras}",)
    )


@_explains
def unflat_index(index, shape, *, yours, keras):
    _, columns, channels = shape
    rest = index % (columns * channels)
    return Explanation(
        None,
        (
            f"a row holds {columns}·{channels} numbers; row: {index} // ({columns}·{channels}) = {keras[0]}",
            f"left over: {index} % ({columns}·{channels}) = {rest}",
            f"column: {rest} // {channels} = {keras[1]}",
            f"channel: {rest} % {channels} = {keras[2]}",
        ),
    )


def _flat_sum(row, column, channel, columns, channels) -> str:
    return f"({row}·{columns} + {column})·{channels} + {channel}"


@_explains
def dense(x, kernel, bias=None, activation=None, *, yours, keras):
    place = _first_difference(yours, keras)
    if place is None:
        steps = (
            f"rows, as in x: {len(x)}",
            f"columns, one for each unit, as in the kernel: {kernel.shape[1]}",
        )
        return Explanation(_both(yours, keras), steps)
    row, unit = place
    steps = output_steps(x[row], kernel, bias, unit, activation)
    figure = draw(
        grid(x[row][None], "input", f"x[{row}]", part=True),
        "\n",
        _cut(kernel, [(0, 0)] * 2, (0, unit, len(kernel), 1), "kernel", "kernel"),
        "\n",
        *_outcomes(yours, keras, place),
        widest=WIDEST,
    )
    return Explanation(figure, tuple(steps))


# 6-shapes-classifier


@_explains
def forward(images, weights, *, yours, keras):
    place = _first_difference(yours, keras)
    if place is None:
        return Explanation(
            _both(yours, keras), (f"a row for every drawing: {len(images)}", "a probability for each shape: 3")
        )
    row, one = place
    last = _scores(images, weights)
    steps = []
    mine = np.asarray(yours, dtype=float)
    if np.allclose(mine, last, rtol=TOLERANCE, atol=TOLERANCE):
        steps.append("yours are the numbers before softmax")
    elif not np.allclose(mine.sum(axis=1), 1, atol=1e-3):
        steps.append(
            f"the three numbers of a drawing add up to 1; yours of drawing {row} add up to {short(mine[row].sum())}"
        )
    steps += activation_steps(last[row], one, "softmax")
    return Explanation(draw(*_outcomes(yours, keras, place), widest=WIDEST), tuple(steps))


@_explains
def predict(images, weights, *, yours, keras):
    mine = [str(one) for one in yours] if isinstance(yours, list) else np.asarray(yours).tolist()
    wrong = [i for i, (one, target) in enumerate(zip(mine, keras, strict=False)) if one != target]
    if not wrong:
        return Explanation(None, (f"there is one name for every drawing: {len(images)}",))
    scores = _scores(images, weights)[wrong[0]]
    said = ", ".join(f"{name} {short(score)}" for name, score in zip(CLASSES, scores, strict=True))
    largest = f"max({', '.join(map(short, scores))}) = {short(scores.max())}"
    return Explanation(
        None,
        (f"drawing {wrong[0]} has before softmax {said}; the largest: {largest}", f"so its name is {keras[wrong[0]]}"),
    )


def _scores(images, weights) -> np.ndarray:
    """What the last layer gives before softmax."""
    conv1, bias1, conv2, bias2, dense1, bias3, dense2, bias4 = (np.asarray(one, dtype=float) for one in weights)
    maps = np.asarray(images, dtype=float)
    for kernel, bias in ((conv1, bias1), (conv2, bias2)):
        around = [same_amounts(*sizes) for sizes in axis_sizes(maps, kernel.shape[:2], 1)]
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(maps, ((0, 0), *around, (0, 0))), kernel.shape[:2], (1, 2)
        )
        maps = np.maximum(np.einsum("nrcaij,ijaf->nrcf", windows, kernel) + bias, 0)
        maps = np.stack([[_pooled(plane, (2, 2)) for plane in np.moveaxis(one, -1, 0)] for one in maps])
        maps = np.moveaxis(maps, 1, -1)
    hidden = np.maximum(maps.reshape(len(maps), -1) @ dense1 + bias3, 0)
    return hidden @ dense2 + bias4


# Sizes, written out


def _size_steps(images, size, strides, padding) -> list[str]:
    return [
        f"{name}: {_size_step(*sizes, padding)}"
        for name, sizes in zip(("rows", "columns"), axis_sizes(images, size, strides), strict=True)
    ]


def _amount_steps(size, kernel_size, strides, names, along="") -> tuple[str, ...]:
    outputs, missing = -(-size // strides), missing_pixels(size, kernel_size, strides)
    span = (outputs - 1) * strides + kernel_size
    before, after = same_amounts(size, kernel_size, strides)
    return (
        f"{along}windows, one for every started step: ceil({size} / {strides}) = {outputs}",
        f"they reach over: ({outputs} − 1)·{strides} + {kernel_size} = {span}",
        f"pixels missing, never less than none: max({span} − {size}, 0) = {missing}",
        f"{names[0]}: {missing} // 2 = {before}",
        f"{names[1]}, the rest: {missing} − {before} = {after}",
    )


def _size_step(size, kernel_size, strides, padding) -> str:
    if padding == "same":
        return f"one output for every started step: ceil({size} / {strides}) = {-(-size // strides)}"
    return f"({size} − {kernel_size}) // {strides} + 1 = {(size - kernel_size) // strides + 1}"


def _shape_steps(images, around) -> list[str]:
    return [
        f"{name}: {before} + {size} + {after} = {before + size + after}"
        for name, size, (before, after) in zip(("rows", "columns"), images.shape[1:3], around, strict=True)
    ]


def _filter_step(kernel, keras) -> tuple[str, ...]:
    if keras.ndim == 2:
        return ()
    return (f"channels, one for each filter: {kernel.shape[-1]}",)


def _dense_step(inputs, units, use_bias) -> str:
    biases = f" + {units}" * bool(use_bias)
    return f"{inputs}·{units}{biases} = {inputs * units + units * bool(use_bias)}"


def _conv_step(size, channels, filters, use_bias) -> str:
    biases = f" + {filters}" * bool(use_bias)
    return f"{size[0]}·{size[1]}·{channels}·{filters}{biases} = {math.prod(size) * channels * filters + filters * bool(use_bias)}"


# Pictures


def _shape(shape) -> str:
    return " × ".join(map(str, shape))


def _said(place) -> str:
    return ", ".join(map(str, place))


def _at(place) -> str:
    return f"[{_said(place)}]" if place else ""


def _plane_name(name, images, image, channel) -> str:
    said = f"{name}[{image}]"
    return said if channel is None or images.shape[-1] == 1 else f"{said}, channel {channel}"


def _first_difference(yours, keras) -> tuple[int, ...] | None:
    """Where `yours` is first off, None when its shape is."""
    mine = np.asarray(yours)
    if mine.shape != keras.shape:
        return None
    wrong = ~np.isclose(mine, keras, rtol=TOLERANCE, atol=TOLERANCE)
    return tuple(int(axis) for axis in np.argwhere(wrong)[0])


def _numbers(yours, keras) -> list:
    """Two results that are single numbers."""
    try:
        mine = np.asarray(yours, dtype=float)
    except (TypeError, ValueError):
        return []
    if mine.size != 1:
        return []
    mine, target, marks = mine.reshape(1, 1), np.array([[keras]]), np.array([[True]])
    decimals = decimals_to_differ(mine, target, marks)
    return [
        grid(mine, "output", "yours", marks=marks, part=True, decimals=decimals),
        "≠",
        grid(target, "output", "Keras", part=True, decimals=decimals),
    ]


def _both(yours, keras) -> Figure | None:
    """Two results of different shape; of batches the first image and channel."""
    mine = np.asarray(yours)
    if mine.dtype.kind not in "iuf" or not mine.size or mine.ndim > 4 or not mine.ndim or mine.size > 300:
        return None
    parts = []
    for title, array in (("yours", mine), ("Keras", keras)):
        title = f"{title} {array.shape}"
        if array.ndim == 4:
            array, title = array[0, :, :, 0], f"{title}, [0, :, :, 0]"
        parts.append(grid(array, "output", title, part=True))
    return draw(parts[0], "≠", parts[1], widest=WIDEST)


def _outcomes(yours, keras, place) -> list:
    """The surroundings of one place in both results, what differs marked."""
    mine = np.asarray(yours)
    marks = ~np.isclose(mine, keras, rtol=TOLERANCE, atol=TOLERANCE)
    image = keras.ndim == 4
    rows, columns = (1, 2) if image else (keras.ndim - 2, keras.ndim - 1)
    # One plane of it: rows and columns of the same image and channel, or the last two axes of anything else.
    plane = tuple(slice(None) if axis in (rows, columns) else at for axis, at in enumerate(place))
    at = (place[rows], place[columns])
    (mine, top, left), (target, *_), (marks, *_) = (
        _around(array[plane], (*at, 1, 1), 3) for array in (mine, keras, marks)
    )
    where, decimals = (at[0] - top, at[1] - left, 1, 1), decimals_to_differ(mine, target, marks)
    parts = [
        grid(part, "output", _of(title, part, keras[plane]), where, marks=crossed, part=True, decimals=decimals)
        for title, part, crossed in (("yours", mine, marks), ("Keras", target, None))
    ]
    return [parts[0], "≠", parts[1], "\n", f"framed: {_at(place)}"]


def _cut(pixels, padding, window, title, role="input") -> Grid:
    """The surroundings of a window in a picture that is padded already, (rows, columns) or with channels."""
    row, column, height, width = window
    part, top, left = _around(pixels, window, 5)
    inside = []
    for (before, after), start, reach, whole in zip(
        padding, (top, left), part.shape[:2], pixels.shape[:2], strict=True
    ):
        inside.append((max(before - start, 0), max(start + reach - (whole - after), 0)))
    where = (row - top, column - left, height, width)
    return grid(part, role, _of(title, part, pixels), windows=where, padding=tuple(inside), part=True)


def _of(title: str, part: np.ndarray, whole: np.ndarray) -> str:
    """The title of a picture, which says so where it shows a part."""
    return title if part.shape[:2] == whole.shape[:2] else f"part of {title}"


def _around(array, window, most) -> tuple[np.ndarray, int, int]:
    """A part of an array of `most` rows and columns or what the window needs, and where it starts."""
    cuts = []
    for start, reach, whole in zip(window[:2], window[2:], array.shape[:2], strict=True):
        size = min(max(most, reach), whole)
        cuts.append(min(max(start - (size - reach) // 2, 0), whole - size))
    top, left = cuts
    sizes = [min(max(most, reach), whole) for reach, whole in zip(window[2:], array.shape[:2], strict=True)]
    return array[top : top + sizes[0], left : left + sizes[1]], top, left


def _windows(size, kernel_size, strides, count, before, after) -> Figure:
    """An axis once for every place of its window; padding dashed."""
    whole = before + size + after
    axis = np.array([""] * before + [str(at) for at in range(size)] + [""] * after)
    frames = [(row, row * strides, 1, kernel_size) for row in range(count)]
    return draw(
        grid(
            np.tile(axis, (count, 1)),
            "input",
            "the pixels, and each place of the window",
            frames,
            ((0, 0), (before, after)),
            part=True,
        ),
        alt=f"{whole} cells, {before} of padding before {size} pixels and {after} after; the window of {kernel_size} starts at cell "
        + ", ".join(str(row * strides) for row in range(count)),
    )
