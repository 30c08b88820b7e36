"""Right answers of every style get full points, wrong ones lose some, and each kind of failure is told in words."""

import importlib
import pkgutil

import pytest

from autograde_tests import check, misconceptions, right_answers
from autograde_tests.checking import load_checks

for package in (misconceptions, right_answers):
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


@pytest.mark.parametrize(
    ("name", "function"), right_answers.RIGHT_ANSWERS, ids=lambda part: getattr(part, "__name__", part)
)
@pytest.mark.parametrize("seed", [0, 7])
def test_a_right_answer_gets_full_points(name, function, seed):
    result = check(name, function, points=10, seed=seed)
    assert result.score == 10, str(result)


@pytest.mark.parametrize("wrong", misconceptions.BANK, ids=lambda wrong: f"{wrong.check}-{wrong.function.__name__}")
@pytest.mark.parametrize("seed", [0, 7])
def test_a_wrong_answer_loses_points(wrong, seed):
    assert check(wrong.check, wrong.function, points=10, seed=seed).score < 10


def test_every_check_has_right_and_wrong_answers():
    names = set(load_checks())
    assert names == {name for name, _ in right_answers.RIGHT_ANSWERS}
    assert names == {wrong.check for wrong in misconceptions.BANK}
