"""`check`: one hidden check of one function, its score and what it tells the student."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from autograde_tests import cases as registry
from autograde_tests.cases import CHECKS, Case
from autograde_tests.oracle import expected, silence
from convblocks.calling import Outcome, call
from convblocks.compare import compare
from convblocks.report import Line, html_table, plain_table

MODULES = ("padding", "conv_forward", "weight_counting", "max_pool", "flatten", "shapes_classifier")


@dataclass
class Result:
    """What one check found: `score` of `points`, and a line for every case.

    As text/plain it is the score alone, which nbgrader reads as partial credit; as text/html the table for the student;
    `application/vnd.convblocks.result+json` carries the same for programs.
    """

    name: str
    points: float
    score: float
    lines: list[Line]
    written: bool = True

    @property
    def heading(self) -> str:
        """One line: how many cases agree and what that is worth."""
        if not self.written:
            return f"{self.name}: not written yet, {self.score:g} of {self.points:g} points"
        right = sum(line.agrees for line in self.lines)
        return f"{self.name}: {right} of {len(self.lines)} cases agree with Keras, {self.score:g} of {self.points:g} points"

    def __str__(self) -> str:
        return plain_table(self.heading, self.lines)

    def _repr_mimebundle_(self, include=None, exclude=None):
        cases = [{"case": line.title, "agrees": line.agrees, "sentence": line.sentence} for line in self.lines]
        data = {"check": self.name, "points": self.points, "score": self.score, "written": self.written, "cases": cases}
        return {
            "text/plain": f"{self.score:g}",
            "text/html": html_table(self.heading, self.lines),
            "application/vnd.convblocks.result+json": data,
        }


def load_checks() -> dict[str, registry.Check]:
    """All checks of the course, by the name of the function they are for."""
    for module in MODULES:
        importlib.import_module(f"autograde_tests.{module}")
    return CHECKS


def check(name: str, function: Callable, points: float, seed: int | None = None) -> Result:
    """Compare `function` with Keras on every case of the check `name`; never raises for what the function does.

    points: what the check is worth in all; each case earns its weight's share. seed: for the random cases, the course's
    by default. Raises KeyError for a name that no module of checks knows.
    """
    known = load_checks()
    if name not in known:
        raise KeyError(f"there is no check {name!r}; known are {', '.join(sorted(known))}")
    wanted = known[name]
    seed = registry.course_seed() if seed is None else seed
    cases = wanted.cases(seed)
    answers = expected(wanted, seed)
    lines, earned, shared, stuck = [], 0.0, {}, False
    for case, answer in zip(cases, answers, strict=True):
        if stuck:
            lines.append(Line(case.name, False, "not tried after a call that did not end"))
            continue
        outcome = shared.get(case.call) or call(function, *case.args, seconds=case.seconds, **case.kwargs)
        if case.call:
            shared[case.call] = outcome
        sentence = _judge(case, outcome, answer)
        if case.keeps_inputs and not sentence and not any(line.agrees for line in lines):
            # Leaving the inputs alone is no merit of a function that gets nothing right.
            sentence = "counts once another case before it agrees"
        earned += 0 if sentence else case.weight
        lines.append(Line(case.name, not sentence, sentence or _remark(outcome)))
        stuck = outcome.kind == "too long"
    written = not all(line.sentence.startswith("not written yet") for line in lines)
    if not written:
        lines = [
            Line("not written yet", False, f"{name} still raises NotImplementedError, so there was nothing to try")
        ]
    # Cents of a point, so that the number a student sees is the number that is stored.
    score = round(points * earned / sum(case.weight for case in cases), 2)
    return Result(name, points, score, lines, written)


def _judge(case: Case, outcome: Outcome, answer) -> str:
    """What is off with one outcome, "" when nothing is."""
    if outcome.kind != "returned":
        return outcome.sentence
    if case.keeps_inputs:
        return f"the function changed its input {' and '.join(outcome.changed)} in place" if outcome.changed else ""
    if case.judge:
        with silence():
            return case.judge(outcome.value)
    try:
        return compare(outcome.value, answer).sentence
    except Exception as error:
        # What comes back may be any object, with any method of its own.
        return f"it returned something that cannot be compared ({type(error).__name__})"


def _remark(outcome: Outcome) -> str:
    return f"right, but it changes its input {' and '.join(outcome.changed)} in place" if outcome.changed else ""
