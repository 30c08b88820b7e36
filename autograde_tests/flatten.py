"""Hidden checks of 5-flatten: the order in which Flatten lays numbers out, and dense layers."""

import numpy as np

from autograde_tests.cases import Case, graded, signed
from autograde_tests.oracle import layer


def keras_flatten(images) -> np.ndarray:
    """Flatten's output."""
    return layer("Flatten", inputs=images)


@graded(oracle=keras_flatten)
def flatten_cases(rng):
    return [
        Case("one channel, more rows than columns", (signed(rng, 1, 4, 2, 1),)),
        Case("three channels: the channel changes fastest", (signed(rng, 1, 2, 3, 3),), weight=2, showable=True),
        Case("a batch stays a batch", (signed(rng, 3, 2, 4, 2),), weight=2),
        Case("one pixel of several channels", (signed(rng, 1, 1, 1, 5),)),
        Case("fractions stay fractions", (signed(rng, 1, 3, 2, 2) / 8,), showable=True),
        Case("images that were turned", (signed(rng, 2, 4, 3, 2).transpose(0, 2, 1, 3),), showable=True),
        Case("the images given stay as they were", (signed(rng, 2, 3, 2, 2),), keeps_inputs=True),
        Case("random batch", (signed(rng, *map(int, rng.integers(2, 6, 4))),)),
    ]


def keras_flat_index(row, column, channel, shape) -> int:
    """The place of the single one that Flatten makes of a one-hot array."""
    one_hot = np.zeros((1, *shape))
    one_hot[0, row, column, channel] = 1
    return int(np.argmax(keras_flatten(one_hot)[0]))


def _random_place(rng):
    shape = tuple(map(int, rng.integers(2, 7, 3)))
    return tuple(int(rng.integers(0, size)) for size in shape), shape


@graded(oracle=keras_flat_index)
def flat_index_cases(rng):
    cases = [
        Case("the first number", (0, 0, 0, (3, 4, 2))),
        Case("the channel changes fastest", (0, 0, 2, (3, 4, 5))),
        Case("then the column", (0, 3, 0, (3, 5, 2)), weight=2),
        Case("then the row", (2, 0, 0, (3, 5, 2)), weight=2, showable=True),
        Case("the last number", (1, 2, 5, (2, 3, 6)), showable=True),
    ]
    for number in range(4):
        place, shape = _random_place(rng)
        cases.append(Case(f"random place {number + 1}", (*place, shape)))
    return cases


def keras_unflat_index(index, shape) -> tuple[int, int, int]:
    """The place whose one-hot array Flatten turns into a one at `index`, found by trying all."""
    (found,) = [place for place in np.ndindex(*shape) if keras_flat_index(*place, shape) == index]
    return tuple(map(int, found))


@graded(oracle=keras_unflat_index)
def unflat_index_cases(rng):
    cases = [
        Case("the first number", (0, (3, 2, 4))),
        Case("the channel changes fastest", (3, (2, 3, 5))),
        Case("then the column", (8, (2, 5, 2)), weight=2),
        Case("then the row", (21, (3, 5, 2)), weight=2, showable=True),
        Case("the last number", (39, (4, 2, 5))),
    ]
    for number in range(4):
        shape = tuple(map(int, rng.integers(2, 5, 3)))
        cases.append(Case(f"random place {number + 1}", (int(rng.integers(1, np.prod(shape))), shape)))
    return cases


def keras_dense(x, kernel, bias=None, activation=None) -> np.ndarray:
    """Dense's output with these weights."""
    weights = [kernel] if bias is None else [kernel, bias]
    units = np.shape(kernel)[1]
    return layer("Dense", units, activation=activation, use_bias=bias is not None, inputs=x, weights=weights)


@graded(oracle=keras_dense, builds_on=("activate",))
def dense_cases(rng):
    x, kernel, bias = signed(rng, 3, 5), signed(rng, 5, 4), signed(rng, 4) * 7
    small = kernel / 20
    return [
        Case("one row, no bias", (x[:1], kernel), showable=True),
        Case("a batch of three, no bias", (x, kernel)),
        Case("each unit has its own bias", (x, kernel, bias), weight=2, showable=True),
        Case("relu comes after the bias", (x, kernel, bias, "relu"), weight=2),
        Case("sigmoid with one unit", (x, small[:, :1], np.array([0.4])), {"activation": "sigmoid"}),
        Case(
            "softmax over the units of each row",
            (x, small, bias / 20),
            {"activation": "softmax"},
            weight=2,
            showable=True,
        ),
        Case("as many units as inputs", (signed(rng, 2, 4), signed(rng, 4, 4)), showable=True),
        Case("softmax survives large sums", (x, kernel * 100, bias), {"activation": "softmax"}, showable=True),
        Case("linear changes nothing", (x, kernel, bias), {"activation": "linear"}),
        Case("the arrays given stay as they were", (x, kernel, bias, "relu"), keeps_inputs=True),
        Case("random layer", (signed(rng, 2, 7), signed(rng, 7, 3), signed(rng, 3), "relu")),
    ]
