"""Wrong ways to put the network together, in NumPy and in Keras, and to train it."""

import numpy as np

from autograde_tests.misconceptions import misconception

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
        around = [
            ((size - 1) // 2 + before * (1 - size % 2), size // 2 - before * (1 - size % 2)) for size in (rows, columns)
        ]
        x = np.pad(x, ((0, 0), *around, (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (rows, columns), axis=(1, 2))
    return np.einsum("nhwcij,ijcf->nhwf", windows, kernel) + bias


def _pool(x, best=np.max, padding="valid"):
    batch, rows, columns, channels = x.shape
    if padding == "same":
        x = np.pad(x, ((0, 0), (0, rows % 2), (0, columns % 2), (0, 0)), constant_values=-np.inf)
    x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
    return best(x.reshape(batch, x.shape[1] // 2, 2, x.shape[2] // 2, 2, channels), axis=(2, 4))


def _flat(x):
    return x.reshape(len(x), -1)


def _network(images, weights, relus=(_relu, _relu, _relu), last=_softmax, conv=_conv, pool=_pool, flat=_flat):
    """The right network, each part of which can be replaced by a wrong one."""
    kernel1, bias1, kernel2, bias2, kernel3, bias3, kernel4, bias4 = map(np.asarray, weights)
    x = pool(relus[0](conv(np.asarray(images), kernel1, bias1)))
    x = pool(relus[1](conv(x, kernel2, bias2)))
    x = relus[2](flat(x) @ kernel3 + bias3)
    return last(x @ kernel4 + bias4)


def _without(weights, *places):
    """The weights with those of some places set to zero."""
    return [np.zeros_like(one) if place in places else one for place, one in enumerate(weights)]


@misconception("forward", "the relu of the first dense layer is missing")
def dense_relu_missing(images, weights):
    return _network(images, weights, relus=(_relu, _relu, _linear))


@misconception("forward", "the relu of the first convolution is missing")
def first_conv_relu_missing(images, weights):
    return _network(images, weights, relus=(_linear, _relu, _relu))


@misconception("forward", "the relu of the second convolution is missing")
def second_conv_relu_missing(images, weights):
    return _network(images, weights, relus=(_relu, _linear, _relu))


@misconception("forward", "the relu of both convolutions is missing")
def conv_relus_missing(images, weights):
    return _network(images, weights, relus=(_linear, _linear, _relu))


@misconception("forward", "no layer has its relu")
def all_relus_missing(images, weights):
    return _network(images, weights, relus=(_linear, _linear, _linear))


@misconception("forward", "the hidden layers have sigmoid instead of relu")
def hidden_sigmoid(images, weights):
    return _network(images, weights, relus=(_sigmoid, _sigmoid, _sigmoid))


@misconception("forward", "relu comes before softmax in the last layer")
def relu_before_softmax(images, weights):
    return _network(images, weights, last=lambda x: _softmax(_relu(x)))


@misconception("forward", "softmax is missing: these are sums, not probabilities")
def softmax_missing(images, weights):
    return _network(images, weights, last=_linear)


@misconception("forward", "relu stands at the end in place of softmax")
def relu_for_softmax(images, weights):
    return _network(images, weights, last=_relu)


@misconception("forward", "sigmoid stands at the end in place of softmax")
def sigmoid_for_softmax(images, weights):
    return _network(images, weights, last=_sigmoid)


@misconception("forward", "softmax is applied twice")
def softmax_twice(images, weights):
    return _network(images, weights, last=lambda x: _softmax(_softmax(x)))


@misconception("forward", "softmax goes over the drawings of the batch instead of the shapes")
def softmax_over_batch(images, weights):
    return _network(images, weights, last=lambda x: _softmax(x, axis=0))


@misconception("forward", "softmax goes over the whole batch at once")
def softmax_over_everything(images, weights):
    return _network(images, weights, last=lambda x: _softmax(x, axis=None))


@misconception("forward", "the sums are divided by their total, without e to the power")
def plain_shares(images, weights):
    return _network(images, weights, last=lambda x: x / x.sum(axis=-1, keepdims=True))


@misconception("forward", 'both convolutions are "valid" instead of "same"')
def valid_for_same(images, weights):
    return _network(images, weights, conv=lambda *given: _conv(*given, padding="valid"))


@misconception("forward", 'the first convolution is "valid" and the pooling after it fills up')
def valid_then_same_pooling(images, weights):
    def conv(x, kernel, bias):
        return _conv(x, kernel, bias, "valid" if len(kernel) == 3 else "same")

    return _network(images, weights, conv=conv, pool=lambda x: _pool(x, padding="same"))


@misconception("forward", 'the second convolution is "valid" and the pooling after it fills up')
def second_valid_then_same_pooling(images, weights):
    def conv(x, kernel, bias):
        return _conv(x, kernel, bias, "valid" if len(kernel) == 2 else "same")

    return _network(images, weights, conv=conv, pool=lambda x: _pool(x, padding="same"))


@misconception("forward", "the zeros of the 2 x 2 convolution go to the top and left")
def zeros_before(images, weights):
    return _network(images, weights, conv=lambda *given: _conv(*given, before=1))


@misconception("forward", "the kernels are flipped: Keras computes cross-correlation")
def flipped_kernels(images, weights):
    return _network(images, weights, conv=lambda x, kernel, bias: _conv(x, kernel[::-1, ::-1], bias))


@misconception("forward", "rows and columns of the kernels are swapped")
def transposed_kernels(images, weights):
    return _network(images, weights, conv=lambda x, kernel, bias: _conv(x, kernel.swapaxes(0, 1), bias))


@misconception("forward", "flatten is missing before the dense layer")
def no_flatten(images, weights):
    return _network(images, weights, flat=_linear)


@misconception("forward", "flatten lays the whole batch out in one row")
def batch_flattened_too(images, weights):
    return _network(images, weights, flat=lambda x: x.reshape(-1))


@misconception("forward", "flatten puts channels first")
def channels_first(images, weights):
    return _network(images, weights, flat=lambda x: _flat(x.transpose(0, 3, 1, 2)))


@misconception("forward", "flatten goes down the columns first")
def columns_first(images, weights):
    return _network(images, weights, flat=lambda x: _flat(x.swapaxes(1, 2)))


@misconception("forward", "flatten uses Fortran's order")
def fortran_order(images, weights):
    return _network(images, weights, flat=lambda x: x.reshape(len(x), -1, order="F"))


@misconception("forward", "all biases are forgotten")
def no_biases(images, weights):
    return _network(images, _without(weights, 1, 3, 5, 7))


@misconception("forward", "the biases of the convolutions are forgotten")
def no_conv_biases(images, weights):
    return _network(images, _without(weights, 1, 3))


@misconception("forward", "the bias of the first convolution is forgotten")
def no_first_bias(images, weights):
    return _network(images, _without(weights, 1))


@misconception("forward", "the bias of the second convolution is forgotten")
def no_second_bias(images, weights):
    return _network(images, _without(weights, 3))


@misconception("forward", "the biases of the dense layers are forgotten")
def no_dense_biases(images, weights):
    return _network(images, _without(weights, 5, 7))


@misconception("forward", "the bias of the first dense layer is forgotten")
def no_third_bias(images, weights):
    return _network(images, _without(weights, 5))


@misconception("forward", "the bias of the last layer is forgotten")
def no_last_bias(images, weights):
    return _network(images, _without(weights, 7))


@misconception("forward", "the biases of the second convolution and of the last layer are swapped")
def biases_swapped(images, weights):
    weights = list(weights)
    weights[3], weights[7] = weights[7], weights[3]
    return _network(images, weights)


@misconception("forward", "the weights are read as all kernels, then all biases")
def kernels_then_biases(images, weights):
    return _network(images, [weights[place] for place in (0, 4, 1, 5, 2, 6, 3, 7)])


@misconception("forward", "the weights of the two convolutions are swapped")
def convolutions_swapped(images, weights):
    return _network(images, [weights[place] for place in (2, 3, 0, 1, 4, 5, 6, 7)])


@misconception("forward", "the weights of the two dense layers are swapped")
def dense_layers_swapped(images, weights):
    return _network(images, [weights[place] for place in (0, 1, 2, 3, 6, 7, 4, 5)])


@misconception("forward", "both poolings come after both convolutions")
def pooled_at_the_end(images, weights):
    kernel1, bias1, kernel2, bias2, *dense = map(np.asarray, weights)
    x = _relu(_conv(_relu(_conv(np.asarray(images), kernel1, bias1)), kernel2, bias2))
    return _softmax(_relu(_flat(_pool(_pool(x))) @ dense[0] + dense[1]) @ dense[2] + dense[3])


@misconception("forward", "the first pooling comes before the first convolution")
def pooled_first(images, weights):
    kernel1, bias1, kernel2, bias2, *dense = map(np.asarray, weights)
    x = _relu(_conv(_pool(np.asarray(images)), kernel1, bias1))
    x = _pool(_relu(_conv(x, kernel2, bias2)))
    return _softmax(_relu(_flat(x) @ dense[0] + dense[1]) @ dense[2] + dense[3])


@misconception("forward", "pooling comes before both convolutions")
def pooling_before_each(images, weights):
    kernel1, bias1, kernel2, bias2, *dense = map(np.asarray, weights)
    x = _relu(_conv(_pool(np.asarray(images)), kernel1, bias1))
    x = _relu(_conv(_pool(x), kernel2, bias2))
    return _softmax(_relu(_flat(x) @ dense[0] + dense[1]) @ dense[2] + dense[3])


@misconception("forward", "the first pooling is missing")
def first_pooling_missing(images, weights):
    pools = iter([_linear, _pool])
    return _network(images, weights, pool=lambda x: next(pools)(x))


@misconception("forward", "both poolings take the mean instead of the maximum")
def mean_pooling(images, weights):
    return _network(images, weights, pool=lambda x: _pool(x, np.mean))


@misconception("forward", "pooling keeps the top left number instead of the largest")
def strided_pooling(images, weights):
    return _network(images, weights, pool=lambda x: x[:, ::2, ::2])


@misconception("forward", "only the first drawing is looked at")
def first_drawing_alone(images, weights):
    return _network(images[:1], weights)


@misconception("forward", "the first drawing stands for all")
def first_drawing_repeated(images, weights):
    return np.repeat(_network(images[:1], weights), len(images), axis=0)


@misconception("forward", "the axis of the batch is lost where there is one drawing")
def batch_axis_lost(images, weights):
    return np.squeeze(_network(images, weights))


@misconception("forward", "the drawings are brought to the range from 0 to 1 once more")
def drawings_scaled(images, weights):
    return _network(np.asarray(images) / np.max(images, initial=1e-9), weights)


@misconception("forward", "the drawings are divided by 255")
def divided_by_255(images, weights):
    return _network(np.asarray(images) / 255, weights)


@misconception("forward", "paper and ink are exchanged")
def inverted(images, weights):
    return _network(1 - np.asarray(images), weights)


@misconception("forward", "the probabilities are rounded")
def rounded(images, weights):
    return np.round(_network(images, weights), 2)


@misconception("forward", "it returns the number of the shape instead of the probabilities")
def returns_numbers(images, weights):
    return _network(images, weights).argmax(axis=-1)


@misconception("forward", "it returns 1 for the largest probability and 0 for the others")
def returns_one_hot(images, weights):
    return np.eye(3)[_network(images, weights).argmax(axis=-1)]


@misconception("forward", "it returns names instead of probabilities")
def returns_names(images, weights):
    return [NAMES[place] for place in _network(images, weights).argmax(axis=-1)]


@misconception("forward", "the return is missing")
def returns_nothing(images, weights):
    _network(images, weights)


@misconception("forward", "the weights are taken out of the list that was given")
def weights_popped(images, weights):
    return _network(images, [weights.pop(0) for _ in range(8)])


@misconception("forward", "the drawings that were given are changed in place")
def drawings_changed(images, weights):
    probabilities = _network(images, weights)
    np.maximum(images, 1, out=images, casting="unsafe")
    return probabilities


def _largest(images, weights):
    return _network(images, weights).argmax(axis=1).tolist()


@misconception("predict", "numbers instead of names")
def numbers(images, weights):
    return _largest(images, weights)


@misconception("predict", "the names are in alphabetical order")
def alphabetical(images, weights):
    return [sorted(NAMES)[place] for place in _largest(images, weights)]


@misconception("predict", "the names are in reversed order")
def reversed_names(images, weights):
    return [NAMES[::-1][place] for place in _largest(images, weights)]


@misconception("predict", "two of the names are exchanged")
def two_exchanged(images, weights):
    return [["square", "triangle", "circle"][place] for place in _largest(images, weights)]


@misconception("predict", "the smallest probability instead of the largest")
def smallest(images, weights):
    return [NAMES[place] for place in _network(images, weights).argmin(axis=1)]


@misconception("predict", "the largest number of the whole batch")
def largest_of_all(images, weights):
    return [NAMES[_network(images, weights).argmax() % 3]]


@misconception("predict", "the first drawing's name for all")
def first_for_all(images, weights):
    return [NAMES[_largest(images, weights)[0]]] * len(images)


@misconception("predict", "the first drawing's name alone, as a text")
def one_text(images, weights):
    return NAMES[_largest(images, weights)[0]]


@misconception("predict", "the largest along the drawings instead of along the shapes")
def along_the_batch(images, weights):
    return [NAMES[place % 3] for place in _network(images, weights).argmax(axis=0)]


@misconception("predict", "a name only where the probability is above one half")
def above_one_half(images, weights):
    return [NAMES[row.argmax()] if row.max() > 0.5 else "unknown" for row in _network(images, weights)]


@misconception("predict", "names with a capital letter")
def capitals(images, weights):
    return [NAMES[place].title() for place in _largest(images, weights)]


@misconception("predict", "pairs of name and probability")
def pairs(images, weights):
    return [(NAMES[row.argmax()], row.max()) for row in _network(images, weights)]


@misconception("predict", "the drawings are sorted by shape")
def sorted_names(images, weights):
    return [NAMES[place] for place in sorted(_largest(images, weights))]


@misconception("predict", "the probabilities themselves")
def probabilities_themselves(images, weights):
    return _network(images, weights)


@misconception("predict", "the return is missing")
def predicts_nothing(images, weights):
    _largest(images, weights)


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


def _wrong_model(says, name, **changes):
    def build_model():
        return _made(_parts(**changes))

    build_model.__name__ = build_model.__qualname__ = name
    misconception("build_model", says)(build_model)


_wrong_model("the relu of the first dense layer is missing", "model_dense_relu_missing", dense1={"activation": None})
_wrong_model("the relu of the first convolution is missing", "model_first_relu_missing", conv1={"activation": None})
_wrong_model("the relu of the second convolution is missing", "model_second_relu_missing", conv2={"activation": None})
_wrong_model("softmax is missing", "model_softmax_missing", dense2={"activation": None})
_wrong_model("sigmoid stands in place of softmax", "model_sigmoid", dense2={"activation": "sigmoid"})
_wrong_model("relu stands in place of softmax", "model_relu_at_the_end", dense2={"activation": "relu"})
_wrong_model("the hidden dense layer has softmax as well", "model_softmax_inside", dense1={"activation": "softmax"})
_wrong_model("flatten is missing", "model_no_flatten", flatten=None)
_wrong_model("the first convolution is valid", "model_first_valid", conv1={"padding": "valid"})
_wrong_model("the second convolution is valid", "model_second_valid", conv2={"padding": "valid"})
_wrong_model(
    "filters and kernel size are swapped",
    "model_filters_swapped",
    conv1={"filters": 3, "kernel_size": 2},
    conv2={"filters": 2, "kernel_size": 3},
)
_wrong_model("the first convolution has 3 filters", "model_three_filters", conv1={"filters": 3})
_wrong_model("both kernels are 3 x 3", "model_kernels_alike", conv2={"kernel_size": 3})
_wrong_model("the convolutions step by 2 as well", "model_strides", conv1={"strides": 2})
_wrong_model("the first pooling is missing", "model_first_pooling_missing", pool1=None)
_wrong_model("the second pooling is missing", "model_second_pooling_missing", pool2=None)
_wrong_model("pooling by 4", "model_pooling_by_four", pool1={"pool_size": 4})
_wrong_model("pooling steps by 1", "model_pooling_steps", pool1={"strides": 1})
_wrong_model("the hidden dense layer is missing", "model_hidden_missing", dense1=None)
_wrong_model("12 units in the hidden dense layer", "model_twelve_units", dense1={"units": 12})
_wrong_model("one unit at the end", "model_one_unit", dense2={"units": 1, "activation": "sigmoid"})
_wrong_model("the convolutions have no biases", "model_no_biases", conv1={"use_bias": False}, conv2={"use_bias": False})


@misconception("build_model", "both poolings come after both convolutions")
def model_pooled_at_the_end():
    return _reordered(0, 2, 1, 3, 4, 5, 6)


@misconception("build_model", "pooling comes before each convolution")
def model_pooled_first():
    return _reordered(1, 0, 3, 2, 4, 5, 6)


@misconception("build_model", "the two dense layers are swapped")
def model_dense_swapped():
    return _reordered(0, 1, 2, 3, 4, 6, 5)


@misconception("build_model", "the second convolution comes first")
def model_convolutions_swapped():
    return _reordered(2, 1, 0, 3, 4, 5, 6)


@misconception("build_model", "flatten comes after the hidden dense layer")
def model_late_flatten():
    return _reordered(0, 1, 2, 3, 5, 4, 6)


@misconception("build_model", "the mean is pooled instead of the maximum")
def model_mean_pooling():
    return _made(
        [("AveragePooling2D", kwargs) if kind == "MaxPooling2D" else (kind, kwargs) for kind, kwargs in _parts()]
    )


@misconception("build_model", "the input is said without the channel")
def model_without_channel():
    return _made(_parts(), input_shape=(8, 8))


@misconception("build_model", "the input is said with three channels")
def model_of_colours():
    return _made(_parts(), input_shape=(8, 8, 3))


@misconception("build_model", "the input is that of the lesson's first example")
def model_of_28():
    return _made(_parts(), input_shape=(28, 28, 1))


@misconception("build_model", "the model does not know its input")
def model_without_input():
    import keras

    return keras.Sequential([getattr(keras.layers, kind)(**kwargs) for kind, kwargs in _parts()])


@misconception("build_model", "the list of layers, not a model")
def list_of_layers():
    return [None, *_made(_parts()).layers]


@misconception("build_model", "what compile returns, which is None")
def compiled_nothing():
    return _made(_parts()).compile("adam", "sparse_categorical_crossentropy")


@misconception("build_model", "what summary returns, which is None")
def summary_nothing():
    return _made(_parts()).summary()


@misconception("build_model", "the class instead of a model")
def class_itself():
    import keras

    return keras.Sequential


@misconception("build_model", "an empty model")
def empty_model():
    import keras

    return keras.Sequential()


@misconception("build_model", "the probabilities of one drawing instead of the model")
def output_of_the_model():
    return np.asarray(_made(_parts())(np.zeros((1, 8, 8, 1))))


def _fitted(model, images, labels, loss="sparse_categorical_crossentropy", rate=0.02, epochs=4):
    import keras

    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(images, labels, batch_size=128, epochs=epochs, verbose=0)
    return model


@misconception("train", "the model is returned untrained")
def untrained(model, images, labels):
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@misconception("train", "the return is missing")
def trained_nothing(model, images, labels):
    _fitted(model, images, labels)


@misconception("train", "the History of fit is returned instead of the model")
def trained_history(model, images, labels):
    model.compile("adam", "sparse_categorical_crossentropy")
    return model.fit(images, labels, batch_size=128, epochs=1, verbose=0)


@misconception("train", "the drawings are shuffled without their labels")
def shuffled_labels(model, images, labels):
    return _fitted(model, images, np.random.default_rng(0).permutation(labels))


@misconception("train", "one epoch with the usual step: far too short")
def one_epoch(model, images, labels):
    return _fitted(model, images, labels, rate=0.001, epochs=1)


@misconception("train", "the step is far too large")
def too_fast(model, images, labels):
    return _fitted(model, images, labels, rate=2.0, epochs=2)


@misconception("train", "learned from a few drawings only")
def few_drawings(model, images, labels):
    return _fitted(model, images[:60], labels[:60], epochs=30)


@misconception("train", "the labels, whole numbers, are compared with probabilities as they are")
def one_number_wanted(model, images, labels):
    return _fitted(model, images, labels[:, np.newaxis], loss="mean_squared_error")


@misconception("train", "a loss that wants the labels in another form")
def categorical(model, images, labels):
    return _fitted(model, images, labels, loss="categorical_crossentropy")


@misconception("train", "fit without compile")
def not_compiled(model, images, labels):
    model.fit(images, labels, verbose=0)
    return model
