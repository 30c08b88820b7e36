"""Wrong ways to pool."""

import math

import numpy as np

from autograde_tests.misconceptions import misconception


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def _pool(images, pool_size=(2, 2), strides=None, padding="valid", fill=-np.inf, best=np.max, late=False, ceil=False):
    """Max pooling with one thing to go wrong: the padding's value, the choice, its side, or the rounding."""
    pool = _pair(pool_size)
    steps = pool if strides is None else _pair(strides)
    images = np.asarray(images, dtype=float)
    sizes = []
    for axis in (0, 1):
        size = images.shape[axis + 1]
        if padding == "same" or ceil:
            count = math.ceil(size / steps[axis]) if padding == "same" else math.ceil((size - pool[axis]) / steps[axis]) + 1
            total = max((count - 1) * steps[axis] + pool[axis] - size, 0)
            before = (total + 1) // 2 if late else total // 2
            before = before if padding == "same" else 0
            around = [(0, 0)] * 4
            around[axis + 1] = (before, total - before)
            images = np.pad(images, around, constant_values=fill)
        else:
            count = (size - pool[axis]) // steps[axis] + 1
        sizes.append(count)
    pooled = np.zeros((len(images), *sizes, images.shape[3]))
    for row, column in np.ndindex(*sizes):
        top, left = row * steps[0], column * steps[1]
        window = images[:, top : top + pool[0], left : left + pool[1]]
        pooled[:, row, column] = best(window, axis=(1, 2))
    return pooled


@misconception("max_pool2d", "the padding is zeros, so a border of negative numbers becomes 0")
def zeros_as_padding(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, fill=0)


@misconception("max_pool2d", "strides are 1 if nothing is said, instead of the pool's size")
def strides_of_one(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, 1 if strides is None else strides, padding)


@misconception("max_pool2d", "strides are always the pool's size")
def strides_forced(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, None, padding)


@misconception("max_pool2d", "the size is rounded up: a window that hangs over the edge counts in valid, too")
def rounded_up(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, ceil=True)


@misconception("max_pool2d", "what does not fill a window is dropped at the top and left instead of the bottom and right")
def dropped_at_the_top(images, pool_size=(2, 2), strides=None, padding="valid"):
    if padding == "same":
        return _pool(images, pool_size, strides, padding)
    return _pool(images[:, ::-1, ::-1], pool_size, strides, padding)[:, ::-1, ::-1]


@misconception("max_pool2d", "the maximum is taken over the channels as well")
def over_channels(images, pool_size=(2, 2), strides=None, padding="valid"):
    pooled = _pool(images, pool_size, strides, padding)
    return np.broadcast_to(pooled.max(axis=3, keepdims=True), pooled.shape)


@misconception("max_pool2d", "the search starts at 0, so negative numbers never win")
def starting_at_zero(images, pool_size=(2, 2), strides=None, padding="valid"):
    return np.maximum(_pool(images, pool_size, strides, padding), 0)


@misconception("max_pool2d", "the bottom right number is taken instead of the largest")
def bottom_right(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, best=lambda window, axis: window[:, -1, -1])


@misconception("max_pool2d", "the mean is taken instead of the maximum")
def mean_instead(images, pool_size=(2, 2), strides=None, padding="valid"):
    def mean(window, axis):
        return np.nanmean(np.where(np.isfinite(window), window, np.nan), axis=axis)

    return _pool(images, pool_size, strides, padding, best=mean)


@misconception("max_pool2d", "the smallest number is taken instead of the largest")
def minimum_instead(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, fill=np.inf, best=np.min)


@misconception("max_pool2d", "the largest absolute value is taken instead of the largest")
def absolute_instead(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(np.abs(images), pool_size, strides, padding)


@misconception("max_pool2d", "the padding is ignored: it always stays inside")
def pool_always_valid(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides)


@misconception("max_pool2d", "the extra padding goes to the top and left instead of the bottom and right")
def padded_before(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides, padding, late=True)


@misconception("max_pool2d", "rows and columns of the pool size are swapped")
def pool_swapped(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, _pair(pool_size)[::-1], strides, padding)


@misconception("max_pool2d", "rows and columns of the strides are swapped")
def pool_strides_swapped(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, None if strides is None else _pair(strides)[::-1], padding)


@misconception("max_pool2d", "the pool's size is always 2 × 2")
def always_two(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, 2, strides, padding)


@misconception("max_pool2d", "only the first image of the batch is pooled, and reused")
def first_image_reused(images, pool_size=(2, 2), strides=None, padding="valid"):
    pooled = _pool(images[:1], pool_size, strides, padding)
    return np.repeat(pooled, len(images), axis=0)


@misconception("max_pool2d", "only channel 0 is pooled, and reused")
def first_channel_reused(images, pool_size=(2, 2), strides=None, padding="valid"):
    pooled = _pool(images[..., :1], pool_size, strides, padding)
    return np.repeat(pooled, images.shape[3], axis=3)


@misconception("max_pool2d", "the images that were given are changed in place")
def pool_in_place(images, pool_size=(2, 2), strides=None, padding="valid"):
    pooled = _pool(images, pool_size, strides, padding)
    images[:, 0, 0] = 0
    return pooled


def _fraction(image, moved, pool_size, pool=_pool):
    before, after = (pool(np.asarray(one)[None, :, :, None], pool_size) for one in (image, moved))
    return before, after


@misconception("unchanged_fraction", "the changed part is returned instead of the unchanged one")
def changed_part(image, moved, pool_size):
    before, after = _fraction(image, moved, pool_size)
    return float(np.mean(before != after))


@misconception("unchanged_fraction", "the number of equal pixels is not divided by the number of all")
def counted_only(image, moved, pool_size):
    before, after = _fraction(image, moved, pool_size)
    return float(np.sum(before == after))


@misconception("unchanged_fraction", "the equal pooled pixels are divided by the pixels before pooling")
def divided_by_all_pixels(image, moved, pool_size):
    before, after = _fraction(image, moved, pool_size)
    return float(np.sum(before == after) / np.size(image))


@misconception("unchanged_fraction", "the pictures are compared without pooling them")
def not_pooled(image, moved, pool_size):
    return float(np.mean(np.asarray(image) == np.asarray(moved)))


@misconception("unchanged_fraction", "the pool's size is always 2 × 2")
def pooled_by_two(image, moved, pool_size):
    before, after = _fraction(image, moved, 2)
    return float(np.mean(before == after))


@misconception("unchanged_fraction", "rows and columns of the pool size are swapped")
def fraction_pool_swapped(image, moved, pool_size):
    before, after = _fraction(image, moved, _pair(pool_size)[::-1])
    return float(np.mean(before == after))


@misconception("unchanged_fraction", "pixels where nothing is (0) are left out")
def background_left_out(image, moved, pool_size):
    before, after = _fraction(image, moved, pool_size)
    counted = before != 0
    return float((before == after)[counted].mean()) if counted.any() else 0.0


@misconception("unchanged_fraction", "negative numbers become 0 in the pooling")
def fraction_starting_at_zero(image, moved, pool_size):
    before, after = _fraction(np.maximum(image, 0), np.maximum(moved, 0), pool_size)
    return float(np.mean(before == after))


@misconception("unchanged_fraction", "it only says whether all pixels are equal")
def all_or_nothing(image, moved, pool_size):
    before, after = _fraction(image, moved, pool_size)
    return float(np.array_equal(before, after))
