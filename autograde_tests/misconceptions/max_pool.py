"""Wrong ways to pool."""

import math

import numpy as np

from autograde_tests.misconceptions import LOOK, misconception, twist
from convblocks.arithmetic import pair, same_amounts

LOOK.update(
    max_pool2d="Keep the strongest",
    unchanged_fraction="A face moves",
)


def _padded(images, pool_size, strides, padding, fill=-np.inf, amounts=same_amounts, **how):
    images = np.asarray(images, dtype=float)
    if padding == "valid":
        return images
    pairs = zip(images.shape[1:3], pair(pool_size), pair(strides), strict=True)
    around = [amounts(*one) for one in pairs]
    return np.pad(images, ((0, 0), *around, (0, 0)), **(how or {"constant_values": fill}))


def _windows(images, pool_size, strides):
    """(batch, rows, columns, channels, pool rows, pool columns) of padded images."""
    windows = np.lib.stride_tricks.sliding_window_view(images, pair(pool_size), axis=(1, 2))
    row_strides, column_strides = pair(strides)
    return windows[:, ::row_strides, ::column_strides]


def _pool(images, pool_size=(2, 2), strides=None, padding="valid", **parts):
    """Right, unless told to `reduce` or, as for `_padded`, to pad in another way."""
    strides, reduce = pool_size if strides is None else strides, parts.pop("reduce", np.max)
    return reduce(_windows(_padded(images, pool_size, strides, padding, **parts), pool_size, strides), axis=(4, 5))


def _reduced(pool, images, pool_size, strides, padding, parts, **how):
    """Another number of every window than the largest. Raises ValueError for a second one: it would hide the first."""
    if "reduce" in parts:
        raise ValueError("a window has one number")
    return pool(images, pool_size, strides, padding, **how | parts)


@twist(
    "max_pool2d",
    _pool,
    wrong='the loop over the places ends one step early: the range needs a "+ 1" at its end',
    shows="Where the last window fits exactly, your last row or column is missing.",
    look="Keep the strongest",
)
def pool_range_ends_early(pool, images, pool_size, strides, padding, **parts):
    strides = pool_size if strides is None else strides
    size = _padded(images, pool_size, strides, padding).shape[1:3]
    rows, columns = (
        math.ceil((all_of_it - window) / step)
        for all_of_it, window, step in zip(size, pair(pool_size), pair(strides), strict=True)
    )
    return pool(images, pool_size, strides, padding, **parts)[:, :rows, :columns]


@twist(
    "max_pool2d",
    _pool,
    wrong='the "+ 1" is missing in the output size',
    shows="Your last row and last column are missing; all other numbers are right.",
    look="Keep the strongest",
)
def pool_one_too_few(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, padding, **parts)[:, :-1, :-1]


@twist(
    "max_pool2d",
    _pool,
    wrong="zeros are padded, and a zero beats every negative number at the edge",
    shows='"valid" is right; with "same" you have 0 at the border where all numbers are negative.',
    look="What does not fit",
)
def pool_zeros_around(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, padding, **{"fill": 0} | parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="−1 is padded: still larger than many a number at the edge",
    shows='"valid" is right; with "same" you have −1 at the border where all numbers are below it.',
    look="What does not fit",
)
def pool_minus_one_around(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, padding, **{"fill": -1} | parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="the mirror image is padded: the edge takes part with numbers of other windows",
    shows='"valid" is right; with "same" some numbers at the border are too large.',
    look="What does not fit",
)
def pool_mirrored(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, padding, **{"mode": "reflect"} | parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="the search for the largest starts at 0, so no negative number is ever found",
    shows="Windows with a positive number are right; where all are negative you have 0.",
)
def pool_starts_at_zero(pool, images, pool_size, strides, padding, **parts):
    return np.maximum(pool(images, pool_size, strides, padding, **parts), 0)


def _finite(number):
    """Register a number in place of minus infinity, as padding and as the start of the search."""
    said = f"−{-number:,}".replace(",", " ")

    def around(pool, images, pool_size, strides, padding, **parts):
        return pool(images, pool_size, strides, padding, **{"fill": number} | parts)

    def start(pool, images, pool_size, strides, padding, **parts):
        return np.maximum(pool(images, pool_size, strides, padding, **parts), number)

    around.__name__, start.__name__ = f"pool_minus_{-number}_around", f"pool_starts_at_minus_{-number}"
    twist(
        "max_pool2d",
        _pool,
        wrong=f"{said} is padded: only minus infinity is below every number",
        shows=f'"valid" is right; with "same" you have {said} at the border where all numbers are below it.',
        look="What does not fit",
    )(around)
    twist(
        "max_pool2d",
        _pool,
        wrong=f"the search for the largest starts at {said}, so nothing below is ever found: start at minus infinity",
        shows=f"Windows with a larger number are right; where all are lower you have {said}.",
    )(start)


for number in (-10, -99, -100, -255, -999, -1000, -(10**6), -(10**9)):
    _finite(number)


@twist(
    "max_pool2d",
    _pool,
    wrong="the strides are 1 unless told otherwise; they have to be as large as the window",
    shows="Without strides your result is too large: windows overlap.",
)
def pool_strides_one(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, 1 if strides is None else strides, padding, **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="the strides are not used: the window always steps by its own size",
    shows="Without strides all is right; where they are given your result has a wrong shape or other windows.",
)
def pool_strides_forced(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, None, padding, **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="the strides of rows and columns are swapped",
    shows="Equal strides are right; others give a wrong shape, or windows in other places.",
)
def pool_strides_swapped(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, None if strides is None else pair(strides)[::-1], padding, **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="the row's step is used along the columns too",
    shows="Equal strides are right; otherwise your columns are wrong.",
)
def pool_row_stride_for_both(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, pair(pool_size if strides is None else strides)[0], padding, **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="rows and columns of the pool size are swapped",
    shows="Square windows are right; with 3 rows and 2 columns you look at 2 rows and 3 columns.",
)
def pool_size_swapped(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pair(pool_size)[::-1], strides, padding, **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="the pool size's rows are used for the columns too",
    shows="Square windows are right; others are squares of their rows.",
)
def pool_rows_for_both(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pair(pool_size)[0], strides, padding, **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="the pool size's columns are used for the rows too",
    shows="Square windows are right; others are squares of their columns.",
)
def pool_columns_for_both(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pair(pool_size)[1], strides, padding, **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="the window is always 2 x 2",
    shows="2 × 2 is right; other windows look at the wrong pixels.",
)
def pool_always_two(pool, images, pool_size, strides, padding, **parts):
    return pool(images, 2, strides, padding, **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong='"valid" rounds up: windows that hang over the edge count as well',
    shows='"same" is right; with "valid" you have a row or column too many where pixels are left over.',
    look="What does not fit",
)
def pool_rounded_up(pool, images, pool_size, strides, padding, **parts):
    def hanging_over(size, pool, step):
        return 0, max((max(math.ceil((size - pool) / step), 0)) * step + pool - size, 0)

    amounts = same_amounts if padding == "same" else hanging_over
    return pool(images, pool_size, strides, "same", **{"amounts": amounts} | parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="what is left over is dropped at the top and left instead of the bottom and right",
    shows="The shape is right; where pixels are left over your windows start one or more pixels late.",
    look="What does not fit",
)
def pool_dropped_at_the_top(pool, images, pool_size, strides, padding, **parts):
    if padding == "valid":
        steps = zip(images.shape[1:3], pair(pool_size), pair(pool_size if strides is None else strides), strict=True)
        top, left = ((size - pool) % step for size, pool, step in steps)
        images = images[:, top:, left:]
    return pool(images, pool_size, strides, padding, **parts)


@misconception(
    "max_pool2d",
    wrong="the step is left out of the window's start: it moves on by one pixel",
    shows="The shape is right and so is the first window; the others start too early.",
)
def pool_start_without_strides(images, pool_size=(2, 2), strides=None, padding="valid"):
    rows, columns = _pool(images, pool_size, strides, padding).shape[1:3]
    strides = pool_size if strides is None else strides
    padded = _padded(images, pool_size, strides, padding)
    return _windows(padded, pool_size, 1)[:, :rows, :columns].max(axis=(4, 5))


@twist(
    "max_pool2d",
    _pool,
    wrong="the number of windows is the size divided by the pool size, whatever the strides",
    shows='"same" is right; with "valid" and steps smaller than the window your last rows or columns are missing.',
)
def pool_count_from_pool_size(pool, images, pool_size, strides, padding, **parts):
    pool_rows, pool_columns = pair(pool_size)
    pooled = pool(images, pool_size, strides, padding, **parts)
    rows, columns = images.shape[1] // pool_rows, images.shape[2] // pool_columns
    return pooled[:, :rows, :columns] if padding == "valid" else pooled


@twist(
    "max_pool2d",
    _pool,
    wrong="the largest number of all channels is taken; each channel is pooled for itself",
    shows="One channel is right; with more, all your channels are alike.",
    look="Every channel for itself",
)
def pool_over_channels(pool, images, pool_size, strides, padding, **parts):
    pooled = pool(images, pool_size, strides, padding, **parts)
    return np.repeat(pooled.max(axis=3, keepdims=True), pooled.shape[3], axis=3)


@twist(
    "max_pool2d",
    _pool,
    wrong="the channels become one",
    shows="One channel is right; with more, yours has one where all should stay.",
    look="Every channel for itself",
)
def pool_channels_become_one(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, padding, **parts).max(axis=3, keepdims=True)


@twist(
    "max_pool2d",
    _pool,
    wrong="only channel 0 is pooled and stands for all",
    shows="Channel 0 is right; the others are copies of it.",
    look="Every channel for itself",
)
def pool_first_channel(pool, images, pool_size, strides, padding, **parts):
    pooled = pool(images, pool_size, strides, padding, **parts)
    return np.repeat(pooled[..., :1], pooled.shape[3], axis=3)


@twist(
    "max_pool2d",
    _pool,
    wrong="only the first image of the batch is pooled and stands for all",
    shows="The first picture is right; the others are copies of it.",
)
def pool_first_image(pool, images, pool_size, strides, padding, **parts):
    pooled = pool(images, pool_size, strides, padding, **parts)
    return np.repeat(pooled[:1], len(pooled), axis=0)


@twist(
    "max_pool2d",
    _pool,
    wrong="the largest number of all images is taken; each image is pooled for itself",
    shows="One picture is right; in a batch all results are alike.",
)
def pool_over_the_batch(pool, images, pool_size, strides, padding, **parts):
    pooled = pool(images, pool_size, strides, padding, **parts)
    return np.repeat(pooled.max(axis=0, keepdims=True), len(pooled), axis=0)


@twist(
    "max_pool2d",
    _pool,
    wrong="the batch axis is missing in the output",
    shows="You have three axes instead of four, and the other pictures of a batch are missing.",
)
def pool_without_batch(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, padding, **parts)[0]


@twist(
    "max_pool2d",
    _pool,
    wrong="images are taken as (batch, channels, rows, columns)",
    shows="Columns and channels shrink where rows and columns should; where channels are too few there is an error.",
)
def pool_channels_first(pool, images, pool_size, strides, padding, **parts):
    turned = np.moveaxis(np.asarray(images), 1, 3)
    return np.moveaxis(pool(turned, pool_size, strides, padding, **parts), 3, 1)


@twist(
    "max_pool2d",
    _pool,
    wrong="the output is (batch, channels, rows, columns)",
    shows="The numbers are right, but channels are axis 1 instead of the last.",
)
def pool_output_channels_first(pool, images, pool_size, strides, padding, **parts):
    return np.moveaxis(pool(images, pool_size, strides, padding, **parts), 3, 1)


@twist(
    "max_pool2d",
    _pool,
    wrong="rows and columns of the output are swapped",
    shows="Your result is the right one with rows and columns exchanged.",
)
def pool_output_turned(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, padding, **parts).swapaxes(1, 2)


@twist(
    "max_pool2d",
    _pool,
    wrong="the largest along the rows alone: the columns do not shrink",
    shows="Your result has too many columns; no two columns were compared.",
)
def pool_rows_alone(pool, images, pool_size, strides, padding, **parts):
    steps = pair(pool_size if strides is None else strides)
    return pool(images, (pair(pool_size)[0], 1), (steps[0], 1), padding, **parts)


@misconception(
    "max_pool2d", wrong="one number for the whole feature map", shows="You have one number per picture and channel."
)
def pool_global(images, pool_size=(2, 2), strides=None, padding="valid"):
    return np.asarray(images).max(axis=(1, 2), keepdims=True)


@twist(
    "max_pool2d",
    _pool,
    wrong="the bottom right number of the window instead of the largest",
    shows='A number is right only where the largest lies at the bottom right; with "same" the padding can show as −inf.',
)
def pool_bottom_right(pool, images, pool_size, strides, padding, **parts):
    return _reduced(pool, images, pool_size, strides, padding, parts, reduce=lambda windows, axis: windows[..., -1, -1])


@twist(
    "max_pool2d",
    _pool,
    wrong="the top left number of the window instead of the largest: pixels are skipped, not pooled",
    shows='A number is right only where the largest lies at the top left; with "same" the padding can show as −inf.',
)
def pool_top_left(pool, images, pool_size, strides, padding, **parts):
    return _reduced(pool, images, pool_size, strides, padding, parts, reduce=lambda windows, axis: windows[..., 0, 0])


@twist(
    "max_pool2d",
    _pool,
    wrong="the mean instead of the largest number",
    shows="The shape is right; your numbers are too small and often fractions.",
)
def pool_mean(pool, images, pool_size, strides, padding, **parts):
    def mean(windows, axis):
        seen = np.isfinite(windows)
        return np.where(seen, windows, 0).sum(axis=axis) / seen.sum(axis=axis)

    return _reduced(pool, images, pool_size, strides, padding, parts, reduce=mean)


@twist(
    "max_pool2d",
    _pool,
    wrong="the sum instead of the largest number",
    shows="The shape is right; each number is all of the window added up.",
)
def pool_sum(pool, images, pool_size, strides, padding, **parts):
    return _reduced(pool, images, pool_size, strides, padding, parts, reduce=np.sum, fill=0)


@twist(
    "max_pool2d",
    _pool,
    wrong="the smallest instead of the largest number",
    shows="The shape is right; you have the other end of every window.",
)
def pool_smallest(pool, images, pool_size, strides, padding, **parts):
    return _reduced(pool, images, pool_size, strides, padding, parts, reduce=np.min, fill=np.inf)


@twist(
    "max_pool2d",
    _pool,
    wrong="the number furthest from zero: a strong −9 is not larger than −2",
    shows="Windows of positive numbers are right; elsewhere a strongly negative one wins.",
)
def pool_furthest_from_zero(pool, images, pool_size, strides, padding, **parts):
    def furthest(windows, axis):
        flat = windows.reshape(*windows.shape[:4], -1)
        return np.take_along_axis(flat, np.abs(flat).argmax(axis=-1)[..., None], axis=-1)[..., 0]

    return _reduced(pool, images, pool_size, strides, padding, parts, reduce=furthest, fill=0)


@twist(
    "max_pool2d",
    _pool,
    wrong="the largest of the numbers without their signs",
    shows="Windows of positive numbers are right; negative numbers count as if they were positive.",
)
def pool_without_signs(pool, images, pool_size, strides, padding, **parts):
    return pool(np.abs(images), pool_size, strides, padding, **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong="the place of the largest number in its window instead of the number",
    shows="You have small whole numbers counted from 0: argmax where max was asked for.",
)
def pool_place(pool, images, pool_size, strides, padding, **parts):
    return _reduced(pool, images, pool_size, strides, padding, parts, reduce=lambda windows, axis: windows.reshape(*windows.shape[:4], -1).argmax(axis=-1))  # fmt: skip


@twist(
    "max_pool2d",
    _pool,
    wrong="the padding is ignored: it always stays inside",
    shows='"valid" is right; with "same" rows or columns are missing wherever padding is needed.',
    look="What does not fit",
)
def pool_always_valid(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, "valid", **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong='"valid" pads as well',
    shows='"same" is right; with "valid" you have rows or columns too many wherever "same" would pad.',
    look="What does not fit",
)
def pool_always_same(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, "same", **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong='"same" is taken as the input\'s size whatever the strides',
    shows='"valid" is right; with "same" your result is as large as the picture.',
    look="What does not fit",
)
def pool_same_keeps_the_size(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, 1 if padding == "same" else strides, padding, **parts)


@twist(
    "max_pool2d",
    _pool,
    wrong='with "same" the extra cell goes before the pixels instead of after',
    shows='"valid" is right; with "same" windows that need an uneven number of cells start one pixel early.',
    look="What does not fit",
)
def pool_extra_before(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, padding, **{"amounts": lambda *given: same_amounts(*given)[::-1]} | parts)


@twist(
    "max_pool2d",
    _pool,
    wrong='with "same" all missing cells go to the bottom and right',
    shows='"valid" is right; with "same" windows that need more than one cell start too late.',
    look="What does not fit",
)
def pool_all_after(pool, images, pool_size, strides, padding, **parts):
    return pool(
        images, pool_size, strides, padding, **{"amounts": lambda *given: (0, sum(same_amounts(*given)))} | parts
    )


@twist(
    "max_pool2d",
    _pool,
    wrong='with "same" the strides are forgotten: larger steps miss fewer cells',
    shows='"valid" is right; with "same" and larger steps your windows can start too early.',
    look="What does not fit",
)
def pool_amounts_without_strides(pool, images, pool_size, strides, padding, **parts):
    return pool(
        images, pool_size, strides, padding, **{"amounts": lambda size, pool, step: same_amounts(size, pool, 1)} | parts
    )


@twist(
    "max_pool2d",
    _pool,
    wrong='with "same" always one cell on each side',
    shows='"valid" is right; with "same" only windows that need one cell on each side are right.',
    look="What does not fit",
)
def pool_one_around(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, padding, **{"amounts": lambda *given: (1, 1)} | parts)


@misconception(
    "max_pool2d",
    wrong='with "same" the cells for rows and columns are swapped',
    shows='"valid" is right; with "same" rows grow by what columns need.',
    look="What does not fit",
)
def pool_amounts_swapped(images, pool_size=(2, 2), strides=None, padding="valid"):
    strides = pair(pool_size if strides is None else strides)
    images = np.asarray(images, dtype=float)
    if padding == "same":
        sizes = zip(images.shape[1:3], pair(pool_size), strides, strict=True)
        rows, columns = (same_amounts(*one) for one in sizes)
        images = np.pad(images, ((0, 0), columns, rows, (0, 0)), constant_values=-np.inf)
    return _windows(images, pool_size, strides).max(axis=(4, 5))


@twist(
    "max_pool2d",
    _pool,
    wrong="an array of whole numbers for the result cuts the fractions off",
    shows="Whole numbers are right; from others the part behind the point is missing.",
)
def pool_into_whole_numbers(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size, strides, padding, **parts).astype(int)


@twist(
    "max_pool2d",
    _pool,
    wrong="the images that were given are changed in place",
    shows="The numbers are right, but the images are changed afterwards; make a new array.",
)
def pool_in_place(pool, images, pool_size, strides, padding, **parts):
    pooled = pool(images, pool_size, strides, padding, **parts)
    images[:, : pooled.shape[1], : pooled.shape[2]] = pooled[:, : images.shape[1], : images.shape[2]]
    return pooled


@twist(
    "max_pool2d",
    _pool,
    wrong="the strides are taken for the size of the window as well",
    shows="Where strides are given your windows have another size, so wrong pixels are compared.",
)
def pool_strides_for_size(pool, images, pool_size, strides, padding, **parts):
    return pool(images, pool_size if strides is None else strides, strides, padding, **parts)


@misconception(
    "max_pool2d",
    wrong="a pool size given as one int is not expected",
    shows="Pairs are right; pool_size=3 raises an error. One int counts for both axes, of the window and of its steps.",
)
def pool_pairs_alone(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, (pool_size[0], pool_size[1]), strides, padding)


@misconception(
    "max_pool2d",
    wrong="strides given as one int are not expected",
    shows="Pairs are right, and so is strides=None; strides=2 raises an error. One int counts for both axes.",
)
def pool_int_strides(images, pool_size=(2, 2), strides=None, padding="valid"):
    return _pool(images, pool_size, strides if strides is None else (strides[0], strides[1]), padding)


def _both(image, moved, pool_size, **how):
    pictures = (np.asarray(one, dtype=float)[None, :, :, None] for one in (image, moved))
    return tuple(_pool(one, pool_size, **how)[0, :, :, 0] for one in pictures)


def _fraction(image, moved, pool_size, **parts):
    """Right, unless told what is the `same`, what to `count` of it or, as for `_pool`, to pool in another way."""
    same, count = parts.pop("same", np.equal), parts.pop("count", np.mean)
    return float(count(same(*_both(image, moved, pool_size, **parts))))


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="the pictures are compared without pooling",
    shows="Groups of 1 × 1 are right; for larger ones your fraction is mostly too small.",
)
def fraction_without_pooling(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, 1, **parts)


@misconception(
    "unchanged_fraction",
    wrong="only one of the pictures is pooled, and compared with itself",
    shows="Your fraction is always 1.",
    untellable="a fraction of 1 in every case has many causes",
)
def fraction_of_one_picture(image, moved, pool_size):
    before, _ = _both(image, moved, pool_size)
    return float(np.mean(before == before))


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="a count instead of a fraction",
    shows="Your number is the right one times the number of groups, so it can be above 1.",
)
def fraction_count(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"count": np.sum} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="per cent instead of a fraction from 0 to 1",
    shows="Every number is 100 times the right one.",
)
def fraction_per_cent(fraction, image, moved, pool_size, **parts):
    return 100 * fraction(image, moved, pool_size, **parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="divided by the pixels of the picture instead of those of the pooled one",
    shows="Groups of 1 × 1 are right; for larger ones your fraction is too small.",
)
def fraction_of_all_pixels(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"count": lambda same: same.sum() / np.size(image)} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="divided by the number of rows alone",
    shows="Your number is the right one times the number of columns, so it can be above 1.",
)
def fraction_of_rows(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"count": lambda same: same.sum() / len(same)} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="all or nothing: whether everything is equal",
    shows="You have only 0 and 1: a fraction was asked for.",
)
def fraction_all_or_nothing(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"count": np.all} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="rounded to a whole number",
    shows="You have only 0 and 1, the nearer of both.",
)
def fraction_rounded(fraction, image, moved, pool_size, **parts):
    return float(round(fraction(image, moved, pool_size, **parts)))


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="a whole row counts as unchanged only if all of it is",
    shows="Your fraction is too small where a row changed in some of its groups alone.",
)
def fraction_of_whole_rows(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"count": lambda same: same.all(axis=1).mean()} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="the same numbers in other places count as unchanged",
    shows="Your fraction is too large where a group's number turns up in another group.",
)
def fraction_anywhere(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"same": np.isin} | parts)


@misconception(
    "unchanged_fraction",
    wrong="zeros are left out of the count",
    shows="Pictures without 0 are right; elsewhere groups that were 0 before are missing in your count.",
)
def fraction_of_what_is_drawn(image, moved, pool_size):
    before, after = _both(image, moved, pool_size)
    drawn = before != 0
    return float((before == after)[drawn].mean()) if drawn.any() else 1.0


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="numbers that differ by 1 count as equal",
    shows="Your fraction is too large where a number changed by 1 alone.",
)
def fraction_nearly_equal(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"same": lambda before, after: abs(before - after) <= 1} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="the pictures are pooled by their means",
    shows="Your fraction is mostly too small: means change where the largest number stays.",
    look="Keep the strongest",
)
def fraction_of_means(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"reduce": np.mean} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="negative numbers are pooled to 0",
    shows="Positive pictures are right; changes among negative numbers are not seen.",
    look="Keep the strongest",
)
def fraction_without_negatives(fraction, image, moved, pool_size, **parts):
    return fraction(np.maximum(image, 0), np.maximum(moved, 0), pool_size, **parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong='pooled with "same": groups that hang over the edge count as well',
    shows="Where pixels are left over you have counted more groups than there are.",
    look="What does not fit",
)
def fraction_same(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"padding": "same"} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="pooled with strides 1: the groups overlap",
    shows="Groups of 1 × 1 are right; for larger ones you compare more groups than there are.",
    look="Exercise 1 · `max_pool2d`",
)
def fraction_strides_one(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"strides": 1} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="the pool size is ignored: always 2 x 2",
    shows="2 × 2 is right; other pool sizes give the fraction of 2 × 2.",
)
def fraction_always_two(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, 2, **parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="rows and columns of the pool size are swapped",
    shows="Square groups are right; 1 × 4 gives the fraction of 4 × 1.",
)
def fraction_pool_size_swapped(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pair(pool_size)[::-1], **parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="the pictures that were given are changed in place",
    shows="The fraction is right, but a picture that was given is changed afterwards; never use -= on one.",
)
def fraction_in_place(fraction, image, moved, pool_size, **parts):
    found = fraction(image, moved, pool_size, **parts)
    image -= moved
    return found


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="divided by the number of columns alone",
    shows="Your number is the right one times the number of rows, so it can be above 1.",
)
def fraction_of_columns(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"count": lambda same: same.sum() / same.shape[1]} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="a whole column counts as unchanged only if all of it is",
    shows="Your fraction is too small where a column changed in some of its groups alone.",
)
def fraction_of_whole_columns(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"count": lambda same: same.all(axis=0).mean()} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="the pool size's rows are used for the columns too",
    shows="Square groups are right; 1 × 4 gives the fraction of 1 × 1.",
)
def fraction_rows_for_both(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pair(pool_size)[0], **parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="the smallest number of each group is compared instead of the largest",
    shows="Groups of 1 × 1 are right; for larger ones your fraction is that of the other end of each group.",
    look="Keep the strongest",
)
def fraction_of_smallest(fraction, image, moved, pool_size, **parts):
    return fraction(image, moved, pool_size, **{"reduce": np.min} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="whole numbers are compared: what comes after the point is cut off",
    shows="Whole numbers are right; fractions such as 0.25 and 0.5 count as equal, so your fraction is too large.",
)
def fraction_of_whole_numbers(fraction, image, moved, pool_size, **parts):
    def same(before, after):
        return before.astype(int) == after.astype(int)

    return fraction(image, moved, pool_size, **{"same": same} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="the numbers are rounded before they are compared",
    shows="Whole numbers are right; fractions that round to the same number count as equal.",
)
def fraction_of_rounded(fraction, image, moved, pool_size, **parts):
    def same(before, after):
        return np.round(before) == np.round(after)

    return fraction(image, moved, pool_size, **{"same": same} | parts)


@twist(
    "unchanged_fraction",
    _fraction,
    wrong="numbers less than one half apart count as equal",
    shows="Whole numbers are right; of fractions, changes smaller than one half are not seen.",
)
def fraction_within_half(fraction, image, moved, pool_size, **parts):
    def same(before, after):
        return abs(before - after) < 0.5

    return fraction(image, moved, pool_size, **{"same": same} | parts)


# Behind the others, so that with one of them it turns round what that one takes for the same.
@twist(
    "unchanged_fraction",
    _fraction,
    wrong="the fraction that changed instead of the fraction that stayed",
    shows="Your fraction and the right one add up to 1.",
)
def fraction_changed(fraction, image, moved, pool_size, **parts):
    same = parts.pop("same", np.equal)
    return fraction(image, moved, pool_size, same=lambda before, after: ~same(before, after), **parts)


@misconception(
    "unchanged_fraction",
    wrong="a pool size given as one int is not expected",
    shows="Pairs are right; pool_size=2 raises an error. One int counts for both axes.",
    look="Exercise 1 · `max_pool2d`",
)
def fraction_pairs_alone(image, moved, pool_size):
    return _fraction(image, moved, (pool_size[0], pool_size[1]))
