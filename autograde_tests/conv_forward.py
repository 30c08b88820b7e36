"""Hidden checks of 2-conv-forward: one weighted sum, one filter sliding over an image, activations, a whole Conv2D."""

import numpy as np

from autograde_tests.cases import Case, graded, signed
from autograde_tests.oracle import keras, layer


def keras_weighted_sum(patch, kernel) -> float:
    """The only pixel that Conv2D computes from a patch as large as its kernel."""
    patch, kernel = (np.reshape(one, (*one.shape[:2], -1)) for one in (patch, kernel))
    weights = [kernel[..., np.newaxis]]
    return float(layer("Conv2D", 1, kernel.shape[:2], use_bias=False, inputs=patch[np.newaxis], weights=weights).item())


@graded(oracle=keras_weighted_sum)
def weighted_sum_cases(rng):
    rows, columns, channels = map(int, rng.integers(2, 5, 3))
    return [
        Case(
            "a square patch: every pixel meets its own weight",
            (signed(rng, 3, 3), signed(rng, 3, 3)),
            weight=2,
            showable=True,
        ),
        Case("a patch wider than high", (signed(rng, 2, 4), signed(rng, 2, 4))),
        Case("a patch higher than wide", (signed(rng, 3, 1), signed(rng, 3, 1))),
        Case("the channels are summed as well", (signed(rng, 2, 3, 3), signed(rng, 2, 3, 3)), weight=2, showable=True),
        Case("a negative sum stays negative", (np.array([[4.0, 1.0, 2.0]]), np.array([[-5.0, 3.0, -1.0]]))),
        Case(
            "whole numbers in, a fraction out",
            (np.array([[5, 2], [-3, 1]]), np.array([[0.5, 0.25], [1.25, -2]])),
            showable=True,
        ),
        Case("patch and kernel stay as they were", (signed(rng, 2, 2), signed(rng, 2, 2)), keeps_inputs=True),
        Case("random patch", (signed(rng, rows, columns), signed(rng, rows, columns))),
        Case(
            "random patch with channels", (signed(rng, rows, columns, channels), signed(rng, rows, columns, channels))
        ),
    ]


def keras_correlate2d(image, kernel) -> np.ndarray:
    """Conv2D with one filter on one image of one channel."""
    inputs, weights = image[np.newaxis, ..., np.newaxis], [kernel[..., np.newaxis, np.newaxis]]
    return layer("Conv2D", 1, kernel.shape, use_bias=False, inputs=inputs, weights=weights)[0, :, :, 0]


@graded(oracle=keras_correlate2d, builds_on=("weighted_sum",))
def correlate2d_cases(rng):
    photo = rng.integers(100, 256, (4, 6)).astype(np.uint8)
    size = tuple(map(int, rng.integers(4, 8, 2)))
    return [
        Case("3 x 3 kernel on 6 x 6: the kernel is not flipped", (signed(rng, 6, 6), signed(rng, 3, 3)), weight=2),
        Case(
            "2 x 3 kernel on 5 x 7: rows and columns apart",
            (signed(rng, 5, 7), signed(rng, 2, 3)),
            weight=2,
            showable=True,
        ),
        Case("a kernel of one row", (signed(rng, 4, 5), signed(rng, 1, 3))),
        Case("a kernel of one column", (signed(rng, 6, 4), signed(rng, 2, 1))),
        Case("a kernel as large as the image leaves one pixel", (signed(rng, 3, 4), signed(rng, 3, 4))),
        Case("whole numbers in, fractions out", (rng.integers(-9, 10, (4, 5)), signed(rng, 2, 2) / 8), showable=True),
        Case("a photo with whole numbers from 0 to 255 (uint8)", (photo, np.array([[2, -1], [3, 4]])), showable=True),
        Case("an image turned with .T", (signed(rng, 6, 4).T, signed(rng, 3, 2)), showable=True),
        Case("image and kernel stay as they were", (signed(rng, 4, 4), signed(rng, 2, 2)), keeps_inputs=True),
        Case("random image", (signed(rng, *size), signed(rng, *map(int, rng.integers(1, 5, 2))))),
    ]


def keras_activate(x, activation=None) -> np.ndarray:
    """The function of `keras.activations` with this name."""
    made = keras()
    return np.asarray(made.activations.get(activation)(made.ops.convert_to_tensor(np.asarray(x, dtype="float32"))))


@graded(oracle=keras_activate)
def activate_cases(rng):
    scores, pixels = signed(rng, 3, 5) / 4, signed(rng, 2, 3, 4, 5) / 16
    large = np.array([[900.0, 901.0, 899.0], [-1000.0, -1001.0, -1002.0], [0.0, 800.0, -800.0]])
    whole = np.array([[2, -1, 0], [1, 3, -2]])
    return [
        Case("no activation leaves everything as it is", (scores,), showable=True),
        Case('"linear" leaves everything as it is', (scores, "linear")),
        Case('"relu" makes negative numbers 0 and keeps the others', (scores, "relu"), showable=True),
        Case('"relu" on a batch of pictures', (pixels, "relu")),
        Case('"sigmoid" of every number for itself', (scores, "sigmoid"), weight=2),
        Case('"softmax" over the last axis of a table', (scores, "softmax"), weight=2, showable=True),
        Case('"softmax" over the channels of every pixel', (pixels, "softmax"), showable=True),
        Case('"softmax" survives large numbers', (large, "softmax"), weight=2, showable=True),
        Case('whole numbers in, fractions out of "sigmoid"', (whole, "sigmoid"), showable=True),
        Case('whole numbers in, fractions out of "softmax"', (whole, "softmax")),
        Case("the array given to relu stays as it was", (scores, "relu"), keeps_inputs=True),
        Case("the array given to softmax stays as it was", (scores, "softmax"), keeps_inputs=True),
        Case("random numbers", (rng.normal(size=tuple(map(int, rng.integers(2, 5, 3)))), "softmax")),
    ]


def keras_conv2d(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None) -> np.ndarray:
    """Conv2D with this kernel and bias."""
    return layer(
        "Conv2D",
        kernel.shape[-1],
        kernel.shape[:2],
        strides=strides,
        padding=padding,
        activation=activation,
        use_bias=bias is not None,
        inputs=images,
        weights=[kernel] if bias is None else [kernel, bias],
    )


@graded(
    oracle=keras_conv2d,
    builds_on=("output_size", "padding_amounts", "pad2d", "weighted_sum", "correlate2d", "activate"),
)
def conv2d_cases(rng):
    # 5 x 7 with a 2 x 3 kernel: no output is square, so nothing that swaps rows and columns survives.
    everything = (signed(rng, 2, 5, 7, 2), signed(rng, 2, 3, 2, 3), np.array([11.0, -7.0, 23.0]))
    even = (signed(rng, 1, 6, 8, 2), signed(rng, 3, 3, 2, 2), np.array([-4.0, 9.0]))
    small = (everything[0] / 64, everything[1] / 8, np.array([0.5, -0.25, 0.75]))
    turned = np.asfortranarray(signed(rng, 2, 4, 5, 2))
    photo = rng.integers(100, 256, (1, 4, 5, 1)).astype(np.uint8)
    rows, columns, channels, filters = map(int, rng.integers(1, 4, 4))
    random = (
        signed(rng, *map(int, rng.integers((2, 4, 4), (4, 9, 9))), channels),
        signed(rng, rows, columns, channels, filters),
        signed(rng, filters),
    )
    random_strides = tuple(map(int, rng.integers(1, 4, 2)))
    # Four numbers of both signs may be their own opposites when they are flipped, and two mistakes would look alike.
    corner = np.array([2.0, -1, 3, 1]).reshape(2, 2, 1, 1)
    return [
        Case("one image, one channel, one filter", (signed(rng, 1, 4, 5, 1), corner), showable=True),
        Case(
            "one filter on three channels makes one image",
            (signed(rng, 1, 4, 3, 3), signed(rng, 2, 2, 3, 1)),
            showable=True,
        ),
        Case(
            "three filters on one channel make three images",
            (signed(rng, 1, 3, 4, 1), signed(rng, 2, 2, 1, 3)),
            showable=True,
        ),
        Case("two images, two channels, three filters, without bias", everything[:2]),
        Case("two images, two channels, three filters, each with its bias", everything, weight=2, showable=True),
        Case('"same" with a 2 x 3 kernel keeps the size', everything, {"padding": "same"}, weight=2),
        Case('"same" with strides 2 on 5 x 7', everything, {"strides": (2, 2), "padding": "same"}),
        Case(
            '"same" with strides 2 on 6 x 8 needs fewer zeros',
            even,
            {"strides": (2, 2), "padding": "same"},
            showable=True,
        ),
        Case("strides that differ along rows and columns", everything, {"strides": (3, 1)}, weight=2, showable=True),
        Case("strides as one int, the last pixels are dropped", everything, {"strides": 2}, showable=True),
        Case('a 1 x 1 kernel with "same" needs no zeros', (*_one_pixel(rng), None, 1, "same")),
        Case("relu, after the bias", small, {"activation": "relu"}, weight=2),
        Case("sigmoid, after the bias", small, {"activation": "sigmoid"}),
        Case("softmax over the filters of every pixel", small, {"activation": "softmax"}, showable=True),
        Case("whole numbers in, fractions out", (rng.integers(-9, 10, (1, 3, 4, 2)), signed(rng, 2, 2, 2, 2) / 8)),
        Case("a photo with whole numbers from 0 to 255 (uint8)", (photo, signed(rng, 2, 2, 1, 2)), showable=True),
        Case("images that lie turned in memory", (turned, signed(rng, 2, 2, 2, 2))),
        Case("images, kernel and bias stay as they were", small, {"activation": "relu"}, keeps_inputs=True),
        Case("random images", random),
        Case('random images and strides, "same"', random, {"strides": random_strides, "padding": "same"}),
    ]


def _one_pixel(rng) -> tuple[np.ndarray, np.ndarray]:
    return signed(rng, 2, 3, 4, 2), signed(rng, 1, 1, 2, 3)
