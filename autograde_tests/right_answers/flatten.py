"""Right ways to flatten and to weigh the row."""

import numpy as np

from autograde_tests.misconceptions.flatten import _activate
from autograde_tests.right_answers import right_answer


@right_answer("flatten")
def with_lists(images):
    return [[value for row in image for pixel in row for value in pixel] for image in images.tolist()]


@right_answer("flatten")
def with_ravel(images):
    return np.array([image.ravel() for image in images], dtype=np.float32)


@right_answer("flatten")
def value_by_value(images):
    batch, rows, columns, channels = images.shape
    flat = np.zeros((batch, rows * columns * channels))
    for image, row, column, channel in np.ndindex(images.shape):
        flat[image, channel + channels * (column + columns * row)] = images[image, row, column, channel]
    return flat


@right_answer("flatten")
def with_concatenate(images):
    pixels = [images[:, row, column] for row in range(images.shape[1]) for column in range(images.shape[2])]
    return np.concatenate(pixels, axis=1)


@right_answer("flat_index")
def with_ravel_multi_index(row, column, channel, shape):
    return np.ravel_multi_index((row, column, channel), shape)


@right_answer("flat_index")
def with_strides(row, column, channel, shape):
    return int(np.dot([row, column, channel], np.zeros(shape, dtype=np.int8).strides))


@right_answer("flat_index")
def searched(row, column, channel, shape):
    return list(np.ndindex(*shape)).index((row, column, channel))


@right_answer("flat_index")
def with_a_table(row, column, channel, shape):
    return np.arange(np.prod(shape)).reshape(shape)[row, column, channel]


@right_answer("unflat_index")
def with_unravel_index(index, shape):
    return np.unravel_index(index, shape)


@right_answer("unflat_index")
def listed(index, shape):
    return list(list(np.ndindex(*shape))[index])


@right_answer("unflat_index")
def counted_up(index, shape):
    row = column = channel = 0
    for _ in range(index):
        channel += 1
        if channel == shape[2]:
            channel, column = 0, column + 1
        if column == shape[1]:
            column, row = 0, row + 1
    return row, column, channel


@right_answer("unflat_index")
def from_the_end(index, shape):
    index, channel = divmod(index, shape[2])
    return np.array([index // shape[1], index % shape[1], channel])


@right_answer("dense")
def with_einsum(x, kernel, bias=None, activation=None):
    return _activate(np.einsum("bi,iu->bu", x, kernel) + (0 if bias is None else bias), activation)


@right_answer("dense")
def with_loops(x, kernel, bias=None, activation=None):
    units = np.zeros((len(x), kernel.shape[1]))
    for row in range(len(x)):
        for unit in range(kernel.shape[1]):
            for place in range(len(kernel)):
                units[row, unit] += x[row, place] * kernel[place, unit]
            if bias is not None:
                units[row, unit] += bias[unit]
    return _activate(units, activation).tolist()


@right_answer("dense")
def in_float32(x, kernel, bias=None, activation=None):
    x, kernel = x.astype(np.float32), kernel.astype(np.float32)
    return _activate(x.dot(kernel) + np.float32(0 if bias is None else bias), activation)


@right_answer("dense")
def with_a_one_for_the_bias(x, kernel, bias=None, activation=None):
    bias = np.zeros(kernel.shape[1]) if bias is None else bias
    return _activate(np.hstack([x, np.ones((len(x), 1))]) @ np.vstack([kernel, bias]), activation)


@right_answer("flatten")
def recursively(images):
    def row(part):
        return row(part[0]) + row(part[1:]) if np.ndim(part) and len(part) else [part] * (not np.ndim(part))

    return [row(image) for image in images]


@right_answer("flat_index")
def as_a_number_with_digits(row, column, channel, shape):
    index = 0
    for digit, base in zip((row, column, channel), shape, strict=True):
        index *= base
        index += digit
    return index


@right_answer("unflat_index")
def digit_by_digit(index, shape):
    if not shape:
        return ()
    return (*digit_by_digit(index // shape[-1], shape[:-1]), index % shape[-1])


@right_answer("dense")
def added_in_place(x, kernel, bias=None, activation="linear"):
    units = np.zeros((len(x), kernel.shape[1]))
    if bias is not None:
        units += bias
    for column, weights in zip(x.T, kernel, strict=True):
        units += np.outer(column, weights)
    return _activate(units, None if activation == "linear" else activation)
