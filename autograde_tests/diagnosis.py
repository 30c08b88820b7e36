"""Name the misconception behind a wrong answer: the one whose numbers are the student's on every case.

What the bank computes on a check's cases is kept beside Keras' answers (see `oracle`), so grading runs no wrong function,
and a right answer costs nothing.
"""

import copy
import functools
import hashlib
import itertools
import re
from collections.abc import Callable, Iterator

import numpy as np

from autograde_tests import oracle
from autograde_tests.cases import Case, Check
from autograde_tests.misconceptions import Misconception, load_bank, twisted
from convblocks.calling import Outcome, call
from convblocks.compare import TOLERANCE
from convblocks.keras_model import Description
from convblocks.transfer import Unknown, plain

MOST = 2
"""Where more explanations than this fit equally well, none is given."""

KIND = "misconceptions"

Cause = tuple[Misconception, ...]
"""One explanation: a misconception, or two at once."""


def diagnose(check: Check, seed: int, cases: list[Case], outcomes: list[Outcome], answers: list) -> list[Cause]:
    """What explains a wrong answer: every misconception, or else every two at once, with the same outcomes on all cases.

    outcomes: what came of the student's function; answers: the right ones. Empty where nothing fits, or too much does.
    """
    kinds = {outcome.kind for outcome in outcomes}
    # An error in every case is no sign of one mistake.
    if not _has_answers(check) or "returned" not in kinds or not kinds <= {"returned", "raised"}:
        return []
    form, arrays = looked_at = _looked_at(cases, outcomes)
    if _same(looked_at, _looked_at(cases, [Outcome("returned", answer) for answer in answers])):
        # The numbers are right, so what is wrong is their type alone.
        return []
    try:
        names, rows = _bank(check, seed)[form]
    except LookupError:
        return []
    same = [names[place] for place in np.flatnonzero(_alike(_row(arrays), rows))]
    fewest = [one for one in same if len(one) == min(map(len, same))]
    bank = load_bank()
    return [tuple(bank[check.name, name] for name in one) for one in fewest] if len(fewest) <= MOST else []


def make_ready(check: Check, seed: int) -> None:
    """Let the bank answer a check's cases where it has not done so, which takes a minute."""
    if _has_answers(check) and not oracle.is_there(KIND, check, seed):
        oracle.kept(KIND, check, seed, check.cases(seed))


@functools.lru_cache(4)
def _bank(check: Check, seed: int) -> dict:
    """What is kept for a check, up to 20 MB; a class is graded one assignment after another. Raises LookupError."""
    found = oracle.kept(KIND, check, seed, check.cases(seed))
    if found is None:
        # Another time it may be had.
        raise LookupError(check.name)
    return found


def build(checks: list[Check], seed: int) -> None:
    """Let the bank answer every case of the checks, and keep that. Raises OSError where nothing can be kept."""
    for check in checks:
        if _has_answers(check):
            oracle.keep(
                KIND, check, seed, lambda cases, check=check: _wrong_ways(check, cases, oracle.expected(check, seed))
            )


def _has_answers(check: Check) -> bool:
    """Whether what comes back is the same each time: numbers, or a model; what training makes of one is not."""
    return check.oracle is not None or check.of_probe is not None


def _wrong_ways(check: Check, cases: list[Case], answers: list) -> dict:
    """By what the outcomes look like: the names of misconceptions, one or two of each, and a row of numbers for each."""
    found: dict[str, list] = {}
    for names, outcomes in _tried(check, cases, answers):
        form, arrays = _looked_at(cases, outcomes)
        found.setdefault(form, []).append((names, _row(arrays)))
    return {form: [[names for names, _ in ways], np.stack([row for _, row in ways])] for form, ways in found.items()}


def _tried(check: Check, cases: list[Case], answers: list) -> Iterator[tuple[list[str], list[Outcome]]]:
    """The outcomes of every misconception, and of every two of which it is known what both at once would give."""
    bank = [one for one in load_bank().values() if one.check == check.name and not one.untellable]
    alone = {one.name: _outcomes(one.function, cases) for one in bank}
    for name, outcomes in alone.items():
        yield [name], outcomes
    right = _each_looked_at(cases, [Outcome("returned", answer) for answer in answers])
    shows = {
        name: [not _same(*both) for both in zip(_each_looked_at(cases, outcomes), right, strict=True)]
        for name, outcomes in alone.items()
    }
    for one, other in itertools.combinations(bank, 2):
        outcomes = _made_both(one, other, cases)
        if outcomes is None and not any(map(all, zip(shows[one.name], shows[other.name], strict=True))):
            # Where no case shows both, as when each has a branch of its own, every case shows one of them or is right.
            ways = zip(alone[one.name], alone[other.name], shows[other.name], strict=True)
            outcomes = [second if is_second else first for first, second, is_second in ways]
        if outcomes is not None:
            yield [one.name, other.name], outcomes


def _made_both(one: Misconception, other: Misconception, cases: list[Case]) -> list[Outcome] | None:
    """The outcomes of one as a change of the other; None where neither is a change, or where both at once raise an error.

    In one order alone: two changes that differ by their order are hardly ever made.
    """
    if not one.change:
        one, other = other, one
    if not one.change:
        return None
    try:
        return [_returned(twisted(one.change, other.function), case) for case in cases]
    except Exception:
        return None


def _each_looked_at(cases: list[Case], outcomes: list[Outcome]) -> list[tuple[str, list[np.ndarray]]]:
    return [_looked_at([case], [outcome]) for case, outcome in zip(cases, outcomes, strict=True)]


def _same(one: tuple[str, list[np.ndarray]], other: tuple[str, list[np.ndarray]]) -> bool:
    """Whether what was looked at is alike, in form and numbers."""
    return one[0] == other[0] and bool(_alike(_row(one[1]), _row(other[1])))


def _outcomes(function: Callable, cases: list[Case]) -> list[Outcome]:
    """The outcome of every case; some share a call."""
    shared: dict[str, Outcome] = {}
    for case in cases:
        key = case.call or case.name
        if key not in shared:
            shared[key] = _outcome(function, case)
    return [shared[case.call or case.name] for case in cases]


def _outcome(function: Callable, case: Case) -> Outcome:
    outcome = call(function, *case.args, seconds=case.seconds, **case.kwargs)
    outcome.value = plain(outcome.value, case.probe)
    return outcome


def _returned(function: Callable, case: Case) -> Outcome:
    """The outcome of a call that returns; raises what it raises. Faster than `call`, for the thousands of pairs."""
    if case.keeps_inputs:
        return _outcome(function, case)
    args, kwargs = copy.deepcopy((case.args, case.kwargs))
    with np.errstate(all="ignore"):
        return Outcome("returned", plain(function(*args, **kwargs)))


def _looked_at(cases: list[Case], outcomes: list[Outcome]) -> tuple[str, list[np.ndarray]]:
    """What can be compared of outcomes: a digest of all that is no number, and the numbers."""
    arrays: list[np.ndarray] = []
    words = []
    for case, outcome in zip(cases, outcomes, strict=True):
        if outcome.kind != "returned":
            words.append(re.match(r"\w* ?\w* ?\w*", outcome.sentence)[0])
        else:
            words.append(f"changed {outcome.changed}" if case.keeps_inputs else _form(outcome.value, arrays))
    return hashlib.sha256("\n".join(words).encode()).hexdigest(), arrays


def _form(value, arrays: list[np.ndarray]) -> str:
    """What a value is, its numbers aside; these are added to `arrays`."""
    if isinstance(value, (list, tuple)):
        try:
            array = np.asarray(value)
        except ValueError:
            array = None
        if array is None or array.dtype.kind not in "iuf":
            return f"[{','.join(_form(one, arrays) for one in value)}]"
        value = array
    if isinstance(value, Description):
        # Of an error the rest names objects of this very process.
        computed = value.computed.partition(":")[0] if isinstance(value.computed, str) else value.computed
        layers = [[one[key] for key in sorted(one)] for one in value.layers]
        return f"a model {_form([value.input_shape, layers, computed], arrays)}"
    if isinstance(value, (bool, np.bool_, str, type(None), Unknown)):
        return repr(value)
    if isinstance(value, (int, float, np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.kind in "iuf":
            arrays.append(array)
            return str(array.shape)
        return f"{array.shape} {hashlib.sha256(array.tobytes()).hexdigest()}"
    return type(value).__name__


def _row(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([array.ravel().astype(float) for array in arrays] or [np.zeros(0)])


def _alike(numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Whether numbers are those of a row, for one row or each of several; as exact as `compare`, and NaN is like NaN."""
    # Capped, so that large whole numbers, which are counts, are alike only where they are equal.
    allowed = TOLERANCE * (1 + np.minimum(abs(rows), 1000))
    with np.errstate(invalid="ignore"):
        close = (abs(rows - numbers) <= allowed) | (rows == numbers) | (np.isnan(rows) & np.isnan(numbers))
    return close.all(axis=-1)
