"""Bad input through nbgrader's own commands: the rest is graded, the file is named, and nothing graded before is lost."""

import json
import os
import pwd
import shutil

import nbformat
import pytest
from conftest import CONVBLOCKS, NBGRADER, ROOT, background, fill, nbgrader, run, scores
from nbformat.v4 import new_markdown_cell

from grading.intake import find_problem, wanted_notebooks

SOLUTION = ROOT / "solutions" / "1-padding" / "padding.ipynb"
OUTPUT_SIZE = "def output_size(size, kernel_size, strides=1, padding='valid'):\n    return {}"


def hand_in(course, student, text=None, name="padding.ipynb", stamp="2026-01-01 10:00:00 UTC", assignment="1-padding"):
    """Put one file into the exchange as a submission, the way `nbgrader submit` would; text None for no file at all."""
    folder = course / "exchange" / "convblocks" / "inbound" / f"{student}+{assignment}+{stamp}"
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text(stamp)
    if text is not None:
        (folder / name).write_bytes(text)
    return folder


def notebook_without(*lost):
    """The solution without the graded cells, or without any of nbgrader's metadata."""
    nb = nbformat.read(SOLUTION, as_version=4)
    if "graded cells" in lost:
        nb.cells = [cell for cell in nb.cells if not cell.metadata.get("nbgrader", {}).get("grade")]
    if "metadata" in lost:
        for cell in nb.cells:
            cell.metadata.pop("nbgrader", None)
    return nbformat.writes(nb).encode()


def other_notebook():
    """A notebook of another assignment under this one's name."""
    return (ROOT / "solutions" / "5-flatten" / "flatten.ipynb").read_bytes()


BROKEN = {
    "not-json": (b'{"cells": [', "is not a notebook: its content is not JSON"),
    "empty": (b"", "is an empty file"),
    "without-cells": (
        b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
        "has no cells that can be read",
    ),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\xff", "is not a notebook"),
    "other-json": (b'{"a": 1}', "is not a notebook that can be read"),
    "cut-off": (
        b'{"cells": [{"cell_type": "markdown", "source": "# 1"}, {"cell',
        "was cut off or damaged on its way: none",
    ),
    "a-list": (b"[1, 2]", "is not a notebook that can be read"),
    "other-assignment": (other_notebook, "is another notebook"),
}


def _broken(*names):
    """Of BROKEN, by name, the content and the words."""
    found = {name: BROKEN[name] for name in names}
    return {name: (content() if callable(content) else content, words) for name, (content, words) in found.items()}


def test_broken_files_cost_nobody_else_anything_and_are_named(course):
    hand_in(course, "ada", SOLUTION.read_bytes())
    hand_in(course, "zoe", SOLUTION.read_bytes())
    for student, (content, _) in _broken(*BROKEN).items():
        hand_in(course, student, content)
    collected = nbgrader(course, "collect", "1-padding")
    graded = nbgrader(course, "autograde", "1-padding")
    assert scores(course) == {"ada": 12, "zoe": 12} | dict.fromkeys(BROKEN, 0)
    nbgrader(course, "generate_feedback", "1-padding")
    for student, (_, words) in BROKEN.items():
        for output in (collected, graded):
            (line,) = [line for line in output.splitlines() if f"{student}, " in line and "ERROR" in line]
            assert f"padding.ipynb {words}" in line
        page = (course / "feedback" / student / "1-padding" / "padding.html").read_text()
        assert "could not be graded" in page
        assert words in page


def test_a_student_whose_name_is_a_script_is_named_and_left_out(course):
    # Formgrader writes the id into its pages as it is: var student_id = "…".
    hand_in(course, 'eve";alert(1);"', SOLUTION.read_bytes())
    hand_in(course, "<img src=x onerror=alert(1)>", SOLUTION.read_bytes())
    hand_in(course, "ann-marie.o_neil@school.example", SOLUTION.read_bytes())
    collected = nbgrader(course, "collect", "1-padding")
    assert collected.count("in the inbox is not a submission") == 2
    assert [folder.name for folder in (course / "submitted").iterdir()] == ["ann-marie.o_neil@school.example"]


def test_a_student_whose_name_is_a_pattern_is_told_how_to_be_graded_and_takes_nobodys_place(course):
    for student in ("x[1]", "*", "x1"):
        hand_in(course, student, SOLUTION.read_bytes())
    collected = nbgrader(course, "collect", "1-padding")
    assert "'x[1]' cannot be the id of a student, which is printable and has none of" in collected
    assert collected.count("rename the folder): left out.") == 2
    assert [folder.name for folder in (course / "submitted").iterdir()] == ["x1"]
    # Put there by hand.
    put(course, "x[1]", "padding.ipynb", b"")
    put(course, "*", "padding.ipynb", b"")
    for command, left_to_do in (((*CONVBLOCKS, "grade"), 1), ((*NBGRADER, "autograde"), 0)):
        code, output = run(course, *command, "1-padding")
        lines = [
            line for line in " ".join(output.split()).split("submitted/") if "cannot be the id of a student" in line
        ]
        assert code == left_to_do and len(lines) == 2, output
        assert all("Rename the folder, and run this again." in line for line in lines)
        assert scores(course) == {"x1": 12}
    (course / "submitted" / "x[1]").rename(course / "submitted" / "x-1")
    run(course, *CONVBLOCKS, "grade", "1-padding")
    assert scores(course) == {"x1": 12, "x-1": 0}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_what_somebody_else_put_into_the_inbox_takes_nobodys_place(course):
    def owned(owner, *arguments, **more):
        folder = hand_in(course, *arguments, **more)
        for path in (folder, *folder.iterdir()):
            os.chown(path, pwd.getpwnam(owner).pw_uid, -1)
        return folder

    other = notebook_without("graded cells")
    owned("daemon", "daemon", SOLUTION.read_bytes())
    forged = [
        owned("bin", "daemon", other, stamp="2025-12-31 10:00:00 UTC+x"),
        owned("bin", "daemon", other, stamp="2026-01-02 10:00:00 UTC+x"),
    ]
    (forged[0].parent / "daemon+1-padding+2026-01-03 10:00:00 UTC").touch()
    # Of this student there is nothing else.
    owned("bin", "zoe", SOLUTION.read_bytes())
    collected = nbgrader(course, "collect", "1-padding")
    for folder in forged:
        assert f"{folder.name}' in the inbox is not owned by daemon, who has another there: left out." in collected
    assert "daemon+1-padding+2026-01-03 10:00:00 UTC' in the inbox is not a submission: left out." in collected
    submitted = course / "submitted"
    assert (submitted / "daemon" / "1-padding" / "padding.ipynb").read_bytes() == SOLUTION.read_bytes()
    assert (submitted / "zoe" / "1-padding" / "padding.ipynb").exists()
    # Where users of the system are not the course's, the newest is the newest, but a file is still no submission.
    nbgrader(course, "collect", "1-padding", "--update", "--ExchangeCollect.check_owner=False")
    assert (submitted / "daemon" / "1-padding" / "padding.ipynb").read_bytes() == other


# Whoever handed it in owns the folder, and may remove it at any time.
VANISHING = """
import shutil
from pathlib import Path
from nbgrader.exchange.default import ExchangeCollect
_listed = ExchangeCollect.init_src
def _then_removed(self):
    _listed(self)
    for record in self.src_records:
        if record["username"] == "eve":
            # Configurations are read more than once.
            shutil.rmtree(Path(self.inbound_path, record["filename"]), ignore_errors=True)
ExchangeCollect.init_src = _then_removed
"""


def test_a_submission_that_vanishes_from_the_inbox_stops_nobody(course):
    for student in ("ada", "eve", "zoe"):
        hand_in(course, student, SOLUTION.read_bytes())
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text() + VANISHING)
    assert "eve+1-padding" in nbgrader(course, "collect", "1-padding")
    assert sorted(folder.name for folder in (course / "submitted").iterdir()) == ["ada", "zoe"]


@pytest.mark.parametrize("lost", [("graded cells",), ("graded cells", "metadata")])
def test_lost_graded_cells_are_put_back(course, lost):
    hand_in(course, "ada", notebook_without(*lost))
    nbgrader(course, "collect", "1-padding")
    nbgrader(course, "autograde", "1-padding")
    assert scores(course) == {"ada": 12}
    nbgrader(course, "generate_feedback", "1-padding")
    page = (course / "feedback" / "ada" / "1-padding" / "padding.html").read_text()
    assert "Put back, as it was missing or changed" in page


def test_a_broken_resubmission_leaves_the_graded_one_as_it_is(course):
    broken = _broken("not-json", "empty", "other-assignment")
    for student in broken:
        hand_in(course, student, SOLUTION.read_bytes())
    nbgrader(course, "collect", "1-padding")
    nbgrader(course, "autograde", "1-padding")

    def kept():
        return scores(course), [
            (course / "autograded" / student / "1-padding" / "padding.ipynb").read_bytes() for student in broken
        ]

    before = kept()
    assert before[0] == dict.fromkeys(broken, 12)

    for student, (content, _) in broken.items():
        hand_in(course, student, content, stamp="2026-01-02 10:00:00 UTC")
    output = nbgrader(course, "collect", "1-padding", "--update")
    assert [words for _, words in broken.values() if words not in output] == []
    nbgrader(course, "autograde", "1-padding")
    assert kept() == before

    # Put there by hand or by zip_collect, past `collect`.
    for student, (content, _) in broken.items():
        submitted = course / "submitted" / student / "1-padding"
        submitted.chmod(0o755)
        (submitted / "padding.ipynb").unlink()
        (submitted / "padding.ipynb").write_bytes(content)
        (submitted / "timestamp.txt").write_text("2026-01-03 10:00:00 UTC")
    for options in ((), ("--force",)):
        output = nbgrader(course, "autograde", "1-padding", *options)
        said = [line for line in output.splitlines() if "stays as it is" in line]
        for student, (_, words) in broken.items():
            assert [line for line in said if f"{student}, " in line and words in line], student
        assert kept() == before


def test_a_submission_without_any_notebook_gets_a_page_and_takes_nothing_away(course):
    hand_in(course, "ada", SOLUTION.read_bytes())
    hand_in(course, "zoe", SOLUTION.read_bytes())
    hand_in(course, "eve")
    hand_in(course, "joe", b"%PDF", name="homework.pdf")
    assert "eve, submitted at 2026-01-01 10:00:00: padding.ipynb was not handed in" in nbgrader(
        course, "collect", "1-padding"
    )
    output = nbgrader(course, "autograde", "1-padding")
    assert "eve, 1-padding: padding.ipynb was not handed in. It gets no points" in output
    assert "joe, 1-padding: padding.ipynb was not handed in; there is homework.pdf. It gets no points" in output
    deserved = {"ada": 12, "eve": 0, "joe": 0, "zoe": 12}
    assert scores(course) == deserved
    nbgrader(course, "generate_feedback", "1-padding")
    page = (course / "feedback" / "joe" / "1-padding" / "padding.html").read_text()
    assert "padding.ipynb was not handed in; there is homework.pdf" in page
    assert "This notebook was not handed in" in page and "hand it in again" not in page
    # The same from one who has been graded before.
    hand_in(course, "ada", stamp="2026-01-02 10:00:00 UTC")
    assert "padding.ipynb was not handed in" in nbgrader(course, "collect", "1-padding", "--update")
    nbgrader(course, "autograde", "1-padding")
    assert scores(course) == deserved


NAMES = (
    *("padding.ipynb.txt", "padding.json", "padding.IPYNB", "padding", "padding (1).ipynb"),
    *("sub/padding.ipynb", "ada/1-padding/padding.ipynb"),
)
"""As browsers, mail programs and editors save a notebook, or a student packs it."""


def put(course, student, name, content=None):
    """A file, by default a right notebook, under this name, as part of a submission that has been collected."""
    path = course / "submitted" / student / "1-padding" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SOLUTION.read_bytes() if content is None else content)


def test_a_notebook_of_another_name_is_graded_and_the_student_told(course):
    for place, name in enumerate(NAMES):
        put(course, f"s{place}", name)
        for number in range(12):
            put(course, f"s{place}", f"data-{number}.txt", b"1 2 3")
            put(course, f"s{place}", f"figure-{number}.png", b"\x89PNG")
        # JupyterLab's, of an earlier moment.
        put(course, f"s{place}", ".ipynb_checkpoints/padding-checkpoint.ipynb", notebook_without("graded cells"))
    nbgrader(course, "autograde", "1-padding")
    assert scores(course) == {f"s{place}": 12 for place in range(len(NAMES))}
    nbgrader(course, "generate_feedback", "1-padding")
    for place, name in enumerate(NAMES):
        page = (course / "feedback" / f"s{place}" / "1-padding" / "padding.html").read_text()
        assert f"padding.ipynb was not handed in, {name} was taken for it." in page


def test_of_two_that_could_be_meant_none_is_taken(course):
    put(course, "ada", "padding.ipynb")
    put(course, "eve", "padding.ipynb.txt")
    put(course, "eve", "homework.json", notebook_without("graded cells"))
    # Where both say the same, it does not matter.
    put(course, "zoe", "a/padding.ipynb")
    put(course, "zoe", "b/padding.ipynb")
    said = "eve, 1-padding: padding.ipynb was not handed in, and nothing tells which is meant of padding.ipynb.txt, homewor"
    assert said in nbgrader(course, "autograde", "1-padding")
    assert scores(course) == {"ada": 12, "eve": 0, "zoe": 12}


def test_what_was_collected_is_read_again_only_where_something_newer_has_come(course):
    collect = "collect", "1-padding", "--update", "--ExchangeCollect.check_owner=False"
    folder = hand_in(course, "ada", SOLUTION.read_bytes())
    nbgrader(course, *collect)
    (folder / "padding.ipynb").write_text("my homework")
    assert "submitted at" not in nbgrader(course, *collect)
    collected = course / "submitted" / "ada" / "1-padding"
    assert (collected / "padding.ipynb").read_bytes() == SOLUTION.read_bytes()
    hand_in(course, "ada", SOLUTION.read_bytes(), stamp="2026-01-02 10:00:00 UTC")
    hand_in(course, "ada", b"my homework", stamp="2026-01-03 10:00:00 UTC")
    assert "submitted at 2026-01-03" in nbgrader(course, *collect)
    assert (collected / "timestamp.txt").read_text() == "2026-01-02 10:00:00 UTC"


def test_a_copy_beside_what_cannot_be_used_is_taken(course):
    broken = _broken("empty", "not-json", "other-assignment")
    for student, (content, _) in broken.items():
        put(course, student, "padding.ipynb", content)
        put(course, student, "padding-Copy1.ipynb")
    nbgrader(course, "autograde", "1-padding")
    assert scores(course) == dict.fromkeys(broken, 12)
    nbgrader(course, "generate_feedback", "1-padding")
    for student, (_, words) in broken.items():
        page = (course / "feedback" / student / "1-padding" / "padding.html").read_text()
        assert words in page and "padding-Copy1.ipynb was taken for it" in page


def test_a_linked_folder_leads_to_nobodys_work(course):
    put(course, "ada", "padding.ipynb")
    (course / "submitted" / "eve" / "1-padding").mkdir(parents=True)
    (course / "submitted" / "eve" / "1-padding" / "sub").symlink_to(course / "submitted" / "ada" / "1-padding")
    assert "eve, 1-padding: padding.ipynb was not handed in; there is sub." in nbgrader(
        course, "autograde", "1-padding"
    )
    assert scores(course) == {"ada": 12, "eve": 0}


@pytest.mark.parametrize("name", [NAMES[0], None])
def test_all_of_the_class_may_be_without_a_notebook(course, name):
    (course / "submitted" / "eve" / "1-padding").mkdir(parents=True)
    if name:
        put(course, "eve", name)
    code, output = run(course, *CONVBLOCKS, "grade", "1-padding")
    assert code == 0 and "1 submission graded." in output, output
    assert scores(course) == {"eve": 12 if name else 0}


def test_a_better_resubmission_is_graded_anew(course):
    hand_in(course, "ada", b"{")
    nbgrader(course, "collect", "1-padding")
    nbgrader(course, "autograde", "1-padding")
    assert scores(course) == {"ada": 0}
    hand_in(course, "ada", SOLUTION.read_bytes(), stamp="2026-01-02 10:00:00 UTC")
    nbgrader(course, "collect", "1-padding", "--update")
    nbgrader(course, "autograde", "1-padding")
    assert scores(course) == {"ada": 12}


def test_one_of_two_notebooks_broken_leaves_the_other_its_points(course):
    good = ROOT / "solutions" / "6-shapes-classifier" / "numpy_classifier.ipynb"
    hand_in(course, "ada", good.read_bytes(), good.name, assignment="6-shapes-classifier")
    nbgrader(course, "collect", "6-shapes-classifier")
    output = nbgrader(course, "autograde", "6-shapes-classifier")
    assert "keras_classifier.ipynb was not handed in; there is numpy_classifier.ipynb" in output
    assert scores(course, "6-shapes-classifier") == {"ada": 15}


@pytest.mark.parametrize("damage", ["copied", "only the id", "unknown id", "old schema", "no dict"])
def test_damaged_metadata_of_honest_work_costs_nothing(course, damage):
    nb = nbformat.read(SOLUTION, as_version=4)
    graded = [cell for cell in nb.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    if damage == "copied":
        for cell in graded:
            copy = nbformat.from_dict({**cell, "id": f"copy-{cell.id}"})
            nb.cells.insert(nb.cells.index(cell), copy)
    for cell in graded:
        if damage == "only the id":
            cell.metadata.nbgrader = {"grade_id": cell.metadata.nbgrader.grade_id}
        if damage == "unknown id":
            cell.metadata.nbgrader.grade_id = "something_else"
        if damage == "old schema":
            cell.metadata.nbgrader.schema_version = 1
        if damage == "no dict":
            cell.metadata.nbgrader = ["x"]
    hand_in(course, "ada", nbformat.writes(nb).encode())
    hand_in(course, "zoe", SOLUTION.read_bytes())
    nbgrader(course, "collect", "1-padding")
    nbgrader(course, "autograde", "1-padding")
    assert scores(course) == {"ada": 12, "zoe": 12}


def test_a_cell_that_ends_the_kernel_costs_that_cell(course):
    for student in ("ada", "zoe"):
        shutil.copytree(SOLUTION.parent, course / "submitted" / student / "1-padding")
    fill(course / "submitted" / "ada" / "1-padding" / "padding.ipynb", pad2d="import os\ndef pad2d(): ...\nos._exit(1)")
    output = nbgrader(course, "autograde", "1-padding")
    assert "was left out after it ended the kernel: the kernel died" in output
    assert scores(course) == {"ada": 8, "zoe": 12}
    nbgrader(course, "generate_feedback", "1-padding")
    page = (course / "feedback" / "ada" / "1-padding" / "padding.html").read_text()
    assert "This notebook did not run smoothly" in page
    assert "so its definitions were run without the rest" in page
    assert "Kernel died while waiting" not in output


def test_every_other_notebook_of_the_course_is_told_apart(course):
    (wanted,) = wanted_notebooks(f"sqlite:///{course}/gradebook.db", "1-padding")
    others = [path for path in (ROOT / "solutions").glob("*/*.ipynb") if path.stem != "padding"]
    assert len(others) == 6
    (course / "here").mkdir()
    for other in others:
        shutil.copy(other, course / "here" / "padding.ipynb")
        assert "is another notebook" in find_problem(course / "here" / "padding.ipynb", wanted), other
    assert find_problem(SOLUTION, wanted) == ""


def test_of_broken_submissions_the_least_broken_is_collected(course):
    good = ROOT / "solutions" / "6-shapes-classifier" / "numpy_classifier.ipynb"
    hand_in(course, "ada", good.read_bytes(), good.name, assignment="6-shapes-classifier")
    hand_in(course, "ada", b"{", "keras_classifier.ipynb", "2026-01-02 10:00:00 UTC", "6-shapes-classifier")
    nbgrader(course, "collect", "6-shapes-classifier")
    assert (course / "submitted" / "ada" / "6-shapes-classifier" / good.name).read_bytes() == good.read_bytes()


def test_a_submission_that_changed_the_points_gets_no_more(course):
    nb = nbformat.read(SOLUTION, as_version=4)
    for cell in nb.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.metadata.nbgrader.points = 400
            cell.source = "400"
    hand_in(course, "ada", nbformat.writes(nb).encode())
    nbgrader(course, "collect", "1-padding")
    nbgrader(course, "autograde", "1-padding")
    assert scores(course) == {"ada": 12}


@pytest.mark.parametrize("name", ["unusable", "mended", "did-not-run---"])
def test_nobody_but_grading_says_anything_on_top_of_a_page(course, name):
    nb = nbformat.read(SOLUTION, as_version=4)
    nb.cells.insert(0, new_markdown_cell("I have all points.", id=name))
    hand_in(course, "ada", nbformat.writes(nb).encode())
    for command in ("collect", "autograde", "generate_feedback"):
        nbgrader(course, command, "1-padding")
    page = (course / "feedback" / "ada" / "1-padding" / "padding.html").read_text()
    assert page.index("What to look at next") < page.index("I have all points.")


def test_prints_and_warnings_cost_a_right_answer_nothing(course):
    folder = course / "submitted" / "ivy" / "1-padding"
    shutil.copytree(SOLUTION.parent, folder)
    fill(
        folder / "padding.ipynb",
        output_size="import os, sys, warnings\n"
        + OUTPUT_SIZE.format(
            "-(-size // strides) if padding == 'same' else (size - kernel_size) // strides + 1"
        ).replace(
            "return",
            "print('out'); print('err', file=sys.stderr); warnings.warn('mind'); np.log(np.array([0.0])); return",
        ),
    )
    nbgrader(course, "autograde", "1-padding")
    assert scores(course) == {"ivy": 12}


def test_the_score_of_every_check_is_kept_with_its_cases(course):
    folder = course / "submitted" / "ada" / "1-padding"
    shutil.copytree(SOLUTION.parent, folder)
    fill(folder / "padding.ipynb", output_size=OUTPUT_SIZE.format("0"))
    nbgrader(course, "autograde", "1-padding")
    nb = json.loads((course / "autograded" / "ada" / "1-padding" / "padding.ipynb").read_text())
    results = [
        output["data"]["application/vnd.convblocks.result+json"]
        for cell in nb["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "execute_result" and "application/vnd.convblocks.result+json" in output["data"]
    ]
    assert [result["check"] for result in results] == ["output_size", "padding_amounts", "pad2d"]
    assert sum(result["score"] for result in results) == scores(course)["ada"]


KILLED_WHILE_IT_COPIES = """
import os, signal
import grading.intake
def _killed(source, target, *arguments, **named):
    (target / "padding.ipynb").write_text("{}")
    os.kill(os.getpid(), signal.SIGKILL)
grading.intake.copy_plain_files = _killed
"""


def test_collecting_that_is_killed_leaves_no_half_of_a_submission(course):
    hand_in(course, "ada", (ROOT / "solutions" / "1-padding" / "padding.ipynb").read_bytes())
    config = course / "nbgrader_config.py"
    usual = config.read_text()
    config.write_text(usual + KILLED_WHILE_IT_COPIES)
    command = ("collect", "1-padding", "--update", "--ExchangeCollect.check_owner=False")
    assert run(course, *NBGRADER, *command)[0] == -9
    folder = course / "submitted" / "ada" / "1-padding"
    assert not folder.exists()
    config.write_text(usual)
    nbgrader(course, *command)
    assert sorted(one.name for one in folder.iterdir()) == ["padding.ipynb", "timestamp.txt"]
    assert [one.name for one in folder.parent.iterdir()] == ["1-padding"]


COPIES_SLOWLY = """
import time
import grading.intake
_copy = grading.intake.copy_plain_files
grading.intake.copy_plain_files = lambda *given, **named: (time.sleep(1), _copy(*given, **named), time.sleep(1))
"""


def test_two_that_collect_at_once_leave_whole_submissions(course):
    for student in ("ada", "bob"):
        hand_in(course, student, (ROOT / "solutions" / "1-padding" / "padding.ipynb").read_bytes())
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(COPIES_SLOWLY)
    command = (*NBGRADER, "collect", "1-padding", "--update", "--ExchangeCollect.check_owner=False")
    with background(course, *command) as one, background(course, *command) as other:
        said = [one.stderr.read(), other.stderr.read()]
        assert [one.wait(), other.wait()] == [0, 0], said
    assert not any("left out" in one for one in said), said
    for student in ("ada", "bob"):
        folder = course / "submitted" / student
        assert [one.name for one in folder.iterdir()] == ["1-padding"]
        assert sorted(one.name for one in (folder / "1-padding").iterdir()) == ["padding.ipynb", "timestamp.txt"]
