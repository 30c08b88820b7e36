"""The bank of misconceptions: wrong implementations that students really write, each in its own words."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Misconception:
    """check: the function it stands for; says: what goes wrong, in a student's words; function: the wrong one."""

    check: str
    says: str
    function: Callable


BANK: list[Misconception] = []


def misconception(check: str, says: str) -> Callable:
    """Register the decorated function as a wrong way to write `check`."""

    def register(function):
        BANK.append(Misconception(check, says, function))
        return function

    return register
