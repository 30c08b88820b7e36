"""One submission in, one graded submission out, without the gradebook: what a pool or a cluster does many times.

It is nbgrader's own autograde up to the step that stores scores, with a copy of the assignment's cells for a gradebook
and with a folder of the job's own for what is graded. `grading.pool` takes that into the course.
"""

import contextlib
import functools
import hashlib
import logging
import os
import select
import shutil
import signal
import sqlite3
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbconvert.exporters.exporter import ResourcesDict
from nbgrader.apps import AutogradeApp
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.converters.base import BaseConverter
from nbgrader.preprocessors import SaveAutoGrades
from nbgrader.utils import setenv

from autograde_tests.cases import SEED_VARIABLE
from grading import sandbox
from grading.execute import results_of
from grading.files import STAGING
from grading.gradebook import in_memory, keep_open
from grading.intake import AutogradeAll
from grading.packages import ROOT
from grading.validation import compile_schemas
from grading.warm import WarmParent

compile_schemas()
keep_open()

_BEFORE = os.environ.get(SEED_VARIABLE, "0")
"""The seed of a course that sets none."""

APPS = 64
"""Of how many assignments a worker keeps what is read once; one of a cluster outlasts many runs."""


def _code() -> str:
    files = sorted(
        path for name in ("autograde_tests", "convblocks", "grading") for path in (ROOT / name).rglob("*.py")
    )
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


CODE = _code()
"""What tells the code that this process has imported from what it is after a change, or elsewhere."""

OTHER_CODE = "its worker has other code than is here now: restart the cluster's workers, or run the same command again"

AROUND_ERRORS = (
    "There was an error processing assignment",
    "Removing failed",
    "Please see the the above traceback",
)
"""How nbgrader's messages around an error begin, which itself says it all."""


@dataclass(frozen=True)
class Job:
    """One submission to be graded.

    course: folder of nbgrader_config.py. options: further ones for nbgrader. cells: a gradebook with the assignments
    alone, made by `copy_cells`. out: where the graded work goes, below `course`: `out/student/assignment`. only: ids of
    the graded cells that are scored again, all where there are none; before: the folder that has the other results.
    code: whoever grades it has to have imported the same, see CODE.
    """

    course: str
    assignment: str
    student: str
    options: tuple[str, ...]
    cells: str
    out: str
    only: tuple[str, ...] = ()
    before: str = ""
    code: str = CODE

    @property
    def made(self) -> Path:
        """The folder of the graded work."""
        return Path(self.course, self.out, self.student, self.assignment)


@dataclass
class Ran:
    """What became of a job: warnings to be shown, how long it took, and whether it failed, which is nobody's work."""

    job: Job
    said: list[str] = field(default_factory=list)
    seconds: float = 0.0
    failed: bool = False

    @property
    def reason(self) -> str:
        """Why it failed, in a line."""
        return (self.said or ["no reason is known"])[-1].strip().splitlines()[-1]


def start_worker(pool: int, warm: WarmParent | None) -> None:
    """Get a process of a pool ready.

    pool: number of the process that started it, whose end is the end of this one. warm: what its kernels are forked
    from.
    """
    # Ctrl-C is for that one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "pidfd_open"):
        threading.Thread(target=_end_with, args=(os.pidfd_open(pool),), daemon=True).start()
    if warm:
        sandbox.take(warm)


def _end_with(other: int) -> None:
    """Kill this process once another one, an open pidfd, has ended; multiprocessing would leave it waiting for work."""
    select.select([other], [], [])
    os.kill(os.getpid(), signal.SIGKILL)


def run(job: Job) -> Ran:
    """Grade one submission; never raises for what is in it."""
    with _ONE_AT_A_TIME:
        return _run(job)


def _run(job: Job) -> Ran:
    ran, begin = Ran(job), time.perf_counter()
    if job.code != CODE:
        return Ran(job, [OTHER_CODE], failed=True)
    try:
        app, os.environ[SEED_VARIABLE], _ = _app(job.course, job.assignment, job.options, job.cells)
        with _heard(app.log, ran.said):
            app.coursedir.student_id, app.coursedir.autograded_directory = job.student, job.out
            app.config.Execute.only, app.config.Execute.graded_before = list(job.only), job.before
            ignored = app.coursedir.ignore
            try:
                converter = Run(coursedir=app.coursedir, parent=app)
                converter.autograde_preprocessors = steps(converter)[0]
                # It is for what is in the course.
                converter.post_convert_hook = None
                # What a worker that was lost has left of it would be taken for what has been graded.
                shutil.rmtree(job.made, ignore_errors=True)
                converter.start()
            finally:
                app.coursedir.ignore = ignored
    except NbGraderException:
        ran.failed = True
    except Exception:
        ran.failed = True
        ran.said.append(traceback.format_exc())
    staging = Path(job.course, Path(job.out).parts[0])
    if staging.name.startswith(STAGING) and not (staging / "lock").exists():
        # Whoever asked for it has been stopped meanwhile, and is not there to remove it.
        shutil.rmtree(staging, ignore_errors=True)
    ran.seconds = time.perf_counter() - begin
    return ran


class Run(AutogradeAll):
    """nbgrader's autograde with all steps one after another; its own writes and reads the notebook in between."""

    def init_single_notebook_resources(self, notebook_filename: str) -> dict:
        resources = super().init_single_notebook_resources(notebook_filename)
        ids = resources["nbgrader"]
        # As nbconvert has it of a notebook that it reads: Execute finds its files there.
        resources["metadata"] = ResourcesDict(
            name=ids["notebook"], path=self._format_dest(ids["assignment"], ids["student"])
        )
        return resources

    def convert_single_notebook(self, notebook_filename: str) -> None:
        only, name = self.config.Execute.only, os.path.basename(notebook_filename)
        before = Path(self.config.Execute.graded_before, name)
        if only and before.is_file() and not results_of(before).keys() & {*only}:
            # Nothing in it is to be scored again, and to run it may take minutes.
            made = Path(self._format_dest(self.coursedir.assignment_id, self.coursedir.student_id))
            made.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(before, made / name)
            return
        # The exporter reads it as a submission.
        self._sanitizing = True
        self.exporter._preprocessors = []
        for step in (*self.sanitize_preprocessors, *self.autograde_preprocessors):
            self.exporter.register_preprocessor(step)
        with setenv(NBGRADER_EXECUTION="autograde"):
            BaseConverter.convert_single_notebook(self, notebook_filename)


def steps(converter: Autograde) -> tuple[list, list]:
    """nbgrader's steps: those that run and look, and from the one on that stores the scores."""
    steps = list(converter.autograde_preprocessors)
    first = next(place for place, step in enumerate(steps) if issubclass(step, SaveAutoGrades))
    return steps[:first], steps[first:]


@functools.lru_cache(APPS)
def _app(
    course: str, assignment: str, options: tuple[str, ...], cells: str
) -> tuple[AutogradeApp, str, sqlite3.Connection]:
    """nbgrader's command with the course's configuration, quiet; its seed; and what keeps its gradebook in memory."""
    os.chdir(course)
    # Or a course that sets none would have another one's.
    os.environ[SEED_VARIABLE] = _BEFORE
    app, (address, kept) = AutogradeApp(), in_memory(cells)
    app.initialize([assignment, *options, f"--CourseDirectory.db_url={address}", "--log-level=50"])
    app.coursedir.assignment_id = assignment
    # Or each of what nbclient and nbconvert say for those who look for bugs would be made, and thrown away.
    app.log.setLevel(logging.WARNING)
    return app, os.environ[SEED_VARIABLE], kept


_ONE_AT_A_TIME = threading.Lock()
"""A worker of Dask has threads, and nbgrader's environment variables are those of the process."""


@contextlib.contextmanager
def _heard(log: logging.Logger, said: list[str]) -> Iterator[None]:
    """Collect the warnings of a logger."""

    class Collect(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            message = record.getMessage()
            if message.startswith("Traceback"):
                # Its last line says it all to whoever does not look for a bug of ours.
                message = message.strip().splitlines()[-1]
            if not message.startswith(AROUND_ERRORS):
                said.append(message)

    handler = Collect(logging.WARNING)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
