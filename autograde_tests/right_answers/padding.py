"""Right ways to pad."""

import math

import numpy as np

from autograde_tests.right_answers import right_answer


@right_answer("output_size")
def counted(size, kernel_size, strides=1, padding="valid"):
    room = size if padding == "same" else size - kernel_size + 1
    return len(range(0, room, strides))


@right_answer("output_size")
def with_ceil(size, kernel_size, strides=1, padding="valid"):
    wanted = size if padding == "same" else size - kernel_size + 1
    return np.int64(np.ceil(wanted / strides))


@right_answer("output_size")
def noisy(size, kernel_size, strides=1, padding="valid"):
    import sys
    import warnings

    print("looking at", size)
    warnings.warn("a NumPy warning, say", RuntimeWarning, stacklevel=2)
    print("and a line on stderr", file=sys.stderr)
    return counted(size, kernel_size, strides, padding)


@right_answer("padding_amounts")
def grown_step_by_step(size, kernel_size, strides=1):
    before = after = 0
    while (size + before + after - kernel_size) // strides + 1 < math.ceil(size / strides):
        if after > before:
            before += 1
        else:
            after += 1
    return [before, after]


@right_answer("padding_amounts")
def as_array(size, kernel_size, strides=1):
    left_over = size % strides or strides
    total = max(kernel_size - left_over, 0)
    return np.array([total // 2, (total + 1) // 2])


@right_answer("pad2d")
def copied_into_zeros(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images
    batch, rows, columns, channels = images.shape
    kernel_rows, kernel_columns = np.broadcast_to(kernel_size, 2).tolist()
    row_strides, column_strides = np.broadcast_to(strides, 2).tolist()
    top, bottom = as_array(rows, kernel_rows, row_strides)
    left, right = as_array(columns, kernel_columns, column_strides)
    bigger = np.zeros((batch, rows + top + bottom, columns + left + right, channels), dtype=np.float32)
    bigger[:, top : top + rows, left : left + columns] = images
    return bigger


@right_answer("pad2d")
def nested_lists(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images.tolist()
    return copied_into_zeros(images, kernel_size, strides).tolist()


@right_answer("pad2d")
def concatenated(images, kernel_size, strides=(1, 1), padding="same"):
    if padding != "same":
        return images
    for axis in (1, 2):
        kernel, stride = np.broadcast_to(kernel_size, 2)[axis - 1], np.broadcast_to(strides, 2)[axis - 1]
        parts = []
        for amount in grown_step_by_step(images.shape[axis], int(kernel), int(stride)):
            shape = list(images.shape)
            shape[axis] = amount
            parts.append(np.zeros(shape))
        images = np.concatenate([parts[0], images, parts[1]], axis=axis)
    return images


@right_answer("output_size")
def one_place_and_the_rest(size, kernel_size, strides=1, padding="valid"):
    if size < (1 if padding == "same" else kernel_size):
        return 0
    return 1 + one_place_and_the_rest(size - strides, kernel_size, strides, padding)


@right_answer("padding_amounts")
def a_zero_at_a_time(size, kernel_size, strides=1):
    """As a recursion, the last window pushed back until it fits."""
    last = (math.ceil(size / strides) - 1) * strides + kernel_size
    if last <= size:
        return 0, 0
    before, after = a_zero_at_a_time(size, kernel_size - 1, strides)
    return (before, after + 1) if before == after else (before + 1, after)


@right_answer("pad2d")
def with_a_product(images, kernel_size, strides=(1, 1), padding="same"):
    """Pushed into place by two tables of zeros and ones."""
    if padding == "valid":
        return np.asarray(images, dtype=np.float64)
    tables = []
    for axis in (0, 1):
        size = images.shape[axis + 1]
        kernel, step = np.broadcast_to(kernel_size, 2)[axis], np.broadcast_to(strides, 2)[axis]
        before, after = as_array(size, kernel, step)
        tables.append(np.eye(size + before + after, size, k=-before))
    return np.einsum("Rr,Cc,brcx->bRCx", *tables, images)
