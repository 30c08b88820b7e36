"""Run a submission in its sandbox with the broker beside it, and write the broker's results into its graded cells.

A cell that ends the kernel, or never ends itself, costs that cell: a fresh kernel runs what came before it and goes on.
"""

import contextlib
import copy
import itertools
import json
import logging
import math
import re
import signal
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from jupyter_core.utils import run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from nbgrader import preprocessors
from nbgrader.converters import Autograde, NbGraderException
from nbgrader.preprocessors import saveautogrades
from nbgrader.utils import is_grade, is_solution
from traitlets import Bool, Integer, List, Unicode, default

from autograde_tests.checking import NOT_MADE, Result, known_error, load_checks
from autograde_tests.lending import Lender
from grading import packages, sandbox
from grading.broker import no_result
from grading.connection import CUT, NO_MESSAGE, PATIENCE
from grading.gradebook import IN_MEMORY, WholeNotebook, turn
from grading.mending import Wanted, defines, definitions, wanted_notebooks
from grading.reading import FOLDER
from grading.sanitize import RESULT, CleanMessages, is_official
from grading.station import make_next_station, remove_left_behind, take_station

KERAS_NOTEBOOKS = ("keras_classifier",)
"""Notebooks whose sandbox has Keras."""

DIED = "the kernel died"
NOT_STOPPED = "it did not end in time and could not be stopped"
OUT_OF_REACH = "it could no longer be reached"
OUT_OF_FILES = "it left all the files open that it may have"
KILLED_OUTSIDE = "the sandbox was killed from outside"
KILLED_SOMEHOW = "the kernel was killed"
KILLED = (KILLED_OUTSIDE, KILLED_SOMEHOW)
"""Ends of a kernel that may be nobody's work in it: its cell is run once more."""

OUTPUTS = ("stream", "display_data", "execute_result", "update_display_data", "error")
"""Kinds of messages that are shown."""

GRACE = 10.0
"""Seconds that a notebook may take beyond its own, until its kernel is ended from another thread."""

OFFICIAL = {"convblocks": {"official": True}}
"""Metadata of the output that holds the broker's result."""


class SandboxFailed(RuntimeError):
    """No kernel could be started, which is nobody's work: the submission is not graded and can be graded again."""


def require_sandbox(config, log) -> None:
    """Refuse to grade where there is no sandbox, before anything is touched; say so when one is done without.

    Raises NbGraderException, which ends nbgrader's command.
    """
    remove_left_behind()
    if Execute(config=config).unsafe_no_sandbox:
        log.warning(
            "UNSAFE: submissions run without a sandbox (--unsafe-no-sandbox). They can read and change every file "
            "that you can. Grade so only work of people you trust."
        )
        return
    try:
        sandbox.require()
    except sandbox.SandboxMissing as error:
        log.error(str(error))
        raise NbGraderException(str(error)) from None


_start = Autograde.start


def _grade(converter: Autograde) -> None:
    """nbgrader's own, while nobody else stores anything in the course: it replaces what others may be looking at."""
    with contextlib.ExitStack() as stack:
        # A worker stores nothing there.
        if IN_MEMORY not in converter.coursedir.db_url:
            try:
                stack.enter_context(turn(Path(converter.coursedir.root), converter.coursedir.db_url, converter.log))
            except NbGraderException as error:
                converter.log.error(str(error))
                raise
        _start(converter)


def hold_grading() -> None:
    """Let nbgrader's autograde refuse in this process until `allow_grading`: the course's config is being read."""

    def refuse(converter) -> None:
        reason = "nbgrader_config.py could not be read to its end, see the error above, and nothing was graded"
        converter.log.error("%s: submissions would run unprotected.", reason)
        raise NbGraderException(reason)

    Autograde.start = refuse


def allow_grading() -> None:
    """End what `hold_grading` began."""
    Autograde.start = _grade


class Execute(CleanMessages, preprocessors.Execute):
    """nbgrader's own step, with kernels in a sandbox and scores from the broker."""

    raise_on_iopub_timeout = Bool(False, help="outputs that were lost are no reason to leave out their cell").tag(
        config=True
    )
    unsafe_no_sandbox = Bool(False, help="run submissions unprotected: they can read and change your files").tag(
        config=True
    )
    timeout_with_keras = Integer(120, help="seconds for one cell where Keras is at hand, instead of timeout").tag(
        config=True
    )
    processor_seconds = Integer(
        help="seconds of a processor for one cell in a sandbox without Keras, 0 for no limit but timeout"
    ).tag(config=True)
    notebook_seconds = Integer(900, help="wall time of one notebook").tag(config=True)
    fresh_kernels = Integer(20, help="how often a notebook gets a fresh kernel after a cell has ended one").tag(
        config=True
    )
    output_bytes = Integer(2**20, help="what one cell may show; the rest is cut").tag(config=True)
    only = List(Unicode(), help="ids of graded cells to score again; all where there are none").tag(config=True)
    graded_before = Unicode(help="folder of the graded notebooks that hold the results of all others").tag(config=True)
    kept_bytes = Integer(16 * 2**20, help="what all cells together may show; the rest is cut").tag(config=True)
    notebook_bytes = Integer(64 * 2**20, help="what cells may send together before their kernel ends").tag(config=True)

    @default("timeout")
    def _seconds_of_a_cell(self):
        return 20

    @default("processor_seconds")
    def _seconds_of_a_loop(self):
        return max(3, 3 * self.timeout // 20)

    @default("error_on_timeout")
    def _what_is_shown_of_a_loop(self):
        said = "it did not end in time and was stopped: does a loop never end?"
        return {"ename": "CellTimeoutError", "evalue": said, "traceback": [f"CellTimeoutError: {said}"]}

    @default("startup_timeout")
    def _seconds_of_a_start(self):
        return PATIENCE

    @default("shutdown_kernel")
    def _no_farewell(self):
        """Nothing in a sandbox is worth the half second that a kernel takes to say good-bye."""
        return "immediate"

    def preprocess(self, nb, resources, km=None):
        names = resources["nbgrader"]
        self._wanted = _wanted(names)
        self._keras = names["notebook"] in KERAS_NOTEBOOKS
        self._results: dict[str, Result | Before] = self._stored(names["notebook"]) if self.only else {}
        self._ran, self._events, self._ended, self._started = [], [], 0, False
        self._excess, self._tried_again, self._left_out, self._overdue = "", set(), {}, 0
        self._kept, self._given_back, self._quoted, self._late = 0, {}, set(), set()
        self._deadline = time.monotonic() + self.notebook_seconds
        unchecked = [name for name in self._wanted.graded if not self._wanted.check(name)[0]]
        if unchecked:
            raise NbGraderException(f"cell {unchecked[0]} is graded, but calls no check: generate the assignment anew")
        path = resources.get("metadata", {}).get("path")
        if any(load_checks()[self._wanted.check(name)[0]].builds_on for name in self._wanted.graded):
            Lender.begin()
        self._require_packages()
        with self._prepared(nb, path):
            self._run(nb, resources)
        self._explain(nb, path)
        # What failed for want of them is not the student's doing.
        self._require_packages()
        self._write_results(nb, names)
        return nb, resources

    @contextlib.contextmanager
    def _prepared(self, nb, path: str | None) -> Iterator[None]:
        """A station with the submission's files, and its broker."""
        with take_station(self.config, self._keras, self.unsafe_no_sandbox) as self._station:
            if path:
                self._station.take_files(Path(path), nb.metadata.get(FOLDER, ""))
            with self._station.broker as self._broker:
                self._broker.on_stuck = self._end_kernel
                yield

    def _require_packages(self) -> None:
        if not self.unsafe_no_sandbox and not packages.are_the_same(self._keras):
            raise SandboxFailed(
                "the cache was removed meanwhile; the same command again makes it anew and grades this submission"
            )

    def _stored(self, notebook: str) -> dict[str, "Before"]:
        """The results that stay as they are, by the id of their cell."""
        graded = results_of(Path(self.graded_before, f"{notebook}.ipynb"))
        return {grade_id: Before(data) for grade_id, data in graded.items() if grade_id not in self.only}

    def _run(self, nb, resources) -> None:
        try:
            super().preprocess(nb, resources)
        except Stop:
            pass
        except SandboxFailed:
            raise
        except Exception as error:
            # Messages from the kernel are the student's: whatever they made of them, the results so far stand.
            if not self._started:
                raise SandboxFailed(f"no kernel could be started ({type(error).__name__}: {error})") from error
            self._events.append(f"the notebook could not be run to its end ({type(error).__name__})")

    def _explain(self, nb, path: str | None) -> None:
        """Have told what may be told of wrong answers, by a kernel that was asked no hidden case and has none to tell.

        It runs the same cells; what becomes of the scored ones there counts for nothing.
        """
        wrong = [place for place, cell in enumerate(nb.cells) if self._withholds(cell)]
        if not wrong:
            return
        places = [place for place in self._places() if place <= wrong[-1]]
        # nbclient runs what is in self.nb.
        self.nb = copy.deepcopy(nb)
        # Cells that took too long do so again, and it is said by now.
        self._overdue += 4
        try:
            with self._prepared(nb, path):
                self._start_kernel_afresh()
                for place in places:
                    self._run_again(place, self.nb.cells[place], place in wrong)
        except SandboxFailed:
            raise
        except Exception as error:
            # As in `_run`; without it they still have what the score was told with.
            self.log.debug("wrong answers are not explained (%s)", error)
        finally:
            self._cleanup_kernel()
            self.nb = nb

    def _run_again(self, place: int, cell, is_wrong: bool) -> None:
        """One cell for `_explain`."""
        result = self._results[cell.metadata.nbgrader.grade_id] if is_wrong else None
        cell.outputs = []
        if result:
            self._broker.open_to_show(result.name, result.lent)
        self._idle = False
        self._repeat(place, cell)
        if not self._idle:
            raise TimeoutError
        if result:
            if not self._broker.asked and place in self._given_back:
                self._execute(self._check_alone(cell), place)
            result.tell(self._broker.close(""))
            if self._is_quoted(cell, result):
                result.lines[0].sentence = self._why(cell, "", in_full=True)

    def _withholds(self, cell) -> bool:
        """Whether of a cell's check more may be told than its result tells."""
        if not _is_checked(cell):
            return False
        result = self._results.get(cell.metadata.nbgrader.grade_id)
        return isinstance(result, Result) and (result.withheld or self._is_quoted(cell, result))

    def _is_quoted(self, cell, result: Result) -> bool:
        """Whether a check could not be made for an error of which the kind alone is told."""
        return result.lines[0].title == NOT_MADE and cell.metadata.nbgrader.grade_id in self._quoted

    # Kernels

    def create_kernel_manager(self):
        self.km = self._station.kernel_manager()
        return self.km

    def start_new_kernel_client(self):
        # nbclient waits without end for an answer as long as there are others to read.
        self.km.provisioner.deadline = self._deadline + GRACE
        client = super().start_new_kernel_client()
        client.limit(self.notebook_bytes, self._on_misuse, self._is_over)
        return client

    def _on_misuse(self, reason: str) -> None:
        self._excess = reason
        self._end_kernel()

    def _end_kernel(self) -> None:
        """Kill the kernel at once; called from the broker's thread when a call does not come back."""
        self._excess = self._excess or "a call did not come back"
        if self.km and self.km.provisioner:
            self.km.provisioner.end()

    async def _async_cleanup_kernel(self) -> None:
        # nbclient has done so already where no connection could be made.
        if self.km is not None:
            await super()._async_cleanup_kernel()

    _cleanup_kernel = run_sync(_async_cleanup_kernel)

    def _start_kernel_afresh(self) -> None:
        """A new kernel in place of the one that is there. Raises SandboxFailed, or anything once the time is over."""
        self._cleanup_kernel()
        self._excess = ""
        self.km = self.create_kernel_manager()
        try:
            # The one of a station that was made ready has been started.
            if not run_sync(self.km.is_alive)():
                self.start_new_kernel()
            self.start_new_kernel_client()
        except Exception as error:
            # It came up before with the same files.
            if time.monotonic() < self._deadline:
                raise SandboxFailed(f"no kernel could be started ({type(error).__name__}: {error})") from error
            raise

    def _start_afresh(self, nb) -> None:
        """A new kernel in which everything has run that ran before, except the cells that are to blame."""
        self._start_kernel_afresh()
        for place in self._places():
            self._repeat(place, copy.deepcopy(nb.cells[place]))

    def _places(self) -> list[int]:
        """Where something has run that is to run again in a fresh kernel."""
        # What was given back stays so, also where the check for which that was done ended the kernel.
        return sorted({*self._ran, *self._given_back})

    def _repeat(self, place: int, cell) -> None:
        """Run again what has run at one of `_places`. Raises TimeoutError when the notebook's time is over."""
        if self._deadline < time.monotonic():
            raise TimeoutError
        if place in self._ran:
            self._execute(cell, place)
        for part in self._given_back.get(place, []):
            self._execute(new_code_cell(part), place)

    # Cells

    def preprocess_cell(self, cell, resources, index):
        if not self._started and not self._keras and not self.unsafe_no_sandbox:
            make_next_station(self.config)
        self._started = True
        if cell.cell_type != "code" or not cell.source.strip():
            return cell, resources
        check = self._check_of(cell)
        while True:
            reason = self._attempt(cell, index, check)
            if check:
                self._results[cell.metadata.nbgrader.grade_id] = self._broker.close(self._why(cell, reason))
            if not reason:
                self._ran.append(index)
                return cell, resources
            # Which case a second round asks once more at its end tells where the first one went wrong, and a kernel can
            # tell the next by the machine's caches.
            again = reason == KILLED_OUTSIDE or not (check and self._broker.lent)
            again = again and index not in self._tried_again and len(self._tried_again) < self.fresh_kernels
            if reason in KILLED and again:
                self._tried_again.add(index)
                self.log.warning("%s, so cell %s is run again in a fresh one", reason, index)
                self._go_on_afresh(self.nb)
                continue
            if reason == KILLED_OUTSIDE:
                raise SandboxFailed(f"{reason}, twice; the same command again grades this submission")
            if not self._blame(cell, index, reason):
                return cell, resources

    def _attempt(self, cell, index, check) -> str:
        """Run a cell; why the kernel is gone after it, "" when it is not."""
        if self._deadline < time.monotonic():
            self._events.append(f"the notebook took more than {self.notebook_seconds} s, so the rest was not run")
            raise Stop
        if check:
            self._open(check)
        self._alive = self.km.provisioner.is_alive
        self._idle, self._timed_out, self._excess = False, False, ""
        try:
            self._execute(cell, index)
            if not self._excess and self.km.provisioner.out_of_files:
                return OUT_OF_FILES
            if check and not self._excess:
                given = self._give_back(cell, index)
                if given and self._broker.asked:
                    self._broker.close("")
                    self._open(check)
                if given or not self._broker.asked:
                    self._execute(self._check_alone(cell), index)
            if not self._idle and not self._excess:
                return NOT_STOPPED if self._timed_out else OUT_OF_REACH
        except DeadKernelError:
            return self._excess or self._why_dead()
        except CellTimeoutError:
            return NOT_STOPPED
        except Exception as error:
            return self._excess or f"{NO_MESSAGE} ({type(error).__name__})"
        return self._excess

    def _open(self, check: tuple[str, float]) -> None:
        source = "\n".join(one.source for one in self.nb.cells if one.cell_type == "code")
        lendable = self._lendable(check[0])
        if lendable:
            # It may be asked, and its start is not to take of the cell's time.
            Lender.start()
        self._broker.open(*check, lendable, source)

    def _give_back(self, cell, index) -> bool:
        """Where a check misses a name since its cell stopped: run the definitions of that cell; whether that helped."""
        function = self._wanted.check(cell.metadata.nbgrader.grade_id)[1]
        missing = set(self._broker.missing)
        if any(error.startswith(f"NameError: name {function!r}") for error in _errors(cell)[:1]):
            missing.add(function)
        if not missing:
            return False
        code = [one for one in self.nb.cells if one.cell_type == "code"]
        # What another cell has defined since is not to be overwritten by a draft of it.
        defined = set().union(*(names for one in code if not _errors(one) for names in definitions(one).values()))
        for stopped in filter(_errors, reversed(code)):
            parts = {part: names for part, names in definitions(stopped).items() if not names <= defined}
            lost = missing & set().union(*parts.values())
            if _is_checked(stopped) or not lost:
                continue
            ran = []
            for part, names in parts.items():
                one = new_code_cell(part)
                self._execute(one, index)
                ran += [] if _errors(one) else [(part, names)]
            if any(lost & names for _, names in ran):
                self._given_back[index] = [part for part, _ in ran]
                whose = function if function in lost else min(lost)
                kind = _errors(stopped)[-1].split(":")[0]
                stops = {"KernelEnded": "ended the kernel", "CellTimeoutError": "did not end"}
                why = stops.get(kind, f"stopped with {known_error(kind)}")
                self._events.append(f"the cell of {whose} {why}, so its definitions were run without the rest")
                return True
        return False

    def _why_dead(self) -> str:
        provisioner = self.km.provisioner
        if provisioner.reason:
            return provisioner.reason
        code = provisioner.process.poll() if provisioner.process else None
        # Nothing in the sandbox reaches bubblewrap, so its own end by a signal is nobody's work in there. What it says
        # of the kernel's end is the same for a person's `kill`, for Linux short of memory and for a cell that kills its
        # own kernel: one more try tells them apart, and a cell that ends two kernels costs itself.
        if code is not None and code < 0 and not self.unsafe_no_sandbox:
            return KILLED_OUTSIDE
        return KILLED_SOMEHOW if code in (-signal.SIGKILL, 128 + signal.SIGKILL) else DIED

    def _blame(self, cell, index, reason: str) -> bool:
        """Say which cell ended the kernel and get a fresh one; whether the cell just tried is to be tried again."""
        nb = self.nb
        # A kernel can end some time after its cell. One that ends itself at once says not even that it has begun.
        innocent = not self._alive and bool(self._ran) and reason == DIED
        place = self._ran.pop() if innocent else index
        number = sum(one.cell_type == "code" for one in nb.cells[: place + 1])
        self._left_out[place] = f"code cell {number} was left out after it ended the kernel: {reason}"
        self._events.append(self._left_out[place])
        guilty = nb.cells[place]
        # Whether it came depends on the moment.
        guilty.execution_count = None
        guilty.outputs = [one for one in guilty.outputs if one.output_type == "stream"][:1]
        guilty.outputs.append(new_output("error", ename="KernelEnded", evalue=reason, traceback=[reason]))
        self._ended += 1
        if self._ended > self.fresh_kernels:
            self._events.append("after that many ended kernels the rest was not run")
            raise Stop
        self._go_on_afresh(nb)
        return innocent

    def _go_on_afresh(self, nb) -> None:
        for may_try_again in (True, False):
            try:
                return self._start_afresh(nb)
            except SandboxFailed:
                raise
            except Exception as error:
                reason = self._why_dead() if isinstance(error, DeadKernelError) and not self._excess else ""
                if reason == KILLED_OUTSIDE:
                    raise SandboxFailed(f"{KILLED_OUTSIDE}; the same command again grades this submission") from None
                if reason == KILLED_SOMEHOW and may_try_again:
                    continue
                self._events.append("what had run before could not be run again, so the rest was not run")
                raise Stop from None

    def _execute(self, cell, index) -> None:
        self._shown, own = 0, self.nb.cells[index]
        # A cell changes its own outputs alone: what it learns from a check is not to stand above that.
        self._display_id_map.clear()
        try:
            super().preprocess_cell(cell, self.resources, index)
        finally:
            _join_streams(cell)
        # nbclient puts what it has run there, also where that was a copy or another cell.
        self.nb.cells[index] = own

    def _check_of(self, cell) -> tuple[str, float] | None:
        """Name and points of a graded cell's check, from the gradebook; None where there is nothing to be scored."""
        if not _is_checked(cell) or isinstance(self._results.get(cell.metadata.nbgrader.grade_id), Before):
            return None
        grade_id = cell.metadata.nbgrader.grade_id
        name, _ = self._wanted.check(grade_id)
        return name, self._wanted.points(grade_id)

    def _why(self, cell, reason: str, in_full: bool = False) -> str:
        """Why a check is not complete: the reason the kernel is gone, or the error that the cell stopped with.

        in_full: with what the error says, which could tell of hidden inputs where the kernel was asked such.
        """
        if reason:
            return f"not answered: {reason}"
        function = self._wanted.check(cell.metadata.nbgrader.grade_id)[1]
        lost = [event for place, event in self._left_out.items() if defines(self.nb.cells[place], function)]
        if lost:
            return f"{function} is missing: {lost[-1]}"
        errors = _errors(cell)
        if errors and errors[0].startswith(f"NameError: name {function!r}"):
            before = [error for one in self.nb.cells if defines(one, function) for error in _errors(one)]
            if before:
                return f"{function} is missing: its own cell stopped with {self._quote(cell, before[-1], in_full)}"
            if not any(defines(one, function) for one in self.nb.cells):
                return f"{function} is missing: no cell defines it"
        return (
            f"the cell stopped with {self._quote(cell, errors[0], in_full)}"
            if errors
            else "the cell ended without a call"
        )

    def _quote(self, cell, error: str, in_full: bool) -> str:
        self._quoted.add(cell.metadata.nbgrader.grade_id)
        return error if in_full else known_error(error.split(":")[0])

    def _check_alone(self, cell):
        """The call of a cell's check without what stands above it there, which may need names the notebook lost."""
        name, function = self._wanted.check(cell.metadata.nbgrader.grade_id)
        call = f"from autograde_tests import check\ncheck({name!r}, {function}, points=None)"
        # It has a check's time.
        return new_code_cell(call, metadata=copy.deepcopy(cell.metadata))

    def _own_results(self) -> dict[str, "Result | Before | None"]:
        """By the name of its check, what became of each function of this notebook so far."""
        return {self._wanted.check(graded)[0]: self._results.get(graded) for graded in self._wanted.graded}

    def _lendable(self, name: str) -> list[str]:
        """Functions that a check may lend: of earlier notebooks, or of this one whose result stands and is not full.

        One whose check is still to come is not lent: code that borrows it could find out its answers.
        """
        own = self._own_results()
        return [
            one
            for one in load_checks()[name].builds_on
            if one not in own or (own[one] is not None and (own[one].note or own[one].score < own[one].points))
        ]

    def _get_timeout(self, cell):
        allowed = self.timeout_with_keras if self._keras else self.timeout
        self._had, self._may_have = self.km.provisioner.had, math.inf
        if cell and not _is_checked(cell):
            # A function that never ends is called in many cells, and costs its points in one.
            allowed = max(2, allowed >> self._overdue)
            if not self._keras and not self.unsafe_no_sandbox:
                self._may_have = self.processor_seconds or math.inf
        self._allowed = max(1, min(allowed, int(self._deadline - time.monotonic())))
        return self._allowed

    def _is_over(self) -> bool:
        """Whether the cell that runs has had a processor for as long as it may: others cost it none of that."""
        return self.km.provisioner.had - self._had > self._may_have

    def on_cell_executed(self, **kwargs):
        answer = kwargs["execute_reply"]["content"]
        if len(str(answer)) > self.output_bytes:
            # nbgrader makes an output of an error that has none.
            answer.update(ename="", evalue=CUT, traceback=[CUT], payload=[])
        # nbclient answers in the kernel's name when it has interrupted it, whether that has helped or not.
        late = answer.get("ename") == "CellTimeoutError"
        if late:
            # At which line a loop was interrupted is another one each time.
            cell = kwargs["cell"]
            cell.outputs = [one for one in cell.outputs if one.get("ename") != "KeyboardInterrupt"]
        super().on_cell_executed(**kwargs)
        self._timed_out = late and not self.kc.is_closed
        self._overdue += self._timed_out
        if self._timed_out:
            self._tell_late(kwargs["cell_index"])

    def _tell_late(self, place: int) -> None:
        number = sum(one.cell_type == "code" for one in self.nb.cells[: place + 1])
        names = self.resources["nbgrader"]
        who = names["student"], names["assignment"], names["notebook"]
        # When it runs again that is no news.
        level = logging.INFO if place in self._late else logging.WARNING
        self._late.add(place)
        within = f"{self._may_have} s of a processor" if self._is_over() else f"{self._allowed} s"
        self.log.log(level, "%s, %s, %s: code cell %d did not end within %s and was stopped", *who, number, within)

    def process_message(self, msg, cell, cell_index):
        kind, content = msg["msg_type"], msg["content"]
        if kind == "status" and content["execution_state"] == "idle":
            self._idle = True
        size = msg["size"]
        # What is shown again in a fresh kernel is not kept.
        self._kept += size if kind in OUTPUTS and cell is self.nb.cells[cell_index] else 0
        if kind in OUTPUTS:
            self._shown += size
            full = self._shown > self.output_bytes or self._kept > self.kept_bytes or len(cell.outputs) > 500
            if full:
                if not cell.outputs or cell.outputs[-1].get("text") != CUT:
                    cell.outputs.append(new_output("stream", text=CUT))
                return None
        elif kind not in ("status", "execute_input", "clear_output"):
            # Widgets need a page that is open; and nbclient would log the name of a kind that nobody knows.
            return None
        elif not isinstance(content.get("execution_count"), int | None):
            # What is no number would be kept as if it were one.
            return None
        return super().process_message(msg, cell, cell_index)

    # Results

    def _cut_outputs(self, nb) -> None:
        """Leave out what became too large after it had been shown, as by one update of many displays."""
        written = 0
        for cell in nb.cells:
            size = len(str(cell.get("outputs", "")))
            written += size
            if size > 2 * self.output_bytes or written > 2 * self.kept_bytes:
                written -= size
                cell.outputs = [new_output("stream", text=CUT)]

    def _write_results(self, nb, names) -> None:
        self._cut_outputs(nb)
        for cell in filter(_is_checked, nb.cells):
            grade_id = cell.metadata.nbgrader.grade_id
            result = self._results.get(grade_id)
            if result is None:
                known = self._check_of(cell)
                result = no_result(*known, self._events[-1] if self._events else "its cell was not run")
            cell.outputs = [
                new_output("execute_result", result._repr_mimebundle_(), metadata=OFFICIAL, execution_count=None)
            ]
        for cell in nb.cells:
            for output in cell.get("outputs", []):
                output.update(_without_addresses(output))
        if self._events:
            for event in self._events:
                self.log.error("%s, %s, %s: %s", names["student"], names["assignment"], names["notebook"], event)
            said = "\n".join(f"- {event}" for event in self._events)
            nb.cells.insert(0, new_markdown_cell(f"## This notebook did not run smoothly\n\n{said}", id="did-not-run"))


@dataclass
class Before:
    """A result that was stored before, as the data of an output."""

    data: dict

    def __post_init__(self):
        found = self.data[RESULT]
        self.score, self.points, self.note = found["score"], found["points"], found["note"]

    def _repr_mimebundle_(self):
        return self.data


def results_of(path: Path) -> dict[str, dict]:
    """The data of grading's own results in a graded notebook, by the id of their cell; none without a notebook."""
    try:
        return results_in(json.loads(path.read_text(encoding="utf-8"))["cells"])
    except (OSError, ValueError, KeyError):
        return {}


def results_in(cells: list[dict]) -> dict[str, dict]:
    """The same for cells that have been read already."""
    found = {}
    for cell in cells:
        for output in filter(is_official, cell.get("outputs", [])):
            if RESULT in output["data"]:
                found[cell["metadata"]["nbgrader"]["grade_id"]] = {
                    kind: "".join(value) if isinstance(value, list) else value for kind, value in output["data"].items()
                }
    return found


def is_outdated(result: dict, current: Callable[[str], str | None], scored_by: tuple[str, float] | None) -> bool:
    """Whether another version of a check has given a result than the current one, or another check, or other points.

    scored_by: the cell's check and points now, None where there is no such cell any more.
    """
    by = result["check"], result["points"]
    return result.get("version") != current(result["check"]) or scored_by not in (None, by)


def building_on(cells: Collection[str], checks: dict[str, str]) -> list[str]:
    """These graded cells of a notebook, and those that build on them: what is lent there follows from their results.

    checks: the names of all checks of the notebook, by their cells.
    """
    known, touched = load_checks(), set(cells)
    while more := [
        cell
        for cell, name in checks.items()
        if cell not in touched and name in known and {checks[one] for one in touched} & {*known[name].builds_on}
    ]:
        touched.update(more)
    return [cell for cell in checks if cell in touched]


class OfficialScoresOnly(preprocessors.NbGraderPreprocessor):
    """Makes a graded cell without the broker's result an error; nbgrader would give it all of its points."""

    def preprocess_cell(self, cell, resources, cell_index):
        if _is_checked(cell) and [*map(is_official, cell.outputs)] != [True]:
            sentence = "it has no result of grading: was it run without --no-execute?"
            self.log.error("%s: %s", cell.metadata.nbgrader.grade_id, sentence)
            cell.outputs = [new_output("error", ename="NoResult", evalue=sentence, traceback=[sentence])]
        return cell, resources


saveautogrades.Gradebook = WholeNotebook


class SaveScores(preprocessors.SaveAutoGrades):
    """nbgrader's own, except that a score given by hand is to be looked at again only where the check's has changed."""

    def _add_score(self, cell, resources):
        ids = cell.metadata.nbgrader.grade_id, self.notebook_id, self.assignment_id, self.student_id
        grade = self.gradebook.find_grade(*ids)
        before, waits = grade.auto_score, grade.needs_manual_grade
        super()._add_score(cell, resources)
        if grade.manual_score is not None and grade.auto_score == before is not None:
            grade.needs_manual_grade = waits
            self.gradebook.db.commit()


class Stop(Exception):
    """The rest of the notebook is not run."""


def _is_checked(cell) -> bool:
    """Whether a cell is scored by its check; what students write themselves is graded by hand."""
    return is_grade(cell) and not is_solution(cell)


def _stream_or_none_other(output) -> str | int:
    return output.name if output.output_type == "stream" else id(output)


def _join_streams(cell) -> None:
    """Make one output of what a cell wrote in a row: in how many parts that came depends on the time."""
    outputs = []
    for _, group in itertools.groupby(cell.outputs, _stream_or_none_other):
        first, *more = group
        if more:
            first.text = "".join("".join(one.text) for one in (first, *more))
        outputs.append(first)
    cell.outputs = outputs


_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{8,16}\b")
"""Where an object without words of its own lies in memory, as Python tells it: somewhere else each time."""


def _without_addresses(shown):
    """What a cell shows, as data, the same whenever and by whomever it is run."""
    if isinstance(shown, str):
        return _ADDRESS.sub("at 0x…", shown) if "at 0x" in shown else shown
    if isinstance(shown, list):
        return [_without_addresses(one) for one in shown]
    if isinstance(shown, dict):
        return {key: _without_addresses(one) for key, one in shown.items()}
    return shown


def _errors(cell) -> list[str]:
    """What a cell stopped with, each in a line."""
    said = [f"{one.ename}: {one.evalue}"[:200] for one in cell.outputs if one.output_type == "error"]
    # Of a SyntaxError; the name of its file is a number that IPython gives to a cell.
    return [re.sub(r" \(\d+\.py, line (\d+)\)$", r" in line \1", one) for one in said]


def _wanted(names: dict) -> Wanted:
    known = {one.name: one for one in wanted_notebooks(names["db_url"], names["assignment"])}
    return known[names["notebook"]]
