"""release/ and solutions/ are fresh, hold nothing they should not, and run with what a student has."""

import itertools
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from grading import generate
from grading.generate import lasting

SOURCES = sorted(path.relative_to(ROOT / "source") for path in (ROOT / "source").glob("*/*.ipynb"))


@pytest.fixture(scope="session")
def regenerated(tmp_path_factory):
    """A copy of the checkout in which `make release` has made release/ and solutions/ anew."""
    copy = tmp_path_factory.mktemp("regenerated") / "checkout"
    left_out = shutil.ignore_patterns(".git", ".venv", ".demo", ".lab", ".cache", "release", "solutions", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=left_out)
    (copy / ".venv").symlink_to(sys.prefix)
    # The answers that other tests have had made by now serve here too.
    kept = ROOT / ".cache" / "expected"
    if kept.exists():
        shutil.copytree(kept, copy / ".cache" / "expected", ignore=shutil.ignore_patterns("*.part"))
    else:
        (copy / ".cache").mkdir()
    subprocess.run(["make", "release"], cwd=copy, check=True)
    return copy


def test_make_accuracy_shows_both_figures(regenerated):
    done = subprocess.run(["make", "accuracy"], cwd=regenerated, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shipped, ink = (re.search(rf"{name}.*?(\d+\.\d)%", done.stdout) for name in ("shipped weights", "ink"))
    assert float(shipped[1]) >= 95
    assert float(ink[1]) < 50


def read(path):
    return nbformat.read(path, as_version=4)


@pytest.mark.parametrize("notebook", SOURCES, ids=str)
def test_release_is_what_source_gives(regenerated, notebook):
    assert (ROOT / "release" / notebook).read_text() == (regenerated / "release" / notebook).read_text()


@pytest.mark.parametrize("notebook", SOURCES, ids=str)
def test_solutions_are_what_source_gives(regenerated, notebook):
    committed, fresh = (lasting((course / "solutions" / notebook).read_text()) for course in (ROOT, regenerated))
    assert committed == fresh


def test_only_what_has_changed_is_made_anew_and_chance_alone_changes_nothing(tmp_path, monkeypatch):
    for assignment in ("1-one", "2-two"):
        (tmp_path / "source" / assignment).mkdir(parents=True)
        nb = new_notebook(cells=[new_code_cell("1 + 1", id="sum"), new_code_cell("train()", id="training")])
        nb.cells[1].metadata["tags"] = ["machine-dependent"]
        nbformat.write(nb, tmp_path / "source" / assignment / "lesson.ipynb")
    (tmp_path / "convblocks").mkdir()
    run, chance = [], itertools.count()

    def nbgrader(command, cwd, **options):
        """In place of nbgrader's commands: a solution's second cell gives another number in each run."""
        run.append(command[4])
        nb = read(cwd / "source" / command[4] / "lesson.ipynb")
        nb.cells[1].outputs = [new_output("stream", text=str(next(chance)))]
        for folder in ("release", "solutions"):
            (cwd / folder / command[4]).mkdir(parents=True, exist_ok=True)
            nbformat.write(nb, cwd / folder / command[4] / "lesson.ipynb")
        return subprocess.CompletedProcess(command, 0, "")

    def made(*assignments):
        run.clear()
        before = {path: path.read_text() for path in tmp_path.glob("solutions/*/lesson.ipynb")}
        generate.generate_course(tmp_path, assignments)
        changed = {path.parent.name for path, text in before.items() if path.read_text() != text}
        return list(dict.fromkeys(run)), changed

    def edit(path, old, new):
        path.write_text(path.read_text().replace(old, new))

    monkeypatch.setattr(generate.subprocess, "run", nbgrader)
    assert made() == (["1-one", "2-two"], set())
    assert made() == ([], set())
    edit(tmp_path / "source" / "2-two" / "lesson.ipynb", "1 + 1", "1 + 2")
    assert made() == (["2-two"], {"2-two"})
    # By name in any case, and with the same outputs, chance aside.
    run_twice = [made("1-one") for _ in range(2)]
    assert run_twice == [(["1-one"], set())] * 2
    # Somebody's hand in what is made, and a file that goes into all of it.
    edit(tmp_path / "solutions" / "1-one" / "lesson.ipynb", "1 + 1", "1 + 3")
    assert made() == (["1-one"], {"1-one"})
    (tmp_path / "convblocks" / "figures.py").write_text("")
    assert made() == (["1-one", "2-two"], set())
    edit(tmp_path / "source" / "1-one" / "lesson.ipynb", "train()", "train(2)")
    assert made() == (["1-one"], {"1-one"})
    edit(tmp_path / "solutions" / "1-one" / "lesson.ipynb", "{", "<<<<<<< HEAD\n{")
    assert made() == (["1-one"], {"1-one"})


def files_of(course):
    """All that is in release/ and solutions/, and when it was written."""
    paths = [path for room in ("release", "solutions") for path in (course / room).rglob("*")]
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in paths if path.is_file()}


def generated(course, *assignments):
    """How `python -m grading.generate` ends: its exit code and the last line it says."""
    done = subprocess.run(
        [sys.executable, "-m", "grading.generate", *assignments], cwd=course, capture_output=True, text=True
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda text: text.replace("1 + 1", "1 + = 1"), "cell sum raised SyntaxError: invalid syntax"),
        (lambda text: text[1:], "NotJSONError: Notebook does not appear to be JSON"),
        (
            lambda text: text.replace('"schema_version": 3', '"schema_version": 2'),
            "One or more notebooks in the assignment use an old",
        ),
    ],
)
def test_what_cannot_be_generated_is_named_and_what_was_made_before_stays(tmp_path, broken, said):
    for folder in ("grading", "autograde_tests", "convblocks"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    cell = new_code_cell("1 + 1", id="sum")
    cell.metadata.nbgrader = {"grade_id": "sum", "schema_version": 3, "grade": False, "locked": True, "solution": False}
    lesson = tmp_path / "source" / "1-one" / "lesson.ipynb"
    lesson.parent.mkdir(parents=True)
    nbformat.write(new_notebook(cells=[cell]), lesson)
    for room in ("release", "solutions"):
        shutil.copytree(lesson.parent, tmp_path / room / "1-one")
    lesson.write_text(broken(lesson.read_text()))
    before = files_of(tmp_path)
    code, sentence = generated(tmp_path, "1-one")
    assert code == 1 and sentence.startswith("1-one was not generated") and said in sentence
    assert files_of(tmp_path) == before and len(before) == 2


def test_an_assignment_that_is_not_there_is_named_before_anything_is_made():
    before = files_of(ROOT)
    said = "Nothing was generated: source/ has no assignment 4-maxpool; perhaps 4-max-pool is meant."
    assert generated(ROOT, "1-padding", "4-maxpool") == (2, said)
    assert files_of(ROOT) == before


def test_make_ready_mends_notebooks_keeps_rows_of_arrays_finds_misspellings_and_generates(tmp_path):
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
        # Nothing is to be set up for them, least of all in the environment of these tests.
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "grading").mkdir()
    (tmp_path / "grading" / "__init__.py").write_text("")
    (tmp_path / "grading" / "generate.py").write_text('print( "generated" )\n')
    lesson = tmp_path / "source" / "1-one" / "lesson.ipynb"
    lesson.parent.mkdir(parents=True)

    def ready(code, text):
        nbformat.write(new_notebook(cells=[new_code_cell(code), new_markdown_cell(text)]), lesson)
        done = subprocess.run(["make", "ready"], cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout, read(lesson).cells[0].source

    rows = "[[1, 2],\n            [3, 4]]"
    code, said, source = ready(f"numbers={rows}\nnumbers [0]", "A picture and its colour.")
    assert (code, source) == (0, f"numbers = {rows}\nnumbers[0]")
    assert "\ngenerated\n" in said
    assert (tmp_path / "grading" / "generate.py").read_text() == 'print("generated")\n'
    for right, wrong in (("picture", "picture".replace("tu", "ut")), ("colour", "colour".replace("u", ""))):
        code, said, _ = ready("1 + 1", f"A {wrong}.")
        assert code and f"`{wrong}` should be `{right}`" in said and "\ngenerated\n" not in said


@pytest.mark.parametrize("folder", ["release", "solutions"])
def test_no_notebook_or_file_is_left_over_or_missing(regenerated, folder):
    def files(course):
        return {str(path.relative_to(course)) for path in (course / folder).rglob("*") if path.is_file()}

    assert files(ROOT) == files(regenerated)


@pytest.mark.parametrize("notebook", SOURCES, ids=str)
def test_release_holds_no_solution_and_no_hidden_test(notebook):
    release, source = read(ROOT / "release" / notebook), read(ROOT / "source" / notebook)
    text = (ROOT / "release" / notebook).read_text()
    assert "autograde_tests" not in text and "BEGIN SOLUTION" not in text and "HIDDEN" not in text
    region = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)
    # A worked example or a hint may share a line with a solution; what is in the solution alone may not be released.
    given = "\n".join(region.sub("", cell.source) for cell in source.cells)
    released = "\n".join(cell.source for cell in release.cells)
    solutions = [inside for cell in source.cells for inside in region.findall(cell.source)]
    assert len(solutions) == sum(cell.metadata.get("nbgrader", {}).get("solution", False) for cell in source.cells)
    secret = {line.strip() for inside in solutions for line in inside.splitlines()} - set(
        map(str.strip, given.split("\n"))
    )
    assert not secret & set(map(str.strip, released.split("\n")))
    assert secret
    assert not any(cell.get("outputs") for cell in release.cells)


@pytest.mark.parametrize("notebook", SOURCES, ids=str)
def test_solutions_hold_no_hidden_test_and_show_their_figures(notebook):
    text = (ROOT / "solutions" / notebook).read_text()
    assert "autograde_tests" not in text and "HIDDEN" not in text and "SOLUTION" not in text
    assert text.count("data:image/svg+xml") >= 5
    # Every picture has words for those who do not see it.
    assert text.count("<img ") == len(re.findall(r'<img alt=\\"[^"]{10,}', text))


@pytest.fixture(scope="session")
def student_python(tmp_path_factory):
    """A Python with what a student installs for the first five assignments: convblocks' wheel with its extra, student."""
    place = tmp_path_factory.mktemp("student")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    # Built from what git would hand out: a copy, so that the checkout stays clean.
    copy = place / "checkout"
    for name in ("convblocks", "pyproject.toml", "README.md"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    for name in ("autograde_tests", "grading"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", place, copy], check=True)
    (wheel,) = place.glob("*.whl")
    packed = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in packed} == {"convblocks", "convblocks-1.0.0.dist-info"}
    fronts = {path.name for path in (ROOT / "convblocks").iterdir() if path.suffix in (".js", ".css")}
    assert fronts and fronts <= {Path(name).name for name in packed}
    venv.create(place / "venv", with_pip=False)
    python = place / "venv" / "bin" / "python"
    lock = ROOT / "requirements.lock"
    install = [*pip, "--python", python, "install", "--no-compile", f"{wheel}[student]", "-c", lock]
    subprocess.run(install, check=True)
    return python


RUN = """
import sys, nbformat
from nbclient import NotebookClient
nb = nbformat.read(sys.argv[1], as_version=4)
client = NotebookClient(nb, timeout=120, allow_errors=True, kernel_name="python3")
client.execute()
for cell in nb.cells:
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            print(cell.id, output.ename, output.evalue)
"""


@pytest.mark.parametrize("notebook", [path for path in SOURCES if path.stem != "keras_classifier"], ids=str)
def test_release_runs_up_to_what_is_not_written_with_a_students_packages(student_python, tmp_path, notebook):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    # A notebook beside the others, as fetched.
    shutil.copytree(ROOT / "release", tmp_path / "release")
    folder = tmp_path / "release" / notebook.parent
    for absent in ("tensorflow", "nbgrader", "autograde_tests", "keras"):
        assert subprocess.run(
            [student_python, "-c", f"import {absent}"], capture_output=True, cwd=folder, env=environment
        ).returncode
    done = subprocess.run(
        [student_python, "-c", RUN, notebook.name], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    problems = [line.split() for line in done.stdout.splitlines()]
    assert problems, "an untouched notebook has to stop somewhere"
    cell, name = problems[0][:2]
    assert name in ("NotImplementedError", "NotWrittenYet"), done.stdout
    assert cell.startswith("check_"), "nothing but the first check stops an untouched notebook"


def test_the_keras_notebook_runs_up_to_what_is_not_written(tmp_path):
    shutil.copytree(ROOT / "release" / "6-shapes-classifier", tmp_path / "6-shapes-classifier")
    done = subprocess.run(
        [sys.executable, "-c", RUN, "keras_classifier.ipynb"],
        cwd=tmp_path / "6-shapes-classifier",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("check_build_model NotWrittenYet"), done.stdout
