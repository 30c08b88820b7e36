"""What nbgrader offers beside the demo's path works with this course: validate, Formgrader's own functions, the seed."""

import re
import shutil

import nbformat
import pytest
from conftest import ROOT, fill, nbgrader
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import PyFileConfigLoader


@pytest.fixture
def notebook(tmp_path):
    """The released padding notebook, as a student has it."""
    shutil.copytree(ROOT / "release" / "1-padding", tmp_path / "1-padding")
    return tmp_path / "1-padding" / "padding.ipynb"


def solve(notebook, **instead):
    nb = nbformat.read(ROOT / "solutions" / "1-padding" / "padding.ipynb", as_version=4)
    solved = {cell.id: cell.source for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("solution")}
    fill(notebook, **solved | instead)


def test_validate_passes_right_work(notebook):
    solve(notebook)
    assert "Success! Your notebook passes all the tests." in nbgrader(notebook.parent, "validate", notebook.name)


def test_validate_says_in_words_what_is_not_written(notebook):
    output = nbgrader(notebook.parent, "validate", notebook.name)
    assert "VALIDATION FAILED ON 3 CELL(S)" in output
    assert "pad2d is not written yet" in output
    assert "Traceback" not in output


def test_validate_names_the_one_that_is_wrong(notebook):
    solve(notebook, padding_amounts="def padding_amounts(size, kernel_size, strides=1):\n    return 1, 1")
    output = nbgrader(notebook.parent, "validate", notebook.name)
    assert "VALIDATION FAILED ON 2 CELL(S)" in output
    assert "padding_amounts: 2 of 7 visible examples agree" in output
    assert "pad2d: " in output


def test_formgraders_buttons_go_the_same_way(course, monkeypatch):
    shutil.copytree(ROOT / "solutions" / "1-padding", course / "submitted" / "ada" / "1-padding")
    (course / "submitted" / "eve" / "1-padding").mkdir(parents=True)
    (course / "submitted" / "eve" / "1-padding" / "padding.ipynb").write_text("")
    monkeypatch.setenv("CONVBLOCKS_EXCHANGE", str(course / "exchange"))
    # The Gradebook's folder is the course's, as in `jupyter lab` started there.
    monkeypatch.chdir(course)
    monkeypatch.setenv("CONVBLOCKS_SEED", "")
    api = NbGraderAPI(config=PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config())
    for step in (
        lambda: api.generate_assignment("1-padding"),
        lambda: api.release_assignment("1-padding"),
        lambda: api.autograde("1-padding", "ada"),
        lambda: api.autograde("1-padding", "eve"),
        lambda: api.generate_feedback("1-padding", "ada"),
        lambda: api.generate_feedback("1-padding", "eve"),
    ):
        result = step()
        assert result["success"], result
    students = {one["student"]: one["score"] for one in api.get_submissions("1-padding")}
    assert students == {"ada": 12, "eve": 0}


def test_random_cases_come_from_the_courses_seed(course):
    seen = {}
    for seed in ("2026", "31"):
        student = course / "submitted" / f"student{seed}" / "1-padding"
        shutil.copytree(ROOT / "solutions" / "1-padding", student)
        # One that writes down what it is asked.
        solve(
            student / "padding.ipynb",
            output_size="asked = []\n\n\ndef output_size(*question):\n    asked.append(question)\n    return 0",
            **{"stretch-cell": "print(asked)"},
        )
        config = course / "nbgrader_config.py"
        config.write_text(re.sub(r'SEED"\] = "\d+"', f'SEED"] = "{seed}"', config.read_text()))
        nbgrader(course, "autograde", "1-padding", f"--student=student{seed}")
        graded = nbformat.read(course / "autograded" / f"student{seed}" / "1-padding" / "padding.ipynb", as_version=4)
        (cell,) = [cell for cell in graded.cells if cell.id == "stretch-cell"]
        seen[seed] = cell.outputs[0].text
    assert seen["2026"] != seen["31"]


def test_a_solution_shows_what_it_prints_in_one_piece_however_it_was_flushed(course):
    printing = new_code_cell(
        "import sys\nprint('one')\nsys.stdout.flush()\nprint('noise', file=sys.stderr)\nprint('two')"
    )
    (course / "source" / "9-printing").mkdir()
    nb = new_notebook(
        cells=[printing], metadata={"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}
    )
    nbformat.write(nb, course / "source" / "9-printing" / "printing.ipynb")
    nbgrader(course, "generate_assignment", "9-printing")
    nbgrader(course, "generate_solution", "9-printing")
    (cell,) = nbformat.read(course / "solutions" / "9-printing" / "printing.ipynb", as_version=4).cells
    assert [output.text for output in cell.outputs] == ["one\ntwo\n"]
