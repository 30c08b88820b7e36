"""Grading refuses to run unprotected unless told so, and the score is the broker's with and without a sandbox."""

import contextlib
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest
from conftest import CONVBLOCKS, NBGRADER, ROOT, fill, nbgrader, run, scores
from nbformat.v4 import new_code_cell
from traitlets.config import Config

from autograde_tests import oracle
from autograde_tests.cases import course_seed
from autograde_tests.checking import Request, load_checks
from convblocks.transfer import pack, receive, send
from grading.broker import Broker
from grading.execute import require_sandbox

FORGED = "import autograde_tests\nautograde_tests.check = lambda *given, **named: 4\n4"


def autograde(course, *options, **environment):
    """`convblocks grade 1-padding`; its exit code, its output and ada's score, None where there is none."""
    return *run(course, *CONVBLOCKS, "grade", "1-padding", *options, **environment), scores(course).get("ada")


@pytest.fixture
def submitted(course):
    """The course with ada's submission: one function right, one forged, one missing."""
    folder = course / "submitted" / "ada" / "1-padding"
    shutil.copytree(ROOT / "solutions" / "1-padding", folder)
    fill(folder / "padding.ipynb", padding_amounts=FORGED, pad2d="")
    return course


def without_bubblewrap():
    """A PATH on which there is no bwrap."""
    return os.pathsep.join(one for one in os.environ["PATH"].split(os.pathsep) if not Path(one, "bwrap").exists())


def test_without_a_sandbox_nothing_is_graded_and_it_says_what_to_install(submitted):
    code, output, score = autograde(submitted, PATH=without_bubblewrap())
    assert (code, score) == (1, None)
    assert "sudo apt-get install bubblewrap" in output
    assert not (submitted / "autograded").exists()


@pytest.mark.parametrize("damage", ["does not load", "lost", "a wrong value", "stock"])
def test_without_the_courses_config_nothing_is_graded(submitted, damage):
    config = submitted / "nbgrader_config.py"
    match damage:
        case "does not load":
            config.write_text(config.read_text() + "\nimport no_such_module\n")
        case "lost":
            config.unlink()
        case "a wrong value":
            config.write_text(config.read_text() + "\nc.Autograde.autograde_preprocessors = 3\n")
        case "stock":
            config.write_text(config.read_text().replace("    execute.Execute,", "    nbgrader.Execute,"))
    code, output, score = autograde(submitted)
    assert (code, score) == (2, None), output
    assert not (submitted / "autograded").exists()
    assert "nbgrader_config.py" in output and "Nothing was done" in output


def test_after_an_error_in_the_courses_config_nbgrader_grades_nothing_either(submitted):
    config = submitted / "nbgrader_config.py"
    config.write_text(config.read_text().replace("str(2026)", "the_year"))
    assert "nothing was graded" in nbgrader(submitted, "autograde", "1-padding", fails=True)
    assert not (submitted / "autograded").exists()


def test_told_so_it_grades_unprotected_and_says_so_every_time(submitted):
    for _ in range(2):
        code, output, score = autograde(submitted, "--unsafe-no-sandbox", "--force", PATH=without_bubblewrap())
        assert (code, score) == (0, 4)
        assert "UNSAFE: submissions run without a sandbox" in output


def test_the_score_is_the_brokers(submitted):
    code, output, score = autograde(submitted)
    assert (code, score) == (0, 4)
    assert "UNSAFE" not in output


def test_without_execution_nothing_scores(submitted):
    nbgrader(submitted, "autograde", "1-padding", "--no-execute")
    assert scores(submitted) == {"ada": 0}


HOARD = """
import ctypes, os
try:
    os.memfd_create("hoard")
except OSError as error:
    print("memfd", error.errno)
libc = ctypes.CDLL(None, use_errno=True)
print("shm", libc.shmget(0, 2**30, 0o1600), ctypes.get_errno())
print("sem", libc.semget(0, 32000, 0o600), ctypes.get_errno())
add_key = {"x86_64": 248, "aarch64": 217}[os.uname().machine]
print("key", libc.syscall(add_key, b"user", b"word", b"to another", 10, -4), ctypes.get_errno())
import socket
for family in (socket.AF_INET, socket.AF_VSOCK, socket.AF_ALG, socket.AF_PACKET):
    try:
        socket.socket(family, socket.SOCK_STREAM if family != socket.AF_ALG else socket.SOCK_SEQPACKET)
        print("family", family.name, "opened")
    except OSError as error:
        print("family", family.name, error.errno)
print("msg", libc.msgget(0, 0o600), ctypes.get_errno())
timer = ctypes.c_int()
print("timers", sum(not libc.timer_create(1, None, ctypes.byref(timer)) for _ in range(1000)))
import fcntl
for name, take in (("lock", lambda: fcntl.flock(0, fcntl.LOCK_SH)), ("watch", lambda: fcntl.fcntl(os.open("/", 0), 1026, 2))):
    try:
        take()
        print(name, "taken")
    except OSError as error:
        print(name, error.errno)
"""


def test_memory_that_belongs_to_no_process_cannot_be_had(submitted):
    fill(submitted / "submitted" / "ada" / "1-padding" / "padding.ipynb", pad2d=HOARD)
    autograde(submitted)
    graded = (submitted / "autograded" / "ada" / "1-padding" / "padding.ipynb").read_text()
    # 38 is ENOSYS.
    assert "memfd 38" in graded
    assert "shm -1 38" in graded
    assert "sem -1 38" in graded
    assert "msg -1 38" in graded
    # Nor words left for whoever is graded next.
    assert "key -1 38" in graded
    assert int(re.search(r"timers (\d+)", graded)[1]) <= 64
    assert "lock 38" in graded and "watch 38" in graded
    # No socket of any network, which can be mapped and watched without end. 97 is EAFNOSUPPORT.
    for family in ("AF_VSOCK", "AF_ALG", "AF_PACKET", "AF_INET"):
        assert f"family {family} 97" in graded


CLOCK = "import os, time\nlate = time.time() - os.stat('/submission/clock.txt').st_mtime > 2.5"
LATE = "while late:\n    try:\n        time.sleep(99)\n    except BaseException:\n        pass"


def test_cells_that_take_long_only_when_they_are_run_again_take_no_more_than_the_notebooks_time(submitted):
    path = submitted / "submitted" / "ada" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(path, as_version=4)
    begin = [CLOCK, *[LATE] * 12, "time.sleep(1.5)", "time.sleep(1.5)", "os._exit(0)"]
    notebook.cells[:0] = [new_code_cell(source, id=f"begin-{place}") for place, source in enumerate(begin)]
    nbformat.write(notebook, path)
    path.with_name("clock.txt").write_text("")
    limits = ("--Execute.timeout=2", "--Execute.notebook_seconds=8")
    # Its time is that of the kernel's first look at it.
    os.utime(path.with_name("clock.txt"))
    output = nbgrader(submitted, "autograde", "1-padding", *limits)
    assert "what had run before could not be run again, so the rest was not run" in output
    assert 0 < output.count("and was stopped") < 6
    assert scores(submitted) == {"ada": 0}


SLOW = """
import time
quick = output_size
def output_size(*given, **named):
    time.sleep(1.3 * (given[:2] == (6, 3)))
    return quick(*given, **named)
"""


def test_cells_after_one_that_never_ends_get_less_time_and_checks_as_much_as_ever(submitted):
    path = submitted / "submitted" / "ada" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(path, as_version=4)
    (slow,) = [cell for cell in notebook.cells if cell.id == "output_size"]
    slow.source += SLOW
    (wrong,) = [cell for cell in notebook.cells if cell.id == "padding_amounts"]
    wrong.source = "def padding_amounts(size, kernel_size, strides=1):\n    return None"
    notebook.cells[:0] = [
        new_code_cell("import time\nwhile True: time.sleep(0.01)", id=f"loop-{place}") for place in range(3)
    ]
    nbformat.write(notebook, path)
    output = nbgrader(submitted, "autograde", "1-padding", "--Execute.timeout=5")
    # And once more, where what may be told of the wrong function is asked.
    given = re.findall(r"code cell \d+ did not end within (\d+) s and was stopped", output)
    assert given == ["5", "2", "2", "2", "2", "2"]
    assert scores(submitted) == {"ada": 4}


def test_a_loop_is_stopped_for_what_it_takes_of_a_processor_and_not_what_waits(submitted):
    path = submitted / "submitted" / "ada" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cells = "while True: pass", "import time\ntime.sleep(4)\nprint('waited')"
    notebook.cells[:0] = [new_code_cell(source, id=f"cell-{place}") for place, source in enumerate(cells)]
    nbformat.write(notebook, path)
    output = nbgrader(submitted, "autograde", "1-padding", "--Execute.processor_seconds=2", "--Execute.timeout=300")
    given = re.findall(r"code cell (\d+) did not end within (.+) and was stopped", output)
    assert given == [("1", "2 s of a processor")]
    graded = nbformat.read(submitted / "autograded" / "ada" / "1-padding" / "padding.ipynb", as_version=4)
    (loop,), (waited,) = ([cell for cell in graded.cells if word in cell.source] for word in ("while True", "sleep"))
    assert [one.traceback for one in loop.outputs] == [
        ["CellTimeoutError: it did not end in time and was stopped: does a loop never end?"]
    ]
    assert waited.outputs[0].text == "waited\n" and waited.execution_count == 2
    assert scores(submitted) == {"ada": 4}


HOLDS = """
import time
kept = []
try:
    while True:
        kept.append(open("/dev/null"))
except OSError:
    time.sleep(2)
"""


def test_a_kernel_that_can_no_longer_be_reached_costs_its_cell_alone(submitted):
    path = submitted / "submitted" / "ada" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, new_code_cell(HOLDS))
    nbformat.write(notebook, path)
    output = nbgrader(submitted, "autograde", "1-padding")
    assert "could not be run" not in output
    assert scores(submitted) == {"ada": 4}


def test_fresh_kernels_are_no_way_to_show_more(submitted):
    path = submitted / "submitted" / "ada" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(path, as_version=4)
    sources = ["print('x' * 900_000)", "import os\nos._exit(0)"] * 6
    notebook.cells[:0] = [new_code_cell(source, id=f"begin-{place}") for place, source in enumerate(sources)]
    nbformat.write(notebook, path)
    nbgrader(submitted, "autograde", "1-padding", "--Execute.kept_bytes=3000000")
    graded = nbformat.read(submitted / "autograded" / "ada" / "1-padding" / "padding.ipynb", as_version=4)
    shown = [len(cell.outputs[0].text) for cell in graded.cells if cell.source.startswith("print('x'")]
    assert [size > 900_000 for size in shown] == [True] * 3 + [False] * 3
    assert scores(submitted) == {"ada": 4}


def test_what_is_written_slowly_is_one_output_as_what_is_written_at_once(submitted):
    path = submitted / "submitted" / "ada" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(path, as_version=4)
    slowly = "import sys, time\nfor part in 'abc':\n    print(part, end='')\n    time.sleep(0.5)\n"
    slowly += "print('d', file=sys.stderr)\ntime.sleep(0.5)\nprint('e')\n'f'"
    notebook.cells.insert(0, new_code_cell(slowly, id="slowly"))
    nbformat.write(notebook, path)
    nbgrader(submitted, "autograde", "1-padding")
    graded = nbformat.read(submitted / "autograded" / "ada" / "1-padding" / "padding.ipynb", as_version=4)
    shown = next(cell.outputs for cell in graded.cells if cell.id == "slowly")
    assert [(one.get("name"), one.get("text")) for one in shown] == [
        ("stdout", "abc"), ("stderr", "d\n"), ("stdout", "e\n"), (None, None)
    ]  # fmt: skip


# The first thread of each process ends, and with it what Linux says of the process as a whole.
HEADLESS = """
import ctypes, os, threading, time
def grow():
    time.sleep(0.5)
    hoard = bytearray(b"x") * (150 * 2**20)
    time.sleep(30)
for _ in range(3):
    if not os.fork():
        threading.Thread(target=grow).start()
        ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
time.sleep(20)
"""
# None of them lives long, only one at a time, and its parent is gone.
ORPHANS = """
import os, time
for _ in range(20):
    seen, end = os.pipe()
    if not os.fork():
        if os.fork():
            os._exit(0)
        begin = time.process_time()
        while time.process_time() - begin < 0.5:
            pass
        os._exit(0)
    os.wait()
    os.close(end)
    os.read(seen, 1)
"""


# Linux forgets what children have used that nobody waits for.
NOT_WAITED_FOR = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in range(12):
    if not os.fork():
        begin = time.process_time()
        while time.process_time() - begin < 0.7:
            pass
        os._exit(0)
    time.sleep(1)
"""
# Each in a session of its own, which Linux gives the same share as anybody else's.
HOG = """
import os, time
for _ in range(3):
    if not os.fork():
        os.setsid()
        while True:
            pass
time.sleep(20)
"""


@pytest.mark.parametrize(
    "cell, limit, words",
    [
        (HOG, "--Sandbox.busy=0.5", "it kept more than 0.5 processors busy for 5 s"),
        (HEADLESS, "--Sandbox.memory=300", "it used more than 300 MB of memory"),
        (ORPHANS, "--Sandbox.cpu=4", "it used more than 4 s on processors"),
        (NOT_WAITED_FOR, "--Sandbox.cpu=4", "it used more than 4 s on processors"),
    ],
)
def test_no_process_hides_what_it_takes(submitted, cell, limit, words):
    path = submitted / "submitted" / "ada" / "1-padding" / "padding.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.insert(0, new_code_cell(cell, id="hides"))
    nbformat.write(notebook, path)
    said = [line for line in nbgrader(submitted, "autograde", "1-padding", limit).splitlines() if "ERROR" in line]
    assert [line for line in said if words in line], said
    assert scores(submitted) == {"ada": 4}, said


SUICIDE = "import os\nos.kill(os.getpid(), 9)"

SPIN = """
import os, time
for _ in range(8):
    if not os.fork():
        while True: pass
time.sleep(90)
"""

# What a function learns while it is checked is written into the output of a cell that ran before any check.
UPDATES = """
from IPython.display import display
spy = display('nothing yet', display_id='spy')
right = padding_amounts
def padding_amounts(*question):
    spy.update(f'LEARNED {question}')
    return right(*question)
"""
UNKNOWN_KINDS = """
kernel = get_ipython().kernel
for _ in range(3):
    kernel.session.send(kernel.iopub_socket, 'EVIL\\n' * 10, {}, parent=kernel.get_parent('shell'))
kernel.session.send(kernel.iopub_socket, 'execute_input', {'code': '', 'execution_count': 10**300}, parent=kernel.get_parent('shell'))
"""

# name: what a cell of its own does, above the last function
CELLS = {
    "ada": "1",
    "giant-print": "print('x' * 20_000_000)\nx = 1",
    "giant-display": "from IPython.display import display\ndisplay({'text/plain': 'x' * 20_000_000}, raw=True)\nx = 1",
    "group": "import os\nprint('alone', os.getpgrp() == os.getsid(0) == os.getpid())",
    "draws": "import random\nprint('drawn', random.random(), np.random.random())",
    "draws-too": "import random\nprint('drawn', random.random(), np.random.random())",
    "large-file": "import os\nprint(os.path.getsize('data.bin'), open('data.bin', 'rb').read(4), open('small.txt').read())",
    "mounts": "print(open('/proc/self/mountinfo').read())",
    "processors": SPIN,
    "suicide": SUICIDE,
    "leaves": "import os\nos._exit(0)",
    "updates": UPDATES,
    "unknown-kinds": UNKNOWN_KINDS,
    "closes": "import os\nfor number in range(3, 20):\n    try: os.close(number)\n    except OSError: pass\nimport time\ntime.sleep(30)",
    "garbage": "import os\nos.write(3, b'\\x03[' * 9)",
    "half": "import os\nos.write(3, b'\\x01{')\nprint('whole', 'again')",
    "surrogate": "print('lost', '\\ud800', 'pair')",
    "zoe": "1",
}


@pytest.fixture(scope="module")
def ran(generated_course, tmp_path_factory):
    """A class of right solutions, each with a cell of its own: scores, graded notebooks and what was said."""
    course = shutil.copytree(generated_course, tmp_path_factory.mktemp("ran") / "course")
    for student, source in CELLS.items():
        folder = course / "submitted" / student / "1-padding"
        shutil.copytree(ROOT / "solutions" / "1-padding", folder)
        notebook = nbformat.read(folder / "padding.ipynb", as_version=4)
        at = next(number for number, cell in enumerate(notebook.cells) if cell.id == "pad2d")
        # What a cell defines is lost with it, and with it a function that needs it.
        if "x = 1" in source:
            notebook.cells[at].source = notebook.cells[at].source.replace("):\n", "):\n    x\n", 1)
            notebook.cells[at].source += "\nprint('seen', 'after it')"
        notebook.cells.insert(at, new_code_cell(source, id="own"))
        nbformat.write(notebook, folder / "padding.ipynb")
    with (course / "submitted" / "large-file" / "1-padding" / "data.bin").open("wb") as file:
        file.write(b"data")
        file.truncate(70 * 2**20)
    (course / "submitted" / "large-file" / "1-padding" / "small.txt").write_text("small")
    limits = ["--Sandbox.cpu=8", "--Execute.timeout=100"]
    _, output = run(course, *NBGRADER, "autograde", "1-padding", *limits)
    graded = {file.parts[-3]: file.read_text() for file in course.glob("autograded/*/1-padding/padding.ipynb")}
    return scores(course), graded, output


@pytest.mark.parametrize("student", CELLS)
def test_a_cell_costs_nothing_but_itself(ran, student):
    assert ran[0][student] == 12, ran[2]


def test_what_a_check_asks_for_is_not_written_above_it(ran):
    own = next(cell for cell in json.loads(ran[1]["updates"])["cells"] if cell["id"] == "own")
    assert "nothing yet" in str(own["outputs"])
    assert "LEARNED" not in str(own["outputs"])


def test_messages_of_unknown_kinds_are_neither_shown_nor_logged(ran):
    assert "EVIL" not in ran[2]
    own = next(cell for cell in json.loads(ran[1]["unknown-kinds"])["cells"] if cell["id"] == "own")
    assert (own["execution_count"] or 0) < 1000


def test_a_kernel_is_alone_in_its_group_of_processes(ran):
    assert "alone True" in ran[1]["group"]


def test_two_kernels_of_one_parent_draw_other_numbers(ran):
    drawn = [set(re.search(r"drawn (\S+) ([\d.]+)", ran[1][student]).groups()) for student in ("draws", "draws-too")]
    assert len(drawn[0] | drawn[1]) == 4


def test_a_file_that_does_not_fit_is_there_to_be_read(ran):
    assert "73400320 b'data' small" in ran[1]["large-file"]


def test_a_submission_does_not_see_where_it_lies(ran):
    assert "/submission" in ran[1]["mounts"]
    assert "submitted" not in ran[1]["mounts"] and "autograded" not in ran[1]["mounts"]


def test_processors_are_counted_for_all_processes_together(ran):
    assert "it used more than 8 s on processors" in ran[1]["processors"]


def test_a_cell_that_kills_its_kernel_twice_is_left_out(ran):
    assert "left out after it ended the kernel: the kernel was killed" in ran[1]["suicide"]


def test_a_cell_that_ends_the_kernel_before_it_says_that_it_runs_is_the_one_to_blame(ran):
    cells = json.loads(ran[1]["leaves"])["cells"]
    assert [one["id"] for one in cells if "KernelEnded" in str(one.get("outputs"))] == ["own"]


def test_a_kernel_that_closes_its_connection_is_out_of_reach(ran):
    assert "left out after it ended the kernel: it could no longer be reached" in ran[1]["closes"]


def test_what_is_no_message_is_none_and_half_of_one_is_dropped(ran):
    assert "left out after it ended the kernel: the kernel sent what no kernel sends" in ran[1]["garbage"]
    assert "whole again" in ran[1]["half"]
    assert "left out" not in ran[1]["half"]


def test_what_no_file_could_keep_is_replaced(ran):
    assert "lost ? pair" in ran[1]["surrogate"]


def test_after_a_giant_message_the_others_are_seen(ran):
    assert "[the rest of the output was cut]" in ran[1]["giant-display"]
    assert "seen after it" in ran[1]["giant-display"]


def test_of_the_courses_folder_nothing_but_convblocks_can_be_imported(tmp_path):
    # What setuptools leaves in a checkout lists all of it, and is found first by whoever starts Python there.
    shutil.copytree(ROOT / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    listed = tmp_path / "convblocks.egg-info"
    listed.mkdir()
    (listed / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: convblocks\nVersion: 1.0.0\nRequires-Dist: numpy\n")
    (listed / "SOURCES.txt").write_text("README.md\ntests/conftest.py\nconvblocks/__init__.py\n")
    look = "import json\nfrom grading.packages import _importable\n"
    look += (
        "print(json.dumps([name for name in _importable(False) if name.startswith(('tests', 'convblocks', 'numpy'))]))"
    )
    code, output = run(tmp_path, sys.executable, "-c", look)
    assert code == 0, output
    assert {name for name in json.loads(output) if "numpy" not in name} == {"convblocks"}
    assert "numpy" in json.loads(output)


def test_folders_of_killed_graders_are_removed(submitted):
    dead = subprocess.Popen(["true"])
    dead.wait()
    left, alive = (Path(tempfile.mkdtemp(prefix=f"cb{number}-", dir="/tmp")) for number in (dead.pid, os.getpid()))
    try:
        require_sandbox(Config(), logging.getLogger())
        assert not left.exists() and alive.exists()
    finally:
        shutil.rmtree(left, ignore_errors=True)
        shutil.rmtree(alive)


@pytest.mark.parametrize("damage", ["cut", "other bytes", "another check's", "gone"])
def test_damaged_and_foreign_answers_are_made_anew(damage, tmp_path, monkeypatch, caplog):
    checks, seed = load_checks(), course_seed()
    names = ("flatten", "dense")
    oracle.build([checks[name] for name in names], seed)
    kept = {name: oracle._file(checks[name], seed) for name in names}
    monkeypatch.setattr(oracle, "FOLDER", tmp_path)
    for name, file in kept.items():
        shutil.copy(file, oracle._file(checks[name], seed))
    damaged = oracle._file(checks["flatten"], seed)
    content = damaged.read_bytes()
    if damage == "cut":
        damaged.write_bytes(content[:-1])
    if damage == "other bytes":
        damaged.write_bytes(content[:40] + b"\x07" + content[41:])
    if damage == "another check's":
        shutil.copy(oracle._file(checks["dense"], seed), damaged)
    if damage == "gone":
        damaged.unlink()
    assert not oracle.is_warm([checks["flatten"]], seed)
    assert ("made anew" in caplog.text) == (damage != "gone")
    oracle.build([checks["flatten"]], seed)
    assert damaged.read_bytes() == content


LEARNS = """
seen = {}
def pad2d(images, *more, **named):
    for question in [(size, kernel, step) for size in range(1, 40) for kernel in range(1, 9) for step in range(1, 5)]:
        try:
            seen[question] = padding_amounts(*question)
        except Exception:
            break
    return images
"""


def test_one_bug_costs_once_and_what_is_lent_teaches_nothing(submitted):
    """bob's padding_amounts is wrong; eve has her check of it after that of pad2d, where she would learn the answers.

    ann takes a way that the bank of misconceptions knows.
    """
    for student in ("ann", "bob", "eve"):
        shutil.copytree(ROOT / "solutions" / "1-padding", submitted / "submitted" / student / "1-padding")
    wrong = "def padding_amounts(size, kernel_size, strides=1):\n    return 7, 7"
    fill(submitted / "submitted" / "bob" / "1-padding" / "padding.ipynb", padding_amounts=wrong)
    known = "def output_size(size, kernel_size, strides=1, padding='valid'):\n    return -(-size // strides)"
    fill(submitted / "submitted" / "ann" / "1-padding" / "padding.ipynb", output_size=known)
    learned = "def padding_amounts(*question):\n    return seen.get(question, (7, 7))"
    notebook = submitted / "submitted" / "eve" / "1-padding" / "padding.ipynb"
    fill(notebook, padding_amounts=f"seen = {{}}\n{learned}", pad2d=LEARNS)
    nb = nbformat.read(notebook, as_version=4)
    nb.cells.sort(key=lambda cell: cell.id == "check_padding_amounts")
    nbformat.write(nb, notebook)
    autograde(submitted)
    graded = (submitted / "autograded" / "bob" / "1-padding" / "padding.ipynb").read_text()
    assert scores(submitted)["bob"] == 8
    assert "Your pad2d is right; padding_amounts has a bug." in graded
    named = (submitted / "autograded" / "ann" / "1-padding" / "padding.ipynb").read_text()
    assert "The padding is ignored: zeros are put around with" in named
    # "valid adds nothing" and the input left alone are right in what she handed in.
    assert scores(submitted)["eve"] == 4.67


def test_errors_are_told_in_full_where_no_hidden_input_can_be_told_with_them(submitted):
    """What a function is asked by one check it could tell in the words of the next; it is said what a clean kernel says."""
    shutil.copytree(ROOT / "solutions" / "1-padding", submitted / "submitted" / "eve" / "1-padding")
    asked = "asked = []\ndef output_size(*case):\n    asked.append(case)\n    return -1"
    fill(
        submitted / "submitted" / "eve" / "1-padding" / "padding.ipynb",
        output_size=asked,
        padding_amounts="raise ValueError(f'its cell has seen {asked}')\ndef padding_amounts(*case):\n    return 7, 7",
        pad2d="def pad2d(*case):\n    raise ValueError(f'it has seen {asked}')",
    )
    autograde(submitted)
    nbgrader(submitted, "generate_feedback", "1-padding")
    page = (submitted / "feedback" / "eve" / "1-padding" / "padding.html").read_text()
    told = set(re.findall(r"it has seen \[([^\]]*)\]", page))
    cases = [", ".join(map(repr, case.args)) for case in load_checks()["output_size"].cases(2026) if not case.showable]
    assert told and not any(case in one for one in told for case in cases), told
    assert "its cell has seen [" not in page


SLOW_TO_START = """
import time

from autograde_tests.lending import Lender

start = Lender.start


def slow():
    if not Lender._is_ready:
        time.sleep(9)
    start()


Lender.start = slow
c.Execute.timeout_with_keras = c.Execute.timeout = 8
"""


def test_a_function_has_all_its_time_also_where_what_is_lent_takes_long_to_start(submitted):
    """Under load: the start took more than a cell has, and a right function stood there without what it needs."""
    folder = submitted / "submitted" / "ann" / "6-shapes-classifier"
    shutil.copytree(ROOT / "solutions" / "6-shapes-classifier", folder)
    fill(folder / "numpy_classifier.ipynb", toolbox="raise NotImplementedError")
    with (submitted / "nbgrader_config.py").open("a") as config:
        config.write(SLOW_TO_START)
    nbgrader(submitted, "autograde", "6-shapes-classifier", "--notebook=numpy_classifier")
    graded = (submitted / "autograded" / "ann" / "6-shapes-classifier" / "numpy_classifier.ipynb").read_text()
    assert "Your assembly is right" in graded


def test_a_check_that_cannot_be_judged_costs_itself(tmp_path, monkeypatch):
    def unjudgeable(*given, **named):
        yield Request(args=(), kwargs={}, seconds=1, probe=None, lent=[])
        raise OverflowError("int too large to convert to float")

    monkeypatch.setattr("grading.broker.conversation", unjudgeable)
    with Broker(tmp_path / "broker", lambda: None) as broker:
        broker.open("flatten", 4)
        with socket.socket(socket.AF_UNIX) as call:
            call.connect(str(tmp_path / "broker"))
            receive(call)
            send(call, pack({"kind": "returned", "sentence": "", "changed": [], "value": 10**4000}))
            assert call.recv(1) == b""
        result = broker.close("the cell ended")
    assert result.score == 0
    assert "could not be judged (OverflowError)" in result.lines[0].sentence


def test_a_check_that_is_closed_waits_for_no_further_call(tmp_path):
    stuck = []
    with Broker(tmp_path / "broker", lambda: stuck.append("stuck")) as broker:
        broker.open("flatten", 4)
        # The first is under way, the others wait for their turn, and none of them ever says a word.
        with contextlib.ExitStack() as calls:
            for _ in range(8):
                calls.enter_context(socket.socket(socket.AF_UNIX)).connect(str(tmp_path / "broker"))
            result = broker.close("the kernel died")
    assert result.score == 0
    assert stuck == []
