"""Hidden checks of 1-padding: what "same" and "valid" do to sizes, and the zeros that "same" puts around an image."""

import numpy as np

from autograde_tests.cases import Case, graded, signed
from autograde_tests.oracle import keras, layer
from convblocks.arithmetic import pair


def keras_output_size(size, kernel_size, strides=1, padding="valid") -> int:
    """The size along one axis that Conv2D computes for its output."""
    conv = keras().layers.Conv2D(1, (kernel_size, 1), strides=strides, padding=padding)
    return int(conv.compute_output_shape((1, size, size, 1))[1])


@graded(oracle=keras_output_size)
def output_size_cases(rng):
    cases = [
        Case('"valid" shrinks by the kernel\'s size less one', (11, 4), showable=True),
        Case("a kernel as large as the image leaves one pixel", (6, 6)),
        Case('"valid" with strides drops what does not fill a window', (11, 4, 3), weight=2, showable=True),
        Case('"same" keeps the size at strides 1', (9, 4, 1, "same"), showable=True),
        Case('"same" with strides 2 on an odd size rounds up', (9, 3, 2, "same"), weight=2),
        Case('"same" with strides 3 does not look at the kernel', (10, 2, 3, "same"), showable=True),
    ]
    for number in range(4):
        size, kernel_size, strides = int(rng.integers(9, 40)), int(rng.integers(1, 8)), int(rng.integers(1, 5))
        if number == 3:
            # "same" where nothing is left to be rounded.
            strides = max(2, strides)
            size -= size % strides
        cases.append(Case(f"random sizes {number + 1}", (size, kernel_size, strides, ("valid", "same")[number % 2])))
    return cases


def keras_padding_amounts(size, kernel_size, strides=1) -> tuple[int, int]:
    """The fewest zeros before and after with which Conv2D "valid" computes what Conv2D "same" does, found by trying."""
    line = np.random.default_rng(0).normal(size=(1, size, 1, 1))
    kernel = np.random.default_rng(1).normal(size=(kernel_size, 1, 1, 1))
    same = layer(
        "Conv2D",
        1,
        (kernel_size, 1),
        strides=(strides, 1),
        padding="same",
        use_bias=False,
        inputs=line,
        weights=[kernel],
    )
    tries = [(before, total - before) for total in range(2 * kernel_size) for before in range(total + 1)]
    for before, after in tries:
        if size + before + after < kernel_size:
            continue
        padded = np.pad(line, ((0, 0), (before, after), (0, 0), (0, 0)))
        valid = layer(
            "Conv2D", 1, (kernel_size, 1), strides=(strides, 1), use_bias=False, inputs=padded, weights=[kernel]
        )
        if valid.shape == same.shape and np.allclose(valid, same, atol=1e-5):
            return before, after
    raise AssertionError(f"no padding makes valid equal same for {size}, {kernel_size}, {strides}")


@graded(oracle=keras_padding_amounts, builds_on=("output_size",))
def padding_amounts_cases(rng):
    cases = [
        Case("odd kernel: as many before as after", (7, 5), showable=True),
        Case("even kernel: the extra zero goes after", (8, 4), weight=2, showable=True),
        Case("kernel of one pixel needs no zeros", (6, 1)),
        Case("strides 2 on an even size need fewer zeros", (10, 3, 2), weight=2),
        Case("strides 2 on an odd size", (9, 3, 2), showable=True),
        Case("strides larger than the kernel need no zeros", (8, 2, 4), showable=True),
    ]
    for number in range(4):
        size, kernel_size, strides = int(rng.integers(8, 20)), int(rng.integers(2, 7)), int(rng.integers(1, 4))
        cases.append(Case(f"random sizes {number + 1}", (size, kernel_size, strides)))
    return cases


def keras_pad2d(images, kernel_size, strides=(1, 1), padding="same") -> np.ndarray:
    """ZeroPadding2D by the amounts with which Conv2D "valid" is Conv2D "same"."""
    if padding == "valid":
        return np.asarray(images, dtype=float)
    pairs = [
        keras_padding_amounts(images.shape[axis + 1], pair(kernel_size)[axis], pair(strides)[axis]) for axis in (0, 1)
    ]
    return layer("ZeroPadding2D", tuple(pairs), inputs=images)


@graded(oracle=keras_pad2d, builds_on=("output_size", "padding_amounts"))
def pad2d_cases(rng):
    batch = signed(rng, 2, 6, 9, 3)
    return [
        Case("one image, kernel 3 x 3: one zero on every side", (signed(rng, 1, 4, 3, 1), (3, 3)), showable=True),
        Case(
            "even kernel: the extra row and column go to the bottom and right",
            (signed(rng, 1, 3, 4, 1), (2, 2)),
            showable=True,
        ),
        # Fractions, which an array made for whole numbers would lose.
        Case("kernel 4 x 3 on 6 x 9: rows and columns are padded apart", (batch / 4, (4, 3)), weight=2),
        Case("strides 2 on 8 x 8: fewer zeros", (signed(rng, 1, 8, 8, 1), (3, 3), (2, 2)), weight=2),
        Case("strides differ along rows and columns", (signed(rng, 1, 6, 10, 2), (3, 4), (2, 3))),
        Case("kernel size and strides as one int", (signed(rng, 1, 6, 5, 1), 4, 2), showable=True),
        Case('"valid" adds nothing', (batch, (4, 3)), {"padding": "valid"}, showable=True),
        Case("the images given stay as they were", (signed(rng, 1, 5, 4, 1), (3, 3)), keeps_inputs=True),
        Case("random batch", (signed(rng, *map(int, rng.integers(2, 8, 4))), tuple(map(int, rng.integers(2, 5, 2))))),
        Case("a kernel of one column: nothing left and right", (signed(rng, 1, 4, 3, 1), (3, 1)), showable=True),
    ]
