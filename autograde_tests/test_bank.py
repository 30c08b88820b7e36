"""Every misconception loses points, is seen in the lesson and is named; nothing else is ever named."""

import collections
import json

import nbformat
import numpy as np
import pytest

from autograde_tests import check, checking, misconceptions
from autograde_tests.bank import MODELS, SEEDS, diagnoses
from autograde_tests.checking import load_checks
from autograde_tests.notebooks import lesson, source_notebooks, visible_result
from autograde_tests.right_answers import load_right_answers
from autograde_tests.wrong_answers import WRONG_ANSWERS
from convblocks.calling import call

BANK = misconceptions.load_bank().values()


def _names(causes):
    """Each explanation as a set of names, so that the order of two says nothing."""
    return [{one.name for one in cause} for cause in causes]


def _label(one):
    return f"{one.check}-{one.name}"


# Of models with one seed alone, since their cases are the same for all.
@pytest.mark.parametrize(
    ("one", "seed"),
    [(one, seed) for one in BANK for seed in SEEDS if not seed or one.check not in MODELS],
    ids=lambda part: str(part) if isinstance(part, int) else _label(part),
)
def test_a_misconception_loses_points_and_is_named(one, seed):
    result = check(one.check, one.function, points=10, seed=seed)
    assert result.score < 10
    assert _names(result.causes) == ([] if one.untellable else [{one.name}])


@pytest.mark.parametrize("one", BANK, ids=_label)
def test_a_misconception_is_seen_in_the_lesson(one):
    assert bool(visible_result(one.check, one.function)) != bool(one.unseen)


def test_the_bank_says_everything_and_sends_the_student_to_a_heading_of_the_lesson():
    names = collections.Counter((one.check, one.name) for one in misconceptions.BANK)
    assert set(names.values()) == {1}
    headings = {}
    for path in source_notebooks():
        cells = nbformat.read(path, as_version=4).cells
        lines = [line for cell in cells if cell.cell_type == "markdown" for line in cell.source.split("\n")]
        here = {line.lstrip("#").strip() for line in lines if line.startswith("#")}
        headings |= {cell.id.removeprefix("check_"): here for cell in cells if cell.id.startswith("check_")}
    for one in BANK:
        assert one.look in headings[one.check], (one.check, one.name, one.look)
        assert one.wrong and not one.wrong.endswith(".") and one.shows.endswith(".")


def test_an_entry_fails_by_its_misconception_and_not_by_a_slip_of_ours():
    slips = ("AttributeError", "KeyError", "NameError", "TypeError", "UnboundLocalError")
    failing = set()
    for name, known in load_checks().items():
        cases = [] if name == "train" else known.cases(0)
        for one in (one for one in BANK if one.check == name):
            said = [call(one.function, *case.args, **case.kwargs).sentence for case in cases]
            failing |= {one.name} if any(slip in sentence for slip in slips for sentence in said) else set()
    # Those whose mistake is not to expect None, or one int for a pair.
    assert failing == {
        *("pad_pairs_alone", "conv_needs_bias", "conv_int_strides", "conv_pairs_alone", "summary_none_unexpected"),
        *("summary_pairs_alone", "pool_pairs_alone", "pool_int_strides", "fraction_pairs_alone", "dense_needs_bias"),
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_two_mistakes_at_once_are_named_and_told_apart_from_one(seed):
    flipped, no_bias = (misconceptions.load_bank()["conv2d", name] for name in ("conv_flipped", "conv_no_bias"))
    both = misconceptions.twisted(flipped.change, no_bias.function)
    result = check("conv2d", both, points=10, seed=seed)
    assert _names(result.causes) == [{"conv_flipped", "conv_no_bias"}]
    data = result._repr_mimebundle_()
    ((one, other),) = data["application/vnd.convblocks.result+json"]["causes"]
    json.dumps([one, other])
    for text in (str(result), data["text/html"]):
        assert "Two mistakes at once" in text
        for said in (flipped, no_bias):
            assert said.wrong[1:] in text and "Look again at “The bias”" in text
            # Which is written for the mistake alone.
            assert said.shows not in text


@pytest.mark.parametrize(
    ("name", "function"),
    [right for right in load_right_answers() if right[0] not in MODELS],
    ids=lambda part: getattr(part, "__name__", part),
)
def test_a_right_answer_does_not_even_read_the_bank(name, function, monkeypatch):
    monkeypatch.setattr(checking, "diagnose", None)
    assert check(name, function, points=10, seed=0).causes == []


def test_wrong_answers_from_elsewhere_are_named_rightly_or_not_at_all():
    found = diagnoses(SEEDS[1])
    assert found["named falsely"] == 0
    assert found["missed"] <= 1
    assert found["named rightly"] > len(WRONG_ANSWERS) / 2


def _random(answer, rng):
    """Something of the same form with other numbers."""
    if isinstance(answer, np.ndarray):
        return rng.normal(size=answer.shape) * 10
    if isinstance(answer, (list, tuple)):
        return type(answer)(_random(one, rng) for one in answer)
    if isinstance(answer, str):
        return str(rng.choice(["triangle", "square", "circle"]))
    return type(answer)(rng.integers(0, 50))


@pytest.mark.parametrize("name", sorted(set(load_checks()) - {*MODELS}))
def test_random_and_damaged_functions_are_not_named(name):
    right, rng = lesson(name).names[name], np.random.default_rng(0)

    def noise(*args, **kwargs):
        return _random(right(*args, **kwargs), rng)

    def noise_at_times(*args, **kwargs):
        answer = right(*args, **kwargs)
        return _random(answer, rng) if rng.random() < 0.3 else answer

    def fails_at_times(*args, **kwargs):
        return right(*args, **kwargs) / (rng.random() > 0.3)

    def fails_always(*args, **kwargs):
        raise ValueError("no")

    for function in (
        noise,
        noise_at_times,
        noise_at_times,
        fails_at_times,
        fails_always,
        str,
        lambda *args, **kwargs: 0,
    ):
        assert _names(check(name, function, points=10, seed=0).causes) == []


def test_right_numbers_of_the_wrong_type_are_not_named():
    sizes = lesson("output_size").names["output_size"]
    result = check("output_size", lambda *args: float(sizes(*args)), points=10, seed=0)
    assert result.score < 10
    assert result.causes == []
