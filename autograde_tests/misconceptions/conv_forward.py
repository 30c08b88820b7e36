"""Wrong ways to convolve and to activate."""

import math

import numpy as np

from autograde_tests.misconceptions import LOOK, misconception, twist
from convblocks.arithmetic import pair

LOOK.update(
    weighted_sum="One number from one patch",
    correlate2d="One kernel for all places",
    activate="What happens to each number afterwards",
    conv2d="Exercise 4 · `conv2d`",
)


def _padded(images, kernel, strides, padding, turned=False, **how):
    """What "same" puts around; `turned` puts the extra zero before."""
    if padding == "valid":
        return images
    around = []
    for size, length, step in zip(images.shape[1:3], kernel.shape[:2], pair(strides), strict=True):
        total = max((math.ceil(size / step) - 1) * step + length - size, 0)
        around.append((total // 2, total - total // 2)[:: -1 if turned else 1])
    return np.pad(images, ((0, 0), *around, (0, 0)), **how)


def _slide(images, kernel, strides=(1, 1)):
    """The sums alone, right, on padded images."""
    kernel_rows, kernel_columns = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(images, (kernel_rows, kernel_columns), axis=(1, 2))
    row_strides, column_strides = pair(strides)
    return np.einsum("nrcixy,xyif->nrcf", windows[:, ::row_strides, ::column_strides], kernel)


def _activate(x, activation=None):
    if activation == "relu":
        return np.maximum(x, 0)
    if activation == "sigmoid":
        return 1 / (1 + np.exp(-x))
    if activation == "softmax":
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)
    return x


def _right(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    sums = _slide(_padded(images, kernel, strides, padding), kernel, strides)
    return _activate(sums if bias is None else sums + bias, activation)


def _one(image, kernel):
    """correlate2d, right."""
    return _slide(image[None, :, :, None], kernel[:, :, None, None])[0, :, :, 0]


def _weighted_sum(patch, kernel):
    return float((patch * kernel).sum())


# One weighted sum.


@twist(
    "weighted_sum",
    _weighted_sum,
    wrong="the kernel is flipped: a pixel meets the weight of the opposite corner",
    shows="The right numbers come into the sum, but in wrong pairs: the first pixel meets the last weight.",
)
def sum_flipped(weigh, patch, kernel):
    return weigh(patch, kernel[::-1, ::-1])


@twist(
    "weighted_sum",
    _weighted_sum,
    wrong="the kernel is transposed: rows meet columns",
    shows="Square patches and single rows or columns give another number, others an error: rows of weights meet columns.",
)
def sum_transposed(weigh, patch, kernel):
    return weigh(patch, kernel.swapaxes(0, 1))


@misconception(
    "weighted_sum",
    wrong="the patch is multiplied with the kernel as a matrix (@) instead of pixel by weight (*)",
    shows="Where the shapes happen to fit you mostly have another number, elsewhere an error about shapes.",
)
def sum_of_matrix_product(patch, kernel):
    return float((patch @ kernel).sum())


@twist(
    "weighted_sum",
    _weighted_sum,
    wrong="the mean of the products instead of their sum",
    shows="Your number is the right one divided by how many numbers the patch holds.",
)
def sum_mean(weigh, patch, kernel):
    return weigh(patch, kernel) / patch.size


@twist(
    "weighted_sum",
    _weighted_sum,
    wrong="divided by the sum of the weights: a weighted average instead of a weighted sum",
    shows="Your number is the right one divided by the sum of the weights.",
)
def sum_average(weigh, patch, kernel):
    return weigh(patch, kernel) / kernel.sum()


@misconception(
    "weighted_sum",
    wrong="the products are returned, not summed",
    shows="You return an array as large as the patch; its sum would be right.",
)
def sum_missing(patch, kernel):
    return patch * kernel


@misconception(
    "weighted_sum",
    wrong="summed along one axis alone: a number for each column is left",
    shows="You return an array, one number for each column (and channel); its sum would be right.",
)
def sum_of_rows(patch, kernel):
    return (patch * kernel).sum(axis=0)


@misconception(
    "weighted_sum",
    wrong="each product replaces the one before: `=` in place of `+=`",
    shows="Your number is the last product alone.",
)
def sum_last_product(patch, kernel):
    return (patch * kernel).ravel()[-1]


@misconception(
    "weighted_sum",
    wrong="the loop ends after the first product: the `return` stands inside of it",
    shows="Your number is the first product alone.",
)
def sum_first_product(patch, kernel):
    return (patch * kernel).ravel()[0]


@misconception(
    "weighted_sum",
    wrong="the channels are not summed",
    shows="Patches without channels are right; with channels you return one number for each instead of their sum.",
    look="Several channels: still one picture per filter",
)
def sum_per_channel(patch, kernel):
    return (patch * kernel).sum(axis=(0, 1))


@twist(
    "weighted_sum",
    _weighted_sum,
    wrong="an array of one number instead of a number",
    shows="The number is right but inside an array: take it out, with float() of the sum alone.",
)
def sum_in_an_array(weigh, patch, kernel):
    return np.array([weigh(patch, kernel)])


@twist(
    "weighted_sum",
    _weighted_sum,
    wrong="only channel 0 is used",
    shows="Patches without channels are right; with channels the others are missing in your sum.",
    look="Several channels: still one picture per filter",
)
def sum_first_channel(weigh, patch, kernel):
    return weigh(patch, kernel) if patch.ndim == 2 else weigh(patch[:, :, :1], kernel[:, :, :1])


@twist(
    "weighted_sum",
    _weighted_sum,
    wrong="the channels are averaged instead of summed",
    shows="Patches without channels are right; with channels yours is the right number divided by how many there are.",
    look="Several channels: still one picture per filter",
)
def sum_channels_averaged(weigh, patch, kernel):
    return weigh(patch, kernel) / (1 if patch.ndim == 2 else patch.shape[2])


@twist(
    "weighted_sum",
    _weighted_sum,
    wrong="relu is always applied: negative sums become 0",
    shows="All negative sums are 0; the others are right.",
    look="What happens to each number afterwards",
)
def sum_relu(weigh, patch, kernel):
    return max(weigh(patch, kernel), 0.0)


@twist(
    "weighted_sum",
    _weighted_sum,
    wrong="the fraction is cut off",
    shows="Whole sums are right; from others the part behind the point is missing.",
)
def sum_truncated(weigh, patch, kernel):
    return int(weigh(patch, kernel))


@misconception(
    "weighted_sum",
    wrong="the patch that was given is changed in place",
    shows="The number is right, but the patch is changed afterwards; make a new array for the products.",
)
def sum_in_place(patch, kernel):
    total = _weighted_sum(patch, kernel)
    patch[:] = patch * kernel
    return total


@twist(
    "weighted_sum",
    _weighted_sum,
    wrong="only a square window of as many columns as there are rows is summed",
    shows="Square and narrow patches are right; in wide ones the last columns are missing.",
)
def sum_square(weigh, patch, kernel):
    side = patch.shape[0]
    return weigh(patch[:, :side], kernel[:, :side])


# One filter on one image.


@twist(
    "correlate2d",
    _one,
    wrong="the kernel is flipped (true convolution): Keras computes cross-correlation",
    shows="Your numbers are those of a kernel turned by half a turn: its last weight meets the window's first pixel.",
)
def flipped(correlate, image, kernel):
    return correlate(image, kernel[::-1, ::-1])


@twist(
    "correlate2d",
    _one,
    wrong="the kernel is flipped left to right alone",
    shows="Your numbers are those of a kernel seen in a mirror; kernels of one column are right.",
)
def flipped_left_to_right(correlate, image, kernel):
    return correlate(image, kernel[:, ::-1])


@twist(
    "correlate2d",
    _one,
    wrong="the kernel is flipped upside down alone",
    shows="Your numbers are those of a kernel that stands on its head; kernels of one row are right.",
)
def flipped_upside_down(correlate, image, kernel):
    return correlate(image, kernel[::-1])


@twist(
    "correlate2d",
    _one,
    wrong="the kernel is transposed",
    shows="Square kernels give wrong numbers, others a wrong shape or an error: rows of weights have become columns.",
)
def transposed(correlate, image, kernel):
    return correlate(image, kernel.T)


@twist(
    "correlate2d",
    _one,
    wrong="the window's centre is taken as its start",
    shows="The shape is right, but everything sits lower and further right, with zeros counted above and left.",
)
def centre_as_start(correlate, image, kernel):
    rows, columns = correlate(image, kernel).shape
    top, left = kernel.shape[0] // 2, kernel.shape[1] // 2
    return correlate(np.pad(image, ((top, 0), (left, 0))), kernel)[:rows, :columns]


@twist(
    "correlate2d",
    _one,
    wrong='zeros are put around the image, but this is "valid"',
    shows="Your result is as large as the image; its inside holds the right numbers.",
)
def zeros_around(correlate, image, kernel):
    return correlate(_padded(image[None, :, :, None], kernel, (1, 1), "same")[0, :, :, 0], kernel)


@misconception(
    "correlate2d",
    wrong="the image goes round: what leaves on the right comes in on the left",
    shows="Your result is as large as the image; the right numbers are at its top left.",
)
def going_round(image, kernel):
    turned = [weight * np.roll(image, (-row, -column), axis=(0, 1)) for (row, column), weight in np.ndenumerate(kernel)]
    return sum(turned)


@twist(
    "correlate2d",
    _one,
    wrong='the "+ 1" is missing in the output size',
    shows="Your last row and last column are missing; all other numbers are right.",
)
def one_too_few(correlate, image, kernel):
    return correlate(image, kernel)[:-1, :-1]


@twist(
    "correlate2d",
    _one,
    wrong="the last row stays at 0: the loop ends one too early",
    shows="Your last row is all 0; all others are right.",
)
def last_row_missing(correlate, image, kernel):
    output = correlate(image, kernel)
    output[-1] = 0
    return output


@twist(
    "correlate2d",
    _one,
    wrong="the last row and the last column stay at 0: both loops end one too early",
    shows="Your last row and your last column are all 0; all other numbers are right.",
)
def last_row_and_column_missing(correlate, image, kernel):
    output = correlate(image, kernel)
    output[-1] = output[:, -1] = 0
    return output


@misconception(
    "correlate2d",
    wrong="every kernel is taken to have 3 rows and 3 columns",
    shows="Kernels of 3 × 3 are right; fewer rows or columns mostly raise an error, and of more only three are used.",
)
def always_three(image, kernel):
    output = np.zeros((image.shape[0] - 2, image.shape[1] - 2))
    for row, column in np.ndindex(*output.shape):
        for cell in np.ndindex(3, 3):
            output[row, column] += image[row + cell[0], column + cell[1]] * kernel[cell]
    return output


@misconception(
    "correlate2d",
    wrong="every window is cut out with 3 rows and 3 columns, whatever the kernel",
    shows="Kernels of 3 × 3 are right; others mostly raise an error, since window and kernel do not fit.",
)
def windows_of_three(image, kernel):
    places = (image.shape[0] - 2, image.shape[1] - 2)
    sums = [(image[row : row + 3, column : column + 3] * kernel).sum() for row, column in np.ndindex(*places)]
    return np.reshape(sums, places)


@twist(
    "correlate2d",
    _one,
    wrong="the kernel's columns are used as its rows as well",
    shows="Square kernels are right; otherwise your number of rows is that for another kernel.",
)
def last_kernel_size_for_both(correlate, image, kernel):
    output = np.zeros((image.shape[0] - kernel.shape[1] + 1, image.shape[1] - kernel.shape[1] + 1))
    right = correlate(image, kernel)
    rows = min(len(output), len(right))
    output[:rows] = right[:rows]
    return output


@twist(
    "correlate2d",
    _one,
    wrong="the result's number of rows is used for its columns as well",
    shows="Square results are right; otherwise columns are missing, or too many and 0.",
)
def rows_for_columns(correlate, image, kernel):
    side = image.shape[0] - kernel.shape[0] + 1
    output, right = np.zeros((side, side)), correlate(image, kernel)
    columns = min(side, right.shape[1])
    output[:, :columns] = right[:, :columns]
    return output


@twist(
    "correlate2d",
    _one,
    wrong="output rows and columns are swapped",
    shows="Your result is the right one, turned: rows are columns.",
)
def swapped(correlate, image, kernel):
    return correlate(image, kernel).T


@twist(
    "correlate2d",
    _one,
    wrong="the window moves by its own size instead of by one pixel",
    shows="Your result is too small: it holds only each window that does not overlap another.",
)
def tiles(correlate, image, kernel):
    return correlate(image, kernel)[:: kernel.shape[0], :: kernel.shape[1]]


@twist(
    "correlate2d",
    _one,
    wrong="the window never moves: the first patch is used everywhere",
    shows="All your numbers are alike: the right one of the top left place.",
)
def first_patch(correlate, image, kernel):
    output = correlate(image, kernel)
    return np.full_like(output, output[0, 0])


@twist(
    "correlate2d",
    _one,
    wrong="the mean of the products instead of their sum",
    shows="Each of your numbers is the right one divided by how many weights the kernel has.",
    look="One number from one patch",
)
def mean_of_products(correlate, image, kernel):
    return correlate(image, kernel) / kernel.size


@twist(
    "correlate2d",
    _one,
    wrong="relu is always applied: negative sums become 0",
    shows="All negative numbers are 0; the others are right.",
    look="What happens to each number afterwards",
)
def image_relu(correlate, image, kernel):
    return np.maximum(correlate(image, kernel), 0)


@twist(
    "correlate2d",
    _one,
    wrong="the result is kept in an array of whole numbers, so fractions are cut off",
    shows="Whole numbers are right; from others the part behind the point is missing.",
)
def image_truncated(correlate, image, kernel):
    return correlate(image, kernel).astype(int)


@twist(
    "correlate2d",
    _one,
    wrong="the result is kept in an array like the image: uint8 goes round at 256",
    shows="Photos of type uint8 come out between 0 and 255, off by 256 or a multiple; all others are right.",
)
def image_wraps(correlate, image, kernel):
    output = correlate(image, kernel)
    return output.astype(np.int64).astype(image.dtype) if image.dtype.kind == "u" else output


@twist(
    "correlate2d",
    _one,
    wrong="the result is kept in an array of the image's type, whatever that is",
    shows="From an image of whole numbers fractions are cut off, and photos of type uint8 go round at 256.",
)
def image_type_kept(correlate, image, kernel):
    output = correlate(image, kernel)
    return output.astype(np.int64).astype(image.dtype) if image.dtype.kind in "iu" else output


@twist(
    "correlate2d",
    _one,
    wrong="the numbers are read as they lie in memory: wrong for an image turned with .T",
    shows="Only an image that was turned with .T goes wrong: its pixels are taken in another order.",
)
def as_it_lies(correlate, image, kernel):
    return correlate(image.ravel(order="K").reshape(image.shape), kernel)


@misconception(
    "correlate2d",
    wrong="the image that was given is changed in place",
    shows="The numbers are right, but the image is overwritten with them; make a new array.",
)
def image_changed(image, kernel):
    output = _one(image, kernel)
    image[: len(output), : output.shape[1]] = output
    return output


# Activations.


def _activation(name, **said):
    """Register `function(x)` as a wrong way to compute this one activation; the others stay as they are."""

    def register(function):
        def change(activate, x, activation):
            return function(x) if (activation or "linear") == name else activate(x, activation)

        change.__name__ = function.__name__
        twist("activate", _activate, **said)(change)
        return function

    return register


def _softmax_along(x, axis):
    return _plain_softmax_along(x - x.max(axis=axis, keepdims=True), axis)


def _plain_softmax_along(x, axis):
    powers = np.exp(x.astype(float))
    return powers / powers.sum(axis=axis, keepdims=True)


@_activation(
    "softmax",
    wrong="softmax runs over the batch, the first axis, instead of the last",
    shows="Each column of a table adds up to 1 instead of each row.",
)
def softmax_over_the_batch(x):
    return _softmax_along(x, 0)


@_activation(
    "softmax",
    wrong="softmax over everything: all numbers together sum to 1",
    shows="Your numbers are too small: all together add up to 1, not each row.",
)
def softmax_everything(x):
    return _softmax_along(x, None)


@_activation(
    "softmax",
    wrong="softmax over axis 1, which is the last one of tables alone",
    shows="Tables are right; in a batch of pictures the numbers of a pixel do not add up to 1.",
)
def softmax_axis_one(x):
    return _softmax_along(x, 1)


@_activation(
    "softmax",
    wrong="softmax without subtracting the maximum: NaN for large numbers",
    shows="Numbers of moderate size are right; large ones give NaN, since e to the power of 1000 is infinite.",
)
def softmax_overflow(x):
    return _plain_softmax_along(x, -1)


@_activation(
    "softmax",
    wrong="softmax over everything, and without subtracting the maximum",
    shows="All your numbers together add up to 1, not each row; large ones give NaN, since e to the power of 1000 is infinite.",
)
def softmax_plain(x):
    return _plain_softmax_along(x, None)


@_activation(
    "softmax",
    wrong="softmax over the batch, the first axis, and without subtracting the maximum",
    shows="Each column of a table adds up to 1 instead of each row; large numbers give NaN.",
)
def softmax_plain_over_the_batch(x):
    return _plain_softmax_along(x, 0)


@_activation(
    "softmax",
    wrong="softmax subtracts one maximum for all rows: NaN in rows far below it",
    shows="Most is right; a row of numbers far below the largest of all gives NaN, 0 divided by 0.",
)
def softmax_one_maximum(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum(axis=-1, keepdims=True)


@_activation(
    "softmax",
    wrong="softmax subtracts the row's mean instead of its maximum: NaN in rows of numbers far apart",
    shows="Most is right; a number far above its row's mean gives NaN, since e to the power of 1000 is infinite.",
)
def softmax_minus_mean(x):
    return _plain_softmax_along(x - x.mean(axis=-1, keepdims=True), -1)


@_activation(
    "softmax",
    wrong="softmax subtracts the row's minimum instead of its maximum: NaN in rows of numbers far apart",
    shows="Most is right; a number far above its row's smallest gives NaN, since e to the power of 1000 is infinite.",
)
def softmax_minus_minimum(x):
    return _plain_softmax_along(x - x.min(axis=-1, keepdims=True), -1)


@_activation(
    "softmax",
    wrong="softmax cuts large numbers off instead of subtracting the maximum: their differences are lost",
    shows="Numbers of moderate size are right; large ones of a row all get the same share.",
)
def softmax_cut_off(x):
    return _plain_softmax_along(np.clip(x, -700, 700), -1)


@_activation(
    "softmax",
    wrong="softmax of the maximum minus x: the largest number gets the least",
    shows="The numbers of a row add up to 1, but the largest input gets the smallest share.",
)
def softmax_turned(x):
    return _softmax_along(-x, -1)


@_activation(
    "softmax",
    wrong="softmax does not divide by the sum",
    shows="Your largest number in each row is 1, and rows add up to more than 1.",
)
def softmax_undivided(x):
    return np.exp(x - x.max(axis=-1, keepdims=True))


@_activation(
    "softmax",
    wrong="softmax divides by the sum without exp",
    shows="Rows add up to 1, but shares can be negative, and rows of sum 0 give NaN: e to the power is missing.",
)
def softmax_without_exp(x):
    return x / x.sum(axis=-1, keepdims=True)


@_activation(
    "softmax",
    wrong="softmax is 1 for the largest and 0 for the others",
    shows="You have only 0 and 1 where shares between them were expected.",
)
def softmax_hard(x):
    return (x == x.max(axis=-1, keepdims=True)).astype(float)


@_activation("softmax", wrong="softmax is left out", shows='With "softmax" you return the numbers as they came.')
def softmax_left_out(x):
    return x


@_activation(
    "softmax",
    wrong="sigmoid in place of softmax",
    shows='With "softmax" each number is between 0 and 1, but a row does not add up to 1.',
)
def sigmoid_for_softmax(x):
    return 1 / (1 + np.exp(-x.astype(float)))


@_activation(
    "sigmoid",
    wrong="softmax in place of sigmoid",
    shows='With "sigmoid" your rows add up to 1; sigmoid treats every number for itself.',
)
def softmax_for_sigmoid(x):
    return _softmax_along(x, -1)


@_activation(
    "sigmoid", wrong="the minus sign is missing in sigmoid", shows="Each of your numbers is 1 minus the right one."
)
def sigmoid_turned(x):
    return 1 / (1 + np.exp(x.astype(float)))


@_activation(
    "sigmoid",
    wrong="tanh in place of sigmoid",
    shows="You have numbers between −1 and 1, and 0 where sigmoid has one half.",
)
def tanh_for_sigmoid(x):
    return np.tanh(x)


@_activation(
    "sigmoid",
    wrong="sigmoid is rounded to 0 or 1",
    shows='With "sigmoid" you have only 0 and 1 where fractions were expected.',
)
def sigmoid_rounded(x):
    return (x > 0).astype(float)


@_activation(
    "relu",
    wrong="relu turns the sign of negative numbers instead of making them 0",
    shows='With "relu" negative numbers come out positive instead of 0.',
)
def relu_absolute(x):
    return np.abs(x)


@_activation(
    "relu",
    wrong="relu says 1 for positive numbers instead of keeping them",
    shows='With "relu" all positive numbers are 1.',
)
def relu_step(x):
    return (x > 0).astype(float)


@_activation(
    "relu", wrong="relu cuts off at 1 as well", shows='With "relu" all numbers above 1 are 1; relu has no upper end.'
)
def relu_clipped(x):
    return np.clip(x, 0, 1)


@_activation(
    "relu",
    wrong="relu keeps the negative numbers and drops the positive ones",
    shows='With "relu" you have exactly the numbers that should be 0, and 0 for the others.',
)
def relu_minimum(x):
    return np.minimum(x, 0)


@_activation("relu", wrong="relu is left out", shows='With "relu" negative numbers come out as they went in.')
def relu_left_out(x):
    return x


@_activation(
    "relu",
    wrong="relu drops the negative numbers, so the shape is lost",
    shows='With "relu" you return one long row of the positive numbers; an activation keeps the shape.',
)
def relu_dropped(x):
    return x[x > 0]


@_activation(
    "linear",
    wrong="relu is applied when nothing was asked for",
    shows="Without an activation negative numbers become 0 as well.",
)
def linear_as_relu(x):
    return np.maximum(x, 0)


@_activation(
    "sigmoid",
    wrong="the result is kept in an array like x: whole numbers cut the fractions off",
    shows='Fractions go in and come out right; whole numbers give 0 with "sigmoid".',
)
def like_x(x):
    return _activate(x, "sigmoid").astype(x.dtype)


@_activation(
    "softmax",
    wrong="the result is kept in an array like x in softmax: fractions are cut off",
    shows='Fractions go in and come out right; whole numbers give 0 with "softmax".',
)
def softmax_like_x(x):
    return _activate(x, "softmax").astype(x.dtype)


@misconception(
    "activate",
    wrong="nothing is returned when there is no activation",
    shows="Without an activation you return None; the numbers should come back as they are.",
)
def none_returns_none(x, activation=None):
    return None if activation is None else _activate(x, activation)


@misconception(
    "activate",
    wrong='the name "linear" is not known: it is the same as no activation',
    shows='With activation "linear" your function raises an error.',
)
def linear_unknown(x, activation=None):
    if activation == "linear":
        raise ValueError("unknown activation linear")
    return _activate(x, activation)


@misconception(
    "activate",
    wrong="relu changes the array that was given in place",
    shows="The numbers are right, but the array that was given is changed afterwards; make a new one.",
)
def relu_in_place(x, activation=None):
    if activation == "relu":
        x[x < 0] = 0
        return x
    return _activate(x, activation)


@misconception(
    "activate",
    wrong="softmax changes the array that was given in place",
    shows="The numbers are right, but the array that was given is changed afterwards; make a new one.",
)
def softmax_in_place(x, activation=None):
    if activation == "softmax":
        x[:] = x - x.max(axis=-1, keepdims=True)
    return _activate(x, activation)


# A whole layer.


@twist(
    "conv2d",
    _right,
    wrong="the kernel is flipped (true convolution): Keras computes cross-correlation",
    shows="Your numbers are those of a kernel turned by half a turn; 1 × 1 kernels are right.",
    look="One kernel for all places",
)
def conv_flipped(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel[::-1, ::-1], bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the kernel is flipped left to right alone",
    shows="Your numbers are those of a kernel seen in a mirror; kernels of one column are right.",
    look="One kernel for all places",
)
def conv_flipped_left_to_right(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel[:, ::-1], bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the kernel is flipped upside down alone",
    shows="Your numbers are those of a kernel that stands on its head; kernels of one row are right.",
    look="One kernel for all places",
)
def conv_flipped_upside_down(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel[::-1], bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the kernel is transposed",
    shows="Your numbers are wrong, and with kernels that are not square often the shape; 1 × 1 kernels are right.",
    look="One kernel for all places",
)
def conv_transposed(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel.swapaxes(0, 1), bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the window's centre is taken as its start",
    shows="The shape is right, but everything sits lower and further right, with zeros counted above and left.",
    look="One kernel for all places",
)
def conv_centre_as_start(conv2d, images, kernel, bias, strides, padding, activation):
    rows, columns = conv2d(images, kernel, None, strides, padding).shape[1:3]
    padded = _padded(images, kernel, strides, padding)
    padded = np.pad(padded, ((0, 0), (kernel.shape[0] // 2, 0), (kernel.shape[1] // 2, 0), (0, 0)))
    sums = _slide(padded, kernel, strides)[:, :rows, :columns]
    return _activate(sums if bias is None else sums + bias, activation)


@twist(
    "conv2d",
    _right,
    wrong="the kernel's columns are used as its rows as well",
    shows='Square kernels are right; with others rows are mostly too few or too many, or with "same" in the wrong place.',
    look="One kernel for all places",
)
def conv_last_kernel_size_for_both(conv2d, images, kernel, bias, strides, padding, activation):
    square = np.zeros((kernel.shape[1], *kernel.shape[1:]))
    rows = min(kernel.shape[:2])
    square[:rows] = kernel[:rows]
    return conv2d(images, square, bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="only channel 0 of the images is used",
    shows="Pictures of one channel are right; with more, the others are missing in every sum.",
    look="Several channels: still one picture per filter",
)
def conv_first_channel(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images[..., :1], kernel[:, :, :1], bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the channels are averaged instead of summed",
    shows="Pictures of one channel are right; with more, sums are divided by the number of channels.",
    look="Several channels: still one picture per filter",
)
def conv_channels_averaged(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel / kernel.shape[2], bias, strides, padding, activation)


@misconception(
    "conv2d",
    wrong="the channels are not summed, so there is an axis too many",
    shows="Your result has a fifth axis, one entry for each channel.",
    look="Several channels: still one picture per filter",
)
def conv_channels_apart(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    apart = [
        _right(images[..., [channel]], kernel[:, :, [channel]], bias, strides, padding, activation)
        for channel in range(kernel.shape[2])
    ]
    return np.stack(apart, axis=-1)


@misconception(
    "conv2d",
    wrong="every channel is a filter of its own, so there are channels times filters images",
    shows="Your last axis has channels times filters entries: the sum over the channels is missing.",
    look="Several channels: still one picture per filter",
)
def conv_depthwise(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return np.concatenate(
        [
            _right(images[..., [channel]], kernel[:, :, [channel]], bias, strides, padding, activation)
            for channel in range(kernel.shape[2])
        ],
        axis=-1,
    )


@twist(
    "conv2d",
    _right,
    wrong="filter 0 is used for every output image",
    shows="All your output channels come from the same kernel; the first filter is the only one that is used.",
    look="Several filters: several pictures",
)
def conv_first_filter(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, np.repeat(kernel[..., :1], kernel.shape[3], axis=3), bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the filters are summed into one image",
    shows="You return one output channel, the sum of those that were expected.",
    look="Several filters: several pictures",
)
def conv_filters_summed(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, strides, padding, activation).sum(axis=-1, keepdims=True)


@twist(
    "conv2d",
    _right,
    wrong="the kernel is read as (rows, columns, filters, channels); it is (rows, columns, channels, filters)",
    shows="One channel or one filter is right; with several of both the wrong weights meet.",
    look="Several channels: still one picture per filter",
)
def conv_filters_before_channels(conv2d, images, kernel, bias, strides, padding, activation):
    rows, columns, channels, filters = kernel.shape
    mixed = kernel.reshape(rows, columns, filters, channels).swapaxes(2, 3)
    return conv2d(images, mixed, bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the filters come first in the output; Keras puts them last",
    shows="The numbers are right, but the filters are axis 1 instead of the last.",
    look="Several filters: several pictures",
)
def conv_filters_first(conv2d, images, kernel, bias, strides, padding, activation):
    return np.moveaxis(conv2d(images, kernel, bias, strides, padding, activation), -1, 1)


@twist(
    "conv2d",
    _right,
    wrong="the images are read as (batch, channels, rows, columns)",
    shows="One channel is right; with more, pixels are taken from the wrong places.",
    look="Several channels: still one picture per filter",
)
def conv_channels_first(conv2d, images, kernel, bias, strides, padding, activation):
    batch, rows, columns, channels = images.shape
    mixed = np.moveaxis(images.reshape(batch, channels, rows, columns), 1, -1)
    return conv2d(mixed, kernel, bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the bias is forgotten",
    shows="Without a bias all is right; with one, every output channel is off by its bias.",
    look="The bias",
)
def conv_no_bias(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, None, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="bias 0 is added to every filter",
    shows="Before the activation channel 0 is right, and each other channel is off by an amount of its own.",
    look="The bias",
)
def conv_first_bias(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, None if bias is None else bias[0], strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the bias is added once for every channel",
    shows="With one input channel all is right; with more, each output channel is off by its bias once or more.",
    look="The bias",
)
def conv_bias_per_channel(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, None if bias is None else bias * kernel.shape[2], strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the bias is added inside the sum, once for every weight",
    shows="With a bias, every output channel is off by its bias times the number of a filter's weights less one.",
    look="The bias",
)
def conv_bias_per_weight(conv2d, images, kernel, bias, strides, padding, activation):
    often = kernel[..., 0].size
    return conv2d(images, kernel, None if bias is None else bias * often, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the bias is subtracted",
    shows="With a bias, every output channel is off by twice its bias.",
    look="The bias",
)
def conv_bias_subtracted(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, None if bias is None else -np.asarray(bias), strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the bias is added after the activation",
    shows="Without an activation all is right; with relu, say, negative numbers come out where a bias is negative.",
    look="The bias",
)
def conv_bias_after(conv2d, images, kernel, bias, strides, padding, activation):
    output = conv2d(images, kernel, None, strides, padding, activation)
    return output if bias is None else output + bias


@misconception(
    "conv2d",
    wrong="without a bias it fails: None cannot be added",
    shows="Every call with bias=None raises an error; leave the sum alone then.",
    look="The bias",
)
def conv_needs_bias(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _activate(_right(images, kernel, None, strides, padding) + bias, activation)


@twist(
    "conv2d",
    _right,
    wrong="the activation is forgotten",
    shows="All is right until an activation is asked for: your numbers are those before it.",
    look="What happens to each number afterwards",
)
def conv_no_activation(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, strides, padding)


@twist(
    "conv2d",
    _right,
    wrong="relu is always applied",
    shows="Without an activation all your negative numbers are 0.",
    look="What happens to each number afterwards",
)
def conv_always_relu(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, strides, padding, activation or "relu")


@twist(
    "conv2d",
    _right,
    wrong="only relu is known: sigmoid and softmax are ignored",
    shows='"relu" and no activation are right; with "sigmoid" and "softmax" your numbers are those before it.',
    look="What happens to each number afterwards",
)
def conv_relu_alone(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, strides, padding, activation if activation == "relu" else None)


@misconception(
    "conv2d",
    wrong="only relu is known: sigmoid and softmax raise an error",
    shows='"relu" and no activation are right; "sigmoid" and "softmax" end in an error.',
    look="What happens to each number afterwards",
)
def conv_others_unknown(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    if activation in ("sigmoid", "softmax"):
        raise ValueError(f"unknown activation {activation}")
    return _right(images, kernel, bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="softmax over the columns instead of over the filters of each pixel",
    shows='With "softmax" the numbers of one pixel do not add up to 1, those of one row and channel do.',
    look="What happens to each number afterwards",
)
def conv_softmax_over_columns(conv2d, images, kernel, bias, strides, padding, activation):
    if activation != "softmax":
        return conv2d(images, kernel, bias, strides, padding, activation)
    return _activate(conv2d(images, kernel, bias, strides, padding).swapaxes(2, 3), activation).swapaxes(2, 3)


@twist(
    "conv2d",
    _right,
    wrong="the strides are forgotten",
    shows="Strides of 1 are right; with larger ones your result is too large.",
)
def conv_no_strides(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, (1, 1), padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the window's start is not multiplied by the strides: the output is a corner of the one with strides 1",
    shows="The shape is right, but with strides above 1 you have neighbouring windows where steps were asked for.",
)
def conv_crop(conv2d, images, kernel, bias, strides, padding, activation):
    rows, columns = conv2d(images, kernel, None, strides, padding).shape[1:3]
    sums = _slide(_padded(images, kernel, strides, padding), kernel)[:, :rows, :columns]
    return _activate(sums if bias is None else sums + bias, activation)


@twist(
    "conv2d",
    _right,
    wrong="the strides of rows and columns are swapped",
    shows="Equal strides are right; others give a wrong shape, the steps of rows taken along columns.",
)
def conv_strides_swapped(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, pair(strides)[::-1], padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the strides of the rows are used for the columns as well",
    shows="Equal strides are right; otherwise your number of columns is wrong.",
)
def conv_row_strides_for_both(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, pair(strides)[0], padding, activation)


@misconception(
    "conv2d",
    wrong="strides given as one int are not expected",
    shows="Pairs are right; strides=2 raises an error. One int counts for both axes.",
)
def conv_int_strides(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, (strides[0], strides[1]), padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the window moves by the kernel's size instead of by the strides",
    shows="Your result is too small, or right where strides are as large as the kernel.",
)
def conv_tiles(conv2d, images, kernel, bias, strides, padding, activation):
    padded = _padded(images, kernel, strides, padding)
    return conv2d(padded, kernel, bias, kernel.shape[:2], "valid", activation)


@twist(
    "conv2d",
    _right,
    wrong='the loop over the places ends one step early: the range needs a "+ 1" at its end',
    shows="Where the last window fits exactly, your last row or column is missing.",
    look="One kernel for all places",
)
def conv_range_ends_early(conv2d, images, kernel, bias, strides, padding, activation):
    size = _padded(images, kernel, strides, padding).shape[1:3]
    rows, columns = (
        math.ceil((all_of_it - window) / step)
        for all_of_it, window, step in zip(size, kernel.shape[:2], pair(strides), strict=True)
    )
    return conv2d(images, kernel, bias, strides, padding, activation)[:, :rows, :columns]


@twist(
    "conv2d",
    _right,
    wrong='the "+ 1" is missing in the output size',
    shows="Your last row and last column are missing; all other numbers are right.",
    look="One kernel for all places",
)
def conv_one_too_few(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, strides, padding, activation)[:, :-1, :-1]


@twist(
    "conv2d",
    _right,
    wrong="the output size is rounded up: a last window hangs over the edge",
    shows="Where strides leave pixels over you have a row or column too many.",
)
def conv_rounded_up(conv2d, images, kernel, bias, strides, padding, activation):
    padded = _padded(images, kernel, strides, padding)
    more = [
        (0, -(size - length) % step)
        for size, length, step in zip(padded.shape[1:3], kernel.shape[:2], pair(strides), strict=True)
    ]
    return conv2d(np.pad(padded, ((0, 0), *more, (0, 0))), kernel, bias, strides, "valid", activation)


@twist(
    "conv2d",
    _right,
    wrong="output rows and columns are swapped",
    shows="Your result is the right one with rows and columns exchanged.",
    look="One kernel for all places",
)
def conv_swapped(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, strides, padding, activation).swapaxes(1, 2)


@twist(
    "conv2d",
    _right,
    wrong="the result's number of rows is used for its columns as well",
    shows="Square results are right; otherwise columns are missing, or too many and 0.",
    look="One kernel for all places",
)
def conv_rows_for_columns(conv2d, images, kernel, bias, strides, padding, activation):
    right = conv2d(images, kernel, bias, strides, padding, activation)
    side = right.shape[1]
    output = np.zeros((len(right), side, side, right.shape[3]))
    columns = min(side, right.shape[2])
    output[:, :, :columns] = right[:, :, :columns]
    return output


@twist(
    "conv2d",
    _right,
    wrong="the last row of the output is never computed: only the bias is there",
    shows="All rows but the last are right; that one holds the activated bias alone.",
    look="One kernel for all places",
)
def conv_last_row_missing(conv2d, images, kernel, bias, strides, padding, activation):
    sums = conv2d(images, kernel, None, strides, padding)
    sums[:, -1] = 0
    return _activate(sums if bias is None else sums + bias, activation)


@twist(
    "conv2d",
    _right,
    wrong="the last row and the last column of the output are never computed: only the bias is there",
    shows="All is right but the last row and the last column; these hold the activated bias alone.",
    look="One kernel for all places",
)
def conv_last_row_and_column_missing(conv2d, images, kernel, bias, strides, padding, activation):
    sums = conv2d(images, kernel, None, strides, padding)
    sums[:, -1] = sums[:, :, -1] = 0
    return _activate(sums if bias is None else sums + bias, activation)


@twist(
    "conv2d",
    _right,
    wrong="the result is kept in an array of whole numbers, so fractions are cut off",
    shows="Whole numbers are right; from other sums the part behind the point is missing.",
    look="One kernel for all places",
)
def conv_truncated(conv2d, images, kernel, bias, strides, padding, activation):
    return _activate(conv2d(images, kernel, bias, strides, padding).astype(int), activation)


@misconception(
    "conv2d",
    wrong="the result is kept in an array of the images' type, whatever that is",
    shows="From images of whole numbers fractions are cut off, and photos of type uint8 go round at 256.",
    look="One kernel for all places",
)
def conv_type_kept(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    output = _right(images, kernel, bias, strides, padding)
    if images.dtype.kind in "iu":
        output = output.astype(np.int64).astype(images.dtype)
    return _activate(output, activation)


@misconception(
    "conv2d",
    wrong="the result is kept in an array like the images: uint8 goes round at 256",
    shows="Photos of type uint8 come out between 0 and 255; all others are right.",
    look="One kernel for all places",
)
def conv_wraps(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    output = _right(images, kernel, bias, strides, padding, activation)
    return output.astype(np.int64).astype(images.dtype) if images.dtype.kind == "u" else output


@twist(
    "conv2d",
    _right,
    wrong="image 0 of the batch is used for every image",
    shows="One picture is right; in a batch all results are those of the first.",
)
def conv_first_image(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(np.repeat(images[:1], len(images), axis=0), kernel, bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="only the first image of the batch is looked at",
    shows="One picture is right; of a batch only the first comes back.",
)
def conv_first_image_alone(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images[:1], kernel, bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="only the first image of the batch comes back, without a batch axis",
    shows="You have three axes instead of four, and the other pictures of a batch are missing.",
)
def conv_no_batch(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, strides, padding, activation)[0]


@twist(
    "conv2d",
    _right,
    wrong="the images of the batch are summed into one",
    shows="One picture is right; a batch comes back as one picture.",
)
def conv_batch_summed(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images.sum(axis=0, keepdims=True), kernel, bias, strides, padding, activation)


@twist(
    "conv2d",
    _right,
    wrong="the padding is ignored: it always stays inside",
    shows='"valid" is right; with "same" your result is too small.',
    look="Exercise 4 · `conv2d`",
)
def conv_always_valid(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, strides, "valid", activation)


@twist(
    "conv2d",
    _right,
    wrong='zeros are always put around, with "valid" as well',
    shows='"same" is right; with "valid" your result is too large.',
)
def conv_always_same(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(images, kernel, bias, strides, "same", activation)


@twist(
    "conv2d",
    _right,
    wrong='"same" puts the extra zero before the pixels instead of after',
    shows='"valid" is right; with "same" windows that need an uneven number of zeros start one pixel early.',
)
def conv_extra_before(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(_padded(images, kernel, strides, padding, turned=True), kernel, bias, strides, "valid", activation)


@twist(
    "conv2d",
    _right,
    wrong='"same" repeats the border\'s pixels instead of putting zeros',
    shows='The inside is right; with "same" the border differs.',
)
def conv_edge(conv2d, images, kernel, bias, strides, padding, activation):
    padded = images if padding == "valid" else _padded(images, kernel, strides, padding, mode="edge")
    return conv2d(padded, kernel, bias, strides, "valid", activation)


@twist(
    "conv2d",
    _right,
    wrong='"same" forgets the strides, so there can be too many zeros',
    shows='Strides of 1 are right; with larger ones and "same" your windows can start too early.',
)
def conv_padded_for_strides_one(conv2d, images, kernel, bias, strides, padding, activation):
    return conv2d(_padded(images, kernel, (1, 1), padding), kernel, bias, strides, "valid", activation)


@twist(
    "conv2d",
    _right,
    wrong='"same" puts kernel_size − strides zeros, whatever the size of the picture',
    shows='Sizes that the strides divide are right; others with "same" and larger strides get too few zeros, or too many.',
)
def conv_padded_without_size(conv2d, images, kernel, bias, strides, padding, activation):
    if padding == "same":
        missing = [max(length - step, 0) for length, step in zip(kernel.shape[:2], pair(strides), strict=True)]
        images = np.pad(images, ((0, 0), *((total // 2, total - total // 2) for total in missing), (0, 0)))
    return conv2d(images, kernel, bias, strides, "valid", activation)


@twist(
    "conv2d",
    _right,
    wrong='"same" always puts one zero on each side, whatever the kernel',
    shows='"valid" and kernels of 3 with strides of 1 are right; other results of "same" have a wrong size or place.',
)
def conv_one_zero(conv2d, images, kernel, bias, strides, padding, activation):
    padded = images if padding == "valid" else np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return conv2d(padded, kernel, bias, strides, "valid", activation)


@misconception(
    "conv2d",
    wrong="padded[pad:-pad] is empty where pad is 0",
    shows='With "same" it fails where rows or columns need no zeros at all: −0 is 0, so the slice is empty.',
)
def conv_empty_slice(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    if padding == "valid":
        return _right(images, kernel, bias, strides, padding, activation)
    inside = _padded(images, kernel, strides, padding)
    before = (inside.shape[1] - images.shape[1]) // 2
    after = inside.shape[1] - images.shape[1] - before
    framed = np.zeros(inside.shape)
    left = (inside.shape[2] - images.shape[2]) // 2
    right = inside.shape[2] - images.shape[2] - left
    framed[:, before:-after, left:-right] = images
    return _right(framed, kernel, bias, strides, "valid", activation)


@misconception(
    "conv2d",
    wrong="the numbers are read as they lie in memory: wrong for images that were turned",
    shows="Only images that were turned go wrong: their pixels are taken in another order.",
)
def conv_as_they_lie(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    # A window made by as_strided with steps computed from the shape does this.
    return _right(images.ravel(order="K").reshape(images.shape), kernel, bias, strides, padding, activation)


@misconception(
    "conv2d",
    wrong="windows are cut with the wrong steps, by the output's number of columns instead of the picture's",
    shows="The first row is right; each further one starts in the wrong place.",
)
def conv_wrong_steps(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    padded = np.ascontiguousarray(_padded(images, kernel, strides, padding))
    batch, rows, columns, channels = padded.shape
    kernel_rows, kernel_columns = kernel.shape[:2]
    start = np.arange(rows - kernel_rows + 1)[:, None] * (columns - kernel_columns + 1)
    start = start + np.arange(columns - kernel_columns + 1)
    inside = (np.arange(kernel_rows)[:, None] * columns + np.arange(kernel_columns))[None, None]
    windows = padded.reshape(batch, rows * columns, channels)[:, start[..., None, None] + inside]
    row_strides, column_strides = pair(strides)
    sums = np.einsum("nrcxyi,xyif->nrcf", windows[:, ::row_strides, ::column_strides], kernel)
    return _activate(sums if bias is None else sums + bias, activation)


@twist(
    "conv2d",
    _right,
    wrong="the images that were given are changed in place",
    shows="The numbers are right, but the images are overwritten; make a new array for the output.",
)
def conv_images_changed(conv2d, images, kernel, bias, strides, padding, activation):
    output = conv2d(images, kernel, bias, strides, padding, activation)
    images[:] = 0
    return output


@twist(
    "conv2d",
    _right,
    wrong="the kernel that was given is changed in place",
    shows="The numbers are right, but the kernel is another one afterwards; never write into it.",
)
def conv_kernel_changed(conv2d, images, kernel, bias, strides, padding, activation):
    output = conv2d(images, kernel, bias, strides, padding, activation)
    kernel[:] = kernel[::-1, ::-1]
    return output


@misconception(
    "conv2d", wrong="the output array is made but never filled", shows="The shape is right, and every number is 0."
)
def conv_unfilled(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return np.zeros_like(_right(images, kernel, bias, strides, padding, activation))


@twist(
    "conv2d",
    _right,
    wrong='"same" puts half the kernel on both sides, one zero too many for even kernels',
    shows='"valid" and odd kernels with strides of 1 are right; other results of "same" are too large or start too early.',
)
def conv_half_on_both_sides(conv2d, images, kernel, bias, strides, padding, activation):
    if padding == "same":
        rows, columns = (size // 2 for size in kernel.shape[:2])
        images = np.pad(images, ((0, 0), (rows, rows), (columns, columns), (0, 0)))
    return conv2d(images, kernel, bias, strides, "valid", activation)


@twist(
    "conv2d",
    _right,
    wrong='"same" puts (kernel_size - 1) // 2 zeros on both sides, one too few for even kernels',
    shows='"valid" and odd kernels with strides of 1 are right; other results of "same" are too small or start too early.',
)
def conv_smaller_half_on_both_sides(conv2d, images, kernel, bias, strides, padding, activation):
    if padding == "same":
        rows, columns = ((size - 1) // 2 for size in kernel.shape[:2])
        images = np.pad(images, ((0, 0), (rows, rows), (columns, columns), (0, 0)))
    return conv2d(images, kernel, bias, strides, "valid", activation)


@twist(
    "conv2d",
    _right,
    wrong="softmax over everything instead of over the filters of each pixel",
    shows='With "softmax" all your numbers together add up to 1, not those of each pixel.',
    look="What happens to each number afterwards",
)
def conv_softmax_over_everything(conv2d, images, kernel, bias, strides, padding, activation):
    if activation != "softmax":
        return conv2d(images, kernel, bias, strides, padding, activation)
    sums = conv2d(images, kernel, bias, strides, padding)
    powers = np.exp(sums - sums.max())
    return powers / powers.sum()
