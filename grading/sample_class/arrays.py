"""Cho thinks in whole arrays: einsum, sliding windows, float32; all of the NumPy assignments."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def output_size(size, kernel_size, strides=1, padding="valid"):
    room = size if padding == "same" else size - kernel_size + 1
    return int(np.ceil(room / strides))


def padding_amounts(size, kernel_size, strides=1):
    missing = max(kernel_size - (size % strides or strides), 0)
    return tuple(np.array([missing // 2, (missing + 1) // 2]))


def pad2d(images, kernel_size, strides=(1, 1), padding="same"):
    images = np.asarray(images, dtype=np.float32)
    if padding == "valid":
        return images
    amounts = map(padding_amounts, images.shape[1:3], np.broadcast_to(kernel_size, 2), np.broadcast_to(strides, 2))
    return np.pad(images, [(0, 0), *amounts, (0, 0)])


def weighted_sum(patch, kernel):
    return np.vdot(patch, kernel)


def correlate2d(image, kernel):
    image, kernel = np.asarray(image), np.asarray(kernel)
    return np.einsum("rcij,ij->rc", sliding_window_view(image, kernel.shape), kernel)


def activate(x, activation=None):
    x = np.asarray(x)
    if activation == "relu":
        return np.maximum(x, 0)
    if activation == "sigmoid":
        return 0.5 * (1 + np.tanh(x / 2))
    if activation == "softmax":
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)
    return x


def conv2d(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    kernel = np.asarray(kernel)
    row_step, column_step = np.broadcast_to(strides, 2)
    padded = pad2d(images, kernel.shape[:2], tuple(np.broadcast_to(strides, 2).tolist()), padding)
    windows = sliding_window_view(padded, kernel.shape[:2], axis=(1, 2))[:, ::row_step, ::column_step]
    return activate(np.einsum("brcnij,ijnf->brcf", windows, kernel) + (0 if bias is None else bias), activation)


def dense_params(inputs, units, use_bias=True):
    return (inputs + use_bias) * units


def conv2d_params(kernel_size, in_channels, filters, use_bias=True):
    return int(np.prod(np.broadcast_to(kernel_size, 2)) * in_channels + use_bias) * filters


def summarize(input_shape, layers):
    lines, shape = [], tuple(input_shape)
    for layer in layers:
        kind, params = layer["layer"], 0
        if kind == "Flatten":
            shape = (int(np.prod(shape)),)
        elif kind == "Dense":
            params = dense_params(shape[-1], layer["units"], layer.get("use_bias", True))
            shape = (*shape[:-1], layer["units"])
        else:
            window = np.broadcast_to(
                layer["kernel_size"] if kind == "Conv2D" else layer.get("pool_size", 2), 2
            ).tolist()
            steps = layer.get("strides") or (1 if kind == "Conv2D" else window)
            channels = layer.get("filters", shape[2])
            if kind == "Conv2D":
                params = conv2d_params(window, shape[2], channels, layer.get("use_bias", True))
            padding = [layer.get("padding", "valid")] * 2
            shape = (*map(output_size, shape[:2], window, np.broadcast_to(steps, 2).tolist(), padding), channels)
        lines.append((shape, params))
    return lines


def max_pool2d(images, pool_size=(2, 2), strides=None, padding="valid"):
    images = np.asarray(images, dtype=np.float32)
    pool = np.broadcast_to(pool_size, 2).tolist()
    steps = np.broadcast_to(pool if strides is None else strides, 2).tolist()
    if padding == "same":
        amounts = map(padding_amounts, images.shape[1:3], pool, steps)
        images = np.pad(images, [(0, 0), *amounts, (0, 0)], constant_values=-np.inf)
    windows = sliding_window_view(images, pool, axis=(1, 2))[:, :: steps[0], :: steps[1]]
    return windows.max(axis=(-2, -1))


def unchanged_fraction(image, moved, pool_size):
    both = np.stack([image, moved])[..., None]
    before, after = max_pool2d(both, pool_size)
    return np.mean(before == after)


def flatten(images):
    return np.reshape(images, (len(images), -1))


def flat_index(row, column, channel, shape):
    return np.ravel_multi_index((row, column, channel), shape)


def unflat_index(index, shape):
    return np.unravel_index(index, shape)


def dense(x, kernel, bias=None, activation=None):
    return activate(np.einsum("bi,iu->bu", x, kernel) + (0 if bias is None else bias), activation)


def forward(images, weights):
    kernels, biases = weights[::2], weights[1::2]
    x = images
    for kernel, bias in zip(kernels[:2], biases[:2], strict=True):
        # relu and max pooling may change places.
        x = activate(max_pool2d(conv2d(x, kernel, bias, padding="same")), "relu")
    x = flatten(x)
    for kernel, bias, activation in zip(kernels[2:], biases[2:], ["relu", "softmax"], strict=True):
        x = dense(x, kernel, bias, activation)
    return x


def predict(images, weights):
    return np.array(["triangle", "square", "circle"])[np.argmax(forward(images, weights), axis=1)].tolist()
