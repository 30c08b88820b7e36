"""`check`: one hidden check of one function, its score and what it tells the student."""

import builtins
import functools
import importlib
import re
import traceback
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path

import numpy as np

from autograde_tests import cases as registry
from autograde_tests import versions
from autograde_tests.cases import CHECKS, Case
from autograde_tests.diagnosis import Cause, diagnose, make_ready
from autograde_tests.explaining import explain
from autograde_tests.lending import lend
from autograde_tests.oracle import ROOT, expected
from convblocks.calling import NO_END, NOT_WRITTEN, Outcome, answer
from convblocks.compare import compare
from convblocks.shapes import CLASSES
from convblocks.table import Line, as_sentence, html_table, plain_table
from convblocks.transfer import MalformedMessage, Unknown, called, pack, unpack

NOT_MADE = "the check could not be made"
"""Title of the one line of a check that nothing was answered to."""

UNEARNED = "counts only when at least one case before it agrees"

UNREADABLE = "its answer cannot be read"

NO_ANSWER = "the call ended without an answer"

KINDS = ("returned", "not written", "raised", "too long")

SENTENCE = 400
"""How much is kept of a sentence that tells of what came from the student's process, in characters."""

LARGEST = 2 * 2**20
"""Bytes of an answer that is looked at: far more than any right one has, and few enough to keep those to all cases."""


class Request(dict):
    """A call of the student's function: what `convblocks.calling.answer` is asked."""

    @functools.cached_property
    def packed(self) -> bytes:
        """As a message; a whole class is asked the same."""
        return pack(self)


@dataclass
class Result:
    """What one check found: `score` of `points`, a line for every case, and a `note` on the whole where there is one.

    causes: what explains all that is wrong, one way or another; none where the numbers name nothing (see `diagnosis`).
    version: of the check that gave the score, see `version`. lent: functions that were lent to the one it is about.
    withheld: whether there is more to be told, see `showing`.
    As text/plain it is the score alone, which nbgrader reads as partial credit; as text/html the table for the student;
    `application/vnd.convblocks.result+json` carries the same for programs.
    """

    name: str
    points: float
    score: float
    lines: list[Line]
    written: bool = True
    note: str = ""
    causes: list[Cause] = field(default_factory=list)
    version: str = ""
    lent: tuple[str, ...] = ()
    withheld: bool = False

    def tell(self, shown: "Result") -> None:
        """Say of what differs here and there what was seen there, see `showing`; scores stay."""
        said = {line.title: line for line in shown.lines if not line.agrees}
        for line in self.lines:
            told = said.get(line.title)
            if told and not line.agrees:
                line.sentence, line.figure, line.steps = told.sentence, told.figure, told.steps

    @property
    def heading(self) -> str:
        """One line: how many cases agree and what that is worth."""
        if not self.written:
            return f"{self.name}: not written yet, {self.score:g} of {self.points:g} points"
        right = sum(line.agrees for line in self.lines)
        return f"{self.name}: {right} of {len(self.lines)} cases agree with Keras, {self.score:g} of {self.points:g} points"

    @property
    def diagnosis(self) -> list[str]:
        """What goes wrong, how it shows and where to look again, in sentences; none where the numbers name nothing.

        Of two at once it is not said how they show: each hides some of the other.
        """
        one = "One mistake gives exactly your numbers, in every case:"
        two = "Two mistakes at once give exactly your numbers, in every case:"
        said = []
        for place, cause in enumerate(self.causes):
            said.append("Or:" if place else one if len(cause) == 1 else two)
            for each in cause:
                # As the lesson shows the heading, its code without the marks of Markdown.
                look = each.look.replace("`", "")
                shows = [each.shows] if len(cause) == 1 else []
                said.append(" ".join([as_sentence(each.wrong), *shows, f"Look again at “{look}”."]))
        return said

    def __str__(self) -> str:
        return "\n".join([*self.diagnosis, plain_table(self.heading, self.lines, self.note)])

    def _repr_mimebundle_(self, include=None, exclude=None):
        diagnosis = "".join(f'<p style="margin:4px 0">{escape(sentence)}</p>' for sentence in self.diagnosis)
        causes = [
            [{"name": each.name, "wrong": each.wrong, "shows": each.shows, "look": each.look} for each in cause]
            for cause in self.causes
        ]
        cases = [
            {"case": line.title, "agrees": line.agrees, "sentence": line.sentence, "worth": line.worth}
            for line in self.lines
        ]
        data = {
            "check": self.name,
            "version": self.version,
            "points": self.points,
            "score": self.score,
            "written": self.written,
            "note": self.note,
            "causes": causes,
            "cases": cases,
        }
        return {
            "text/plain": f"{self.score:g}",
            "text/html": diagnosis + html_table(self.heading, self.lines, self.note),
            "application/vnd.convblocks.result+json": data,
        }


def module_of(assignment: str) -> str:
    """What the module of an assignment's cases is called, as that of its misconceptions: `max_pool` for `4-max-pool`."""
    return assignment.partition("-")[2].replace("-", "_")


class BrokenCheck(Exception):
    """A module of checks cannot be imported; the text says where in it, and why."""


@functools.cache
def load_checks() -> dict[str, registry.Check]:
    """All checks of the course, by the name of the function they are for, in the order of the assignments.

    An assignment without a module of cases is graded by hand. Raises BrokenCheck.
    """
    for folder in sorted((ROOT / "source").iterdir()):
        module = module_of(folder.name)
        if (ROOT / "autograde_tests" / f"{module}.py").is_file():
            try:
                importlib.import_module(f"autograde_tests.{module}")
            except Exception as error:
                raise BrokenCheck(f"{_place(error)}: {type(error).__name__}: {getattr(error, 'msg', error)}") from error
    return CHECKS


def _place(error: Exception) -> str:
    """The file here and the line that an error comes from."""
    if isinstance(error, SyntaxError) and error.filename:
        path, line = error.filename, error.lineno
    else:
        path, line = next(
            (frame.filename, frame.lineno)
            for frame in reversed(traceback.extract_tb(error.__traceback__))
            if Path(frame.filename).is_relative_to(ROOT / "autograde_tests")
        )
    return f"{Path(path).relative_to(ROOT) if Path(path).is_relative_to(ROOT) else path}, line {line}"


def version(name: str, seed: int | None = None) -> str:
    """What tells a check from the same one before it was changed: it follows from its cases, weights and answers."""
    return _made(load_checks()[name], registry.course_seed() if seed is None else seed)[2]


@functools.lru_cache(64)
def _made(wanted: registry.Check, seed: int) -> tuple[list[Case], list, str]:
    """A check's cases, right answers and version, made once: every student is asked the same."""
    cases, answers = wanted.cases(seed), expected(wanted, seed)
    return cases, answers, versions.version(cases, answers, wanted.builds_on)


def check(name: str, function: Callable, points: float, seed: int | None = None, source: str = "") -> Result:
    """Compare `function` with Keras on every case of the check `name`; never raises for what the function does.

    points: what the check is worth in all; each case earns its weight's share. seed: for the random cases, the course's
    by default. source: see `conversation`. Raises KeyError for a name that no module of checks knows.
    """
    steps = conversation(name, points, seed, source=source)
    outcome = None
    while True:
        try:
            request = steps.send(outcome)
        except StopIteration as end:
            return end.value
        # By messages, as on the way into the sandbox, so that a score does not depend on where a check runs.
        asked = []

        def ask(question, names=request["lent"], asked=asked):
            asked.append(question)
            return lend(question, names)

        outcome = to_outcome(answer(function, request.packed, ask))
        outcome.borrowed = bool(asked)


def conversation(
    name: str,
    points: float,
    seed: int | None = None,
    lendable: Collection[str] | None = None,
    source: str = "",
    shows: bool = True,
) -> Generator[Request, Outcome, Result]:
    """A check as a generator: yields what to ask `convblocks.calling.answer`, is sent an Outcome each, returns the Result.

    Who drives it decides where the function runs. lendable: earlier functions that may be lent, all by default. source:
    the student's code; nothing else that the function says of a hidden case is told (see `_without_words`). shows: whether
    of cases that may be shown all is told; no, where the process has been asked hidden ones, whose inputs it could tell.
    Where not all cases agree and the function calls such earlier ones, all cases are asked again with right ones in
    their place, and the better of the two rounds counts as a whole; of two as good, the one that shows what is its own.
    Arguments and errors else as for `check`.
    """
    wanted, seed, (cases, answers, made) = _asked(name, seed)
    # Whoever has been asked something may not wait for as long as that takes.
    make_ready(wanted, seed)

    def result(counted: "_Round", note: str = "") -> Result:
        wrong = counted.agreeing < len(cases)
        causes = diagnose(wanted, seed, cases, counted.outcomes, answers) if wrong else []
        found = counted.result(name, points, note, causes)
        found.version = made
        found.lent = counted.lent
        return found

    own = yield from _round(name, cases, answers, source, shows=shows)
    lent = [one for one in wanted.builds_on if lendable is None or one in lendable]
    if not lent or own.agreeing == len(cases) or own.ended:
        return result(own)
    # From the first case on, whichever differed: what is asked must not tell what was right.
    with_lent = yield from _round(name, cases, answers, source, lent, shows)
    unfit = _called_otherwise(own, with_lent, lent)
    if unfit:
        # The student's own has parameters more than the course's, which the function uses.
        lent = [one for one in lent if one not in unfit]
        with_lent = yield from _round(name, cases, answers, source, lent, shows)
    if with_lent.ended or with_lent.earned < own.earned or not any(outcome.borrowed for outcome in with_lent.outcomes):
        return result(own)
    pairs = zip(cases, answers, own.lines, with_lent.lines, strict=True)
    # A bug of its own may lie in the first case that differs, and one that it pays for in a later one.
    helped = [(case, target) for case, target, one, two in pairs if two.agrees and not one.agrees]
    if with_lent.earned == own.earned:
        # Nothing is gained, but with right ones it goes wrong in another way: that one alone is its own.
        helped = _changed(cases, own, with_lent)
    if not helped:
        return result(own)
    to_blame: set[str] = set()
    for case, target in helped:
        # Mostly what explains one case explains the others.
        if to_blame and (yield from _agrees(case, target, [one for one in lent if one in to_blame])):
            continue
        # The fewest that have to be right, the later ones given back first: a bug may lie below what calls it.
        needed = list(lent)
        for one in reversed(lent):
            fewer = [other for other in needed if other != one]
            if (yield from _agrees(case, target, fewer)):
                needed = fewer
        to_blame.update(needed)
    return result(with_lent, _note(name, own, with_lent, [one for one in lent if one in to_blame]))


def _called_otherwise(own: "_Round", with_lent: "_Round", lent: Sequence[str]) -> set[str]:
    """Lent functions that do not take what the student's own take, by the errors that come of it."""
    said = [
        two.sentence
        for one, two in zip(own.outcomes, with_lent.outcomes, strict=False)
        if one.kind == "returned" and two.kind == "raised"
    ]
    return {one for one in lent if any(f"TypeError: {one}() " in sentence for sentence in said)}


def _changed(cases: list[Case], own: "_Round", with_lent: "_Round") -> list[tuple[Case, object]]:
    """The cases in which a function gives something else with what is lent, and that; none where it fails with it alone."""
    found = []
    for case, one, two in zip(cases, own.outcomes, with_lent.outcomes, strict=False):
        if two.kind != "returned":
            if one.kind == "returned":
                return []
        elif not case.judge and not case.keeps_inputs and _judge(case, one, two.value):
            found.append((case, two.value))
    return found


def showing(name: str, lent: Sequence[str] = (), seed: int | None = None) -> Generator[Request, Outcome, Result]:
    """As `conversation`, but only the cases that may be shown, with all that is told of them; the Result scores nothing.

    For a process that has been asked no hidden case, nor what is lent for such. lent: as in the Result that it explains.
    """
    _, _, (cases, answers, _) = _asked(name, seed)
    pairs = [(case, target) for case, target in zip(cases, answers, strict=True) if _may_be_told(case)]
    cases, answers = zip(*pairs, strict=True) if pairs else ((), ())
    found = yield from _round(name, list(cases), list(answers), "", lent)
    return Result(name, 0.0, 0.0, found.lines)


def _asked(name: str, seed: int | None) -> tuple[registry.Check, int, tuple[list[Case], list, str]]:
    """A check, its seed, and what is `_made` of both. Raises KeyError for a name that no module of checks knows."""
    known = load_checks()
    if name not in known:
        raise KeyError(f"there is no check {name!r}; known are {', '.join(sorted(known))}")
    seed = registry.course_seed() if seed is None else seed
    return known[name], seed, _made(known[name], seed)


def _may_be_told(case: Case) -> bool:
    """Whether what a function says of a case may be told; what a judge looks at was made without hidden inputs."""
    return case.showable or case.judge is not None


def _agrees(case: Case, target, lent: Sequence[str]) -> Generator[Request, Outcome, bool]:
    outcome = yield _request(case, *lent)
    return not _judge(case, outcome, target)


def _note(name: str, own: "_Round", with_lent: "_Round", to_blame: list[str]) -> str:
    """What is said of a function that was tried with right ones in place of the student's own."""
    right, of = with_lent.agreeing, len(own.lines)
    several = len(to_blame) > 1
    if all(outcome.kind == "not written" for outcome in own.outcomes):
        verb = "are not written yet" if several else "is not written yet"
    elif any("NameError" in line.sentence for line in own.lines):
        verb = "are missing or have bugs" if several else "is missing"
    else:
        verb = "have bugs" if several else "has a bug"
    whose = f"{', '.join(to_blame[:-1])}{' and ' * several}{to_blame[-1]} {verb}"
    # The last function of the course is the assembly of all others.
    own_part = "assembly" if name == "forward" else name
    verdict = f"Your {own_part} is right; {whose}" if right == of else f"{whose}, and {name} itself is not right yet"
    return (
        f"{verdict}. With your own earlier functions {own.agreeing} of {of} cases agree, with right ones in their place "
        f"{right} of {of}, which is what counts: one bug costs once."
    )


@dataclass
class _Round:
    """All cases asked once: `earned` of `possible` weight; outcomes: of the calls up to one that did not end."""

    lines: list[Line]
    outcomes: list[Outcome]
    earned: float
    possible: float
    ended: bool
    lent: tuple[str, ...] = ()
    withheld: bool = False

    @property
    def agreeing(self) -> int:
        return sum(line.agrees for line in self.lines)

    def result(self, name: str, points: float, note: str, causes: list[Cause]) -> Result:
        written = not all(line.sentence.startswith("not written yet") for line in self.lines)
        lines = self.lines
        if not written:
            said = lines[0].sentence.removeprefix("not written yet: ")
            sentence = f"{name}: {said}, so there was nothing to try"
            lines = [Line("not written yet", False, sentence, self.possible)]
        elif self.outcomes[0].kind == "ended":
            # Nothing was answered, and one line says why as well as one for each case.
            lines = [Line(NOT_MADE, False, lines[0].sentence, self.possible)]
        for line in lines:
            line.worth *= points / self.possible
        # Cents of a point, so that the number a student sees is the number that is stored.
        score = round(points * self.earned / self.possible, 2)
        return Result(name, points, score, lines, written, note, causes, withheld=written and self.withheld)


@functools.lru_cache(1000)
def _request(case: Case, *lent: str) -> Request:
    return Request(args=case.args, kwargs=case.kwargs, seconds=case.seconds, probe=case.probe, lent=list(lent))


def _round(
    name: str, cases: list[Case], answers: list, source: str, lent: Sequence[str] = (), shows: bool = True
) -> Generator[Request, Outcome, _Round]:
    lines, outcomes, earned, shared, stuck, ended = [], [], 0.0, {}, "", False
    for case, target in zip(cases, answers, strict=True):
        if stuck:
            lines.append(Line(case.name, False, stuck, case.weight))
            continue
        outcome = shared.get(case.call)
        if outcome is None:
            outcome = yield _request(case, *lent)
        if case.call:
            shared[case.call] = outcome
        outcomes.append(outcome)
        sentence = _judge(case, outcome, target)
        if case.keeps_inputs and not sentence and not any(line.agrees for line in lines):
            # Leaving the inputs alone is no merit of a function that gets nothing right.
            sentence = UNEARNED
        earned += 0 if sentence else case.weight
        line = Line(case.name, not sentence, sentence or _remark(outcome), case.weight)
        if sentence and shows and outcome.kind == "returned" and not any(line.steps for line in lines):
            # One is enough to learn from; more would bury it.
            _explain(name, case, outcome, target, line)
        lines.append(line)
        stuck = {"too long": "not tried after a call that did not end", "ended": "not tried"}.get(outcome.kind, "")
        ended = ended or outcome.kind == "ended"
    # What was said of a case that may be shown tells nothing new when it is said of another.
    told = {line.sentence for line, case in zip(lines, cases, strict=True) if shows and _may_be_told(case)}
    withheld = False
    for line, case, outcome, target in zip(lines, cases, outcomes, answers, strict=False):
        returned = outcome.kind == "returned"
        # What a judge says of what came back are words of ours.
        if (case.judge and returned) or (shows and _may_be_told(case)) or line.sentence in told | {UNEARNED}:
            continue
        withheld = withheld or (not line.agrees and outcome.kind in ("returned", "raised") and _may_be_told(case))
        outcome = _without_words(outcome, case, source)
        line.sentence = _judge(case, outcome, target) or _remark(outcome)
    possible = sum(case.weight for case in cases)
    return _Round(lines, outcomes, earned, possible, ended, tuple(lent), withheld)


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
        value = reply["value"]
        if len(message) > LARGEST:
            value = Unknown(f"{called(value)}, which is too large to be looked at,")
        return Outcome(kind, value, sentence[:SENTENCE], changed=[one[:40] for one in changed[:10]])
    except MalformedMessage as error:
        return Outcome("raised", sentence=f"{UNREADABLE}: {error}")
    except (TypeError, LookupError, ValueError):
        return Outcome("raised", sentence=UNREADABLE)


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


NOT_SHOWN = "not shown, since it could tell of hidden inputs"


@functools.lru_cache(maxsize=1)
def _words(source: str) -> set[str]:
    """All words of the student's code, which is the same for every case of a check."""
    return set(re.findall(r"\w+", source))


def _without_words(outcome: Outcome, case: Case, source: str) -> Outcome:
    """An outcome of a hidden case without words that the student's process chose: they could carry the input out.

    Left are the names of Python's errors, what stands in the student's code, and numbers, of which few are ever told.
    """
    words = _words(source)
    changed = [name if name in words else "array" for name in outcome.changed]
    value = Unknown(f"something that is {NOT_SHOWN},") if _holds_words(outcome.value) else outcome.value
    sentence = outcome.sentence
    if outcome.kind == "not written":
        calls = re.fullmatch(r"not written yet: it calls (\w+), which still raises NotImplementedError", sentence)
        sentence = sentence if calls and calls[1] in words else NOT_WRITTEN
    elif outcome.kind == "too long":
        sentence = NO_END
    elif outcome.kind == "raised":
        raised = re.match(r"it raised (\w+)", sentence)
        if raised:
            place = re.search(r", at the line `([^`]+)` of (\w+)", sentence)
            shown = place and place[1] in source and place[2] in words
            where = f" at the line `{place[1]}` of {place[2]}" if shown else ""
            sentence = f"it raised {known_error(raised[1])}{where} (what it says is {NOT_SHOWN})"
        elif sentence != NO_ANSWER:
            sentence = UNREADABLE
    return replace(outcome, value=value, sentence=sentence, changed=changed)


def known_error(name: str) -> str:
    """The name of an error where it is one of Python's or NumPy's; a name of the student's own could tell anything."""
    known = isinstance(getattr(builtins, name, None), type) or name in ("LinAlgError", "AxisError")
    return name if known else "an error of its own"


def _holds_words(value) -> bool:
    """Whether a returned value is, or holds, more than numbers and names of shapes."""
    if isinstance(value, (list, tuple)):
        return any(map(_holds_words, value))
    if isinstance(value, np.ndarray):
        return value.dtype.kind not in "biuf"
    return not (value is None or isinstance(value, (bool, int, float, np.generic)) or value in CLASSES)


def _explain(name: str, case: Case, outcome: Outcome, target, line: Line) -> None:
    """Put into the line how the right answer comes about, where that may be shown."""
    try:
        found = explain(name, case, outcome.value, target)
    except Exception:
        # As in `_judge`; a student without this still has the sentence.
        return
    if found:
        line.figure, line.steps = found.figure, found.steps


def _remark(outcome: Outcome) -> str:
    return f"right, but it changes its input {' and '.join(outcome.changed)} in place" if outcome.changed else ""
