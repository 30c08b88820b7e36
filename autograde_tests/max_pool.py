"""Hidden checks of 4-max-pool: the strongest of each window, and how little a small movement matters afterwards."""

import numpy as np

from autograde_tests.cases import Case, graded, signed
from autograde_tests.oracle import layer


def keras_max_pool2d(images, pool_size=(2, 2), strides=None, padding="valid") -> np.ndarray:
    """MaxPooling2D's output."""
    return layer("MaxPooling2D", pool_size, strides=strides, padding=padding, inputs=images)


@graded(oracle=keras_max_pool2d)
def max_pool2d_cases(rng):
    batch = signed(rng, 2, 5, 7, 2)
    negative = -np.abs(signed(rng, 1, 5, 5, 1))
    return [
        Case("groups of 2 × 2 if nothing is said", (signed(rng, 1, 4, 6, 1),)),
        Case("a batch of two channels, each on its own", (batch,), weight=2),
        Case("valid drops what does not fill a window", (signed(rng, 1, 7, 5, 2), (3, 2))),
        Case("same on an odd size", (batch, (2, 2)), {"padding": "same"}, weight=2),
        Case("same on negative numbers: the padding never wins", (negative, (2, 2)), {"padding": "same"}, weight=2),
        Case("a window of 3 with strides of 2", (batch, (3, 3), (2, 2)), weight=2),
        Case("same with a window of 3 and strides of 2", (signed(rng, 1, 6, 8, 2), 3, 2, "same")),
        Case("strides that differ along rows and columns", (batch, (2, 3), (1, 2)), weight=2),
        Case("pool size and strides as one int", (signed(rng, 1, 6, 7, 1), 2, 3)),
        Case("all numbers negative", (negative,), {"pool_size": (2, 3)}),
        Case("the images given stay as they were", (batch, (2, 2), None, "same"), keeps_inputs=True),
        Case("random batch", (signed(rng, *map(int, rng.integers(4, 9, 4))), tuple(map(int, rng.integers(1, 4, 2))))),
    ]


def keras_unchanged_fraction(image, moved, pool_size) -> float:
    """The part of MaxPooling2D's outputs on both pictures that is equal."""
    before, after = (keras_max_pool2d(np.asarray(one)[None, :, :, None], pool_size) for one in (image, moved))
    return float(np.mean(before == after))


@graded(oracle=keras_unchanged_fraction)
def unchanged_fraction_cases(rng):
    def picture(rows, columns, spots):
        image = np.zeros((rows, columns))
        image.flat[rng.permutation(rows * columns)[:spots]] = rng.permutation(np.arange(1, spots + 1))
        return image

    image = picture(6, 8, 14)
    numbers = signed(rng, 4, 6)
    return [
        Case("nothing moved", (image, image.copy(), 2)),
        Case("moved by one to the right", (image, np.roll(image, 1, axis=1), 2), weight=2),
        Case("moved by one down", (image, np.roll(image, 1, axis=0), (2, 4))),
        Case("groups of one pixel", (image, np.roll(image, 2, axis=1), 1)),
        Case("rows and columns of a group differ", (image, np.roll(image, 1, axis=1), (3, 2)), weight=2),
        Case("numbers of both signs, last rows and columns dropped", (signed(rng, 5, 7), signed(rng, 5, 7), 2)),
        Case("negative numbers in every group", (-np.abs(numbers), -np.abs(np.roll(numbers, 1, axis=1)), 2), weight=2),
        Case("the pictures given stay as they were", (image, np.roll(image, 1, axis=1), 2), keeps_inputs=True),
        Case("random picture", (noise := picture(8, 9, 30), np.roll(noise, int(rng.integers(1, 4)), axis=1), (2, 3))),
    ]
