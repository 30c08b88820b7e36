"""Wrong answers that the bank was not built from, as students write them after the lesson, each with its true cause.

They measure the diagnosis: what is right, what is missing, and that nothing false is said (see test_bank).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class WrongAnswer:
    """check: what it was written for; causes: names in the bank that are all of its mistakes, () where the bank has none."""

    check: str
    function: Callable
    causes: tuple[str, ...]


WRONG_ANSWERS: list[WrongAnswer] = []


def wrong_answer(check: str, *causes: str) -> Callable:
    """Register the decorated function as a wrong way to write `check`."""

    def register(function):
        WRONG_ANSWERS.append(WrongAnswer(check, function, causes))
        return function

    return register


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def size_after(size, window, step, padding):
    return math.ceil(size / step) if padding == "same" else (size - window) // step + 1


def around(size, window, step):
    missing = max((math.ceil(size / step) - 1) * step + window - size, 0)
    return missing // 2, missing - missing // 2


def zero_padded(images, window, step, padding, value=0.0):
    if padding == "valid":
        return images
    amounts = [around(images.shape[1 + axis], pair(window)[axis], pair(step)[axis]) for axis in (0, 1)]
    return np.pad(images.astype(float), ((0, 0), *amounts, (0, 0)), constant_values=value)


def activated(x, activation):
    x = np.asarray(x, dtype=float)
    if activation == "relu":
        return np.where(x > 0, x, 0)
    if activation == "sigmoid":
        return 1 / (1 + np.exp(-x))
    if activation == "softmax":
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)
    return x


# 1-padding


@wrong_answer("output_size", "missing_one")
def places_between(size, kernel_size, strides=1, padding="valid"):
    count, start = 0, strides
    while padding == "valid" and start + kernel_size <= size:
        count, start = count + 1, start + strides
    return -(-size // strides) if padding == "same" else count


@wrong_answer("output_size", "same_rounded_down")
def same_with_floor(size, kernel_size, strides=1, padding="valid"):
    if padding == "valid":
        size = size - kernel_size + strides
    return size // strides


@wrong_answer("output_size", "same_by_smaller_half_kernels")
def grown_by_both_sides(size, kernel_size, strides=1, padding="valid"):
    if padding == "same":
        size = size + kernel_size - (2 if kernel_size % 2 == 0 else 1)
    return len(range(0, size - kernel_size + 1, strides))


@wrong_answer("output_size")
def same_adds_the_kernel(size, kernel_size, strides=1, padding="valid"):
    if padding == "same":
        size = size + kernel_size
    return (size - kernel_size) // strides + 1


@wrong_answer("output_size")
def strides_first(size, kernel_size, strides=1, padding="valid"):
    if padding == "same":
        return math.ceil(size / strides)
    return size // strides - kernel_size + 1


@wrong_answer("output_size", "no_strides")
def one_step_at_a_time(size, kernel_size, strides=1, padding="valid"):
    if padding == "same":
        return size
    return len([start for start in range(size) if start + kernel_size <= size])


@wrong_answer("output_size")
def always_one_more(size, kernel_size, strides=1, padding="valid"):
    if padding == "same":
        return size if strides == 1 else size // strides + 1
    return (size - kernel_size) // strides + 1


@wrong_answer("padding_amounts", "extra_before")
def more_in_front(size, kernel_size, strides=1):
    needed = max(0, (math.ceil(size / strides) - 1) * strides + kernel_size - size)
    after = int(needed / 2)
    return needed - after, after


@wrong_answer("padding_amounts", "half_on_both_sides")
def half_a_kernel(size, kernel_size, strides=1):
    half = int(kernel_size / 2)
    return half, half


@wrong_answer("padding_amounts")
def all_behind(size, kernel_size, strides=1):
    return 0, sum(around(size, kernel_size, strides))


@wrong_answer("padding_amounts")
def divided_by_strides(size, kernel_size, strides=1):
    needed = (kernel_size - 1) // strides
    return needed // 2, needed - needed // 2


@wrong_answer("pad2d", "pad_extra_before")
def shifted_down(images, kernel_size, strides=(1, 1), padding="same"):
    if padding != "same":
        return images
    amounts = [around(images.shape[1 + a], pair(kernel_size)[a], pair(strides)[a]) for a in (0, 1)]
    (top, bottom), (left, right) = amounts
    result = np.zeros((len(images), images.shape[1] + top + bottom, images.shape[2] + left + right, images.shape[3]))
    result[:, bottom : bottom + images.shape[1], right : right + images.shape[2]] = images
    return result


@wrong_answer("pad2d", "pad_without_strides")
def strides_not_used(images, kernel_size, strides=(1, 1), padding="same"):
    return zero_padded(images, kernel_size, 1, padding)


@wrong_answer("pad2d", "pad_without_strides", "pad_extra_before")
def strides_not_used_and_shifted(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images
    rows, columns = pair(kernel_size)
    return np.pad(images, ((0, 0), (rows // 2, (rows - 1) // 2), (columns // 2, (columns - 1) // 2), (0, 0)))


@wrong_answer("pad2d", "pad_rows_for_columns")
def one_size_for_both(images, kernel_size, strides=(1, 1), padding="same"):
    batch, size, columns, channels = images.shape
    square = np.zeros((batch, size, size, channels))
    if padding == "valid":
        return images
    grown = np.array(zero_padded(square, kernel_size, strides, padding).shape[1:3]) - size
    result = np.zeros((batch, size + grown[0], columns + grown[1], channels))
    top, left = grown // 2
    result[:, top : top + size, left : left + columns] = images
    return result


@wrong_answer("pad2d")
def rows_alone(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images
    return np.pad(images, ((0, 0), around(images.shape[1], pair(kernel_size)[0], pair(strides)[0]), (0, 0), (0, 0)))


@wrong_answer("pad2d")
def whole_numbers_alone(images, kernel_size, strides=(1, 1), padding="same"):
    return zero_padded(images, kernel_size, strides, padding).astype(int)


@wrong_answer("pad2d", "pad_empty_slice")
def cut_from_the_end(images, kernel_size, strides=(1, 1), padding="same"):
    result = zero_padded(images, kernel_size, strides, padding) * 0
    if padding == "valid":
        return images
    amounts = [around(images.shape[1 + a], pair(kernel_size)[a], pair(strides)[a]) for a in (0, 1)]
    (top, bottom), (left, right) = amounts
    # -0 is no end.
    result[:, top:-bottom, left:-right] = images
    return result


@wrong_answer("pad2d")
def ones_around(images, kernel_size, strides=(1, 1), padding="same"):
    return zero_padded(images, kernel_size, strides, padding, value=1.0)


# 2-conv-forward


@wrong_answer("weighted_sum", "sum_flipped")
def from_the_end(patch, kernel):
    total = 0.0
    for row in range(patch.shape[0]):
        for column in range(patch.shape[1]):
            total += float(np.sum(patch[row, column] * kernel[-1 - row, -1 - column]))
    return total


@wrong_answer("weighted_sum")
def sums_multiplied(patch, kernel):
    return float(np.sum(patch) * np.sum(kernel))


@wrong_answer("weighted_sum")
def added(patch, kernel):
    return float(np.sum(patch + kernel))


@wrong_answer("weighted_sum", "sum_first_channel")
def red_alone(patch, kernel):
    if patch.ndim == 3:
        patch, kernel = patch[:, :, 0], kernel[:, :, 0]
    return float((patch * kernel).sum())


@wrong_answer("weighted_sum", "sum_last_product")
def last_product(patch, kernel):
    total = 0.0
    for pixel, weight in zip(np.ravel(patch), np.ravel(kernel), strict=True):
        total = pixel * weight
    return float(total)


def slid(image, kernel, step=(1, 1)):
    rows = (image.shape[0] - kernel.shape[0]) // step[0] + 1
    columns = (image.shape[1] - kernel.shape[1]) // step[1] + 1
    out = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            top, left = r * step[0], c * step[1]
            out[r, c] = np.sum(image[top : top + kernel.shape[0], left : left + kernel.shape[1]] * kernel)
    return out


@wrong_answer("correlate2d", "flipped")
def as_in_the_maths_book(image, kernel):
    return slid(image, np.rot90(kernel, 2))


@wrong_answer("correlate2d", "transposed")
def kernel_on_its_side(image, kernel):
    return slid(image, np.transpose(kernel))


@wrong_answer("correlate2d", "image_truncated")
def stored_as_ints(image, kernel):
    right = slid(image, kernel)
    out = np.zeros(right.shape, dtype=int)
    out[...] = np.trunc(right)
    return out


@wrong_answer("correlate2d", "one_too_few")
def range_too_short(image, kernel):
    return slid(image[:-1, :-1], kernel)


@wrong_answer("correlate2d", "last_row_and_column_missing")
def loops_too_short(image, kernel):
    (rows, columns), (height, width) = image.shape, kernel.shape
    out = np.zeros((rows - height + 1, columns - width + 1))
    for r in range(rows - height):
        for c in range(columns - width):
            out[r, c] = (image[r : r + height, c : c + width] * kernel).sum()
    return out


@wrong_answer("correlate2d")
def quarter_turn(image, kernel):
    return slid(image, np.rot90(kernel))


@wrong_answer("correlate2d")
def largest_product(image, kernel):
    right = slid(image, kernel)
    out = np.zeros(right.shape)
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            out[r, c] = np.max(image[r : r + kernel.shape[0], c : c + kernel.shape[1]] * kernel)
    return out


@wrong_answer("activate", "softmax_everything")
def one_sum(x, activation=None):
    if activation == "softmax":
        e = np.exp(x - np.max(x))
        return e / np.sum(e)
    return activated(x, activation)


@wrong_answer("activate", "softmax_overflow")
def plain_exp(x, activation=None):
    if activation == "softmax":
        e = np.exp(np.asarray(x, dtype=float))
        return e / e.sum(axis=-1, keepdims=True)
    return activated(x, activation)


@wrong_answer("activate")
def base_two(x, activation=None):
    if activation == "softmax":
        e = 2.0 ** (x - x.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)
    return activated(x, activation)


@wrong_answer("activate")
def leaky(x, activation=None):
    if activation == "relu":
        return np.where(x > 0, x, 0.01 * x)
    return activated(x, activation)


@wrong_answer("activate", "relu_absolute", "sigmoid_turned")
def two_signs_wrong(x, activation=None):
    if activation == "relu":
        return np.sqrt(np.asarray(x, dtype=float) ** 2)
    if activation == "sigmoid":
        return 1 / (1 + np.exp(x))
    return activated(x, activation)


def convolved(images, kernel, bias, strides, padding, activation, kernel_seen=None, pad_value=0.0):
    kernel_seen = kernel if kernel_seen is None else kernel_seen
    strides = pair(strides)
    padded = zero_padded(images, kernel.shape[:2], strides, padding, pad_value)
    maps = []
    for image in padded:
        filters = []
        for f in range(kernel.shape[3]):
            channels = [slid(image[:, :, c], kernel_seen[:, :, c, f], strides) for c in range(image.shape[2])]
            filters.append(sum(channels))
        maps.append(np.stack(filters, axis=-1))
    out = np.stack(maps)
    return activated(out if bias is None else out + bias, activation)


@wrong_answer("conv2d", "conv_flipped")
def mirrored_twice(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images, kernel, bias, strides, padding, activation, np.flip(kernel, (0, 1)))


@wrong_answer("conv2d", "conv_no_bias")
def bias_not_read(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images, kernel, None, strides, padding, activation)


@wrong_answer("conv2d", "conv_flipped", "conv_no_bias")
def flipped_without_bias(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images, kernel[::-1, ::-1], 0, strides, padding, activation)


@wrong_answer("conv2d", "conv_bias_after", "conv_extra_before")
def bias_last_and_shifted(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    if padding == "same":
        rows, columns = (around(images.shape[1 + a], kernel.shape[a], pair(strides)[a])[::-1] for a in (0, 1))
        images = np.pad(images, ((0, 0), rows, columns, (0, 0)))
    out = convolved(images, kernel, None, strides, "valid", activation)
    return out if bias is None else out + bias


@wrong_answer("conv2d", "conv_no_activation", "conv_no_strides")
def two_arguments_unused(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images, kernel, bias, (1, 1), padding, None)


@wrong_answer("conv2d", "conv_first_channel")
def grey_alone(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images[:, :, :, 0:1], kernel, bias, strides, padding, activation)


@wrong_answer("conv2d", "conv_first_image_alone")
def one_picture(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images[0][np.newaxis], kernel, bias, strides, padding, activation)


@wrong_answer("conv2d", "conv_relu_alone")
def relu_or_nothing(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    out = convolved(images, kernel, bias, strides, padding, None)
    if activation == "relu":
        out[out < 0] = 0
    return out


@wrong_answer("conv2d", "conv_bias_after")
def relu_then_bias(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    out = convolved(images, kernel, None, strides, padding, activation)
    return out if bias is None else np.add(out, np.reshape(bias, (1, 1, 1, -1)))


@wrong_answer("conv2d", "conv_last_row_missing")
def loop_ends_early(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    sums = convolved(images, kernel, None, strides, padding, None)
    out = np.zeros(sums.shape)
    for row in range(sums.shape[1] - 1):
        out[:, row] = sums[:, row]
    return activated(out if bias is None else out + bias, activation)


@wrong_answer("conv2d")
def flipped_in_channels_too(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images, kernel, bias, strides, padding, activation, np.flip(kernel, (0, 1, 2)))


@wrong_answer("conv2d")
def filters_in_reverse(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images, kernel[..., ::-1], bias, strides, padding, activation)


@wrong_answer("conv2d")
def ones_at_the_border(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images, kernel, bias, strides, padding, activation, pad_value=1.0)


@wrong_answer("conv2d")
def bias_reversed(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images, kernel, None if bias is None else bias[::-1], strides, padding, activation)


@wrong_answer("conv2d")
def three_mistakes(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return convolved(images, kernel[::-1, ::-1], None, (1, 1), padding, None)


@wrong_answer("conv2d")
def noise_on_top(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    right = convolved(images, kernel, bias, strides, padding, activation)
    return right + np.random.default_rng(1).normal(size=right.shape)


# 3-weight-counting


@wrong_answer("dense_params", "dense_no_biases")
def lines_alone(inputs, units, use_bias=True):
    return sum(inputs for _ in range(units))


@wrong_answer("dense_params")
def two_biases(inputs, units, use_bias=True):
    return inputs * units + (2 * units if use_bias else 0)


@wrong_answer("conv2d_params", "conv_no_channels")
def channels_unused(kernel_size, in_channels, filters, use_bias=True):
    rows, columns = pair(kernel_size)
    return filters * (rows * columns + int(use_bias))


@wrong_answer("conv2d_params", "conv_bias_per_channel")
def bias_of_channels(kernel_size, in_channels, filters, use_bias=True):
    rows, columns = pair(kernel_size)
    count = rows * columns * in_channels * filters
    return count + in_channels if use_bias else count


@wrong_answer("conv2d_params")
def filters_squared(kernel_size, in_channels, filters, use_bias=True):
    return math.prod(pair(kernel_size)) * in_channels * filters**2 + filters * use_bias


def summed_up(shape, layers, same=True, biases=True, channels=True, pool_step=None, batch=False):
    lines = []
    for layer in layers:
        kind, params = layer["layer"], 0
        if kind == "Dense":
            params = shape[0] * layer["units"]
            params += layer["units"] if layer.get("use_bias", True) and biases else 0
            shape = (layer["units"],)
        elif kind == "Flatten":
            shape = (shape[0] * shape[1] * shape[2],)
        else:
            window = pair(layer["kernel_size"] if kind == "Conv2D" else layer.get("pool_size", 2))
            steps = layer.get("strides") or ((1, 1) if kind == "Conv2D" else pool_step or window)
            padding = layer.get("padding", "valid") if same else "valid"
            sizes = [size_after(shape[a], window[a], pair(steps)[a], padding) for a in (0, 1)]
            if kind == "Conv2D":
                params = window[0] * window[1] * (shape[2] if channels else 1) * layer["filters"]
                params += layer["filters"] if layer.get("use_bias", True) and biases else 0
            shape = (*sizes, layer["filters"] if kind == "Conv2D" else shape[2])
        lines.append((shape, params))
    return lines


@wrong_answer("summarize", "summary_no_biases")
def without_biases(input_shape, layers):
    return summed_up(input_shape, layers, biases=False)


@wrong_answer("summarize", "summary_no_biases", "summary_always_valid")
def without_biases_and_padding(input_shape, layers):
    return summed_up(input_shape, layers, biases=False, same=False)


@wrong_answer("summarize", "summary_no_channels", "summary_pooling_steps_by_one")
def without_channels_and_steps(input_shape, layers):
    return summed_up(input_shape, layers, channels=False, pool_step=(1, 1))


@wrong_answer("summarize", "summary_pooling_steps_by_two")
def always_halves(input_shape, layers):
    return summed_up(input_shape, layers, pool_step=(2, 2))


@wrong_answer("summarize")
def biases_and_channels_and_padding(input_shape, layers):
    return summed_up(input_shape, layers, biases=False, channels=False, same=False)


@wrong_answer("summarize")
def flatten_adds(input_shape, layers):
    return [(shape if len(shape) > 1 else (shape[0] + 1,), params) for shape, params in summed_up(input_shape, layers)]


# 4-max-pool


def pooled(images, pool_size, strides, padding, best=np.max, value=-np.inf):
    size, step = pair(pool_size), pair(pool_size if strides is None else strides)
    padded = zero_padded(np.asarray(images), size, step, padding, value)
    rows, columns = ((padded.shape[1 + a] - size[a]) // step[a] + 1 for a in (0, 1))
    out = np.zeros((len(padded), rows, columns, padded.shape[3]))
    for r in range(rows):
        for c in range(columns):
            top, left = r * step[0], c * step[1]
            out[:, r, c] = best(padded[:, top : top + size[0], left : left + size[1]], axis=(1, 2))
    return out


@wrong_answer("max_pool2d", "pool_zeros_around")
def padded_with_pad2d(images, pool_size=(2, 2), strides=None, padding="valid"):
    return pooled(images, pool_size, strides, padding, value=0)


@wrong_answer("max_pool2d", "pool_strides_one")
def steps_of_one(images, pool_size=(2, 2), strides=None, padding="valid"):
    return pooled(images, pool_size, strides or 1, padding)


@wrong_answer("max_pool2d", "pool_zeros_around", "pool_strides_one")
def padded_with_pad2d_in_steps_of_one(images, pool_size=(2, 2), strides=None, padding="valid"):
    return pooled(images, pool_size, (1, 1) if strides is None else strides, padding, value=0)


@wrong_answer("max_pool2d", "pool_over_channels")
def all_channels_compared(images, pool_size=(2, 2), strides=None, padding="valid"):
    right = pooled(images, pool_size, strides, padding)
    return np.stack([right.max(axis=-1)] * right.shape[-1], axis=-1)


@wrong_answer("max_pool2d")
def middle_number(images, pool_size=(2, 2), strides=None, padding="valid"):
    return pooled(images, pool_size, strides, padding, best=np.median)


@wrong_answer("max_pool2d")
def largest_of_the_first_row(images, pool_size=(2, 2), strides=None, padding="valid"):
    return pooled(images, pool_size, strides, padding, best=lambda window, axis: window[:, 0].max(axis=1))


@wrong_answer("max_pool2d", "pool_minus_10_around")
def a_large_negative_number(images, pool_size=(2, 2), strides=None, padding="valid"):
    return pooled(images, pool_size, strides, padding, value=-10)


@wrong_answer("unchanged_fraction", "fraction_changed")
def how_many_moved(image, moved, pool_size):
    before, after = (pooled(one[None, :, :, None], pool_size, None, "valid") for one in (image, moved))
    return float((before != after).sum() / before.size)


@wrong_answer("unchanged_fraction", "fraction_of_all_pixels")
def of_the_picture(image, moved, pool_size):
    before, after = (pooled(one[None, :, :, None], pool_size, None, "valid") for one in (image, moved))
    return int((before == after).sum()) / (image.shape[0] * image.shape[1])


@wrong_answer("unchanged_fraction")
def only_larger_ones(image, moved, pool_size):
    before, after = (pooled(one[None, :, :, None], pool_size, None, "valid") for one in (image, moved))
    return float(np.mean(before >= after))


@wrong_answer("unchanged_fraction")
def always_all(image, moved, pool_size):
    return 1.0


# 5-flatten


@wrong_answer("flatten", "columns_before_rows")
def down_the_columns(images):
    rows = []
    for image in images:
        rows.append([value for column in range(image.shape[1]) for value in image[:, column].ravel()])
    return np.array(rows)


@wrong_answer("flatten")
def from_the_back(images):
    return images.reshape(len(images), -1)[:, ::-1]


@wrong_answer("flat_index", "index_channels_first")
def channel_after_channel(row, column, channel, shape):
    rows, columns, _ = shape
    return channel * rows * columns + row * columns + column


@wrong_answer("flat_index")
def all_multiplied(row, column, channel, shape):
    return row * column * channel


@wrong_answer("unflat_index", "unflat_turned_round")
def channel_first(index, shape):
    rest, channel = divmod(index, shape[2])
    row, column = divmod(rest, shape[1])
    return channel, column, row


@wrong_answer("unflat_index")
def row_and_column_exchanged(index, shape):
    rest, channel = divmod(index, shape[2])
    row, column = divmod(rest, shape[1])
    return column, row, channel


def weighed(x, kernel):
    return np.array([[sum(x[n, i] * kernel[i, u] for i in range(len(kernel))) for u in range(kernel.shape[1])]
                     for n in range(len(x))])  # fmt: skip


@wrong_answer("dense", "dense_without_bias", "dense_always_relu")
def relu_and_no_bias(x, kernel, bias=None, activation=None):
    return np.maximum(activated(weighed(x, kernel), activation), 0)


@wrong_answer("dense", "dense_bias_last")
def bias_at_the_end(x, kernel, bias=None, activation=None):
    out = activated(weighed(x, kernel), activation)
    return out if bias is None else out + bias


@wrong_answer("dense", "dense_needs_bias")
def bias_added_to_each_row(x, kernel, bias=None, activation=None):
    return activated(np.array([row + bias for row in weighed(x, kernel)]), activation)


@wrong_answer("dense", "dense_without_activation")
def activation_unused(x, kernel, bias=None, activation=None):
    return weighed(x, kernel) + (bias if bias is not None else 0)


@wrong_answer("dense")
def mean_of_inputs(x, kernel, bias=None, activation=None):
    return activated(weighed(x, kernel) / len(kernel) + (bias if bias is not None else 0), activation)


@wrong_answer("dense")
def relu_first(x, kernel, bias=None, activation=None):
    return activated(weighed(np.maximum(x, 0), kernel) + (bias if bias is not None else 0), activation)


# 6-shapes-classifier


def assembled(images, weights, first="relu", second="relu", hidden="relu", last="softmax", order=1):
    x = convolved(np.asarray(images), weights[0], weights[1], 1, "same", first)
    x = pooled(x, 2, None, "valid")
    x = convolved(x, weights[2], weights[3], 1, "same", second)
    x = pooled(x, 2, None, "valid")
    x = np.stack([image.reshape(-1)[::order] for image in x])
    x = activated(weighed(x, weights[4]) + weights[5], hidden)
    return activated(weighed(x, weights[6]) + weights[7], last)


@wrong_answer("forward", "dense_relu_missing")
def linear_hidden_layer(images, weights):
    return assembled(images, weights, hidden=None)


@wrong_answer("forward", "softmax_missing")
def sums_at_the_end(images, weights):
    return assembled(images, weights, last=None)


@wrong_answer("forward", "dense_relu_missing", "softmax_missing")
def dense_layers_linear(images, weights):
    return assembled(images, weights, hidden=None, last=None)


@wrong_answer("forward", "first_conv_relu_missing", "no_last_bias")
def first_relu_and_last_bias_missing(images, weights):
    return assembled(images, [*weights[:7], 0 * weights[7]], first=None)


@wrong_answer("forward")
def sigmoid_in_the_first(images, weights):
    return assembled(images, weights, first="sigmoid")


@wrong_answer("forward")
def flattened_backwards(images, weights):
    return assembled(images, weights, order=-1)


@wrong_answer("forward")
def always_undecided(images, weights):
    return np.full((len(images), 3), 1 / 3)


@wrong_answer("predict", "smallest")
def least_likely(images, weights):
    names = ["triangle", "square", "circle"]
    return [names[int(np.argsort(row)[0])] for row in assembled(images, weights)]


@wrong_answer("predict")
def always_circle(images, weights):
    return ["circle"] * len(images)


@wrong_answer("predict")
def by_the_ink(images, weights):
    return ["circle" if image.sum() > 12 else "triangle" for image in images]


# Two mistakes at once.


@wrong_answer("output_size", "missing_one", "same_rounded_down")
def each_branch_with_its_own(size, kernel_size, strides=1, padding="valid"):
    if padding == "same":
        return size // strides
    places = 0
    while (places + 1) * strides + kernel_size <= size:
        places += 1
    return places


# No pair of the bank: in one branch, both.
@wrong_answer("output_size")
def no_steps_and_no_first_place(size, kernel_size, strides=1, padding="valid"):
    return math.ceil(size / strides) if padding == "same" else size - kernel_size


@wrong_answer("padding_amounts", "extra_before", "amounts_without_strides")
def more_zeros_before(size, kernel_size, strides=1):
    missing = kernel_size - 1
    return math.ceil(missing / 2), missing // 2


@wrong_answer("weighted_sum", "sum_flipped", "sum_mean")
def mean_backwards(patch, kernel):
    return float(np.mean(patch * kernel[::-1, ::-1]))


@wrong_answer("correlate2d", "flipped", "image_relu")
def backwards_and_no_negatives(image, kernel):
    turned = np.array([list(reversed(row)) for row in reversed(kernel)])
    rows, columns = (size - window + 1 for size, window in zip(image.shape, turned.shape, strict=True))
    output = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            total = np.sum(image[row : row + turned.shape[0], column : column + turned.shape[1]] * turned)
            output[row, column] = total if total > 0 else 0
    return output


@wrong_answer("summarize", "summary_weights_alone", "summary_no_biases")
def kernels_alone(input_shape, layers):
    return [int(params) for _, params in summed_up(input_shape, layers, biases=False)]


@wrong_answer("unchanged_fraction", "fraction_changed", "fraction_per_cent")
def per_cent_moved(image, moved, pool_size):
    before, after = (pooled(one[None, :, :, None], pool_size, None, "valid") for one in (image, moved))
    return 100 * float(np.count_nonzero(before - after)) / before.size


@wrong_answer("flatten", "channels_first", "batch_too")
def one_row_channel_after_channel(images):
    return np.concatenate([image[:, :, channel].ravel() for image in images for channel in range(images.shape[3])])


@wrong_answer("predict", "smallest", "numbers")
def places_of_the_least(images, weights):
    return [min(range(3), key=list(row).__getitem__) for row in assembled(images, weights)]


@wrong_answer("dense_params", "dense_one_weight_per_unit", "dense_always_biases")
def two_for_every_unit(inputs, units, use_bias=True):
    return 2 * units


@wrong_answer("conv2d_params", "conv_no_channels", "conv_no_biases")
def one_channel_without_biases(kernel_size, in_channels, filters, use_bias=True):
    rows, columns = pair(kernel_size)
    return rows * columns * filters


@wrong_answer("flat_index", "index_channels_first", "index_from_one")
def counted_from_one_channel_after_channel(row, column, channel, shape):
    height, width, _ = shape
    return 1 + column + width * row + width * height * channel


@wrong_answer("unflat_index", "unflat_by_rows", "unflat_turned_round")
def turned_round_by_rows(index, shape):
    height, _, channels = shape
    return index % channels, index // channels % height, index // (height * channels)


@wrong_answer("max_pool2d", "pool_zeros_around", "pool_mean")
def zeros_and_the_mean(images, pool_size=(2, 2), strides=None, padding="valid"):
    size = pair(pool_size)
    step = size if strides is None else pair(strides)
    if padding == "same":
        amounts = [around(*one) for one in zip(images.shape[1:3], size, step, strict=True)]
        images = np.pad(images, ((0, 0), *amounts, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(images, size, axis=(1, 2))[:, :: step[0], :: step[1]]
    return np.mean(windows, axis=(4, 5))
