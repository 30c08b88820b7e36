"""The hidden tests: `check(name, function, points)` compares a student's function with Keras, case by case."""

from autograde_tests.checking import check

__all__ = ["check"]
