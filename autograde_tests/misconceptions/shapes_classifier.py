"""Wrong ways to put the network together, in NumPy and in Keras, and to train it."""

import numpy as np

from autograde_tests.misconceptions import LOOK, misconception, twist

LOOK.update(
    forward="The network",
    predict="Exercise 2 · `predict`",
    build_model="The network, once more",
    train="How a network learns",
)

NAMES = ["triangle", "square", "circle"]


def _relu(x):
    return np.maximum(x, 0)


def _linear(x):
    return x


def _softmax(x, axis=-1):
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -500, 500)))


def _conv(x, kernel, bias, padding="same", before=0):
    """A convolution without activation; before: zeros above and left of an even kernel."""
    rows, columns = kernel.shape[:2]
    if padding == "same":
        top, left = ((size - 1) // 2 + before * (1 - size % 2) for size in (rows, columns))
        padded = np.zeros((len(x), x.shape[1] + rows - 1, x.shape[2] + columns - 1, x.shape[3]))
        padded[:, top : top + x.shape[1], left : left + x.shape[2]] = x
        x = padded
    height, width = x.shape[1] - rows + 1, x.shape[2] - columns + 1
    places = np.ndindex(rows, columns)
    # One product for each cell of the kernel: thousands of networks are tried (see diagnosis).
    return sum(x[:, row : row + height, column : column + width] @ kernel[row, column] for row, column in places) + bias


def _pool(x, best=np.max, padding="valid"):
    batch, rows, columns, channels = x.shape
    if padding == "same":
        x = np.pad(x, ((0, 0), (0, rows % 2), (0, columns % 2), (0, 0)), constant_values=-np.inf)
    x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
    return best(x.reshape(batch, x.shape[1] // 2, 2, x.shape[2] // 2, 2, channels), axis=(2, 4))


def _flat(x):
    return x.reshape(len(x), -1)


_PARTS = {"relu1": _relu, "relu2": _relu, "relu3": _relu, "last": _softmax, "conv": _conv, "pool": _pool, "flat": _flat}


def _network(images, weights, **parts):
    """The right network, unless told other parts."""
    kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4 = map(np.asarray, weights)
    use = _PARTS | parts
    x = use["pool"](use["relu1"](use["conv"](np.asarray(images), kernel1, bias1)))
    x = use["pool"](use["relu2"](use["conv"](x, kernel2, bias2)))
    x = use["relu3"](use["flat"](x) @ kernel3 + bias3)
    return use["last"](x @ kernel4 + bias4)


_ENDS_IN_AN_ERROR = "the arrays do not fit, so every case ends in the same error, as after many mistakes"


def _without(weights, *places):
    """The weights with those of some places set to zero."""
    return [np.zeros_like(one) if place in places else one for place, one in enumerate(weights)]


@twist(
    "forward",
    _network,
    wrong="the relu of the first dense layer is missing",
    shows="All is right while no hidden unit is negative; then your probabilities are off.",
)
def dense_relu_missing(network, images, weights, **parts):
    return network(images, weights, **{"relu3": _linear} | parts)


@twist(
    "forward",
    _network,
    wrong="the relu of the first convolution is missing",
    shows="All is right while the first convolution gives no negative number; then your probabilities are off.",
)
def first_conv_relu_missing(network, images, weights, **parts):
    return network(images, weights, **{"relu1": _linear} | parts)


@twist(
    "forward",
    _network,
    wrong="the relu of the second convolution is missing",
    shows="All is right while the second convolution gives no negative number; then your probabilities are off.",
)
def second_conv_relu_missing(network, images, weights, **parts):
    return network(images, weights, **{"relu2": _linear} | parts)


@twist(
    "forward",
    _network,
    wrong="the relu of both convolutions is missing",
    shows="All is right while no convolution gives a negative number; then your probabilities are off.",
)
def conv_relus_missing(network, images, weights, **parts):
    return network(images, weights, **{"relu1": _linear, "relu2": _linear} | parts)


@twist(
    "forward",
    _network,
    wrong="no layer has its relu",
    shows="All is right while nothing is negative; then your probabilities are off.",
)
def all_relus_missing(network, images, weights, **parts):
    return network(images, weights, **{"relu1": _linear, "relu2": _linear, "relu3": _linear} | parts)


@twist(
    "forward",
    _network,
    wrong="the hidden layers have sigmoid instead of relu",
    shows="Wherever hidden layers matter your probabilities are off: with sigmoid no hidden number gets above 1.",
)
def hidden_sigmoid(network, images, weights, **parts):
    return network(images, weights, **{"relu1": _sigmoid, "relu2": _sigmoid, "relu3": _sigmoid} | parts)


@twist(
    "forward",
    _network,
    wrong="relu comes before softmax in the last layer",
    shows="Where a last sum is negative your probabilities are too even.",
)
def relu_before_softmax(network, images, weights, **parts):
    return network(images, weights, **{"last": lambda x: _softmax(_relu(x))} | parts)


@twist(
    "forward",
    _network,
    wrong="softmax is missing: these are sums, not probabilities",
    shows="Rows do not add up to 1, and numbers can be negative or above 1.",
)
def softmax_missing(network, images, weights, **parts):
    return network(images, weights, **{"last": _linear} | parts)


@twist(
    "forward",
    _network,
    wrong="relu stands at the end in place of softmax",
    shows="Rows do not add up to 1, and no number is negative.",
)
def relu_for_softmax(network, images, weights, **parts):
    return network(images, weights, **{"last": _relu} | parts)


@twist(
    "forward",
    _network,
    wrong="sigmoid stands at the end in place of softmax",
    shows="All numbers are between 0 and 1, but rows do not add up to 1.",
)
def sigmoid_for_softmax(network, images, weights, **parts):
    return network(images, weights, **{"last": _sigmoid} | parts)


@twist(
    "forward",
    _network,
    wrong="softmax is applied twice",
    shows="Rows add up to 1, but your probabilities are far too even.",
)
def softmax_twice(network, images, weights, **parts):
    return network(images, weights, **{"last": lambda x: _softmax(_softmax(x))} | parts)


@twist(
    "forward",
    _network,
    wrong="softmax goes over the drawings of the batch instead of the shapes",
    shows="Your columns add up to 1 instead of your rows; a single drawing gives 1 everywhere.",
)
def softmax_over_batch(network, images, weights, **parts):
    return network(images, weights, **{"last": lambda x: _softmax(x, axis=0)} | parts)


@twist(
    "forward",
    _network,
    wrong="softmax goes over the whole batch at once",
    shows="One drawing is right; in a batch all numbers together add up to 1.",
)
def softmax_over_everything(network, images, weights, **parts):
    return network(images, weights, **{"last": lambda x: _softmax(x, axis=None)} | parts)


@twist(
    "forward",
    _network,
    wrong="the sums are divided by their total, without e to the power",
    shows="Rows add up to 1, but shares can be negative, and equal sums of 0 give NaN.",
)
def plain_shares(network, images, weights, **parts):
    return network(images, weights, **{"last": lambda x: x / x.sum(axis=-1, keepdims=True)} | parts)


@misconception(
    "forward",
    wrong='both convolutions are "valid" instead of "same"',
    shows="Your pictures get too small on the way: the arrays no longer fit the weights.",
    untellable=_ENDS_IN_AN_ERROR,
)
def valid_for_same(images, weights):
    return _network(images, weights, conv=lambda *given: _conv(*given, padding="valid"))


@twist(
    "forward",
    _network,
    wrong='the first convolution is "valid" and the pooling after it pads with "same"',
    shows="The shapes fit, but the border is lost after the first convolution.",
)
def valid_then_same_pooling(network, images, weights, **parts):
    def conv(x, kernel, bias):
        return _conv(x, kernel, bias, "valid" if len(kernel) == 3 else "same")

    return network(images, weights, **{"conv": conv, "pool": lambda x: _pool(x, padding="same")} | parts)


@twist(
    "forward",
    _network,
    wrong='the second convolution is "valid" and the pooling after it pads with "same"',
    shows="The shapes fit, but the border is lost after the second convolution.",
)
def second_valid_then_same_pooling(network, images, weights, **parts):
    def conv(x, kernel, bias):
        return _conv(x, kernel, bias, "valid" if len(kernel) == 2 else "same")

    return network(images, weights, **{"conv": conv, "pool": lambda x: _pool(x, padding="same")} | parts)


@twist(
    "forward",
    _network,
    wrong="the zeros of the 2 x 2 convolution go to the top and left",
    shows="Everything after the second convolution sits one pixel further down and right.",
)
def zeros_before(network, images, weights, **parts):
    return network(images, weights, **{"conv": lambda *given: _conv(*given, before=1)} | parts)


@twist(
    "forward",
    _network,
    wrong="the kernels are flipped: Keras computes cross-correlation",
    shows="Even blank drawings can differ: each weight meets the pixel opposite.",
)
def flipped_kernels(network, images, weights, **parts):
    return network(images, weights, **{"conv": lambda x, kernel, bias: _conv(x, kernel[::-1, ::-1], bias)} | parts)


@twist(
    "forward",
    _network,
    wrong="rows and columns of the kernels are swapped",
    shows="Kernels that are the same with rows and columns swapped are right; with others your probabilities are off.",
)
def transposed_kernels(network, images, weights, **parts):
    return network(images, weights, **{"conv": lambda x, kernel, bias: _conv(x, kernel.swapaxes(0, 1), bias)} | parts)


@misconception(
    "forward",
    wrong="flatten is missing before the dense layer",
    shows="The dense layer gets a picture of three channels where it has weights for 12 numbers.",
    untellable=_ENDS_IN_AN_ERROR,
)
def no_flatten(images, weights):
    return _network(images, weights, flat=_linear)


@twist(
    "forward",
    _network,
    wrong="flatten lays the whole batch out in one row",
    shows="One drawing gives shape (3,) instead of (1, 3); several make a row too long for the 12 inputs.",
)
def batch_flattened_too(network, images, weights, **parts):
    return network(images, weights, **{"flat": lambda x: x.reshape(-1)} | parts)


@twist(
    "forward",
    _network,
    wrong="flatten puts channels first",
    shows="The right 12 numbers meet the wrong weights of the dense layer.",
)
def channels_first(network, images, weights, **parts):
    return network(images, weights, **{"flat": lambda x: _flat(x.transpose(0, 3, 1, 2))} | parts)


@twist(
    "forward",
    _network,
    wrong="flatten goes down the columns first",
    shows="The 12 numbers are laid out down the columns, so they meet the wrong weights.",
)
def columns_first(network, images, weights, **parts):
    return network(images, weights, **{"flat": lambda x: _flat(x.swapaxes(1, 2))} | parts)


@twist(
    "forward",
    _network,
    wrong="flatten uses Fortran's order",
    shows="The 12 numbers come in another order, so they meet the wrong weights.",
)
def fortran_order(network, images, weights, **parts):
    return network(images, weights, **{"flat": lambda x: x.reshape(len(x), -1, order="F")} | parts)


@twist(
    "forward",
    _network,
    wrong="all biases are forgotten",
    shows="With biases of 0 all is right; else your probabilities are off.",
)
def no_biases(network, images, weights, **parts):
    return network(images, _without(weights, 1, 3, 5, 7), **parts)


@twist(
    "forward",
    _network,
    wrong="the biases of the convolutions are forgotten",
    shows="Where the convolutions' biases are 0 all is right; else your probabilities are off.",
)
def no_conv_biases(network, images, weights, **parts):
    return network(images, _without(weights, 1, 3), **parts)


@twist(
    "forward",
    _network,
    wrong="the bias of the first convolution is forgotten",
    shows="Where weights[1] is 0 all is right; else your probabilities are off.",
)
def no_first_bias(network, images, weights, **parts):
    return network(images, _without(weights, 1), **parts)


@twist(
    "forward",
    _network,
    wrong="the bias of the second convolution is forgotten",
    shows="Where weights[3] is 0 all is right; else your probabilities are off.",
)
def no_second_bias(network, images, weights, **parts):
    return network(images, _without(weights, 3), **parts)


@twist(
    "forward",
    _network,
    wrong="the biases of the dense layers are forgotten",
    shows="Where weights[5] and weights[7] are 0 all is right; else your probabilities are off.",
)
def no_dense_biases(network, images, weights, **parts):
    return network(images, _without(weights, 5, 7), **parts)


@twist(
    "forward",
    _network,
    wrong="the bias of the first dense layer is forgotten",
    shows="Where weights[5] is 0 all is right; else your probabilities are off.",
)
def no_third_bias(network, images, weights, **parts):
    return network(images, _without(weights, 5), **parts)


@twist(
    "forward",
    _network,
    wrong="the bias of the last layer is forgotten",
    shows="Where weights[7] is 0 all is right; else your probabilities are off.",
)
def no_last_bias(network, images, weights, **parts):
    return network(images, _without(weights, 7), **parts)


@twist(
    "forward",
    _network,
    wrong="the biases of the second convolution and of the last layer are swapped",
    shows="Where weights[3] and weights[7] are alike all is right; else your probabilities are off.",
)
def biases_swapped(network, images, weights, **parts):
    weights = list(weights)
    weights[3], weights[7] = weights[7], weights[3]
    return network(images, weights, **parts)


@misconception(
    "forward",
    wrong="the weights are read as all kernels, then all biases; they come layer by layer",
    shows="The arrays do not fit the layers they are used in, so it ends in an error.",
    untellable=_ENDS_IN_AN_ERROR,
)
def kernels_then_biases(images, weights):
    return _network(images, [weights[place] for place in (0, 4, 1, 5, 2, 6, 3, 7)])


@misconception(
    "forward",
    wrong="the weights of the two convolutions are swapped",
    shows="The second kernel does not fit pictures of one channel, so it ends in an error.",
    untellable=_ENDS_IN_AN_ERROR,
)
def convolutions_swapped(images, weights):
    return _network(images, [weights[place] for place in (2, 3, 0, 1, 4, 5, 6, 7)])


@misconception(
    "forward",
    wrong="the weights of the two dense layers are swapped",
    shows="The kernels do not fit 12 inputs and 8 units, so it ends in an error.",
    untellable=_ENDS_IN_AN_ERROR,
)
def dense_layers_swapped(images, weights):
    return _network(images, [weights[place] for place in (0, 1, 2, 3, 6, 7, 4, 5)])


@misconception(
    "forward",
    wrong="both poolings come after both convolutions",
    shows="The shapes fit, but the second convolution sees 8 × 8 pixels instead of 4 × 4.",
)
def pooled_at_the_end(images, weights):
    kernel1, bias1, kernel2, bias2, *dense = map(np.asarray, weights)
    x = _relu(_conv(_relu(_conv(np.asarray(images), kernel1, bias1)), kernel2, bias2))
    return _softmax(_relu(_flat(_pool(_pool(x))) @ dense[0] + dense[1]) @ dense[2] + dense[3])


@misconception(
    "forward",
    wrong="the first pooling comes before the first convolution",
    shows="The shapes fit, but the first convolution sees a drawing pooled to 4 × 4, and what it finds is not pooled.",
)
def pooled_first(images, weights):
    kernel1, bias1, kernel2, bias2, *dense = map(np.asarray, weights)
    x = _relu(_conv(_pool(np.asarray(images)), kernel1, bias1))
    x = _pool(_relu(_conv(x, kernel2, bias2)))
    return _softmax(_relu(_flat(x) @ dense[0] + dense[1]) @ dense[2] + dense[3])


@misconception(
    "forward",
    wrong="pooling comes before both convolutions",
    shows="The shapes fit, but the convolutions see 4 × 4 and 2 × 2 pixels instead of 8 × 8 and 4 × 4.",
)
def pooling_before_each(images, weights):
    kernel1, bias1, kernel2, bias2, *dense = map(np.asarray, weights)
    x = _relu(_conv(_pool(np.asarray(images)), kernel1, bias1))
    x = _relu(_conv(_pool(x), kernel2, bias2))
    return _softmax(_relu(_flat(x) @ dense[0] + dense[1]) @ dense[2] + dense[3])


@misconception(
    "forward",
    wrong="the first pooling is missing",
    shows="The row before the dense layer has four times as many numbers as it has weights for.",
    untellable=_ENDS_IN_AN_ERROR,
)
def first_pooling_missing(images, weights):
    pools = iter([_linear, _pool])
    return _network(images, weights, pool=lambda x: next(pools)(x))


@twist(
    "forward",
    _network,
    wrong="both poolings take the mean instead of the maximum",
    shows="Blank drawings are nearly right; where one pixel stands out, too little is pooled and your probabilities are off.",
)
def mean_pooling(network, images, weights, **parts):
    return network(images, weights, **{"pool": lambda x: _pool(x, np.mean)} | parts)


@twist(
    "forward",
    _network,
    wrong="pooling keeps the top left number instead of the largest",
    shows="All is right where the largest number of every window lies at its top left.",
)
def strided_pooling(network, images, weights, **parts):
    return network(images, weights, **{"pool": lambda x: x[:, ::2, ::2]} | parts)


@twist(
    "forward",
    _network,
    wrong="only the first drawing is looked at",
    shows="The first row is right; the other drawings are missing.",
)
def first_drawing_alone(network, images, weights, **parts):
    return network(images[:1], weights, **parts)


@twist(
    "forward",
    _network,
    wrong="the first drawing stands for all",
    shows="The first row is right; all others are copies of it.",
)
def first_drawing_repeated(network, images, weights, **parts):
    return np.repeat(network(images[:1], weights, **parts), len(images), axis=0)


@twist(
    "forward",
    _network,
    wrong="the axis of the batch is lost where there is one drawing",
    shows="Batches are right; one drawing gives shape (3,) instead of (1, 3).",
)
def batch_axis_lost(network, images, weights, **parts):
    return np.squeeze(network(images, weights, **parts))


@twist(
    "forward",
    _network,
    wrong="the drawings are brought to the range from 0 to 1 once more",
    shows="Batches whose largest pixel is 1 are right; fainter ones are made stronger, stronger ones fainter.",
)
def drawings_scaled(network, images, weights, **parts):
    return network(np.asarray(images) / np.max(images, initial=1e-9), weights, **parts)


@twist(
    "forward",
    _network,
    wrong="the drawings are divided by 255",
    shows="Every drawing is nearly blank to your network; it is from 0 to 1 already.",
    look="The drawings",
)
def divided_by_255(network, images, weights, **parts):
    return network(np.asarray(images) / 255, weights, **parts)


@twist(
    "forward",
    _network,
    wrong="paper and ink are exchanged",
    shows="Your network sees light where ink is.",
    look="The drawings",
)
def inverted(network, images, weights, **parts):
    return network(1 - np.asarray(images), weights, **parts)


@twist(
    "forward",
    _network,
    wrong="the probabilities are rounded",
    shows="Your numbers have two digits alone; those expected have more.",
)
def rounded(network, images, weights, **parts):
    return np.round(network(images, weights, **parts), 2)


@twist(
    "forward",
    _network,
    wrong="it returns the number of the shape instead of the probabilities",
    shows="You return one number for each drawing; that is what predict is for.",
)
def returns_numbers(network, images, weights, **parts):
    return network(images, weights, **parts).argmax(axis=-1)


@twist(
    "forward",
    _network,
    wrong="it returns 1 for the largest probability and 0 for the others",
    shows="You have only 0 and 1 where shares were expected.",
)
def returns_one_hot(network, images, weights, **parts):
    return np.eye(3)[network(images, weights, **parts).argmax(axis=-1)]


@twist(
    "forward",
    _network,
    wrong="it returns names instead of probabilities",
    shows="You return texts; that is what predict is for.",
)
def returns_names(network, images, weights, **parts):
    return [NAMES[place] for place in network(images, weights, **parts).argmax(axis=-1)]


@misconception("forward", wrong="the return is missing", shows="Every call gives None.", look="Exercise 1 · `forward`")
def returns_nothing(images, weights):
    _network(images, weights)


@misconception(
    "forward",
    wrong="the list of weights that was given is changed",
    shows="The numbers are right, but the list of weights is changed afterwards; read weights[0] instead of taking it out or writing to it.",
)
def weights_popped(images, weights):
    return _network(images, [weights.pop(0) for _ in range(8)])


@twist(
    "forward",
    _network,
    wrong="the drawings that were given are changed in place",
    shows="The numbers are right, but the drawings are others afterwards; work on copies.",
)
def drawings_changed(network, images, weights, **parts):
    probabilities = network(images, weights, **parts)
    np.maximum(images, 1, out=images, casting="unsafe")
    return probabilities


def _predict(images, weights, pick=lambda probabilities: probabilities.argmax(axis=1)):
    """Right, unless told to `pick` other places than those of the largest."""
    return [NAMES[place] for place in pick(_network(images, weights))]


@twist("predict", _predict, wrong="names with a capital letter", shows="Your names differ by their first letter alone.")
def capitals(predict, images, weights, *pick):
    return [name.title() for name in predict(images, weights, *pick)]


@twist(
    "predict",
    _predict,
    wrong="numbers instead of names",
    shows="You return 0, 1 and 2; CLASSES holds the name for each.",
)
def numbers(predict, images, weights, *pick):
    return [NAMES.index(name) for name in predict(images, weights, *pick)]


# No changes, as is the next: two other orders at once would be a third.
@misconception(
    "predict",
    wrong="the names are in alphabetical order, which turns triangle, square, circle round",
    shows="Squares are right; triangles and circles are exchanged. CLASSES holds the names in the right order.",
)
def alphabetical(images, weights):
    return [sorted(NAMES)[NAMES.index(name)] for name in _predict(images, weights)]


@misconception(
    "predict",
    wrong="two of the names are exchanged",
    shows="Circles are right; triangles and squares are exchanged.",
)
def two_exchanged(images, weights):
    return [["square", "triangle", "circle"][NAMES.index(name)] for name in _predict(images, weights)]


@twist(
    "predict",
    _predict,
    wrong="the smallest probability instead of the largest",
    shows="Each name is that of the least probable shape.",
)
def smallest(predict, images, weights, *pick):
    return predict(images, weights, lambda probabilities: probabilities.argmin(axis=1))


@misconception(
    "predict", wrong="the largest number of the whole batch", shows="You return one name for the whole batch."
)
def largest_of_all(images, weights):
    return [NAMES[_network(images, weights).argmax() % 3]]


@twist(
    "predict",
    _predict,
    wrong="the first drawing's name for all",
    shows="The first name is right; all others are copies of it.",
)
def first_for_all(predict, images, weights, *pick):
    return predict(images, weights, *pick)[:1] * len(images)


@twist(
    "predict",
    _predict,
    wrong="the first drawing's name alone, as a text",
    shows="You return a text; a list with one for each drawing was expected.",
)
def one_text(predict, images, weights, *pick):
    return predict(images, weights, *pick)[0]


@misconception(
    "predict",
    wrong="the largest along the drawings instead of along the shapes",
    shows="You have three names, whatever the number of drawings.",
)
def along_the_batch(images, weights):
    return [NAMES[place % 3] for place in _network(images, weights).argmax(axis=0)]


@misconception(
    "predict",
    wrong="every name is the one before the right one in CLASSES",
    shows="You have circle for triangle, triangle for square and square for circle: places are counted from 0.",
)
def one_before(images, weights):
    return [NAMES[NAMES.index(name) - 1] for name in _predict(images, weights)]


@twist(
    "predict",
    _predict,
    wrong="the second most probable shape instead of the most probable",
    shows="Each name is that of the second largest probability.",
)
def second_largest(predict, images, weights, *pick):
    return predict(images, weights, lambda probabilities: probabilities.argsort(axis=1)[:, 1])


@twist(
    "predict",
    _predict,
    wrong="only the first drawing is named",
    shows="The first name is right; those of the other drawings are missing.",
)
def first_drawing(predict, images, weights, *pick):
    return predict(images, weights, *pick)[:1]


@twist(
    "predict",
    _predict,
    wrong="every name is in a list of its own",
    shows="The names are right, but each stands in a list; a plain list of texts was asked for.",
)
def names_in_lists(predict, images, weights, *pick):
    return [[name] for name in predict(images, weights, *pick)]


@twist(
    "predict",
    _predict,
    wrong="all names together are one text",
    shows="You return one text with commas; a list with one text for each drawing was expected.",
)
def names_in_one_text(predict, images, weights, *pick):
    return ", ".join(predict(images, weights, *pick))


@misconception(
    "predict",
    wrong="a name only where the probability is above one half",
    shows='Sure answers are right; others are "unknown", though one shape is the most probable.',
)
def above_one_half(images, weights):
    return [NAMES[row.argmax()] if row.max() > 0.5 else "unknown" for row in _network(images, weights)]


@misconception(
    "predict", wrong="pairs of name and probability", shows="Each entry is a pair; the name alone was asked for."
)
def pairs(images, weights):
    return [(NAMES[row.argmax()], row.max()) for row in _network(images, weights)]


@twist(
    "predict",
    _predict,
    wrong="the drawings are sorted by shape",
    shows="The right names, but sorted: which belongs to which drawing is lost.",
)
def sorted_names(predict, images, weights, *pick):
    return sorted(predict(images, weights, *pick), key=NAMES.index)


@misconception(
    "predict", wrong="the probabilities themselves", shows="You return an array of numbers; names were asked for."
)
def probabilities_themselves(images, weights):
    return _network(images, weights)


@twist("predict", _predict, wrong="the return is missing", shows="Every call gives None.")
def predicts_nothing(predict, images, weights, *pick):
    predict(images, weights, *pick)


_DRAWN_ANEW = "its numbers come from weights that Keras draws anew each time"
_CHANCE = "training starts from chance and no two ways end at the same numbers"


def _model(*layers, input_shape=(8, 8, 1)):
    import keras

    return keras.Sequential([keras.Input(input_shape), *layers])


def _parts(**changes):
    """The right layers as a list of (name, kwargs); changes: kwargs for `conv1`, `pool1`, … or None to leave it out."""
    usual = {
        "conv1": ("Conv2D", {"filters": 2, "kernel_size": 3, "padding": "same", "activation": "relu"}),
        "pool1": ("MaxPooling2D", {}),
        "conv2": ("Conv2D", {"filters": 3, "kernel_size": 2, "padding": "same", "activation": "relu"}),
        "pool2": ("MaxPooling2D", {}),
        "flatten": ("Flatten", {}),
        "dense1": ("Dense", {"units": 8, "activation": "relu"}),
        "dense2": ("Dense", {"units": 3, "activation": "softmax"}),
    }
    return [
        (kind, kwargs | changes.get(name, {}))
        for name, (kind, kwargs) in usual.items()
        if changes.get(name, {}) is not None
    ]


def _made(parts, input_shape=(8, 8, 1)):
    import keras

    return _model(*[getattr(keras.layers, kind)(**kwargs) for kind, kwargs in parts], input_shape=input_shape)


def _reordered(*order):
    parts = _parts()
    return _made([parts[place] for place in order])


def _wrong_model(name, wrong, shows, **changes):
    def build_model():
        return _made(_parts(**changes))

    build_model.__name__ = build_model.__qualname__ = name
    misconception("build_model", wrong=wrong, shows=shows)(build_model)


_wrong_model(
    "model_dense_relu_missing",
    wrong="the relu of the first dense layer is missing",
    shows="Where a hidden unit is negative, the model computes other probabilities.",
    dense1={"activation": None},
)
_wrong_model(
    "model_first_relu_missing",
    wrong="the relu of the first convolution is missing",
    shows="The first Conv2D says linear where relu was expected.",
    conv1={"activation": None},
)
_wrong_model(
    "model_second_relu_missing",
    wrong="the relu of the second convolution is missing",
    shows="The second Conv2D says linear where relu was expected.",
    conv2={"activation": None},
)
_wrong_model(
    "model_softmax_missing",
    wrong="softmax is missing",
    shows="The model gives sums that do not add up to 1.",
    dense2={"activation": None},
)
_wrong_model(
    "model_sigmoid",
    wrong="sigmoid stands in place of softmax",
    shows="The three numbers do not add up to 1.",
    dense2={"activation": "sigmoid"},
)
_wrong_model(
    "model_relu_at_the_end",
    wrong="relu stands in place of softmax",
    shows="The three numbers do not add up to 1, and can be above it.",
    dense2={"activation": "relu"},
)
_wrong_model(
    "model_softmax_inside",
    wrong="the hidden dense layer has softmax as well",
    shows="The hidden units add up to 1, so the probabilities differ.",
    dense1={"activation": "softmax"},
)
_wrong_model(
    "model_no_flatten",
    wrong="flatten is missing",
    shows="The output has four axes, one answer for each of the last pixels.",
    flatten=None,
)
_wrong_model(
    "model_first_valid",
    wrong="the first convolution is valid",
    shows="The shapes shrink to 6 × 6 at once, and the dense layer has fewer weights.",
    conv1={"padding": "valid"},
)
_wrong_model(
    "model_second_valid",
    wrong="the second convolution is valid",
    shows="The second convolution gives 3 × 3, and the dense layer has fewer weights.",
    conv2={"padding": "valid"},
)
_wrong_model(
    "model_three_filters",
    wrong="the first convolution has 3 filters",
    shows="The first Conv2D has 30 weights instead of 20.",
    conv1={"filters": 3},
)
_wrong_model(
    "model_kernels_alike",
    wrong="both kernels are 3 x 3",
    shows="The second Conv2D has 57 weights instead of 27.",
    conv2={"kernel_size": 3},
)
_wrong_model(
    "model_strides",
    wrong="the first convolution steps by 2 as well",
    shows="The pictures shrink by a convolution already; only pooling should do that.",
    conv1={"strides": 2},
)
_wrong_model(
    "model_first_pooling_missing",
    wrong="the first pooling is missing",
    shows="The pictures stay twice as high and wide, and the dense layer has 392 weights instead of 104.",
    pool1=None,
)
_wrong_model(
    "model_second_pooling_missing",
    wrong="the second pooling is missing",
    shows="Flatten gives 48 numbers instead of 12.",
    pool2=None,
)
_wrong_model(
    "model_pooling_by_four",
    wrong="pooling by 4",
    shows="The pictures shrink too fast: 2 × 2 after the first pooling.",
    pool1={"pool_size": 4},
)
_wrong_model(
    "model_pooling_steps",
    wrong="pooling steps by 1",
    shows="The first pooling gives 7 × 7 instead of 4 × 4.",
    pool1={"strides": 1},
)
_wrong_model(
    "model_hidden_missing",
    wrong="the hidden dense layer is missing",
    shows="There is one Dense layer where two were expected.",
    dense1=None,
)
_wrong_model(
    "model_twelve_units",
    wrong="12 units in the hidden dense layer",
    shows="The hidden layer has 156 weights instead of 104.",
    dense1={"units": 12},
)
_wrong_model(
    "model_one_unit",
    wrong="one unit at the end",
    shows="The output is one number; three probabilities were expected.",
    dense2={"units": 1, "activation": "sigmoid"},
)
_wrong_model(
    "model_no_biases",
    wrong="the convolutions have no biases",
    shows="The convolutions have 18 and 24 weights instead of 20 and 27.",
    conv1={"use_bias": False},
    conv2={"use_bias": False},
)


@misconception(
    "build_model",
    wrong="both poolings come after both convolutions",
    shows="The layers come in another order, and shapes differ on the way.",
)
def model_pooled_at_the_end():
    return _reordered(0, 2, 1, 3, 4, 5, 6)


@misconception(
    "build_model",
    wrong="pooling comes before each convolution",
    shows="The layers come in another order, and shapes differ on the way.",
)
def model_pooled_first():
    return _reordered(1, 0, 3, 2, 4, 5, 6)


@misconception(
    "build_model",
    wrong="the two dense layers are swapped",
    shows="The output has 8 numbers; 3 were expected.",
)
def model_dense_swapped():
    return _reordered(0, 1, 2, 3, 4, 6, 5)


@misconception(
    "build_model",
    wrong="filters and kernel size are swapped in both convolutions, or the second one comes first",
    shows="Each convolution has what the other should have, so weights and shapes differ.",
)
def model_convolutions_swapped():
    return _reordered(2, 1, 0, 3, 4, 5, 6)


@misconception(
    "build_model",
    wrong="flatten comes after the hidden dense layer",
    shows="Dense then works on each pixel apart, and its weights are fewer.",
)
def model_late_flatten():
    return _reordered(0, 1, 2, 3, 5, 4, 6)


@misconception(
    "build_model",
    wrong="the mean is pooled instead of the maximum",
    shows="The shapes are right; the kind of layer is not, and so the probabilities.",
)
def model_mean_pooling():
    return _made(
        [
            ("AveragePooling2D", {"pool_size": 2} | kwargs) if kind == "MaxPooling2D" else (kind, kwargs)
            for kind, kwargs in _parts()
        ]
    )


@misconception(
    "build_model",
    wrong="the input is said without the channel",
    shows="Conv2D refuses an input without channels, so there is no model.",
    untellable=_ENDS_IN_AN_ERROR,
)
def model_without_channel():
    return _made(_parts(), input_shape=(8, 8))


@misconception(
    "build_model",
    wrong="the input is said with three channels",
    shows="The first Conv2D has 56 weights instead of 20.",
)
def model_of_colours():
    return _made(_parts(), input_shape=(8, 8, 3))


@misconception(
    "build_model",
    wrong="the input is that of the lesson's first example",
    shows="All shapes are far too large for drawings of 8 × 8.",
)
def model_of_28():
    return _made(_parts(), input_shape=(28, 28, 1))


@misconception(
    "build_model",
    wrong="the model does not know its input",
    shows="Without keras.Input the model knows no shapes and no weights before its first drawing.",
)
def model_without_input():
    import keras

    return keras.Sequential([getattr(keras.layers, kind)(**kwargs) for kind, kwargs in _parts()])


@misconception(
    "build_model",
    wrong="the list of layers, not a model",
    shows="You return a list; keras.Sequential makes a model of it.",
)
def list_of_layers():
    return [None, *_made(_parts()).layers]


@misconception(
    "build_model",
    wrong="what compile, build or summary returns, which is None, or nothing at all",
    shows="You return None; the model itself was asked for.",
)
def compiled_nothing():
    return _made(_parts()).compile("adam", "sparse_categorical_crossentropy")


@misconception(
    "build_model",
    wrong="the class instead of a model",
    shows="You return keras.Sequential without the brackets that make one.",
)
def class_itself():
    import keras

    return keras.Sequential


@misconception(
    "build_model",
    wrong="an empty model",
    shows="There is a model, but no layer in it.",
)
def empty_model():
    import keras

    return keras.Sequential()


@misconception(
    "build_model",
    wrong="the probabilities of one drawing instead of the model",
    shows="You return numbers; the model itself was asked for.",
    untellable=_DRAWN_ANEW,
)
def output_of_the_model():
    return np.asarray(_made(_parts())(np.zeros((1, 8, 8, 1))))


def _fitted(model, images, labels, loss="sparse_categorical_crossentropy", rate=0.02, epochs=4):
    import keras

    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(images, labels, batch_size=128, epochs=epochs, verbose=0)
    return model


@misconception(
    "train",
    wrong="the model is returned untrained",
    shows="The weights are as they were, and names are right by luck alone.",
    untellable=_CHANCE,
)
def untrained(model, images, labels):
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@misconception(
    "train",
    wrong="the return is missing",
    shows="You return None; the model has learned, but nobody gets it.",
    untellable=_CHANCE,
)
def trained_nothing(model, images, labels):
    _fitted(model, images, labels)


@misconception(
    "train",
    wrong="the History of fit is returned instead of the model",
    shows="You return what fit returns; the model itself was asked for.",
    untellable=_CHANCE,
)
def trained_history(model, images, labels):
    model.compile("adam", "sparse_categorical_crossentropy")
    return model.fit(images, labels, batch_size=128, epochs=1, verbose=0)


@misconception(
    "train",
    wrong="the drawings are shuffled without their labels",
    shows="No better than guessing: each drawing is taught with another one's label.",
    untellable=_CHANCE,
)
def shuffled_labels(model, images, labels):
    return _fitted(model, images, np.random.default_rng(0).permutation(labels))


@misconception(
    "train",
    wrong="one epoch with the usual step: far too short",
    shows="Better than guessing at best: go on for more epochs, or with a larger step.",
    untellable=_CHANCE,
)
def one_epoch(model, images, labels):
    return _fitted(model, images, labels, rate=0.001, epochs=1)


@misconception(
    "train",
    wrong="the step is far too large",
    shows="No better than guessing: the weights jump about.",
    untellable=_CHANCE,
)
def too_fast(model, images, labels):
    return _fitted(model, images, labels, rate=2.0, epochs=2)


@misconception(
    "train",
    wrong="learned from a few drawings only",
    shows="The few are known by heart; drawings never seen are named rightly less often.",
    look="Learned, or learned by heart?",
    untellable=_CHANCE,
)
def few_drawings(model, images, labels):
    return _fitted(model, images[:60], labels[:60], epochs=30)


@misconception(
    "train",
    wrong="the labels, whole numbers, are compared with probabilities as they are",
    shows="The loss falls, but the names stay wrong: use sparse_categorical_crossentropy.",
    untellable=_CHANCE,
)
def one_number_wanted(model, images, labels):
    return _fitted(model, images, labels[:, np.newaxis], loss="mean_squared_error")


@misconception(
    "train",
    wrong="a loss that wants the labels in another form",
    shows="fit raises an error about shapes: whole-number labels want sparse_categorical_crossentropy.",
    untellable=_CHANCE,
)
def categorical(model, images, labels):
    return _fitted(model, images, labels, loss="categorical_crossentropy")


@misconception(
    "train",
    wrong="fit without compile",
    shows="fit raises an error: compile tells it the loss first.",
    untellable=_CHANCE,
)
def not_compiled(model, images, labels):
    model.fit(images, labels, verbose=0)
    return model
