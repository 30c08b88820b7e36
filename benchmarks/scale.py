"""What bounds a large course besides processors: how fast work is collected and scores are written.

`python -m benchmarks.scale` measures what docs/scale.md reckons with: how long `nbgrader collect` takes for one more
submission, how many graded submissions a second a gradebook takes from one or more writers, in SQLite and in
PostgreSQL, of which a server is started for it, and the size of the answers that are computed once.
"""

import argparse
import multiprocessing
import os
import shutil
import tempfile
import time
import uuid
from pathlib import Path

from nbgrader.api import Gradebook
from rich.console import Console
from rich.table import Table

from benchmarks import ROOT, postgresql
from benchmarks.many_submissions import prepare, run
from grading.gradebook import WholeNotebook, keep_open

COURSE = "convblocks"
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


def collecting(course: Path, assignment: str, counts: tuple[int, int]) -> float:
    """Seconds that `nbgrader collect` takes for each further submission, from two runs over so many new ones."""
    seconds = []
    for count in counts:
        for _ in range(count):
            stamp = "2026-01-01 10:00:00 UTC"
            inbound = course / "exchange" / COURSE / "inbound" / f"made-up-{uuid.uuid4()}+{assignment}+{stamp}"
            shutil.copytree(course / "release" / assignment, inbound)
            (inbound / "timestamp.txt").write_text(stamp)
        seconds.append(run(course, "nbgrader", "collect", assignment))
        shutil.rmtree(inbound.parent)
    return (seconds[1] - seconds[0]) / (counts[1] - counts[0])


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--assignment", default="1-padding", help="(%(default)s)")
    parser.add_argument("--count", type=int, default=50, help="submissions of each writer (%(default)s)")
    options = parser.parse_args()
    table = Table("", "", title=f"On {os.cpu_count()} processors", show_header=False)
    with tempfile.TemporaryDirectory() as folder, postgresql.serve() as address:
        course = Path(folder, "course")
        prepare(course, "", 0, [options.assignment])
        further = collecting(course, options.assignment, (options.count, 5 * options.count))
        table.add_row("collecting one more submission, ms", f"{1000 * further:.1f}")
        generate = "generate_assignment", options.assignment, "--force", f"--CourseDirectory.db_url={address}"
        run(course, "nbgrader", *generate)
        for url in (f"sqlite:///{course}/gradebook.db", address):
            for writers in WRITERS:
                each = rate(url, options.assignment, writers, options.count)
                name = f"{url.partition(':')[0].partition('+')[0]}, {writers} writing"
                table.add_row(f"{name}, submissions a second", f"{each:.0f}")
    answers = sum(path.stat().st_size for path in (ROOT / ".cache" / "expected").iterdir())
    table.add_row("answers of all checks, MB", f"{answers / 2**20:.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
