"""What the docs tell git: notebooks are compared as text, and a commit leaves out nothing that is made."""

import re
import shutil
import subprocess

import nbformat
import pytest
from conftest import ROOT

AUTHORING = (ROOT / "docs" / "authoring.md").read_text()
CONFIGURE = re.findall(r"^git config .*", AUTHORING, re.MULTILINE)
(HOOK,) = re.findall(r"^printf .*", AUTHORING, re.MULTILINE)


@pytest.fixture
def git(tmp_path):
    """A clone with a source notebook and its solution, committed, that has not been told anything; its git."""
    for name in (".gitattributes", "grading/__init__.py", "grading/diffable.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for room in ("source", "solutions"):
        shutil.copytree(ROOT / room / "1-padding", tmp_path / room / "1-padding")

    def run(*command, folder=".", fails=False):
        person = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
        done = subprocess.run(["git", *person, *command], cwd=tmp_path / folder, capture_output=True, text=True)
        assert bool(done.returncode) == fails, done.stderr
        return done.stdout + done.stderr

    run("init", "--quiet")
    run("add", ".")
    run("commit", "--quiet", "--message=all")
    return run


def configure(folder):
    assert len(CONFIGURE) == 2
    for command in CONFIGURE:
        subprocess.run(command, shell=True, cwd=folder, check=True)


def change(notebook, cell, work):
    nb = nbformat.read(notebook, as_version=4)
    work(next(one for one in nb.cells if one.id == cell))
    nbformat.write(nb, notebook)


def changed_lines(diff):
    return [line for line in diff.splitlines() if re.match(r"[-+](?!--|\+\+)", line)]


def test_a_diff_is_what_an_author_has_changed(git, tmp_path):
    source, solution = (tmp_path / room / "1-padding" / "padding.ipynb" for room in ("source", "solutions"))

    def first_line(cell):
        cell.source = cell.source.replace("## A picture is an array", "## An array is a picture")

    def points(cell):
        cell.metadata.nbgrader.points = 7

    def drawn(cell):
        data = cell.outputs[0].data
        data["text/html"] = data["text/html"].replace("base64,", "base64,AA")
        data["text/plain"] = data["text/plain"].replace("9, 2, 6", "9, 2, 7")

    change(source, "picture", first_line)
    change(source, "check_pad2d", points)
    change(solution, "picture-figure", drawn)
    # Who never told git anything sees JSON, with a picture in one line.
    assert '+    "## An array is a picture\\n",' in git("diff", "source")
    assert max(map(len, git("diff").splitlines())) > 4000
    configure(tmp_path)
    diff = git("diff", "source")
    assert changed_lines(diff) == [
        "-## A picture is an array",
        "+## An array is a picture",
        "-nbgrader.points: 4.0",
        "+nbgrader.points: 7",
    ]
    assert "@@ ──── code check_pad2d" in diff
    assert git("diff", folder="source/1-padding") == git("diff")
    picture, words, new_picture, new_words = changed_lines(git("diff", "solutions"))
    assert picture.startswith("-→ text/html ") and new_picture.startswith("+→ text/html ")
    assert "9, 2, 6" in words and "9, 2, 7" in new_words and max(len(words), len(new_words)) < 200


def test_a_merge_with_conflicts_can_be_looked_at(git, tmp_path):
    configure(tmp_path)
    notebook = tmp_path / "source" / "1-padding" / "padding.ipynb"
    notebook.write_text("<<<<<<< HEAD\n" + notebook.read_text())
    assert "+<<<<<<< HEAD" in git("diff").splitlines()


def test_a_commit_that_leaves_out_what_was_made_is_refused(git, tmp_path):
    (tmp_path / "Makefile").write_text("ready:\n\tcp source.txt release.txt\n")
    (tmp_path / "source.txt").write_text("one")
    (tmp_path / "release.txt").write_text("one")
    git("add", ".")
    git("commit", "--message=made")
    subprocess.run(HOOK, shell=True, cwd=tmp_path, check=True)
    subprocess.run("chmod +x .git/hooks/pre-commit", shell=True, cwd=tmp_path, check=True)
    (tmp_path / "source.txt").write_text("two")
    git("add", "source.txt")
    assert "release.txt | 2 +-" in git("commit", "--message=forgotten", fails=True)
    git("commit", "--all", "--message=all of it")
    # Of a new exercise git knows nothing yet.
    for name in ("source.txt", "release.txt"):
        (tmp_path / name).write_text("three")
    made = tmp_path / "release" / "7-new" / "new.ipynb"
    made.parent.mkdir(parents=True)
    made.write_text("made")
    assert "release/7-new/new.ipynb" in git("commit", "--all", "--message=forgotten", fails=True)
    git("add", ".")
    git("commit", "--all", "--message=all of it")
    assert git("status", "--short") == ""
