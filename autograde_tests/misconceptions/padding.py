"""Wrong ways to pad."""

import math

import numpy as np

from autograde_tests.misconceptions import misconception


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def _amounts(size, kernel_size, strides=1):
    total = max((math.ceil(size / strides) - 1) * strides + kernel_size - size, 0)
    return total // 2, total - total // 2


def _pad(images, kernel_size, strides, padding, amounts=_amounts, **how):
    if padding == "valid":
        return images
    kernel_size, strides = _pair(kernel_size), _pair(strides)
    around = [amounts(images.shape[axis + 1], kernel_size[axis], strides[axis]) for axis in (0, 1)]
    return np.pad(images, ((0, 0), *around, (0, 0)), **how)


@misconception("output_size", 'the "+ 1" is missing: the first place is there before the first step')
def missing_one(size, kernel_size, strides=1, padding="valid"):
    return math.ceil(size / strides) if padding == "same" else (size - kernel_size) // strides


@misconception("output_size", "steps that do not fit are rounded up instead of dropped")
def valid_rounded_up(size, kernel_size, strides=1, padding="valid"):
    return math.ceil(size / strides) if padding == "same" else math.ceil((size - kernel_size) / strides) + 1


@misconception("output_size", '"same" is taken as the input\'s size whatever the strides')
def same_ignores_strides(size, kernel_size, strides=1, padding="valid"):
    return size if padding == "same" else (size - kernel_size) // strides + 1


@misconception("output_size", '"same" is rounded down instead of up')
def same_rounded_down(size, kernel_size, strides=1, padding="valid"):
    return size // strides if padding == "same" else (size - kernel_size) // strides + 1


@misconception("output_size", "the strides are forgotten")
def no_strides(size, kernel_size, strides=1, padding="valid"):
    return size if padding == "same" else size - kernel_size + 1


@misconception("output_size", "the padding is ignored: it always stays inside")
def always_valid(size, kernel_size, strides=1, padding="valid"):
    return (size - kernel_size) // strides + 1


@misconception("padding_amounts", "the extra zero goes before the pixels instead of after")
def extra_before(size, kernel_size, strides=1):
    return _amounts(size, kernel_size, strides)[::-1]


@misconception("padding_amounts", "kernel_size // 2 on both sides is one too many for even kernels")
def half_on_both_sides(size, kernel_size, strides=1):
    return kernel_size // 2, kernel_size // 2


@misconception("padding_amounts", "(kernel_size - 1) // 2 on both sides is one too few for even kernels")
def smaller_half_on_both_sides(size, kernel_size, strides=1):
    return (kernel_size - 1) // 2, (kernel_size - 1) // 2


@misconception("padding_amounts", "always one zero on each side, whatever the kernel")
def always_one(size, kernel_size, strides=1):
    return 1, 1


@misconception("padding_amounts", "the strides are forgotten: larger steps need fewer zeros")
def amounts_without_strides(size, kernel_size, strides=1):
    return (kernel_size - 1) // 2, kernel_size // 2


@misconception("padding_amounts", "negative amounts: pixels are never taken away")
def negative_amounts(size, kernel_size, strides=1):
    total = (math.ceil(size / strides) - 1) * strides + kernel_size - size
    return total // 2, total - total // 2


@misconception("pad2d", "the extra row and column go to the top and left instead of the bottom and right")
def pad_extra_before(images, kernel_size, strides=(1, 1), padding="same"):
    return _pad(images, kernel_size, strides, padding, amounts=lambda *given: _amounts(*given)[::-1])


@misconception("pad2d", "the zeros of rows and columns are swapped")
def pad_axes_swapped(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images
    kernel_size, strides = _pair(kernel_size), _pair(strides)
    rows = _amounts(images.shape[1], kernel_size[0], strides[0])
    columns = _amounts(images.shape[2], kernel_size[1], strides[1])
    return np.pad(images, ((0, 0), columns, rows, (0, 0)))


@misconception("pad2d", "the border's pixels are repeated instead of zeros")
def pad_edge(images, kernel_size, strides=(1, 1), padding="same"):
    return _pad(images, kernel_size, strides, padding, mode="edge")


@misconception("pad2d", "the picture is mirrored at the border instead of zeros")
def pad_mirror(images, kernel_size, strides=(1, 1), padding="same"):
    return _pad(images, kernel_size, strides, padding, mode="symmetric")


@misconception("pad2d", "the channel axis is padded too")
def pad_channels(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images
    return np.pad(_pad(images, kernel_size, strides, padding), ((0, 0), (0, 0), (0, 0), (1, 1)))


@misconception("pad2d", "the batch axis is padded too")
def pad_batch(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images
    return np.pad(_pad(images, kernel_size, strides, padding), ((1, 1), (0, 0), (0, 0), (0, 0)))


@misconception("pad2d", "the strides are forgotten: larger steps need fewer zeros")
def pad_without_strides(images, kernel_size, strides=(1, 1), padding="same"):
    return _pad(images, kernel_size, 1, padding)


@misconception("pad2d", "the images that were given are changed in place")
def pad_in_place(images, kernel_size, strides=(1, 1), padding="same"):
    images *= 1.0
    padded = _pad(images, kernel_size, strides, padding)
    images[:] = 0
    return padded


@misconception("pad2d", '"valid" pads as well')
def pad_valid_too(images, kernel_size, strides=(1, 1), padding="same"):
    return _pad(images, kernel_size, strides, "same")


@misconception("pad2d", "always one zero on each side, whatever the kernel")
def pad_one(images, kernel_size, strides=(1, 1), padding="same"):
    return _pad(images, kernel_size, strides, padding, amounts=lambda *given: (1, 1))
