"""Grade many submissions at once, in processes of this machine or on a Dask cluster, with one writer."""

import contextlib
import functools
import glob
import os
import shutil
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import AutogradeApp
from nbgrader.converters import NbGraderException
from sqlalchemy.exc import SQLAlchemyError

from autograde_tests.checking import load_checks, version
from grading import policy
from grading.course import has_gradebook, instead
from grading.execute import building_on, is_outdated, results_of
from grading.files import staged
from grading.gradebook import LOCKED, add_indexes, copy_cells, is_locked, turn, unreadable
from grading.intake import (
    AutogradeAll,
    graded_attempt,
    graded_content,
    graded_contents,
    holds_back,
    is_due,
    is_graded,
    is_same_attempt,
    note_attempt,
    read_timestamp,
)
from grading.mending import wanted_notebooks
from grading.sanitize import RESULT
from grading.submission import Job, Ran, run, steps
from grading.workers import TRIES, ClusterLost, Workers, is_given_up

WITHOUT_A_WORD = 10.0
"""Seconds after which it is said that a cluster has no worker."""

LOST = f"its worker was lost {TRIES} times, at last with nothing else running beside it"
GIVEN_UP = "the cluster lost every worker that tried it, at last with nothing else running beside it"

NOBODY = "The cluster has no worker at the moment: what is to be graded waits for one. Ctrl-C stops it."


@dataclass
class Summary:
    """What became of a run: how many submissions were graded and how many had been; why others could not be.

    kept: student and assignment where an earlier attempt than the one in submitted/ counts, as the better one. failed:
    reasons, by student and assignment, or by "" and assignment. stopped: whether Ctrl-C has ended it; lost: whether
    its cluster did. due: how many wait for `grade`, when others were regraded.
    """

    graded: int = 0
    skipped: int = 0
    kept: list[tuple[str, str]] = field(default_factory=list)
    failed: dict[tuple[str, str], str] = field(default_factory=dict)
    stopped: bool = False
    lost: bool = False
    due: int = 0


class Fate(Enum):
    """What became of a submission that was graded: it was stored; an earlier attempt is the better one and stays; or
    another run has meanwhile stored the same one, or one that was handed in since.
    """

    STORED, WORSE, OVERTAKEN = range(3)


class Store(AutogradeAll):
    """nbgrader's autograde of one assignment, which takes the work of `grading.submission.run` for its own.

    What is to be graded, what is stored and how is decided here, with the course's own gradebook and folders.
    """

    def open(self, others: Collection[str] = ()) -> tuple[list[str], int]:
        """Get ready; folders of the submissions that are to be graded, and how many are left as they are.

        others: folders that another store looks after. Raises NbGraderException.
        """
        if has_gradebook(self.coursedir):
            add_indexes(self.coursedir.db_url)
        self._before: dict[str, tuple] = {}
        # It is for what has not been graded; `run` calls it.
        self.pre_convert_hook = None
        self.init_notebooks()
        found = set(self.assignments)
        # Drops from `assignments` what is held back, and adds what has no notebook.
        self.exporter = self.exporter_class(parent=self, config=self.config)
        self.everything = {folder: names for folder, names in self.assignments.items() if folder not in others}
        due = [folder for folder in sorted(self.everything) if self._is_due(folder)]
        left = (found | self.everything.keys()) - {*others, *due, *self.exporter.refused}
        return due, len(left)

    def outdated(self) -> dict[str, list[str]]:
        """Ids of the cells that another check, or version of it, or for other points, has scored, by their student.

        And of those of the same notebook that build on such: what is lent to them follows from its result.
        """
        graded = glob.glob(self._format_dest(self.coursedir.assignment_id, self.coursedir.student_id))
        found = {Path(one).parts[-2]: self._outdated(Path(one)) for one in sorted(graded)}
        return {student: cells for student, cells in found.items() if cells and not self._is_excluded(student)}

    def _outdated(self, graded: Path) -> list[str]:
        found = []
        wanted = {one.name: one for one in wanted_notebooks(self.coursedir.db_url, self.coursedir.assignment_id)}
        for notebook in graded.glob("*.ipynb"):
            results = {cell: data[RESULT] for cell, data in results_of(notebook).items()}
            now = wanted[notebook.stem].scored_by if notebook.stem in wanted else {}
            old = [cell for cell, result in results.items() if is_outdated(result, _version_now, now.get(cell))]
            names = {cell: now[cell][0] if cell in now else result["check"] for cell, result in results.items()}
            if old:
                found += building_on(old, names)
        return found

    @property
    def missing(self) -> str:
        """Where what is asked for cannot be graded by anybody, why, and what there is instead or to do; else ""."""
        wanted, student = self.coursedir.assignment_id, self.coursedir.student_id
        place = f"in {self._input_directory}/"
        if glob.glob(self._format_source(wanted, student)):
            to_do = f"`nbgrader generate_assignment {wanted} --force` puts it there"
            return "" if self._is_known else f"{wanted} is not in the gradebook: {to_do}."
        if students := {self.student(one) for one in glob.glob(self._format_source(wanted, "*"))}:
            return f"There is no {wanted} of {student} {place}{instead(student, students)}."
        assignments = {Path(one).name for one in glob.glob(self._format_source("*", "*"))}
        return f"There is no {wanted} {place}{instead(wanted, assignments)}."

    @property
    def _is_known(self) -> bool:
        """Whether the gradebook has the assignment; also where it cannot be read, which is said elsewhere."""
        if not has_gradebook(self.coursedir):
            return False
        try:
            return bool(wanted_notebooks(self.coursedir.db_url, self.coursedir.assignment_id))
        except Exception:
            return True

    def student(self, folder: str) -> str:
        """Whose submission lies in a folder."""
        return Path(folder).parts[-2]

    def _is_excluded(self, student: str) -> bool:
        return student in self.coursedir.student_id_exclude.split(",")

    def _is_due(self, folder: str) -> bool:
        """Whether it is to be graded, as what was graded only in part is."""
        student = self.student(folder)
        if self._is_excluded(student):
            return False
        graded = Path(self._format_dest(self.coursedir.assignment_id, student))
        if self.force or not self._is_whole(folder, graded):
            return True
        return is_due(Path(self.coursedir.root, folder), graded)

    def _is_whole(self, folder: str, graded: Path) -> bool:
        """Whether all notebooks of a submission have been graded, into another folder."""
        return all(is_graded(graded / os.path.basename(name)) for name in self.everything[folder])

    def note(self, folder: str) -> None:
        """Note what there is of a submission before it is graded."""
        graded = self._format_dest(self.coursedir.assignment_id, self.student(folder))
        self._before[folder] = graded_attempt(Path(graded))

    def take(self, folder: str, ran: Path) -> Fate:
        """Store a submission that has been graded in the folder `ran`. Raises NbGraderException when it cannot be.

        What was graded before stays until all of it is stored.
        """
        self._ran, self._folder = ran, folder
        ids = self.coursedir.assignment_id, self.student(folder)
        graded, before, coursedir = Path(self._format_dest(*ids)), os.getcwd(), self.coursedir
        submitted, autograded = coursedir.submitted_directory, coursedir.autograded_directory
        if self._is_overtaken(folder, graded):
            return Fate.OVERTAKEN
        if self.exporter.counts == "best" and self._is_whole(folder, graded) and self._is_worse(*ids, graded):
            return Fate.WORSE
        os.chdir(coursedir.root)
        # What lies in submitted/ may have been handed in since.
        coursedir.submitted_directory = str(ran.parent.parent.relative_to(coursedir.root))
        # Beside the others, so that it can be moved there.
        coursedir.autograded_directory = os.path.join(autograded, ".new")
        made = self._format_source(*ids)
        self.assignments = {made: [os.path.join(made, os.path.basename(name)) for name in self.everything[folder]]}
        aside = Path(self._format_dest(".", "."))
        # What a killed run has left there is nobody's.
        shutil.rmtree(aside, ignore_errors=True)
        try:
            self.convert_notebooks()
            _replace(graded, Path(self._format_dest(*ids)), aside / "old")
        finally:
            coursedir.submitted_directory, coursedir.autograded_directory = submitted, autograded
            shutil.rmtree(aside, ignore_errors=True)
            os.chdir(before)
        return Fate.STORED

    def _is_overtaken(self, folder: str, graded: Path) -> bool:
        """Whether another run has stored this attempt or a newer one since this run began.

        Where all is graded again (`force`), the same attempt takes the place of what there is of it.
        """
        if not self._is_whole(folder, graded):
            return False
        content = graded_content(self._ran)
        if self.force:
            others = graded_attempt(graded) != self._before[folder]
            return others and not is_same_attempt(self._ran, graded, content)
        return not (is_due(Path(self.coursedir.root, folder), graded) and is_due(self._ran, graded, content))

    def _is_worse(self, assignment: str, student: str, graded: Path) -> bool:
        """Whether what was graded now is another attempt than the one in a folder, and worth less; if so, notes it.

        By today's deadline and policy, by which the late penalty of the one that stays is stored then.
        """
        if is_same_attempt(self._ran, graded, graded_content(self._ran)):
            return False
        stamp = read_timestamp(self._ran / "timestamp.txt")
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                stored = gradebook.find_submission(assignment, student)
            except MissingEntry:
                return False
            if stored.timestamp != read_timestamp(graded / "timestamp.txt"):
                # A run was interrupted while it replaced this one: of neither is all there, so none can be kept.
                return False
            counts = policy.points_now(stored, self.config)
            worse = round(policy.points(stored, self._ran, stamp, self.config) - counts, 6) < 0
        if worse:
            policy.reckon_anew(self.coursedir.db_url, self.config, assignment, student)
            note_attempt(graded, self._ran)
        return worse

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        super().init_assignment(assignment_id, student_id)
        if read_timestamp(self._ran / "timestamp.txt") is None:
            # nbgrader leaves that of an earlier attempt, which may have been late.
            with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
                gradebook.update_or_create_submission(assignment_id, student_id, timestamp=None)

    def run_post_convert_hook(self) -> None:
        # The course's own, for what was handed in.
        self.notebooks = self.everything[self._folder]
        super().run_post_convert_hook()

    def convert_single_notebook(self, notebook_filename: str) -> None:
        ids = self.init_single_notebook_resources(notebook_filename)["nbgrader"]
        target = Path(self._format_dest(ids["assignment"], ids["student"]), os.path.basename(notebook_filename))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebook_filename, target)
        # It was validated when it was written.
        notebook, resources = nbformat.v4.reads(target.read_text(encoding="utf-8")), {"nbgrader": ids}
        for step in steps(self)[1]:
            notebook, resources = step(parent=self.exporter)(notebook, resources)


def _version_now(name: str) -> str:
    """The version of a check that there is now, "" where there is none."""
    return version(name) if name in load_checks() else ""


def _replace(folder: Path, new: Path, old: Path) -> None:
    """Put a new folder in the place of one that may be there, which becomes `old`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)


@contextlib.contextmanager
def _to_its_end() -> Iterator[None]:
    """What Ctrl-C does not break: it is heeded afterwards."""
    usual, pressed = signal.getsignal(signal.SIGINT), []
    if not callable(usual) or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, lambda *how: pressed.append(how))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if pressed:
            usual(*pressed[0])


def grade(
    apps: list[AutogradeApp],
    options: tuple[str, ...],
    workers: Workers,
    begin: Callable[[int, int], None],
    tell: Callable[[Ran], None],
) -> Summary:
    """Grade what is due of some assignments.

    apps: nbgrader's command for each assignment of each student who was named, initialized. options: of nbgrader, for
    the workers. workers: makes what runs the jobs, anew when its processes are lost. begin: told how many there are,
    and of how many it is known that they cannot be graded; tell: told of each that has ended. Ctrl-C ends it; what has
    been stored stays.
    """
    summary = Summary()
    with _stopping(summary), staged(Path(apps[0].coursedir.root)) as staging:
        jobs = {}
        for store, due, before in _open(apps, summary):
            summary.skipped += before
            jobs |= {_job(store, folder, options, staging): (store, folder) for folder in due}
        begin(len(jobs), len(summary.failed))
        _run_all(jobs, workers, functools.partial(_store, summary, tell))
    return summary


@contextlib.contextmanager
def _stopping(summary: Summary) -> Iterator[None]:
    """What Ctrl-C ends, or a cluster that is lost, and notes."""
    try:
        yield
    except KeyboardInterrupt:
        summary.stopped = True
    except ClusterLost:
        summary.lost = True


@dataclass(frozen=True)
class Change:
    """What a check that was changed makes of one score, and of all that the student has in that assignment.

    The latter are after late penalties, and with what a person gave; what it is to be by today's deadline and policy.
    """

    student: str
    assignment: str
    check: str
    before: float
    after: float
    in_all_before: float
    in_all_after: float


def regrade(
    apps: list[AutogradeApp],
    options: tuple[str, ...],
    workers: Workers,
    begin: Callable[[int, int], None],
    tell: Callable[[Ran], None],
    decide: Callable[[list[Change], int], bool],
) -> Summary:
    """Score again the cells whose check has changed since, and what builds on them; store that where `decide` says so.

    Everything else of a graded submission stays as it is; one that has been handed in anew since waits for `grade`.
    Arguments else as for `grade`. `decide` is asked where the gradebook could be read of one assignment at least; it is
    also told of how many submissions something is outdated.
    """
    summary, ended, opened, outdated = Summary(), [], False, set()
    with _stopping(summary), staged(Path(apps[0].coursedir.root)) as staging:
        jobs = {}
        for store, due, _ in _open(apps, summary):
            opened = True
            # It has been graded, and is to be once more.
            store.force = True
            summary.due += len(due)
            assignment = store.coursedir.assignment_id
            wanted = wanted_notebooks(store.coursedir.db_url, assignment)
            for student, cells in store.outdated().items():
                if (student, assignment) in outdated:
                    # Of two patterns for students both match it.
                    continue
                outdated.add((student, assignment))
                folder, before = (of(assignment, student) for of in (store._format_source, store._format_dest))
                if folder in due:
                    # What was graded is not what lies there now.
                    continue
                submitted, taken = Path(store.coursedir.root, folder), folder in store.everything
                if taken and not is_same_attempt(submitted, Path(before)):
                    summary.kept.append((student, assignment))
                    continue
                if not submitted.exists():
                    problem = "what was handed in is no longer in submitted/: put it there to have it scored again"
                else:
                    problem = holds_back(submitted, Path(before), wanted)
                if problem:
                    _fail(summary, student, assignment, f"{problem}; its scores stay as they are")
                elif taken:
                    jobs[_job(store, folder, options, staging, tuple(cells), before)] = store, folder
        begin(len(jobs), len(summary.failed))
        _run_all(jobs, workers, lambda ran, *where: (ended.append(ran), tell(ran)))
        changes = []
        for ran in ended:
            if not ran.failed and not _is_of_what_was_graded(ran):
                ran.failed, ran.said = True, ["it was handed in anew meanwhile, which `convblocks grade` grades"]
            try:
                changes += [] if ran.failed else _changes(ran, jobs[ran.job][0])
            except MissingEntry:
                said = "the gradebook has nothing of it: `convblocks grade --force --student=…` puts it there"
                ran.failed, ran.said = True, [said]
            except SQLAlchemyError as error:
                ran.failed, ran.said = True, [unreadable(error)]
            if ran.failed:
                _fail(summary, ran.job.student, ran.job.assignment, ran.reason)
        if opened and decide(changes, len(outdated)):
            for ran in ended:
                if not ran.failed:
                    _store(summary, lambda ran: None, ran, *jobs[ran.job])
    return summary


def _is_of_what_was_graded(ran: Ran) -> bool:
    """Whether what was scored again is the attempt that has the other results."""
    made, before = ran.job.made, Path(ran.job.before)
    known = graded_content(before)
    # One that was not run again has the digest that it had.
    return all(is_same_attempt(made, before, one) for one in graded_contents(made) - {known} or {known})


def _changes(ran: Ran, store: Store) -> list[Change]:
    """What a submission that was scored again would change. Raises MissingEntry where the gradebook has none."""
    job, stamp = ran.job, read_timestamp(ran.job.made / "timestamp.txt")
    with Gradebook(store.coursedir.db_url, store.coursedir.course_id) as gradebook:
        stored = gradebook.find_submission(job.assignment, job.student)
        in_all = (
            sum(one.score - min(one.late_submission_penalty or 0, one.score) for one in stored.notebooks),
            policy.points(stored, job.made, stamp, store.config),
        )
    found = []
    for path in sorted(job.made.glob("*.ipynb")):
        before = results_of(Path(job.before, path.name))
        for grade_id, data in results_of(path).items():
            if grade_id in job.only:
                old, new = before[grade_id][RESULT], data[RESULT]
                scores = old["score"], new["score"]
                found.append(Change(job.student, job.assignment, new["check"], *scores, *in_all))
    return found


def _open(apps: list[AutogradeApp], summary: Summary) -> Iterator[tuple[Store, list[str], int]]:
    """A store for each assignment of each student who was named, with what `open` says of it."""
    opened: set[str] = set()
    for app in apps:
        store, assignment = Store(coursedir=app.coursedir, parent=app), app.coursedir.assignment_id
        if store.missing:
            _fail(summary, "", assignment, store.missing)
            continue
        try:
            # What another run is storing is there in part.
            with turn(Path(store.coursedir.root), store.coursedir.db_url, store.log):
                found = store.open(opened)
            opened |= store.everything.keys()
            yield store, *found
            for folder, reason in store.exporter.refused.items():
                _fail(summary, store.student(folder), assignment, reason)
        except NbGraderException as error:
            _fail(summary, "", assignment, str(error))


def _job(store: Store, folder: str, options, staging: Path, only: tuple[str, ...] = (), before: str = "") -> Job:
    cells, assignment = staging / "cells.db", store.coursedir.assignment_id
    if not cells.exists():
        copy_cells(store.coursedir.db_url, cells)
    store.note(folder)
    # No name that somebody has chosen: nbgrader takes it for a pattern. And not beside what else is there.
    out = f"{staging.name}/made"
    return Job(store.coursedir.root, assignment, store.student(folder), options, str(cells), out, only, before)


def _run_all(stores: dict[Job, tuple], workers: Workers, end: Callable) -> None:
    """Run the jobs; `end(ran, *stores[job])` is called for each when it has ended."""
    waiting, suspects, lost, alone = deque(stores), deque(), Counter(), False
    while waiting or suspects:
        with workers() as (pool, width):
            running: dict[Future, Job] = {}
            try:
                while waiting or suspects or running:
                    # Of those whose worker was lost one alone, so that none suffers for another; else a few more than
                    # are run, so that no worker waits for one.
                    careful = suspects or any(lost[job] for job in running.values())
                    queue, most = (suspects, 1) if careful else (waiting, 2 * max(1, width()))
                    while queue and len(running) < most:
                        # It stays in line until it has been taken.
                        running[pool.submit(run, queue[0])] = queue[0]
                        queue.popleft()
                    done, _ = wait(running, WITHOUT_A_WORD, return_when=FIRST_COMPLETED)
                    if not done and not width() and not alone:
                        alone = True
                        next(iter(stores.values()))[0].log.warning(NOBODY)
                    # A pool that breaks breaks all that it runs; what ended before has its result.
                    for future in sorted(done, key=_is_broken):
                        job = running[future]
                        ran = _ran(future, job)
                        del running[future]
                        if not ran and not lost[job]:
                            lost[job] = 1
                            suspects.append(job)
                        else:
                            end(ran or Ran(job, [GIVEN_UP], failed=True), *stores[job])
            except BrokenProcessPool:
                # Nobody can say whose worker it was, unless it was alone.
                lost.update(running.values())
                for job in running.values():
                    if lost[job] < TRIES:
                        suspects.append(job)
                    else:
                        end(Ran(job, [LOST], failed=True), *stores[job])
            except BaseException:
                _kill(pool, running)
                raise


def _is_broken(future: Future) -> bool:
    return not future.cancelled() and isinstance(future.exception(), BrokenProcessPool)


def _ran(future: Future, job: Job) -> Ran | None:
    """What has become of a job, None where a cluster gave it up. Raises BrokenProcessPool, or ClusterLost."""
    try:
        return future.result()
    except BrokenProcessPool:
        raise
    except CancelledError:
        # Nobody here cancels one and then asks for it.
        raise ClusterLost from None
    except Exception as error:
        if is_given_up(error):
            return None
        return Ran(job, [f"it could not be run ({type(error).__name__}: {error})"], failed=True)


def _store(summary: Summary, tell: Callable[[Ran], None], ran: Ran, store: Store, folder: str) -> None:
    """Take one into the course; two who grade at once take turns here."""
    job = ran.job
    if not ran.failed:
        try:
            with turn(Path(job.course), store.coursedir.db_url, store.log), _to_its_end():
                fate = store.take(folder, job.made)
                summary.graded += fate is not Fate.OVERTAKEN
                summary.skipped += fate is Fate.OVERTAKEN
                summary.kept += [(job.student, job.assignment)] * (fate is Fate.WORSE)
        except Exception as error:
            said = LOCKED if is_locked(error) or is_locked(error.__context__) else error
            ran.failed, ran.said = True, [*ran.said, f"it could not be stored: {said}"]
    if ran.failed:
        _fail(summary, ran.job.student, ran.job.assignment, ran.reason)
    shutil.rmtree(job.made, ignore_errors=True)
    tell(ran)


def _fail(summary: Summary, student: str, assignment: str, reason: str) -> None:
    """Note why something could not be graded; student: "" for what is about a whole assignment, several reasons too."""
    known = summary.failed.get((student, assignment), "")
    if reason not in known:
        summary.failed[student, assignment] = f"{known} {reason}".strip()


def _kill(pool: Executor, running: Iterable[Future]) -> None:
    """End the processes of a pool at once, and their sandboxes with them; of a cluster take back what is not begun."""
    if hasattr(pool, "_processes"):
        # It tells each future that is not done of their end, and fails at one that was cancelled.
        for process in (pool._processes or {}).values():
            process.kill()
    else:
        for future in running:
            future.cancel()
    pool.shutdown(wait=False)
