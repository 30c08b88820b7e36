"""`convblocks grade`: the same results however many work at it, whoever is lost on the way, whatever the database."""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import logging
import os
import pty
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
import pytest
from conftest import (
    CONVBLOCKS,
    NBGRADER,
    ROOT,
    background,
    convblocks,
    fill,
    nbgrader,
    processes_named,
    run,
    until,
)
from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from nbgrader.converters import NbGraderException
from sqlalchemy import create_engine, text

from benchmarks import free_port, many_submissions
from benchmarks.postgresql import Missing, serve
from grading import pool, submission, workers
from grading.gradebook import turn
from grading.reading import DIGESTS

CLASS = {
    "ada": {},
    "bob": {
        "pad2d": "def pad2d(images, kernel_size, strides=(1, 1), padding='same'):\n    return images\n\n"
        # Python orders it in a way of each process' own.
        "print(set('pool conv same valid dense flatten'.split()))\n"
        # These lie elsewhere in each process.
        "import matplotlib.pyplot as plt\nprint(object(), [pad2d])\nplt.plot([1, 2])"
    },
    # Without keeping a processor from other tests.
    "cem": {"padding_amounts": "import time\nwhile True:\n" + 8 * "    time.sleep(0.01)\n"},
    "dee": None,
    "eva": {"output_size": "quit()"},
    "fay": {"pad2d": ""},
}
"""What students have written in place of the solution; None for a file that is none."""

DESERVED = {"ada": 12, "bob": 8.67, "cem": 8, "dee": 0, "eva": 8, "fay": 8}
PATIENCE = "c.Execute.timeout = 4\n"


@pytest.fixture
def handed_in(course):
    """The course with the class' submissions, some with files beside the notebook."""
    config = course / "nbgrader_config.py"
    config.write_text(config.read_text().replace("# c.Execute.timeout = 20\n", PATIENCE))
    assert PATIENCE in config.read_text()
    for student, functions in CLASS.items():
        folder = course / "submitted" / student / "1-padding"
        shutil.copytree(ROOT / "solutions" / "1-padding", folder)
        if functions is None:
            (folder / "padding.ipynb").write_text("my homework")
        else:
            fill(folder / "padding.ipynb", **functions)
        (folder / "timestamp.txt").write_text("2026-11-20 10:00:00 UTC")
    (course / "submitted" / "ada" / "1-padding" / "data.csv").write_text("1,2\n")
    (course / "submitted" / "bob" / "1-padding" / "secret").symlink_to("/etc/passwd")
    return course


def grade(course, *options, **environment):
    """`convblocks grade 1-padding`; its exit code and output."""
    return run(course, *CONVBLOCKS, "grade", "1-padding", *options, **environment)


def stored(course, url="", assignment="1-padding"):
    """All that grading has left: files by name, with their content and mode, and rows of the gradebook."""
    files = {
        str(path.relative_to(course)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode)
        for path in sorted((course / "autograded").rglob("*"))
        if path.is_file()
    }
    rows = []
    with Gradebook(url or f"sqlite:///{course}/gradebook.db") as gradebook:
        for submission in gradebook.assignment_submissions(assignment):
            for notebook in submission.notebooks:
                who = submission.student.id, notebook.name, str(submission.timestamp), notebook.late_submission_penalty
                rows += [(*who, one.name, one.auto_score, one.needs_manual_grade) for one in notebook.grades]
                rows += [(*who, one.name, one.auto_comment) for one in notebook.comments]
    return files, sorted(rows, key=str)


def scores(course, url=""):
    """Points of every student."""
    with Gradebook(url or f"sqlite:///{course}/gradebook.db") as gradebook:
        return {one.student.id: round(one.score, 2) for one in gradebook.assignment_submissions("1-padding")}


@contextlib.contextmanager
def dask(course, workers=1, code=ROOT):
    """A real Dask cluster of that many processes that import the course from a folder; the scheduler's address."""
    address = f"tcp://127.0.0.1:{free_port()}"
    environment = os.environ | {"PYTHONPATH": str(code)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": course}
    scheduler = ["-m", "distributed.cli.dask_scheduler", "--host", address, "--no-dashboard"]
    worker = ["-m", "distributed.cli.dask_worker", address, "--nthreads=2", "--no-nanny", "--no-dashboard"]
    started = [subprocess.Popen([sys.executable, *one], **quiet) for one in (scheduler, *[worker] * workers)]
    try:
        yield address
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_results_are_the_same_however_they_are_made(handed_in, tmp_path):
    courses = {
        way: Path(shutil.copytree(handed_in, tmp_path / way, symlinks=True)) for way in ("plain", "1", "2", "dask")
    }
    nbgrader(courses["plain"], "autograde", "1-padding")
    for count in ("1", "2"):
        code, output = grade(courses[count], f"--workers={count}")
        assert code == 0, output
        assert "6 submissions graded." in output
        assert re.search(r"cem, 1-padding, padding: code cell \d+ did not end within 4 s and was stopped", output)
    with dask(courses["dask"], workers=2) as address:
        code, output = grade(courses["dask"], f"--scheduler={address}")
        assert code == 0, output
    files, rows = stored(courses["plain"])
    assert len(files) == 6 + 6 + 1 and len(rows) == 6 * 6
    for way in ("1", "2", "dask"):
        assert stored(courses[way]) == (files, rows), way
    assert scores(courses["2"]) == DESERVED


def test_an_assignment_may_have_a_name_that_would_be_a_pattern(course):
    name = "week 1 (padding)"
    shutil.copytree(course / "source" / "1-padding", course / "source" / name)
    nbgrader(course, "generate_assignment", name)
    shutil.copytree(ROOT / "solutions" / "1-padding", course / "submitted" / "lock" / name)
    code, output = run(course, *CONVBLOCKS, "grade", name, "--student=lock")
    assert code == 0, output
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        assert gradebook.find_submission(name, "lock").score == 12


def test_several_assignments_at_once_are_graded_as_each_alone(tmp_path):
    # What is wrong in them is explained, and the last one has files beside its notebooks.
    assignments = many_submissions.ASSIGNMENTS[1:]
    many_submissions.prepare(tmp_path / "plain", "", 2, assignments)
    for way in ("at once", "dask"):
        shutil.copytree(tmp_path / "plain", tmp_path / way)
    for assignment in assignments:
        nbgrader(tmp_path / "plain", "autograde", assignment)
    with dask(tmp_path / "dask") as address:
        for way, how in (("at once", "--workers=2"), ("dask", f"--scheduler={address}")):
            code, output = run(tmp_path / way, *CONVBLOCKS, "grade", *assignments, how)
            assert code == 0, output
    for assignment in assignments:
        files, rows = stored(tmp_path / "plain", assignment=assignment)
        assert files and rows
        for way in ("at once", "dask"):
            assert stored(tmp_path / way, assignment=assignment) == (files, rows), way


def test_a_run_on_a_cluster_that_is_stopped_leaves_nothing_and_is_finished_by_the_next(handed_in):
    with dask(handed_in) as address:
        with _grading(handed_in, f"--scheduler={address}") as process:
            until(lambda: list(handed_in.glob("autograded/*/1-padding/padding.ipynb")))
            process.send_signal(signal.SIGINT)
            said = process.stderr.read()
            assert process.wait() == 130, said
            assert "the same command again goes on from there" in said
        until(lambda: not list(handed_in.glob(".grading-*")))
        code, output = grade(handed_in, f"--scheduler={address}")
        assert code == 0, output
    assert scores(handed_in) == DESERVED


def test_a_cluster_that_is_lost_or_not_there_is_named(handed_in):
    # The last one would need certificates.
    for address in ("nonsense", "tls://127.0.0.1:8786"):
        code, output = grade(handed_in, f"--scheduler={address}")
        assert code == 2 and f"There is no Dask scheduler at '{address}'" in output, output
    with dask(handed_in, workers=0) as address, _grading(handed_in, f"--scheduler={address}") as process:
        said = process.stderr.readline()
        while "has no worker" not in said:
            assert process.poll() is None, said
            said += process.stderr.readline()
    with dask(handed_in) as address, _grading(handed_in, f"--scheduler={address}") as process:
        until(lambda: list(handed_in.glob("autograded/*/1-padding/padding.ipynb")))
        for one in psutil.process_iter(["cmdline"]):
            if "distributed.cli.dask_scheduler" in str(one.info) and address in str(one.info):
                one.kill()
        said = " ".join(process.stderr.read().split())
        assert re.search(r"\d submissions? graded.* The Dask cluster was lost\. What was graded is stored", said), said
        assert process.wait() == 1
    assert grade(handed_in)[0] == 0
    assert scores(handed_in) == DESERVED


def test_a_server_that_is_no_scheduler_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(workers, "CONNECTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        for port in (mute.getsockname()[1], free_port()):
            address = f"tcp://127.0.0.1:{port}"
            with pytest.raises(workers.NoCluster, match="no answer within 1 seconds"), workers.cluster(address):
                pass


def test_a_cluster_is_as_large_as_its_workers_are_many(course):
    with dask(course, workers=3) as address, workers.cluster(address) as (_, width):
        until(lambda: width() == 3)


def test_what_is_wrong_is_said_and_what_is_graded_is_left(handed_in):
    code, output = grade(handed_in)
    assert code == 0
    assert "dee, 1-padding: padding.ipynb is not a notebook" in output
    assert "bob, 1-padding: 'secret' is a link to somewhere else. It was left out." in output
    before = stored(handed_in)
    code, output = grade(handed_in)
    assert code == 0
    assert "0 submissions graded, 6 left as they were" in output
    assert stored(handed_in) == before
    assert not list(handed_in.glob(".grading-*"))


def test_an_assignment_that_nobody_has_handed_in_does_not_keep_the_others_back(handed_in):
    some = "--student=ada", "--student=bo*", "--student=b*"
    code, output = run(handed_in, *CONVBLOCKS, "grade", "6-shapes-classifier", "1-padding", *some)
    assert code == 1
    assert "6-shapes-classifier: There is no 6-shapes-classifier in submitted/, only 1-padding." in output
    assert "once more" not in output
    assert "2 submissions graded." in output
    assert scores(handed_in) == {"ada": 12, "bob": DESERVED["bob"]}
    code, output = run(handed_in, *CONVBLOCKS, "grade", "1-padding", *some)
    assert code == 0 and "0 submissions graded, 2 left as they were" in output


def test_who_may_not_store_in_a_course_is_told_so(handed_in):
    (handed_in / ".grading.lock").mkdir()
    for command in ((*CONVBLOCKS, "grade"), (*NBGRADER, "autograde")):
        code, output = run(handed_in, *command, "1-padding")
        assert code == 1 and "umask 002" in output
    assert not (handed_in / "autograded").exists()


def _workers(process):
    """Processes of the pool that have a sandbox; they are children of the fork server."""
    found = []
    for server in psutil.Process(process.pid).children():
        # Any of them may end meanwhile.
        with contextlib.suppress(psutil.Error):
            for worker in server.children():
                if any(one.name() == "bwrap" for one in worker.children(recursive=True)):
                    found.append(worker)
    return found


def _grading(course, *options):
    return background(course, *CONVBLOCKS, "grade", "1-padding", *(options or ["--workers=2"]))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_is_finished_by_the_next(handed_in, end):
    with _grading(handed_in) as process:
        until(lambda: len(list(handed_in.glob("autograded/*/1-padding/padding.ipynb"))) >= 2)
        # As a terminal does: to all of them.
        os.killpg(process.pid, end) if end == signal.SIGINT else process.send_signal(end)
        for _ in range(3 if end == signal.SIGINT else 0):
            # Whoever is in a hurry presses it more than once.
            time.sleep(0.03)
            process.send_signal(end)
        said = process.stderr.read()
        assert process.wait() == (130 if end == signal.SIGINT else -end)
        assert ("the same command again goes on from there" in said) == (end == signal.SIGINT)
        assert "Traceback" not in said
        until(lambda: not [one for one in psutil.process_iter(["cmdline"]) if str(handed_in) in str(one.info)])
    assert len(list(handed_in.glob("autograded/*/1-padding/padding.ipynb"))) < 6
    code, output = grade(handed_in)
    assert code == 0, output
    assert scores(handed_in) == DESERVED
    assert not list(handed_in.glob(".grading-*"))


@pytest.mark.parametrize(
    ("limit", "expected"), [("150000 100000", 2), ("50000 100000", 1), ("max 100000", 1 << 20), ("", 1 << 20)]
)
def test_a_container_s_share_of_the_processors_is_how_many_work(tmp_path, monkeypatch, limit, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(1 << 20))
    (tmp_path / "own").write_text("0::/the/pod\n")
    (tmp_path / "the" / "pod").mkdir(parents=True)
    if limit:
        (tmp_path / "the" / "pod" / "cpu.max").write_text(f"{limit}\n")
    assert workers.processors(tmp_path, tmp_path / "own") == expected
    (tmp_path / "the" / "cpu.max").write_text("300000 100000\n")
    assert workers.processors(tmp_path, tmp_path / "own") == min(expected, 3)


@pytest.mark.parametrize("seconds", [0, 1])
def test_stopped_while_it_begins_it_ends_without_a_word_that_only_authors_understand(handed_in, seconds):
    with _grading(handed_in) as process:
        until(lambda: [one for one in psutil.Process(process.pid).children() if "forkserver" in str(one.cmdline())])
        time.sleep(seconds)
        while process.poll() is None:
            # One that comes while processes are started, which are to leave it alone, is lost; and whoever is in a
            # hurry presses it to the very end.
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.02)
        said = process.stderr.read()
        assert process.wait() == 130 and "Traceback" not in said, said


def test_nbgraders_own_autograde_and_another_run_take_turns(handed_in):
    for student in CLASS.keys() - {"ada", "bob"}:
        shutil.rmtree(handed_in / "submitted" / student)
    with contextlib.ExitStack() as held:
        held.enter_context(turn(handed_in, f"sqlite:///{handed_in}/gradebook.db", logging.getLogger()))
        with background(handed_in, *NBGRADER, "autograde", "1-padding") as waiting:
            said = waiting.stderr.readline()
            while "Another run is storing" not in said:
                assert waiting.poll() is None, said
                said = waiting.stderr.readline()
            assert not list(handed_in.glob("autograded/*/*"))
            held.close()
            # Whichever comes first, the other one finds a course that is whole.
            code, output = grade(handed_in, "--force")
            assert code == 0, output
            said = waiting.stderr.read()
            assert waiting.wait() == 0, said
    assert scores(handed_in) == {"ada": DESERVED["ada"], "bob": DESERVED["bob"]}
    assert len(list(handed_in.glob("autograded/*/1-padding/padding.ipynb"))) == 2


def test_more_time_is_given_between_what_others_store(handed_in):
    nbgrader(handed_in, "db", "assignment", "add", "1-padding", "--duedate=2026-11-19 09:00:00 UTC")
    nbgrader(handed_in, "db", "student", "add", "ada")
    with contextlib.ExitStack() as held:
        held.enter_context(turn(handed_in, f"sqlite:///{handed_in}/gradebook.db", logging.getLogger()))
        with background(handed_in, *CONVBLOCKS, "extend", "1-padding", "ada", "48") as waiting:
            assert "Another run is storing" in waiting.stderr.readline()
            held.close()
            said = waiting.stderr.read()
            assert waiting.wait() == 0 and "ada has until 2026-11-21 09:00 UTC" in said, said


def test_a_server_does_not_wait_for_another_run(handed_in):
    async def button() -> None:
        with turn(handed_in, f"sqlite:///{handed_in}/gradebook.db", logging.getLogger()):
            pass

    with (
        turn(handed_in, f"sqlite:///{handed_in}/gradebook.db", logging.getLogger()),
        pytest.raises(NbGraderException, match="Try again"),
    ):
        asyncio.run(button())
    asyncio.run(button())


def test_a_worker_that_is_lost_loses_nothing(handed_in):
    with _grading(handed_in) as process:
        for _ in range(2):
            found = until(lambda: _workers(process))
            found[0].kill()
            # A pool that breaks ends the others too.
            psutil.wait_procs(found, timeout=120)
        said = process.stderr.read()
        assert process.wait() == 0, said
    assert scores(handed_in) == DESERVED
    assert "6 submissions graded." in said


ENDS_ITS_WORKER = """
import os, signal
from grading.execute import Execute
_preprocess = Execute.preprocess
def _deadly(self, nb, resources, km=None):
    if resources["nbgrader"]["student"] == "bob":
        os.kill(os.getpid(), signal.SIGKILL)
    return _preprocess(self, nb, resources, km)
Execute.preprocess = _deadly
"""


def test_a_submission_that_costs_its_worker_each_time_costs_no_other_its_score(handed_in):
    with (handed_in / "nbgrader_config.py").open("a") as config:
        config.write(ENDS_ITS_WORKER)
    code, output = grade(handed_in, "--workers=2")
    assert code == 1 and "5 submissions graded." in output, output
    assert "bob, 1-padding: its worker was lost 3 times" in output
    assert scores(handed_in) == {who: points for who, points in DESERVED.items() if who != "bob"}


class KilledWorker(Exception):
    """As Dask's is called."""


def test_what_a_cluster_gives_up_is_tried_once_more_with_nothing_beside_it(monkeypatch):
    under_way, beside = set(), {}

    def run_slowly(job):
        under_way.add(job.student)
        times = len(beside.setdefault(job.student, []))
        beside[job.student].append(under_way - {job.student})
        # Longer than it is waited for without a word.
        time.sleep(0.3)
        beside[job.student][-1] |= under_way - {job.student}
        under_way.discard(job.student)
        if job.student == "bob" or (job.student == "ada" and not times):
            raise KilledWorker
        return submission.Ran(job)

    monkeypatch.setattr(pool, "WITHOUT_A_WORD", 0.05)
    monkeypatch.setattr(pool, "run", run_slowly)
    jobs = {submission.Job("", "1-padding", student, (), "", ""): (student,) for student in ("ada", "bob", *"cdefgh")}
    ended = {}

    @contextlib.contextmanager
    def threads():
        with ThreadPoolExecutor(4) as executor:
            yield executor, lambda: 2

    pool._run_all(jobs, threads, lambda ran, student: ended.update({student: ran}))
    assert ended.keys() == {"ada", "bob", *"cdefgh"}
    assert [student for student, ran in ended.items() if ran.failed] == ["bob"]
    assert "nothing else running beside it" in ended["bob"].reason
    assert len(beside["ada"]) == len(beside["bob"]) == 2
    assert beside["ada"][1] == beside["bob"][1] == set() and beside["bob"][0]


def test_a_worker_of_a_cluster_that_is_lost_loses_nothing(handed_in):
    with dask(handed_in, workers=2) as address, _grading(handed_in, f"--scheduler={address}") as process:
        until(lambda: list(handed_in.glob("autograded/*/1-padding/padding.ipynb")))
        said = psutil.process_iter(["cmdline"])
        next(one for one in said if {"distributed.cli.dask_worker", address} <= {*(one.info["cmdline"] or ())}).kill()
        said = process.stderr.read()
        assert process.wait() == 0, said
    assert scores(handed_in) == DESERVED
    assert "6 submissions graded." in said


KEEPS_TO_ITSELF = """
import os, socket, time
begin, secret = time.time(), "known to nobody else"
for place in ("/tmp", "/dev/shm", "."):
    with open(f"{place}/mark", "w") as file:
        print(secret, file=file)
listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listening.bind("\\0mark")
time.sleep(8)
print("ran", begin, time.time())
"""

LOOKS_AROUND = """
import glob, os, signal, socket, time
begin, found = time.time(), set()
while time.time() < begin + 8:
    for seen in ("/tmp/*", "/dev/shm/*", "/proc/[0-9]*/cwd/mark", "/proc/[0-9]*/root/tmp/mark", "/proc/[0-9]*/environ"):
        for path in glob.glob(seen):
            try:
                with open(path) as file:
                    found.add(file.read())
            except OSError:
                pass
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect("\\0mark")
            found.add("it answers")
        except OSError:
            pass
    for process in range(os.getpid() + 1, 40_000):
        try:
            os.kill(process, signal.SIGKILL)
            found.add(f"killed {process}")
        except OSError:
            pass
print("ran", begin, time.time(), sorted(found))
"""


def test_two_that_run_at_once_from_one_parent_do_not_reach_each_other(course):
    said = {}
    for student, source in (("ada", KEEPS_TO_ITSELF), ("mal", LOOKS_AROUND)):
        folder = course / "submitted" / student / "1-padding"
        shutil.copytree(ROOT / "solutions" / "1-padding", folder)
        notebook = nbformat.read(folder / "padding.ipynb", as_version=4)
        notebook.cells.append(new_code_cell(source, id="own"))
        nbformat.write(notebook, folder / "padding.ipynb")
    with (course / "nbgrader_config.py").open("a") as config:
        # Who looks around does so for longer than a loop that never ends could.
        config.write("c.Execute.processor_seconds = 0\n")
    code, output = grade(course, "--workers=2")
    assert code == 0, output
    assert scores(course) == {"ada": 12, "mal": 12}
    for student in ("ada", "mal"):
        cells = nbformat.read(course / "autograded" / student / "1-padding" / "padding.ipynb", as_version=4).cells
        (own,) = [one for one in cells if one.id == "own"]
        # The first word is sent at once, since nothing was for long.
        said[student] = "".join(one.text for one in own.outputs)
    times = [[float(number) for number in one.split()[1:3]] for one in said.values()]
    assert max(begin for begin, _ in times) < min(end for _, end in times), "they did not run at once"
    assert not [one for one in ("known to nobody else", "it answers", "killed") if one in said["mal"]]


def test_two_who_grade_at_once_neither_lose_nor_double_anything(handed_in, tmp_path):
    alone = shutil.copytree(handed_in, tmp_path / "alone", symlinks=True)
    assert grade(alone)[0] == 0
    with _grading(handed_in) as one, _grading(handed_in) as other:
        outputs = [one.stderr.read(), other.stderr.read()]
        assert (one.wait(), other.wait()) == (0, 0), outputs
    assert stored(handed_in) == stored(alone)
    assert sum(int(re.search(r"(\d+) submissions? graded", said)[1]) for said in outputs) == 6, outputs


@pytest.mark.parametrize("options", [(), ("--force",)])
def test_what_was_handed_in_since_is_not_replaced_by_what_was_graded_before(handed_in, options):
    attempt = handed_in / "submitted" / "cem" / "1-padding"
    notebook = nbformat.read(attempt / "padding.ipynb", as_version=4)
    notebook.cells += [new_code_cell("import time\ntime.sleep(3)", id=f"sleep-{place}") for place in range(8)]
    nbformat.write(notebook, attempt / "padding.ipynb")
    with _grading(handed_in, "--student=cem", *options) as first:
        # By then all has been read.
        until(lambda: processes_named("kernel", started_by=first.pid))
        shutil.copy(ROOT / "solutions" / "1-padding" / "padding.ipynb", attempt)
        (attempt / "timestamp.txt").write_text("2026-11-21 10:00:00 UTC")
        assert "1 submission graded." in grade(handed_in, "--student=cem")[1]
        assert first.poll() is None
        said = first.stderr.read()
        assert first.wait() == 0 and "0 submissions graded, 1 left as they were" in said
    assert scores(handed_in) == {"cem": 12}


def test_a_gradebook_gets_the_indexes_that_keep_it_fast(handed_in):
    def indexes() -> set:
        found = db.execute("select name from sqlite_master where type = 'index' and name like 'ix_%'")
        return {name for (name,) in found}

    with contextlib.closing(sqlite3.connect(handed_in / "gradebook.db")) as db:
        wanted = indexes()
        assert len(wanted) == 3
        # As one that nbgrader alone has made.
        for name in wanted:
            db.execute(f"drop index {name}")
        db.commit()
        assert grade(handed_in, "--student=ada")[0] == 0
        assert indexes() == wanted
        # What nbgrader asks of one submission looks at no other.
        for table, column in (
            ("grade", "notebook_id"),
            ("comment", "notebook_id"),
            ("submitted_notebook", "assignment_id"),
        ):
            plan = db.execute(f"explain query plan select * from {table} where {column} = ''").fetchall()
            assert "USING INDEX" in str(plan)


@pytest.fixture(scope="module")
def postgresql():
    """The real server; the address of a database."""
    with contextlib.ExitStack() as stack:
        try:
            yield stack.enter_context(serve(durable=False))
        except Missing as missing:
            pytest.skip(str(missing))


def test_a_gradebook_in_postgresql_holds_the_same(handed_in, postgresql, tmp_path):
    sqlite = shutil.copytree(handed_in, tmp_path / "sqlite", symlinks=True)
    assert grade(sqlite)[0] == 0
    config = handed_in / "nbgrader_config.py"
    config.write_text(config.read_text() + f"\nc.CourseDirectory.db_url = {postgresql!r}\n")
    nbgrader(handed_in, "generate_assignment", "1-padding", "--force")
    with _grading(handed_in) as one, _grading(handed_in) as other:
        outputs = [one.stderr.read(), other.stderr.read()]
        assert (one.wait(), other.wait()) == (0, 0), outputs
    files, rows = stored(handed_in, postgresql)
    assert (files, rows) == stored(sqlite)
    assert scores(handed_in, postgresql) == DESERVED
    for course in (handed_in, sqlite):
        config = course / "nbgrader_config.py"
        config.write_text(config.read_text() + CHANGED)
        code, output = run(course, *CONVBLOCKS, "regrade", "1-padding", "--apply")
        assert code == 0 and "6 scores reckoned again (pad2d): 1 gain, 0 lose, 5 stay." in output, output
    assert stored(handed_in, postgresql) == stored(sqlite) != (files, rows)


# Between looking whether there is one and making one, others do the same.
HESITATES = """
import time
from nbgrader.api import Gradebook
_add = Gradebook.add_submission
Gradebook.add_submission = lambda *a, **k: (time.sleep(0.3), _add(*a, **k))[1]
"""


def test_two_whose_folders_share_a_gradebook_neither_lose_nor_double_anything(handed_in, postgresql, tmp_path):
    with create_engine(postgresql, isolation_level="AUTOCOMMIT").connect() as server:
        # In that of another test there are these submissions already.
        server.execute(text("create database shared"))
    postgresql = postgresql.replace("/postgres", "/shared")
    with (handed_in / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.CourseDirectory.db_url = {postgresql!r}\n{HESITATES}")
    nbgrader(handed_in, "generate_assignment", "1-padding", "--force")
    for student in DESERVED.keys() - {"ada", "bob"}:
        shutil.rmtree(handed_in / "submitted" / student)
    folders = [handed_in, *(shutil.copytree(handed_in, tmp_path / name, symlinks=True) for name in ("two", "three"))]
    with contextlib.ExitStack() as stack:
        commands = [stack.enter_context(_grading(folder, "--workers=1")) for folder in folders]
        said = [one.stderr.read() for one in commands]
        assert [one.wait() for one in commands] == [0] * 3, said
    first, *others = (stored(folder, postgresql) for folder in folders)
    assert others == [first] * 2
    assert scores(handed_in, postgresql) == {who: DESERVED[who] for who in ("ada", "bob")}


# "valid adds nothing" is worth more than before: bob, who returns the input as it is, has that one.
CHANGED = """
from dataclasses import replace
from autograde_tests.checking import load_checks
_was = load_checks()["pad2d"]
load_checks()["pad2d"] = replace(_was, make_cases=lambda rng, make=_was.make_cases: [
    replace(one, weight=9.0) if one.name.startswith('"valid"') else one for one in make(rng)])
"""


def test_after_a_check_has_changed_its_cells_alone_are_scored_again(handed_in):
    def regrade(*options):
        return run(handed_in, *CONVBLOCKS, "regrade", "1-padding", *options)

    # It never ends, which takes its time.
    shutil.rmtree(handed_in / "submitted" / "cem")
    assert grade(handed_in)[0] == 0
    with Gradebook(f"sqlite:///{handed_in}/gradebook.db") as gradebook:
        by_hand = gradebook.find_grade("check_output_size", "padding", "1-padding", "bob")
        by_hand.manual_score = 3
        gradebook.db.commit()
    files, rows = stored(handed_in)
    code, output = regrade("--apply")
    assert code == 0 and "no check has changed" in output
    config = handed_in / "nbgrader_config.py"
    config.write_text(config.read_text() + CHANGED)
    code, output = regrade()
    assert code == 0, output
    assert "5 scores reckoned again (pad2d): 1 gain, 0 lose, 4 stay." in output
    assert [line for line in output.splitlines() if "bob" in line and "pad2d" in line]
    assert stored(handed_in) == (files, rows)
    code, output = regrade("--apply")
    assert code == 0, output
    assert "5 submissions stored." in output
    now = {row[:5]: row[5:] for row in stored(handed_in)[1]}
    was = {row[:5]: row[5:] for row in rows}
    different = [row for row in was if was[row] != now[row]]
    assert [(row[0], row[4]) for row in different] == [("bob", "check_pad2d")]
    assert now[different[0]] > was[different[0]]
    with Gradebook(f"sqlite:///{handed_in}/gradebook.db") as gradebook:
        by_hand = gradebook.find_grade("check_output_size", "padding", "1-padding", "bob")
        assert (by_hand.manual_score, by_hand.needs_manual_grade) == (3, False)
    code, output = regrade("--apply")
    assert "no check has changed" in output


def test_what_a_regrade_shows_is_stored_when_somebody_says_so(handed_in):
    # It never ends, which takes its time.
    shutil.rmtree(handed_in / "submitted" / "cem")
    assert grade(handed_in)[0] == 0
    before = stored(handed_in)
    config = handed_in / "nbgrader_config.py"
    config.write_text(config.read_text() + CHANGED)

    def take_terminal() -> None:
        # Or Ctrl-C would be sent to nobody.
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    answers = (
        (b"n\n", 0, "Nothing was stored"),
        (b"\x03", 130, "0 submissions stored"),
        (b"y\n", 0, "5 submissions stored."),
    )
    for answer, code, said in answers:
        assert stored(handed_in) == before
        ours, theirs = pty.openpty()
        how = {"stdin": theirs, "stderr": theirs, "start_new_session": True, "preexec_fn": take_terminal}
        command = subprocess.Popen([*CONVBLOCKS, "regrade", "1-padding"], cwd=handed_in, **how)
        os.close(theirs)
        shown = b""
        # Linux says so when the other side of a terminal is closed.
        with contextlib.suppress(OSError):
            while more := os.read(ours, 1 << 16):
                shown += more
                if shown.rstrip().endswith(b"[y/N]:"):
                    assert b"1 gain, 0 lose, 4 stay" in shown
                    os.write(ours, answer)
        os.close(ours)
        assert command.wait() == code and said in shown.decode()
    assert stored(handed_in)[1] != before[1]


def test_what_a_regrade_shows_is_what_is_stored(handed_in):
    config = handed_in / "nbgrader_config.py"
    nbgrader(handed_in, "db", "assignment", "add", "1-padding", "--duedate=2026-11-19 09:00:00 UTC")
    # It never ends, which takes its time.
    shutil.rmtree(handed_in / "submitted" / "cem")
    assert grade(handed_in)[0] == 0
    with Gradebook(f"sqlite:///{handed_in}/gradebook.db") as gradebook:
        gradebook.find_grade("check_pad2d", "padding", "1-padding", "ada").manual_score = 2
        gradebook.db.commit()
    shutil.rmtree(handed_in / "submitted" / "fay")
    config.write_text(config.read_text() + CHANGED + "\nc.LatePolicy.percent_a_day = 10\n")
    assert "4 graded before a check was changed" in run(handed_in, *CONVBLOCKS, "status", "--json")[1]
    code, output = run(handed_in, *CONVBLOCKS, "regrade", "1-padding", "--apply", "--json")
    assert code == 1 and "fay, 1-padding: what was handed in is no longer in submitted/" in output, output
    told = json.loads(output[output.index("\n{") :])
    shown = {one["student"]: (one["in_all_before"], one["in_all_after"]) for one in told["changes"]}
    with Gradebook(f"sqlite:///{handed_in}/gradebook.db") as gradebook:
        now = {
            one.student.id: one.score - one.late_submission_penalty
            for one in gradebook.assignment_submissions("1-padding")
        }
    assert shown.keys() == now.keys() - {"fay"}
    assert {who: round(after, 2) for who, (_, after) in shown.items()} == {who: round(now[who], 2) for who in shown}
    assert shown["ada"] == (10, 8) and "10 → 8" in output and "today's late penalties" in output
    assert now["fay"] == DESERVED["fay"]
    assert "graded before a check was changed" not in run(handed_in, *CONVBLOCKS, "status", "--json")[1]


def test_who_is_not_in_the_gradebook_keeps_no_regrade_of_others_back(handed_in):
    for student in DESERVED.keys() - {"ada", "bob", "fay"}:
        shutil.rmtree(handed_in / "submitted" / student)
    assert grade(handed_in)[0] == 0
    nbgrader(handed_in, "db", "student", "remove", "ada", "--force")
    config = handed_in / "nbgrader_config.py"
    # Nor who is left out of all that is graded from now on.
    config.write_text(config.read_text() + CHANGED + '\nc.CourseDirectory.student_id_exclude = "fay"\n')
    assert "2 graded before a check was changed" in run(handed_in, *CONVBLOCKS, "status", "--json")[1]
    code, output = run(handed_in, *CONVBLOCKS, "regrade", "1-padding", "--apply")
    assert code == 1 and "1 submission stored." in output, output
    assert "ada, 1-padding: the gradebook has nothing of it" in output and "fay" not in output
    assert scores(handed_in).keys() == {"bob", "fay"}
    assert scores(handed_in)["bob"] > DESERVED["bob"] and scores(handed_in)["fay"] == DESERVED["fay"]


def test_what_was_scored_again_is_of_one_attempt_also_where_no_time_tells(tmp_path):
    def write(folder, **digests):
        (tmp_path / folder).mkdir(parents=True)
        for name, one in digests.items():
            notebook = {"cells": [], "metadata": {DIGESTS: one}, "nbformat": 4, "nbformat_minor": 5}
            (tmp_path / folder / f"{name}.ipynb").write_text(json.dumps(notebook))
        return submission.Ran(submission.Job(str(tmp_path), "", "", (), "", folder, ("x",), f"{tmp_path}/before"))

    write("before", first="a b", second="a")
    assert pool._is_of_what_was_graded(write("same", first="a b", second="a"))
    # The first one was not run again.
    assert not pool._is_of_what_was_graded(write("mixed", first="a b", second="c"))


def test_a_notebook_of_which_no_check_has_changed_is_not_run_again(handed_in):
    other = "conv_forward.ipynb"
    shutil.copy(ROOT / "source" / "2-conv-forward" / other, handed_in / "source" / "1-padding")
    nbgrader(handed_in, "generate_assignment", "1-padding", "--force")
    shutil.copy(ROOT / "solutions" / "2-conv-forward" / other, handed_in / "submitted" / "bob" / "1-padding")
    for path in (handed_in / "submitted" / "bob" / "1-padding").glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.append(new_code_cell("import time\nprint(time.time())", id="own"))
        nbformat.write(notebook, path)
    assert grade(handed_in, "--student=bob")[0] == 0
    graded = handed_in / "autograded" / "bob" / "1-padding"
    before = {path.name: path.read_bytes() for path in graded.glob("*.ipynb")}
    # What has been graded in part, as by `nbgrader autograde --notebook`, waits for `grade`, as it is.
    (graded / other).unlink()
    in_part = stored(handed_in)
    code, output = run(handed_in, *CONVBLOCKS, "regrade", "1-padding", "--student=bob")
    assert code == 0 and "1 not graded yet" in output and "interrupted" not in output, output
    assert stored(handed_in) == in_part
    assert "6 to be graded" in convblocks(handed_in, "status", "--json").stdout
    (graded / other).write_bytes(before[other])
    points = scores(handed_in)["bob"]
    config = handed_in / "nbgrader_config.py"
    config.write_text(config.read_text() + CHANGED)
    code, output = run(handed_in, *CONVBLOCKS, "regrade", "1-padding", "--apply", "--student=bob")
    assert code == 0 and "1 scores reckoned again (pad2d): 1 gain" in output, output
    assert (graded / other).read_bytes() == before[other]
    assert (graded / "padding.ipynb").read_bytes() != before["padding.ipynb"]
    assert scores(handed_in)["bob"] > points > 20


def test_a_cluster_that_was_not_restarted_after_a_change_grades_nothing(handed_in, tmp_path):
    for package in ("autograde_tests", "convblocks", "grading"):
        shutil.copytree(ROOT / package, tmp_path / package)
    with (tmp_path / "autograde_tests" / "padding.py").open("a") as check:
        check.write("# As it was before the change.\n")
    with dask(handed_in, code=tmp_path) as address:
        code, output = grade(handed_in, f"--scheduler={address}")
    assert code == 1 and "restart the cluster's workers" in output, output
    assert scores(handed_in) == {} and not list(handed_in.glob("autograded/*"))


def test_after_a_check_is_worth_more_its_cells_are_scored_again(handed_in):
    # It never ends, which takes its time.
    shutil.rmtree(handed_in / "submitted" / "cem")
    assert grade(handed_in)[0] == 0
    source = handed_in / "source" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(source, as_version=4)
    (cell,) = [one for one in notebook.cells if one.id == "check_pad2d"]
    assert cell.metadata.nbgrader.points == 4
    cell.metadata.nbgrader.points, cell.source = 10, cell.source.replace("points=4", "points=10")
    nbformat.write(notebook, source)
    generate = "nbgrader generate_assignment 1-padding --force"
    said = convblocks(handed_in, "status").output
    assert "source/ gives other points than the gradebook for pad2d" in said and f"\n    {generate}" in said
    assert generate in run(handed_in, *CONVBLOCKS, "regrade", "1-padding")[1]
    nbgrader(handed_in, *generate.split()[1:])
    assert "convblocks regrade 1-padding" in run(handed_in, *CONVBLOCKS, "status")[1]
    code, output = run(handed_in, *CONVBLOCKS, "regrade", "1-padding", "--apply")
    assert code == 0 and "5 scores reckoned again (pad2d): 3 gain, 0 lose, 2 stay." in output, output
    assert scores(handed_in)["ada"] == 18
    assert "no check has changed" in run(handed_in, *CONVBLOCKS, "regrade", "1-padding")[1]


def test_after_a_cell_has_another_check_it_is_scored_again(handed_in):
    assert grade(handed_in, "--student=bob")[0] == 0
    source = handed_in / "source" / "1-padding" / "padding.ipynb"
    assert 'check(\\"output_size\\", output_size' in source.read_text()
    # The one that scored it may be gone altogether.
    graded = handed_in / "autograded" / "bob" / "1-padding" / "padding.ipynb"
    assert '"check": "output_size"' in graded.read_text()
    graded.write_text(graded.read_text().replace('"check": "output_size"', '"check": "of_last_year"'))
    other = source.read_text().replace('check(\\"output_size\\", output_size', 'check(\\"pad2d\\", pad2d')
    source.write_text(other)
    nbgrader(handed_in, "generate_assignment", "1-padding", "--force")
    code, output = run(handed_in, *CONVBLOCKS, "regrade", "1-padding", "--apply")
    assert code == 0 and "1 lose" in output, output
    assert scores(handed_in)["bob"] < DESERVED["bob"]


# So a student is right who knows of no strides.
LENIENT = """
from dataclasses import replace
from autograde_tests.checking import load_checks
_was = load_checks()["padding_amounts"]
load_checks()["padding_amounts"] = replace(_was, make_cases=lambda rng, make=_was.make_cases: [
    replace(one, weight=0.0) if len(one.args) > 2 else one for one in make(rng)])
"""
KNOWS_NO_STRIDES = """
def padding_amounts(size, kernel_size, strides=1):
    return (kernel_size - 1) // 2, kernel_size // 2
"""


def test_what_builds_on_a_check_that_has_changed_is_scored_again_too(handed_in, tmp_path):
    shutil.rmtree(handed_in / "submitted")
    folder = handed_in / "submitted" / "gil" / "1-padding"
    shutil.copytree(ROOT / "solutions" / "1-padding", folder)
    fill(folder / "padding.ipynb", padding_amounts=KNOWS_NO_STRIDES)
    config = handed_in / "nbgrader_config.py"
    strict = config.read_text()
    config.write_text(strict + LENIENT)
    assert grade(handed_in)[0] == 0
    before = scores(handed_in)["gil"]
    config.write_text(strict)
    anew = shutil.copytree(handed_in, tmp_path / "anew")
    code, output = run(handed_in, *CONVBLOCKS, "regrade", "1-padding", "--apply")
    assert code == 0 and "2 scores reckoned again (pad2d, padding_amounts): 1 gain, 1 lose, 0 stay." in output, output
    assert grade(anew, "--force")[0] == 0
    assert scores(handed_in) == scores(anew) != {"gil": before}


DISTURBED = """
import os, signal, sqlite3
from grading.execute import SaveScores
_save = SaveScores.preprocess
def _disturbed(self, nb, resources):
    if os.path.exists("disturb") and resources["nbgrader"]["student"] == "bob":
        DISTURBANCE
    return _save(self, nb, resources)
SaveScores.preprocess = _disturbed
"""
DISTURBANCES = {
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "locked out": "self.lock = sqlite3.connect('gradebook.db'); self.lock.execute('begin exclusive')",
}


@pytest.mark.parametrize(
    "command, disturbance",
    [("regrade --apply", "killed"), ("regrade --apply", "locked out"), ("grade --force", "killed")],
)
def test_what_was_graded_stays_until_all_that_replaces_it_is_stored(handed_in, tmp_path, command, disturbance):
    name, option = command.split()
    for folder in (handed_in / "submitted").iterdir():
        if folder.name != "bob":
            shutil.rmtree(folder)
    assert grade(handed_in)[0] == 0
    config = handed_in / "nbgrader_config.py"
    config.write_text(config.read_text() + CHANGED + DISTURBED.replace("DISTURBANCE", DISTURBANCES[disturbance]))
    undisturbed = shutil.copytree(handed_in, tmp_path / "undisturbed", symlinks=True)
    again = (*CONVBLOCKS, name, "1-padding", option)
    assert run(undisturbed, *again)[0] == 0
    (handed_in / "disturb").touch()
    graded = handed_in / "autograded" / "bob" / "1-padding" / "padding.ipynb"
    before = graded.read_bytes()
    assert run(handed_in, *again)[0] != 0
    assert graded.read_bytes() == before
    (handed_in / "disturb").unlink()
    assert run(handed_in, *again)[0] == 0
    assert stored(handed_in) == stored(undisturbed)
    assert sorted(os.listdir(handed_in / "autograded")) == sorted(os.listdir(undisturbed / "autograded"))


# Ctrl-C between the gradebook and the graded notebook.
PRESSED = """
import os, signal
from grading.execute import SaveScores
_save = SaveScores.preprocess
def _pressed(self, nb, resources):
    try:
        return _save(self, nb, resources)
    finally:
        os.kill(os.getpid(), signal.SIGINT)
SaveScores.preprocess = _pressed
"""


def test_what_is_being_stored_when_a_run_is_stopped_is_stored_whole(handed_in, tmp_path):
    for folder in (handed_in / "submitted").iterdir():
        if folder.name != "bob":
            shutil.rmtree(folder)
    assert grade(handed_in)[0] == 0
    before = stored(handed_in)
    config = handed_in / "nbgrader_config.py"
    config.write_text(config.read_text() + CHANGED)
    undisturbed = shutil.copytree(handed_in, tmp_path / "undisturbed", symlinks=True)
    again = (*CONVBLOCKS, "regrade", "1-padding", "--apply")
    assert run(undisturbed, *again)[0] == 0
    config.write_text(config.read_text() + PRESSED)
    with background(handed_in, *again) as process:
        said = process.stderr.read()
        assert process.wait() == 130 and "1 submission stored." in said, said
    assert stored(handed_in) == stored(undisturbed) != before


def test_what_was_handed_in_anew_is_not_mixed_with_what_was_graded(handed_in):
    assert grade(handed_in)[0] == 0
    before = stored(handed_in)
    config = handed_in / "nbgrader_config.py"
    config.write_text(config.read_text() + CHANGED)
    (handed_in / "submitted" / "bob" / "1-padding" / "timestamp.txt").write_text("2026-11-21 10:00:00 UTC")
    code, output = run(handed_in, *CONVBLOCKS, "regrade", "1-padding", "--student=bob", "--apply")
    assert code == 0 and "(of 1 that were graded before a check was changed)" in output, output
    assert "1 not graded yet, or handed in anew: `convblocks grade` grades them." in output
    assert stored(handed_in) == before
    # Nor where what was handed in anew cannot be used.
    (handed_in / "submitted" / "bob" / "1-padding" / "padding.ipynb").write_text("lost")
    code, output = run(handed_in, *CONVBLOCKS, "regrade", "1-padding", "--student=bob", "--apply")
    assert code == 1 and "(of 1 that were graded before" in output and "padding.ipynb is not a notebook" in output
    # Nor what was damaged since.
    (handed_in / "submitted" / "ada" / "1-padding" / "padding.ipynb").write_text("lost")
    code, output = run(handed_in, *CONVBLOCKS, "regrade", "1-padding", "--student=ada", "--apply")
    assert code == 1 and "padding.ipynb is not a notebook" in output and "its scores stay as they are" in output
    assert stored(handed_in) == before


def test_what_is_handed_in_while_others_are_scored_again_waits_for_grade(handed_in):
    slow = handed_in / "submitted" / "ada" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(slow, as_version=4)
    notebook.cells += [new_code_cell("import time\ntime.sleep(3)", id=f"sleep-{place}") for place in range(2)]
    nbformat.write(notebook, slow)
    two = "--student=ada", "--student=bob"
    assert grade(handed_in, *two)[0] == 0
    before = scores(handed_in)
    config = handed_in / "nbgrader_config.py"
    config.write_text(config.read_text() + CHANGED)
    again = *CONVBLOCKS, "regrade", "1-padding", "--apply", "--workers=1", *two
    with background(handed_in, *again) as process:
        until(lambda: _workers(process))
        attempt = handed_in / "submitted" / "bob" / "1-padding"
        shutil.copy(ROOT / "solutions" / "1-padding" / "padding.ipynb", attempt)
        (attempt / "timestamp.txt").write_text("2026-11-21 10:00:00 UTC")
        said = process.stderr.read()
        assert process.wait() == 1 and "bob, 1-padding: it was handed in anew meanwhile" in said, said
    assert scores(handed_in) == before
    assert grade(handed_in, *two)[0] == 0
    assert scores(handed_in) == {"ada": 12, "bob": 12}
