"""What nbgrader offers beside the demo's path works with this course: validate, Formgrader's own functions, the seed."""

import re
import shutil

import nbformat
import pytest
from conftest import NBGRADER, ROOT, fill, nbgrader, run
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
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
    for seed in ("2026", "0"):
        student = course / "submitted" / f"student{seed}" / "1-padding"
        shutil.copytree(ROOT / "solutions" / "1-padding", student)
        # One that writes down what it is asked.
        solve(
            student / "padding.ipynb",
            output_size="asked = []\n\n\ndef output_size(*question):\n    asked.append(question)\n    return 0",
            **{"stretch-cell": "print(asked)"},
        )
        config = course / "nbgrader_config.py"
        config.write_text(re.sub(r"str\(\d+\)", f"str({seed})", config.read_text()))
        nbgrader(course, "autograde", "1-padding", f"--student=student{seed}")
        graded = nbformat.read(course / "autograded" / f"student{seed}" / "1-padding" / "padding.ipynb", as_version=4)
        (cell,) = [cell for cell in graded.cells if cell.id == "stretch-cell"]
        seen[seed] = cell.outputs[0].text
    assert seen["2026"] != seen["0"]


def test_a_solution_takes_as_long_as_it_takes_and_shows_what_it_prints_in_one_piece_however_it_was_flushed(course):
    printing = new_code_cell(
        "import sys, time\nprint('one')\nsys.stdout.flush()\nprint('noise', file=sys.stderr)\n"
        "time.sleep(3)\nprint('two')"
    )
    (course / "source" / "9-printing").mkdir()
    nb = new_notebook(
        cells=[printing], metadata={"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}
    )
    nbformat.write(nb, course / "source" / "9-printing" / "printing.ipynb")
    nbgrader(course, "generate_assignment", "9-printing")
    # What a cell of a submission may take.
    nbgrader(course, "generate_solution", "9-printing", "--Execute.timeout=1")
    (cell,) = nbformat.read(course / "solutions" / "9-printing" / "printing.ipynb", as_version=4).cells
    assert [output.text for output in cell.outputs] == ["one\ntwo\n"]


def graded_cell(name, cell_type, source, **metadata):
    """A cell that nbgrader knows."""
    known = {"grade": False, "locked": False, "points": 2, "schema_version": 3, "solution": False, "task": False}
    cell = {"code": new_code_cell, "markdown": new_markdown_cell}[cell_type](source, id=name)
    cell.metadata["nbgrader"] = known | {"grade_id": name, "cell_type": cell_type} | metadata
    return cell


def add_cells(course, *cells):
    """Add cells to the source of the first assignment, and generate it anew; what that said."""
    path = course / "source" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells += cells
    nbformat.write(notebook, path)
    return run(course, *NBGRADER, "generate_assignment", "1-padding", "--force")


@pytest.mark.parametrize("lost", [False, True])
def test_what_a_person_grades_is_left_to_nbgrader(course, lost):
    essay = graded_cell("essay", "markdown", "Why zeros?", grade=True, solution=True)
    sketch = graded_cell("sketch", "code", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION", grade=True, solution=True)
    task = graded_cell("task", "markdown", "Draw a picture.", locked=True, task=True)
    assert add_cells(course, essay, sketch, task)[0] == 0
    folder = course / "submitted" / "ada" / "1-padding"
    shutil.copytree(course / "release" / "1-padding", folder)
    notebook = nbformat.read(folder / "padding.ipynb", as_version=4)
    solved = {one.id: one.source for one in nbformat.read(ROOT / "solutions/1-padding/padding.ipynb", 4).cells}
    for cell in notebook.cells:
        cell.source = {**solved, "essay": "They are neutral.", "sketch": "x = 2"}.get(cell.id, cell.source)
    if lost:
        notebook.cells = [cell for cell in notebook.cells if cell.id not in ("essay", "sketch", "task")]
    nbformat.write(notebook, folder / "padding.ipynb")
    output = nbgrader(course, "autograde", "1-padding")
    assert ("Put back" in output) == lost
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        found = gradebook.find_submission_notebook("padding", "1-padding", "ada")
        assert {one.name: one.auto_score for one in found.grades if one.name.startswith("check_")} == dict.fromkeys(
            ["check_output_size", "check_padding_amounts", "check_pad2d"], 4
        )
        by_hand = [one for one in found.grades if one.name in ("essay", "sketch", "task")]
        # nbgrader gives nothing to what nobody has touched.
        untouched = 0 if lost else None
        assert {one.name: one.auto_score for one in by_hand} == {"essay": untouched, "sketch": untouched, "task": None}
    nbgrader(course, "generate_feedback", "1-padding")
    page = (course / "feedback" / "ada" / "1-padding" / "padding.html").read_text()
    assert "graded by hand" in page
    assert ("They are neutral." in page) != lost


def test_a_cell_that_is_graded_by_its_own_code_is_refused(course):
    code, output = add_cells(course, graded_cell("test_it", "code", "assert True", grade=True, locked=True))
    assert code != 0
    assert "cell test_it of padding is graded, but calls no check" in output


def test_points_that_a_check_and_its_cell_do_not_agree_on_are_refused(course):
    check = 'from autograde_tests import check\ncheck("pad2d", pad2d, points=5)'
    code, output = add_cells(course, graded_cell("more", "code", check, grade=True, locked=True))
    assert code != 0
    assert "cell more of padding is worth 2 points, and its call of check says 5" in output
