"""Where one submission's time goes, from start to stored scores, beside the floor: a part of `make bench`.

The floor is what no grader that runs the notebook can go below: forking a process that has imported everything, and
running the student's cells in it, one after another, with nothing else; no sandbox, no messages, no checks, no scores.
"""

import contextlib
import functools
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import nbformat
from rich.console import Console
from rich.table import Table

from benchmarks import spread, told

FLOOR = "the floor"
REST = "the other steps of nbgrader and nbconvert"


def measure(course: Path, assignments: list[str], student: str, turns: int) -> dict[str, dict[str, dict]]:
    """Seconds of each part, by assignment. course: generated, with that student's submissions.

    Raises RuntimeError where one cannot be graded or a cell of it fails.
    """
    before = os.getcwd()
    try:
        return {one: _each(course, one, student, turns) for one in assignments}
    finally:
        os.chdir(before)


def _each(course: Path, assignment: str, student: str, turns: int) -> dict[str, dict]:
    # The first one makes what is made once.
    each = [_one(course, assignment, student) | _floor(course, assignment, student) for _ in range(turns + 1)][1:]
    return {part: spread([one[part] for one in each]) for part in each[0]}


def _one(course: Path, assignment: str, student: str) -> dict[str, float]:
    """Grade and store one submission, as `convblocks grade` does in a worker and where the gradebook is written."""
    from nbgrader.apps import AutogradeApp

    from grading import gradebook, intake, pool, submission
    from grading.execute import Execute

    os.chdir(course)
    app = AutogradeApp()
    app.initialize([assignment, f"--student={student}", "--force", "--log-level=50"])
    app.coursedir.assignment_id = assignment
    store = pool.Store(coursedir=app.coursedir, parent=app)
    (folder,), _ = store.open()
    store.note(folder)
    cells = course / "cells.db"
    if not cells.exists():
        gradebook.copy_cells(store.coursedir.db_url, cells)
    watch = Stopwatch()
    with contextlib.ExitStack() as stack:
        for owner, name, part in (
            (intake, "read_submission", "read and mend the file"),
            (Execute, "start_new_kernel", "make a sandbox and fork a kernel into it"),
            (Execute, "start_new_kernel_client", "make a sandbox and fork a kernel into it"),
            (Execute, "_attempt", lambda _, cell, index, check: "graded cells and their checks" if check else "cells"),
            (Execute, "_cleanup_kernel", "end the sandbox"),
            (pool.Store, "take", "store scores and notebook"),
        ):
            stack.enter_context(watch.on(owner, name, part))
        with watch.part(REST):
            job = submission.Job(str(course), assignment, student, (), str(cells), "parts")
            ran = submission.run(job)
            if ran.failed:
                raise RuntimeError(f"{student}, {assignment}: {ran.said}")
            store.take(folder, course / job.out / student / assignment)
    shutil.rmtree(course / "parts")
    return dict(watch.seconds)


def _floor(course: Path, assignment: str, student: str) -> dict[str, float]:
    """Seconds to fork this process, once it has imported what a warm parent does, and to run all cells there."""
    from grading.inside.warm_parent import import_all
    from grading.sandbox import EVERYBODY

    import_all(EVERYBODY)
    folder = course / "submitted" / student / assignment
    notebooks = [nbformat.read(path, as_version=4) for path in sorted(folder.glob("*.ipynb"))]
    sources = [[one.source for one in notebook.cells if one.cell_type == "code"] for notebook in notebooks]
    begin = time.perf_counter()
    for cells in sources:
        child = os.fork()
        if not child:
            _run(cells, folder)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
            raise RuntimeError(f"a cell of {student}'s {assignment} failed")
    return {FLOOR: time.perf_counter() - begin}


def _run(cells: list[str], folder: Path) -> None:
    """Run cells in this process, and end it: with 1 where one fails."""
    code = 1
    try:
        os.chdir(folder)
        os.environ["NBGRADER_EXECUTION"] = "autograde"
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            names = {"__name__": "__main__"}
            for source in cells:
                exec(compile(source, "cell", "exec"), names)
        code = 0
    finally:
        os._exit(code)


class Stopwatch:
    """Seconds by part; while a part runs, the one around it stands still."""

    def __init__(self):
        self.seconds: Counter[str] = Counter()
        self._under_way: list[str] = []
        self._since = 0.0

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        self._turn()
        self._under_way.append(name)
        try:
            yield
        finally:
            self._turn()
            self._under_way.pop()

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._under_way:
            self.seconds[self._under_way[-1]] += now - self._since
        self._since = now

    @contextlib.contextmanager
    def on(self, owner, name: str, part) -> Iterator[None]:
        """Count the calls of a function as a part, or as the one that `part` makes of their arguments."""
        function = vars(owner).get(name) or getattr(owner, name)
        added = name not in vars(owner)

        @functools.wraps(function)
        def counted(*arguments, **named):
            with self.part(part(*arguments, **named) if callable(part) else part):
                return function(*arguments, **named)

        setattr(owner, name, counted)
        try:
            yield
        finally:
            if added:
                delattr(owner, name)
            else:
                setattr(owner, name, function)


def show(figures: dict[str, dict[str, dict]], console: Console) -> None:
    """Print a table with a column for each assignment; sums are those of the medians."""
    parts = {one: {part: took["median"] for part, took in each.items()} for one, each in figures.items()}

    def row(part: str) -> list[str]:
        return [told(one.get(part, spread([0])), unit=0.001) for one in figures.values()]

    table = Table("milliseconds", *parts, title="One right submission, from its start to its stored scores")
    names = [name for name in next(iter(parts.values())) if name not in (FLOOR, REST)]
    for name in [*names, REST]:
        table.add_row(name, *row(name))
    table.add_section()
    totals = [sum(seconds for name, seconds in one.items() if name != FLOOR) for one in parts.values()]
    table.add_row("all", *(f"{1000 * total:.0f}" for total in totals))
    table.add_row(FLOOR, *row(FLOOR))
    floors = [one[FLOOR] for one in parts.values()]
    table.add_row("× the floor", *(f"{total / floor:.1f}" for total, floor in zip(totals, floors, strict=True)))
    console.print(table)
    console.print(f"All assignments together: {sum(totals) / sum(floors):.1f} times the floor.")
