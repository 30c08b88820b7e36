"""Every solution gets full points, and every untouched notebook gets none and says why."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograde_tests.cases import SEED_VARIABLE
from autograde_tests.checking import load_checks
from autograde_tests.notebooks import ROOT, configured_seed, lesson, score_notebook, source_notebooks, visible_result

NOTEBOOKS = [path.relative_to(ROOT / "source") for path in source_notebooks()]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=str)
def test_the_solution_gets_full_points(notebook):
    for result in score_notebook(ROOT / "solutions" / notebook):
        assert result.score == result.points, str(result)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=str)
def test_the_untouched_notebook_gets_nothing_and_says_not_written_yet(notebook):
    for result in score_notebook(ROOT / "release" / notebook):
        assert result.score == 0
        assert "not written yet" in str(result)


def _unwritten(*args, **kwargs):
    raise NotImplementedError


# Training the solution takes long, and it has passed its visible check when solutions/ was made.
@pytest.mark.parametrize("name", sorted(set(load_checks()) - {"train"}))
def test_visible_checks_are_tried_without_a_kernel(name, monkeypatch):
    # As while autograding, when a visible check raises nothing.
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert visible_result(name, lesson(name).names[name]) == ""
    assert ": 0 of " in visible_result(name, lambda *args, **kwargs: None)
    assert "is not written yet" in visible_result(name, _unwritten)


def test_the_readme_says_what_every_assignment_asks_for_and_is_worth():
    told = {}
    for line in re.findall(r"^\| \d+-.*", (ROOT / "README.md").read_text(), re.MULTILINE):
        name, functions, points = (part.strip() for part in line.strip("|").split("|"))
        told[name] = (set(re.findall(r"`(\w+)`", functions)), float(points))
    asked = {}
    for path in source_notebooks():
        cells = [cell.metadata.get("nbgrader", {}) for cell in nbformat.read(path, as_version=4).cells]
        functions, points = asked.get(path.parent.name, (set(), 0))
        graded = {one.grade_id.removeprefix("check_") for one in cells if one.get("grade")}
        asked[path.parent.name] = (functions | graded, points + sum(one.get("points", 0) for one in cells))
    assert told == asked


def test_no_exercise_is_left_as_it_was_laid_out():
    """What `convblocks new` lays out has a ✎ wherever an author has yet to write."""
    folders = (ROOT / "source", ROOT / "autograde_tests")
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".ipynb")]
    left = {str(path.relative_to(ROOT)): path.read_text().count("✎") for path in files if path != Path(__file__)}
    assert {name: count for name, count in left.items() if count} == {}


def test_the_courses_seed_is_read_and_not_set(monkeypatch):
    monkeypatch.delenv(SEED_VARIABLE, raising=False)
    assert int(configured_seed())
    assert SEED_VARIABLE not in os.environ


def test_any_one_notebook_can_be_scored_from_the_command_line(tmp_path):
    notebook = tmp_path / "padding.ipynb"
    nb = nbformat.read(ROOT / "solutions" / "1-padding" / "padding.ipynb", as_version=4)
    for cell in nb.cells:
        if cell.id == "padding_amounts":
            cell.source = (
                "def padding_amounts(size, kernel_size, strides=1):\n    return kernel_size // 2, kernel_size // 2"
            )
    nbformat.write(nb, notebook)
    command = [sys.executable, "-m", "pytest", "autograde_tests", "--notebook"]
    done = subprocess.run([*command, str(notebook)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "✗ even kernel: the extra zero goes after (0 of 0.67): at [0]: yours is 2, expected 1" in done.stdout
    assert "output_size: 10 of 10 cases agree with Keras, 4 of 4 points" in done.stdout
    wrong = subprocess.run([*command, str(tmp_path / "other.ipynb")], cwd=ROOT, capture_output=True, text=True)
    assert wrong.returncode == 4
    assert "there is no such file" in wrong.stderr
