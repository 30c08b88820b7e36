"""`check`: one hidden check of one function, its score and what it tells the student."""

import importlib
from collections.abc import Callable, Generator
from dataclasses import dataclass

from autograde_tests import cases as registry
from autograde_tests.cases import CHECKS, Case
from autograde_tests.oracle import expected
from convblocks.calling import Outcome, answer
from convblocks.compare import compare
from convblocks.report import Line, html_table, plain_table
from convblocks.transfer import MalformedMessage, pack, unpack

MODULES = ("padding", "conv_forward", "weight_counting", "max_pool", "flatten", "shapes_classifier")

KINDS = ("returned", "not written", "raised", "too long")

SENTENCE = 400
"""How much is kept of a sentence that tells of what came from the student's process, in characters."""


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
    steps = conversation(name, points, seed)
    reply = None
    while True:
        try:
            request = steps.send(reply)
        except StopIteration as end:
            return end.value
        # By messages, as on the way into the sandbox, so that a score does not depend on where a check runs.
        reply = to_outcome(answer(function, pack(request)))


def conversation(name: str, points: float, seed: int | None = None) -> Generator[dict, Outcome, Result]:
    """A check as a generator: yields what to ask `convblocks.calling.answer`, is sent an Outcome each, returns the Result.

    Who drives it decides where the function runs. Arguments and errors as for `check`.
    """
    known = load_checks()
    if name not in known:
        raise KeyError(f"there is no check {name!r}; known are {', '.join(sorted(known))}")
    wanted = known[name]
    seed = registry.course_seed() if seed is None else seed
    cases = wanted.cases(seed)
    answers = expected(wanted, seed)
    lines, earned, shared, stuck = [], 0.0, {}, ""
    for case, target in zip(cases, answers, strict=True):
        if stuck:
            lines.append(Line(case.name, False, stuck))
            continue
        outcome = shared.get(case.call)
        if outcome is None:
            outcome = yield {"args": case.args, "kwargs": case.kwargs, "seconds": case.seconds, "probe": case.probe}
        if case.call:
            shared[case.call] = outcome
        sentence = _judge(case, outcome, target)
        if case.keeps_inputs and not sentence and not any(line.agrees for line in lines):
            # Leaving the inputs alone is no merit of a function that gets nothing right.
            sentence = "counts once another case before it agrees"
        earned += 0 if sentence else case.weight
        lines.append(Line(case.name, not sentence, sentence or _remark(outcome)))
        stuck = {"too long": "not tried after a call that did not end", "ended": "not tried"}.get(outcome.kind, "")
    written = not all(line.sentence.startswith("not written yet") for line in lines)
    if not written:
        lines = [
            Line("not written yet", False, f"{name} still raises NotImplementedError, so there was nothing to try")
        ]
    # Cents of a point, so that the number a student sees is the number that is stored.
    score = round(points * earned / sum(case.weight for case in cases), 2)
    return Result(name, points, score, lines, written)


def to_outcome(message: bytes) -> Outcome:
    """An answer as an Outcome; of a message that is no answer, one that says so. What is in it may be made up."""
    try:
        reply = unpack(message)
        kind, sentence, changed = reply["kind"], reply["sentence"], reply["changed"]
        # A list, since each number of an array would become an object.
        if not isinstance(changed, list) or not all(isinstance(one, str) for one in (kind, sentence, *changed)):
            raise ValueError
        if kind not in KINDS or (kind != "returned" and not sentence):
            raise ValueError
        return Outcome(kind, reply["value"], sentence[:SENTENCE], changed=[one[:40] for one in changed[:10]])
    except MalformedMessage as error:
        return Outcome("raised", sentence=f"its answer cannot be read: {error}")
    except (TypeError, LookupError, ValueError):
        return Outcome("raised", sentence="its answer cannot be read")


def _judge(case: Case, outcome: Outcome, target) -> str:
    """What is off with one outcome, "" when nothing is."""
    if outcome.kind != "returned":
        return outcome.sentence
    if case.keeps_inputs:
        return f"the function changed its input {' and '.join(outcome.changed)} in place" if outcome.changed else ""
    try:
        if case.judge:
            return case.judge(outcome.value, target)[:SENTENCE]
        return compare(outcome.value, target).sentence[:SENTENCE]
    except Exception as error:
        # The value is data, but of any shape: nothing in it may stop the check.
        return f"it returned something that cannot be compared ({type(error).__name__})"


def _remark(outcome: Outcome) -> str:
    return f"right, but it changes its input {' and '.join(outcome.changed)} in place" if outcome.changed else ""
