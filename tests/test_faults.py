"""Grading that is killed, locked out or left without disk or sandbox: the same command again ends with the right scores."""

import multiprocessing
import os
import random
import shutil
import sqlite3
import time

import psutil
import pytest
from conftest import NBGRADER, ROOT, fill, run, scores

WRONG = "def pad2d(images, kernel_size, strides=(1, 1), padding='same'):\n    return images"
DESERVED = {"ada": 12, "bob": 8.73}
KILLS = 50


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
    return run(course, *start, *NBGRADER, "autograde", "1-padding", **environment)


def _grade_here(course: str) -> None:
    """The command in a process that has nbgrader imported already."""
    from nbgrader.apps import AutogradeApp

    os.chdir(course)
    os.environ["CONVBLOCKS_EXCHANGE"] = f"{course}/exchange"
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    app = AutogradeApp()
    app.initialize(["1-padding"])
    app.start()


def _kernels():
    """Processes in sandboxes."""
    return [
        one
        for one in psutil.process_iter(["cmdline"])
        if "/course/inside/start_kernel.py" in (one.info["cmdline"] or [])
    ]


def test_killed_at_any_moment_the_next_run_finishes_it(submitted, tmp_path):
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["nbgrader.apps", "nbgrader.converters", "grading.intake", "grading.sanitize"])
    started = time.monotonic()
    whole = shutil.copytree(submitted, tmp_path / "whole")
    first = processes.Process(target=_grade_here, args=(str(whole),))
    first.start()
    first.join()
    lasts = time.monotonic() - started
    assert scores(whole) == DESERVED
    moments = random.Random(3)
    killed = 0
    for number in range(KILLS):
        course = shutil.copytree(submitted, tmp_path / str(number))
        run = processes.Process(target=_grade_here, args=(str(course),))
        run.start()
        run.join(moments.uniform(0, lasts))
        killed += run.is_alive()
        run.kill()
        run.join()
        again = processes.Process(target=_grade_here, args=(str(course),))
        again.start()
        again.join()
        assert (again.exitcode, scores(course)) == (0, DESERVED), number
        shutil.rmtree(course)
    # Most moments lie within a run, or this would prove nothing.
    assert killed > KILLS // 2
    time.sleep(1)
    assert _kernels() == []


def test_a_locked_gradebook_stops_the_run_and_loses_nothing(course):
    lock = sqlite3.connect(course / "gradebook.db", isolation_level=None)
    lock.execute("begin exclusive")
    code, output = autograde(course)
    assert code == 1
    assert "database is locked" in output
    lock.rollback()
    lock.close()
    assert (autograde(course)[0], scores(course)) == (0, DESERVED)


def test_a_full_disk_costs_no_score(course):
    (course / "autograded").mkdir()
    full = ["bwrap", "--dev-bind", "/", "/", "--size", "40960", "--tmpfs", str(course / "autograded")]
    code, output = autograde(course, *full)
    assert code == 1
    assert "No space left on device" in output
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
