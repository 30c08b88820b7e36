"""What is written out beside a wrong answer is what Keras computes, and shows no more of the hidden cases than it may."""

import inspect
import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from autograde_tests import check
from autograde_tests.bank import SEEDS
from autograde_tests.cases import Case
from autograde_tests.checking import load_checks
from autograde_tests.explaining import EXPLAINERS, explain
from autograde_tests.oracle import expected

CHECKS = load_checks()


def showable(name, seed=0) -> list:
    """The cases of a check that may be shown, with Keras' answers."""
    pairs = zip(CHECKS[name].cases(seed), expected(CHECKS[name], seed), strict=True)
    return [(case, answer) for case, answer in pairs if case.showable]


def python(text: str) -> str:
    """A step's arithmetic as Python writes it."""
    return text.replace("·", "*").replace("−", "-").replace("^", "**")


def last_number(step: str) -> float:
    return float(python(re.findall(r"−?\d[\d.]*(?:e[−+]?\d+)?", step)[-1]))


def prove(steps, **names) -> None:
    """Work out what is written to the left of every "=", and compare."""
    for step in steps:
        left, equals, right = step.rpartition(" = ")
        if equals:
            worked_out = eval(python(left.rpartition(": ")[2]), {"e": math.e, "ceil": math.ceil, **names})
            assert worked_out == pytest.approx(float(python(right)), rel=1e-4, abs=1e-5), step


@pytest.mark.parametrize("name", EXPLAINERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_written_arithmetic_comes_to_what_keras_computes(name, seed):
    for case, answer in showable(name, seed):
        names = inspect.signature(EXPLAINERS[name]).bind_partial(*case.args, **case.kwargs).arguments
        if isinstance(answer, np.ndarray):
            for place in np.ndindex(answer.shape):
                wrong = answer.astype(float)
                wrong[place] += 1
                steps = explain(name, case, wrong, answer).steps
                prove(steps, **names)
                assert last_number(steps[-1]) == pytest.approx(float(answer[place]), rel=1e-4, abs=1e-5)
            continue
        for wrong in wrong_answers(answer):
            steps = explain(name, case, wrong, answer).steps
            prove(steps, **names)
            if name in ("padding_amounts", "unflat_index"):
                assert [last_number(step) for step in steps if step.startswith(PARTS)] == list(answer)
            elif name == "summarize":
                (layer,) = [at for at, (mine, right) in enumerate(zip(wrong, answer, strict=True)) if mine != right]
                shape, weights = answer[layer]
                assert [last_number(step) for step in steps[1:]] == [*shape, weights]
            elif name == "predict":
                assert steps[-1].endswith(answer[0])
            else:
                assert last_number(steps[-1]) == pytest.approx(answer, rel=1e-4, abs=1e-5)


PARTS = ("before", "after", "a row holds", "column", "channel")


def wrong_answers(answer):
    """Answers that are wrong in one thing, each thing once."""
    if isinstance(answer, (int, float)):
        return [answer + 1]
    if isinstance(answer[0], str):
        return [["circle" if answer[0] == "triangle" else "triangle", *answer[1:]]]
    if isinstance(answer, tuple):
        return [(answer[0] + 1, *answer[1:])]
    return [
        [(shape, weights + (at == layer)) for at, (shape, weights) in enumerate(answer)] for layer in range(len(answer))
    ]


@pytest.mark.parametrize("name", EXPLAINERS)
def test_a_wrong_shape_is_explained_by_the_sizes(name):
    for case, answer in showable(name):
        if isinstance(answer, np.ndarray):
            found = explain(name, case, np.zeros((*answer.shape[:-1], answer.shape[-1] + 1)), answer)
            assert found.steps
            prove(found.steps)


@pytest.mark.parametrize("name", EXPLAINERS)
def test_a_picture_fits_on_a_phone_and_says_in_words_what_it_shows(name):
    for case, answer in showable(name):
        wrong = answer + 1 if isinstance(answer, np.ndarray) else wrong_answers(answer)[0]
        figure = explain(name, case, wrong, answer).figure
        if figure is not None:
            assert float(ElementTree.fromstring(figure.svg).get("width")) <= 480
            assert len(figure.alt) > 50


def test_what_is_explained_is_a_function_of_the_course_and_has_cases_to_show():
    assert set(EXPLAINERS) <= set(CHECKS)
    assert all(showable(name) for name in EXPLAINERS)


@pytest.mark.parametrize("one", CHECKS.values(), ids=lambda one: one.name)
def test_shown_cases_give_no_answer_table_away(one):
    cases = one.cases(0)
    shown = [case for case in cases if case.showable]
    assert sum(case.weight for case in shown) <= sum(case.weight for case in cases) / 2
    assert not any(case.name.startswith("random") or case.keeps_inputs for case in shown)


@pytest.mark.parametrize("name", EXPLAINERS)
def test_no_answer_stops_the_explaining(name):
    for case, answer in showable(name):
        for odd in (None, "text", [], {}, [[1], [2, 3]], np.array("text"), np.zeros((0, 3)), np.nan, True):
            explain(name, case, odd, answer)
        if isinstance(answer, np.ndarray):
            explain(name, case, answer * np.nan, answer)


def test_a_case_that_may_not_be_shown_is_not():
    case = Case("hidden", (np.ones((2, 2)), np.ones((2, 2))))
    assert explain("weighted_sum", case, 3.0, 4.0) is None


def test_one_wrong_case_of_a_check_is_explained():
    result = check("weighted_sum", lambda patch, kernel: 0.0, 3)
    explained = [line for line in result.lines if line.steps]
    assert len(explained) == 1
    assert explained[0].figure and "=" in explained[0].steps[-1]
    assert not any(line.steps for line in check("weighted_sum", lambda patch, kernel: (patch * kernel).sum(), 3).lines)


def test_a_picture_of_a_part_says_so():
    image, kernel = np.arange(80.0).reshape(1, 8, 10, 1), np.ones((3, 3, 1, 1))
    case = Case("a large picture", (image, kernel), showable=True)
    right = np.lib.stride_tricks.sliding_window_view(image[0, :, :, 0], (3, 3)).sum(axis=(2, 3))[None, :, :, None]
    wrong = right + (right == right[0, 4, 4, 0])
    alt = explain("conv2d", case, wrong, right).figure.alt
    assert "part of image" in alt and "part of yours" in alt and "part of Keras" in alt and "part of kernel" not in alt


def test_numbers_that_differ_look_different():
    right = np.array([[0.3322346, 0.0032, 0.6645654]])
    case = Case("softmax", (np.log(right), "softmax"), showable=True)
    alt = explain("activate", case, right + np.array([0.0007, 0, -0.0007]), right).figure.alt
    assert "0.333, 0.003, 0.664" in alt and "0.332, 0.003, 0.665" in alt
    assert "0.2, 0.41" in explain("activate", case, np.array([[0.2, 0.41, 0.39]]), right).figure.alt
