"""The bank of misconceptions: wrong implementations that students really write, each with what to tell its student."""

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Misconception:
    """One wrong way to write the function `check`, and what it needs to be told about.

    function: the wrong one. wrong: what goes wrong; shows: how that shows in the numbers; look: the heading in the lesson to
    read again; all three are said to the student. change: makes the same mistake in any function that takes the same arguments
    (see `twist`), None where it cannot. unseen: why no visible example shows it. untellable: why its numbers do not name it.
    """

    check: str
    function: Callable
    wrong: str
    shows: str
    look: str
    change: Callable | None = None
    unseen: str = ""
    untellable: str = ""

    @property
    def name(self) -> str:
        return self.function.__name__


BANK: list[Misconception] = []

LOOK = {
    "output_size": "A window slides over it",
    "padding_amounts": "Zeros around the picture",
    "pad2d": "Zeros around the picture",
    "weighted_sum": "One number from one patch",
    "correlate2d": "One kernel for all places",
    "activate": "What happens to each number afterwards",
    "conv2d": "Exercise 4 · `conv2d`",
    "dense_params": "First way: everything with everything",
    "conv2d_params": "Several filters, several channels",
    "summarize": "Exercise 3 · `summarize`",
    "max_pool2d": "Keep the strongest",
    "unchanged_fraction": "A face moves",
    "flatten": "From pictures to a row",
    "flat_index": "Exercise 2 · `flat_index`",
    "unflat_index": "Exercise 3 · `unflat_index`",
    "dense": "A dense layer looks at everything",
    "forward": "The network",
    "predict": "Exercise 2 · `predict`",
    "build_model": "The network, once more",
    "train": "How a network learns",
}
"""Where to look again unless a misconception says so itself: a heading of the lesson."""


def misconception(check: str, **said: str) -> Callable:
    """Register the decorated function as a wrong way to write `check`; said: see Misconception."""

    def register(function):
        BANK.append(Misconception(check, function, **{"look": LOOK[check]} | said))
        return function

    return register


def twist(check: str, right: Callable, **said: str) -> Callable:
    """Register a wrong way to write `check` that is one change of a right function, so that two can be made at once.

    The decorated function is called with a function, right or changed already, and all arguments in order; it hands other
    arguments on, or changes what comes back. right: the function of which the change alone is wrong.
    """

    def register(change):
        BANK.append(Misconception(check, twisted(change, right), change=change, **{"look": LOOK[check]} | said))
        return change

    return register


def twisted(change: Callable, function: Callable) -> Callable:
    """`function` with one change made to it."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def wrong(*args, **kwargs):
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        return change(function, *given.args, **given.kwargs)

    wrong.__name__ = change.__name__
    return wrong


@functools.cache
def load_bank() -> dict[tuple[str, str], Misconception]:
    """All misconceptions, by check and name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return {(one.check, one.name): one for one in BANK}
