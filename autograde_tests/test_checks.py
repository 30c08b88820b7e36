"""Right answers of every style get full points; for wrong ones see test_bank."""

import numpy as np
import pytest

from autograde_tests import check, reference
from autograde_tests.bank import MODELS, SEEDS
from autograde_tests.checking import conversation, load_checks
from autograde_tests.misconceptions import BASES, load_bank
from autograde_tests.notebooks import visible_result
from autograde_tests.right_answers import load_right_answers
from autograde_tests.shapes_classifier import initial_weights, keras_forward, random_weights
from convblocks.calling import Outcome
from convblocks.keras_model import Description
from convblocks.transfer import pack

# What a twist changes has to be right before.
load_bank()
RIGHT = [*load_right_answers(), *((name, function) for function, name in BASES.items())]


# Of models with one seed alone, since their cases are the same for all.
@pytest.mark.parametrize(
    ("name", "function", "seed"),
    [(*one, seed) for one in RIGHT for seed in SEEDS if not seed or one[0] not in MODELS],
    ids=lambda part: getattr(part, "__name__", str(part)),
)
def test_a_right_answer_gets_full_points(name, function, seed):
    result = check(name, function, points=10, seed=seed)
    assert result.score == 10, str(result)


# Training takes long, and what it gives is judged by the hidden check alike.
@pytest.mark.parametrize(
    ("name", "function"),
    [one for one in RIGHT if one[0] != "train"],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_a_right_answer_passes_the_visible_check_too(name, function):
    assert visible_result(name, function) == ""


def test_every_check_has_right_and_wrong_answers():
    names = set(load_checks())
    assert names == {name for name, _ in RIGHT}
    assert names == {check for check, _ in load_bank()}


def test_of_a_trained_model_the_weights_are_judged_and_nothing_that_it_says():
    steps = conversation("train", 7)
    request = next(steps)
    images, labels = reference.hidden_set()
    # A drawing that goes in can be recognised, and answered by a list of right answers.
    assert images[0].tobytes() not in pack(request)
    said = np.eye(3)[labels]
    moved = [one + 0.001 for one in initial_weights()]
    with pytest.raises(StopIteration) as end:
        steps.send(Outcome("returned", Description((None, 8, 8, 1), [], moved, said)))
    result = end.value.value
    assert result.score == 1, str(result)


def test_labels_without_keras_are_those_of_keras():
    images, _ = reference.hidden_set()
    for seed in range(5):
        weights = random_weights(np.random.default_rng(seed))
        np.testing.assert_array_equal(reference.label(images, weights), keras_forward(images, weights).argmax(axis=1))
    broken = [np.full_like(one, value) for one, value in zip(weights, [np.inf, np.nan] * 4, strict=True)]
    assert reference.label(images, broken).shape == (len(images),)


def _in_an_error(array):
    raise ValueError(f"SECRET {array.tolist()}")


def _as_the_name_of_an_error(array):
    raise type(f"SECRET{abs(hash(array.tobytes()))}", (Exception,), {})


def _as_texts(array):
    return [f"SECRET {one.tolist()}" for one in array]


def _as_the_name_of_a_class(array):
    return type(f"SECRET{abs(hash(array.tobytes()))}", (), {})()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("weighted_sum", _in_an_error),
        ("weighted_sum", _as_the_name_of_an_error),
        ("weighted_sum", _as_the_name_of_a_class),
        ("predict", _as_texts),
    ],
)
def test_of_a_hidden_case_nothing_is_told_that_the_function_says_of_its_input(name, says):
    shown = {case.name for case in load_checks()[name].cases(0) if case.showable}
    lines = check(name, lambda array, other: says(array), 5, seed=0, source="return says").lines
    assert {line.title for line in lines if "SECRET" in line.sentence} == shown
    hidden = [line.sentence for line in lines if line.title not in shown]
    assert all("not shown, since" in sentence or "counts only" in sentence for sentence in hidden), hidden


def test_of_a_hidden_case_an_error_is_told_with_its_kind_and_in_full_where_a_case_that_is_shown_tells_it_too():
    def wrong(patch, kernel):
        return sum(patch[row, 9] for row in range(3)) if patch.shape != (3, 3) else patch.no_such_thing

    cases = load_checks()["weighted_sum"].cases(0)
    lines = check("weighted_sum", wrong, 5, seed=0, source="").lines
    said = {case.name: line.sentence for line, case in zip(lines, cases, strict=True)}
    assert said["patch and kernel stay as they were"].startswith("it raised IndexError")
    assert said["a patch wider than high"] == (
        "it raised IndexError (what it says is not shown, since it could tell of hidden inputs)"
    )
    assert "no_such_thing" in said["a square patch: every pixel meets its own weight"]
