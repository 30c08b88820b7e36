"""Hidden checks of 3-weight-counting: how many weights a layer has, and shapes and weights of a whole network."""

from autograde_tests.cases import Case, graded
from autograde_tests.oracle import keras
from convblocks.keras_model import Recipe


def keras_dense_params(inputs, units, use_bias=True) -> int:
    """The number of weights of a Dense layer built for this many inputs."""
    dense = keras().layers.Dense(units, use_bias=use_bias)
    dense.build((None, inputs))
    return int(dense.count_params())


@graded(oracle=keras_dense_params)
def dense_params_cases(rng):
    cases = [
        Case("more inputs than units: one bias per unit", (7, 3), weight=2),
        Case("more units than inputs", (3, 8), showable=True),
        Case("one input, one unit", (1, 1)),
        Case("without biases", (11, 4, False), showable=True),
        Case("without biases, told by keyword", (5, 6), {"use_bias": False}),
    ]
    for number in range(3):
        inputs, units = map(int, rng.integers(10, 500, 2))
        cases.append(Case(f"random sizes {number + 1}", (inputs, units), {"use_bias": number != 1}))
    return cases


def keras_conv2d_params(kernel_size, in_channels, filters, use_bias=True) -> int:
    """The number of weights of a Conv2D layer built for pictures of this many channels."""
    conv = keras().layers.Conv2D(filters, kernel_size, use_bias=use_bias)
    conv.build((None, None, None, in_channels))
    return int(conv.count_params())


@graded(oracle=keras_conv2d_params)
def conv2d_params_cases(rng):
    cases = [
        Case("one channel, several filters: one bias per filter", ((3, 3), 1, 5)),
        Case("several channels, one filter: still one bias", ((3, 3), 4, 1), showable=True),
        Case("several channels and filters", ((5, 5), 3, 7), weight=2),
        Case("more rows than columns in the kernel", ((4, 1), 2, 3)),
        Case("more columns than rows in the kernel", ((2, 5), 3, 2)),
        Case("kernel size as one int", (4, 2, 3), showable=True),
        Case("without biases", ((3, 2), 3, 4, False), showable=True),
    ]
    for number in range(3):
        rows, columns, in_channels, filters = map(int, rng.integers(1, 20, 4))
        cases.append(
            Case(f"random sizes {number + 1}", ((rows, columns), in_channels, filters), {"use_bias": number != 1})
        )
    return cases


def keras_summarize(input_shape, layers) -> list[tuple[tuple, int]]:
    """Output shapes, without the batch, and numbers of weights of the `keras.Sequential` of these layers."""
    # Imported quietly, before the recipe imports it.
    keras()
    model = Recipe(input_shape, layers).build()
    return [(tuple(map(int, layer.output.shape[1:])), int(layer.count_params())) for layer in model.layers]


def conv(filters, kernel_size, **arguments) -> dict:
    """A Conv2D layer as the dict that `summarize` takes."""
    return {"layer": "Conv2D", "filters": filters, "kernel_size": kernel_size, **arguments}


def pooling(**arguments) -> dict:
    return {"layer": "MaxPooling2D", **arguments}


def dense(units, **arguments) -> dict:
    return {"layer": "Dense", "units": units, **arguments}


def flatten() -> dict:
    return {"layer": "Flatten"}


def _random_network(rng) -> tuple[tuple, list[dict]]:
    """Input shape and layers; small enough to stay quick, large enough that every window fits."""

    def number(low, high):
        return int(rng.integers(low, high + 1))

    def padding():
        return ("valid", "same")[number(0, 1)]

    shape = (number(12, 20), number(12, 20), number(1, 3))
    return shape, [
        conv(number(2, 5), (number(1, 3), number(1, 3)), strides=number(1, 2), padding=padding(), activation="relu"),
        pooling(pool_size=(number(1, 2), number(2, 3)), padding=padding()),
        conv(number(2, 5), (2, number(1, 2)), padding="same"),
        flatten(),
        dense(number(2, 9), activation="relu"),
        dense(number(2, 9), use_bias=bool(number(0, 1))),
    ]


@graded(oracle=keras_summarize, builds_on=("output_size", "dense_params", "conv2d_params"))
def summarize_cases(rng):
    network = [
        conv(4, (3, 2), padding="same", activation="relu"),
        pooling(pool_size=2),
        conv(2, (2, 3), activation="relu"),
        pooling(),
        flatten(),
        dense(5, activation="relu"),
        dense(4, activation="softmax"),
    ]
    return [
        Case('Conv2D: a 2 x 4 kernel on 7 x 9 pixels, "valid"', ((7, 9, 1), [conv(3, (2, 4))])),
        Case(
            'Conv2D: "same" on three channels, without biases',
            ((6, 8, 3), [conv(4, 3, padding="same", use_bias=False)]),
            showable=True,
        ),
        Case(
            "Conv2D: strides that differ along rows and columns",
            ((11, 8, 2), [conv(3, (3, 2), strides=(3, 2))]),
            showable=True,
        ),
        Case('Conv2D: "same" with strides as one int', ((9, 6, 1), [conv(2, (2, 3), strides=2, padding="same")])),
        Case("Conv2D after Conv2D: filters become channels", ((8, 7, 1), [conv(3, 2), conv(5, (3, 1))])),
        Case("MaxPooling2D as it is without arguments", ((9, 7, 3), [pooling()])),
        Case(
            "MaxPooling2D: strides are the pool size unless told",
            ((11, 9, 2), [pooling(pool_size=(2, 4), strides=None)]),
        ),
        Case(
            "MaxPooling2D: strides of its own", ((10, 9, 2), [pooling(pool_size=(3, 2), strides=(1, 3))]), showable=True
        ),
        Case(
            'MaxPooling2D: "same" with what is left over',
            ((8, 11, 2), [pooling(pool_size=3, padding="same")]),
            showable=True,
        ),
        Case("Flatten multiplies rows, columns and channels", ((5, 3, 4), [flatten()])),
        Case("Dense after Dense", ((9,), [dense(6, use_bias=False), dense(4)])),
        Case("a whole network", ((10, 12, 3), network), weight=3, showable=True),
        Case("random network 1", _random_network(rng)),
        Case("random network 2", _random_network(rng)),
        Case("the layers given stay as they were", ((10, 12, 3), network), keeps_inputs=True),
    ]
