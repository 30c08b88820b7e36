"""Right ways to convolve and to activate."""

import math

import numpy as np

from autograde_tests.right_answers import right_answer


@right_answer("weighted_sum")
def loops(patch, kernel):
    total = 0.0
    for place in np.ndindex(patch.shape):
        total += patch[place] * kernel[place]
    return total


@right_answer("weighted_sum")
def flat_lists(patch, kernel):
    return math.fsum(a * b for a, b in zip(patch.ravel().tolist(), kernel.ravel().tolist(), strict=True))


@right_answer("weighted_sum")
def vdot(patch, kernel):
    return np.vdot(patch, kernel)


@right_answer("weighted_sum")
def zero_axes(patch, kernel):
    return np.tensordot(patch, kernel, axes=patch.ndim)


@right_answer("weighted_sum")
def single_precision(patch, kernel):
    return np.sum(patch.astype(np.float32) * kernel.astype(np.float32))


@right_answer("correlate2d")
def four_loops(image, kernel):
    (rows, columns), (kernel_rows, kernel_columns) = image.shape, kernel.shape
    output = []
    for row in range(rows - kernel_rows + 1):
        output.append([])
        for column in range(columns - kernel_columns + 1):
            total = 0
            for i in range(kernel_rows):
                for j in range(kernel_columns):
                    total += int(image[row + i, column + j]) * float(kernel[i, j])
            output[-1].append(total)
    return output


@right_answer("correlate2d")
def shifted_images(image, kernel):
    rows, columns = image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1
    output = np.zeros((rows, columns), dtype=np.float32)
    for (i, j), weight in np.ndenumerate(kernel):
        output += weight * image[i : i + rows, j : j + columns]
    return output


@right_answer("correlate2d")
def window_view(image, kernel):
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return np.einsum("rcij,ij->rc", windows, kernel)


@right_answer("correlate2d")
def own_strides(image, kernel):
    shape = (image.shape[0] - kernel.shape[0] + 1, image.shape[1] - kernel.shape[1] + 1, *kernel.shape)
    windows = np.lib.stride_tricks.as_strided(image, shape, image.strides * 2, writeable=False)
    return (windows * kernel).sum(axis=(2, 3))


@right_answer("correlate2d")
def convolved_with_a_turned_kernel(image, kernel):
    output = 0
    for i, weights in enumerate(kernel[::-1, ::-1].astype(float)):
        # Row i of the turned kernel meets the rows of the image from the bottom up.
        first = len(kernel) - 1 - i
        lines = image[first : len(image) - i].astype(float)
        output = output + np.array([np.convolve(line, weights, "valid") for line in lines])
    return output


@right_answer("activate")
def dictionary(x, activation=None):
    def softmax(values):
        powers = np.exp(values - values.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    return {
        None: lambda values: values,
        "linear": lambda values: values.copy(),
        "relu": lambda values: values * (values > 0),
        "sigmoid": lambda values: 0.5 * (1 + np.tanh(0.5 * values)),
        "softmax": softmax,
    }[activation](x)


@right_answer("activate")
def number_by_number(x, activation=None):
    if activation == "softmax":
        rows = []
        for row in x.reshape(-1, x.shape[-1]).tolist():
            powers = [math.exp(value - max(row)) for value in row]
            rows.append([power / sum(powers) for power in powers])
        return np.array(rows).reshape(x.shape).tolist()
    one = {"relu": lambda value: max(0, value), "sigmoid": lambda value: 1 / (1 + math.exp(-value))}
    return np.vectorize(one.get(activation, float), otypes=[float])(x).tolist()


@right_answer("activate")
def logsumexp(x, activation="linear"):
    if activation == "softmax":
        return np.exp(x - np.logaddexp.reduce(x, axis=-1, keepdims=True))
    if activation == "sigmoid":
        return np.exp(-np.logaddexp(0, -x))
    return np.clip(x, 0, None) if activation == "relu" else +x


@right_answer("activate")
def single_precision_and_where(x, activation=None):
    x = np.array(x, dtype=np.float32)
    if activation == "relu":
        return np.where(x > 0, x, 0)
    if activation == "sigmoid":
        return 1 / (1 + np.exp(-x))
    if activation == "softmax":
        x -= x.max(axis=-1)[..., np.newaxis]
        x = np.exp(x)
        x /= x.sum(axis=-1)[..., np.newaxis]
    return x


def _pair(value):
    return tuple(np.broadcast_to(value, 2).tolist())


def _same(images, kernel, strides):
    around = [(0, 0)]
    for axis in (0, 1):
        size, length, step = images.shape[axis + 1], kernel.shape[axis], _pair(strides)[axis]
        missing = max(length - (size % step or step), 0)
        around.append((missing // 2, (missing + 1) // 2))
    return np.pad(images, [*around, (0, 0)])


def _places(images, kernel, strides):
    sizes = zip(images.shape[1:3], kernel.shape[:2], _pair(strides), strict=True)
    return [range(0, size - length + 1, step) for size, length, step in sizes]


@right_answer("conv2d")
def seven_loops(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    images = (_same(images, kernel, strides) if padding == "same" else images).tolist()
    weights, (rows, columns) = kernel.tolist(), _places(np.array(images), kernel, strides)
    kernel_rows, kernel_columns, channels, filters = kernel.shape
    output = []
    for image in images:
        output.append([])
        for top in rows:
            output[-1].append([])
            for left in columns:
                pixel = []
                for number in range(filters):
                    total = 0 if bias is None else float(bias[number])
                    for i in range(kernel_rows):
                        for j in range(kernel_columns):
                            for channel in range(channels):
                                total += image[top + i][left + j][channel] * weights[i][j][channel][number]
                    pixel.append(total)
                output[-1][-1].append(pixel)
    return number_by_number(np.array(output), activation)


@right_answer("conv2d")
def einsum_over_windows(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    images = _same(images, kernel, strides) if padding == "same" else images
    row_strides, column_strides = _pair(strides)
    windows = np.lib.stride_tricks.sliding_window_view(images, kernel.shape[:2], axis=(1, 2))
    output = np.einsum("brcixy,xyif->brcf", windows[:, ::row_strides, ::column_strides], kernel)
    return dictionary(output + (0 if bias is None else bias), activation)


@right_answer("conv2d")
def patches_as_rows(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    images = _same(images, kernel, strides) if padding == "same" else images
    rows, columns = _places(images, kernel, strides)
    kernel_rows, kernel_columns, channels, filters = kernel.shape
    patches = [images[:, i : i + kernel_rows, j : j + kernel_columns] for i in rows for j in columns]
    table = np.stack(patches, axis=1).reshape(-1, kernel_rows * kernel_columns * channels)
    output = (table @ kernel.reshape(-1, filters)).reshape(len(images), len(rows), len(columns), filters)
    if bias is not None:
        output += np.asarray(bias)
    return logsumexp(output, activation)


@right_answer("conv2d")
def one_weight_after_the_other(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    images = _same(images, kernel, strides) if padding == "same" else images
    rows, columns = _places(images, kernel, strides)
    output = np.zeros((len(images), len(rows), len(columns), kernel.shape[3]), dtype=np.float32)
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            seen = images[
                :, rows.start + i : rows.stop + i : rows.step, columns.start + j : columns.stop + j : columns.step
            ]
            output += (seen @ kernel[i, j]).astype(np.float32)
    return single_precision_and_where(output if bias is None else output + bias, activation)


@right_answer("conv2d")
def strides_by_hand(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    images = images if padding != "same" else _same(images, kernel, strides)
    rows, columns = _places(images, kernel, strides)
    along_batch, along_rows, along_columns, along_channels = images.strides
    windows = np.lib.stride_tricks.as_strided(
        images,
        (len(images), len(rows), len(columns), *kernel.shape[:3]),
        (
            along_batch,
            along_rows * rows.step,
            along_columns * columns.step,
            along_rows,
            along_columns,
            along_channels,
        ),
        writeable=False,
    )
    output = np.tensordot(windows, kernel, axes=3)
    return dictionary(output if bias is None else np.add(output, bias), activation)


@right_answer("weighted_sum")
def first_and_the_rest(patch, kernel):
    patch, kernel = np.ravel(patch).tolist(), np.ravel(kernel).tolist()
    if not patch:
        return 0
    return patch[0] * kernel[0] + first_and_the_rest(patch[1:], kernel[1:])


@right_answer("weighted_sum")
def letters(patch, kernel):
    same = "ijk"[: np.ndim(patch)]
    return np.einsum(f"{same},{same}->", patch, kernel)


@right_answer("weighted_sum")
def added_in_place(patch, kernel):
    product = np.array(patch, dtype=np.float64)
    product *= kernel
    total = np.zeros(1)
    for one in product.flat:
        total += one
    return total.item()


@right_answer("correlate2d")
def by_fourier(image, kernel):
    """A product of spectra, the kernel's conjugated: correlation that wraps around, which the inside does not see."""
    spectrum = np.fft.rfft2(image) * np.conj(np.fft.rfft2(kernel, s=image.shape))
    around = np.fft.irfft2(spectrum, s=image.shape)
    return around[: image.shape[0] - kernel.shape[0] + 1, : image.shape[1] - kernel.shape[1] + 1]


@right_answer("correlate2d")
def row_by_row_recursion(image, kernel):
    if len(image) < len(kernel):
        return np.zeros((0, image.shape[1] - kernel.shape[1] + 1))
    places = range(image.shape[1] - kernel.shape[1] + 1)
    first = [np.sum(image[: len(kernel), place : place + kernel.shape[1]] * kernel) for place in places]
    return np.vstack([[first], row_by_row_recursion(image[1:], kernel)])


@right_answer("activate")
def in_place_on_a_copy(x, activation=None):
    y = np.array(x, dtype=np.float64, copy=True)
    if activation == "relu":
        y[y < 0] = 0
    elif activation == "sigmoid":
        np.negative(y, out=y)
        np.exp(y, out=y)
        y += 1
        np.reciprocal(y, out=y)
    elif activation == "softmax":
        y -= np.amax(y, axis=-1, keepdims=True)
        np.exp(y, out=y)
        y /= np.add.reduce(y, axis=-1, keepdims=True)
    return y


@right_answer("conv2d")
def by_fourier_with_strides_after(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    """All places at once, of which the strides take some."""
    images = (_same(images, kernel, strides) if padding == "same" else images).astype(float)
    size = images.shape[1:3]
    spectrum = np.fft.rfft2(images, axes=(1, 2))
    weights = np.conj(np.fft.rfft2(kernel, s=size, axes=(0, 1)))
    around = np.fft.irfft2(np.einsum("brcx,rcxf->brcf", spectrum, weights), s=size, axes=(1, 2))
    inside = around[:, : size[0] - kernel.shape[0] + 1, : size[1] - kernel.shape[1] + 1]
    down, right = _pair(strides)
    return in_place_on_a_copy(inside[:, ::down, ::right] + (0 if bias is None else bias), activation)


@right_answer("conv2d")
def one_filter_after_the_other(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    """Recursion over the filters, and sums of correlate2d over the channels."""
    filters = kernel.shape[3]
    if filters > 1:
        biases = [None, None] if bias is None else [bias[:1], bias[1:]]
        first = one_filter_after_the_other(images, kernel[..., :1], biases[0], strides, padding)
        rest = one_filter_after_the_other(images, kernel[..., 1:], biases[1], strides=strides, padding=padding)
        return logsumexp(np.concatenate([first, rest], axis=-1), activation)
    if padding == "same":
        images = _same(images, kernel, strides)
    down, right = _pair(strides)
    output = [
        sum(by_fourier(image[..., channel], kernel[..., channel, 0]) for channel in range(image.shape[-1]))
        for image in images
    ]
    output = np.array(output)[:, ::down, ::right, np.newaxis]
    return logsumexp(output if bias is None else output + bias, activation)
