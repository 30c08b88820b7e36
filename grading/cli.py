"""The command line of the course: `convblocks grade ASSIGNMENT…`."""

from typing import Annotated

import typer
from nbgrader.apps import AutogradeApp
from nbgrader.converters import Autograde

from grading.execute import Execute

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def convblocks() -> None:
    """Run a course, in the folder of its nbgrader_config.py."""


@app.command()
def grade(
    assignments: Annotated[list[str], typer.Argument(help="Assignments to grade, such as 1-padding.")],
    student: Annotated[str, typer.Option(help="Only this student's.")] = "*",
    force: Annotated[bool, typer.Option("--force", help="Also what has been graded.")] = False,
    unsafe_no_sandbox: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run submissions where they can read and change your files.")
    ] = False,
) -> None:
    """Grade what was collected, each submission in a sandbox: `nbgrader autograde`, for one or more assignments."""
    failed = []
    for assignment in assignments:
        arguments = [assignment, f"--student={student}", *["--force"] * force]
        nbgrader = AutogradeApp()
        _initialize(nbgrader, [*arguments, f"--Execute.unsafe_no_sandbox={unsafe_no_sandbox}"])
        try:
            nbgrader.start()
        except SystemExit as end:
            failed += [assignment] * bool(end.code)
    if failed:
        raise typer.Exit(1)


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
