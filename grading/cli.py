"""The command line of the course: `convblocks grade ASSIGNMENT…` and `convblocks regrade ASSIGNMENT…`.

nbgrader takes a second to import, so that is left to the functions that need it, after the workers have begun to.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from grading import workers

if TYPE_CHECKING:
    from nbgrader.apps import AutogradeApp

    from grading.pool import Change, Summary
    from grading.submission import Ran

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def convblocks() -> None:
    """Run a course, in the folder of its nbgrader_config.py."""


Assignments = Annotated[list[str], typer.Argument(help="Assignments, such as 1-padding.")]
WorkerCount = Annotated[int, typer.Option(min=1, help="How many submissions are graded at once on this machine.")]
Scheduler = Annotated[str, typer.Option(help="Address of a Dask cluster's scheduler, to grade there.")]
OneStudent = Annotated[str, typer.Option(help="Only this student's.")]
Unsafe = Annotated[
    bool, typer.Option("--unsafe-no-sandbox", help="Run submissions where they can read and change your files.")
]
PROCESSORS = os.cpu_count() or 1


@app.command()
def grade(
    assignments: Assignments,
    workers: WorkerCount = PROCESSORS,
    scheduler: Scheduler = "",
    student: OneStudent = "*",
    force: Annotated[bool, typer.Option("--force", help="Also what has been graded.")] = False,
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Grade what was collected, each submission in a sandbox: as `nbgrader autograde` does, but many at once.

    Ctrl-C stops it; the same command again goes on from there. Exits with 1 if anything could not be graded.
    """
    graders = _graders(workers, scheduler, unsafe_no_sandbox)
    from grading import pool

    console = _console()
    options = (f"--Execute.unsafe_no_sandbox={unsafe_no_sandbox}",)
    apps = _apps(console, assignments, f"--student={student}", *["--force"] * force, *options)
    with _progress(console) as shown:
        summary = pool.grade(apps, options, graders, *shown)
    _show(console, summary)
    _exit(summary)


@app.command()
def regrade(
    assignments: Assignments,
    apply: Annotated[bool, typer.Option("--apply", help="Store it; otherwise it is only shown.")] = False,
    workers: WorkerCount = PROCESSORS,
    scheduler: Scheduler = "",
    student: OneStudent = "*",
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Score again, after a check was changed, the cells that it is about, and show who gains or loses what.

    With --apply that is stored; all else of what was graded stays as it is.
    """
    graders = _graders(workers, scheduler, unsafe_no_sandbox)
    from grading import pool

    console = _console()
    options = (f"--Execute.unsafe_no_sandbox={unsafe_no_sandbox}",)
    apps = _apps(console, assignments, f"--student={student}", *options)

    def decide(changes: list[Change]) -> bool:
        _show_changes(console, changes)
        if changes and not apply:
            console.print("Nothing was stored; the same command with --apply does it.")
        return apply

    with _progress(console) as shown:
        summary = pool.regrade(apps, options, graders, *shown, decide)
    if summary.due:
        console.print(f"{summary.due} not graded yet, or handed in anew: `convblocks grade` grades them.")
    if apply:
        _show(console, summary)
    _exit(summary)


def _show_changes(console: Console, changes: list[Change]) -> None:
    differing = [one for one in changes if one.after != one.before]
    if differing:
        table = Table("student", "assignment", "check", "before", "after", "difference")
        for one in differing:
            difference = f"{round(one.after - one.before, 2):+g}"
            table.add_row(
                _line(one.student), one.assignment, one.check, f"{one.before:g}", f"{one.after:g}", difference
            )
        console.print(table)
    gaining = len({one.student for one in differing if one.after > one.before})
    losing = len({one.student for one in differing if one.after < one.before})
    checks = ", ".join(sorted({one.check for one in changes})) or "no check has changed"
    same = len(changes) - len(differing)
    console.print(f"{len(changes)} scored again ({checks}): {gaining} gain, {losing} lose, {same} scores stay.")


def _console() -> Console:
    # A log of a build server is as wide as it likes.
    return Console(stderr=True, width=None if os.isatty(2) else 200, highlight=False)


def _graders(count: int, scheduler: str, unsafe: bool) -> workers.Workers:
    """What grades: so many processes, which begin at once, or a cluster."""
    if scheduler:
        return functools.partial(workers.cluster, scheduler)
    workers.begin()
    return functools.partial(workers.processes, count, sandboxes=not unsafe)


def _apps(console: Console, assignments: list[str], *arguments: str) -> list[AutogradeApp]:
    """nbgrader's command for each assignment, initialized; its warnings are shown on the console."""
    from nbgrader.apps import AutogradeApp

    apps = []
    for assignment in dict.fromkeys(assignments):
        nbgrader = AutogradeApp()
        _initialize(nbgrader, [assignment, *arguments, "--log-level=50"])
        nbgrader.coursedir.assignment_id = assignment
        nbgrader.log.addHandler(_Said(console))
        apps.append(nbgrader)
    return apps


@contextlib.contextmanager
def _progress(console: Console) -> Iterator[tuple[Callable[[int], None], Callable[[Ran], None]]]:
    """A progress bar; what begins it, and what is told of each submission."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("grading", total=None, rate="")
        failures = 0

        def tell(ran: Ran) -> None:
            nonlocal failures
            failures += ran.failed
            for sentence in ran.said:
                console.print(_line(sentence if ran.job.student in sentence else f"{ran.job.student}: {sentence}"))
            progress.advance(bar)
            speed = progress.tasks[0].speed or 0
            progress.update(bar, rate=f"{speed * 60:.0f} a minute" + f", {failures} failed" * bool(failures))

        yield lambda total: progress.update(bar, total=total), tell


def _exit(summary: Summary) -> None:
    if summary.stopped:
        raise typer.Exit(130)
    if summary.failed:
        raise typer.Exit(1)


def _show(console: Console, summary: Summary) -> None:
    """One summary at the end."""
    before = f", {summary.skipped} left as they were (graded before, or held back)" if summary.skipped else ""
    console.print(f"{summary.graded} submission{'s' * (summary.graded != 1)} graded{before}.")
    if summary.failed:
        console.print(f"{len(summary.failed)} could not be graded; the same command again tries them once more:")
        for (student, assignment), reason in summary.failed.items():
            console.print(_line(f"  {f'{student}, ' if student else ''}{assignment}: {reason}"))
    if summary.stopped:
        console.print("Stopped. What was graded is stored; the same command again goes on from there.")


def _line(text: str) -> str:
    """A text that may hold what a student has named, for the terminal: one line, nothing that steers it."""
    return escape("".join(one if one.isprintable() else " " for one in text))


class _Said(logging.Handler):
    """Shows nbgrader's warnings above the progress bar."""

    def __init__(self, console: Console):
        super().__init__(logging.WARNING)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        for line in record.getMessage().splitlines():
            self._console.print(_line(line))


def _initialize(nbgrader: AutogradeApp, arguments: list[str]) -> None:
    """Read the course's nbgrader_config.py; without it nbgrader would run submissions where they can do anything."""
    from nbgrader.converters import Autograde

    from grading.execute import Execute

    nbgrader.raise_config_file_errors = True
    try:
        nbgrader.initialize(arguments)
        if Execute in Autograde(parent=nbgrader).autograde_preprocessors:
            return
        reason = "no nbgrader_config.py here puts grading.execute.Execute into c.Autograde.autograde_preprocessors"
    except Exception as error:
        reason = f"nbgrader_config.py cannot be used ({type(error).__name__}: {error})"
    typer.echo(f"Nothing was graded: {reason}. Submissions would run unprotected.", err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
