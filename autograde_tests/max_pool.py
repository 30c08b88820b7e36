"""Hidden checks of 4-max-pool: the largest number of every window, and how much a small movement leaves alone."""

import numpy as np

from autograde_tests.cases import Case, graded, signed
from autograde_tests.oracle import layer


def keras_max_pool2d(images, pool_size=(2, 2), strides=None, padding="valid") -> np.ndarray:
    """MaxPooling2D with these settings."""
    return layer("MaxPooling2D", pool_size, strides=strides, padding=padding, inputs=images)


@graded(oracle=keras_max_pool2d, builds_on=("output_size", "padding_amounts", "pad2d"))
def max_pool2d_cases(rng):
    # 5 x 7: every pooling of it drops or misses something, and no output is square.
    batch = signed(rng, 2, 5, 7, 2)
    negative = -np.abs(signed(rng, 1, 5, 5, 1)).astype(int)
    photo = rng.integers(0, 256, (1, 5, 4, 1)).astype(np.uint8)
    rows, columns, row_strides, column_strides = map(int, rng.integers(1, 4, 4))
    random = signed(rng, *map(int, rng.integers((2, 4, 4, 2), (4, 9, 9, 4))))
    return [
        Case("the largest of every 2 x 2 on 4 x 6", (signed(rng, 1, 4, 6, 1),), showable=True),
        Case("all numbers negative: no zero comes in", (-np.abs(signed(rng, 1, 4, 4, 2)),)),
        Case("two images of two channels, what fills no window is dropped", (batch, (2, 2)), weight=2),
        Case('"same": every started step counts', (batch, (2, 2)), {"padding": "same"}, weight=2, showable=True),
        Case(
            '"same" on negative numbers: a padded cell never wins',
            (negative,),
            {"padding": "same"},
            weight=2,
            showable=True,
        ),
        # Powers of two are the same number in Keras' float32, and means of 2 x 2 of them have no rounding error.
        Case('"same": a padded cell is lower than the lowest number', (negative * 2.0**66,), {"padding": "same"}),
        Case("windows of 3 x 3 with steps of 2 overlap", (batch, (3, 3), (2, 2)), weight=2, showable=True),
        Case('"same" with windows of 3 x 3 and steps of 2', (batch, 3, 2, "same"), weight=2),
        Case("pool size and strides as one int", (signed(rng, 1, 6, 7, 1), 3, 1), showable=True),
        Case("windows of 3 rows and 2 columns", (batch, (3, 2))),
        Case("steps that differ along rows and columns", (batch, (2, 3), (1, 2))),
        Case("steps larger than the window leave gaps", (signed(rng, 1, 7, 9, 2), (2, 1), (3, 4))),
        Case(
            '"same" with 3 x 3 on 6 x 5: steps of 3 miss fewer cells',
            (signed(rng, 1, 6, 5, 2), 3, None, "same"),
            showable=True,
        ),
        Case(
            '"same" with windows of 4 x 5: rows and columns apart',
            (signed(rng, 1, 6, 8, 2), (4, 5), (1, 3), "same"),
            showable=True,
        ),
        Case("fractions stay fractions", (signed(rng, 1, 4, 5, 1) / 16,), showable=True),
        Case('a photo with whole numbers from 0 to 255 (uint8), "same"', (photo, 2), {"padding": "same"}),
        Case("the images given stay as they were", (signed(rng, 1, 5, 4, 2), 2), keeps_inputs=True),
        Case("random images", (random, (rows, columns))),
        Case('random images and strides, "same"', (random, (rows, columns), (row_strides, column_strides), "same")),
    ]


def keras_unchanged_fraction(image, moved, pool_size) -> float:
    """MaxPooling2D on both pictures, compared pixel by pixel."""
    before, after = (
        layer("MaxPooling2D", pool_size, inputs=one[np.newaxis, ..., np.newaxis]) for one in (image, moved)
    )
    return float((before == after).mean())


def _shifted(image, row_step, column_step) -> np.ndarray:
    """The image so many pixels further down and to the right, the first row and column repeated."""
    steps = zip(image.shape, (row_step, column_step), strict=True)
    rows, columns = (np.maximum(np.arange(size) - step, 0) for size, step in steps)
    return image[rows][:, columns]


@graded(oracle=keras_unchanged_fraction, builds_on=("max_pool2d",))
def unchanged_fraction_cases(rng):
    rows, columns = map(int, rng.integers(1, 4, 2))
    # Few different numbers, so that some groups stay and some change.
    shades = rng.permutation(np.resize(np.arange(-3, 2), 48)).reshape(6, 8)
    face = np.where(rng.random((8, 8)) < 0.2, rng.integers(5, 10, (8, 8)), rng.integers(1, 3, (8, 8)))
    inside = np.zeros((4, 6), dtype=int)
    inside[0, 0], inside[0, 2], inside[2, 4] = 7, 4, 9
    # The largest of each group stays, all else is another number.
    peaks = signed(rng, 2, 3) + 50
    left, right = np.kron(peaks - 20, np.ones((2, 2))), np.kron(peaks - 30, np.ones((2, 2)))
    left[::2, ::2] = right[::2, ::2] = peaks
    right[0, 2] += 1
    overhang = signed(rng, 5, 7)
    other_edge = overhang.copy()
    other_edge[4], other_edge[:, 6] = other_edge[4] - 40, other_edge[:, 6] + 40
    lined = signed(rng, 4, 6)
    swapped = lined.copy()
    swapped[:, 2:4], swapped[:, 4:] = lined[:, 4:], lined[:, 2:4]
    # Cut off, rounded and equal within one half are three mistakes, each with a number of changes of its own.
    order = rng.permutation(6)
    grey, other_grey = (
        np.kron(np.array(largest)[order].reshape(2, 3), [[1, 0.5], [0.25, 0]])
        for largest in ((0.25, 0.25, 0.875, 0.125, 0.125, 0.5), (0.375, 0.625, 1.125, 0.875, 0.875, 0.5))
    )
    return [
        Case("a movement inside the groups changes nothing", (inside, _shifted(inside, 0, 1), (2, 2)), showable=True),
        Case("a movement of one pixel, 2 x 2", (face, _shifted(face, 0, 1), (2, 2)), weight=2),
        Case(
            "a movement of one pixel, 3 x 3: what fills no group is not seen",
            (face, _shifted(face, 1, 0), (3, 3)),
            showable=True,
        ),
        Case("groups of 1 x 1: the picture itself", (face, _shifted(face, 1, 1), (1, 1))),
        Case("groups of 1 row and 4 columns", (shades, _shifted(shades, 0, 1), (1, 4))),
        Case("groups of 3 rows and 1 column", (shades, _shifted(shades, 0, 1), (3, 1)), showable=True),
        Case("only the largest number of a group counts", (left, right, 2), weight=2),
        Case("the edge that fills no group is not seen", (overhang, other_edge, (2, 2))),
        Case("the same numbers in other places are changes", (lined, swapped, (2, 2))),
        Case("negative numbers count like all others", (-np.abs(lined), -np.abs(lined) - 1, 2)),
        Case("fractions are compared as they are", (grey, other_grey, 2)),
        Case("both pictures stay as they were", (lined, swapped, 2), keeps_inputs=True),
        Case("random pictures", (*rng.integers(-2, 3, (2, 7, 8)), (rows, columns)), weight=2),
    ]
