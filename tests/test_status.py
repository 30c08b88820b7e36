"""`convblocks status`: where a course stands, whatever its state, and commands that lead on."""

import hashlib
import json
import shlex
import shutil

from conftest import NBGRADER, ROOT, convblocks, fill, nbgrader, run
from nbgrader.api import Gradebook

from grading.sanitize import RESULT


def status(course) -> dict:
    """What `status --json` says of 1-padding."""
    result = convblocks(course, "status", "--json")
    assert result.exit_code == 0, result.output
    return next(one for one in json.loads(result.stdout)["assignments"] if one["assignment"] == "1-padding")


def numbers(found) -> dict:
    """The counts that are not 0."""
    return {key: value for key, value in found.items() if type(value) is int and value}


def problems(found) -> dict:
    """Students by what is the matter."""
    return {one["what"]: one["students"] for one in found["problems"]}


def files(course) -> dict:
    """Every file of a course, by its content."""
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in course.rglob("*") if path.is_file()}


def graded_notebook(course, student="student-0000"):
    return course / "autograded" / student / "1-padding" / "padding.ipynb"


def change(path, edit) -> None:
    """Edit a notebook's JSON."""
    notebook = json.loads(path.read_text())
    edit(notebook)
    path.write_text(json.dumps(notebook))


def test_without_a_course_it_says_so(tmp_path):
    result = convblocks(tmp_path, "status")
    assert result.exit_code == 2
    assert "there is no nbgrader_config.py here" in result.stderr
    (tmp_path / "nbgrader_config.py").write_text("this is no Python")
    result = convblocks(tmp_path, "status", "--json")
    assert result.exit_code == 2 and not result.stdout
    assert "nbgrader_config.py cannot be used (SyntaxError" in result.stderr


def test_a_course_without_assignments_is_no_error(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    # Pictures of the course, say.
    (tmp_path / "source" / "pictures").mkdir(parents=True)
    result = convblocks(tmp_path, "status")
    assert result.exit_code == 0 and "No assignment yet" in result.output
    assert json.loads(convblocks(tmp_path, "status", "--json").stdout) == {"course": "convblocks", "assignments": []}
    assert not (tmp_path / "gradebook.db").exists()


def test_a_gradebook_that_cannot_be_read_is_said(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    (tmp_path / "gradebook.db").write_text("no database")
    for command in ("status", "report"):
        result = convblocks(tmp_path, command)
        assert result.exit_code == 2
        assert "Nothing to show: the gradebook cannot be read (file is not a database)." in result.stderr


def test_what_stands_in_the_gradebook_alone_is_not_to_be_generated(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as gradebook:
        gradebook.add_assignment("1-padding")
    assert [one["command"] for one in status(tmp_path)["steps"]] == ["nbgrader db assignment remove 1-padding"]
    nbgrader(tmp_path, "db", "assignment", "remove", "1-padding")
    assert "No assignment yet" in convblocks(tmp_path, "status").output


def test_its_commands_lead_through_a_week(course):
    # As `nbgrader submit` leaves it; a name may have a + in it.
    inbound = course / "exchange" / "convblocks" / "inbound"
    stamp = "2026-11-20 10:00:00.000000 UTC"
    for student, secret in (("ada", "a" * 12), ("b+b", "b" * 12)):
        folder = inbound / f"{student}+1-padding+{stamp}+{secret}"
        shutil.copytree(ROOT / "solutions" / "1-padding", folder)
        (folder / "timestamp.txt").write_text(stamp)
        (folder / "submission_secret.txt").write_text(secret)
    fill(folder / "padding.ipynb", pad2d="raise NotImplementedError")
    # Nothing of this can be collected.
    (inbound / f"eve+1-padding+{stamp}").write_text("")
    (inbound / f"a'b+1-padding+{stamp}").mkdir()
    # Of two there is another that can.
    for student in ("ada", "b+b", "kim"):
        (inbound / f"{student}+1-padding+garbage").mkdir()
    shutil.rmtree(course / "release" / "1-padding")
    done, seen = [], []
    while steps := status(course)["steps"]:
        assert len(done) < 10, done
        done.append(steps[0]["command"])
        seen.append(numbers(status(course)))
        program, *arguments = shlex.split(done[-1])
        # The files here belong to whoever runs the tests, not to the students.
        options = ["--ExchangeCollect.check_owner=False"] * (arguments[0] == "collect")
        command = NBGRADER if program == "nbgrader" else (NBGRADER[0], "-m", "grading.cli")
        code, output = run(course, *command, *arguments, *options)
        assert code == 0, output
    assert done == [
        "nbgrader generate_assignment 1-padding",
        "nbgrader collect 1-padding",
        "convblocks grade 1-padding",
        "nbgrader generate_feedback 1-padding",
        "nbgrader release_feedback 1-padding",
    ]
    assert seen == [
        {"waiting": 2},
        {"waiting": 2},
        {"collected": 2, "due": 2},
        {"collected": 2, "graded": 2},
        {"collected": 2, "graded": 2, "pages": 2},
    ]
    assert numbers(status(course)) == {"collected": 2, "graded": 2, "pages": 2, "out": 2}
    page_tells_the_gradebook(course)
    # A newer one that cannot be used is not collected, so nobody is asked to.
    broken = inbound / f"ada+1-padding+2026-11-20 11:00:00 UTC+{'d' * 12}"
    broken.mkdir()
    (broken / "padding.ipynb").write_text("no notebook")
    # And of one who was collected nothing is left there but a folder that tells no time.
    shutil.rmtree(inbound / f"b+b+1-padding+{stamp}+{'b' * 12}")
    assert status(course)["waiting"] == 0
    # A newer one goes the same way, with what makes each command take it.
    (inbound / f"ada+1-padding+{stamp}+{'a' * 12}").rename(
        inbound / f"ada+1-padding+2026-11-21 10:00:00 UTC+{'c' * 12}"
    )
    assert [one["command"] for one in status(course)["steps"]] == ["nbgrader collect --update 1-padding"]
    # Graded once more, so the page is older than the score.
    graded_notebook(course, "ada").touch()
    later = status(course)
    assert later["stale"] == 1 and later["out"] == 1
    assert later["steps"][-1]["command"] == "nbgrader generate_feedback 1-padding --force"


def page_tells_the_gradebook(course) -> None:
    """Whatever changes there of what is on ada's page makes it outdated, and no more."""
    for kind, name, value in (
        ("grades", "manual_score", 0.5),
        ("comments", "manual_comment", "Well thought."),
        ("", "late_submission_penalty", 1.0),
        # What Formgrader leaves where nothing was written.
        ("comments", "manual_comment", ""),
    ):
        for given in (value, None):
            with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
                notebook = gradebook.find_submission("1-padding", "ada").notebooks[0]
                setattr(getattr(notebook, kind)[0] if kind else notebook, name, given)
                gradebook.db.commit()
            found = status(course)
            assert found["stale"] == bool(given), (name, given)
            again = ["nbgrader generate_feedback 1-padding --force"] if given else []
            assert [one["command"] for one in found["steps"]] == again


def test_what_has_gone_wrong_is_told_and_nothing_is_changed(graded_course):
    course = graded_course
    for student in ("student-0001", "student-0002", "student-0003"):
        path = graded_notebook(course, student)
        assert path.exists()

    def unusable(notebook):
        notebook["metadata"]["unusable_submission"] = "padding.ipynb is \x1b[31m[red]an empty file"

    def mended(notebook):
        text = "## This notebook was mended\n\n- A cell is whole again.\n- evil is a link. It was left out."
        notebook["cells"].insert(0, {"cell_type": "markdown", "id": "mended-----", "metadata": {}, "source": text})

    def interrupted(notebook):
        del notebook["metadata"]["graded"]

    before = status(course)
    change(graded_notebook(course, "student-0001"), unusable)
    change(graded_notebook(course, "student-0005"), unusable)
    change(graded_notebook(course, "student-0002"), mended)
    change(graded_notebook(course, "student-0003"), interrupted)
    for stranger in ("nobody", "a'b"):
        folder = course / "submitted" / stranger / "1-padding"
        folder.mkdir(parents=True)
    for student in ("student-0000", "student-0005"):
        (course / "submitted" / student / "1-padding" / "timestamp.txt").write_text("2027-01-01 10:00:00 UTC")
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        grade = gradebook.find_submission("1-padding", "student-0004").notebooks[0].grades[0]
        grade.needs_manual_grade = True
        gradebook.db.commit()
    content = files(course)
    found = status(course)
    said = problems(found)
    assert said["could not be graded as it was handed in"] == {
        "student-0001": "padding.ipynb is \x1b[31m[red]an empty file"
    }
    assert said["mended before grading"] == {"student-0002": "A cell is whole again."}
    assert said["a file or cell was left out"] == {"student-0002": "evil is a link. It was left out."}
    assert said["not in the gradebook, where grading adds whoever hands in"] == {"nobody": ""}
    assert next(which for what, which in said.items() if "rename it" in what) == {"a'b": ""}
    held_back = said["with a newer file that cannot be used, so that what was graded before stays"]
    assert held_back == {"student-0000": "padding.ipynb was not handed in"}
    assert found["by_hand"] == 1
    # The stranger, what was interrupted, and one whose newer file cannot be used either, as what was graded could not.
    assert (found["due"], found["graded"]) == (before["due"] + 3, before["graded"] - 2)
    assert [one["command"] for one in found["steps"]][:2] == ["convblocks grade 1-padding", "jupyter lab"]
    screen = convblocks(course, "status")
    assert screen.exit_code == 0 and "\x1b" not in screen.output
    assert "[red]an empty file" in screen.output
    assert files(course) == content


def test_a_check_that_has_changed_since_asks_for_regrading(graded_course):
    assert status(graded_course)["outdated"] == 0

    def older(notebook):
        for cell in notebook["cells"]:
            for output in cell.get("outputs", []):
                if RESULT in output.get("data", {}):
                    output["data"][RESULT]["version"] = "older"

    change(graded_notebook(graded_course), older)
    found = status(graded_course)
    assert found["outdated"] == 1
    assert "convblocks regrade 1-padding" in [one["command"] for one in found["steps"]]
    assert "1 to regrade" in convblocks(graded_course, "status").output


def test_where_answers_are_not_kept_nobody_says_that_checks_are_as_they_were(graded_class, monkeypatch, tmp_path):
    monkeypatch.setattr("autograde_tests.oracle.FOLDER", tmp_path)
    assert status(graded_class)["outdated"] is None
    # The command asks for the answers that the course's own seed needs.
    assert "`python -m autograde_tests --seed 2026` does that." in " ".join(
        convblocks(graded_class, "status").output.split()
    )


def give_feedback(course, *secret) -> list:
    """Pages, of no content, of all that was graded; the first come with these secrets. Whose they are."""
    done = sorted(path.parts[-3] for path in course.glob("autograded/*/1-padding/padding.ipynb"))
    for number, student in enumerate(done):
        folder = course / "feedback" / student / "1-padding"
        folder.mkdir(parents=True)
        (folder / "padding.html").write_text(f"the page of {student}")
        (folder / "timestamp.txt").write_text("2026-11-20 10:00:00 UTC")
        if number < len(secret):
            (folder / "submission_secret.txt").write_text(secret[number])
    return done


def test_who_came_without_the_exchange_keeps_nobody_from_feedback(graded_course):
    # The second has an empty one, by which anybody could find the page.
    done = give_feedback(graded_course, "a" * 12, "", "c" * 12)
    apart = [done[1], *done[3:]]
    before = status(graded_course)
    assert (before["pages"], before["apart"], before["out"]) == (len(done), len(apart), 0)
    assert list(next(which for what, which in problems(before).items() if "by hand" in what)) == apart
    assert before["steps"][-1] == {
        "why": "feedback of 2 is made, but not given back",
        "command": "nbgrader release_feedback 1-padding",
    }
    code, output = run(graded_course, *NBGRADER, "release_feedback", "1-padding")
    assert code == 0, output
    assert f"give back their pages by hand: {', '.join(apart)}\n" in output
    given = {path.read_text() for path in graded_course.glob("exchange/convblocks/feedback/*.html")}
    assert given == {f"the page of {done[0]}", f"the page of {done[2]}"}
    after = status(graded_course)
    assert after["out"] == 2 and "release_feedback" not in str(after["steps"])
    assert f"2 out, {len(apart)} to give by hand" in " ".join(convblocks(graded_course, "status").output.split())


def test_a_penalty_that_would_be_another_one_now_is_told(graded_course):
    def told():
        return next((which for what, which in problems(status(graded_course)).items() if "late penalty" in what), {})

    assert told() == {}
    config = graded_course / "nbgrader_config.py"
    usual = "# c.LatePolicy.percent_a_day = 0\n"
    config.write_text(config.read_text().replace(usual, "c.LatePolicy.percent_a_day = 25\n"))
    with Gradebook(f"sqlite:///{graded_course}/gradebook.db") as gradebook:
        late = {
            one.student.id: one.score
            for one in gradebook.assignment_submissions("1-padding")
            if one.total_seconds_late and one.score
        }
    assert set(told()) == set(late)
    student, *others = late
    before = told()[student]
    assert before.startswith("0, and now ")
    # As the sentence says.
    assert convblocks(graded_course, "extend", "1-padding", student, "0").exit_code == 0
    assert set(told()) == set(others)
    # What a person gave since is not in it.
    with Gradebook(f"sqlite:///{graded_course}/gradebook.db") as gradebook:
        gradebook.find_submission("1-padding", student).notebooks[0].grades[0].manual_score = 100
        gradebook.db.commit()
    assert told()[student].startswith(before.removeprefix("0, and now ") + ", and now ")
    config.write_text(config.read_text().replace("percent_a_day = 25", "percent_a_day = -25"))
    result = convblocks(graded_course, "status")
    assert result.exit_code == 2 and "nbgrader_config.py cannot be used" in result.stderr
