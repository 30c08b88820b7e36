"""Predict first: a small question before a picture is seen. Answered in its cell, told at once, and never graded."""

import os
from dataclasses import dataclass
from html import escape

import numpy as np


@dataclass(frozen=True)
class Question:
    """answer: a number, or a tuple of numbers such as a shape. because: the reason, in whole sentences."""

    answer: float | tuple
    because: str


QUESTIONS = {
    # 1-padding
    "places of a window of 3 in 6 pixels": Question(
        4, "It can start at pixel 0, 1, 2 or 3; started at pixel 4, its last cell would hang over the edge."
    ),
    "places of the same window with strides of 2": Question(
        2,
        "It starts at pixel 0 and at pixel 2; a third place would hang over the edge, so the last pixel is never seen.",
    ),
    "shape that comes out of 28 × 28 × 1": Question(
        (24, 24, 32), "28 − 5 + 1 = 24 places along each axis, and one picture for each of the 32 filters."
    ),
    "zeros before and after 7 pixels, kernel 3, strides 2": Question(
        (1, 1), "4 windows reach over (4 − 1) · 2 + 3 = 9 pixels: 2 are missing, one on each side."
    ),
    # 2-conv-forward
    "number that comes out of the patch": Question(11, "3 · 1 + 1 · (−2) + 0 · 4 + 2 · 5 = 11."),
    "softmax of (1000, 1000)": Question(
        (0.5, 0.5), "Only the differences count, so it is the same as for (0, 0): two equal shares."
    ),
    "weights of one 2 × 2 filter on 3 channels": Question(
        12, "2 · 2 weights for each of the 3 channels; what they give is added up to one picture."
    ),
    "output shape of the two pictures": Question(
        (2, 2, 3, 3),
        "2 pictures; (5 − 2) // 3 + 1 = 2 rows; (7 − 3) // 2 + 1 = 3 columns; a channel for each of the 3 filters.",
    ),
    # 3-weight-counting
    "lines of the dense layer": Question(36, "9 lines arrive at each of the 4 outputs."),
    "different weights of the convolution": Question(
        4, "There are 16 lines, but at every output arrive the same four: one k0, one k1, one k2 and one k3."
    ),
    "weights of this Conv2D": Question(
        832, "5 · 5 · 1 · 32 = 800 in the kernels and 32 biases, however large the picture is."
    ),
    "numbers that go into the first Dense layer": Question(
        12, "Each pooling halves rows and columns: of 8 × 8 are left 2 × 2, with 3 channels."
    ),
    # 4-max-pool
    "the four numbers that are left": Question(
        (7, -2, 5, 8), "The largest of each group; in the upper right corner all are negative, and −2 is the largest."
    ),
    "shape that comes out of 2 × 4 with 2 channels": Question(
        (1, 2, 2), "Rows and columns are halved; every channel is pooled for itself, so there are still two."
    ),
    "weights of a max pooling layer": Question(0, "“Take the largest” has no number in it that training could set."),
    # 5-flatten
    "place of row 0, column 2, channel 0": Question(
        4, "Two pixels of two channels come before it, so 4 numbers: places 0 to 3."
    ),
    "units 1 and 2": Question((16, 37), "1 · 0 + 2 · (−2) + 20 = 16, and 1 · (−1) + 2 · 4 + 30 = 37."),
    # 6-shapes-classifier
    "weights of the whole network": Question(178, "20 + 27 + 104 + 27; pooling and flattening have none."),
    "shape of images": Question((480, 8, 8, 1), "The batch, rows, columns, and one channel for grey."),
    "shape of the second convolution's kernel": Question(
        (2, 2, 2, 3), "2 rows, 2 columns, 2 channels that come in from the first convolution, 3 filters."
    ),
}
"""What the lessons ask, by the words in the cell that is to be filled in."""


def guess(question: str, *yours) -> None:
    """Show whether a prediction is right, and why. It is worth no points; while nbgrader autogrades nothing happens.

    question: one of QUESTIONS. yours: a number, or several such as a shape, with or without brackets around them; the
    three dots mean "not yet".
    Raises ValueError for another question.
    """
    if question not in QUESTIONS:
        raise ValueError(f"no lesson asks for {question!r}: leave the words as they were, and change what follows them")
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        return
    answer, because = QUESTIONS[question].answer, QUESTIONS[question].because
    # Brackets are easily forgotten, and no question asks for one number in them.
    yours = yours[0] if len(yours) == 1 else yours or ...
    if yours is ...:
        _show(
            "?", f"Write {_form(answer)} in place of the three dots and run the cell again. It is a guess: no points."
        )
    elif not _is_like(yours, answer):
        none = " For none, write 0." if yours is None else ""
        _show("?", f"Here {_form(answer)} {'are' if isinstance(answer, tuple) else 'is'} asked for.{none}")
    elif np.allclose(np.asarray(yours, dtype=float), answer, atol=0.005):
        _show("✓", f"Yes, {_said(answer)}. {because}", "#e3f1fb")
    else:
        _show("✗", f"You predicted {_said(yours)}, and it is {_said(answer)}. {because}", "#fdeade")


def _form(answer) -> str:
    """What has the form of an answer, without telling it."""
    if not isinstance(answer, tuple):
        return "a number, such as 7,"
    return f"{len(answer)} numbers in brackets, such as ({', '.join(map(str, range(5, 5 + len(answer))))}),"


def _is_like(yours, answer) -> bool:
    """Whether it has as many numbers as the answer."""
    try:
        # None would be read as not a number.
        return np.asarray(yours).dtype.kind in "biuf" and np.shape(yours) == np.shape(answer)
    except (TypeError, ValueError):
        return False


def _said(value) -> str:
    return f"({', '.join(map(_said, value))})" if np.ndim(value) else f"{value:g}".replace("-", "−")


def _show(sign: str, words: str, colour: str = "#fdfdfb") -> None:
    from IPython.display import display

    look = f"background:{colour};color:#111;border-left:4px solid #444;padding:4px 10px;margin:0"
    display({"text/html": f'<p style="{look}">{sign} {escape(words)}</p>', "text/plain": f"{sign} {words}"}, raw=True)
