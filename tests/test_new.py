"""What `convblocks new` lays out works as it is, is clean, says where an author has to write, and overwrites nothing."""

import json
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT
from nbgrader.preprocessors import CheckCellMetadata
from typer.testing import CliRunner

from grading import cli, new

# Not the guide's own example: whoever has followed it has that one in the checkout.
PLACE = "99-mirrored-pool/mirrored_pool"
FUNCTION = "mirrored_pool2d(images, pool_size=(2, 2), strides=None, padding='valid')"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of what an author writes in, where the command lays out."""
    for folder in ("autograde_tests", "convblocks", "source"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(new, "ROOT", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(new.lay_out, "__defaults__", (tmp_path,))
    return tmp_path


def texts(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def lay_out(*arguments):
    return CliRunner().invoke(cli.app, ["new", *arguments])


WORKS = """
import numpy as np
from autograde_tests.checking import load_checks
from autograde_tests.misconceptions import BASES, load_bank
from convblocks.calling import call
from convblocks.compare import compare

check = load_checks()["mirrored_pool2d"]
names = {}
exec(open("lesson.py").read(), names)
(wrong,) = (one for one in load_bank().values() if one.check == "mirrored_pool2d")
(base,) = (function for function, name in BASES.items() if name == "mirrored_pool2d")
right = []
for case in check.cases(7):
    expected = check.answer(case)
    for function in (names["mirrored_pool2d"], base):
        outcome = call(function, *case.args, **case.kwargs)
        assert not outcome.changed and outcome.kind == "returned", outcome
        assert case.keeps_inputs or not compare(outcome.value, expected).sentence, case.name
    right.append(case.keeps_inputs or not compare(call(wrong.function, *case.args).value, expected).sentence)
assert right.count(True) == 1, right
assert sum(case.showable for case in check.cases(7)) * 2 <= len(right)
print(list(load_checks())[-1], wrong.look)
"""


def test_what_is_laid_out_works_as_it_is(course):
    """The solution and the right function agree with Keras, the wrong way does not, and the lesson runs to its end."""
    assert lay_out(PLACE, FUNCTION).exit_code == 0
    notebook = nbformat.read(course / "source" / f"{PLACE}.ipynb", as_version=4)
    code = [
        re.sub(r"### BEGIN HIDDEN.*", "", cell.source, flags=re.DOTALL)
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
    (course / "lesson.py").write_text("\n".join(code))
    (course / "works.py").write_text(WORKS)
    done = subprocess.run([sys.executable, "works.py"], cwd=course, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "mirrored_pool2d Exercise 1 · `mirrored_pool2d`"
    (heading,) = (cell.source for cell in notebook.cells if cell.source.startswith("## Exercise 1"))
    assert heading.splitlines()[0] == "## Exercise 1 · `mirrored_pool2d`"


def test_three_files_and_a_line_are_written_and_nothing_else(course):
    before = texts(course)
    said = lay_out(PLACE, FUNCTION)
    after = texts(course)
    files = {
        f"source/{PLACE}.ipynb",
        "autograde_tests/mirrored_pool.py",
        "autograde_tests/misconceptions/mirrored_pool.py",
    }
    assert set(after) - set(before) == files
    assert {name for name in before if before[name] != after[name]} == {"README.md"}
    added = set(after["README.md"].decode().splitlines()) - set(before["README.md"].decode().splitlines())
    assert added == {"| 99-mirrored-pool | `mirrored_pool2d` | 10 |"}
    rows = [int(number) for number in re.findall(r"^\| (\d+)-", after["README.md"].decode(), re.MULTILINE)]
    assert rows == sorted(rows)
    for name in files:
        # The test that counts them is the one test that fails.
        count = after[name].decode().count("✎")
        assert count and f"{name}: write wherever there is a ✎ ({count})" in said.stdout


def test_the_guide_lays_out_an_exercise_and_names_all_of_its_files():
    guide = (ROOT / "docs" / "authoring.md").read_text()
    ((place, function),) = re.findall(r'^convblocks new (\S+) "(.+)"$', guide, re.MULTILINE)
    made = new.exercise(place, function)
    for name in (
        f"source/{place}.ipynb",
        f"autograde_tests/{made.module}.py",
        f"autograde_tests/misconceptions/{made.module}.py",
    ):
        assert f"| `{name}` |" in guide


def test_where_files_lie_is_said_in_full_to_whoever_is_elsewhere(course, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    said = lay_out(PLACE, FUNCTION).stdout.splitlines()
    assert [line.partition(": ")[0] for line in said[:4]] == [
        f"{course}/source/{PLACE}.ipynb",
        f"{course}/autograde_tests/mirrored_pool.py",
        f"{course}/autograde_tests/misconceptions/mirrored_pool.py",
        f"{course}/README.md",
    ]
    assert said[4] == f"All of it is in the checkout: cd {course}"


def test_what_is_laid_out_is_formatted_and_what_nbgrader_wants(course):
    assert lay_out(PLACE, FUNCTION).exit_code == 0
    (layout,) = re.findall(r"^LAYOUT := (.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in (
        "ruff check --no-cache .",
        f"ruff {layout} --no-cache",
        "ruff format --no-cache --check .",
        "typos",
    ):
        done = subprocess.run(command.split(), cwd=course, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
    path = course / "source" / f"{PLACE}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    CheckCellMetadata().preprocess(notebook, {})
    (last,) = (ROOT / "source" / "4-max-pool").glob("*.ipynb")
    assert json.loads(path.read_text())["metadata"] == json.loads(last.read_text())["metadata"]


@pytest.mark.parametrize(
    ("place", "function", "said"),
    [
        ("4-max-pool/other", "other", "source/4-max-pool is there already"),
        (
            "7-other/other",
            "max_pool2d",
            "max_pool2d is a function of the course already, in autograde_tests/max_pool.py",
        ),
        ("7-other/padding", "other", "source/1-padding/padding.ipynb is called so already"),
        ("7-cases/other", "other", "autograde_tests/cases.py is there already"),
        ("7-bank/bank", "other", "would be taken for something else"),
        ("other/other", "other", "is no assignment's name"),
        ("7-../../other", "other", "is no assignment's name"),
        ("7-other", "other", "does not end in the name of a notebook"),
        ("7-other/other.ipynb", "other", "does not end in the name of a notebook"),
        ("7-other/other", "two words", "is no function as Python writes it"),
        ("7-other/other", "f(x): pass\ndef g(x)", "is no function as Python writes it"),
        ("7-other/other", "f(*x)", "plain arguments alone"),
        ("7-other/other", "f(x, y)", "give every argument but the first a default"),
        ("7-other/other", "visible_check(images)", "visible_check is a name that the notebook uses for something else"),
        ("7-other/other", "check", "check is a name that the notebook uses for something else"),
        ("7-other/other", "np", "np is a name that the notebook uses for something else"),
        ("7-other/other", "picture", "picture is a name that the notebook uses for something else"),
        ("7-other/other", "print", "print is a function of Python's own"),
        ("7-other/other", "f(images, np=1)", "the argument np has the name of something that the checks use"),
        ("7-other/other", "f(right)", "the argument right has the name of something that the checks use"),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_written(course, place, function, said):
    before = texts(course)
    result = lay_out(place, function)
    assert result.exit_code == 2 and "Nothing was laid out" in result.output and said in result.output
    assert texts(course) == before
