"""What `convblocks report` and `convblocks status` cost: `python -m benchmarks.report` prints seconds at several sizes.

The classes are made up: each answer to a check is the right one, none, or one of the bank of misconceptions, with what
the check really says of it. Whoever is made up to be good at one check is so at others.
"""

import argparse
import contextlib
import datetime
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import numpy as np
from nbgrader.api import Grade, Gradebook, Student, SubmittedAssignment, SubmittedNotebook
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

from autograde_tests.checking import Result, check
from autograde_tests.misconceptions import load_bank
from autograde_tests.notebooks import configured_seed
from benchmarks import ROOT
from grading.course import label
from grading.execute import OFFICIAL
from grading.intake import GRADED

SIZES = (0, 1, 30, 5_000)
DEADLINE = datetime.datetime(2026, 11, 20, 22)

AWAY, WAITING, UNTOUCHED = 0.08, 0.03, 0.04
"""Shares of a class that hand in nothing, whose work is not graded yet, and who hand in what they got."""


def not_written(*_, **__):
    """A function as it was given out."""
    raise NotImplementedError


@functools.cache
def answers(name: str, points: float, seed: int) -> dict[str, Result]:
    """What the check says to every kind of answer, by what the answer is: right, not written, or a misconception."""
    wrong = [one for one in load_bank().values() if one.check == name]
    found = {one.name: check(name, one.function, points, seed) for one in wrong}
    found["not written"] = check(name, not_written, points, seed)
    found["right"] = _as_right(found[wrong[0].name])
    return found


def _as_right(result: Result) -> Result:
    """The result of a right answer, from that of a wrong one: nothing here knows the right function."""
    lines = [type(line)(line.title, True, "", line.worth) for line in result.lines]
    return Result(result.name, result.points, result.points, lines, version=result.version)


def build(course: Path, size: int, assignment: str = "1-padding", draws: int = 0) -> None:
    """Make a course of one assignment with a class of `size`, graded but for a few.

    draws: the seed of who is how good. The folder must not exist yet.
    """
    rng, seed = np.random.default_rng(draws), int(configured_seed())
    for step in ("source", "release"):
        shutil.copytree(ROOT / step / assignment, course / step / assignment)
    shutil.copy(ROOT / "nbgrader_config.py", course)
    known: dict[str, dict[str, Result]] = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        stored = gradebook.add_assignment(assignment, duedate=DEADLINE)
        places = {}
        for path in sorted((course / "source" / assignment).glob("*.ipynb")):
            notebook = gradebook.add_notebook(path.stem, assignment)
            for cell in json.loads(path.read_text())["cells"]:
                own = cell["metadata"].get("nbgrader", {})
                if not own.get("grade"):
                    continue
                worth = own["points"]
                made = gradebook.add_grade_cell(
                    own["grade_id"], path.stem, assignment, max_score=worth, cell_type="code"
                )
                places[path.stem, own["grade_id"]] = notebook.id, made.id
                if size:
                    known[own["grade_id"]] = answers(label(own["grade_id"]), worth, seed)
        rows: dict[type, list[dict]] = {one: [] for one in (Student, SubmittedAssignment, SubmittedNotebook, Grade)}
        blank = {path.stem: json.loads(path.read_text()) for path in (ROOT / "solutions" / assignment).glob("*.ipynb")}
        for number in range(size):
            student = f"student-{number:04}"
            rows[Student].append({"id": student, "first_name": f"Nomen {number}", "last_name": "Nescio"})
            kind, ability = rng.random(), rng.normal(0.8, 1)
            if kind < AWAY and size > 1:
                continue
            hours = min(-rng.exponential(30) + 6, 60) if rng.random() < 0.9 else -rng.uniform(0, 400)
            stamp = DEADLINE + datetime.timedelta(hours=float(hours))
            _hand_in(course / "submitted" / student / assignment, stamp)
            if kind < AWAY + WAITING and size > 1:
                continue
            untouched = kind > 1 - UNTOUCHED and size > 1
            found = {one: each[_drawn(rng, each, ability, untouched)] for one, each in known.items()}
            submission = uuid.uuid4().hex
            rows[SubmittedAssignment].append(
                {"id": submission, "assignment_id": stored.id, "student_id": student, "timestamp": stamp}
            )
            for name, notebook in blank.items():
                cells = {cell: ids for (of, cell), ids in places.items() if of == name}
                key = uuid.uuid4().hex
                (place,) = {notebook for notebook, _ in cells.values()}
                rows[SubmittedNotebook].append({"id": key, "assignment_id": submission, "notebook_id": place})
                rows[Grade] += [
                    {
                        "id": uuid.uuid4().hex,
                        "notebook_id": key,
                        "cell_id": ids[1],
                        "auto_score": found[cell].score,
                        "needs_manual_grade": False,
                    }
                    for cell, ids in cells.items()
                ]
                _write(course / "autograded" / student / assignment, name, notebook, found, stamp)
        for kind, values in rows.items():
            if values:
                gradebook.db.execute(insert(kind), values)
        gradebook.db.commit()


def _drawn(rng, known: dict[str, Result], ability: float, untouched: bool) -> str:
    """Which answer somebody gives."""
    luck = ability + rng.normal(0, 0.8)
    if untouched or luck < -1.2:
        return "not written"
    wrong = [one for one in known if one not in ("right", "not written")]
    # Some mistakes are made far more often than others.
    return "right" if luck > 0.4 else wrong[min(int(rng.exponential(2)), len(wrong) - 1)]


def _hand_in(folder: Path, stamp: datetime.datetime) -> None:
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text(f"{stamp} UTC")


def _write(folder: Path, name: str, notebook: dict, found: dict[str, Result], stamp: datetime.datetime) -> None:
    """A graded notebook: the solution with its figures, and the results in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for cell in notebook["cells"]:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id")
        if grade_id in found:
            bundle = found[grade_id]._repr_mimebundle_()
            output = {"output_type": "execute_result", "data": bundle, "metadata": OFFICIAL, "execution_count": None}
            cell["outputs"] = [output]
    notebook["metadata"][GRADED] = True
    (folder / f"{name}.ipynb").write_text(json.dumps(notebook))
    (folder / "timestamp.txt").write_text(f"{stamp} UTC")


def run(course: Path, *arguments: str) -> tuple[float, float]:
    """Seconds of wall time and of processor that a command takes in a course."""
    environment = os.environ | {"CONVBLOCKS_EXCHANGE": str(course / "exchange")}
    begin, before = time.perf_counter(), os.times()
    command = [sys.executable, "-m", "grading.cli", *arguments]
    subprocess.run(command, cwd=course, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begin, spent


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="students in a class (%(default)s)")
    parser.add_argument("--assignment", default="1-padding", help="(%(default)s)")
    parser.add_argument("--keep", type=Path, help="a folder that keeps the courses with their reports")
    options = parser.parse_args()
    table = Table("students", "report, s", "of processor", "page, kB", "status, s", "of processor")
    with contextlib.ExitStack() as stack:
        place = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for size in options.sizes:
            course = place / str(size)
            build(course, size, options.assignment)
            seconds = [f"{one:.1f}" for one in (*run(course, "report"), *run(course, "status"))]
            kilobytes = (course / "report" / "report.html").stat().st_size / 1000
            table.add_row(f"{size:,}", *seconds[:2], f"{kilobytes:.0f}", *seconds[2:])
    Console().print(table)


if __name__ == "__main__":
    main()
