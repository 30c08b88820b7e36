"""Wrong ways to pad."""

import math

import numpy as np

from autograde_tests.misconceptions import LOOK, misconception, twist
from convblocks.arithmetic import pair, same_amounts

LOOK.update(
    output_size="A window slides over it",
    padding_amounts="Zeros around the picture",
    pad2d="Zeros around the picture",
)


def _pad(images, kernel_size, strides=(1, 1), padding="same", **parts):
    """Right, unless told other `amounts` or other keywords of np.pad."""
    amounts = parts.pop("amounts", same_amounts)
    if padding == "valid":
        return images
    kernel_size, strides = pair(kernel_size), pair(strides)
    around = [amounts(images.shape[axis + 1], kernel_size[axis], strides[axis]) for axis in (0, 1)]
    return np.pad(images, ((0, 0), *around, (0, 0)), **parts)


def _output_size(size, kernel_size, strides=1, padding="valid"):
    return math.ceil(size / strides) if padding == "same" else (size - kernel_size) // strides + 1


@twist(
    "output_size",
    _output_size,
    wrong="steps that do not fit are rounded up instead of dropped",
    shows='"valid" is 1 too large where strides leave pixels over, and right where they fit.',
)
def valid_rounded_up(sizes, size, kernel_size, strides, padding):
    return sizes(size if padding == "same" else size + (kernel_size - size) % strides, kernel_size, strides, padding)


@twist(
    "output_size",
    _output_size,
    wrong='"same" is taken as the input\'s size whatever the strides',
    shows='With "same" and strides above 1 your sizes are too large: they stay the input\'s size.',
    look="Zeros around the picture",
)
def same_ignores_strides(sizes, size, kernel_size, strides, padding):
    return sizes(size, kernel_size, 1 if padding == "same" else strides, padding)


@twist(
    "output_size",
    _output_size,
    wrong='"same" is rounded down instead of up',
    shows='With "same" and strides that do not divide the size, yours is 1 too small.',
    look="Zeros around the picture",
)
def same_rounded_down(sizes, size, kernel_size, strides, padding):
    return sizes(size - size % strides if padding == "same" else size, kernel_size, strides, padding)


@twist(
    "output_size",
    _output_size,
    wrong='"same" is worked out with kernel_size // 2 zeros on both sides',
    shows='"valid" and odd kernels are right; with even kernels "same" is 1 too large wherever the strides fit.',
    look="Zeros around the picture",
)
def same_by_half_kernels(sizes, size, kernel_size, strides, padding):
    around = 2 * (kernel_size // 2) if padding == "same" else 0
    return sizes(size + around, kernel_size, strides, "valid")


@twist(
    "output_size",
    _output_size,
    wrong='"same" is worked out with (kernel_size - 1) // 2 zeros on both sides',
    shows='"valid" and odd kernels are right; even ones can make "same" 1 too small, and with strides of 1 always do.',
    look="Zeros around the picture",
)
def same_by_smaller_half_kernels(sizes, size, kernel_size, strides, padding):
    around = 2 * ((kernel_size - 1) // 2) if padding == "same" else 0
    return sizes(size + around, kernel_size, strides, "valid")


@twist(
    "output_size",
    _output_size,
    wrong="the strides are forgotten",
    shows="Everything with strides above 1 is too large; with strides of 1 you are right.",
    look="Bigger steps",
)
def no_strides(sizes, size, kernel_size, strides, padding):
    return sizes(size, kernel_size, 1, padding)


@twist(
    "output_size",
    _output_size,
    wrong="the padding is ignored: the window always stays inside",
    shows='Your "same" sizes are those of "valid".',
    look="Zeros around the picture",
)
def always_valid(sizes, size, kernel_size, strides, padding):
    return sizes(size, kernel_size, strides, "valid")


@twist(
    "output_size",
    _output_size,
    wrong='the padding is ignored: zeros are put around with "valid" as well',
    shows='"same" is right; your "valid" sizes are those of "same", which are mostly too large.',
)
def always_same(sizes, size, kernel_size, strides, padding):
    return sizes(size, kernel_size, strides, "same")


@twist(
    "output_size",
    _output_size,
    wrong='the "+ 1" stands inside the division: it belongs behind it, since the first place needs no step',
    shows='"same" and strides of 1 are right; "valid" with larger strides can be 1 too small.',
)
def one_inside_the_division(sizes, size, kernel_size, strides, padding):
    return sizes(size if padding == "same" else size - strides + 1, kernel_size, strides, padding)


@twist(
    "output_size",
    _output_size,
    wrong="the places end one pixel early: the last that is possible starts at size - kernel_size, and it counts",
    shows='"same" is right; "valid" is 1 too small wherever the last window fits exactly.',
)
def places_end_early(sizes, size, kernel_size, strides, padding):
    return sizes(size if padding == "same" else size - 1, kernel_size, strides, padding)


# Behind the others, so that it is missing in "same" as well with one that works "same" out like "valid".
@twist(
    "output_size",
    _output_size,
    wrong='the "+ 1" is missing: the first place is there before the first step',
    shows='Every "valid" size is 1 too small; "same" is right.',
)
def missing_one(sizes, size, kernel_size, strides, padding):
    return sizes(size, kernel_size, strides, padding) - (padding == "valid")


@twist(
    "padding_amounts",
    same_amounts,
    wrong="the extra zero goes before the pixels instead of after",
    shows="Where an odd number of zeros is needed, your pair is turned round: say (2, 1) where Keras has (1, 2).",
)
def extra_before(amounts, size, kernel_size, strides):
    return amounts(size, kernel_size, strides)[::-1]


@misconception(
    "padding_amounts",
    wrong="kernel_size // 2 on both sides is one too many for even kernels",
    shows="For even kernels your first number is 1 too large, and strides make it worse; odd kernels with strides of 1 are right.",
)
def half_on_both_sides(size, kernel_size, strides=1):
    return kernel_size // 2, kernel_size // 2


@misconception(
    "padding_amounts",
    wrong="(kernel_size - 1) // 2 on both sides is one too few for even kernels",
    shows="With strides of 1, even kernels lack 1 in your second number and odd ones are right; larger strides may get too much.",
)
def smaller_half_on_both_sides(size, kernel_size, strides=1):
    return (kernel_size - 1) // 2, (kernel_size - 1) // 2


@twist(
    "padding_amounts",
    same_amounts,
    wrong="half of the zeros is put on each side, rounded down, so an odd one is lost",
    shows="Where an odd number of zeros is needed, your second number is 1 too small; all else is right.",
)
def odd_one_lost(amounts, size, kernel_size, strides):
    return (sum(amounts(size, kernel_size, strides)) // 2,) * 2


@misconception(
    "padding_amounts",
    wrong="the number of outputs is rounded down instead of up",
    shows="Where the strides divide the size you are right; elsewhere you can have too few zeros.",
)
def outputs_rounded_down(size, kernel_size, strides=1):
    missing = max((size // strides - 1) * strides + kernel_size - size, 0)
    return missing // 2, missing - missing // 2


@misconception(
    "padding_amounts",
    wrong="always one zero on each side, whatever the kernel",
    shows="Windows that need one zero on each side are right; all others get too many or too few.",
)
def always_one(size, kernel_size, strides=1):
    return 1, 1


@twist(
    "padding_amounts",
    same_amounts,
    wrong="the strides are forgotten: larger steps need fewer zeros",
    shows="With strides of 1 all is right; with larger ones you often have more zeros than are needed.",
)
def amounts_without_strides(amounts, size, kernel_size, strides):
    return amounts(size, kernel_size, 1)


@misconception(
    "padding_amounts",
    wrong="amounts below 0: pixels are never taken away",
    shows="Where a step is larger than the kernel, your amounts can be negative instead of 0.",
)
def negative_amounts(size, kernel_size, strides=1):
    total = (math.ceil(size / strides) - 1) * strides + kernel_size - size
    return total // 2, total - total // 2


@twist(
    "pad2d",
    _pad,
    wrong="the extra row and column go to the top and left instead of the bottom and right",
    shows="Where an uneven number of zeros is needed, the picture sits one row lower or one column further right than Keras'.",
)
def pad_extra_before(pad2d, images, kernel_size, strides, padding, **parts):
    return pad2d(
        images, kernel_size, strides, padding, **{"amounts": lambda *given: same_amounts(*given)[::-1]} | parts
    )


def _odd_one_before(axis, pad2d, images, *others, **parts):
    padded = pad2d(images, *others, **parts)
    return np.roll(padded, (padded.shape[axis] - images.shape[axis]) % 2, axis)


@twist(
    "pad2d",
    _pad,
    wrong="the extra row goes to the top instead of the bottom; columns are right",
    shows="Where an uneven number of rows is needed, the picture sits one row lower than Keras'.",
)
def pad_extra_row_before(*given, **parts):
    return _odd_one_before(1, *given, **parts)


@twist(
    "pad2d",
    _pad,
    wrong="the extra column goes to the left instead of the right; rows are right",
    shows="Where an uneven number of columns is needed, the picture sits one column further right than Keras'.",
)
def pad_extra_column_before(*given, **parts):
    return _odd_one_before(2, *given, **parts)


@misconception(
    "pad2d",
    wrong="the zeros of rows and columns are swapped",
    shows="Where rows and columns need the same zeros you are right; elsewhere they grow by each other's amount.",
)
def pad_axes_swapped(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images
    kernel_size, strides = pair(kernel_size), pair(strides)
    rows = same_amounts(images.shape[1], kernel_size[0], strides[0])
    columns = same_amounts(images.shape[2], kernel_size[1], strides[1])
    return np.pad(images, ((0, 0), columns, rows, (0, 0)))


@twist(
    "pad2d",
    _pad,
    wrong="the border's pixels are repeated instead of zeros",
    shows="The shape is right and so is the inside; the frame holds copies of the border instead of 0.",
)
def pad_edge(pad2d, images, kernel_size, strides, padding, **parts):
    return pad2d(images, kernel_size, strides, padding, **{"mode": "edge"} | parts)


@twist(
    "pad2d",
    _pad,
    wrong="the picture is mirrored at the border instead of zeros",
    shows="The shape and the inside are right; the frame repeats the border's pixels, then those behind them, instead of 0.",
)
def pad_mirror(pad2d, images, kernel_size, strides, padding, **parts):
    return pad2d(images, kernel_size, strides, padding, **{"mode": "symmetric"} | parts)


@twist(
    "pad2d",
    _pad,
    wrong="the channel axis is padded too",
    shows='With "same" your result has two channels too many, the first and the last, all 0.',
)
def pad_channels(pad2d, images, kernel_size, strides, padding, **parts):
    if padding == "valid":
        return images
    return np.pad(pad2d(images, kernel_size, strides, padding, **parts), ((0, 0), (0, 0), (0, 0), (1, 1)))


@twist(
    "pad2d",
    _pad,
    wrong="the batch axis is padded too",
    shows='With "same" your result has two pictures too many, the first and the last, all 0.',
)
def pad_batch(pad2d, images, kernel_size, strides, padding, **parts):
    if padding == "valid":
        return images
    return np.pad(pad2d(images, kernel_size, strides, padding, **parts), ((1, 1), (0, 0), (0, 0), (0, 0)))


@twist(
    "pad2d",
    _pad,
    wrong="the strides are forgotten: larger steps need fewer zeros",
    shows="With strides of 1 all is right; with larger ones your pictures are often too large.",
)
def pad_without_strides(pad2d, images, kernel_size, strides, padding, **parts):
    return pad2d(images, kernel_size, 1, padding, **parts)


@twist(
    "pad2d",
    _pad,
    wrong="the images that were given are changed in place",
    shows='With "same" the numbers are right, but the array that was given is changed afterwards; work on a copy.',
    look="Exercise 3 · `pad2d`",
)
def pad_in_place(pad2d, images, kernel_size, strides, padding, **parts):
    images *= 1.0
    padded = pad2d(images, kernel_size, strides, padding, **parts)
    images[:] = 0
    return padded


@twist(
    "pad2d",
    _pad,
    wrong='"valid" pads as well',
    shows='"same" is right; "valid" comes back larger than it went in.',
    look="What Conv2D is told",
)
def pad_valid_too(pad2d, images, kernel_size, strides, padding, **parts):
    return pad2d(images, kernel_size, strides, "same", **parts)


@twist(
    "pad2d",
    _pad,
    wrong="always one zero on each side, whatever the kernel",
    shows="Where one zero is needed on each side you are right; elsewhere the frame is too large or too small.",
)
def pad_one(pad2d, images, kernel_size, strides, padding, **parts):
    return pad2d(images, kernel_size, strides, padding, **{"amounts": lambda *given: (1, 1)} | parts)


@twist(
    "pad2d",
    _pad,
    wrong="kernel_size // 2 on both sides is one too many for even kernels",
    shows="Even kernels get a row or a column too many, with larger strides often more; odd kernels with strides of 1 are right.",
)
def pad_half_on_both_sides(pad2d, images, kernel_size, strides, padding, **parts):
    def amounts(size, kernel_size, strides):
        return kernel_size // 2, kernel_size // 2

    return pad2d(images, kernel_size, strides, padding, **{"amounts": amounts} | parts)


@twist(
    "pad2d",
    _pad,
    wrong="(kernel_size - 1) // 2 on both sides is one too few for even kernels",
    shows="With strides of 1, even kernels lack a row below or a column on the right, odd ones are right; larger strides often go wrong.",
)
def pad_smaller_half_on_both_sides(pad2d, images, kernel_size, strides, padding, **parts):
    def amounts(size, kernel_size, strides):
        return (kernel_size - 1) // 2, (kernel_size - 1) // 2

    return pad2d(images, kernel_size, strides, padding, **{"amounts": amounts} | parts)


@twist(
    "pad2d",
    _pad,
    wrong="half of the zeros is put on each side, rounded down, so an odd one is lost",
    shows="Where an odd number of zeros is needed, a row below or a column on the right is missing; all else is right.",
)
def pad_odd_one_lost(pad2d, images, kernel_size, strides, padding, **parts):
    def amounts(size, kernel_size, strides):
        return (sum(same_amounts(size, kernel_size, strides)) // 2,) * 2

    return pad2d(images, kernel_size, strides, padding, **{"amounts": amounts} | parts)


@twist(
    "pad2d",
    _pad,
    wrong="the picture is mirrored at its last pixels instead of zeros",
    shows="The shape is right and so is the inside; the frame holds pixels from further in instead of 0.",
)
def pad_reflected(pad2d, images, kernel_size, strides, padding, **parts):
    return pad2d(images, kernel_size, strides, padding, **{"mode": "reflect"} | parts)


@misconception(
    "pad2d",
    wrong="the images' rows are used as their columns as well",
    shows="Strides of 1 and square pictures are right; elsewhere zeros left and right can be those of another width.",
)
def pad_rows_for_columns(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images
    size, kernel_size, strides = images.shape[1], pair(kernel_size), pair(strides)
    around = [same_amounts(size, kernel_size[axis], strides[axis]) for axis in (0, 1)]
    return np.pad(images, ((0, 0), *around, (0, 0)))


@twist(
    "pad2d",
    _pad,
    wrong="the kernel's rows are used as its columns as well",
    shows="Square kernels are right; with others the zeros left and right are those of another kernel.",
)
def pad_kernel_rows_for_both(pad2d, images, kernel_size, strides, padding, **parts):
    return pad2d(images, pair(kernel_size)[0], strides, padding, **parts)


@twist(
    "pad2d",
    _pad,
    wrong="the strides of the rows are used for the columns as well",
    shows="Equal strides are right; with others the zeros left and right are those of other steps.",
)
def pad_row_strides_for_both(pad2d, images, kernel_size, strides, padding, **parts):
    return pad2d(images, kernel_size, pair(strides)[0], padding, **parts)


@misconception(
    "pad2d",
    wrong="a kernel size or strides given as one int are not expected",
    shows="Pairs are right; ints, as in pad2d(images, 3, 2), raise an error. One int counts for both axes.",
)
def pad_pairs_alone(images, kernel_size, strides=(1, 1), padding="same"):
    return _pad(images, (kernel_size[0], kernel_size[1]), (strides[0], strides[1]), padding)


def _cut_from_the_end(images, kernel_size, strides, padding):
    sizes = zip(images.shape[1:3], pair(kernel_size), pair(strides), strict=True)
    (top, bottom), (left, right) = (same_amounts(*one) if padding == "same" else (0, 0) for one in sizes)
    framed = np.zeros_like(_pad(images, kernel_size, strides, padding))
    framed[:, top:-bottom, left:-right] = images
    return framed


@misconception(
    "pad2d",
    wrong="padded[:, top:-bottom, left:-right] is empty where bottom or right is 0",
    shows='With "same" it fails where no zeros are needed below or on the right: −0 is 0, so the slice is empty.',
)
def pad_empty_slice(images, kernel_size, strides=(1, 1), padding="same"):
    return images if padding == "valid" else _cut_from_the_end(images, kernel_size, strides, padding)


@misconception(
    "pad2d",
    wrong='padded[:, top:-bottom, left:-right] is empty where bottom or right is 0, with "valid" as well',
    shows='"valid" fails, and "same" where no zeros are needed below or on the right: −0 is 0, so the slice is empty.',
)
def pad_always_empty_slice(images, kernel_size, strides=(1, 1), padding="same"):
    return _cut_from_the_end(images, kernel_size, strides, padding)
