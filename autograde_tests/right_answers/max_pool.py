"""Right ways to pool."""

import math

import numpy as np

from autograde_tests.right_answers import right_answer


def _two(value):
    return [int(one) for one in np.broadcast_to(value, 2)]


@right_answer("max_pool2d")
def pool_six_loops(images, pool_size=(2, 2), strides=None, padding="valid"):
    if strides is None:
        strides = pool_size
    batch, rows, columns, channels = images.shape
    (high, wide), (down, right) = _two(pool_size), _two(strides)
    if padding == "same":
        places = math.ceil(rows / down), math.ceil(columns / right)
        top = max((places[0] - 1) * down + high - rows, 0) // 2
        left = max((places[1] - 1) * right + wide - columns, 0) // 2
    else:
        places = (rows - high) // down + 1, (columns - wide) // right + 1
        top = left = 0
    pooled = np.full((batch, *places, channels), -np.inf)
    for picture in range(batch):
        for row in range(places[0]):
            for column in range(places[1]):
                for channel in range(channels):
                    for y in range(row * down - top, row * down - top + high):
                        for x in range(column * right - left, column * right - left + wide):
                            # Cells outside of the picture are skipped, so nothing has to be padded.
                            if 0 <= y < rows and 0 <= x < columns:
                                pixel = images[picture, y, x, channel]
                                pooled[picture, row, column, channel] = max(
                                    pooled[picture, row, column, channel], pixel
                                )
    return pooled


@right_answer("max_pool2d")
def pool_clipped_slices(images, pool_size=(2, 2), strides=None, padding="valid"):
    """Lists of lists, windows clipped at the edges."""
    (high, wide), (down, right) = _two(pool_size), _two(pool_size if strides is None else strides)
    rows, columns = images.shape[1:3]

    def spans(size, pool, step):
        if padding != "same":
            return [(start, start + pool) for start in range(0, size - pool + 1, step)]
        before = max((-(-size // step) - 1) * step + pool - size, 0) // 2
        return [(max(start, 0), start + pool) for start in range(-before, size - before, step)][: -(-size // step)]

    return [
        [
            [
                [picture[top:bottom, left:end, channel].max() for channel in range(images.shape[3])]
                for left, end in spans(columns, wide, right)
            ]
            for top, bottom in spans(rows, high, down)
        ]
        for picture in images
    ]


def _filled(images, pool_size, strides, padding, **how):
    (high, wide), (down, right) = _two(pool_size), _two(strides)
    if padding == "valid":
        return images
    around = []
    for size, pool, step in zip(images.shape[1:3], (high, wide), (down, right), strict=True):
        missing = max(pool - (size % step or step), 0)
        around.append((missing // 2, missing - missing // 2))
    return np.pad(images, ((0, 0), *around, (0, 0)), **how)


@right_answer("max_pool2d")
def pool_stride_tricks_in_float32(images, pool_size=(2, 2), strides=None, padding="valid"):
    strides = strides or pool_size
    images = _filled(images.astype(np.float32), pool_size, strides, padding, constant_values=np.finfo(np.float32).min)
    windows = np.lib.stride_tricks.sliding_window_view(images, tuple(_two(pool_size)), axis=(1, 2))
    down, right = _two(strides)
    return windows[:, ::down, ::right].max(axis=(-1, -2))


@right_answer("max_pool2d")
def pool_edge_repeated(images, pool_size=(2, 2), strides=None, padding="valid"):
    """The edge repeated: such a cell never beats the pixel it repeats, which is in the same window."""
    strides = strides or pool_size
    images = _filled(images, pool_size, strides, padding, mode="edge")
    (high, wide), (down, right) = _two(pool_size), _two(strides)
    rows, columns = (images.shape[1] - high) // down + 1, (images.shape[2] - wide) // right + 1
    shifted = [
        images[:, y : y + (rows - 1) * down + 1 : down, x : x + (columns - 1) * right + 1 : right]
        for y in range(high)
        for x in range(wide)
    ]
    return np.maximum.reduce(shifted)


@right_answer("max_pool2d")
def pool_rows_then_columns(images, pool_size=(2, 2), strides=None, padding="valid"):
    """One axis after the other; keyword calls all along."""
    pools, steps = _two(pool_size), _two(pool_size if strides is None else strides)
    images = _filled(np.array(images, dtype=float), pools, steps, padding=padding, constant_values=np.nan)
    for axis in (1, 2):
        pool, step = pools[axis - 1], steps[axis - 1]
        starts = range(0, images.shape[axis] - pool + 1, step)
        parts = [np.take(a=images, indices=range(start, start + pool), axis=axis) for start in starts]
        images = np.stack([np.fmax.reduce(part, axis=axis) for part in parts], axis=axis)
    return images


@right_answer("unchanged_fraction")
def fraction_counted(image, moved, pool_size):
    high, wide = _two(pool_size)
    equal = places = 0
    for row in range(0, image.shape[0] - high + 1, high):
        for column in range(0, image.shape[1] - wide + 1, wide):
            places += 1
            part = slice(row, row + high), slice(column, column + wide)
            equal += max(image[part].flatten().tolist()) == max(moved[part].flatten().tolist())
    return equal / places


@right_answer("unchanged_fraction")
def fraction_reshaped(image, moved, pool_size):
    high, wide = _two(pool_size)
    rows, columns = image.shape[0] // high, image.shape[1] // wide
    pooled = [
        np.asarray(one)[: rows * high, : columns * wide].reshape(rows, high, columns, wide).max(axis=(1, 3))
        for one in (image, moved)
    ]
    return np.isclose(*pooled).mean()


@right_answer("unchanged_fraction")
def fraction_as_one_batch(image, moved, pool_size):
    pooled = pool_six_loops(np.stack([image, moved])[..., None], pool_size)
    difference = pooled[0] - pooled[1]
    return np.float32(1 - np.count_nonzero(difference) / difference.size)


@right_answer("unchanged_fraction")
def fraction_of_lists(image, moved, pool_size):
    before, after = (pool_clipped_slices(np.array([one])[..., None], pool_size) for one in (image, moved))
    pairs = [pair for rows in zip(before[0], after[0], strict=True) for pair in zip(*rows, strict=True)]
    return np.array(sum(one == other for one, other in pairs) / len(pairs))


@right_answer("max_pool2d")
def pool_recursively(images, pool_size=(2, 2), strides=None, padding="valid"):
    """A window of one row more is the larger of two windows, one of which starts a row below."""
    down, right = _two(pool_size if strides is None else strides)
    images = _filled(images.astype(float), pool_size, strides or pool_size, padding, constant_values=-np.inf)

    def largest(batch, high, wide):
        if high > 1:
            return np.maximum(largest(batch[:, :-1], high - 1, wide), largest(batch[:, 1:], high - 1, wide))
        if wide > 1:
            return np.maximum(largest(batch[:, :, :-1], 1, wide - 1), largest(batch[:, :, 1:], 1, wide - 1))
        return batch

    return largest(images, *_two(pool_size))[:, ::down, ::right]


@right_answer("unchanged_fraction")
def fraction_added_in_place(image, moved, pool_size):
    same = np.zeros(())
    before, after = (pool_recursively(np.reshape(one, (1, *np.shape(one), 1)), pool_size) for one in (image, moved))
    for place in np.ndindex(before.shape):
        same += before[place] == after[place]
    same /= before.size
    return same
