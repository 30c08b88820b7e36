"""Every command as a script sees it: an exit code to go by, and JSON alone on standard output."""

import io
import json
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, convblocks, nbgrader
from nbgrader.api import Gradebook
from rich.console import Console

import autograde_tests
from autograde_tests.checking import load_checks
from grading import cli
from grading.cli import app
from grading.submission import Job, Ran

# A command, and how it is told to speak to a program where it can be.
COMMANDS = {
    "grade": ("1-padding", "--json"),
    "regrade": ("1-padding", "--json"),
    "roster": ("class.csv", "--json"),
    "extend": ("1-padding", "ada", "24"),
    "status": ("--json",),
    "report": (),
    "similar": ("1-padding", "--json"),
}


def test_every_command_is_here():
    # An exercise needs no course.
    assert {one.callback.__name__ for one in app.registered_commands} == {*COMMANDS, "new"}
    assert "exits with 0 where all was done" in " ".join(convblocks(ROOT, "--help").stdout.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_course_nothing_is_done_and_no_program_is_told_anything(tmp_path, command):
    result = convblocks(tmp_path, command, *COMMANDS[command])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no nbgrader_config.py here" in result.stderr and "unprotected" not in result.stderr


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("SubmissionExporter.counts = 'Best'", "expected any of ['last', 'best'], not the str 'Best'"),
        ("LatePolicy.percent_a_day = -10", "should not be less than 0"),
        ("Execute.timeout = 'long'", "expected an int"),
        # nbgrader itself would say it in a line of its log, and exit with 1.
        ("CourseDirectory.root = 5", "expected a unicode string"),
        ("LatePolicy.percent_per_day = 10", "perhaps percent_a_day is meant"),
        ("LatePolicies.percent_a_day = 10", "perhaps c.LatePolicy is meant"),
    ],
)
@pytest.mark.parametrize("command", ["grade", "extend", "status"])
def test_a_wrong_value_in_the_configuration_is_named_before_anything_is_done(tmp_path, command, line, said):
    config = (ROOT / "nbgrader_config.py").read_text()
    (tmp_path / "nbgrader_config.py").write_text(f"{config}\nc.{line}\n")
    shutil.copytree(ROOT / "solutions" / "1-padding", tmp_path / "submitted" / "ada" / "1-padding")
    result = convblocks(tmp_path, command, *COMMANDS[command])
    assert (result.exit_code, result.stdout) == (2, "")
    (sentence,) = result.stderr.splitlines()
    assert "nbgrader_config.py cannot be used" in sentence and said in sentence
    assert all(name in sentence for name in line.partition(" ")[0].split("."))
    assert not (tmp_path / "autograded").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_seed_that_is_no_number_is_named_before_anything_is_done(tmp_path, command):
    config = (ROOT / "nbgrader_config.py").read_text()
    assert "str(2026)" in config
    (tmp_path / "nbgrader_config.py").write_text(config.replace("str(2026)", '"autumn"'))
    shutil.copytree(ROOT / "solutions" / "1-padding", tmp_path / "submitted" / "ada" / "1-padding")
    result = convblocks(tmp_path, command, *COMMANDS[command])
    assert (result.exit_code, result.stdout) == (2, "")
    (sentence,) = result.stderr.splitlines()
    assert "the course's seed has to be a whole number, not 'autumn'" in sentence


@pytest.mark.parametrize(
    "command",
    [
        ("roster", "none.csv"),
        ("extend", "9-none", "ada", "1"),
        ("similar", "9-none"),
        ("report", "9-none"),
        # Not a folder of that name.
        ("report", "--to=class.pdf"),
    ],
)
def test_what_is_not_there_is_wrong_use(tmp_path, command):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    result = convblocks(tmp_path, *command)
    assert (result.exit_code, result.stdout) == (2, "") and len(result.stderr.splitlines()) == 1, result.output
    assert not (tmp_path / "class.pdf").exists()


@pytest.mark.parametrize("command", ["grade", "regrade"])
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("1-pad",), "There is no 1-pad in submitted/; perhaps 1-padding is meant."),
        (("9-none",), "There is no 9-none in submitted/, only 1-padding."),
        (("1-padding", "--student=adda"), "There is no 1-padding of adda in submitted/; perhaps ada is meant."),
        (("1-padding", "--student=nobody"), "There is no 1-padding of nobody in submitted/, only ada, cem."),
    ],
)
def test_what_nobody_has_handed_in_is_wrong_use_and_what_there_is_is_named(tmp_path, command, asked, said):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    for student in ("ada", "cem"):
        (tmp_path / "submitted" / student / "1-padding").mkdir(parents=True)
    result = convblocks(tmp_path, command, *asked, "--json")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"Nothing was graded. {said}\n"


@pytest.mark.parametrize(
    "command",
    [
        ("grade", "1-padding"),
        ("regrade", "1-padding"),
        ("regrade", "1-padding", "--apply"),
        ("roster", "class.csv"),
        ("extend", "1-padding", "ada", "1"),
        ("status",),
        ("report",),
    ],
)
def test_a_gradebook_that_cannot_be_used_is_said_in_words_and_in_the_exit_code(tmp_path, command):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(ROOT / "solutions" / "1-padding", tmp_path / "submitted" / "ada" / "1-padding")
    (tmp_path / "class.csv").write_text("id\nada\n")
    (tmp_path / "gradebook.db").write_text("no database")
    result = convblocks(tmp_path, *command)
    code = 2 if command[0] in ("status", "report") else 1
    assert result.exit_code == code and "(file is not a database)" in result.stderr, result.output
    said = " ".join(result.stderr.split())
    assert "Put back a copy of gradebook.db" in said and "submitted/ and autograded/." in said
    # Nothing is known of what would have been scored.
    assert "no check has changed" not in result.output


@pytest.mark.parametrize(
    "db_url, said",
    [
        ("postgresql+psycopg://ada@127.0.0.1:1/course", "Connection refused"),
        ("gradebook.db", "nbgrader_config.py cannot"),
    ],
)
def test_a_gradebook_that_is_not_there_is_said_without_a_traceback(tmp_path, db_url, said):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    with (tmp_path / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.CourseDirectory.db_url = {db_url!r}\n")
    shutil.copytree(ROOT / "solutions" / "1-padding", tmp_path / "submitted" / "ada" / "1-padding")
    for command in ("grade", "regrade"):
        result = convblocks(tmp_path, command, "1-padding")
        assert result.exit_code in (1, 2) and said in result.stderr and "Traceback" not in result.stderr, result.stderr


@pytest.mark.parametrize("gradebook", [False, True])
def test_what_the_gradebook_does_not_know_is_said_with_the_command_that_puts_it_there(tmp_path, gradebook):
    # As in a fresh checkout, which has release/ already.
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    for room in ("source", "release"):
        shutil.copytree(ROOT / room / "1-padding", tmp_path / room / "1-padding")
    shutil.copytree(ROOT / "solutions" / "1-padding", tmp_path / "submitted" / "ada" / "1-padding")
    if gradebook:
        with Gradebook(f"sqlite:///{tmp_path}/gradebook.db") as other:
            other.add_student("ada")
    generate = "nbgrader generate_assignment 1-padding --force"
    for command in ("grade", "regrade"):
        result = convblocks(tmp_path, command, "1-padding")
        assert result.exit_code == 2 and f"1-padding is not in the gradebook: `{generate}`" in result.stderr
    (found,) = json.loads(convblocks(tmp_path, "status", "--json").stdout)["assignments"]
    assert not found["generated"] and found["steps"][0]["command"] == generate
    nbgrader(tmp_path, *generate.split()[1:])
    (found,) = json.loads(convblocks(tmp_path, "status", "--json").stdout)["assignments"]
    assert found["generated"] and found["steps"][0]["command"] == "convblocks grade 1-padding"


def test_an_assignment_is_also_known_by_its_folder_as_shells_complete_it(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    for command in ("grade", "regrade"):
        assert "There is no 1-pad in submitted/" in convblocks(tmp_path, command, "1-pad/").stderr
    assert "there is no assignment '9-none' here" in " ".join(convblocks(tmp_path, "report", "9-none/").stderr.split())


BROKEN = ["def pad2d(:", "import numpy\n\nraise ValueError('why')", "import nonsense", "raise SyntaxError('why')"]


@pytest.mark.parametrize("written", BROKEN)
@pytest.mark.parametrize("command", ["grade", "status", "report"])
def test_checks_that_cannot_be_imported_are_named_with_the_line(tmp_path, monkeypatch, request, command, written):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    shutil.copytree(ROOT / "solutions" / "1-padding", tmp_path / "submitted" / "ada" / "1-padding")
    (tmp_path / "source" / "9-broken-check").mkdir(parents=True)
    (tmp_path / "autograde_tests").mkdir()
    (tmp_path / "autograde_tests" / "broken_check.py").write_text(written)
    load_checks.cache_clear()
    request.addfinalizer(load_checks.cache_clear)
    monkeypatch.setattr("autograde_tests.checking.ROOT", tmp_path)
    monkeypatch.setattr("autograde_tests.__path__", [*autograde_tests.__path__, str(tmp_path / "autograde_tests")])
    result = convblocks(tmp_path, command, *["1-padding"] * (command == "grade"))
    assert (result.exit_code, result.stdout) == (2, "")
    line = len(written.split("\n"))
    assert f": autograde_tests/broken_check.py, line {line}: " in " ".join(result.stderr.split())
    assert "Error" in result.stderr and "Traceback" not in result.stderr


def test_that_keras_is_asked_first_is_said(course, monkeypatch, tmp_path):
    shutil.copytree(ROOT / "solutions" / "1-padding", course / "submitted" / "a'b" / "1-padding")
    said = "Keras is asked for its answers first"
    subprocess.run([sys.executable, "-m", "autograde_tests", "--seed", "2026"], cwd=ROOT, check=True)
    assert said not in convblocks(course, "grade", "1-padding").stderr
    monkeypatch.setattr("autograde_tests.oracle.FOLDER", tmp_path)
    assert said in convblocks(course, "grade", "1-padding").stderr


def test_an_extension_makes_no_gradebook(tmp_path):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    result = convblocks(tmp_path, "extend", "1-padding", "ada", "3")
    assert (result.exit_code, result.stdout) == (2, "") and "nbgrader generate_assignment" in result.stderr
    assert not (tmp_path / "gradebook.db").exists()


def test_what_could_not_be_graded_is_told_to_programs(course):
    (course / "submitted" / "a'b" / "1-padding").mkdir(parents=True)
    for command in ("grade", "regrade"):
        result = convblocks(course, command, "1-padding", "2-conv-forward", "--json")
        assert result.exit_code == 1
        said = json.loads(result.stdout)
        assert (said["graded"], said["skipped"], said["kept"]) == (0, 0, [])
        assert [(one["student"], one["assignment"]) for one in said["failed"]] == [
            ("a'b", "1-padding"),
            (None, "2-conv-forward"),
        ]
        assert "Rename the folder" in said["failed"][0]["reason"]


def test_the_progress_bar_tells_the_rate_since_the_beginning_and_all_failures(monkeypatch):
    shown, now = io.StringIO(), 100.0
    monkeypatch.setattr(cli.time, "monotonic", lambda: now)
    job = Job("", "1-padding", "ada", (), "", "")
    with cli._progress(Console(file=shown, width=120)) as (begin, tell, _):
        begin(3, 1)
        # Two workers end theirs at nearly the same time.
        now = 140.0
        tell(Ran(job))
        tell(Ran(job, ["it could not be stored"], failed=True))
    assert "ada: it could not be stored" in shown.getvalue()
    assert "2/3" in shown.getvalue() and "3 a minute, 0:00:20 left, 2 failed" in shown.getvalue()


def test_a_cluster_without_dask_is_said_with_what_to_type(tmp_path, monkeypatch):
    shutil.copy(ROOT / "nbgrader_config.py", tmp_path)
    for room in ("source", "release"):
        shutil.copytree(ROOT / room / "1-padding", tmp_path / room / "1-padding")
    shutil.copytree(ROOT / "solutions" / "1-padding", tmp_path / "submitted" / "ada" / "1-padding")
    nbgrader(tmp_path, "generate_assignment", "1-padding", "--force")
    # As where it is not installed.
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = convblocks(tmp_path, "grade", "1-padding", "--scheduler=tcp://127.0.0.1:1")
    assert result.exit_code == 2 and "pip install" in result.stderr and "Traceback" not in result.stderr, result.stderr
