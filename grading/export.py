"""grades.csv, safe to open in a spreadsheet."""

import csv
import re
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import ExportPlugin

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

    def export(self, gradebook: Gradebook) -> None:
        destination = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", destination)
        # As on nbgrader's command line: no list means all.
        students = [one for one in gradebook.students if not self.student or one.id in map(str, self.student)]
        assignments = [
            one for one in gradebook.assignments if not self.assignment or one.name in map(str, self.assignment)
        ]
        with destination.open("w", newline="", encoding="utf-8") as file:
            # With its own line ends, \r\n, it quotes names in which either is.
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            for assignment in assignments:
                for student in students:
                    row = _row(gradebook, assignment, student)
                    writer.writerow({column: defuse(value) for column, value in row.items()})


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
