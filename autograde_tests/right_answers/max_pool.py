"""Right ways to pool."""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from autograde_tests.misconceptions.max_pool import _pool
from autograde_tests.right_answers import right_answer


@right_answer("max_pool2d")
def with_sliding_windows(images, pool_size=(2, 2), strides=None, padding="valid"):
    pool = np.broadcast_to(pool_size, 2).tolist()
    steps = np.broadcast_to(pool if strides is None else strides, 2).tolist()
    if padding == "same":
        around = []
        for size, window, step in zip(images.shape[1:3], pool, steps, strict=True):
            missing = max(window - (size % step or step), 0)
            around.append((missing // 2, missing - missing // 2))
        images = np.pad(images.astype(np.float32), [(0, 0), *around, (0, 0)], constant_values=-np.inf)
    return sliding_window_view(images, pool, axis=(1, 2))[:, :: steps[0], :: steps[1]].max(axis=(-2, -1))


@right_answer("max_pool2d")
def with_windows_cut_at_the_edge(images, pool_size=(2, 2), strides=None, padding="valid"):
    """Never pads: looks only at the part of a window that is inside."""
    pool_rows, pool_columns = (pool_size, pool_size) if isinstance(pool_size, int) else pool_size
    strides = (pool_rows, pool_columns) if strides is None else strides
    row_step, column_step = (strides, strides) if isinstance(strides, int) else strides
    batch, rows, columns, channels = images.shape

    def starts(size, pool, step):
        if padding == "valid":
            return list(range(0, size - pool + 1, step))
        count = math.ceil(size / step)
        missing = max((count - 1) * step + pool - size, 0)
        return [place * step - missing // 2 for place in range(count)]

    output = []
    for image in range(batch):
        lines = []
        for top in starts(rows, pool_rows, row_step):
            line = []
            for left in starts(columns, pool_columns, column_step):
                part = images[image, max(top, 0) : top + pool_rows, max(left, 0) : left + pool_columns]
                line.append([float(part[..., channel].max()) for channel in range(channels)])
            lines.append(line)
        output.append(lines)
    return output


@right_answer("max_pool2d")
def with_nanmax(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, fill=np.nan, best=np.nanmax)


@right_answer("max_pool2d")
def by_shifted_copies(images, pool_size=(2, 2), strides=None, padding="valid"):
    """The maximum of copies shifted by every place of the window."""
    pool = np.broadcast_to(pool_size, 2).tolist()
    steps = np.broadcast_to(pool if strides is None else strides, 2).tolist()
    shape = _pool(images, pool_size, strides, padding).shape
    if padding == "same":
        total = [max((shape[axis + 1] - 1) * steps[axis] + pool[axis] - images.shape[axis + 1], 0) for axis in (0, 1)]
        around = [(0, 0), *((one // 2, one - one // 2) for one in total), (0, 0)]
        images = np.pad(np.asarray(images, dtype=float), around, constant_values=float("-inf"))
    best = np.full(shape, -np.inf)
    for row, column in np.ndindex(*pool):
        copy = images[:, row :: steps[0], column :: steps[1]][:, : shape[1], : shape[2]]
        best = np.maximum(best, copy)
    return best


@right_answer("unchanged_fraction")
def in_one_batch(image, moved, pool_size):
    before, after = with_sliding_windows(np.stack([image, moved])[..., None], pool_size)
    return np.mean(before == after)


@right_answer("unchanged_fraction")
def counted_one_by_one(image, moved, pool_size):
    before = with_windows_cut_at_the_edge(image[None, :, :, None], pool_size)[0]
    after = with_windows_cut_at_the_edge(moved[None, :, :, None], pool_size)[0]
    equal = [one == other for row, line in zip(before, after, strict=True) for one, other in zip(row, line, strict=True)]
    return equal.count(True) / len(equal)


@right_answer("unchanged_fraction")
def from_the_changed_ones(image, moved, pool_size):
    before, after = (_pool(one[None, :, :, None], pool_size) for one in (image, moved))
    return 1 - np.count_nonzero(before - after) / before.size


@right_answer("unchanged_fraction")
def as_float32(image, moved, pool_size):
    return np.float32(counted_one_by_one(image, moved, pool_size))
