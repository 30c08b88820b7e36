"""Grading that is killed, locked out or left without disk or sandbox: the same command again ends with the right scores."""

import concurrent.futures
import contextlib
import multiprocessing
import multiprocessing.connection
import os
import random
import shutil
import signal
import sqlite3
import sys
import threading
import time

import nbformat
import psutil
import pytest
from conftest import CONVBLOCKS, NBGRADER, ROOT, background, fill, processes_named, run, scores, until
from nbformat.v4 import new_code_cell

from grading import sandbox
from grading.warm import WarmParent

WRONG = "def pad2d(images, kernel_size, strides=(1, 1), padding='same'):\n    return images"
DESERVED = {"ada": 12, "bob": 8.67}
KILLS = 50
AUTOGRADE = (*NBGRADER, "autograde", "1-padding")


@pytest.fixture(scope="module")
def submitted(generated_course, tmp_path_factory):
    """A course with a right and a partly wrong submission, not yet graded."""
    course = shutil.copytree(generated_course, tmp_path_factory.mktemp("faults") / "course")
    for student in DESERVED:
        shutil.copytree(ROOT / "solutions" / "1-padding", course / "submitted" / student / "1-padding")
    fill(course / "submitted" / "bob" / "1-padding" / "padding.ipynb", pad2d=WRONG)
    return course


@pytest.fixture
def course(submitted, tmp_path):
    """A copy for one test."""
    return shutil.copytree(submitted, tmp_path / "course")


def autograde(course, *start, **environment):
    """One run of the real command; its exit code and what it said. start: a command to run it with."""
    return run(course, *start, *AUTOGRADE, **environment)


def _grade_here(course: str, warm: WarmParent | None) -> None:
    """The command in a process that has nbgrader imported already. warm: what kernels are forked from, its own if None."""
    from nbgrader.apps import AutogradeApp

    if warm:
        sandbox.take(warm)
    os.chdir(course)
    os.environ["CONVBLOCKS_EXCHANGE"] = f"{course}/exchange"
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    app = AutogradeApp()
    app.initialize(["1-padding"])
    app.start()


def test_killed_at_any_moment_the_next_run_finishes_it(course, tmp_path, left_behind):
    shutil.rmtree(course / "submitted" / "ada")
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["grading.preload"])
    # start() also asks how the other thread's process ended, which one of two can be told.
    asking = threading.Lock()

    # It costs what comes after a kill a second each time to start one of its own.
    warm = sandbox.begin()

    def run(folder, limit=None, warm=None):
        """Grade, killed after `limit` seconds if it has not ended; its exit code and how long it took."""
        started = time.monotonic()
        grader = processes.Process(target=_grade_here, args=(str(folder), warm))
        with asking:
            grader.start()
        ended = multiprocessing.connection.wait([grader.sentinel], limit)
        with asking:
            if not ended:
                grader.kill()
            grader.join()
        return grader.exitcode, time.monotonic() - started

    # The first run is slower than all others.
    lasts = [run(shutil.copytree(course, tmp_path / f"whole-{number}"))[1] for number in range(2)]

    def kill_and_finish(number):
        folder, moments = tmp_path / str(number), random.Random(number)
        # A moment after the end proves nothing and is drawn again.
        for _ in range(10):
            shutil.copytree(course, folder)
            code, took = run(folder, moments.uniform(0, min(lasts)))
            if code == -signal.SIGKILL:
                return run(folder, warm=warm)[0], scores(folder)["bob"]
            lasts.append(took)
            shutil.rmtree(folder)
        return "never killed", None

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(kill_and_finish, range(KILLS)))
    assert ends == [(0, DESERVED["bob"])] * KILLS
    _, alive = psutil.wait_procs(left_behind(), timeout=60)
    assert alive == []


def test_a_locked_gradebook_stops_the_run_and_loses_nothing(course):
    lock = sqlite3.connect(course / "gradebook.db", isolation_level=None)
    lock.execute("begin exclusive")
    code, output = autograde(course)
    assert code == 1
    assert "database is locked" in output or "another program is using the gradebook" in output
    lock.rollback()
    lock.close()
    assert (autograde(course)[0], scores(course)) == (0, DESERVED)


@pytest.mark.parametrize(
    ("command", "seconds"),
    [([*NBGRADER, "autograde"], 8), ([*CONVBLOCKS, "grade"], None)],
    ids=["for a while", "for long"],
)
def test_a_gradebook_locked_while_grading_is_waited_for(course, command, seconds):
    insert(course, "import time\ntime.sleep(4)")
    with background(course, *command, "1-padding") as run:
        until(lambda: processes_named("kernel", started_by=run.pid))
        lock = sqlite3.connect(course / "gradebook.db", isolation_level=None)
        lock.execute("begin exclusive")
        if seconds:
            time.sleep(seconds)
            lock.rollback()
        said = run.stderr.read()
        assert run.wait() == (0 if seconds else 1), said
        assert ("another program is using the gradebook" in " ".join(said.split())) == (not seconds), said
        assert "db upgrade" not in said
        lock.close()
    assert (autograde(course)[0], scores(course)) == (0, DESERVED)


@pytest.mark.parametrize("full", ["autograded", "gradebook", "temporary files"])
def test_a_full_disk_costs_no_score(course, full):
    (course / "autograded").mkdir()
    if full == "gradebook":
        # Not one byte more than what it holds.
        command = ["prlimit", f"--fsize={(course / 'gradebook.db').stat().st_size}"]
    elif full == "autograded":
        command = ["bwrap", "--dev-bind", "/", "/", "--size", "40960", "--tmpfs", str(course / "autograded")]
    else:
        command = ["bwrap", "--dev-bind", "/", "/", "--size", "4096", "--tmpfs", "/tmp"]
        for needed in (course, ROOT, sys.prefix):
            command += ["--bind", str(needed), str(needed)]
    code, output = autograde(course, *command)
    assert code == 1
    assert full == "gradebook" or "No space left on device" in output
    assert (autograde(course)[0], scores(course)) == (0, DESERVED)


@pytest.fixture
def checkout(tmp_path):
    """A checkout of one test's own, so that no other misses what is removed there."""
    checkout = tmp_path / "checkout"
    for part in ("autograde_tests", "convblocks", "grading", "source", ".cache/expected", ".cache/sandbox"):
        shutil.copytree(ROOT / part, checkout / part, symlinks=True)
    return checkout


def insert(course, *sources):
    """Put cells before all others of ada's notebook."""
    path = course / "submitted" / "ada" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1:1] = [new_code_cell(source, id=f"own-{place}") for place, source in enumerate(sources)]
    nbformat.write(notebook, path)


def test_answers_removed_meanwhile_are_made_anew(course, checkout, tmp_path):
    # To make those of all assignments anew takes half a minute.
    these = [f"{name}-*" for name in ("output_size", "padding_amounts", "pad2d")]
    kept, others = checkout / ".cache" / "expected", tmp_path / "others"
    shutil.copytree(kept, others, ignore=shutil.ignore_patterns(*these))
    with background(course, *AUTOGRADE, stderr=None, PYTHONPATH=str(checkout)) as run:
        until(lambda: processes_named("kernel", started_by=run.pid))
        # At once: what is made anew may be there before all is removed.
        kept.rename(tmp_path / "removed")
        others.rename(kept)
        assert run.wait() == 0
    assert all(list(kept.glob(one)) for one in these)
    assert scores(course) == DESERVED


def test_packages_removed_meanwhile_cost_nobody_anything(course, checkout, tmp_path):
    # A fresh kernel after that finds none; the one made ready for bob has lost them.
    insert(course, "import os, time\ntime.sleep(4)\nos._exit(0)")
    with background(course, *AUTOGRADE, stderr=None, PYTHONPATH=str(checkout)) as run:
        until(lambda: processes_named("kernel", started_by=run.pid))
        time.sleep(2)
        (checkout / ".cache" / "sandbox").rename(tmp_path / "removed")
        assert run.wait() == 1
    assert (autograde(course, PYTHONPATH=str(checkout))[0], scores(course)) == (0, DESERVED)


WAITS = """
import os, time
_answer, _calls = output_size, iter(range(1000))
def output_size(*args, **kwargs):
    if "check" in globals() and next(_calls) == 2:
        child = os.fork()
        if not child:
            time.sleep(4)
            os._exit(0)
        os.waitpid(child, 0)
    return _answer(*args, **kwargs)
"""
BUSY = "import os, time\nchild = os.fork()\nif not child:\n    time.sleep(3)\n    os._exit(0)\nos.waitpid(child, 0)"


def _busy(grader: int) -> list[psutil.Process]:
    """The kernel that runs that cell: the one with a child."""
    with contextlib.suppress(psutil.Error):
        return [one for one in processes_named("kernel", started_by=grader) if one.children()]
    return []


def _sandbox(kernel: psutil.Process, grader: int) -> psutil.Process:
    """bubblewrap's own process outside of the sandbox that a kernel is in."""

    def namespace(process: psutil.Process) -> str:
        return os.readlink(f"/proc/{process.pid}/ns/pid")

    (found,) = [
        one
        for one in psutil.Process(grader).children()
        if one.name() == "bwrap" and namespace(kernel) in map(namespace, one.children())
    ]
    return found


@pytest.mark.parametrize("killed, times, code", [("kernel", 1, 0), ("bwrap", 1, 0), ("bwrap", 2, 1)])
def test_a_kernel_killed_from_outside_costs_nothing(course, killed, times, code):
    insert(course, BUSY)
    with background(course, *AUTOGRADE, stderr=None) as run:
        for _ in range(times):
            until(lambda: _busy(run.pid))
            (kernel,) = _busy(run.pid)
            (kernel if killed == "kernel" else _sandbox(kernel, run.pid)).kill()
            kernel.wait(60)
        assert run.wait() == code
    assert scores(course)["bob"] == DESERVED["bob"]
    assert (autograde(course)[0], scores(course)) == (0, DESERVED)


@pytest.mark.parametrize("victim", [lambda kernel, _: kernel, _sandbox], ids=["kernel", "bwrap"])
def test_a_kernel_killed_from_outside_inside_its_check_costs_nothing(course, victim):
    path = course / "submitted" / "ada" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(path, as_version=4)
    (own,) = [cell for cell in notebook.cells if "def output_size" in cell.source]
    # The name is there once the first hidden check has begun.
    own.source += WAITS
    nbformat.write(notebook, path)
    with background(course, *AUTOGRADE, stderr=None) as run:
        until(lambda: _busy(run.pid))
        (kernel,) = _busy(run.pid)
        victim(kernel, run.pid).kill()
        kernel.wait(60)
        assert run.wait() == 0
    assert scores(course) == DESERVED


def test_a_kernel_killed_while_it_repeats_what_ran_before_costs_nothing(course):
    insert(course, BUSY, "os._exit(0)")
    with background(course, *AUTOGRADE, stderr=None) as run:
        until(lambda: _busy(run.pid))
        (first,) = _busy(run.pid)
        seen = []
        until(lambda: seen.extend(one for one in _busy(run.pid) if one != first) or seen)
        seen[0].kill()
        assert run.wait() == 0
    assert scores(course) == DESERVED


def test_a_sandbox_that_does_not_start_a_second_time_gives_no_score(course, tmp_path):
    insert(course, BUSY, "os._exit(0)")
    fake, fails = tmp_path / "bin" / "bwrap", tmp_path / "fails"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\n[ ! -e {fails} ] || exit 1\nexec {shutil.which("bwrap")} "$@"\n')
    fake.chmod(0o755)
    with background(course, *AUTOGRADE, stderr=None, PATH=f"{fake.parent}:{os.environ['PATH']}") as run:
        until(lambda: _busy(run.pid))
        fails.touch()
        assert run.wait() == 1
    assert (autograde(course)[0], scores(course)) == (0, DESERVED)


def test_a_sandbox_that_will_not_start_gives_no_score(course, tmp_path):
    # Works when it is tried, and then no more.
    fake = tmp_path / "bin" / "bwrap"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\nfor last; do :; done\n[ "$last" = true ] || exit 1\n')
    fake.chmod(0o755)
    code, output = autograde(course, PATH=f"{fake.parent}:{os.environ['PATH']}")
    assert code == 1
    assert "no kernel could be started" in output
    assert not list(course.glob("autograded/*/1-padding/*.ipynb"))
    assert (autograde(course)[0], scores(course)) == (0, DESERVED)
