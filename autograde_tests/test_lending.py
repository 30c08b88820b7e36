"""One bug costs once: what builds on a wrong function is also tried with a right one in its place."""

import time

import numpy as np
import pytest

from autograde_tests import check
from autograde_tests.checking import load_checks
from autograde_tests.lending import Lender, right_function
from convblocks.transfer import pack, unpack

BUILT = [(one.name, other) for one in load_checks().values() for other in one.builds_on]


def student(name, **instead):
    """A student's right `name`, in a notebook where functions of other names are these instead."""
    function = right_function.__wrapped__(name)
    function.__globals__.update(instead)
    return function


def crashing(*given, **named):
    raise IndexError("too far")


@pytest.mark.parametrize(("name", "other"), BUILT)
def test_a_right_function_does_not_pay_for_an_earlier_one(name, other):
    result = check(name, student(name, **{other: crashing}), points=10)
    assert result.score == 10
    part = "assembly" if name == "forward" else name
    # The solution does without it, though others call it.
    unused = {("conv2d", "correlate2d"), ("max_pool2d", "pad2d")}
    begins = "" if (name, other) in unused else f"Your {part} is right; {other} has a bug."
    assert result.note.startswith(begins)
    assert bool(begins) == bool(result.note)


def test_both_rounds_are_told_and_the_notebook_is_as_it_was():
    def doubled(patch, kernel):
        return 2 * float(np.sum(np.asarray(patch) * np.asarray(kernel)))

    correlate2d = student("correlate2d", weighted_sum=doubled)
    result = check("correlate2d", correlate2d, points=8)
    assert result.score == 8
    assert "weighted_sum has a bug. With your own earlier functions 0 of" in result.note
    assert result.note in str(result)
    assert result.note in result._repr_mimebundle_()["text/html"]
    assert correlate2d.__globals__["weighted_sum"] is doubled


def test_what_is_not_written_yet_is_lent_and_what_builds_on_it_still_has_to_be_written():
    def untouched(*given, **named):
        raise NotImplementedError

    result = check("unchanged_fraction", student("unchanged_fraction", max_pool2d=untouched), points=4)
    assert result.score == 4
    assert result.note.startswith("Your unchanged_fraction is right; max_pool2d is not written yet.")
    assert check("unchanged_fraction", untouched, points=4).score == 0


NO_BIAS = """
def conv2d(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return right(images, kernel, None, strides, padding, activation)
"""


def test_a_bug_of_ones_own_still_costs_and_nothing_but_that():
    def without_bias(**instead):
        right = student("conv2d", **instead)
        right.__globals__["right"] = right
        exec(NO_BIAS, right.__globals__)
        return check("conv2d", right.__globals__["conv2d"], points=8)

    alone, with_another = without_bias(), without_bias(activate=crashing)
    assert 0 < alone.score < 8
    assert not alone.note
    assert with_another.score == alone.score
    assert with_another.note.startswith("activate has a bug, and conv2d itself is not right yet.")


NEEDS_BIAS = """
def conv2d(images, kernel, bias=None, strides=(1, 1), padding="valid", activation=None):
    return right(images, kernel, bias + 0, strides, padding, activation)
"""


def test_a_bug_in_the_first_case_does_not_hide_that_another_is_paid_for_already():
    def needs_bias(**instead):
        right = student("conv2d", **instead)
        right.__globals__["right"] = right
        exec(NEEDS_BIAS, right.__globals__)
        return check("conv2d", right.__globals__["conv2d"], points=8)

    alone, with_others = needs_bias(), needs_bias(activate=crashing, padding_amounts=crashing)
    assert 0 < alone.score < 8
    assert with_others.score == alone.score
    # Each was seen in other cases.
    assert with_others.note.startswith("padding_amounts and activate have bugs, and conv2d itself is not right yet.")
    assert [one.name for cause in with_others.causes for one in cause] == ["conv_needs_bias"]


def test_functions_that_are_missing_in_the_notebook_are_lent_too():
    forward = student("forward")
    for name in ("conv2d", "max_pool2d", "flatten", "dense"):
        del forward.__globals__[name]
    result = check("forward", forward, points=10)
    assert result.score == 10
    assert "conv2d, max_pool2d, flatten and dense are missing or have bugs" in result.note
    assert "conv2d" not in forward.__globals__


GUESS = """
def predict(images, weights):
    try:
        forward(images, weights)
    except IndexError:
        return ["triangle"] * len(images)
    return ["square"] * len(images)
"""


def test_a_whole_round_counts_and_not_the_better_of_each_case():
    namespace = student("predict", forward=crashing).__globals__
    exec(GUESS, namespace)
    once = [
        check("predict", lambda images, weights, word=word: [word] * len(images), points=3).score
        for word in ("triangle", "square")
    ]
    assert check("predict", namespace["predict"], points=3).score == max(once)


def test_what_strangers_ask_for_takes_little_and_stops_nothing():
    def ask(name, *args):
        question = pack({"name": name, "args": args, "kwargs": {}})
        return unpack(Lender.ask(question, names, time.monotonic() + 20))

    names = ["padding_amounts", "pad2d"]
    assert ask("padding_amounts", 5, 2)["value"] == (0, 1)
    assert ask("weighted_sum", np.ones((2, 2)), np.ones((2, 2)))["kind"] == "raised"
    assert ask("pad2d", np.ones((1, 2, 2, 1)), 2**40)["kind"] == "raised"
    assert ask("pad2d", np.ones((1, 2, 2, 1)), (30_000, 30_000))["kind"] == "raised"
    assert ask("padding_amounts", "x" * 1000, None)["kind"] == "raised"
    assert unpack(Lender.ask(b"nothing", names, time.monotonic() + 20))["kind"] == "raised"
    assert ask("padding_amounts", 5, 2)["value"] == (0, 1)
    with pytest.raises(TimeoutError):
        Lender.ask(pack({"name": "padding_amounts", "args": (5, 2), "kwargs": {}}), names, time.monotonic() - 1)
    assert ask("padding_amounts", 5, 2)["value"] == (0, 1)


def test_what_is_called_otherwise_than_the_courses_own_stays_the_students():
    """A pad2d that takes one more parameter, which max_pool2d uses; padding_amounts has a bug."""
    namespace = student("max_pool2d").__globals__
    exec(TAKES_A_VALUE, namespace)
    result = check("max_pool2d", namespace["max_pool2d"], points=8)
    assert result.score == 8
    assert result.note.startswith("Your max_pool2d is right; padding_amounts has a bug.")


TAKES_A_VALUE = """
def padding_amounts(size, kernel_size, strides=1):
    missing = max((output_size(size, kernel_size, strides, "same") - 1) * strides + kernel_size - size, 0)
    return missing - missing // 2, missing // 2


def pad2d(images, kernel_size, strides=(1, 1), padding="same", value=0):
    if padding == "valid":
        return images
    around = [padding_amounts(*one) for one in zip(images.shape[1:3], kernel_size, strides)]
    return np.pad(images, ((0, 0), *around, (0, 0)), constant_values=value)


def max_pool2d(images, pool_size=(2, 2), strides=None, padding="valid"):
    window = (pool_size, pool_size) if isinstance(pool_size, int) else tuple(pool_size)
    steps = window if strides is None else (strides, strides) if isinstance(strides, int) else tuple(strides)
    padded = pad2d(np.asarray(images, float), window, steps, padding, value=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window, axis=(1, 2))
    return windows[:, :: steps[0], :: steps[1]].max(axis=(-2, -1))
"""


def test_of_two_rounds_that_are_worth_the_same_the_one_is_told_that_shows_what_is_its_own():
    """Nothing is gained by a right max_pool2d, but the mistake of unchanged_fraction alone is seen with it."""
    namespace = student("unchanged_fraction", max_pool2d=lambda images, size: images[:, ::2, ::2]).__globals__
    exec(CHANGED_FRACTION, namespace)
    result = check("unchanged_fraction", namespace["unchanged_fraction"], points=4)
    assert result.note.startswith("max_pool2d has a bug, and unchanged_fraction itself is not right yet.")
    assert [[one.name for one in cause] for cause in result.causes] == [["fraction_changed"]]


CHANGED_FRACTION = """
def unchanged_fraction(image, moved, pool_size):
    before, after = (max_pool2d(one[np.newaxis, :, :, np.newaxis], pool_size) for one in (image, moved))
    return float(np.mean(before != after))
"""
