"""How a layer comes to one number of its output, written out as a person would; and what padding adds for it.

A step is one line, "what: this = that". What it says is worked out here, from the numbers alone.
"""

import numpy as np

from convblocks.compare import short

MOST_TERMS = 60
"""Terms of a sum; nobody follows a longer one."""


class TooLong(Exception):
    """A sum of more than MOST_TERMS terms: nobody would follow it."""


def output_steps(window: np.ndarray, kernel: np.ndarray, bias, one: int, activation) -> list[str]:
    """How output `one` comes of what it sees: products, their sum, the bias, the activation.

    window: (rows, columns, channels), or the inputs of a dense layer, (inputs,). kernel: the same axes and one more for
    the filters or units. bias: (filters,), or None. activation: as in `activated`. Raises TooLong.
    """
    steps, total = products(window, kernel[..., one])
    sums = np.tensordot(window, kernel, axes=window.ndim) + (0 if bias is None else bias)
    if bias is not None:
        steps.append(f"with its bias: {short(total)} + {term(bias[one])} = {short(sums[one])}")
    return steps + activation_steps(sums, one, activation)


def products(window: np.ndarray, kernel: np.ndarray) -> tuple[list[str], float]:
    """Pixel times weight, added up: a line for each channel, and one for their sum; and that sum.

    window, kernel: of the same shape, (rows, columns, channels) or fewer axes. Raises TooLong.
    """
    if window.size > MOST_TERMS:
        raise TooLong
    planes = [(window, kernel)]
    if window.ndim == 3:
        planes = [(window[..., channel], kernel[..., channel]) for channel in range(window.shape[2])]
    steps, sums = [], []
    for channel, (pixels, weights) in enumerate(planes):
        pixels, weights = (one.ravel().astype(float) for one in (pixels, weights))
        terms = [
            f"{term(pixel) if at else short(pixel)}·{term(weight)}"
            for at, (pixel, weight) in enumerate(zip(pixels, weights, strict=True))
        ]
        sums.append(float(pixels @ weights))
        of = "input" if window.ndim == 1 else "pixel"
        name = f"{of} times weight, added up" if len(planes) == 1 else f"channel {channel}"
        steps.append(f"{name}: {' + '.join(terms)} = {short(sums[-1])}")
    if len(planes) > 1:
        terms = [term(number) if at else short(number) for at, number in enumerate(sums)]
        steps.append(f"all channels: {' + '.join(terms)} = {short(sum(sums))}")
    return steps, sum(sums)


def term(number) -> str:
    """A number behind a sign: negative ones in brackets."""
    return f"({short(number)})" if number < 0 else short(number)


ACTIVATIONS = (None, "linear", "relu", "sigmoid", "softmax")


def activated(sums: np.ndarray, activation) -> np.ndarray:
    """One of ACTIVATIONS of an array of any shape, softmax over its last axis."""
    sums = np.asarray(sums, dtype=float)
    if activation == "relu":
        return np.maximum(sums, 0)
    if activation == "sigmoid":
        # Neither power can overflow: the one of a positive number is never taken.
        power = np.exp(-abs(sums))
        return np.where(sums < 0, power, 1) / (1 + power)
    if activation == "softmax":
        powers = np.exp(sums - sums.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)
    return sums


def activation_steps(sums: np.ndarray, one: int, activation) -> list[str]:
    """An activation of `sums[one]`; softmax takes all of them."""
    number, result = float(sums[one]), short(activated(sums, activation)[one])
    if activation == "relu":
        return [f"relu: max(0, {short(number)}) = {result}"]
    if activation == "sigmoid":
        return [f"sigmoid: 1 / (1 + e^({short(-number)})) = {result}"]
    if activation == "softmax":
        largest = float(sums.max())
        steps, less = [], ""
        if abs(largest) > 50:
            steps.append("the largest is subtracted first, which changes no quotient but keeps the powers small")
            less = f" − {term(largest)}"
        powers = [f"e^({short(float(one))}{less})" for one in sums]
        return [*steps, f"softmax: {powers[one]} / ({' + '.join(powers)}) = {result}"]
    return []


def pair(value) -> tuple[int, int]:
    """An int, for both rows and columns, or a pair of them."""
    return (value, value) if isinstance(value, int) else tuple(value)


def axis_sizes(images, kernel_size, strides) -> list[tuple[int, int, int]]:
    """Pixels, window and step along rows and along columns; images: (batch, rows, columns, channels)."""
    return list(zip(images.shape[1:3], pair(kernel_size), pair(strides), strict=True))


def padding_around(images, size, strides, padding) -> list[tuple[int, int]]:
    """The cells that padding adds before and after the rows, and the columns; images: as in `axis_sizes`."""
    return [same_amounts(*sizes) if padding == "same" else (0, 0) for sizes in axis_sizes(images, size, strides)]


def same_amounts(size, kernel_size, strides=1) -> tuple[int, int]:
    """Zeros that "same" puts before and after the pixels of one axis."""
    missing = missing_pixels(size, kernel_size, strides)
    return missing // 2, missing - missing // 2


def missing_pixels(size, kernel_size, strides) -> int:
    """By how much the windows of "same" reach over the pixels of one axis."""
    return max((-(-size // strides) - 1) * strides + kernel_size - size, 0)
