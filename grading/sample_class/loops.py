"""Ben writes everything with plain loops and lists, and hands in all of the NumPy assignments."""

import math

import numpy as np


def output_size(size, kernel_size, strides=1, padding="valid"):
    places = 0
    start = 0
    while start + (1 if padding == "same" else kernel_size) <= size:
        places += 1
        start += strides
    return places


def padding_amounts(size, kernel_size, strides=1):
    before, after = 0, 0
    while output_size(size + before + after, kernel_size, strides) < output_size(size, kernel_size, strides, "same"):
        if after > before:
            before += 1
        else:
            after += 1
    return [before, after]


def both(value):
    return (value, value) if isinstance(value, int) else value


def pad2d(images, kernel_size, strides=(1, 1), padding="same"):
    if padding == "valid":
        return images
    top, bottom = padding_amounts(len(images[0]), both(kernel_size)[0], both(strides)[0])
    left, right = padding_amounts(len(images[0][0]), both(kernel_size)[1], both(strides)[1])
    padded = []
    for image in images:
        columns = len(image[0]) + left + right
        empty = [0.0] * len(image[0][0])
        rows = [[empty] * columns for _ in range(top)]
        for row in image:
            rows.append([empty] * left + [list(pixel) for pixel in row] + [empty] * right)
        padded.append(rows + [[empty] * columns for _ in range(bottom)])
    return padded


def weighted_sum(patch, kernel):
    total = 0.0
    for pixel, weight in zip(np.ravel(patch), np.ravel(kernel), strict=True):
        total += float(pixel) * float(weight)
    return total


def correlate2d(image, kernel):
    rows, columns = len(kernel), len(kernel[0])
    output = []
    for row in range(len(image) - rows + 1):
        line = []
        for column in range(len(image[0]) - columns + 1):
            line.append(weighted_sum([r[column : column + columns] for r in image[row : row + rows]], kernel))
        output.append(line)
    return output


def activate(x, activation=None):
    if activation in (None, "linear"):
        return x
    x = np.asarray(x, dtype=float)
    result = np.empty_like(x)
    for place in np.ndindex(x.shape):
        if activation == "relu":
            result[place] = x[place] if x[place] > 0 else 0
        elif activation == "sigmoid":
            result[place] = 1 / (1 + math.exp(-x[place])) if x[place] > -700 else 0
        elif activation == "softmax":
            line = x[place[:-1]]
            result[place] = 1 / sum(math.exp(min(other - x[place], 700)) for other in line)
    return result


def conv2d(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    kernel_rows, kernel_columns, _, filters = np.shape(kernel)
    row_step, column_step = both(strides)
    images = np.array(pad2d(images, (kernel_rows, kernel_columns), strides, padding), dtype=float)
    output = []
    for image in images:
        rows = []
        for top in range(0, len(image) - kernel_rows + 1, row_step):
            line = []
            for left in range(0, len(image[0]) - kernel_columns + 1, column_step):
                patch = image[top : top + kernel_rows, left : left + kernel_columns]
                pixel = []
                for number in range(filters):
                    pixel.append(weighted_sum(patch, kernel[:, :, :, number]) + (0 if bias is None else bias[number]))
                line.append(pixel)
            rows.append(line)
        output.append(rows)
    return activate(np.array(output), activation)


def dense_params(inputs, units, use_bias=True):
    count = 0
    for _ in range(units):
        count += inputs
        if use_bias:
            count += 1
    return count


def conv2d_params(kernel_size, in_channels, filters, use_bias=True):
    rows, columns = both(kernel_size)
    return dense_params(rows * columns * in_channels, filters, use_bias)


def summarize(input_shape, layers):
    shape = list(input_shape)
    lines = []
    for layer in layers:
        params = 0
        bias = layer.get("use_bias", True)
        if layer["layer"] == "Flatten":
            shape = [math.prod(shape)]
        elif layer["layer"] == "Dense":
            params = dense_params(shape[-1], layer["units"], bias)
            shape = [*shape[:-1], layer["units"]]
        else:
            window = both(layer.get("kernel_size", layer.get("pool_size", 2)))
            default = 1 if layer["layer"] == "Conv2D" else window
            steps = both(default if layer.get("strides") is None else layer["strides"])
            padding = layer.get("padding", "valid")
            channels = shape[2]
            if layer["layer"] == "Conv2D":
                channels = layer["filters"]
                params = conv2d_params(window, shape[2], channels, bias)
            shape = [output_size(shape[axis], window[axis], steps[axis], padding) for axis in (0, 1)] + [channels]
        lines.append([shape, params])
    return lines


def max_pool2d(images, pool_size=(2, 2), strides=None, padding="valid"):
    images = np.asarray(images)
    pool_rows, pool_columns = both(pool_size)
    row_step, column_step = both(pool_size if strides is None else strides)
    batch, rows, columns, channels = images.shape
    top = left = 0
    if padding == "same":
        top = padding_amounts(rows, pool_rows, row_step)[0]
        left = padding_amounts(columns, pool_columns, column_step)[0]
    new_rows = output_size(rows, pool_rows, row_step, padding)
    new_columns = output_size(columns, pool_columns, column_step, padding)
    pooled = np.zeros((batch, new_rows, new_columns, channels))
    for image, row, column, channel in np.ndindex(pooled.shape):
        best = None
        for r in range(row * row_step - top, row * row_step - top + pool_rows):
            for c in range(column * column_step - left, column * column_step - left + pool_columns):
                if 0 <= r < rows and 0 <= c < columns and (best is None or images[image, r, c, channel] > best):
                    best = images[image, r, c, channel]
        pooled[image, row, column, channel] = best
    return pooled


def unchanged_fraction(image, moved, pool_size):
    before = max_pool2d([[[[pixel] for pixel in row] for row in image]], pool_size)
    after = max_pool2d([[[[pixel] for pixel in row] for row in moved]], pool_size)
    same = 0
    for place in np.ndindex(before.shape):
        if before[place] == after[place]:
            same += 1
    return same / before.size


def flatten(images):
    lines = []
    for image in images:
        line = []
        for row in image:
            for pixel in row:
                line.extend(pixel)
        lines.append(line)
    return lines


def flat_index(row, column, channel, shape):
    index = 0
    for r in range(shape[0]):
        for c in range(shape[1]):
            for ch in range(shape[2]):
                if (r, c, ch) == (row, column, channel):
                    return index
                index += 1


def unflat_index(index, shape):
    row = column = channel = 0
    for _ in range(index):
        channel += 1
        if channel == shape[2]:
            channel, column = 0, column + 1
        if column == shape[1]:
            column, row = 0, row + 1
    return row, column, channel


def dense(x, kernel, bias=None, activation=None):
    output = []
    for line in x:
        units = []
        for unit in range(len(kernel[0])):
            total = 0.0 if bias is None else bias[unit]
            for place, value in enumerate(line):
                total += value * kernel[place][unit]
            units.append(total)
        output.append(units)
    return activate(np.array(output), activation)


def forward(images, weights):
    names = []
    for image in images:
        x = image[None]
        x = max_pool2d(conv2d(x, weights[0], weights[1], padding="same", activation="relu"))
        x = max_pool2d(conv2d(x, weights[2], weights[3], padding="same", activation="relu"))
        x = dense(flatten(x), weights[4], weights[5], "relu")
        names.append(dense(x, weights[6], weights[7], "softmax")[0])
    return names


def predict(images, weights):
    names = []
    for probabilities in forward(images, weights):
        best = 0
        for place in (1, 2):
            if probabilities[place] > probabilities[best]:
                best = place
        names.append(["triangle", "square", "circle"][best])
    return names
