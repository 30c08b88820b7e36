"""Real parts for the tests: kernels, and courses that nbgrader has set up."""

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import commands
import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook, MissingEntry
from seen import remember
from typer.testing import CliRunner

ROOT = Path(__file__).resolve().parent.parent
NBGRADER = (sys.executable, "-m", "nbgrader")
CONVBLOCKS = (sys.executable, "-m", "grading.cli")


def run(course: Path, *command: str, **environment: str) -> tuple[int, str]:
    """Run a command in a course, as on the command line; its exit code and output."""
    usual = {key: value for key, value in os.environ.items() if key != "CONVBLOCKS_SEED"}
    usual["CONVBLOCKS_EXCHANGE"] = str(course / "exchange")
    if command[:3] in (NBGRADER, CONVBLOCKS) and "PYTHONPATH" not in environment:
        return commands.call(command[2], command[3:], course, usual | environment)
    done = subprocess.run(command, cwd=course, env=usual | environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def background(course: Path, *command: str, stderr: int | None = subprocess.PIPE, **environment: str):
    """A command in a course as a process that runs while the block does, and writes text to its stderr alone."""
    usual = os.environ | {"CONVBLOCKS_EXCHANGE": str(course / "exchange")} | environment

    def heed() -> None:
        # Tests that run in the background of a script have been told to ignore Ctrl-C, and would hand that on.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    how = {"stdout": subprocess.DEVNULL, "stderr": stderr, "text": True}
    with subprocess.Popen(command, cwd=course, env=usual, start_new_session=True, preexec_fn=heed, **how) as process:
        try:
            yield process
        finally:
            process.kill()


def until(wanted: Callable):
    """Wait for something that happens within two minutes; what it is."""
    deadline = time.monotonic() + 120
    while not (found := wanted()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def convblocks(course: Path, *arguments: str):
    """Run a command of convblocks in this process, for those that are small; typer's result, with exit code and output."""
    from grading.cli import app

    # Reading the course's configuration sets the seed of this process. And nbgrader ends the handlers of all loggers: that
    # of TensorFlow, where it was imported before, would close the stream of pytest's that it found then.
    with (
        contextlib.chdir(course),
        mock.patch.dict(os.environ, {"CONVBLOCKS_EXCHANGE": str(course / "exchange")}),
        mock.patch("logging.shutdown"),
    ):
        return CliRunner().invoke(app, arguments)


def nbgrader(course: Path, *arguments: str, fails: bool = False) -> str:
    """Run an nbgrader command in a course; its output. fails: whether it is expected to."""
    code, output = run(course, *NBGRADER, *arguments)
    assert bool(code) == fails, output
    return output


def scores(course, assignment="1-padding"):
    """The score of every student in the gradebook."""
    found = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for student in gradebook.students:
            try:
                found[student.id] = gradebook.find_submission(assignment, student.id).score
            except MissingEntry:
                found[student.id] = None
    return found


def run_cells(*sources: str, folder: Path | str = ".", **environment: str) -> list:
    """Run code cells in one real kernel, errors allowed; the cells with their outputs."""
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    client = NotebookClient(notebook, timeout=60, allow_errors=True, resources={"metadata": {"path": str(folder)}})
    client.execute(env=os.environ | environment)
    return notebook.cells


def errors(cell) -> list:
    """The error outputs of a cell."""
    return [output for output in cell.outputs if output.output_type == "error"]


def html(cell) -> str:
    """All HTML that a cell shows."""
    return "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)


def fill(notebook: Path, **functions: str) -> None:
    """Write these sources into the solution cells of a notebook, by their ids."""
    nb = nbformat.read(notebook, as_version=4)
    for cell in nb.cells:
        if cell.id in functions:
            cell.source = functions[cell.id]
    nbformat.write(nb, notebook)


def pytest_runtest_logreport(report):
    """Keep how the tests of faults ended, for the report."""
    file, _, name = report.nodeid.partition("::")
    if file.endswith("test_faults.py") and report.when == "call":
        remember("faults", {name.removeprefix("test_").replace("_", " "): report.outcome})


@pytest.fixture(scope="module")
def chromium():
    """A headless Chromium for all tests of a file."""
    from browser import started

    with started() as launched:
        yield launched


@pytest.fixture(scope="session")
def generated_course(tmp_path_factory) -> Path:
    """A course of two assignments, generated: 1-padding with one notebook, 6-shapes-classifier with two."""
    course = tmp_path_factory.mktemp("generated")
    for assignment in ("1-padding", "6-shapes-classifier"):
        shutil.copytree(ROOT / "source" / assignment, course / "source" / assignment)
    shutil.copy(ROOT / "nbgrader_config.py", course)
    for assignment in ("1-padding", "6-shapes-classifier"):
        nbgrader(course, "generate_assignment", assignment)
    return course


@pytest.fixture
def course(generated_course, tmp_path) -> Path:
    """A copy of the generated course for one test."""
    return Path(shutil.copytree(generated_course, tmp_path / "course"))


@pytest.fixture(scope="session")
def graded_class(tmp_path_factory) -> Path:
    """A course of one assignment, 1-padding, and a class of 30 that is made up and graded; not to be changed."""
    from benchmarks.report import build

    course = tmp_path_factory.mktemp("graded") / "course"
    build(course, 30)
    return course


@pytest.fixture
def graded_course(graded_class, tmp_path) -> Path:
    """A copy of it for one test."""
    return Path(shutil.copytree(graded_class, tmp_path / "course"))


@pytest.fixture
def left_behind():
    """What a process leaves that was started here becomes a child of this one, not of the machine's first.

    Gives a function: all kernels and sandboxes below this process that were not there before the test, as is the one
    that a test in this process has made ready for a next notebook.
    """
    set_child_subreaper = 36
    before = processes_named("kernel", "bwrap")
    ctypes.CDLL(None).prctl(set_child_subreaper, 1)
    yield lambda: [one for one in processes_named("kernel", "bwrap") if one not in before]
    ctypes.CDLL(None).prctl(set_child_subreaper, 0)
    # Nobody else asks how they ended, and who looks for processes would look at hundreds.
    for one in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, ChildProcessError):
            if one.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(one.pid, os.WNOHANG)


def processes_named(*names: str, started_by: int | None = None) -> list[psutil.Process]:
    """Of all that this process or another one has started, parents first, those of these names, also dead ones."""
    found = []
    for one in psutil.Process(started_by).children(recursive=True):
        # Any of them may end meanwhile.
        with contextlib.suppress(psutil.NoSuchProcess):
            found += [one] if one.as_dict(["name"])["name"] in names else []
    return found
