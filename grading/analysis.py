"""What the scores of a class say of its students and of the checks, as plain data.

Shares are of a check's or an assignment's points, from 0 to 1. Scores are those before any penalty for being late: they
are to tell what was understood.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

HELP_BELOW = 0.5
"""Share of an assignment's points below which a student is taken to need help."""
NOT_WRITTEN = 2
"""Checks not written that say so too."""
FEWEST = 3
"""Students from which on a correlation is given at all."""
SMALL = 10
"""A class of fewer says too little of a check to remark on it."""
BINS = 10
"""Of the distribution of scores."""
WEEKS = 2
"""Before and after the deadline that its plot shows; what lies beyond counts to its ends."""
WIDTHS = (1, 2, 3, 6, 12, 24)
"""Hours of a bin of that plot: the first that makes no more than MOST_BINS."""
MOST_BINS = 28
LEAST = 6
"""Bins before the deadline, or the last submission, that are shown even where they are empty."""

UNTOUCHED = "handed in as it was given out"
NOTHING = "nothing handed in"
NOT_GIVEN_OUT = "not given out yet"
UNREADABLE = "handed in, and could not be read"


@dataclass(frozen=True)
class Submission:
    """One student's graded work.

    points: of each check. not_written: checks whose function still is as it was given out. causes: by check, the ways
    that explain all that is wrong, each a tuple of names in the bank of misconceptions. submitted: UTC, None where that
    is unknown. late: hours after the student's own deadline, negative before it, None without one. penalty: points.
    """

    student: str
    name: str
    points: dict[str, float]
    not_written: frozenset[str] = frozenset()
    causes: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    submitted: datetime | None = None
    late: float | None = None
    penalty: float = 0.0

    @property
    def score(self) -> float:
        """Points of all checks."""
        return sum(self.points.values())

    @property
    def untouched(self) -> bool:
        """Whether nothing in it is written."""
        return bool(self.points) and len(self.not_written) == len(self.points)


@dataclass(frozen=True)
class Class:
    """An assignment as a class did it.

    checks: points of each. students: names of all in the gradebook, by id. waiting: ids of those who have handed in and
    are not graded. words: what the bank of misconceptions says of one, by check and name, as results hold it. unusable:
    by id, why nothing that a student handed in could be graded; it says nothing of what was understood. given_out:
    whether students have it.
    """

    assignment: str
    checks: dict[str, float]
    students: dict[str, str]
    submissions: list[Submission]
    waiting: frozenset[str] = frozenset()
    deadline: datetime | None = None
    words: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    given_out: bool = True

    @property
    def points(self) -> float:
        """What the assignment is worth."""
        return sum(self.checks.values())

    @property
    def scores(self) -> np.ndarray:
        """(students,) points of everybody who was graded."""
        return np.array([one.score for one in self.submissions], dtype=float)


@dataclass(frozen=True)
class CheckStatistics:
    """How a class did on one check: students with full, some and no points, and of those without a line written.

    difficulty: see `difficulty`; discrimination: see `discrimination`. Both are None where they mean nothing.
    """

    check: str
    points: float
    full: int
    partial: int
    none: int
    not_written: int
    difficulty: float | None
    discrimination: float | None

    @property
    def remark(self) -> str:
        """What an instructor would look at, in words; "" for nothing, and for a class too small to tell."""
        if self.full + self.partial + self.none + self.not_written < SMALL:
            return ""
        # Rules of thumb after Ebel and Frisbie, Essentials of Educational Measurement (1991), chapter 13.
        if self.discrimination is not None and self.discrimination < 0:
            return "who does well elsewhere loses points here: look at this check first"
        if self.difficulty is not None and self.difficulty < 0.3:
            return "few solve it"
        if self.difficulty is not None and self.difficulty >= 0.95:
            return "nearly everybody solves it"
        if self.discrimination is not None and self.discrimination < 0.2:
            return "says little about the rest"
        return ""


@dataclass(frozen=True)
class Misunderstood:
    """A misconception of this class.

    students: whose answers it explains, alone or together with another; perhaps: of them, those whose answers something
    else explains as well. wrong, shows, look: the bank's words.
    """

    check: str
    name: str
    wrong: str
    shows: str
    look: str
    students: int
    perhaps: int


@dataclass(frozen=True)
class Stuck:
    """A student who needs help, with what is known of the trouble."""

    submission: Submission
    share: float
    not_written: list[str]
    misunderstood: list[str]


@dataclass(frozen=True)
class Times:
    """When a class handed in: counts in bins of `width` hours.

    starts: hours from the reference to the start of each bin. reference: the deadline, or the last submission where
    there is none. late: how many were after their own deadline, None without one.
    """

    starts: list[float]
    counts: list[int]
    width: float
    reference: datetime | None
    late: int | None


def distribution(group: Class) -> list[int]:
    """How many students have up to a tenth of the points, two tenths, …: BINS counts; the last holds the full score."""
    if not group.points:
        return [0] * BINS
    # A full score belongs to the last bin, and so does extra credit.
    places = np.clip((group.scores / group.points * BINS).astype(int), 0, BINS - 1)
    return np.bincount(places, minlength=BINS).tolist()


def difficulty(points: np.ndarray, possible: float) -> float | None:
    """The mean share of a check's points, 1 where everybody has all: classical test theory's item difficulty p.

    points: (students,). Source: Lord and Novick, Statistical Theories of Mental Test Scores (1968), chapter 15.
    """
    return float(points.mean() / possible) if len(points) and possible else None


def discrimination(points: np.ndarray) -> list[float | None]:
    """Of each check, how far it tells apart who does well on the others: the corrected item-total correlation.

    That is Pearson's r between a check's points and the sum of all *other* checks' points: with itself in the sum a
    check would always agree somewhat. For a check of all or nothing it is the point-biserial correlation. From -1 to 1.
    points: (students, checks). None for fewer than FEWEST students, and where one side is the same for all of them.
    Source: Nunnally and Bernstein, Psychometric Theory (1994), chapter 8.
    """
    students, checks = points.shape
    found: list[float | None] = [None] * checks
    if students < FEWEST or checks < 2:
        return found
    for place in range(checks):
        own, rest = points[:, place], np.delete(points, place, axis=1).sum(axis=1)
        # Sums of cents of a point differ by rounding alone.
        if np.ptp(own) > 1e-9 and np.ptp(rest) > 1e-9:
            found[place] = float(np.corrcoef(own, rest)[0, 1])
    return found


def check_statistics(group: Class) -> list[CheckStatistics]:
    """The class on each check, in the assignment's order."""
    points = np.array([[one.points.get(name, 0.0) for name in group.checks] for one in group.submissions])
    points = points.reshape(len(group.submissions), len(group.checks))
    found = []
    worths = discrimination(points)
    for place, (name, possible) in enumerate(group.checks.items()):
        own = points[:, place]
        written = np.array([name not in one.not_written for one in group.submissions], dtype=bool)
        full = own >= possible - 1e-9
        nothing = (own <= 0) & ~full
        counts = full & written, ~full & ~nothing & written, nothing & written, ~written
        found.append(
            CheckStatistics(
                name, possible, *(int(one.sum()) for one in counts), difficulty(own, possible), worths[place]
            )
        )
    return found


def misunderstood(group: Class) -> list[Misunderstood]:
    """The misconceptions that explain answers of this class, those of most students first."""
    students, perhaps = Counter(), Counter()
    for one in group.submissions:
        for check, ways in one.causes.items():
            for name in {name for way in ways for name in way}:
                students[check, name] += 1
                perhaps[check, name] += not all(name in way for way in ways)
    found = [
        Misunderstood(*key, **group.words[key], students=count, perhaps=perhaps[key]) for key, count in students.items()
    ]
    return sorted(found, key=lambda one: (-one.students, one.perhaps, one.check, one.name))


def stuck(group: Class) -> list[Stuck]:
    """Who handed in and needs help: a share below HELP_BELOW, or NOT_WRITTEN checks not written; the lowest first."""
    found = []
    for one in group.submissions:
        share = one.score / group.points if group.points else 1.0
        if one.untouched or (share >= HELP_BELOW and len(one.not_written) < NOT_WRITTEN):
            continue
        wrong = [
            group.words[check, name]["wrong"] for check, ways in one.causes.items() for way in ways[:1] for name in way
        ]
        found.append(Stuck(one, share, [name for name in group.checks if name in one.not_written], wrong))
    return sorted(found, key=lambda one: (one.share, one.submission.student))


def never_started(group: Class) -> dict[str, str]:
    """Who has not begun, as far as can be known, and what tells so, by id; who waits for grading has.

    A file that cannot be read tells nothing, and nobody can begin what is not given out.
    """
    if not group.given_out:
        return {}
    graded = {one.student: one for one in group.submissions}
    found = {}
    for student in group.students:
        if student not in graded:
            found |= {} if student in group.waiting or student in group.unusable else {student: NOTHING}
        elif graded[student].untouched:
            found[student] = UNTOUCHED
    return found


def times(group: Class) -> Times | None:
    """When the class handed in; None where no time is known."""
    stamps = [one.submitted for one in group.submissions if one.submitted is not None]
    if not stamps:
        return None
    if group.deadline is not None:
        hours = [one.late for one in group.submissions if one.late is not None]
    else:
        hours = [(one - max(stamps)).total_seconds() / 3600 for one in stamps]
    most = WEEKS * 7 * 24
    clipped = np.clip(np.array(hours, dtype=float), 1e-6 - most, most)
    for width in WIDTHS:
        # A bin holds its end, not its start: what comes at the deadline is in time.
        places = np.ceil(clipped / width).astype(int) - 1
        # The reference is always in sight, with a little of what lies before it.
        first, last = min(int(places.min()), -LEAST), max(int(places.max()), -1)
        if last - first < MOST_BINS:
            break
    counts = np.bincount(places - first, minlength=last - first + 1)
    late = sum(one > 0 for one in hours) if group.deadline is not None else None
    starts = [float(place * width) for place in range(first, last + 1)]
    return Times(starts, counts.tolist(), float(width), group.deadline or max(stamps), late)
