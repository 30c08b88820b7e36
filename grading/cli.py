"""The command line of the course: `convblocks grade ASSIGNMENT…`."""

import functools
import logging
import os
from typing import Annotated

import typer
from nbgrader.apps import AutogradeApp
from nbgrader.converters import Autograde
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from grading import pool
from grading.execute import Execute
from grading.submission import Ran

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def convblocks() -> None:
    """Run a course, in the folder of its nbgrader_config.py."""


@app.command()
def grade(
    assignments: Annotated[list[str], typer.Argument(help="Assignments to grade, such as 1-padding.")],
    workers: Annotated[int, typer.Option(min=1, help="How many submissions are graded at once.")] = os.cpu_count() or 1,
    scheduler: Annotated[str, typer.Option(help="Address of a Dask cluster's scheduler, to grade there.")] = "",
    student: Annotated[str, typer.Option(help="Only this student's.")] = "*",
    force: Annotated[bool, typer.Option("--force", help="Also what has been graded.")] = False,
    unsafe_no_sandbox: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run submissions where they can read and change your files.")
    ] = False,
) -> None:
    """Grade what was collected, each submission in a sandbox: as `nbgrader autograde` does, but many at once.

    Ctrl-C stops it; the same command again goes on from there. Exits with 1 if anything could not be graded.
    """
    # A log of a build server is as wide as it likes.
    console = Console(stderr=True, width=None if os.isatty(2) else 200, highlight=False)
    options = (f"--Execute.unsafe_no_sandbox={unsafe_no_sandbox}",)
    apps = []
    for assignment in dict.fromkeys(assignments):
        nbgrader = AutogradeApp()
        arguments = [assignment, f"--student={student}", *["--force"] * force, *options]
        _initialize(nbgrader, [*arguments, "--log-level=50"])
        nbgrader.coursedir.assignment_id = assignment
        nbgrader.log.addHandler(_Said(console))
        apps.append(nbgrader)
    make = functools.partial(pool.cluster, scheduler) if scheduler else functools.partial(pool.processes, workers)
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

        summary = pool.grade(apps, options, make, workers, lambda total: progress.update(bar, total=total), tell)
    _show(console, summary)
    if summary.stopped:
        raise typer.Exit(130)
    if summary.failed:
        raise typer.Exit(1)


def _show(console: Console, summary: pool.Summary) -> None:
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
