"""Of several attempts the best counts where one line says so; what it takes to be the best is nbgrader's reckoning."""

import datetime
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import nbformat
import pytest
from conftest import CONVBLOCKS, ROOT, convblocks, fill, nbgrader, run, scores
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from test_intake import hand_in
from test_pool import CHANGED
from test_status import status
from traitlets.config import Config

from grading.intake import digest, forget_attempt, is_due, is_same_attempt, note_attempt
from grading.policy import LatePolicy, points

FIRST, SECOND, LATE = (f"2026-11-{day} 10:00:00 UTC" for day in (19, 20, 21))
DUE = datetime.datetime(2026, 11, 20, 18)
UNWRITTEN = "raise NotImplementedError"
# What each has not written, in the first attempt and in the second, and when that was handed in.
CLASS = {
    "ada": ((), ("pad2d",), SECOND),
    "bob": (("pad2d",), (), SECOND),
    # A day late costs a quarter: 9 points, and before that there were 10.
    "cem": (("padding_amounts",), (), LATE),
    "dee": ((), (), SECOND),
}
BY_HAND = {"cem": ("check_padding_amounts", 2.0)}
"""Points that a person has given to the first attempt."""


@pytest.fixture
def course(course):
    """A course in which the best counts, and a quarter is lost each day after the deadline."""
    config = course / "nbgrader_config.py"
    text = config.read_text()
    for usual, here in {
        '# c.SubmissionExporter.counts = "last"\n': 'c.SubmissionExporter.counts = "best"\n',
        "# c.LatePolicy.percent_a_day = 0\n": "c.LatePolicy.percent_a_day = 25\n",
    }.items():
        assert usual in text
        text = text.replace(usual, here)
    config.write_text(text)
    set_deadline(course, DUE)
    return course


def set_deadline(course, due):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        gradebook.update_or_create_assignment("1-padding", duedate=due)


@pytest.fixture
def graded(course):
    """That course; the first attempts are graded, the second ones are collected."""
    for student, (unwritten, _, _) in CLASS.items():
        folder = course / "submitted" / student / "1-padding"
        shutil.copytree(ROOT / "solutions" / "1-padding", folder)
        fill(folder / "padding.ipynb", **dict.fromkeys(unwritten, UNWRITTEN))
        (folder / "timestamp.txt").write_text(FIRST)
    assert grade(course)["graded"] == 4
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for student, (cell, score) in BY_HAND.items():
            gradebook.find_grade(cell, "padding", "1-padding", student).manual_score = score
            gradebook.find_comment("padding_amounts", "padding", "1-padding", student).manual_comment = "Nearly."
        gradebook.db.commit()
    for student, (_, unwritten, stamp) in CLASS.items():
        folder = hand_in(
            course, student, (ROOT / "solutions" / "1-padding" / "padding.ipynb").read_bytes(), stamp=stamp
        )
        fill(folder / "padding.ipynb", **dict.fromkeys(unwritten, UNWRITTEN))
    nbgrader(course, "collect", "1-padding", "--update", "--ExchangeCollect.check_owner=False")
    return course


def grade(course, *options, code=0):
    """What `convblocks grade --json` says."""
    result = convblocks(course, "grade", "1-padding", "--workers=1", "--json", *options)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def stored(course):
    """Of each student the time stamp, score, late penalty and comments in the gradebook, and the graded notebook's cells."""
    found = {}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for one in gradebook.assignment_submissions("1-padding"):
            folder = course / "autograded" / one.student.id / "1-padding"
            comments = [each.manual_comment for each in one.notebooks[0].comments if each.manual_comment]
            stamps = {f"{one.timestamp} UTC", (folder / "timestamp.txt").read_text().strip()}
            cells = nbformat.read(folder / "padding.ipynb", as_version=4).cells
            found[one.student.id] = stamps, one.score, one.late_submission_penalty, comments, cells
    return found


def named(*students):
    return [{"student": student, "assignment": "1-padding"} for student in students]


def test_the_best_attempt_counts_as_if_there_were_no_other(graded):
    before = stored(graded)
    written = (graded / "autograded" / "ada" / "1-padding" / "padding.ipynb").stat().st_mtime_ns
    command = [*CONVBLOCKS, "grade", "1-padding", "--workers=1", "--json"]
    done = subprocess.run(command, cwd=graded, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    others = {"skipped": 0, "failed": [], "stopped": False, "lost": False, "due": 0}
    assert said == {"graded": 4, "kept": said["kept"]} | others
    assert sorted(said["kept"], key=str) == named("ada", "cem")
    assert "Kept the better earlier attempt of: ada (1-padding), cem (1-padding)." in done.stderr
    after = stored(graded)
    assert {student: one[:4] for student, one in after.items()} == {
        "ada": ({FIRST}, 12, 0, []),
        "bob": ({SECOND}, 12, 0, []),
        "cem": ({FIRST}, 10, 0, ["Nearly."]),
        # Of equal ones the newest.
        "dee": ({SECOND}, 12, 0, []),
    }
    assert after["ada"] == before["ada"] and after["cem"] == before["cem"]
    # So feedback on it is not taken for older than its scores.
    assert (graded / "autograded" / "ada" / "1-padding" / "padding.ipynb").stat().st_mtime_ns == written
    # The lesser ones have been graded.
    found = status(graded)
    assert (found["waiting"], found["due"], found["graded"]) == (0, 0, 4)
    assert grade(graded)["graded"] == 0
    assert grade(graded, "--force", "--student=ada")["kept"] == named("ada")
    # nbgrader's own command would remove what it has not compared yet.
    said = nbgrader(graded, "autograde", "1-padding", "--force", "--student=ada")
    assert "ada, 1-padding: another attempt was graded, and of several attempts the best counts" in said
    assert stored(graded) == after
    # With more time, the other one is the better one, and is looked at once more.
    assert convblocks(graded, "extend", "1-padding", "cem", "24").exit_code == 0
    said = grade(graded)
    assert (said["graded"], said["kept"]) == (1, [])
    # What a person gave stays for them to look at again, as nbgrader has it.
    assert stored(graded)["cem"][:4] == ({LATE}, 10, 0, ["Nearly."])
    # What lies in submitted/ is not what counts of ada, so its scores are nothing to be mixed with those.
    notebook = graded / "autograded" / "ada" / "1-padding" / "padding.ipynb"
    notebook.chmod(0o644)
    notebook.write_text(re.sub(r'("version": )"\w+"', r'\1"older"', notebook.read_text()))
    before = stored(graded)
    result = convblocks(graded, "regrade", "1-padding", "--apply", "--json")
    said = json.loads(result.stdout)
    assert (said["kept"], said["changes"], said["graded"]) == (named("ada"), [], 0)
    assert "keeps its score, of: ada (1-padding). Put it back there" in result.stderr
    assert stored(graded) == before
    # As a run leaves it that was killed while it stored an attempt: of that one's scores some are there.
    with Gradebook(f"sqlite:///{graded}/gradebook.db") as gradebook:
        gradebook.update_or_create_submission("1-padding", "ada", timestamp=SECOND)
    assert grade(graded, "--force", "--student=ada")["kept"] == []
    assert stored(graded)["ada"][:2] == ({SECOND}, 8)


# Collected while what was handed in before is stored.
HANDED_IN_ANEW = f"""
from pathlib import Path
from grading.pool import Store
_take = Store.take
def _taken(self, folder, ran):
    Path(self.coursedir.root, folder, "timestamp.txt").write_text("{LATE}")
    Path(self.coursedir.root, folder, "padding.ipynb").unlink(missing_ok=True)
    return _take(self, folder, ran)
Store.take = _taken
"""


def test_an_attempt_has_its_own_time_and_notebooks_whatever_is_handed_in_while_it_is_stored(course):
    folder = course / "submitted" / "ada" / "1-padding"
    shutil.copytree(ROOT / "solutions" / "1-padding", folder)
    (folder / "timestamp.txt").write_text(FIRST)
    assert grade(course)["graded"] == 1
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        # Without the notebook nbgrader would take its automatic score for a new one, which somebody has to look at.
        one = gradebook.find_grade("check_pad2d", "padding", "1-padding", "ada")
        one.manual_score = one.auto_score
        gradebook.db.commit()
    before = stored(course)
    config = course / "nbgrader_config.py"
    usual = config.read_text()
    config.write_text(usual + CHANGED + HANDED_IN_ANEW)
    code, output = run(course, *CONVBLOCKS, "regrade", "1-padding", "--apply", "--workers=1")
    assert code == 0, output
    assert (folder / "timestamp.txt").read_text() == LATE
    found = stored(course)
    assert {student: one[:4] for student, one in found.items()} == {"ada": ({FIRST}, 12, 0, [])}
    assert found["ada"][4] != before["ada"][4]
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        assert not gradebook.find_submission("1-padding", "ada").needs_manual_grade
    # What was handed in meanwhile is compared with it, and costs it nothing.
    shutil.copy(course / "release" / "1-padding" / "padding.ipynb", folder)
    config.write_text(usual + CHANGED)
    assert grade(course)["kept"] == named("ada")
    assert stored(course)["ada"][:4] == ({FIRST}, 12, 0, [])


def test_attempts_are_compared_by_today_s_deadline_and_the_one_that_counts_keeps_no_penalty_of_an_earlier_one(course):
    day = datetime.timedelta(days=1)
    set_deadline(course, DUE - 3 * day)
    folder = course / "submitted" / "ada" / "1-padding"
    shutil.copytree(ROOT / "solutions" / "1-padding", folder)
    (folder / "timestamp.txt").write_text(FIRST)
    grade(course)
    assert stored(course)["ada"][:3] == ({FIRST}, 12, 6)
    set_deadline(course, DUE)
    fill(folder / "padding.ipynb", pad2d=UNWRITTEN)
    (folder / "timestamp.txt").write_text(SECOND)
    # Both are in time now, so the 8 points of the second are not the better ones.
    assert grade(course)["kept"] == named("ada")
    assert stored(course)["ada"][:3] == ({FIRST}, 12, 0)
    set_deadline(course, DUE - 2 * day)
    assert [one["students"] for one in status(course)["problems"]] == [{"ada": "0, and now 3"}]
    assert grade(course, "--force")["kept"] == named("ada")
    assert stored(course)["ada"][:3] == ({FIRST}, 12, 3)
    assert status(course)["problems"] == []


def test_an_attempt_is_worth_what_all_its_notebooks_are_beside_what_a_person_gave(tmp_path):
    with Gradebook("sqlite:///:memory:") as gradebook:
        gradebook.add_assignment("two", duedate=DUE)
        for name in ("one", "other"):
            gradebook.add_notebook(name, "two")
            for cell in ("checked", "written"):
                gradebook.add_grade_cell(cell, name, "two", max_score=4, cell_type="code")
        gradebook.add_student("ada")
        submission = gradebook.add_submission("two", "ada")
        gradebook.find_grade("checked", "other", "two", "ada").manual_score = 1
        gradebook.find_grade("written", "other", "two", "ada").manual_score = 2
        gradebook.find_grade("written", "other", "two", "ada").extra_credit = 1.5
        gradebook.db.commit()
        for name in ("one", "other"):
            results = {"checked": [new_output("execute_result", {"text/plain": "4"})], "written": []}
            cells = [new_code_cell("a", outputs=outputs) for outputs in results.values()]
            for cell, grade_id in zip(cells, results, strict=True):
                # What students write themselves waits for a person.
                own = {"grade": True, "solution": grade_id == "written", "points": 4, "grade_id": grade_id}
                cell.metadata.nbgrader = own | {"checksum": "of what was released"}
            nbformat.write(new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
        config = Config({"AssignLatePenalties": {"plugin_class": LatePolicy}, "LatePolicy": {"percent_a_day": 25}})
        for hours, left in ((-1, 8.5), (30, 4.25)):
            assert points(submission, tmp_path, DUE + datetime.timedelta(hours=hours), config) == left
        # As nbgrader would reckon it, and without storing anything.
        assert (submission.score, submission.timestamp) == (4.5, None)


def test_without_time_stamps_what_is_not_what_was_graded_is_due(course):
    numbers = {"ada": "101", "bob": "102", "cem": "103"}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        for student, number in numbers.items():
            gradebook.add_student(student, lms_user_id=number)
    submitted, archive = course / "submitted", course / "downloaded" / "1-padding" / "archive"
    archive.mkdir(parents=True)

    def download(*unfinished):
        """A download from Canvas, which tells no times, comes in."""
        with zipfile.ZipFile(archive / "submissions.zip", "w") as file:
            for student, number in numbers.items():
                path = Path(shutil.copy(ROOT / "solutions" / "1-padding" / "padding.ipynb", course))
                fill(path, **dict.fromkeys(["pad2d"] if student in unfinished else [], UNWRITTEN))
                file.write(path, f"{student}_{number}_7_padding.ipynb")
        nbgrader(course, "zip_collect", "1-padding", "--force")

    download("ada", "bob")
    (submitted / "ada" / "1-padding" / "timestamp.txt").write_text(FIRST)
    assert status(course)["due"] == 3 and grade(course)["graded"] == 3
    assert status(course)["due"] == 0
    download()
    assert status(course)["due"] == 2
    said = grade(course)
    assert (said["graded"], said["skipped"]) == (2, 1)
    assert scores(course) == {"ada": 12, "bob": 12, "cem": 12}
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        # An earlier time is not the lateness of this one.
        assert gradebook.find_submission("1-padding", "ada").timestamp is None
    # Copied to another place, at another time, it is what was graded.
    shutil.copytree(submitted, course / "copy")
    shutil.rmtree(submitted)
    (course / "copy").rename(submitted)
    assert status(course)["due"] == 0
    fill(submitted / "ada" / "1-padding" / "padding.ipynb", pad2d=UNWRITTEN)
    (submitted / "ada" / "1-padding" / "timestamp.txt").write_text(SECOND)
    assert status(course)["due"] == 1


@pytest.fixture
def attempt(tmp_path):
    """Makes a folder of an attempt: handed in, or, with `of`, as grading leaves that one."""

    def make(name, text="", stamp="", of=None):
        folder = tmp_path / name
        folder.mkdir()
        if of:
            metadata = {"graded": True} | ({"graded_digests": digest(of)} if text != "once" else {})
            text = json.dumps({"metadata": metadata})
            stamp = (of / "timestamp.txt").read_text()
        (folder / "padding.ipynb").write_text(text)
        (folder / "timestamp.txt").write_text(stamp)
        return folder

    return make


@pytest.mark.parametrize("stamps", [(FIRST, SECOND), ("", ""), (FIRST, ""), ("", SECOND)])
def test_an_attempt_that_lost_is_not_graded_again_and_the_one_that_counts_can_be_put_back(attempt, stamps):
    first, second = attempt("first", "1", stamps[0]), attempt("second", "2", stamps[1])
    counts, lost = attempt("counts", of=first), attempt("lost", of=second)
    assert is_due(second, counts) and not is_due(first, counts)
    assert is_same_attempt(first, counts) and not is_same_attempt(second, counts)
    note_attempt(counts, lost)
    assert not is_due(second, counts) and not is_due(first, counts)
    assert is_same_attempt(first, counts) and not is_same_attempt(second, counts)
    assert is_due(attempt("third", "3", stamps[1] and LATE), counts)
    forget_attempt(counts)
    assert is_due(second, counts) and not is_due(first, counts)


def test_what_was_graded_before_digests_were_kept_is_not_graded_anew(attempt):
    undated, dated = attempt("undated", "1"), attempt("dated", "1", FIRST)
    assert not is_due(undated, attempt("a", "once", of=undated)) and not is_due(dated, attempt("b", "once", of=dated))
    assert is_due(attempt("later", "2", SECOND), attempt("c", "once", of=undated))


def test_what_was_graded_before_its_time_was_known_is_graded_again_and_late(course):
    folder = course / "submitted" / "ada" / "1-padding"
    shutil.copytree(ROOT / "solutions" / "1-padding", folder)
    assert grade(course)["graded"] == 1
    (folder / "timestamp.txt").write_text(LATE)
    assert grade(course)["graded"] == 1
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        stored = gradebook.find_submission("1-padding", "ada")
        assert (stored.score, stored.late_submission_penalty) == (12, 3)
    assert grade(course)["graded"] == 0


def test_a_time_counts_also_where_files_of_its_kind_are_ignored(course):
    with (course / "nbgrader_config.py").open("a") as config:
        config.write("\nc.CourseDirectory.ignore = ['*.txt']\n")
    folder = course / "submitted" / "ada" / "1-padding"
    shutil.copytree(ROOT / "solutions" / "1-padding", folder)
    (folder / "timestamp.txt").write_text(LATE)
    assert [grade(course)["graded"], grade(course)["graded"]] == [1, 0]
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        assert gradebook.find_submission("1-padding", "ada").late_submission_penalty == 3
