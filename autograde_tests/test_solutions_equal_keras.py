"""The solutions equal Keras far beyond the cases: shapes, strides, paddings, pool sizes and dtypes drawn by Hypothesis.

Derandomized, so that a failure is the same everywhere; what is drawn changes with this file alone.
"""

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograde_tests.checking import load_checks
from autograde_tests.notebooks import lesson
from autograde_tests.oracle import ROOT
from autograde_tests.shapes_classifier import SHAPES
from autograde_tests.weight_counting import conv, dense, flatten, pooling
from convblocks.compare import compare
from convblocks.shapes import dataset

IMAGES = ("float64", "float32", "float16", "int64", "int8", "uint8")
WEIGHTS = ("float64", "float32", "int64")

paddings = st.sampled_from(["valid", "same"])
steps = st.integers(1, 5)
steps_of_both = steps | st.tuples(steps, steps)
activations = st.sampled_from([None, "linear", "relu", "sigmoid", "softmax"])


@st.composite
def arrays(draw, shape, dtypes=WEIGHTS):
    """Quarters, or whole numbers where the dtype has no others; sometimes turned in memory."""
    rng, dtype = np.random.default_rng(draw(st.integers(0, 2**32))), np.dtype(draw(st.sampled_from(dtypes)))
    array = rng.integers(-20 if dtype.kind in "fi" else 0, 21, shape)
    array = (array / 4 if dtype.kind == "f" else array).astype(dtype)
    return np.asfortranarray(array) if draw(st.booleans()) else array


def a_window(draw, size, padding):
    """A window along one axis, inside it unless it is padded."""
    return draw(st.integers(1, size if padding == "valid" else size + 3))


def batch_shape(draw):
    return tuple(draw(st.integers(1, highest)) for highest in (3, 11, 11, 4))


@st.composite
def output_size(draw):
    size, padding = draw(st.integers(1, 60)), draw(paddings)
    return size, a_window(draw, size, padding), draw(steps), padding


@st.composite
def pad2d(draw):
    windows = st.integers(1, 5)
    return draw(arrays(batch_shape(draw), IMAGES)), draw(windows | st.tuples(windows, windows)), draw(steps_of_both)


@st.composite
def weighted_sum(draw):
    shape = draw(st.lists(st.integers(1, 6), min_size=2, max_size=3))
    return draw(arrays(shape, IMAGES)), draw(arrays(shape))


@st.composite
def correlate2d(draw):
    rows, columns = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    kernel = a_window(draw, rows, "valid"), a_window(draw, columns, "valid")
    return draw(arrays((rows, columns), IMAGES)), draw(arrays(kernel))


@st.composite
def activate(draw):
    shape = draw(st.lists(st.integers(1, 6), min_size=2, max_size=4))
    return draw(arrays(shape, IMAGES)), draw(activations)


@st.composite
def conv2d(draw):
    shape, filters, padding = batch_shape(draw), draw(st.integers(1, 5)), draw(paddings)
    kernel = (*(min(a_window(draw, size, padding), 6) for size in shape[1:3]), shape[3], filters)
    bias = draw(st.none() | arrays((filters,)))
    return draw(arrays(shape, IMAGES)), draw(arrays(kernel)), bias, draw(steps_of_both), padding, draw(activations)


@st.composite
def max_pool2d(draw):
    shape, padding = batch_shape(draw), draw(paddings)
    pool_size = tuple(a_window(draw, size, padding) for size in shape[1:3])
    return draw(arrays(shape, IMAGES)), pool_size, draw(st.none() | steps_of_both), padding


@st.composite
def unchanged_fraction(draw):
    shape = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    # Few different numbers, so that some stay.
    image, moved = (draw(arrays(shape, IMAGES)) // 10 for _ in range(2))
    return image, moved, tuple(a_window(draw, size, "valid") for size in shape)


@st.composite
def images(draw):
    return (draw(arrays(batch_shape(draw), IMAGES)),)


@st.composite
def place(draw):
    shape = tuple(draw(st.integers(1, 9)) for _ in range(3))
    return *(draw(st.integers(0, size - 1)) for size in shape), shape


@st.composite
def index(draw):
    shape = tuple(draw(st.integers(1, 4)) for _ in range(3))
    return draw(st.integers(0, int(np.prod(shape)) - 1)), shape


@st.composite
def dense_layer(draw):
    inputs, units = draw(st.integers(1, 20)), draw(st.integers(1, 9))
    x, bias = draw(arrays((draw(st.integers(1, 4)), inputs), IMAGES)), draw(st.none() | arrays((units,)))
    return x, draw(arrays((inputs, units))), bias, draw(activations)


@st.composite
def network(draw):
    """Convolutions and poolings whose windows fit, then perhaps dense layers."""
    shape = tuple(draw(st.integers(1, highest)) for highest in (24, 24, 4))
    places, layers = lesson("output_size").names["output_size"], []
    rows, columns, _ = shape
    for _ in range(draw(st.integers(1, 4))):
        padding, strides = draw(paddings), draw(st.tuples(steps, steps))
        window = a_window(draw, rows, padding), a_window(draw, columns, padding)
        told = {"strides": strides, "padding": padding}
        if draw(st.booleans()):
            layers.append(conv(draw(st.integers(1, 5)), window, use_bias=draw(st.booleans()), **told))
        else:
            layers.append(pooling(pool_size=window, **told))
        rows, columns = (places(*one, padding) for one in zip((rows, columns), window, strides, strict=True))
    if draw(st.booleans()):
        layers += [flatten(), dense(draw(st.integers(1, 9)), use_bias=draw(st.booleans())), dense(3)]
    return shape, layers


@st.composite
def drawings_and_weights(draw):
    images = dataset(draw(st.integers(1, 4)), draw(st.integers(0, 2**32)))[0]
    rng, reach = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.sampled_from([0.1, 0.5, 1]))
    return images, [rng.normal(size=shape) * reach for shape in SHAPES]


CALLS = {
    "output_size": output_size(),
    "padding_amounts": st.tuples(st.integers(1, 20), st.integers(1, 6), steps),
    "pad2d": pad2d(),
    "weighted_sum": weighted_sum(),
    "correlate2d": correlate2d(),
    "activate": activate(),
    "conv2d": conv2d(),
    "dense_params": st.tuples(st.integers(1, 2000), st.integers(1, 2000), st.booleans()),
    "conv2d_params": st.tuples(steps_of_both, st.integers(1, 70), st.integers(1, 70), st.booleans()),
    "summarize": network(),
    "max_pool2d": max_pool2d(),
    "unchanged_fraction": unchanged_fraction(),
    "flatten": images(),
    "flat_index": place(),
    "unflat_index": index(),
    "dense": dense_layer(),
    "forward": drawings_and_weights(),
    "predict": drawings_and_weights(),
}

SLOW = ("padding_amounts", "pad2d", "summarize", "unflat_index", "forward", "predict")
"""Whose oracle asks Keras many times, or for a whole model."""


WITH_ORACLE = [name for name, check in load_checks().items() if check.oracle]


def random_cases(name):
    """For a function that nothing is drawn for above: what its check asks a class, with any seed."""
    seeds = st.tuples(st.integers(0, 2**32), st.integers(0))
    cases = seeds.map(lambda pair: (every := load_checks()[name].cases(pair[0]))[pair[1] % len(every)])
    return cases.map(lambda case: inspect.signature(load_checks()[name].oracle).bind(*case.args, **case.kwargs).args)


def test_keras_answers_the_same_whatever_its_settings_in_the_home_folder_say(tmp_path):
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first", "floatx": "float64", "epsilon": 0.1}')
    says = "from autograde_tests.oracle import keras; print(*(getattr(keras().config, one)() for one in "
    says += "('image_data_format', 'floatx', 'epsilon')))"
    environment = os.environ | {"KERAS_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", says], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "channels_last float32 1e-07\n", done.stderr


def test_what_is_drawn_for_has_an_oracle():
    assert set(CALLS) <= set(WITH_ORACLE)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@pytest.mark.parametrize("name", WITH_ORACLE)
def test_the_solution_equals_keras(name):
    solution, oracle = lesson(name).names[name], load_checks()[name].oracle

    @settings(derandomize=True, deadline=None, database=None, max_examples=15 if name in SLOW else 60)
    @given(CALLS[name] if name in CALLS else random_cases(name))
    def equals(call):
        assert compare(solution(*call), oracle(*call)).sentence == ""

    equals()
