"""The gradebook that is asked less often: the same answers as nbgrader's own, and all of a notebook's scores or none."""

import json
import shutil
import sys

import pytest
from conftest import ROOT, run
from nbgrader.api import Grade, Gradebook, MissingEntry

from grading.gradebook import WholeNotebook

NOTEBOOK = "padding", "1-padding", "ada"

ASKED = """
import json, os
from sqlalchemy import event
from sqlalchemy.engine import Engine
from grading.gradebook import copy_cells
from grading.submission import Job, run
from pathlib import Path

asked, counts = [], []
event.listen(Engine, "before_cursor_execute", lambda connection, cursor, statement, *rest: asked.append(statement))
copy_cells("sqlite:///gradebook.db", Path("cells.db"))
for student in ("ada", "bob"):
    asked.clear()
    ran = run(Job(os.getcwd(), "1-padding", student, (), os.path.abspath("cells.db"), "graded"))
    assert not ran.failed, ran.said
    counts.append(len(asked))
print(json.dumps(counts))
"""

TURNS = """
import gc, os
from pathlib import Path
from grading.gradebook import OPEN, copy_cells
from grading.submission import Job, run

runs = [os.path.abspath(f"cells-{number}.db") for number in range(OPEN + 1)]
for cells in runs:
    copy_cells("sqlite:///gradebook.db", Path(cells))
for cells in (*runs, runs[0]):
    job = Job(os.getcwd(), "1-padding", "ada", (), cells, "graded")
    ran = run(job)
    assert not ran.failed and (job.made / "padding.ipynb").exists(), ran.said
    gc.collect()
"""


@pytest.fixture
def url(tmp_path):
    """A gradebook with a submission of a notebook in which all kinds of cells are."""
    url = f"sqlite:///{tmp_path}/gradebook.db"
    with Gradebook(url) as gradebook:
        gradebook.add_assignment(NOTEBOOK[1])
        for name in (NOTEBOOK[0], "another"):
            notebook = name, NOTEBOOK[1]
            gradebook.add_notebook(*notebook)
            gradebook.add_grade_cell("check", *notebook, max_score=3, cell_type="code")
            # Graded by hand: two cells of one name.
            gradebook.add_grade_cell("written", *notebook, max_score=2, cell_type="markdown")
            gradebook.add_solution_cell("written", *notebook)
            gradebook.add_solution_cell("function", *notebook)
            gradebook.add_task_cell("task", *notebook, max_score=1, cell_type="markdown")
        for student in (NOTEBOOK[2], "bob"):
            gradebook.add_student(student)
            gradebook.add_submission(NOTEBOOK[1], student)
    return url


def test_what_is_stored_of_a_cell_that_is_gone_is_left_alone(url):
    with Gradebook(url) as gradebook:
        notebook = gradebook.find_submission_notebook(*NOTEBOOK)
        gradebook.db.add(Grade(cell_id="gone", notebook_id=notebook.id))
        gradebook.db.commit()
    with WholeNotebook(url) as whole:
        assert whole.find_grade("check", *NOTEBOOK).max_score == 3


@pytest.mark.parametrize(
    ("kind", "cells"), [("find_grade", ("check", "written", "task")), ("find_comment", ("written", "function", "task"))]
)
def test_grades_and_comments_are_those_that_nbgrader_finds(url, kind, cells):
    with Gradebook(url) as usual, WholeNotebook(url) as whole:
        for cell in cells:
            assert getattr(whole, kind)(cell, *NOTEBOOK).id == getattr(usual, kind)(cell, *NOTEBOOK).id
        for unknown in (("no such cell", *NOTEBOOK), (cells[0], *NOTEBOOK[:2], "nobody")):
            with pytest.raises(MissingEntry):
                getattr(whole, kind)(*unknown)


def test_scores_of_a_notebook_are_stored_together_or_not_at_all(url):
    def score(gradebook):
        return gradebook.find_grade("check", *NOTEBOOK).auto_score

    with pytest.raises(ZeroDivisionError), WholeNotebook(url) as whole:
        whole.find_grade("check", *NOTEBOOK).auto_score = 1
        whole.db.commit()
        raise ZeroDivisionError
    with Gradebook(url) as usual:
        assert score(usual) is None
    with WholeNotebook(url) as whole:
        whole.find_grade("check", *NOTEBOOK).auto_score = 2
        whole.db.commit()
    with Gradebook(url) as usual:
        assert score(usual) == 2


def test_a_worker_asks_about_an_assignment_once(course):
    for student in ("ada", "bob"):
        shutil.copytree(ROOT / "solutions" / "1-padding", course / "submitted" / student / "1-padding")
    first, second = json.loads(run(course, sys.executable, "-c", ASKED)[1].splitlines()[-1])
    assert first > second == 0


def test_a_worker_serves_more_runs_in_turns_than_it_keeps_gradebooks_open(course):
    folder = course / "submitted" / "ada" / "1-padding"
    shutil.copytree(course / "release" / "1-padding", folder)
    notebook = json.loads((folder / "padding.ipynb").read_text())
    notebook["cells"] = [cell for cell in notebook["cells"] if "nbgrader" in cell["metadata"]]
    (folder / "padding.ipynb").write_text(json.dumps(notebook))
    code, output = run(course, sys.executable, "-c", TURNS)
    assert code == 0, output
