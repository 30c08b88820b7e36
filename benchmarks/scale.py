"""What bounds a large course besides processors: how fast work is collected, looked at again, and scores are written.

`python -m benchmarks.scale` measures what docs/scale.md reckons with: how long `nbgrader collect` takes for one more
submission, and `convblocks grade` for one more that has been graded; how many graded submissions a second a gradebook
takes from one or more writers, and from one where many are in it, in SQLite and in PostgreSQL, of which a server is
started for it; and the size of the answers that are computed once.
"""

import argparse
import multiprocessing
import os
import shutil
import tempfile
import time
import uuid
from pathlib import Path

import nbgrader.api
import sqlalchemy
from nbgrader.api import Gradebook
from rich.console import Console
from rich.table import Table

from benchmarks import ROOT, keep, postgresql, spread, told
from benchmarks.many_submissions import COURSE, hand_in, prepare, run, submit
from grading.gradebook import WholeNotebook, add_indexes, keep_open

STAMP = "2026-01-01 10:00:00 UTC"
WRITERS = (1, 2, 4, 8)


def cells(url: str, assignment: str) -> dict[str, tuple[list[str], list[str]]]:
    """The names of the cells that have a score and of those that have a comment, by notebook."""
    with Gradebook(url) as gradebook:
        notebooks = gradebook.find_assignment(assignment).notebooks
        return {
            one.name: ([c.name for c in one.grade_cells], [c.name for c in one.solution_cells]) for one in notebooks
        }


def store(url: str, assignment: str, student: str, known: dict) -> None:
    """What grading writes for one submission: a student, a submission, and the scores of each notebook together."""
    with Gradebook(url) as gradebook:
        gradebook.update_or_create_student(student)
    with Gradebook(url) as gradebook:
        gradebook.update_or_create_submission(assignment, student)
    for notebook, (scored, commented) in known.items():
        with WholeNotebook(url) as gradebook:
            for cell in scored:
                gradebook.find_grade(cell, notebook, assignment, student).auto_score = 1.0
            for cell in commented:
                gradebook.find_comment(cell, notebook, assignment, student).auto_comment = "No response."


def write(url: str, assignment: str, count: int, ready, go) -> None:
    """One writer: so many submissions, once all are ready."""
    keep_open()
    known = cells(url, assignment)
    store(url, assignment, f"made-up-{uuid.uuid4()}", known)
    ready.wait()
    go.wait()
    for _ in range(count):
        store(url, assignment, f"made-up-{uuid.uuid4()}", known)


def rate(url: str, assignment: str, writers: int, count: int) -> float:
    """Submissions a second, of all writers together."""
    context = multiprocessing.get_context("spawn")
    ready, go = context.Barrier(writers + 1), context.Event()
    each = [context.Process(target=write, args=(url, assignment, count, ready, go)) for _ in range(writers)]
    for process in each:
        process.start()
    ready.wait()
    begin = time.perf_counter()
    go.set()
    for process in each:
        process.join()
    if any(process.exitcode for process in each):
        raise RuntimeError("a writer failed; what it said is above")
    return writers * count / (time.perf_counter() - begin)


def fill(url: str, assignment: str, count: int) -> None:
    """Put so many more submissions into a gradebook, copies of one that `store` makes, straight into its tables."""
    known, student = cells(url, assignment), f"made-up-{uuid.uuid4()}"
    store(url, assignment, student, known)
    tables = nbgrader.api.Base.metadata.tables
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as there:

        def rows(name: str, column: str, wanted: list) -> list[dict]:
            found = there.execute(sqlalchemy.select(tables[name]).where(tables[name].c[column].in_(wanted)))
            return [dict(one) for one in found.mappings()]

        of = {"student": rows("student", "id", [student])}
        of["submitted_assignment"] = rows("submitted_assignment", "student_id", [student])
        of["submitted_notebook"] = rows(
            "submitted_notebook", "assignment_id", [one["id"] for one in of["submitted_assignment"]]
        )
        notebooks = [one["id"] for one in of["submitted_notebook"]]
        of |= {name: rows(name, "notebook_id", notebooks) for name in ("grade", "comment")}
        for begin in range(0, count, 1000):
            more = {name: [] for name in of}
            for _ in range(min(1000, count - begin)):
                # The same number for what is the same one.
                new = {one["id"]: uuid.uuid4().hex for each in of.values() for one in each}
                for name, each in of.items():
                    more[name] += [{key: new.get(value, value) for key, value in one.items()} for one in each]
            for name, each in more.items():
                there.execute(sqlalchemy.insert(tables[name]), each)
    engine.dispose()


def looking(course: Path, assignment: str, counts: tuple[int, int]) -> float:
    """Seconds that `convblocks grade` takes for each further submission that has been graded, from two runs."""
    seconds, there = [], 0
    for room in ("submitted", "autograded"):
        shutil.rmtree(course / room, ignore_errors=True)
    first = course / "submitted" / "made-up" / assignment
    hand_in(course / "release" / assignment, first, "right")
    (first / "timestamp.txt").write_text(STAMP)
    run(course, "convblocks", "grade", assignment)
    for count in counts:
        for number in range(there, count):
            for room in ("submitted", "autograded"):
                shutil.copytree(course / room / "made-up", course / room / f"made-up-{number:06}")
        there = count
        seconds.append(run(course, "convblocks", "grade", assignment))
    return (seconds[1] - seconds[0]) / (counts[1] - counts[0])


def collecting(course: Path, assignment: str, counts: tuple[int, int]) -> tuple[float, float]:
    """Seconds that `nbgrader collect` takes for each further submission: a new one, and one that it has collected."""
    new, known = [], []
    for count in counts:
        for _ in range(count):
            submit(course, f"made-up-{uuid.uuid4()}", assignment, course / "release" / assignment, STAMP)
        new.append(run(course, "nbgrader", "collect", assignment, "--update"))
        known.append(run(course, "nbgrader", "collect", assignment, "--update"))
        for made_up in (course / "exchange" / COURSE / "inbound", course / "submitted"):
            shutil.rmtree(made_up)
    return tuple((many - few) / (counts[1] - counts[0]) for few, many in (new, known))


def main() -> None:
    """Measure, print the table and keep the figures in benchmarks/figures.json."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--assignment", default="1-padding", help="(%(default)s)")
    parser.add_argument("--count", type=int, default=50, help="submissions of each writer (%(default)s)")
    parser.add_argument("--turns", type=int, default=3, help="for median and spread (%(default)s)")
    counts = {"type": int, "nargs": 2, "metavar": ("FEW", "MANY")}
    parser.add_argument("--sizes", **counts, default=[200, 1000], help="for collecting and looking (%(default)s)")
    parser.add_argument("--filled", type=int, default=100_000, help="submissions in a full gradebook (%(default)s)")
    options = parser.parse_args()
    found: dict[str, list[float]] = {}

    def note(what: str, value: float) -> None:
        found.setdefault(what, []).append(value)

    with tempfile.TemporaryDirectory() as folder, postgresql.serve() as address:
        course = Path(folder, "course")
        prepare(course, "", 0, [options.assignment])
        generate = "generate_assignment", options.assignment, "--force", f"--CourseDirectory.db_url={address}"
        run(course, "nbgrader", *generate)
        gradebooks = {"SQLite": f"sqlite:///{course}/gradebook.db", "PostgreSQL": address}
        for _ in range(options.turns):
            new, known = collecting(course, options.assignment, options.sizes)
            note("collecting one more submission, ms", 1000 * new)
            note("looking at one more that was collected, ms", 1000 * known)
            note("looking at one more that was graded, ms", 1000 * looking(course, options.assignment, options.sizes))
            for writers in WRITERS:
                for name, url in gradebooks.items():
                    each = rate(url, options.assignment, writers, options.count)
                    note(f"{name}, {writers} writing, submissions a second", each)
        for name, url in gradebooks.items():
            add_indexes(url)
            fill(url, options.assignment, options.filled)
            for _ in range(options.turns):
                each = rate(url, options.assignment, 1, options.count)
                note(f"{name}, 1 writing, {options.filled:,} in it, submissions a second", each)
    figures = {what: spread(values) for what, values in found.items()}
    answers = sum(path.stat().st_size for path in (ROOT / ".cache" / "expected").iterdir())
    figures["answers that are kept here, of all seeds and versions of checks, MB"] = spread([answers / 2**20])
    keep("scale", figures)
    table = Table("", "", title=f"On {os.cpu_count()} processors", show_header=False)
    for what, each in figures.items():
        table.add_row(what, told(each, 1))
    Console().print(table)


if __name__ == "__main__":
    main()
