"""Wrong ways to convolve and to activate."""

import math

import numpy as np

from autograde_tests.misconceptions import misconception


def _pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def _padded(images, kernel, strides, padding, turned=False, **how):
    """What "same" puts around; `turned` puts the extra zero before."""
    if padding == "valid":
        return images
    around = []
    for size, length, step in zip(images.shape[1:3], kernel.shape[:2], _pair(strides), strict=True):
        total = max((math.ceil(size / step) - 1) * step + length - size, 0)
        around.append((total // 2, total - total // 2)[:: -1 if turned else 1])
    return np.pad(images, ((0, 0), *around, (0, 0)), **how)


def _slide(images, kernel, strides=(1, 1)):
    """The sums alone, right, on padded images."""
    kernel_rows, kernel_columns = kernel.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(images, (kernel_rows, kernel_columns), axis=(1, 2))
    row_strides, column_strides = _pair(strides)
    return np.einsum("nrcixy,xyif->nrcf", windows[:, ::row_strides, ::column_strides], kernel)


def _activate(x, activation):
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


# One weighted sum.


@misconception("weighted_sum", "the kernel is flipped: a pixel meets the weight of the opposite corner")
def sum_flipped(patch, kernel):
    return float((patch * kernel[::-1, ::-1]).sum())


@misconception("weighted_sum", "the kernel is transposed: rows meet columns")
def sum_transposed(patch, kernel):
    return float((patch * kernel.swapaxes(0, 1)).sum())


@misconception("weighted_sum", "a product of matrices instead of pixel times weight")
def sum_of_matrix_product(patch, kernel):
    return float((patch @ kernel).sum())


@misconception("weighted_sum", "the mean of the products instead of their sum")
def sum_mean(patch, kernel):
    return float((patch * kernel).mean())


@misconception("weighted_sum", "divided by the sum of the weights: a weighted average instead of a weighted sum")
def sum_average(patch, kernel):
    return float((patch * kernel).sum() / kernel.sum())


@misconception("weighted_sum", "the products are returned, not summed")
def sum_missing(patch, kernel):
    return patch * kernel


@misconception("weighted_sum", "summed along the rows alone")
def sum_of_rows(patch, kernel):
    return (patch * kernel).sum(axis=0)


@misconception("weighted_sum", "the channels are not summed")
def sum_per_channel(patch, kernel):
    return (patch * kernel).sum(axis=(0, 1))


@misconception("weighted_sum", "an array of one number instead of a number")
def sum_in_an_array(patch, kernel):
    return np.array([(patch * kernel).sum()])


@misconception("weighted_sum", "only channel 0 is used")
def sum_first_channel(patch, kernel):
    products = patch * kernel
    return float((products if products.ndim == 2 else products[:, :, 0]).sum())


@misconception("weighted_sum", "the channels are averaged instead of summed")
def sum_channels_averaged(patch, kernel):
    products = patch * kernel
    return float(products.sum() / (1 if products.ndim == 2 else products.shape[2]))


@misconception("weighted_sum", "relu is always applied: negative sums become 0")
def sum_relu(patch, kernel):
    return max(float((patch * kernel).sum()), 0.0)


@misconception("weighted_sum", "the fraction is cut off")
def sum_truncated(patch, kernel):
    return int((patch * kernel).sum())


@misconception("weighted_sum", "the patch that was given is changed in place")
def sum_in_place(patch, kernel):
    total = float((patch * kernel).sum())
    patch[:] = patch * kernel
    return total


@misconception("weighted_sum", "only a square window of as many columns as there are rows is summed")
def sum_square(patch, kernel):
    side = patch.shape[0]
    return float((patch * kernel)[:, :side].sum())


# One filter on one image.


@misconception("correlate2d", "the kernel is flipped (true convolution): Keras computes cross-correlation")
def flipped(image, kernel):
    return _one(image, kernel[::-1, ::-1])


@misconception("correlate2d", "the kernel is flipped left to right alone")
def flipped_left_to_right(image, kernel):
    return _one(image, kernel[:, ::-1])


@misconception("correlate2d", "the kernel is transposed")
def transposed(image, kernel):
    return _one(image, kernel.T)


@misconception("correlate2d", "the window's centre is taken as its start")
def centre_as_start(image, kernel):
    rows, columns = _one(image, kernel).shape
    top, left = kernel.shape[0] // 2, kernel.shape[1] // 2
    return _one(np.pad(image, ((top, 0), (left, 0))), kernel)[:rows, :columns]


@misconception("correlate2d", 'zeros are put around the image, but this is "valid"')
def zeros_around(image, kernel):
    return _right(image[None, :, :, None], kernel[:, :, None, None], padding="same")[0, :, :, 0]


@misconception("correlate2d", "the image goes round: what leaves on the right comes in on the left")
def going_round(image, kernel):
    turned = [weight * np.roll(image, (-row, -column), axis=(0, 1)) for (row, column), weight in np.ndenumerate(kernel)]
    return sum(turned)


@misconception("correlate2d", 'the "+ 1" is missing in the output size')
def one_too_few(image, kernel):
    return _one(image, kernel)[:-1, :-1]


@misconception("correlate2d", "the last row stays at 0: the loop ends one too early")
def last_row_missing(image, kernel):
    output = _one(image, kernel)
    output[-1] = 0
    return output


@misconception("correlate2d", "the kernel's columns are used as its rows as well")
def last_kernel_size_for_both(image, kernel):
    output = np.zeros((image.shape[0] - kernel.shape[1] + 1, image.shape[1] - kernel.shape[1] + 1))
    right = _one(image, kernel)
    rows = min(len(output), len(right))
    output[:rows] = right[:rows]
    return output


@misconception("correlate2d", "the image's rows are used as its columns as well: right on square images alone")
def rows_for_columns(image, kernel):
    side = image.shape[0] - kernel.shape[0] + 1
    output, right = np.zeros((side, side)), _one(image, kernel)
    columns = min(side, right.shape[1])
    output[:, :columns] = right[:, :columns]
    return output


@misconception("correlate2d", "output rows and columns are swapped")
def swapped(image, kernel):
    return _one(image, kernel).T


@misconception("correlate2d", "the window moves by its own size instead of by one pixel")
def tiles(image, kernel):
    return _one(image, kernel)[:: kernel.shape[0], :: kernel.shape[1]]


@misconception("correlate2d", "the window never moves: the first patch is used everywhere")
def first_patch(image, kernel):
    output = _one(image, kernel)
    return np.full_like(output, output[0, 0])


@misconception("correlate2d", "the mean of the products instead of their sum")
def mean_of_products(image, kernel):
    return _one(image, kernel) / kernel.size


@misconception("correlate2d", "relu is always applied: negative sums become 0")
def image_relu(image, kernel):
    return np.maximum(_one(image, kernel), 0)


@misconception("correlate2d", "the result is kept in an array of whole numbers, so fractions are cut off")
def image_truncated(image, kernel):
    return _one(image, kernel).astype(int)


@misconception("correlate2d", "the result is kept in an array like the image: uint8 goes round at 256")
def image_wraps(image, kernel):
    return _one(image, kernel).astype(np.int64).astype(image.dtype) if image.dtype.kind == "u" else _one(image, kernel)


@misconception("correlate2d", "the numbers are read as they lie in memory: wrong for an image turned with .T")
def as_it_lies(image, kernel):
    return _one(image.ravel(order="K").reshape(image.shape), kernel)


@misconception("correlate2d", "the image that was given is changed in place")
def image_changed(image, kernel):
    output = _one(image, kernel)
    image[: len(output), : output.shape[1]] = output
    return output


# Activations.


def _activation(name, says):
    """Register `function(x)` as a wrong way to compute this one activation; the others stay right."""

    def register(function):
        def wrong(x, activation=None):
            return function(x) if (activation or "linear") == name else _activate(x, activation)

        wrong.__name__ = function.__name__
        misconception("activate", says)(wrong)
        return function

    return register


@_activation("softmax", "softmax over the batch axis: each column sums to 1 instead of each row")
def softmax_along(x, axis):
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@_activation("softmax", "softmax over everything: all numbers together sum to 1")
def softmax_everything(x):
    return softmax_along(x, None)


@_activation("softmax", "softmax over axis 1, which is the last one of tables alone")
def softmax_axis_one(x):
    return softmax_along(x, 1)


@_activation("softmax", "softmax without subtracting the maximum: NaN for large numbers")
def softmax_overflow(x):
    powers = np.exp(x.astype(float))
    return powers / powers.sum(axis=-1, keepdims=True)


@_activation("softmax", "softmax subtracts one maximum for all rows: NaN in rows far below it")
def softmax_one_maximum(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum(axis=-1, keepdims=True)


@_activation("softmax", "softmax of the maximum minus x: the largest number gets the least")
def softmax_turned(x):
    return softmax_along(-x, -1)


@_activation("softmax", "softmax does not divide by the sum")
def softmax_undivided(x):
    return np.exp(x - x.max(axis=-1, keepdims=True))


@_activation("softmax", "softmax divides by the sum without exp")
def softmax_without_exp(x):
    return x / x.sum(axis=-1, keepdims=True)


@_activation("softmax", "softmax is 1 for the largest and 0 for the others")
def softmax_hard(x):
    return (x == x.max(axis=-1, keepdims=True)).astype(float)


@_activation("softmax", "softmax is left out")
def softmax_left_out(x):
    return x


@_activation("softmax", "sigmoid in place of softmax")
def sigmoid_for_softmax(x):
    return 1 / (1 + np.exp(-x.astype(float)))


@_activation("sigmoid", "softmax in place of sigmoid")
def softmax_for_sigmoid(x):
    return softmax_along(x, -1)


@_activation("sigmoid", "the minus sign is missing in sigmoid")
def sigmoid_turned(x):
    return 1 / (1 + np.exp(x.astype(float)))


@_activation("sigmoid", "tanh in place of sigmoid")
def tanh_for_sigmoid(x):
    return np.tanh(x)


@_activation("sigmoid", "sigmoid is rounded to 0 or 1")
def sigmoid_rounded(x):
    return (x > 0).astype(float)


@_activation("relu", "relu turns the sign of negative numbers instead of making them 0")
def relu_absolute(x):
    return np.abs(x)


@_activation("relu", "relu says 1 for positive numbers instead of keeping them")
def relu_step(x):
    return (x > 0).astype(float)


@_activation("relu", "relu cuts off at 1 as well")
def relu_clipped(x):
    return np.clip(x, 0, 1)


@_activation("relu", "relu keeps the negative numbers and drops the positive ones")
def relu_minimum(x):
    return np.minimum(x, 0)


@_activation("relu", "relu is left out")
def relu_left_out(x):
    return x


@_activation("relu", "relu drops the negative numbers, so the shape is lost")
def relu_dropped(x):
    return x[x > 0]


@_activation("linear", "relu is applied when nothing was asked for")
def linear_as_relu(x):
    return np.maximum(x, 0)


@_activation("sigmoid", "the result is kept in an array like x: whole numbers cut the fractions off")
def like_x(x):
    return _activate(x, "sigmoid").astype(x.dtype)


@_activation("softmax", "the result is kept in an array like x in softmax: fractions are cut off")
def softmax_like_x(x):
    return _activate(x, "softmax").astype(x.dtype)


@misconception("activate", "nothing is returned when there is no activation")
def none_returns_none(x, activation=None):
    return None if activation is None else _activate(x, activation)


@misconception("activate", 'the name "linear" is not known')
def linear_unknown(x, activation=None):
    if activation == "linear":
        raise ValueError("unknown activation linear")
    return _activate(x, activation)


@misconception("activate", "relu changes the array that was given in place")
def relu_in_place(x, activation=None):
    if activation == "relu":
        x[x < 0] = 0
        return x
    return _activate(x, activation)


@misconception("activate", "softmax changes the array that was given in place")
def softmax_in_place(x, activation=None):
    if activation == "softmax":
        x[:] = x - x.max(axis=-1, keepdims=True)
    return _activate(x, activation)


# A whole layer.


@misconception("conv2d", "the kernel is flipped (true convolution): Keras computes cross-correlation")
def conv_flipped(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel[::-1, ::-1], bias, strides, padding, activation)


@misconception("conv2d", "the kernel is transposed")
def conv_transposed(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel.swapaxes(0, 1), bias, strides, padding, activation)


@misconception("conv2d", "the window's centre is taken as its start")
def conv_centre_as_start(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    rows, columns = _right(images, kernel, None, strides, padding).shape[1:3]
    padded = _padded(images, kernel, strides, padding)
    padded = np.pad(padded, ((0, 0), (kernel.shape[0] // 2, 0), (kernel.shape[1] // 2, 0), (0, 0)))
    sums = _slide(padded, kernel, strides)[:, :rows, :columns]
    return _activate(sums if bias is None else sums + bias, activation)


@misconception("conv2d", "the kernel's columns are used as its rows as well")
def conv_last_kernel_size_for_both(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    square = np.zeros((kernel.shape[1], *kernel.shape[1:]))
    rows = min(kernel.shape[:2])
    square[:rows] = kernel[:rows]
    return _right(images, square, bias, strides, padding, activation)


@misconception("conv2d", "only channel 0 of the images is used")
def conv_first_channel(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images[..., :1], kernel[:, :, :1], bias, strides, padding, activation)


@misconception("conv2d", "the channels are averaged instead of summed")
def conv_channels_averaged(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel / kernel.shape[2], bias, strides, padding, activation)


@misconception("conv2d", "the channels are not summed, so there is an axis too many")
def conv_channels_apart(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    apart = [
        _right(images[..., [channel]], kernel[:, :, [channel]], bias, strides, padding, activation)
        for channel in range(kernel.shape[2])
    ]
    return np.stack(apart, axis=-1)


@misconception("conv2d", "every channel is a filter of its own, so there are channels times filters images")
def conv_depthwise(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return np.concatenate(
        [
            _right(images[..., [channel]], kernel[:, :, [channel]], bias, strides, padding, activation)
            for channel in range(kernel.shape[2])
        ],
        axis=-1,
    )


@misconception("conv2d", "filter 0 is used for every output image")
def conv_first_filter(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, np.repeat(kernel[..., :1], kernel.shape[3], axis=3), bias, strides, padding, activation)


@misconception("conv2d", "the filters are summed into one image")
def conv_filters_summed(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, strides, padding, activation).sum(axis=-1, keepdims=True)


@misconception("conv2d", "the kernel is read as (rows, columns, filters, channels)")
def conv_filters_before_channels(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    rows, columns, channels, filters = kernel.shape
    mixed = kernel.reshape(rows, columns, filters, channels).swapaxes(2, 3)
    return _right(images, mixed, bias, strides, padding, activation)


@misconception("conv2d", "the filters come first in the output; Keras puts them last")
def conv_filters_first(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return np.moveaxis(_right(images, kernel, bias, strides, padding, activation), -1, 1)


@misconception("conv2d", "the images are read as (batch, channels, rows, columns)")
def conv_channels_first(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    batch, rows, columns, channels = images.shape
    mixed = np.moveaxis(images.reshape(batch, channels, rows, columns), 1, -1)
    return _right(mixed, kernel, bias, strides, padding, activation)


@misconception("conv2d", "the bias is forgotten")
def conv_no_bias(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, None, strides, padding, activation)


@misconception("conv2d", "bias 0 is added to every filter")
def conv_first_bias(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, None if bias is None else bias[0], strides, padding, activation)


@misconception("conv2d", "the bias is added once for every channel")
def conv_bias_per_channel(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, None if bias is None else bias * kernel.shape[2], strides, padding, activation)


@misconception("conv2d", "the bias is added inside the sum, once for every weight")
def conv_bias_per_weight(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    often = kernel[..., 0].size
    return _right(images, kernel, None if bias is None else bias * often, strides, padding, activation)


@misconception("conv2d", "the bias is subtracted")
def conv_bias_subtracted(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, None if bias is None else -np.asarray(bias), strides, padding, activation)


@misconception("conv2d", "the bias is added after the activation")
def conv_bias_after(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    output = _right(images, kernel, None, strides, padding, activation)
    return output if bias is None else output + bias


@misconception("conv2d", "without a bias it fails: None cannot be added")
def conv_needs_bias(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _activate(_right(images, kernel, None, strides, padding) + bias, activation)


@misconception("conv2d", "the activation is forgotten")
def conv_no_activation(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, strides, padding)


@misconception("conv2d", "relu is always applied")
def conv_always_relu(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, strides, padding, activation or "relu")


@misconception("conv2d", "softmax over the columns instead of over the filters of each pixel")
def conv_softmax_over_columns(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    if activation != "softmax":
        return _right(images, kernel, bias, strides, padding, activation)
    return _activate(_right(images, kernel, bias, strides, padding).swapaxes(2, 3), activation).swapaxes(2, 3)


@misconception("conv2d", "the strides are forgotten")
def conv_no_strides(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, (1, 1), padding, activation)


@misconception(
    "conv2d", "the window's start is not multiplied by the strides: the output is a corner of the one with strides 1"
)
def conv_crop(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    rows, columns = _right(images, kernel, None, strides, padding).shape[1:3]
    sums = _slide(_padded(images, kernel, strides, padding), kernel)[:, :rows, :columns]
    return _activate(sums if bias is None else sums + bias, activation)


@misconception("conv2d", "the strides of rows and columns are swapped")
def conv_strides_swapped(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, _pair(strides)[::-1], padding, activation)


@misconception("conv2d", "the strides of the rows are used for the columns as well")
def conv_row_strides_for_both(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, _pair(strides)[0], padding, activation)


@misconception("conv2d", "strides given as one int fail")
def conv_int_strides(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, (strides[0], strides[1]), padding, activation)


@misconception("conv2d", "the window moves by the kernel's size instead of by the strides")
def conv_tiles(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    padded = _padded(images, kernel, strides, padding)
    return _right(padded, kernel, bias, kernel.shape[:2], "valid", activation)


@misconception("conv2d", 'the "+ 1" is missing in the output size')
def conv_one_too_few(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, strides, padding, activation)[:, :-1, :-1]


@misconception("conv2d", "the output size is rounded up: a last window hangs over the edge")
def conv_rounded_up(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    padded = _padded(images, kernel, strides, padding)
    more = [
        (0, -(size - length) % step)
        for size, length, step in zip(padded.shape[1:3], kernel.shape[:2], _pair(strides), strict=True)
    ]
    return _right(np.pad(padded, ((0, 0), *more, (0, 0))), kernel, bias, strides, "valid", activation)


@misconception("conv2d", "output rows and columns are swapped")
def conv_swapped(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, strides, padding, activation).swapaxes(1, 2)


@misconception("conv2d", "the number of rows is used for the columns as well: right on square images alone")
def conv_rows_for_columns(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    right = _right(images, kernel, bias, strides, padding, activation)
    side = right.shape[1]
    output = np.zeros((len(right), side, side, right.shape[3]))
    columns = min(side, right.shape[2])
    output[:, :, :columns] = right[:, :, :columns]
    return output


@misconception("conv2d", "the last row of the output is never computed: only the bias is there")
def conv_last_row_missing(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    sums = _right(images, kernel, None, strides, padding)
    sums[:, -1] = 0
    return _activate(sums if bias is None else sums + bias, activation)


@misconception("conv2d", "the result is kept in an array of whole numbers, so fractions are cut off")
def conv_truncated(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _activate(_right(images, kernel, bias, strides, padding).astype(int), activation)


@misconception("conv2d", "the result is kept in an array like the images: uint8 goes round at 256")
def conv_wraps(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    output = _right(images, kernel, bias, strides, padding, activation)
    return output.astype(np.int64).astype(images.dtype) if images.dtype.kind == "u" else output


@misconception("conv2d", "image 0 of the batch is used for every image")
def conv_first_image(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(np.repeat(images[:1], len(images), axis=0), kernel, bias, strides, padding, activation)


@misconception("conv2d", "only the first image of the batch comes back, without a batch axis")
def conv_no_batch(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, strides, padding, activation)[0]


@misconception("conv2d", "the images of the batch are summed into one")
def conv_batch_summed(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images.sum(axis=0, keepdims=True), kernel, bias, strides, padding, activation)


@misconception("conv2d", "the padding is ignored: it always stays inside")
def conv_always_valid(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, strides, "valid", activation)


@misconception("conv2d", "zeros are always put around")
def conv_always_same(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(images, kernel, bias, strides, "same", activation)


@misconception("conv2d", '"same" puts the extra zero before the pixels instead of after')
def conv_extra_before(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(_padded(images, kernel, strides, padding, turned=True), kernel, bias, strides, "valid", activation)


@misconception("conv2d", '"same" repeats the border\'s pixels instead of putting zeros')
def conv_edge(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    padded = images if padding == "valid" else _padded(images, kernel, strides, padding, mode="edge")
    return _right(padded, kernel, bias, strides, "valid", activation)


@misconception("conv2d", '"same" forgets the strides, so the zeros are too many or in the wrong place')
def conv_padded_for_strides_one(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return _right(_padded(images, kernel, (1, 1), padding), kernel, bias, strides, "valid", activation)


@misconception("conv2d", '"same" always puts one zero on each side, whatever the kernel')
def conv_one_zero(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    padded = images if padding == "valid" else np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return _right(padded, kernel, bias, strides, "valid", activation)


@misconception("conv2d", "pad:-pad is empty when pad is 0")
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


@misconception("conv2d", "the numbers are read as they lie in memory: wrong for images that were turned")
def conv_as_they_lie(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    # A window made by as_strided with steps computed from the shape does this.
    return _right(images.ravel(order="K").reshape(images.shape), kernel, bias, strides, padding, activation)


@misconception("conv2d", "as_strided with the wrong steps: windows start in the wrong row")
def conv_wrong_steps(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    padded = np.ascontiguousarray(_padded(images, kernel, strides, padding))
    batch, rows, columns, channels = padded.shape
    kernel_rows, kernel_columns = kernel.shape[:2]
    start = np.arange(rows - kernel_rows + 1)[:, None] * (columns - kernel_columns + 1)
    start = start + np.arange(columns - kernel_columns + 1)
    inside = (np.arange(kernel_rows)[:, None] * columns + np.arange(kernel_columns))[None, None]
    windows = padded.reshape(batch, rows * columns, channels)[:, start[..., None, None] + inside]
    row_strides, column_strides = _pair(strides)
    sums = np.einsum("nrcxyi,xyif->nrcf", windows[:, ::row_strides, ::column_strides], kernel)
    return _activate(sums if bias is None else sums + bias, activation)


@misconception("conv2d", "the images that were given are changed in place")
def conv_images_changed(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    output = _right(images, kernel, bias, strides, padding, activation)
    images[:] = 0
    return output


@misconception("conv2d", "the kernel that was given is changed in place")
def conv_kernel_changed(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    output = _right(images, kernel, bias, strides, padding, activation)
    kernel[:] = kernel[::-1, ::-1]
    return output


@misconception("conv2d", "a template cell left unfilled in the middle: the result stays at 0")
def conv_unfilled(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return np.zeros_like(_right(images, kernel, bias, strides, padding, activation))
