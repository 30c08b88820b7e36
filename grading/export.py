"""Grades as files that are safe to open in a spreadsheet: grades.csv, and what learning platforms take in."""

import contextlib
import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, TextIO

from nbgrader.api import Assignment, Grade, Gradebook, MissingEntry, Student, SubmittedAssignment, SubmittedNotebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import ExportPlugin
from sqlalchemy import func
from traitlets import Dict, Unicode

from grading.course import Course, instead, penalties

COLUMNS = [
    "assignment",
    "duedate",
    "timestamp",
    "student_id",
    "last_name",
    "first_name",
    "email",
    "raw_score",
    "late_submission_penalty",
    "score",
    "max_score",
]


# Blanks in front do not stop a spreadsheet from seeing one.
_FORMULA = re.compile(r"(?:\A|(?<=[;\r\n]))(?=\s*[=+@-])|\A(?=[\t\r\n])")


def defuse(value):
    """A cell that a spreadsheet takes as text: an apostrophe keeps =, +, - and @ from starting a formula.

    Where numbers are written with a comma, cells end at a semicolon and quotes in a line mean nothing.
    """
    return _FORMULA.sub("'", value) if isinstance(value, str) else value


class CsvExport(ExportPlugin):
    """nbgrader's own columns and options; names with commas, quotes or formulas in them stay in their cells."""

    usual = "grades.csv"
    """Where it goes, unless `--to` says otherwise."""

    def export(self, gradebook: Gradebook) -> None:
        """Write the file. Raises SystemExit, after a sentence that says why, where it cannot."""
        destination = Path(self.to or self.usual)
        self.log.info("Exporting grades to %s", destination)
        assignments, students = _chosen(self, gradebook)
        with _written(self, destination) as file:
            # With its own line ends, \r\n, it quotes names in which either is.
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            for assignment in assignments:
                for student in students:
                    row = _row(gradebook, assignment, student)
                    writer.writerow({column: defuse(value) for column, value in row.items()})


def _chosen(plugin: ExportPlugin, gradebook: Gradebook) -> tuple[list[Assignment], list[Student]]:
    """Assignments and students that an export is about; as on nbgrader's command line, no list means all.

    Ends the command, before anything is written, where one of a list is not there.
    """
    assignments = {one.name: one for one in gradebook.assignments}
    students = {one.id: one for one in gradebook.students}
    return _listed(plugin, "assignment", assignments), _listed(plugin, "student", students)


def _listed(plugin: ExportPlugin, what: str, there: dict) -> list:
    wanted = set(map(str, getattr(plugin, what)))
    for unknown in sorted(wanted - set(there)):
        _refuse(plugin, f"the gradebook has no {what} {unknown}{instead(unknown, there)}")
    return [one for name, one in there.items() if not wanted or name in wanted]


def _refuse(plugin: ExportPlugin, reason: str) -> NoReturn:
    """Say why nothing is exported, and end the command. Raises SystemExit."""
    plugin.log.error("Nothing was exported: %s.", reason)
    raise SystemExit(1)


@contextlib.contextmanager
def _written(plugin: ExportPlugin, destination: Path) -> Iterator[TextIO]:
    """A CSV file to be filled, in a folder that is made where it is missing; ends the command where it cannot be."""
    if destination.is_dir():
        _refuse(plugin, f"{destination} is a folder; let --to name a file, such as {destination / plugin.usual}")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with destination.open("w", newline="", encoding="utf-8") as file:
            yield file
    except OSError as error:
        _refuse(plugin, f"{destination} cannot be written ({error.strerror}); let --to name another file")


def _row(gradebook: Gradebook, assignment, student) -> dict:
    row = {
        "assignment": assignment.name,
        "duedate": assignment.duedate,
        "student_id": student.id,
        "last_name": student.last_name,
        "first_name": student.first_name,
        "email": student.email,
        "max_score": assignment.max_score,
    }
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        # As in nbgrader's own: not handed in is 0.
        return row | {"timestamp": "", "raw_score": 0.0, "late_submission_penalty": 0.0, "score": 0.0}
    penalty = submission.late_submission_penalty
    return row | {
        "timestamp": submission.timestamp,
        "raw_score": submission.score,
        "late_submission_penalty": penalty,
        "score": max(0.0, submission.score - (penalty or 0)),
    }


def final_scores(gradebook: Gradebook) -> dict[tuple[str, str], float]:
    """Points after late penalties, by assignment and student, of every submission that has been graded.

    What nbgrader keeps for a student before there is anything to grade, such as an extension, is no score of 0.
    """
    lost = penalties(gradebook)
    graded = (
        gradebook.db.query(
            SubmittedAssignment.id, Assignment.name, SubmittedAssignment.student_id, func.sum(Grade.score)
        )
        .join(Assignment, Assignment.id == SubmittedAssignment.assignment_id)
        .join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .group_by(SubmittedAssignment.id, Assignment.name, SubmittedAssignment.student_id)
        .having(func.count(Grade.auto_score) + func.count(Grade.manual_score) > 0)
    )
    return {(name, student): max(0.0, score - lost.get(key, 0.0)) for key, name, student, score in graded}


ALONE = "With one --assignment alone they have no row."


class _PlatformExport(ExportPlugin):
    """One row a student, one column an assignment, points after late penalties.

    A student of whom nothing has been graded has no row, and so keeps what a person may have typed on the platform: to
    Canvas and Moodle an empty cell means that a grade is to be taken away. Who has no identifier, or another student's,
    or stands in no roster though others do, has no row either, and is named.
    """

    usual = "grades.csv"
    """Where it goes, unless `--to` says otherwise."""
    quoting = csv.QUOTE_MINIMAL

    columns = Dict(
        value_trait=Unicode(),
        key_trait=Unicode(),
        help="By assignment, the heading of its column on the platform; where there is none, the assignment's name.",
    ).tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Write the file. Raises SystemExit, after a sentence that says why, where it cannot."""
        destination = Path(self.to or self.usual)
        assignments, students = _chosen(self, gradebook)
        scores = final_scores(gradebook)
        # Those to come have no column.
        begun = {name for name, _ in scores}
        assignments = [one for one in assignments if one.name in begun]
        names = [one.name for one in assignments]
        graded = [one for one in students if any((name, one.id) in scores for name in names)]
        about = self.about(graded)
        headings = self._headings(gradebook, about)
        known = self._identified(graded, any(map(_is_known, gradebook.students)))
        with _written(self, destination) as file:
            writer = csv.writer(file, quoting=self.quoting)
            writer.writerow([*about, *(headings[name] for name in names)])
            writer.writerows(self.before(len(about), assignments))
            for student in known:
                cells = [_points(scores.get((name, student.id))) for name in names]
                writer.writerow([*(defuse(value(student)) for value in about.values()), *cells])
        for name in names:
            if empty := [ascii(one.id) for one in known if (name, one.id) not in scores]:
                said = "%s: an empty cell takes away a grade that is there, and %d have handed in nothing: %s. %s"
                self.log.warning(said, name, len(empty), ", ".join(empty), ALONE)
        self.check_headings({name: headings[name] for name in names})
        said = "%s: %d assignments and %d students; %d of whom nothing has been graded have no row."
        self.log.info(said, destination, len(names), len(known), len(students) - len(graded))

    def about(self, students: list[Student]) -> dict:
        """Headings of the columns about a student, with a function of the student for each."""
        raise NotImplementedError

    def identifier(self, student: Student) -> str:
        """What the platform knows a student by; "" where that is not known."""
        return student.lms_user_id or student.id

    wanted = "an lms_user_id"
    """What a student without an identifier lacks."""

    def before(self, columns: int, assignments: list[Assignment]) -> list[list]:
        """Rows that come before the students', with so many columns about a student."""
        return []

    def check_headings(self, headings: dict[str, str]) -> None:
        """Warn of headings, by assignment, with which the platform does something else than one would think."""

    def _headings(self, gradebook: Gradebook, about: dict) -> dict[str, str]:
        """The heading of every assignment's column. Ends the command where one is of nothing, or of two columns."""
        setting = f"c.{type(self).__name__}.columns"
        # Whoever sets up a term's columns at once has assignments that are in no gradebook yet.
        there = {one.name for one in gradebook.assignments}
        there |= {*Course(CourseDirectory(parent=self), None, self.config).assignments()}
        for unknown in sorted(self.columns.keys() - there):
            _refuse(self, f"there is no assignment {unknown}, which is in {setting}{instead(unknown, there)}")
        headings = {name: self.columns.get(name, defuse(name)) for name in sorted(there)}
        # Also of what is not exported now: an earlier file has put another assignment's points there.
        columns = defaultdict(list)
        for name, heading in headings.items():
            columns[heading].append(name)
        for heading, names in columns.items():
            if heading in about:
                _refuse(self, f"{heading!r}, in {setting} for {names[0]}, is the heading of a column about students")
            if len(names) > 1:
                _refuse(self, f"{', '.join(names)} have one heading, {heading!r}; give each its own in {setting}")
        return headings

    def _identified(self, students: list[Student], rostered: bool) -> list[Student]:
        """Those whom the platform can tell from all others; the rest is named. rostered: whether there is a roster."""
        identifiers = {one.id: self.identifier(one) for one in students}
        counts = Counter(one.casefold() for one in identifiers.values())
        known = []
        for student in students:
            identifier = identifiers[student.id]
            if rostered and not _is_known(student):
                # Grading adds whoever hands in, under any name.
                reason = "is in no roster: nothing but the id is known"
            elif not identifier:
                reason = f"lacks {self.wanted}"
            elif defuse(identifier) != identifier:
                reason = f"is called {identifier!a} there, which a spreadsheet would run as a formula"
            elif counts[identifier.casefold()] > 1:
                reason = f"is called {identifier!a} there, and so is somebody else"
            else:
                known.append(student)
                continue
            said = "%s has no row: the student %s. Mend the roster, and import it with `convblocks roster`."
            self.log.warning(said, ascii(student.id), reason)
        return known


def _is_known(student: Student) -> bool:
    """Whether the gradebook knows more of a student than the id, as after `convblocks roster`."""
    return any((student.first_name, student.last_name, student.email, student.lms_user_id))


def _points(score: float | None) -> str:
    """Points as a platform takes them: two decimals at most, none where there are none; "" for no score."""
    return "" if score is None else f"{score:.2f}".rstrip("0").rstrip(".")


def _name(student: Student) -> str:
    return ", ".join(filter(None, (student.last_name, student.first_name)))


class CanvasExport(_PlatformExport):
    """For Canvas: Grades, Import.

    lms_user_id is the number that a gradebook exported from Canvas has in its column ID; of a student who has none, the
    id is taken for the SIS Login ID. A column of Canvas is found by the assignment's title, or by "title (number)".
    Canvas guesses by name where it knows none of the identifiers, so the name is followed by the id.
    Format: https://github.com/instructure/canvas-lms/blob/master/lib/gradebook_importer.rb, and in words
    https://teaching.resources.osu.edu/toolsets/carmencanvas/guides/calculating-final-grades/import-csv-file-carmen-grades
    """

    usual = "canvas.csv"
    wanted = "an lms_user_id that is a number, as Canvas' are"

    def identifier(self, student: Student) -> str:
        # Canvas reads "12ab" as 12, which is somebody else.
        if student.lms_user_id and not re.fullmatch("[0-9]+", student.lms_user_id):
            return ""
        return super().identifier(student)

    def about(self, students: list[Student]) -> dict:
        return {
            "Student": lambda one: f"{_name(one)} ({one.id})".strip(),
            "ID": lambda one: one.lms_user_id or "",
            "SIS User ID": lambda one: "",
            "SIS Login ID": lambda one: "" if one.lms_user_id else one.id,
            "Section": lambda one: "",
        }

    def before(self, columns: int, assignments: list[Assignment]) -> list[list]:
        # Canvas knows the row by these words; it looks at it where it makes a new column.
        return [["    Points Possible", *[""] * (columns - 1), *(_points(one.max_score) for one in assignments)]]


class MoodleExport(_PlatformExport):
    """For Moodle: Grades, Import, CSV file; there map the one column that identifies a student.

    That is "ID number" (lms_user_id) or "Email address", whichever more students have. Rows without one are left out,
    since Moodle would give their points to the student of the row above.
    Format: https://docs.moodle.org/en/Grade_import and, for empty fields,
    https://github.com/moodle/moodle/blob/main/grade/import/csv/classes/load_data.php
    """

    usual = "moodle.csv"
    wanted = "what most others have, an ID number (lms_user_id) or an email address"
    _by_number = False

    def identifier(self, student: Student) -> str:
        return (student.lms_user_id if self._by_number else student.email) or ""

    def about(self, students: list[Student]) -> dict:
        numbers, emails = (sum(bool(getattr(one, name)) for one in students) for name in ("lms_user_id", "email"))
        self._by_number = numbers >= emails and numbers > 0
        return {
            "First name": lambda one: one.first_name or "",
            "Last name": lambda one: one.last_name or "",
            "ID number" if self._by_number else "Email address": self.identifier,
        }


class BlackboardExport(_PlatformExport):
    """For Blackboard Learn: Gradebook, Upload grades, comma delimited.

    lms_user_id is the Username there; of a student who has none, the id is. Blackboard knows a column by the number in
    its heading, as in a gradebook downloaded from there ("1-padding [Total Pts: 12 Score] |12345"): those headings go
    into `c.BlackboardExport.columns`. A heading without a number makes a new column, of text and for 0 points.
    Format: http://library.blackboard.com/ref/3ea64795-6ecc-4abd-b595-0a9a8dfdec94/Content/_instructor_grade_center/grade_center_upload_download.htm
    """

    usual = "blackboard.csv"
    # "Data in each column of comma-delimited files must be contained within a quote character".
    quoting = csv.QUOTE_ALL

    def check_headings(self, headings: dict[str, str]) -> None:
        if new := [name for name, heading in headings.items() if not re.search(r"\|[0-9]+\s*\Z", heading)]:
            said = (
                "%s: a heading without the number of a column makes a new one on Blackboard, of text and for 0 points."
            )
            todo = "Put the heading that a gradebook downloaded from there has, |number and all, into"
            self.log.warning(f"{said} {todo} c.BlackboardExport.columns.", ", ".join(new))

    def about(self, students: list[Student]) -> dict:
        return {
            "Last Name": lambda one: one.last_name or "",
            "First Name": lambda one: one.first_name or "",
            "Username": self.identifier,
        }
