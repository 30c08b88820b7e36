"""What a hidden check is made of: named cases with weights, and an oracle that answers each with Keras."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

SEED_VARIABLE = "CONVBLOCKS_SEED"
"""Environment variable with the course's seed; nbgrader_config.py sets it for every kernel that it starts."""


@dataclass(frozen=True, eq=False)
class Case:
    """One call of the student's function.

    name: what it probes, in words a student understands. weight: its share of the check's points, relative to the others.
    keeps_inputs: judge whether the call leaves its arguments as they were, instead of what it returns.
    judge: for what cannot be compared with an expected value (a Keras model): `judge(value, answer)` gives the sentence
    that says what is off, "" when nothing is; value is data (a model arrives as `keras_model.Description`), answer is the
    oracle's where there is one. probe: what a returned model is tried on, `(images, weights or None)`.
    call: cases with the same text share one call, for calls that take long. seconds: time limit of the call,
    see `convblocks.calling.call`.
    showable: whether a student who gets it wrong may see its input and how Keras' answer comes about. Never a random case,
    and of a check at most half of the weight: who writes down what was shown has not earned the points of the rest.
    """

    name: str
    args: tuple = ()
    kwargs: dict = field(default_factory=dict)
    weight: float = 1
    keeps_inputs: bool = False
    judge: Callable[[object, object], str] | None = None
    probe: tuple | None = None
    call: str = ""
    seconds: float = 5.0
    showable: bool = False


@dataclass(frozen=True)
class Check:
    """name: the function's name; make_cases(rng): its cases, random ones drawn from rng; oracle: the same function by Keras.

    Where the oracle is None, the cases' judges know what is asked, helped by of_probe(images, weights), by Keras as well.
    builds_on: earlier functions that this one may call, in the course's order; see `lending`.
    """

    name: str
    make_cases: Callable[[np.random.Generator], list[Case]]
    oracle: Callable | None = None
    of_probe: Callable | None = None
    builds_on: tuple[str, ...] = ()

    def cases(self, seed: int) -> list[Case]:
        """The cases for one course's seed, the same for every student."""
        # The name goes in as well, so that two checks do not draw the same numbers.
        return self.make_cases(np.random.default_rng([seed, *self.name.encode()]))

    def answer(self, case: Case):
        """What the oracle says to a case, None where it has nothing to say. Imports Keras."""
        if case.keeps_inputs:
            return None
        if case.judge:
            return self.of_probe(*case.probe) if self.of_probe else None
        return self.oracle(*case.args, **case.kwargs)


CHECKS: dict[str, Check] = {}


def graded(oracle: Callable | None, of_probe: Callable | None = None, builds_on: tuple[str, ...] = ()) -> Callable:
    """Register the decorated function, named `<function>_cases`, as the cases of the check `<function>`; see Check."""

    def register(make_cases):
        name = make_cases.__name__.removesuffix("_cases")
        CHECKS[name] = Check(name, make_cases, oracle, of_probe, builds_on)
        return make_cases

    return register


def course_seed() -> int:
    """The course's seed for random cases; 0 outside a course. Raises ValueError when it is set to no whole number."""
    text = os.environ.get(SEED_VARIABLE, "0")
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"the course's seed has to be a whole number, not {text!r}: see nbgrader_config.py") from None


def signed(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Shuffled whole numbers of both signs, no two alike where there is room: what tells most mistakes apart."""
    count = int(np.prod(shape))
    pool = np.concatenate([np.arange(1, count // 2 + 2), -np.arange(1, count // 2 + 2)])
    return rng.permutation(pool)[:count].reshape(shape).astype(float)
