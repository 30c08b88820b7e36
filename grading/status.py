"""What has been done in a course and what comes next: `convblocks status`."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from nbgrader.api import Assignment, Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from nbgrader.utils import notebook_hash
from sqlalchemy import distinct, func

from autograde_tests import oracle
from autograde_tests.cases import course_seed
from autograde_tests.checking import load_checks, version
from grading import policy
from grading.course import Course, GradedNotebook, label, students
from grading.execute import is_outdated
from grading.feedback import fingerprints, made_of, secret
from grading.files import NO_STUDENT, names_a_student
from grading.intake import Wanted, find_problems, holds_back, wanted_notebooks

LEFT_OUT = "left out"
"""What every sentence of grading's has in it that tells of a file or a cell that was not taken."""


@dataclass(frozen=True)
class Problem:
    """what: is the matter. students: with whose submission, or which file, and what more is known, "" for nothing."""

    what: str
    students: dict[str, str]


@dataclass(frozen=True)
class Step:
    """Something to be done: why, and the command that does it."""

    why: str
    command: str


@dataclass
class Status:
    """Where one assignment stands; numbers are of students.

    generated: whether release/ and the gradebook have it. differs: graded cells that are worth something else in
    source/ than in the gradebook. released: whether the exchange has it, None where there is no telling.
    downloaded: whether a download waits to be taken in. collected: in submitted/. waiting: handed in and not collected,
    or newer than what was. graded; due: to be graded, for the first time or anew. outdated: graded by a check that has
    changed since, None where nobody knows. by_hand: with cells that wait for a person. pages: with feedback that says
    what the gradebook does; stale: with other feedback; apart: of pages, those that the exchange cannot give back; out:
    those that it has. steps: all that is to be done, in order; the first comes next.
    """

    assignment: str
    generated: bool = False
    differs: list[str] = field(default_factory=list)
    released: bool | None = None
    downloaded: bool = False
    collected: int = 0
    waiting: int = 0
    graded: int = 0
    due: int = 0
    outdated: int | None = 0
    by_hand: int = 0
    pages: int = 0
    stale: int = 0
    apart: int = 0
    out: int = 0
    problems: list[Problem] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)


def look(course: Course) -> Iterator[Status]:
    """Where each assignment stands. Changes nothing. Raises grading.course.NoCourse."""
    current = functools.cache(_current_version)
    wanted_notebooks.cache_clear()
    for assignment in course.assignments():
        with course.gradebook() as gradebook:
            yield _look(course, assignment, gradebook, current)


def _look(course: Course, assignment: str, gradebook: Gradebook | None, current) -> Status:
    found = Status(assignment)
    made = bool(course.notebooks(course.coursedir.release_directory, assignment))
    wanted = wanted_notebooks(course.coursedir.db_url, assignment) if gradebook else []
    # The folder alone may come with the course.
    found.generated = made and bool(wanted)
    found.differs = course.differing_points(assignment, gradebook) if gradebook else []
    if course.exchange:
        found.released = course.is_released(assignment)
    # With these nothing is done.
    excluded = {*course.coursedir.student_id_exclude.split(",")}
    inbound, collected = (
        {student: one for student, one in each.items() if student not in excluded}
        for each in (course.inbound(assignment), course.collected(assignment))
    )
    found.collected = len(collected)
    found.waiting = sum(
        one not in collected or _is_newer(course, assignment, each, collected[one]) for one, each in inbound.items()
    )
    download = course.download(assignment, gradebook)
    # Somebody in it may be known by now who was not when it was unpacked.
    found.downloaded = download.newer or any(
        names_a_student(one) for one in download.students - excluded - set(collected)
    )
    problems: dict[str, dict[str, str]] = {}
    problems["left out when a download was unpacked"] = download.closed
    problems["left out of what was downloaded"] = download.left
    unnameable = {one: "" for one in collected if not names_a_student(one)}
    problems[f"a folder in submitted/ {NO_STUDENT}: rename it"] = unnameable
    known = students(gradebook)
    strangers = [one for one in {**inbound, **collected} if one not in known and one not in unnameable]
    # A course may do without a list of its students: grading adds whoever hands in.
    problems["not in the gradebook, where grading adds whoever hands in"] = {one: "" for one in strangers if known}
    graded = set(course.students(course.coursedir.autograded_directory, assignment)) - excluded
    looked_at = {one: course.graded_notebooks(one, assignment) for one in sorted(graded)}
    due = {one for one in collected if one not in unnameable and _is_due(course, one, assignment, looked_at, wanted)}
    held_back = _held_back(course, assignment, due & set(looked_at), wanted)
    problems["with a newer file that cannot be used, so that what was graded before stays"] = held_back
    due -= set(held_back)
    found.due = len(due)
    done = {one: notebooks for one, notebooks in looked_at.items() if one not in due}
    found.graded = len(done)
    versions = [{current(one["check"]) for one in _results(each)} for each in done.values()]
    if any(None in one for one in versions):
        found.outdated = None
    else:
        now = {(one.name, cell): by for one in wanted for cell, by in one.scored_by.items()}
        found.outdated = sum(
            any(
                is_outdated(result, current, now.get((name, cell)))
                for name, one in each.items()
                for cell, result in one.results.items()
            )
            for student, each in done.items()
            # Of what is no longer there nothing can be scored again.
            if student in collected
        )
    for what, which in (
        ("could not be graded as it was handed in", lambda one: one.unusable),
        ("did not run smoothly", lambda one: _points(one.notes.get("did-not-run", ""))),
        ("a file or cell was left out", lambda one: _points(one.notes.get("mended", ""), LEFT_OUT)),
        ("mended before grading", lambda one: _points(one.notes.get("mended", ""), without=LEFT_OUT)),
    ):
        said = {one: " ".join(filter(None, map(which, each.values()))) for one, each in done.items()}
        problems[what] = {one: text for one, text in said.items() if text}
    penalties = policy.changed(gradebook, assignment, course.config) if gradebook else {}
    problems["have a late penalty that `convblocks extend`, or `convblocks grade --force`, would reckon otherwise"] = {
        one: f"{is_:g}, and now {would_be:g}" for one, (is_, would_be) in penalties.items() if one in done
    }
    found.by_hand = _by_hand(assignment, gradebook)
    secretless = _look_at_feedback(course, found, done, gradebook)
    found.apart = len(secretless)
    problems["came without the exchange: give back its pages, in feedback/, by hand"] = dict.fromkeys(secretless, "")
    found.problems = [Problem(what, which) for what, which in problems.items() if which]
    found.steps = list(_steps(found, course.has_source(assignment), made, download.unpacked))
    return found


def _is_newer(
    course: Course, assignment: str, handed_in: list[tuple[datetime, Path]], collected: datetime | None
) -> bool:
    """Whether `nbgrader collect --update` would take another submission than the one that was collected."""
    if collected is None or handed_in[0][0] <= collected:
        return collected is None
    wanted = wanted_notebooks(course.coursedir.db_url, assignment)
    # As grading.intake.Collect: of those that have the fewest notebooks that cannot be used, the newest.
    fewest, best = len(wanted), handed_in[0][0]
    for stamp, folder in handed_in:
        problems = len(find_problems(folder, wanted))
        if problems < fewest:
            fewest, best = problems, stamp
        if not problems:
            break
    return best > collected


def _is_due(
    course: Course,
    student: str,
    assignment: str,
    looked_at: dict[str, dict[str, GradedNotebook]],
    wanted: list[Wanted],
) -> bool:
    """Whether `convblocks grade` would grade it, if it can be used: as `grading.pool` and `grading.intake` decide."""
    notebooks = looked_at.get(student, {})
    whole = notebooks.keys() >= {one.name for one in wanted} and all(one.done for one in notebooks.values())
    return not notebooks or not whole or course.is_due(student, assignment)


def _held_back(course: Course, assignment: str, due: set[str], wanted: list[Wanted]) -> dict[str, str]:
    """Why submissions do not take the place of those that are graded, by student: as SubmissionExporter decides."""
    found = {}
    for student in sorted(due):
        folder = course.folder(course.coursedir.submitted_directory, student, assignment)
        graded = course.folder(course.coursedir.autograded_directory, student, assignment)
        if problem := holds_back(folder, graded, wanted):
            found[student] = problem
    return found


def _current_version(check: str) -> str | None:
    """The version of a check as it is now; None where Keras would have to be asked, which takes a minute."""
    checks = load_checks()
    if check not in checks:
        return ""
    return version(check) if oracle.is_warm([checks[check]], course_seed()) else None


def _results(notebooks: dict[str, GradedNotebook]) -> list[dict]:
    return [one for each in notebooks.values() for one in each.results.values()]


def _points(note: str, holding: str = "", without: str = "\0") -> str:
    """Of what grading says on top of a notebook, the items of its list with certain words, as one text."""
    items = [line.removeprefix("- ") for line in note.splitlines() if line.startswith("- ")]
    return " ".join(one for one in items if holding in one and without not in one)


def _by_hand(assignment: str, gradebook: Gradebook | None) -> int:
    if gradebook is None:
        return 0
    rows = gradebook.db.query(func.count(distinct(SubmittedAssignment.id))).select_from(Grade)
    rows = rows.join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
    rows = rows.join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id).join(Assignment)
    return rows.filter(Assignment.name == assignment, Grade.needs_manual_grade).scalar()


def _look_at_feedback(
    course: Course, found: Status, done: dict[str, dict[str, GradedNotebook]], gradebook: Gradebook | None
) -> list[str]:
    """Count pages of feedback; students whose pages the exchange cannot give back."""
    secretless, now = [], fingerprints(gradebook, found.assignment) if gradebook and done else {}
    for student, notebooks in done.items():
        folders = [
            course.folder(step, student, found.assignment)
            for step in (course.coursedir.autograded_directory, course.coursedir.feedback_directory)
        ]
        times = [(_changed(folders[0] / f"{one}.ipynb"), _changed(folders[1] / f"{one}.html")) for one in notebooks]
        if any(page == 0 for _, page in times):
            # Without any of them it is not made yet; with some of them it is not whole.
            found.stale += any(page for _, page in times)
            continue
        told = {(student, one): made_of(folders[1] / f"{one}.html") for one in notebooks}
        # A person's score, and more time, leave the graded notebook as it is.
        differs = any(said and said != now.get(one, said) for one, said in told.items())
        if differs or any(page < made for made, page in times):
            found.stale += 1
            continue
        found.pages += 1
        key = secret(folders[1])
        if key is None:
            secretless.append(student)
        elif course.exchange:
            names = [notebook_hash(secret=key, notebook_id=one) for one in notebooks]
            given = [_changed(course.exchange / "feedback" / f"{name}.html") for name in names]
            found.out += all(out >= page for out, (_, page) in zip(given, times, strict=True))
    return secretless


def _changed(path: Path) -> float:
    """When a file was last written, in seconds; 0 for none."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _steps(found: Status, has_source: bool, made: bool, unpacked: bool) -> Iterator[Step]:
    """What is to be done with an assignment, in the order of a week."""
    name = shlex.quote(found.assignment)
    if not found.generated and not has_source:
        why = "source/ has no notebook of it: put it there, or take it out of the gradebook, where it stands"
        yield Step(why, f"nbgrader db assignment remove {name}")
    elif not found.generated:
        # Without it nbgrader leaves what is there, and the gradebook without it.
        force = " --force" if made else ""
        why = "the gradebook does not know it yet" if made else "students' copy is not made yet"
        yield Step(why, f"nbgrader generate_assignment {name}{force}")
    elif found.released is False and not (found.collected or found.waiting or found.downloaded):
        # Where work has come in another way, it was given out another way.
        yield Step("students do not have it yet", f"nbgrader release_assignment {name}")
    if found.differs:
        why = f"source/ gives other points than the gradebook for {', '.join(map(label, found.differs))}"
        yield Step(why, f"nbgrader generate_assignment {name} --force")
    if found.waiting:
        update = "--update " if found.collected else ""
        yield Step(f"{found.waiting} handed in, not collected yet", f"nbgrader collect {update}{name}")
    if found.downloaded:
        # Without it nbgrader leaves what it has unpacked or collected before, and stops.
        force = "--force " if unpacked or found.collected else ""
        yield Step("a download waits to be taken in", f"nbgrader zip_collect {force}{name}")
    if found.due:
        yield Step(f"{found.due} to be graded", f"convblocks grade {name}")
    if found.outdated:
        yield Step(f"{found.outdated} graded before a check was changed", f"convblocks regrade {name}")
    if found.by_hand:
        yield Step(f"{found.by_hand} with cells to be graded by hand, in Formgrader", "jupyter lab")
    if found.graded > found.pages:
        old = f"feedback of {found.stale} is older than their grades" if found.stale else ""
        missing = found.graded - found.pages - found.stale
        new = f"{missing} without feedback" if missing else ""
        force = " --force" if found.stale else ""
        yield Step(", ".join(filter(None, (new, old))), f"nbgrader generate_feedback {name}{force}")
    elif found.released is not None and found.out + found.apart < found.pages:
        why = f"feedback of {found.pages - found.out - found.apart} is made, but not given back"
        yield Step(why, f"nbgrader release_feedback {name}")
