"""Wrong ways to pool."""

import math

import numpy as np

from autograde_tests.misconceptions import misconception


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def _amounts(size, pool, step):
    total = max((math.ceil(size / step) - 1) * step + pool - size, 0)
    return total // 2, total - total // 2


def _padded(images, pool_size, strides, padding, fill=-np.inf, amounts=_amounts, **how):
    images = np.asarray(images, dtype=float)
    if padding == "valid":
        return images
    pairs = zip(images.shape[1:3], _pair(pool_size), _pair(strides), strict=True)
    around = [amounts(*one) for one in pairs]
    return np.pad(images, ((0, 0), *around, (0, 0)), **(how or {"constant_values": fill}))


def _windows(images, pool_size, strides):
    """(batch, rows, columns, channels, pool rows, pool columns) of padded images."""
    windows = np.lib.stride_tricks.sliding_window_view(images, _pair(pool_size), axis=(1, 2))
    row_strides, column_strides = _pair(strides)
    return windows[:, ::row_strides, ::column_strides]


def _pool(images, pool_size=(2, 2), strides=None, padding="valid", reduce=np.max, **how):
    """Right, unless told to reduce or pad in another way."""
    strides = pool_size if strides is None else strides
    return reduce(_windows(_padded(images, pool_size, strides, padding, **how), pool_size, strides), axis=(4, 5))


@misconception("max_pool2d", "zeros are padded, and a zero beats every negative number at the edge")
def pool_zeros_around(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, fill=0)


@misconception("max_pool2d", "−1 is padded: still larger than many a number at the edge")
def pool_minus_one_around(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, fill=-1)


@misconception("max_pool2d", "the mirror image is padded: the edge takes part with numbers of other windows")
def pool_mirrored(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, mode="reflect")


@misconception("max_pool2d", "the search for the largest starts at 0, so no negative number is ever found")
def pool_starts_at_zero(images, pool_size=(2, 2), strides=None, padding="valid"):
    return np.maximum(_pool(images, pool_size, strides, padding), 0)


@misconception("max_pool2d", "the strides are 1 unless told otherwise; they have to be as large as the window")
def pool_strides_one(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, 1 if strides is None else strides, padding)


@misconception("max_pool2d", "the strides are not used: the window always steps by its own size")
def pool_strides_forced(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, None, padding)


@misconception("max_pool2d", "the strides of rows and columns are swapped")
def pool_strides_swapped(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, None if strides is None else _pair(strides)[::-1], padding)


@misconception("max_pool2d", "the row's step is used along the columns too")
def pool_row_stride_for_both(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, _pair(pool_size if strides is None else strides)[0], padding)


@misconception("max_pool2d", "rows and columns of the pool size are swapped")
def pool_size_swapped(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, _pair(pool_size)[::-1], strides, padding)


@misconception("max_pool2d", "the pool size's rows are used for the columns too")
def pool_rows_for_both(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, _pair(pool_size)[0], strides, padding)


@misconception("max_pool2d", "the pool size's columns are used for the rows too")
def pool_columns_for_both(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, _pair(pool_size)[1], strides, padding)


@misconception("max_pool2d", "the window is always 2 x 2")
def pool_always_two(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, 2, strides, padding)


@misconception("max_pool2d", '"valid" rounds up: windows that hang over the edge count as well')
def pool_rounded_up(images, pool_size=(2, 2), strides=None, padding="valid"):
    def hanging_over(size, pool, step):
        return 0, max((max(math.ceil((size - pool) / step), 0)) * step + pool - size, 0)

    amounts = _amounts if padding == "same" else hanging_over
    return _pool(images, pool_size, strides, "same", amounts=amounts)


@misconception("max_pool2d", "what is left over is dropped at the top and left instead of the bottom and right")
def pool_dropped_at_the_top(images, pool_size=(2, 2), strides=None, padding="valid"):
    if padding == "valid":
        steps = zip(images.shape[1:3], _pair(pool_size), _pair(pool_size if strides is None else strides), strict=True)
        top, left = ((size - pool) % step for size, pool, step in steps)
        images = images[:, top:, left:]
    return _pool(images, pool_size, strides, padding)


@misconception("max_pool2d", "the step is left out of the window's start: it moves on by one pixel")
def pool_start_without_strides(images, pool_size=(2, 2), strides=None, padding="valid"):
    rows, columns = _pool(images, pool_size, strides, padding).shape[1:3]
    strides = pool_size if strides is None else strides
    padded = _padded(images, pool_size, strides, padding)
    return _windows(padded, pool_size, 1)[:, :rows, :columns].max(axis=(4, 5))


@misconception("max_pool2d", "the number of windows is the size divided by the pool size, whatever the strides")
def pool_count_from_pool_size(images, pool_size=(2, 2), strides=None, padding="valid"):
    pool_rows, pool_columns = _pair(pool_size)
    pooled = _pool(images, pool_size, strides, padding)
    rows, columns = images.shape[1] // pool_rows, images.shape[2] // pool_columns
    return pooled[:, :rows, :columns] if padding == "valid" else pooled


@misconception("max_pool2d", "the largest number of all channels is taken; each channel is pooled for itself")
def pool_over_channels(images, pool_size=(2, 2), strides=None, padding="valid"):
    pooled = _pool(images, pool_size, strides, padding)
    return np.repeat(pooled.max(axis=3, keepdims=True), pooled.shape[3], axis=3)


@misconception("max_pool2d", "the channels become one")
def pool_channels_become_one(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding).max(axis=3, keepdims=True)


@misconception("max_pool2d", "only channel 0 is pooled and stands for all")
def pool_first_channel(images, pool_size=(2, 2), strides=None, padding="valid"):
    pooled = _pool(images, pool_size, strides, padding)
    return np.repeat(pooled[..., :1], pooled.shape[3], axis=3)


@misconception("max_pool2d", "only the first image of the batch is pooled and stands for all")
def pool_first_image(images, pool_size=(2, 2), strides=None, padding="valid"):
    pooled = _pool(images, pool_size, strides, padding)
    return np.repeat(pooled[:1], len(pooled), axis=0)


@misconception("max_pool2d", "the largest number of all images is taken; each image is pooled for itself")
def pool_over_the_batch(images, pool_size=(2, 2), strides=None, padding="valid"):
    pooled = _pool(images, pool_size, strides, padding)
    return np.repeat(pooled.max(axis=0, keepdims=True), len(pooled), axis=0)


@misconception("max_pool2d", "the batch axis is missing in the output")
def pool_without_batch(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding)[0]


@misconception("max_pool2d", "images are taken as (batch, channels, rows, columns)")
def pool_channels_first(images, pool_size=(2, 2), strides=None, padding="valid"):
    turned = np.moveaxis(np.asarray(images), 1, 3)
    return np.moveaxis(_pool(turned, pool_size, strides, padding), 3, 1)


@misconception("max_pool2d", "the output is (batch, channels, rows, columns)")
def pool_output_channels_first(images, pool_size=(2, 2), strides=None, padding="valid"):
    return np.moveaxis(_pool(images, pool_size, strides, padding), 3, 1)


@misconception("max_pool2d", "rows and columns of the output are swapped")
def pool_output_turned(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding).swapaxes(1, 2)


@misconception("max_pool2d", "the largest along the rows alone: the columns do not shrink")
def pool_rows_alone(images, pool_size=(2, 2), strides=None, padding="valid"):
    steps = _pair(pool_size if strides is None else strides)
    return _pool(images, (_pair(pool_size)[0], 1), (steps[0], 1), padding)


@misconception("max_pool2d", "one number for the whole feature map")
def pool_global(images, pool_size=(2, 2), strides=None, padding="valid"):
    return np.asarray(images).max(axis=(1, 2), keepdims=True)


@misconception("max_pool2d", "the bottom right number of the window instead of the largest")
def pool_bottom_right(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, reduce=lambda windows, axis: windows[..., -1, -1])


@misconception("max_pool2d", "the top left number of the window instead of the largest: pixels are skipped, not pooled")
def pool_top_left(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, reduce=lambda windows, axis: windows[..., 0, 0])


@misconception("max_pool2d", "the mean instead of the largest number")
def pool_mean(images, pool_size=(2, 2), strides=None, padding="valid"):
    def mean(windows, axis):
        seen = np.isfinite(windows)
        return np.where(seen, windows, 0).sum(axis=axis) / seen.sum(axis=axis)

    return _pool(images, pool_size, strides, padding, reduce=mean)


@misconception("max_pool2d", "the sum instead of the largest number")
def pool_sum(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, reduce=np.sum, fill=0)


@misconception("max_pool2d", "the smallest instead of the largest number")
def pool_smallest(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, reduce=np.min, fill=np.inf)


@misconception("max_pool2d", "the number furthest from zero: a strong −9 is not larger than −2")
def pool_furthest_from_zero(images, pool_size=(2, 2), strides=None, padding="valid"):
    def furthest(windows, axis):
        flat = windows.reshape(*windows.shape[:4], -1)
        return np.take_along_axis(flat, np.abs(flat).argmax(axis=-1)[..., None], axis=-1)[..., 0]

    return _pool(images, pool_size, strides, padding, reduce=furthest, fill=0)


@misconception("max_pool2d", "the largest of the numbers without their signs")
def pool_without_signs(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(np.abs(images), pool_size, strides, padding)


@misconception("max_pool2d", "the place of the largest number in its window instead of the number")
def pool_place(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(
        images, pool_size, strides, padding,
        reduce=lambda windows, axis: windows.reshape(*windows.shape[:4], -1).argmax(axis=-1),
    )  # fmt: skip


@misconception("max_pool2d", "the padding is ignored: it always stays inside")
def pool_always_valid(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, "valid")


@misconception("max_pool2d", '"valid" pads as well')
def pool_always_same(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, "same")


@misconception("max_pool2d", '"same" is taken as the input\'s size whatever the strides')
def pool_same_keeps_the_size(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, 1 if padding == "same" else strides, padding)


@misconception("max_pool2d", 'with "same" the extra cell goes before the pixels instead of after')
def pool_extra_before(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, amounts=lambda *given: _amounts(*given)[::-1])


@misconception("max_pool2d", 'with "same" all missing cells go to the bottom and right')
def pool_all_after(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, amounts=lambda *given: (0, sum(_amounts(*given))))


@misconception("max_pool2d", 'with "same" the strides are forgotten: larger steps miss fewer cells')
def pool_amounts_without_strides(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, amounts=lambda size, pool, step: _amounts(size, pool, 1))


@misconception("max_pool2d", 'with "same" always one cell on each side')
def pool_one_around(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, amounts=lambda *given: (1, 1))


@misconception("max_pool2d", 'with "same" the cells for rows and columns are swapped')
def pool_amounts_swapped(images, pool_size=(2, 2), strides=None, padding="valid"):
    strides = _pair(pool_size if strides is None else strides)
    images = np.asarray(images, dtype=float)
    if padding == "same":
        sizes = zip(images.shape[1:3], _pair(pool_size), strides, strict=True)
        rows, columns = (_amounts(*one) for one in sizes)
        images = np.pad(images, ((0, 0), columns, rows, (0, 0)), constant_values=-np.inf)
    return _windows(images, pool_size, strides).max(axis=(4, 5))


@misconception("max_pool2d", "an array of whole numbers for the result cuts the fractions off")
def pool_into_whole_numbers(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding).astype(int)


@misconception("max_pool2d", "the images that were given are changed in place")
def pool_in_place(images, pool_size=(2, 2), strides=None, padding="valid"):
    pooled = _pool(images, pool_size, strides, padding)
    images[:, : pooled.shape[1], : pooled.shape[2]] = pooled[:, : images.shape[1], : images.shape[2]]
    return pooled


def _both(image, moved, pool_size, **how):
    pictures = (np.asarray(one, dtype=float)[None, :, :, None] for one in (image, moved))
    return tuple(_pool(one, pool_size, **how)[0, :, :, 0] for one in pictures)


@misconception("unchanged_fraction", "the pictures are compared without pooling")
def fraction_without_pooling(image, moved, pool_size):
    return float(np.mean(np.asarray(image) == np.asarray(moved)))


@misconception("unchanged_fraction", "only one of the pictures is pooled, and compared with itself")
def fraction_of_one_picture(image, moved, pool_size):
    before, _ = _both(image, moved, pool_size)
    return float(np.mean(before == before))


@misconception("unchanged_fraction", "the fraction that changed instead of the fraction that stayed")
def fraction_changed(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return float(np.mean(before != after))


@misconception("unchanged_fraction", "a count instead of a fraction")
def fraction_count(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return float(np.sum(before == after))


@misconception("unchanged_fraction", "per cent instead of a fraction from 0 to 1")
def fraction_per_cent(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return 100 * float(np.mean(before == after))


@misconception("unchanged_fraction", "divided by the pixels of the picture instead of those of the pooled one")
def fraction_of_all_pixels(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return float(np.sum(before == after)) / np.size(image)


@misconception("unchanged_fraction", "divided by the number of rows alone")
def fraction_of_rows(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return float(np.sum(before == after)) / len(before)


@misconception("unchanged_fraction", "all or nothing: whether everything is equal")
def fraction_all_or_nothing(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return float(np.all(before == after))


@misconception("unchanged_fraction", "rounded to a whole number")
def fraction_rounded(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return float(round(np.mean(before == after)))


@misconception("unchanged_fraction", "a whole row counts as unchanged only if all of it is")
def fraction_of_whole_rows(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return float(np.mean((before == after).all(axis=1)))


@misconception("unchanged_fraction", "the same numbers in other places count as unchanged")
def fraction_anywhere(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return float(np.mean(np.isin(before, after)))


@misconception("unchanged_fraction", "zeros are left out of the count")
def fraction_of_what_is_drawn(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    drawn = before != 0
    return float((before == after)[drawn].mean()) if drawn.any() else 1.0


@misconception("unchanged_fraction", "numbers that differ by 1 count as equal")
def fraction_nearly_equal(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return float(np.mean(np.abs(before - after) <= 1))


@misconception("unchanged_fraction", "the pictures are pooled by their means")
def fraction_of_means(image, moved, pool_size):
    before, after = _both(image, moved, pool_size, reduce=np.mean)
    return float(np.mean(before == after))


@misconception("unchanged_fraction", "negative numbers are pooled to 0")
def fraction_without_negatives(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    return float(np.mean(np.maximum(before, 0) == np.maximum(after, 0)))


@misconception("unchanged_fraction", 'pooled with "same": groups that hang over the edge count as well')
def fraction_same(image, moved, pool_size):
    before, after = _both(image, moved, pool_size, padding="same")
    return float(np.mean(before == after))


@misconception("unchanged_fraction", "pooled with strides 1: the groups overlap")
def fraction_strides_one(image, moved, pool_size):
    before, after = _both(image, moved, pool_size, strides=1)
    return float(np.mean(before == after))


@misconception("unchanged_fraction", "the pool size is ignored: always 2 x 2")
def fraction_always_two(image, moved, pool_size):
    before, after = _both(image, moved, (2, 2))
    return float(np.mean(before == after))


@misconception("unchanged_fraction", "rows and columns of the pool size are swapped")
def fraction_pool_size_swapped(image, moved, pool_size):
    before, after = _both(image, moved, _pair(pool_size)[::-1])
    return float(np.mean(before == after))


@misconception("unchanged_fraction", "the pictures that were given are changed in place")
def fraction_in_place(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    image -= moved
    return float(np.mean(before == after))
