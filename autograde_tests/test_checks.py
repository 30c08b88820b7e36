"""Right answers of every style get full points; for wrong ones see test_bank."""

import numpy as np
import pytest

from autograde_tests import check, reference
from autograde_tests.checking import conversation, load_checks
from autograde_tests.misconceptions import load_bank
from autograde_tests.notebooks import visible_result
from autograde_tests.right_answers import load_right_answers
from autograde_tests.shapes_classifier import initial_weights, keras_forward, random_weights
from convblocks.calling import Outcome
from convblocks.keras_model import Description
from convblocks.transfer import pack


@pytest.mark.parametrize(("name", "function"), load_right_answers(), ids=lambda part: getattr(part, "__name__", part))
@pytest.mark.parametrize("seed", [0, 7])
def test_a_right_answer_gets_full_points(name, function, seed):
    result = check(name, function, points=10, seed=seed)
    assert result.score == 10, str(result)


# Training takes long, and what it gives is judged by the hidden check alike.
@pytest.mark.parametrize(
    ("name", "function"),
    [one for one in load_right_answers() if one[0] != "train"],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_a_right_answer_passes_the_visible_check_too(name, function):
    assert visible_result(name, function) == ""


def test_every_check_has_right_and_wrong_answers():
    names = set(load_checks())
    assert names == {name for name, _ in load_right_answers()}
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
