"""Wrong ways to flatten and to weigh the row."""

import numpy as np

from autograde_tests.misconceptions import misconception


def _activate(x, activation=None):
    if activation == "relu":
        return np.maximum(x, 0)
    if activation == "sigmoid":
        return 1 / (1 + np.exp(-x))
    if activation == "softmax":
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)
    return x


@misconception("flatten", "the channels come first: one whole channel after the other")
def channels_first(images):
    return images.transpose(0, 3, 1, 2).reshape(len(images), -1)


@misconception("flatten", "Fortran order: the first axis changes fastest")
def fortran_order(images):
    return images.reshape(len(images), -1, order="F")


@misconception("flatten", "columns are gone through before rows")
def columns_before_rows(images):
    return images.transpose(0, 2, 1, 3).reshape(len(images), -1)


@misconception("flatten", "the batch is flattened too: one row for everything")
def batch_too(images):
    return images.reshape(-1)


@misconception("flatten", "the whole batch becomes one long image")
def batch_of_one(images):
    return images.reshape(1, -1)


@misconception("flatten", "the channels stay an axis of their own")
def channels_left(images):
    return images.reshape(len(images), -1, images.shape[-1])


@misconception("flatten", "only the first image is flattened")
def first_image(images):
    return images[:1].reshape(1, -1)


@misconception("flatten", "the order in memory is taken instead of the order that is seen")
def memory_order(images):
    return np.stack([image.ravel(order="K") for image in images])


@misconception("flatten", "fractions are cut off")
def whole_numbers(images):
    return images.reshape(len(images), -1).astype(int)


@misconception("flatten", "the images that were given are changed in place")
def flatten_in_place(images):
    flat = images.reshape(len(images), -1).copy()
    images[:] = 0
    return flat


@misconception("flat_index", "the channels come first: one whole channel after the other")
def index_channels_first(row, column, channel, shape):
    return (channel * shape[0] + row) * shape[1] + column


@misconception("flat_index", "Fortran order: the row changes fastest")
def index_fortran(row, column, channel, shape):
    return (channel * shape[1] + column) * shape[0] + row


@misconception("flat_index", "columns are gone through before rows")
def index_columns_before_rows(row, column, channel, shape):
    return (column * shape[0] + row) * shape[2] + channel


@misconception("flat_index", "a row above is counted with the number of rows instead of columns")
def index_by_rows(row, column, channel, shape):
    return (row * shape[0] + column) * shape[2] + channel


@misconception("flat_index", "the channels of the pixels before are forgotten")
def index_without_channels(row, column, channel, shape):
    return row * shape[1] + column + channel


@misconception("flat_index", "it is counted from 1")
def index_from_one(row, column, channel, shape):
    return (row * shape[1] + column) * shape[2] + channel + 1


@misconception("unflat_index", "the channels come first: one whole channel after the other")
def unflat_channels_first(index, shape):
    channel, left = divmod(index, shape[0] * shape[1])
    return (*divmod(left, shape[1]), channel)


@misconception("unflat_index", "Fortran order: the row changes fastest")
def unflat_fortran(index, shape):
    return tuple(map(int, np.unravel_index(index, shape, order="F")))


@misconception("unflat_index", "the order is turned round: channel, column, row")
def unflat_turned_round(index, shape):
    return tuple(map(int, np.unravel_index(index, shape)))[::-1]


@misconception("unflat_index", "a row is taken to hold the number of rows instead of columns")
def unflat_by_rows(index, shape):
    row, left = divmod(index, shape[0] * shape[2])
    return (row, *divmod(left, shape[2]))


@misconception("unflat_index", "what is left after the row is not used for the column")
def unflat_from_the_whole(index, shape):
    return index // (shape[1] * shape[2]), index // shape[2], index % shape[2]


@misconception("unflat_index", "the channels are forgotten")
def unflat_without_channels(index, shape):
    return index // shape[1], index % shape[1], 0


@misconception("dense", "the bias is left out")
def dense_without_bias(x, kernel, bias=None, activation=None):
    return _activate(x @ kernel, activation)


@misconception("dense", "every unit gets the first bias")
def dense_first_bias(x, kernel, bias=None, activation=None):
    return _activate(x @ kernel + (0 if bias is None else bias[0]), activation)


@misconception("dense", "the bias is added after the activation")
def dense_bias_last(x, kernel, bias=None, activation=None):
    return _activate(x @ kernel, activation) + (0 if bias is None else bias)


@misconception("dense", "the activation is left out")
def dense_without_activation(x, kernel, bias=None, activation=None):
    return x @ kernel + (0 if bias is None else bias)


@misconception("dense", "relu is always applied")
def dense_always_relu(x, kernel, bias=None, activation=None):
    return np.maximum(_activate(x @ kernel + (0 if bias is None else bias), activation), 0)


@misconception("dense", "softmax runs over the batch instead of over the units")
def dense_softmax_over_batch(x, kernel, bias=None, activation=None):
    units = x @ kernel + (0 if bias is None else bias)
    return _activate(units.T, activation).T


@misconception("dense", "softmax runs over everything")
def dense_softmax_over_everything(x, kernel, bias=None, activation=None):
    units = x @ kernel + (0 if bias is None else bias)
    if activation != "softmax":
        return _activate(units, activation)
    return np.exp(units) / np.exp(units).sum()


@misconception("dense", "sigmoid is used where softmax was asked")
def dense_sigmoid_for_softmax(x, kernel, bias=None, activation=None):
    return _activate(x @ kernel + (0 if bias is None else bias), "sigmoid" if activation == "softmax" else activation)


@misconception("dense", "the kernel is transposed where it is square")
def dense_transposed(x, kernel, bias=None, activation=None):
    kernel = kernel.T if kernel.shape[0] == kernel.shape[1] else kernel
    return _activate(x @ kernel + (0 if bias is None else bias), activation)


@misconception("dense", "softmax overflows for large sums")
def dense_overflow(x, kernel, bias=None, activation=None):
    units = x @ kernel + (0 if bias is None else bias)
    if activation != "softmax":
        return _activate(units, activation)
    powers = np.exp(units)
    return powers / powers.sum(axis=-1, keepdims=True)


@misconception("dense", "sums are stored as whole numbers")
def dense_whole_numbers(x, kernel, bias=None, activation=None):
    units = (x @ kernel + (0 if bias is None else bias)).astype(int)
    return _activate(units, activation)


@misconception("dense", "only the first row of the batch is weighed")
def dense_first_row(x, kernel, bias=None, activation=None):
    return _activate(x[:1] @ kernel + (0 if bias is None else bias), activation)


@misconception("dense", "inputs and weights are multiplied but not summed")
def dense_not_summed(x, kernel, bias=None, activation=None):
    return _activate(x[:, :, None] * kernel[None], activation)


@misconception("dense", "the bias is added once for every input")
def dense_bias_per_input(x, kernel, bias=None, activation=None):
    return _activate(x @ kernel + (0 if bias is None else bias * len(kernel)), activation)


@misconception("dense", "the inputs that were given are changed in place")
def dense_in_place(x, kernel, bias=None, activation=None):
    units = x @ kernel
    if bias is not None:
        bias += 1
        units = units + bias - 1
    return _activate(units, activation)
