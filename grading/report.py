"""The page on a class, and the same as CSV: `convblocks report`.

The page is one file that needs nothing else and runs nothing but its own script, which sorts tables. Whatever comes
from a student or the gradebook stands in it as text.
"""

from __future__ import annotations

import base64
import csv
import functools
import hashlib
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from markupsafe import Markup
from nbgrader.api import Assignment, BaseCell, Grade, Gradebook, Notebook, SubmittedAssignment, SubmittedNotebook

from autograde_tests import oracle
from autograde_tests.cases import course_seed
from autograde_tests.checking import load_checks
from autograde_tests.explaining import explain
from autograde_tests.misconceptions import load_bank
from convblocks.calling import call
from convblocks.compare import compare
from convblocks.figures import Figure
from convblocks.transfer import plain
from grading import analysis, plots
from grading.analysis import Class, Submission
from grading.course import Course, NoCourse, label, penalties, students
from grading.export import defuse
from grading.sanitize import TEMPLATES, pages

PAGE = "report.html"
LEGEND = ("all points", "some", "none", "not written")


def report(course: Course, assignments: list[str], to: Path) -> list[Path]:
    """Write the page and its CSV files; what was written, the page first.

    assignments: all where there are none. to: the page, where it ends in .html, or else a folder, made where it is
    missing; what is there of an earlier report is replaced. Raises NoCourse, also for an assignment that the course
    does not have, and OSError.
    """
    known = course.assignments()
    for unknown in (one for one in assignments if one not in known):
        raise NoCourse(f"there is no assignment {unknown!r} here, only {', '.join(known) or 'none yet'}")
    with course.gradebook() as gradebook:
        groups = [read(course, gradebook, one) for one in dict.fromkeys(assignments or known)]
    page = to if to.suffix == ".html" else to / PAGE
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render(course.coursedir.course_id, groups, datetime.now(UTC)), encoding="utf-8")
    written = [page]
    for name, rows in tables(groups).items():
        written.append(page.with_name(f"{page.stem}-{name}.csv"))
        with written[-1].open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([defuse(value) for value in row] for row in rows)
    return written


def read(course: Course, gradebook: Gradebook | None, assignment: str) -> Class:
    """A class' work on one assignment, from the gradebook and, for what the checks found, the graded notebooks."""
    handed_in = {*course.inbound(assignment), *course.collected(assignment)}
    found = gradebook and gradebook.db.query(Assignment).filter(Assignment.name == assignment).first()
    if not found:
        given_out = bool(handed_in) or course.is_given_out(assignment)
        return Class(assignment, {}, students(gradebook), [], frozenset(handed_in), given_out=given_out)
    names = students(gradebook)
    cells = course.checks(assignment, gradebook)
    labels = _labels(cells)
    points, untried = _points(gradebook, found.id)
    lost = penalties(gradebook)
    rows = gradebook.db.query(
        SubmittedAssignment.id,
        SubmittedAssignment.student_id,
        SubmittedAssignment.timestamp,
        SubmittedAssignment.extension,
    ).filter(SubmittedAssignment.assignment_id == found.id)
    submissions, words, unusable = [], {}, {}
    for key, student, stamp, extension in rows.order_by(SubmittedAssignment.student_id):
        if key in untried:
            continue
        deadline = found.duedate + extension if found.duedate and extension else found.duedate
        late = (stamp - deadline).total_seconds() / 3600 if stamp and deadline else None
        not_written, causes = set(), {}
        notebooks = course.graded_notebooks(student, assignment)
        reasons = {one.unusable for one in notebooks.values()}
        if reasons and "" not in reasons:
            unusable[student] = "; ".join(sorted(reasons))
            continue
        for notebook, graded in notebooks.items():
            # What could not be read may well be written.
            for cell, result in graded.results.items() if not graded.unusable else ():
                name = labels.get((notebook, cell))
                if name is None:
                    continue
                not_written |= set() if result["written"] else {name}
                if result.get("causes"):
                    causes[name] = [tuple(each["name"] for each in cause) for cause in result["causes"]]
                    for each in (each for cause in result["causes"] for each in cause):
                        words[name, each["name"]] = {key: each[key] for key in ("wrong", "shows", "look")}
        own = {labels[cell]: score for cell, score in points.get(key, {}).items() if cell in labels}
        submissions.append(
            Submission(
                student,
                names.get(student, student),
                own,
                # Points that a person gave for what was not written are points.
                frozenset(one for one in not_written if not own.get(one)),
                causes,
                stamp,
                late,
                lost.get(key, 0.0),
            )
        )
    graded = {*unusable, *(one.student for one in submissions)}
    checks = {labels[cell]: worth for cell, worth in cells.items()}
    given_out = bool(handed_in or graded) or course.is_given_out(assignment)
    waiting = frozenset(handed_in - graded)
    return Class(assignment, checks, names, submissions, waiting, found.duedate, words, unusable, given_out)


def _labels(cells: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What each graded cell is called; with its notebook's name where two would be called the same."""
    cells = list(cells)
    said = [label(cell) for _, cell in cells]
    return {
        one: name if said.count(name) == 1 else f"{name} in {one[0]}" for one, name in zip(cells, said, strict=True)
    }


def _points(gradebook: Gradebook, assignment: str) -> tuple[dict[str, dict[tuple[str, str], float]], set[str]]:
    """Points by submission and cell, and the submissions of which nothing has been graded; by their database ids."""
    rows = (
        gradebook.db.query(
            SubmittedAssignment.id, Notebook.name, BaseCell.name, Grade.score, Grade.auto_score, Grade.manual_score
        )
        .select_from(Grade)
        .join(SubmittedNotebook, Grade.notebook_id == SubmittedNotebook.id)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        .join(BaseCell, Grade.cell_id == BaseCell.id)
        .filter(SubmittedAssignment.assignment_id == assignment)
    )
    points: dict[str, dict[tuple[str, str], float]] = {}
    tried = set()
    for key, notebook, cell, score, auto, manual in rows:
        points.setdefault(key, {})[notebook, cell] = score
        if auto is not None or manual is not None:
            tried.add(key)
    return points, set(points) - tried


# The page


def render(course: str, groups: list[Class], made: datetime) -> str:
    """The page as HTML. course: its name; made: when, UTC."""
    environment = pages()
    environment.filters |= {"number": _number, "time": _time, "percent": _percent}
    script, style = ((TEMPLATES / f"report.{kind}").read_text(encoding="utf-8") for kind in ("js", "css"))
    policy = (
        f"default-src 'none'; img-src data:; script-src '{_digest(script)}'; style-src '{_digest(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return environment.get_template("report.html.j2").render(
        course=course,
        made=made,
        policy=policy,
        script=Markup(script),
        style=Markup(style),
        patterns=plots.PATTERNS,
        sections=[_section(place, group) for place, group in enumerate(groups, 1)],
        help_below=analysis.HELP_BELOW,
        help_not_written=analysis.NOT_WRITTEN,
    )


def _digest(text: str) -> str:
    """How a Content-Security-Policy names a script or a style sheet that stands in the page."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _section(place: int, group: Class) -> dict:
    """What the page shows of one assignment."""
    checks = analysis.check_statistics(group)
    scores = group.scores
    graded = bool(len(scores))
    section = {
        "id": f"assignment-{place}",
        "group": group,
        "checks": checks if graded else [],
        "misunderstood": [(one, sample(one.check, one.name)) for one in analysis.misunderstood(group)],
        "stuck": analysis.stuck(group),
        "never": analysis.never_started(group),
        "untouched": sum(one.untouched for one in group.submissions),
        "quartiles": statistics.quantiles(scores, n=4, method="inclusive") if len(scores) > 1 else [],
        "median": statistics.median(scores) if graded else None,
        "pictures_kept": oracle.is_warm(_oracles(group), course_seed()),
        "seed": course_seed(),
        "times": analysis.times(group),
    }
    section["time_plot"] = _time_plot(section["times"]) if section["times"] else None
    if graded and group.points:
        section["score_plot"] = _score_plot(group, section["median"])
        section["check_plot"] = _check_plot(checks)
    return section


def _oracles(group: Class) -> list:
    return [load_checks()[name] for name in group.checks if name in load_checks()]


def _score_plot(group: Class, median: float) -> Markup:
    counts, bins = analysis.distribution(group), analysis.BINS
    edges = [group.points * place / bins for place in range(bins + 1)]
    said = "; ".join(
        f"{_number(edges[place])} to {_number(edges[place + 1])} points: {count}"
        for place, count in enumerate(counts)
        if count
    )
    alt = (
        f"Distribution of {len(group.submissions)} scores, median {_number(median)} of {_number(group.points)}: {said}"
    )
    line = min(median / group.points, 1) * bins, f"median {_number(median)}"
    return plots.histogram(counts, dict(enumerate(map(_number, edges))), "points", alt, line)


def _check_plot(checks: list[analysis.CheckStatistics]) -> Markup:
    rows = {one.check: (one.full, one.partial, one.none, one.not_written) for one in checks}
    said = "; ".join(
        f"{name}: {', '.join(f'{count} {what}' for count, what in zip(counts, LEGEND, strict=True) if count)}"
        for name, counts in rows.items()
    )
    return plots.stacked(rows, LEGEND, f"Students by points, for every check: {said}")


def _time_plot(times: analysis.Times) -> Markup:
    """Around the deadline, or, where there is none, before the last submission."""
    starts, width = times.starts, times.width
    # At most eight texts have room; they stand at whole days, or at whole steps of hours.
    step = next(one for one in (6, 12, 24, 48, 96, 168, 336) if len(starts) * width / one <= 8)
    deadline = times.late is not None
    ticks = {
        place: _hours(start) for place, start in enumerate([*starts, starts[-1] + width]) if start % step == 0 and start
    }
    zero = -starts[0] / width
    said = "; ".join(
        f"{_hours(start)} to {_hours(start + width)}: {count}"
        for start, count in zip(starts, times.counts, strict=True)
        if count
    )
    reference = "the deadline" if deadline else "the last submission"
    alt = f"Submissions by time from {reference}, {_time(times.reference)}: {said}"
    line = zero, "deadline" if deadline else "last one"
    return plots.histogram(times.counts, ticks, f"time from {reference}", alt, line, round(zero))


def _hours(hours: float) -> str:
    """A time from the deadline, as one would say it: days where they are whole."""
    sign = "−" if hours < 0 else "+" if hours else ""
    size = abs(hours)
    return f"{sign}{size / 24:g} d" if size % 24 == 0 else f"{sign}{size:g} h"


@dataclass(frozen=True)
class Sample:
    """A misconception on one case: what is off, and, where they can be shown, a picture and the right arithmetic."""

    sentence: str
    figure: Figure | None = None
    steps: tuple[str, ...] = ()


@functools.cache
def sample(check: str, name: str) -> Sample | None:
    """How a misconception of the bank shows: its wrong function and the right numbers, on a case that may be shown.

    One with a picture, where there is one; None where no such case shows it, and where what Keras answers is not kept.
    Drawn by our own code from our own function: nothing of it comes from a student.
    """
    wrong, asked = load_bank().get((check, name)), load_checks().get(check)
    if wrong is None or asked is None or not oracle.is_warm([asked], course_seed()):
        return None
    cases = asked.cases(course_seed())
    found = []
    for case, right in zip(cases, oracle.expected(asked, course_seed()), strict=True):
        if not case.showable or right is None:
            continue
        outcome = call(wrong.function, *case.args, seconds=case.seconds, **case.kwargs)
        if outcome.kind != "returned":
            found.append(Sample(outcome.sentence))
            continue
        value = plain(outcome.value, case.probe)
        if sentence := compare(value, right).sentence:
            shown = explain(check, case, value, right)
            found.append(Sample(sentence, shown.figure, shown.steps) if shown else Sample(sentence))
    return next((one for one in found if one.figure), found[0] if found else None)


# CSV


def tables(groups: list[Class]) -> dict[str, Iterator[list]]:
    """What the page says as rows of CSV files, by name; each begins with its header."""
    return {"students": _students(groups), "checks": _checks(groups), "misconceptions": _misconceptions(groups)}


def _students(groups: list[Class]) -> Iterator[list]:
    yield [
        *("assignment", "student_id", "name", "state", "points", "max_points", "late_penalty", "submitted_utc"),
        *("hours_after_deadline", "needs_help", "not_written", "misconceptions"),
    ]
    for group in groups:
        graded = {one.student: one for one in group.submissions}
        helpless = {one.submission.student for one in analysis.stuck(group)}
        never = analysis.never_started(group)
        for student in sorted({*group.students, *graded, *group.waiting}):
            unusable = analysis.UNREADABLE if student in group.unusable else ""
            waits = "waits for grading" if group.given_out else analysis.NOT_GIVEN_OUT
            state = unusable or never.get(student) or ("graded" if student in graded else waits)
            row = [group.assignment, student, group.students.get(student, student), state]
            if one := graded.get(student):
                names = sorted({name for ways in one.causes.values() for way in ways for name in way})
                row += [round(one.score, 2), group.points, one.penalty, one.submitted]
                row += ["" if one.late is None else round(one.late, 2), "yes" if student in helpless else "no"]
                row += ["; ".join(name for name in group.checks if name in one.not_written), "; ".join(names)]
            yield row


def _checks(groups: list[Class]) -> Iterator[list]:
    yield [
        *("assignment", "check", "points", "all_points", "some_points", "no_points", "not_written"),
        *("difficulty", "discrimination", "remark"),
    ]
    for group in groups:
        for one in analysis.check_statistics(group):
            shares = ["" if share is None else round(share, 3) for share in (one.difficulty, one.discrimination)]
            counts = [one.full, one.partial, one.none, one.not_written]
            yield [group.assignment, one.check, one.points, *counts, *shares, one.remark]


def _misconceptions(groups: list[Class]) -> Iterator[list]:
    yield ["assignment", "check", "misconception", "students", "perhaps", "wrong", "shows", "look"]
    for group in groups:
        for one in analysis.misunderstood(group):
            counts = [one.students, one.perhaps]
            yield [group.assignment, one.check, one.name, *counts, one.wrong, one.shows, one.look]


# Words of the page


def _number(value: float | None, digits: int = 2) -> str:
    """A number without zeros at its end; a dash for none."""
    if value is None:
        return "–"
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:,.0f}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _time(moment: datetime | None) -> str:
    return "–" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
