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

LOOK: dict[str, str] = {}
"""Where to look again unless a misconception says so itself: for each check a heading of the lesson, put in by its module."""

BASES: dict[Callable, str] = {}
"""The right functions that twists change, in other styles than the solutions', with their check."""


def misconception(check: str, **said: str) -> Callable:
    """Register the decorated function as a wrong way to write `check`; said: see Misconception."""

    def register(function):
        BANK.append(Misconception(check, function, **{"look": LOOK.get(check, "")} | said))
        return function

    return register


def twist(check: str, right: Callable, **said: str) -> Callable:
    """Register a wrong way to write `check` that is one change of a right function, so that two can be made at once.

    The decorated function is called with a function, right or changed already, and all arguments in order; it hands other
    arguments on, or changes what comes back. right: the function of which the change alone is wrong.
    """

    def register(change):
        BASES[right] = check
        BANK.append(Misconception(check, twisted(change, right), change=change, **{"look": LOOK.get(check, "")} | said))
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
