"""The class from a spreadsheet into the gradebook: what is wrong is named with its line, and nothing is guessed."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbgrader.api import Gradebook, Student

from grading.export import defuse
from grading.files import NO_STUDENT, names_a_student

COLUMNS = ("id", "first_name", "last_name", "email", "lms_user_id")
"""nbgrader's own, as in `nbgrader db student import`; all but the first may be missing.

id: the folder that a student's submissions lie in. lms_user_id: what your learning platform calls the student, see
`grading.export`; where it is empty, the id.
"""
UNIQUE = ("id", "email", "lms_user_id")
CANVAS = {"sis_user_id", "sis_login_id", "section"}
"""Columns beside Student and ID of a gradebook that Canvas exports, as far as a person may see them."""
SAVE_ANEW = 'Save the file as "CSV UTF-8".'
LONGEST = 128
"""Characters that nbgrader's gradebook has room for."""


@dataclass(frozen=True)
class Wrong:
    """A row that cannot be imported: the line of the file that it begins in, what is wrong, and what to do about it."""

    line: int
    problem: str
    to_do: str


@dataclass
class Roster:
    """What a file says: right rows by line, each with all of COLUMNS; wrong ones; columns that mean nothing here."""

    rows: dict[int, dict[str, str]] = field(default_factory=dict)
    wrong: list[Wrong] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def read_roster(path: Path) -> Roster:
    """Read a CSV file: UTF-8 with or without a mark, fields separated by comma, semicolon or tab.

    Its first line names the columns, in any order; blank lines are passed over. Raises OSError.
    """
    # What is no UTF-8 is told of its row; the others can be read.
    text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    header, _, _ = text.partition("\n")
    lines = _records(text, max(",;\t", key=header.count))
    _, names = next(lines, (1, []))
    # A spreadsheet leaves columns without a name at the end.
    names = [re.sub(r"\W+", "_", name.strip().lower()) for name in names]
    roster = Roster(ignored=sorted({name for name in names if name and name not in COLUMNS}))
    twice = sorted({name for name in names if name in COLUMNS and names.count(name) > 1})
    if "\0" in text:
        roster.wrong.append(Wrong(1, "the file is not in UTF-8", SAVE_ANEW))
        return roster
    if "id" not in names or twice:
        problem = f"there are two columns {twice[0]}" if twice else "there is no column id"
        to_do = f"The first line names the columns: {', '.join(COLUMNS)}; all but id may be missing."
        roster.wrong.append(Wrong(1, problem, to_do))
        return roster
    if {"student", "id"} <= set(names) and "lms_user_id" not in names and CANVAS & set(names):
        problem = "this looks like a gradebook from Canvas, whose ID is a number of Canvas' own"
        to_do = "Call that column lms_user_id, and the one that names the students' folders id (SIS Login ID, say)."
        roster.wrong.append(Wrong(1, problem, to_do))
        return roster
    found = {}
    for line, fields in lines:
        if isinstance(fields, str):
            roster.wrong.append(Wrong(line, fields, "Close it, or double it where it belongs to a name."))
        elif any(fields) and len(fields) != len(names):
            problem = f"it has {len(fields)} fields, and the first line has {len(names)}"
            to_do = "Put a field that holds the separator in quotation marks, or save it anew from the spreadsheet."
            roster.wrong.append(Wrong(line, problem, to_do))
        elif any(fields):
            row = dict.fromkeys(COLUMNS, "") | dict(zip(names, fields, strict=True))
            found[line] = {name: row[name] for name in COLUMNS}
    shared = _shared(found)
    for line, row in found.items():
        if wrong := _wrong(row) or shared.get(line):
            roster.wrong.append(Wrong(line, *wrong))
        else:
            roster.rows[line] = row
    roster.wrong.sort(key=lambda one: one.line)
    return roster


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str] | str]]:
    """Rows, blanks around their fields taken away, or what is wrong with one; each with the line that it begins in."""
    # Old spreadsheets end lines with \r alone.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    reader = csv.reader((f"{line}\n" for line in lines), delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            yield line, [one.strip() for one in next(reader)]
        except StopIteration:
            return
        except csv.Error:
            # The lines between are taken for one field, so they are named as well. The reader goes on behind them.
            end = f" (all up to line {min(reader.line_num, len(lines))} is taken for this row)"
            yield line, "it has a quotation mark that does not fit" + end * (reader.line_num > line)


def _wrong(row: dict[str, str]) -> tuple[str, str] | None:
    """What is wrong with a row by itself, and what to do about it."""
    for name, value in row.items():
        if re.search("[\udc80-\udcff]", value):
            return f"its {name} is not in UTF-8", SAVE_ANEW
        if not value.isprintable():
            return f"its {name} ({value!a}) has characters that cannot be seen", "Type it anew."
        if len(value) > LONGEST:
            return f"its {name} is longer than {LONGEST} characters", "Shorten it."
        if name in UNIQUE and defuse(value) != value:
            return f"its {name} ({value}) would be a formula in a spreadsheet", "Begin it with a letter or a digit."
    if not row["id"]:
        return "it has no id", "Give each student one: the name of the folder that submissions come in."
    if not names_a_student(row["id"]):
        return f"its id ({row['id']}) {NO_STUDENT}", "Choose another one."
    if row["email"] and not re.fullmatch(r"""[^@\s,;<>"]+@[^@\s,;<>"]+""", row["email"]):
        return f"its email ({row['email']}) is no address", "Write name@place, one alone, or leave it empty."
    return None


def _shared(rows: dict[int, dict[str, str]]) -> dict[int, tuple[str, str]]:
    """What is wrong with rows of which two say the same where each student has something different."""
    wrong = {}
    for name in UNIQUE:
        lines = defaultdict(list)
        for line, row in rows.items():
            if row[name]:
                lines[_alike(name, row[name])].append(line)
        for same in lines.values():
            for line in same if len(same) > 1 else ():
                other = next(one for one in same if one != line)
                mine, others = rows[line][name], rows[other][name]
                said, ask = f"its {name} ({mine}) is in line {other}, too", ""
                if name == "id" and mine != others:
                    said = f"its id ({mine}) and that in line {other} ({others}) differ in capitals alone"
                    ask = "Which one is meant? "
                # Nobody can say that here.
                wrong.setdefault(line, (said, f"{ask}Change it in one of them, or take one of them out."))
    return wrong


def _alike(name: str, value: str) -> str:
    """What is the same of two values of a column that mean the same, or that a person would mix up."""
    return value if name == "lms_user_id" else value.casefold()


def compare(gradebook: Gradebook, roster: Roster) -> None:
    """Find out which rows take what another student has in the gradebook, and will have there; those are wrong.

    Changes nothing in the gradebook. Raises SQLAlchemyError.
    """
    known = {student.id: student for student in gradebook.db.query(Student)}
    # A row that is wrong changes nothing: whom it names has still what another one may have been given.
    while wrong := _taken(known, roster.rows):
        for line, (problem, to_do) in wrong.items():
            del roster.rows[line]
            roster.wrong.append(Wrong(line, problem, to_do))
    roster.wrong.sort(key=lambda one: one.line)


def _taken(known: dict[str, Student], rows: dict[int, dict[str, str]]) -> dict[int, tuple[str, str]]:
    """What is wrong with rows which say what stays another student's when they are imported."""
    named = {row["id"]: row for row in rows.values()}
    wrong = {}
    for name in UNIQUE:
        holders = defaultdict(set)
        for student in known.values():
            value = getattr(student, name)
            # An empty field leaves what is there.
            if value and (name == "id" or not named.get(student.id, {}).get(name)):
                holders[_alike(name, value)].add(student.id)
        for line, row in rows.items():
            others = sorted(holders[_alike(name, row[name])] - {row["id"]}) if row[name] else []
            if not others:
                continue
            if name != "id":
                to_do = f"Whose is it? Change it in this row, or give {others[0]} another one in this file."
                wrong.setdefault(line, (f"its {name} ({row[name]}) is {others[0]}'s in the gradebook", to_do))
            elif row["id"] not in known:
                said = f"its id ({row['id']}) and {others[0]} in the gradebook differ in capitals alone"
                wrong[line] = said, f"Which one is meant? Write {others[0]}, or choose another id for somebody else."
    return wrong


@dataclass
class Imported:
    """Ids of students that an import has added or changed, and of those in the gradebook that no right row names."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def import_roster(gradebook: Gradebook, roster: Roster) -> Imported:
    """Put the right rows of a roster into the gradebook, all or none.

    Nobody is taken out, no grade is touched, and an empty field leaves what is there. Which rows are right says
    `compare`, too. Raises SQLAlchemyError.
    """
    done = Imported()
    known = {student.id: student for student in gradebook.db.query(Student)}
    for row in roster.rows.values():
        given = {name: value for name, value in row.items() if value}
        student = known.pop(row["id"], None)
        if student is None:
            gradebook.db.add(Student(**given))
            done.added.append(row["id"])
        elif any(getattr(student, name) != value for name, value in given.items()):
            for name, value in given.items():
                setattr(student, name, value)
            done.changed.append(row["id"])
    # One transaction: an error leaves the gradebook as it was.
    gradebook.db.commit()
    done.elsewhere = sorted(known)
    return done
