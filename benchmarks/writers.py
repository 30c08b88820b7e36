"""How many graded submissions a second a gradebook takes, by how many write to it at once.

`python -m benchmarks.writers COURSE [--db URL]` writes made-up students into the gradebook of a generated course, as
storing a submission does: use a copy. For PostgreSQL: --db postgresql+psycopg://user@host/database, with the same
assignments.
"""

import argparse
import multiprocessing
import os
import time
import uuid
from pathlib import Path

from rich.console import Console
from rich.table import Table

# For its engine, which is kept between openings as it is where submissions are stored.
from grading import submission

WRITERS = (1, 2, 4, 8)


def store(url: str, assignment: str, student: str) -> None:
    """What nbgrader writes for one submission: a student, a submission, and each score with a commit of its own."""
    opened = submission.nbgrader.api.Gradebook
    with opened(url) as gradebook:
        gradebook.update_or_create_student(student)
    with opened(url) as gradebook:
        gradebook.update_or_create_submission(assignment, student)
    with opened(url) as gradebook:
        for notebook in gradebook.find_submission(assignment, student).notebooks:
            for grade in notebook.grades:
                grade.auto_score = 1.0
                gradebook.db.commit()
            for comment in notebook.comments:
                comment.auto_comment = None
                gradebook.db.commit()


def write(url: str, assignment: str, count: int, ready, go) -> None:
    """One writer: so many submissions, once all are ready."""
    store(url, assignment, f"made-up-{uuid.uuid4()}")
    ready.wait()
    go.wait()
    for _ in range(count):
        store(url, assignment, f"made-up-{uuid.uuid4()}")


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


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writers", description=__doc__)
    parser.add_argument("course", type=Path, help="folder of a generated course")
    parser.add_argument("--db", help="the gradebook's address (gradebook.db in the course)")
    parser.add_argument("--assignment", default="1-padding", help="(%(default)s)")
    parser.add_argument("--count", type=int, default=50, help="submissions of each writer (%(default)s)")
    options = parser.parse_args()
    url = options.db or f"sqlite:///{options.course.resolve()}/gradebook.db"
    table = Table("writers", "submissions a second", title=f"{url.split(':')[0]}, {os.cpu_count()} processors")
    for writers in WRITERS:
        table.add_row(str(writers), f"{rate(url, options.assignment, writers, options.count):.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
