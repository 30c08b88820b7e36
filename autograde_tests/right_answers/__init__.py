"""Right answers in other styles than the solutions': every one has to get full points."""

from collections.abc import Callable

RIGHT_ANSWERS: list[tuple[str, Callable]] = []


def right_answer(check: str) -> Callable:
    """Register the decorated function as a right way to write `check`."""

    def register(function):
        RIGHT_ANSWERS.append((check, function))
        return function

    return register
