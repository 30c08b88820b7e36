"""Right answers in other styles than the solutions': every one has to get full points."""

import functools
import importlib
import pkgutil
from collections.abc import Callable

RIGHT_ANSWERS: list[tuple[str, Callable]] = []


def right_answer(check: str) -> Callable:
    """Register the decorated function as a right way to write `check`."""

    def register(function):
        RIGHT_ANSWERS.append((check, function))
        return function

    return register


@functools.cache
def load_right_answers() -> list[tuple[str, Callable]]:
    """All right answers: the check, and the function."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return RIGHT_ANSWERS
