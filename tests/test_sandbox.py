"""Grading refuses to run unprotected unless told so, and the score is the broker's with and without a sandbox."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, fill
from nbgrader.api import Gradebook, MissingEntry

from autograde_tests import oracle
from autograde_tests.cases import course_seed
from autograde_tests.checking import load_checks

FORGED = "import autograde_tests\nautograde_tests.check = lambda *given, **named: 4\n4"


def autograde(course, *options, path=os.environ["PATH"]):
    """`convblocks grade 1-padding` with a PATH of its own; code, output and ada's score."""
    command = [sys.executable, "-c", "from grading.cli import app; app()", "grade", "1-padding", *options]
    environment = os.environ | {"PATH": path, "CONVBLOCKS_EXCHANGE": str(course / "exchange"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        try:
            score = gradebook.find_submission("1-padding", "ada").score
        except MissingEntry:
            score = None
    return done.returncode, done.stdout + done.stderr, score


@pytest.fixture
def submitted(course):
    """The course with ada's submission: one function right, one forged, one missing."""
    folder = course / "submitted" / "ada" / "1-padding"
    shutil.copytree(ROOT / "solutions" / "1-padding", folder)
    fill(folder / "padding.ipynb", padding_amounts=FORGED, pad2d="")
    return course


def without_bubblewrap():
    """A PATH on which there is no bwrap."""
    return os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if not Path(one, "bwrap").exists())


def test_without_a_sandbox_nothing_is_graded_and_it_says_what_to_install(submitted):
    code, output, score = autograde(submitted, path=without_bubblewrap())
    assert (code, score) == (1, None)
    assert "sudo apt-get install bubblewrap" in output
    assert not (submitted / "autograded").exists()


def test_told_so_it_grades_unprotected_and_says_so_every_time(submitted):
    for _ in range(2):
        code, output, score = autograde(submitted, "--unsafe-no-sandbox", "--force", path=without_bubblewrap())
        assert (code, score) == (0, 4)
        assert "UNSAFE: submissions run without a sandbox" in output


def test_the_score_is_the_brokers(submitted):
    code, output, score = autograde(submitted)
    assert (code, score) == (0, 4)
    assert "UNSAFE" not in output


def test_without_execution_nothing_scores(submitted):
    command = [sys.executable, "-m", "nbgrader", "autograde", "1-padding", "--no-execute"]
    environment = os.environ | {"CONVBLOCKS_EXCHANGE": str(submitted / "exchange"), "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=submitted, env=environment, capture_output=True, check=True)
    with Gradebook(f"sqlite:///{submitted}/gradebook.db") as gradebook:
        assert gradebook.find_submission("1-padding", "ada").score == 0


@pytest.mark.parametrize("damage", ["cut", "other bytes", "another check's", "gone"])
def test_damaged_and_foreign_answers_are_made_anew(damage, tmp_path, monkeypatch, caplog):
    checks, seed = load_checks(), course_seed()
    names = ("flatten", "dense")
    oracle.build([checks[name] for name in names], seed)
    kept = {name: oracle._file(checks[name], seed) for name in names}
    monkeypatch.setattr(oracle, "FOLDER", tmp_path)
    for name, file in kept.items():
        shutil.copy(file, oracle._file(checks[name], seed))
    damaged = oracle._file(checks["flatten"], seed)
    content = damaged.read_bytes()
    if damage == "cut":
        damaged.write_bytes(content[:-1])
    if damage == "other bytes":
        damaged.write_bytes(content[:40] + b"\x07" + content[41:])
    if damage == "another check's":
        shutil.copy(oracle._file(checks["dense"], seed), damaged)
    if damage == "gone":
        damaged.unlink()
    assert not oracle.is_warm([checks["flatten"]], seed)
    assert ("made anew" in caplog.text) == (damage != "gone")
    oracle.build([checks["flatten"]], seed)
    assert damaged.read_bytes() == content
