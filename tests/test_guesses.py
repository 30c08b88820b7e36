"""Predictions: every question of a lesson has a right answer, is told at once, and costs nothing while grading."""

import re

import nbformat
import numpy as np
import pytest
from conftest import errors, html, run_cells

from autograde_tests.notebooks import source_notebooks
from autograde_tests.right_answers import load_right_answers
from convblocks.guesses import QUESTIONS

WINDOWS = np.lib.stride_tricks.sliding_window_view
KERNEL = np.array([[1, 0, -1], [3, -2, 4]])
NETWORK = [
    {"layer": "Conv2D", "filters": 2, "kernel_size": (3, 3), "padding": "same"},
    {"layer": "MaxPooling2D"},
    {"layer": "Conv2D", "filters": 3, "kernel_size": (2, 2), "padding": "same"},
    {"layer": "MaxPooling2D"},
    {"layer": "Flatten"},
    {"layer": "Dense", "units": 8},
    {"layer": "Dense", "units": 3},
]


def right(name: str):
    """A function of the course, as one of the bank's right answers."""
    return next(function for check, function in load_right_answers() if check == name)


def computed() -> dict:
    """The answers, worked out instead of written down."""
    layers = right("summarize")((8, 8, 1), NETWORK)
    return {
        "places of a window of 3 in 6 pixels": len(WINDOWS(np.arange(6), 3)),
        "places of the same window with strides of 2": len(WINDOWS(np.arange(6), 3)[::2]),
        "shape that comes out of 28 × 28 × 1": (*WINDOWS(np.zeros((28, 28)), (5, 5)).shape[:2], 32),
        "zeros before and after 7 pixels, kernel 3, strides 2": right("padding_amounts")(7, 3, 2),
        "number that comes out of the patch": np.sum(np.array([[3, 1], [0, 2]]) * [[1, -2], [4, 5]]),
        "softmax of (1000, 1000)": tuple(right("activate")(np.array([1000.0, 1000.0]), "softmax")),
        "weights of one 2 × 2 filter on 3 channels": np.ones((2, 2, 3, 1)).size,
        "output shape of the two pictures": np.shape(
            right("conv2d")(np.zeros((2, 5, 7, 2)), np.zeros((2, 3, 2, 3)), None, (3, 2))
        ),
        "lines of the dense layer": np.ones((9, 4)).size,
        "different weights of the convolution": np.ones((2, 2, 1, 1)).size,
        "weights of this Conv2D": right("conv2d_params")((5, 5), 1, 32),
        "numbers that go into the first Dense layer": layers[4][0][0],
        "the four numbers that are left": None,
        "shape that comes out of 2 × 4 with 2 channels": np.shape(right("max_pool2d")(np.zeros((1, 2, 4, 2)), (2, 2)))[
            1:
        ],
        "weights of a max pooling layer": layers[1][1],
        "place of row 0, column 2, channel 0": right("flat_index")(0, 2, 0, (2, 3, 2)),
        "units 1 and 2": tuple((np.array([1, 2]) @ KERNEL + [10, 20, 30])[1:]),
        "weights of the whole network": sum(count for _, count in layers),
        "shape of images": (480, *layers[0][0][:2], 1),
        "shape of the second convolution's kernel": (2, 2, layers[1][0][2], 3),
    }


def lesson(name: str) -> dict:
    """The cells of a lesson, by their ids."""
    (path,) = (path for path in source_notebooks() if path.stem == name)
    return {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}


def test_the_answers_are_right():
    values = computed()
    feature = {}
    exec(lesson("max_pool")["strongest-figure"].split("\n\n")[0], {"np": np}, feature)
    (picture,) = (value for value in feature.values() if getattr(value, "shape", None) == (4, 4))
    values["the four numbers that are left"] = tuple(np.ravel(right("max_pool2d")(picture[None, :, :, None], 2)))
    assert values.keys() == QUESTIONS.keys()
    for question, value in values.items():
        np.testing.assert_allclose(QUESTIONS[question].answer, value, err_msg=question)


def test_every_question_stands_in_one_lesson_and_is_not_answered_there():
    asked = [
        call
        for path in source_notebooks()
        for call in re.findall(r'guess\(\\"(.+?)\\", (.+?)\)', path.read_text("utf-8"))
    ]
    assert sorted(asked) == sorted((question, "...") for question in QUESTIONS)


@pytest.mark.parametrize(
    ("yours", "said"),
    [
        ("(24, 24, 32)", "✓ Yes, (24, 24, 32). 28 − 5 + 1"),
        ("[24, 24, 32]", "✓ Yes"),
        ("(28, 28, 32)", "✗ You predicted (28, 28, 32), and it is (24, 24, 32). 28 − 5"),
        ("...", "Write 3 numbers in brackets, such as (5, 6, 7), in place of the three dots"),
        ("24", "Here 3 numbers in brackets, such as (5, 6, 7), are asked for"),
        ("'<b>large</b>'", "Here 3 numbers"),
        ("24, 24, 32", "✓ Yes, (24, 24, 32)"),
        ("None", "are asked for. For none, write 0."),
    ],
)
def test_a_guess_is_told_with_its_reason(yours, said):
    cell = run_cells(f"from convblocks import guess\nguess('shape that comes out of 28 × 28 × 1', {yours})")[0]
    assert not errors(cell)
    assert said in html(cell) and "<b>large" not in html(cell)
    assert cell.outputs[0].data["text/plain"] in html(cell)


def test_while_autograding_a_guess_is_passed_over():
    source = "from convblocks import guess\nguess('weights of this Conv2D', 5)"
    assert run_cells(source, NBGRADER_EXECUTION="autograde")[0].outputs == []


def test_words_that_were_changed_are_said_to_be_so():
    (error,) = errors(run_cells("from convblocks import guess\nguess('weights of that', 5)")[0])
    assert "leave the words as they were" in error.evalue
