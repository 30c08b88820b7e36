"""A version tells a check from the same one before anything was changed by which a score can change."""

import sys

import numpy as np
import pytest

from autograde_tests import reference, versions
from autograde_tests.cases import Case
from autograde_tests.checking import load_checks
from convblocks.compare import compare

LEAST = 0.9


def at_least(share):
    def judge(value, answer):
        return "" if value >= share else "too few"

    return judge


def wrapped(judge):
    return lambda value, answer: judge(value, answer)


def by_module(value, answer):
    return "" if value >= LEAST else "too few"


def commented(value, answer):
    # Says why.
    return "" if value >= LEAST else "too few"


def judged(judge, **about):
    return versions.version([Case("enough", (np.ones(2),), judge=judge, **about)], [None])


def test_judges_that_decide_otherwise_are_other_versions():
    judges = [at_least(0.9), at_least(0.99), wrapped(at_least(0.9)), wrapped(at_least(0.99)), by_module, None]
    assert len({judged(one) for one in judges}) == len(judges)
    assert judged(at_least(0.9)) == judged(at_least(0.9))


def test_what_a_judge_uses_of_its_module_counts(monkeypatch):
    before = judged(by_module)
    monkeypatch.setattr(f"{__name__}.LEAST", 0.99)
    assert judged(by_module) != before


def from_elsewhere(value, answer):
    return "" if compare(value, answer) == "" and len(value) < reference.HIDDEN_COUNT else "too few"


@pytest.mark.parametrize("changed", ["convblocks.compare.TOLERANCE", "autograde_tests.reference.HIDDEN_COUNT"])
def test_what_a_judge_uses_of_the_course_counts(monkeypatch, changed):
    before = judged(from_elsewhere)
    module, _, name = changed.rpartition(".")
    monkeypatch.setattr(sys.modules[module], name, 7)
    assert judged(from_elsewhere) != before


def test_a_set_that_a_judge_uses_counts():
    assert versions._does({"conv", "pool"}, set()) != versions._does({"conv", "dense"}, set())


def test_what_may_be_lent_counts():
    assert versions.version([], [], ["pad2d"]) != versions.version([], [])


def test_comments_do_not_count(monkeypatch):
    commented.__code__ = commented.__code__.replace(co_name="by_module", co_qualname="by_module")
    assert versions._code(commented.__code__).replace("commented", "by_module") == versions._code(by_module.__code__)


def test_the_tolerance_counts(monkeypatch):
    versions._comparison.cache_clear()
    before = judged(None)
    monkeypatch.setattr(sys.modules["convblocks.compare"], "TOLERANCE", 0.1)
    versions._comparison.cache_clear()
    assert judged(None) != before
    versions._comparison.cache_clear()


@pytest.mark.parametrize("about", [{"weight": 2}, {"keeps_inputs": True}, {"seconds": 9.0}, {"call": "shared"}])
def test_how_a_case_is_asked_counts(about):
    assert judged(None, **about) != judged(None)


def test_what_a_call_may_take_of_a_processor_counts_where_that_is_limited(monkeypatch):
    before = judged(None), judged(None, seconds=60.0)
    monkeypatch.setattr("convblocks.calling.BUSY", 9.0)
    assert judged(None) != before[0] and judged(None, seconds=60.0) == before[1]


@pytest.mark.parametrize("name", ["pad2d", "build_model", "train"])
def test_a_check_is_the_same_as_often_as_it_is_made(name):
    check = load_checks()[name]
    assert versions.version(check.cases(1), [1]) == versions.version(check.cases(1), [1])
    assert versions.version(check.cases(1), [1]) != versions.version(check.cases(1), [2])


def test_no_two_judges_of_a_network_are_alike():
    cases = [one for one in load_checks()["build_model"].cases(1) if one.judge]
    assert len({str(versions._does(one.judge, set())) for one in cases}) == len(cases) > 5
