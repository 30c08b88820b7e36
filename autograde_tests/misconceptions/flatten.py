"""Wrong ways to flatten and to weigh the row."""

import numpy as np

from autograde_tests.misconceptions import LOOK, misconception, twist

LOOK.update(
    flatten="From pictures to a row",
    flat_index="Exercise 2 · `flat_index`",
    unflat_index="Exercise 3 · `unflat_index`",
    dense="A dense layer looks at everything",
)


def _activate(x, activation=None):
    if activation == "relu":
        return np.maximum(x, 0)
    if activation == "sigmoid":
        return 1 / (1 + np.exp(-x))
    if activation == "softmax":
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)
    return x


# What is right, to be changed.


def _flatten(images):
    return images.reshape(len(images), -1)


def _flat_index(row, column, channel, shape):
    return (row * shape[1] + column) * shape[2] + channel


def _unflat_index(index, shape):
    return (*divmod(index // shape[2], shape[1]), index % shape[2])


def _dense(x, kernel, bias=None, activation=None):
    return _activate(x @ kernel + (0 if bias is None else bias), activation)


@twist(
    "flatten",
    _flatten,
    wrong="the channels come first: one whole channel after the other",
    shows="One channel is right; with more, all numbers of one channel come before those of the next.",
)
def channels_first(flatten, images):
    return flatten(images.transpose(0, 3, 1, 2))


@twist(
    "flatten",
    _flatten,
    wrong="Fortran order: the first axis changes fastest",
    shows="The right numbers, column by column and channel by channel: the row index changes fastest.",
)
def fortran_order(flatten, images):
    return flatten(images.transpose(0, 3, 2, 1))


@twist(
    "flatten",
    _flatten,
    wrong="columns are gone through before rows",
    shows="You have the right numbers, but down each column where along each row was expected.",
)
def columns_before_rows(flatten, images):
    return flatten(images.transpose(0, 2, 1, 3))


@twist(
    "flatten",
    _flatten,
    wrong="the batch is flattened too: one row for everything",
    shows="You return one axis; a batch of images is (batch, numbers).",
)
def batch_too(flatten, images):
    return flatten(images).reshape(-1)


@twist(
    "flatten",
    _flatten,
    wrong="the whole batch becomes one long image",
    shows="One image is right; several come back as a single row.",
)
def batch_of_one(flatten, images):
    return flatten(images).reshape(1, -1)


@misconception(
    "flatten",
    wrong="the channels stay an axis of their own",
    shows="You return three axes; the last, the channels, belongs into the row.",
)
def channels_left(images):
    return images.reshape(len(images), -1, images.shape[-1])


@twist(
    "flatten",
    _flatten,
    wrong="only the first image is flattened",
    shows="The first row is right; the other images of the batch are missing.",
)
def first_image(flatten, images):
    return flatten(images[:1])


@misconception(
    "flatten",
    wrong="the order in memory is taken instead of the order that is seen",
    shows="Only images that were turned go wrong: their numbers come in the order of the original.",
)
def memory_order(images):
    return np.stack([image.ravel(order="K") for image in images])


@twist(
    "flatten",
    _flatten,
    wrong="fractions are cut off",
    shows="Whole numbers are right; from others the part behind the point is missing.",
)
def whole_numbers(flatten, images):
    return flatten(images).astype(int)


@twist(
    "flatten",
    _flatten,
    wrong="the images that were given are changed in place",
    shows="The numbers are right, but the images are changed afterwards; do not write into them.",
)
def flatten_in_place(flatten, images):
    flat = flatten(images).copy()
    images[:] = 0
    return flat


@twist(
    "flatten",
    _flatten,
    wrong="the channels are gone through before the columns",
    shows="One channel is right; with more, each row gives all of one channel before the next.",
)
def channels_before_columns(flatten, images):
    return flatten(images.transpose(0, 1, 3, 2))


@twist(
    "flatten",
    _flatten,
    wrong="the rows are gone through last: columns, then channels, then rows",
    shows="The right numbers, column by column and in it channel by channel: the row index changes fastest.",
)
def rows_last(flatten, images):
    return flatten(images.transpose(0, 2, 3, 1))


@twist(
    "flatten",
    _flatten,
    wrong="only channel 0 is put in the row",
    shows="One channel is right; with more, the numbers of the others are missing.",
)
def first_channel(flatten, images):
    return flatten(images[..., :1])


@misconception(
    "flatten",
    wrong="the rows stay an axis of their own",
    shows="You return three axes; the second, the rows, belongs into the row of numbers.",
)
def rows_left(images):
    return images.reshape(*images.shape[:2], -1)


@twist(
    "flatten",
    _flatten,
    wrong="every image becomes a column instead of a row",
    shows="Your result is the right one, turned: (numbers, batch) where (batch, numbers) was expected.",
)
def columns_for_rows(flatten, images):
    return flatten(images).T


@twist(
    "flatten",
    _flatten,
    wrong="every number is left in a list of its own",
    shows="Your result has a third axis of length 1: (batch, numbers, 1) where (batch, numbers) was expected.",
)
def numbers_apart(flatten, images):
    return flatten(images)[..., None]


@twist(
    "flat_index",
    _flat_index,
    wrong="the channels come first: one whole channel after the other",
    shows="One channel is right; with more, your index jumps by a whole channel instead of by 1.",
)
def index_channels_first(index, row, column, channel, shape):
    return index(channel, row, column, (shape[2], *shape[:2]))


@twist(
    "flat_index",
    _flat_index,
    wrong="Fortran order: the row changes fastest",
    shows="Your index grows by 1 from row to row; it should from channel to channel.",
)
def index_fortran(index, row, column, channel, shape):
    return index(channel, column, row, shape[::-1])


@twist(
    "flat_index",
    _flat_index,
    wrong="columns are gone through before rows",
    shows="The first and the last pixel are right; between them you count down columns instead of along rows.",
)
def index_columns_before_rows(index, row, column, channel, shape):
    return index(column, row, channel, (shape[1], shape[0], shape[2]))


@twist(
    "flat_index",
    _flat_index,
    wrong="a row above is counted with the number of rows instead of columns",
    shows="Square maps are right; otherwise every row below the first is off.",
)
def index_by_rows(index, row, column, channel, shape):
    return index(row, column, channel, (shape[0], shape[0], shape[2]))


@twist(
    "flat_index",
    _flat_index,
    wrong="the channels of the pixels before are forgotten",
    shows="One channel and the first pixel are right; elsewhere your index is too small.",
)
def index_without_channels(index, row, column, channel, shape):
    return index(row, column, 0, (*shape[:2], 1)) + channel


@misconception(
    "flat_index",
    wrong="a row above is counted with its pixels alone, without their channels",
    shows="One channel and the first row are right; elsewhere your index is too small.",
)
def index_rows_without_channels(row, column, channel, shape):
    return row * shape[1] + column * shape[2] + channel


@twist("flat_index", _flat_index, wrong="it is counted from 1", shows="Every index is 1 too large.")
def index_from_one(index, row, column, channel, shape):
    return index(row, column, channel, shape) + 1


@twist(
    "unflat_index",
    _unflat_index,
    wrong="the channels come first: one whole channel after the other",
    shows="One channel is right; with more, your channel grows where the row should.",
)
def unflat_channels_first(places, index, shape):
    channel, row, column = places(index, (shape[2], *shape[:2]))
    return row, column, channel


@twist(
    "unflat_index",
    _unflat_index,
    wrong="Fortran order: the row changes fastest",
    shows="Your row grows first; the channel should.",
)
def unflat_fortran(places, index, shape):
    return places(index, shape[::-1])[::-1]


@twist(
    "unflat_index",
    _unflat_index,
    wrong="the order is turned round: channel, column, row",
    shows="The three numbers are right, but in the order channel, column, row.",
)
def unflat_turned_round(places, index, shape):
    return places(index, shape)[::-1]


@twist(
    "unflat_index",
    _unflat_index,
    wrong="a row is taken to hold the number of rows instead of columns",
    shows="Square maps are right; otherwise rows and columns are off.",
)
def unflat_by_rows(places, index, shape):
    return places(index, (shape[0], shape[0], shape[2]))


@twist(
    "unflat_index",
    _unflat_index,
    wrong="what is left after the row is not used for the column",
    shows="Row and channel are right; from the second row on the column is too large.",
)
def unflat_from_the_whole(places, index, shape):
    row, _, channel = places(index, shape)
    return row, index // shape[2], channel


@twist(
    "unflat_index",
    _unflat_index,
    wrong="the channels are forgotten",
    shows="Your channel is always 0, and row and column count numbers instead of pixels.",
)
def unflat_without_channels(places, index, shape):
    return places(index, (*shape[:2], 1))


@twist(
    "dense",
    _dense,
    wrong="the bias is left out",
    shows="Without a bias all is right; with one, every unit is off by its bias.",
)
def dense_without_bias(dense, x, kernel, bias, activation):
    return dense(x, kernel, None, activation)


@twist(
    "dense",
    _dense,
    wrong="every unit gets the first bias",
    shows="Before the activation unit 0 is right, and each other unit is off by its own amount, the same in every row.",
)
def dense_first_bias(dense, x, kernel, bias, activation):
    return dense(x, kernel, None if bias is None else bias[0], activation)


@twist(
    "dense",
    _dense,
    wrong="the bias is added after the activation",
    shows="Without an activation all is right; with one, the bias comes on top of it.",
)
def dense_bias_last(dense, x, kernel, bias, activation):
    return dense(x, kernel, None, activation) + (0 if bias is None else bias)


@twist(
    "dense",
    _dense,
    wrong="the activation is left out",
    shows="All is right until an activation is asked for: your numbers are those before it.",
)
def dense_without_activation(dense, x, kernel, bias, activation):
    return dense(x, kernel, bias)


@misconception(
    "dense",
    wrong="relu is always applied, whatever the activation is",
    shows='Wherever no relu was asked for your negative numbers are 0, also with "sigmoid" and "softmax".',
)
def dense_relu_whatever(x, kernel, bias=None, activation=None):
    return _dense(x, kernel, bias, "relu")


@twist(
    "dense", _dense, wrong="relu is always applied", shows="Where no relu was asked for, your negative numbers are 0."
)
def dense_always_relu(dense, x, kernel, bias, activation):
    return np.maximum(dense(x, kernel, bias, activation), 0)


@twist(
    "dense",
    _dense,
    wrong="softmax runs over the batch instead of over the units",
    shows='With "softmax" your columns add up to 1 instead of your rows.',
)
def dense_softmax_over_batch(dense, x, kernel, bias, activation):
    return _activate(dense(x, kernel, bias).T, activation).T


def _shares_of_all(sums):
    powers = np.exp(sums)
    return powers / powers.sum()


@twist(
    "dense",
    _dense,
    wrong="softmax runs over everything",
    shows='With "softmax" all your numbers together add up to 1, not each row; large sums give NaN.',
)
def dense_softmax_over_everything(dense, x, kernel, bias, activation):
    if activation != "softmax":
        return dense(x, kernel, bias, activation)
    return _shares_of_all(dense(x, kernel, bias))


@twist(
    "dense",
    _dense,
    wrong="softmax runs over everything, less the largest of all",
    shows='With "softmax" all your numbers together add up to 1, not each row.',
)
def dense_softmax_over_all_rows(dense, x, kernel, bias, activation):
    if activation != "softmax":
        return dense(x, kernel, bias, activation)
    sums = dense(x, kernel, bias)
    return _shares_of_all(sums - sums.max())


@twist(
    "dense",
    _dense,
    wrong="sigmoid is used where softmax was asked",
    shows='With "softmax" your rows do not add up to 1.',
)
def dense_sigmoid_for_softmax(dense, x, kernel, bias, activation):
    return dense(x, kernel, bias, "sigmoid" if activation == "softmax" else activation)


@twist(
    "dense",
    _dense,
    wrong="the kernel is transposed where that fits",
    shows="Only layers with as many units as inputs go wrong.",
)
def dense_transposed(dense, x, kernel, bias, activation):
    return dense(x, kernel.T if kernel.shape[0] == kernel.shape[1] else kernel, bias, activation)


@twist(
    "dense",
    _dense,
    wrong="softmax overflows for large sums",
    shows='Small sums are right; large ones give NaN with "softmax": subtract the row\'s maximum first.',
)
def dense_overflow(dense, x, kernel, bias, activation):
    if activation != "softmax":
        return dense(x, kernel, bias, activation)
    powers = np.exp(dense(x, kernel, bias))
    return powers / powers.sum(axis=-1, keepdims=True)


@twist(
    "dense",
    _dense,
    wrong="sums are stored as whole numbers",
    shows="Whole sums are right; from others the part behind the point is missing.",
)
def dense_whole_numbers(dense, x, kernel, bias, activation):
    return _activate(dense(x, kernel, bias).astype(int), activation)


@twist(
    "dense",
    _dense,
    wrong="only the first row of the batch is weighed",
    shows="The first row is right; the others are missing.",
)
def dense_first_row(dense, x, kernel, bias, activation):
    return dense(x[:1], kernel, bias, activation)


@misconception(
    "dense",
    wrong="inputs and weights are multiplied but not summed",
    shows="You have three axes: every input times every weight, before the sum.",
)
def dense_not_summed(x, kernel, bias=None, activation=None):
    return _activate(x[:, :, None] * kernel[None], activation)


@twist(
    "dense",
    _dense,
    wrong="the bias is added once for every input",
    shows="With a bias, every unit is off by its bias times the number of inputs less one.",
)
def dense_bias_per_input(dense, x, kernel, bias, activation):
    return dense(x, kernel, None if bias is None else bias * len(kernel), activation)


@misconception(
    "dense",
    wrong="the bias that was given is changed in place",
    shows="The numbers are right, but the bias that was given is changed afterwards; never use += on it.",
)
def dense_in_place(x, kernel, bias=None, activation=None):
    units = x @ kernel
    if bias is not None:
        bias += 1
        units = units + bias - 1
    return _activate(units, activation)


@misconception(
    "dense",
    wrong="without a bias it fails: None cannot be added",
    shows="Every call with bias=None raises an error; leave the sum alone then.",
)
def dense_needs_bias(x, kernel, bias=None, activation=None):
    return _activate(x @ kernel + bias, activation)


@twist(
    "dense",
    _dense,
    wrong="only relu is known: sigmoid and softmax are ignored",
    shows='"relu" and no activation are right; with "sigmoid" and "softmax" your numbers are those before it.',
)
def dense_relu_alone(dense, x, kernel, bias, activation):
    return dense(x, kernel, bias, activation if activation == "relu" else None)


@misconception(
    "dense",
    wrong="only relu is known: sigmoid and softmax raise an error",
    shows='"relu" and no activation are right; "sigmoid" and "softmax" end in an error.',
)
def dense_others_unknown(x, kernel, bias=None, activation=None):
    if activation in ("sigmoid", "softmax"):
        raise ValueError(f"unknown activation {activation}")
    return _dense(x, kernel, bias, activation)


@twist(
    "dense",
    _dense,
    wrong="the activation is applied to the inputs instead of to the sums",
    shows="Without an activation all is right; with one, it comes before the weights instead of after the bias.",
)
def dense_activation_first(dense, x, kernel, bias, activation):
    return dense(_activate(x, activation), kernel, bias)


@twist(
    "dense",
    _dense,
    wrong="only the first row comes back, without a batch axis",
    shows="You have one axis instead of two, and the other rows of a batch are missing.",
)
def dense_no_batch(dense, x, kernel, bias, activation):
    return dense(x, kernel, bias, activation)[0]
