"""The kernel that is made ready for whoever comes next: it waits, sees that one's files, and is nobody's when it is dead."""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing import get_context

import psutil
import pytest
from conftest import ROOT, run, until
from jupyter_core.utils import ensure_event_loop, run_sync
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from grading import packages, sandbox
from grading.station import RUNTIME, Station, make_next_station, remove_left_behind, take_station
from grading.warm import INSIDE, NotWarm, WarmParent
from grading.workers import processes


def printed(station: Station, source: str) -> str:
    """What a cell prints in the station's next kernel."""
    notebook = new_notebook(cells=[new_code_cell(source)])
    with station.broker:
        NotebookClient(notebook, km=station.kernel_manager()).execute(cleanup_kc=True)
    return notebook.cells[0].outputs[0].text


def sandboxes() -> list[psutil.Process]:
    """The sandboxes of this process that have not ended."""
    found = []
    for one in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            known = one.as_dict(["name", "status"])
            found += [one] if known["name"] == "bwrap" and known["status"] != psutil.STATUS_ZOMBIE else []
    return found


@pytest.fixture
def nothing_left():
    """The test leaves neither processes nor folders."""
    # Tests before may have made one ready that nobody took.
    with take_station(Config(), keras=False, unsafe=False):
        pass
    yield
    assert list(RUNTIME.glob(f"cb{os.getpid()}-*")) == []
    # What is in a sandbox ends after its outermost process, and this process may have adopted it.
    psutil.wait_procs(sandboxes(), timeout=60)
    assert sandboxes() == []


def test_a_ready_kernel_sees_the_files_of_whoever_gets_it(tmp_path, nothing_left):
    with Station(Config()) as station:
        run_sync(station.make_ready)()
        assert station.is_ready
        (tmp_path / "below").mkdir()
        (tmp_path / "below" / "mine.txt").write_text("of this one alone")
        station.take_files(tmp_path)
        assert printed(station, "print(open('below/mine.txt').read())") == "of this one alone\n"


def test_a_ready_kernel_is_used_once_and_the_next_one_is_another(tmp_path, nothing_left):
    make_next_station(Config())
    with take_station(Config(), keras=False, unsafe=False) as station:
        assert station.is_ready
        assert printed(station, "import builtins\nbuiltins.mark = 1\nprint(2)") == "2\n"
        make_next_station(Config())
    with take_station(Config(), keras=False, unsafe=False) as other:
        assert other.is_ready
        assert printed(other, "import builtins\nprint(hasattr(builtins, 'mark'))") == "False\n"


@pytest.mark.parametrize("death", ["killed", "other limits"])
def test_a_ready_kernel_that_cannot_be_used_is_ended_and_costs_nothing(death, nothing_left):
    make_next_station(Config())
    # As while a notebook runs.
    run_sync(asyncio.sleep)(1)
    (sandbox,) = sandboxes()
    wanted = Config({"Sandbox": {"memory": 500}}) if death == "other limits" else Config()
    if death == "killed":
        # All else in the sandbox ends with its first process.
        sandbox.children()[0].kill()
        sandbox.wait(60)
    with take_station(wanted, keras=False, unsafe=False) as station:
        assert not station.is_ready
        assert sandbox not in sandboxes()
        assert printed(station, "print(1)") == "1\n"


MAKES_ONE = """
import sys
from jupyter_core.utils import run_sync
from traitlets.config import Config
from grading.station import Station
print("begin", flush=True)
station = Station(Config())
run_sync(station.make_ready)()
print("ready", flush=True)
sys.stdin.read()
"""


def test_whenever_a_grader_is_killed_the_kernel_that_it_made_ready_ends(left_behind):
    took, moments = 1.0, random.Random(0)
    for number in range(12):
        with subprocess.Popen([sys.executable, "-c", MAKES_ONE], stdin=-1, stdout=-1, text=True) as grader:
            assert grader.stdout.readline() == "begin\n"
            began = time.monotonic()
            if number % 3 == 0:
                assert grader.stdout.readline() == "ready\n"
                took = time.monotonic() - began
            else:
                # Most of the time goes by before there is a sandbox.
                time.sleep(took * moments.uniform(0.6, 1.0))
            grader.kill()
        _wait_for_the_end(left_behind, f"the grader killed as number {number}")
    remove_left_behind()


def _wait_for_the_end(left_behind, what: str) -> None:
    """Until all kernels and sandboxes of its own are gone; what a process leaves may have others when it ends."""
    deadline = time.monotonic() + 60
    while left := left_behind():
        assert time.monotonic() < deadline, (what, left)
        psutil.wait_procs(left, timeout=1)


BEGINS_ONE = """
from jupyter_core.utils import run_sync
from traitlets.config import Config
from grading.station import make_next_station
import asyncio
make_next_station(Config())
run_sync(asyncio.sleep)({seconds})
"""


@pytest.mark.parametrize("seconds", [0, 0.3, 3])
def test_a_grader_ends_without_a_word_whatever_it_has_made_ready(seconds, left_behind):
    source = BEGINS_ONE.replace("{seconds}", str(seconds))
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    _wait_for_the_end(left_behind, "a grader that ended by itself")


def test_a_kernel_is_ended_at_its_deadline_whatever_it_says(nothing_left):
    with Station(Config()) as station, station.broker:
        manager = station.kernel_manager()
        run_sync(manager.start_kernel)()
        manager.provisioner.deadline = time.monotonic()
        manager.provisioner.process.wait(60)
        assert manager.provisioner.reason == "its notebook took too long"
        run_sync(manager.cleanup_resources)()


def test_none_is_made_ready_in_a_server(nothing_left):
    async def button() -> None:
        make_next_station(Config())

    ensure_event_loop().run_until_complete(button())
    run_sync(asyncio.sleep)(0.5)
    assert sandboxes() == []


def test_a_folder_of_links_is_no_way_out(tmp_path, nothing_left):
    (tmp_path / "link.txt").symlink_to("/etc/passwd")
    (tmp_path / "notebook.ipynb").write_text("{}")
    (tmp_path / "data.csv").write_text("1")
    with Station(Config()) as station:
        station.take_files(tmp_path)
        names = printed(station, "import os\nprint(sorted(os.listdir()))")
    assert names == "['data.csv']\n"


def test_a_parent_that_cannot_fork_says_so_and_goes_on(tmp_path):
    (tmp_path / "full.py").write_text(
        "import os\n\ndef prepare():\n    fork = os.fork\n\n    def once():\n        os.fork = fork\n"
        "        raise BlockingIOError(11, 'no more processes')\n\n    os.fork = once\n"
    )
    path = [str(INSIDE), *map(str, packages.folders(keras=False)), str(tmp_path)]
    parent = WarmParent.start(packages.python(), path, {}, ["full"])
    try:
        parent.wait()
        null = os.open(os.devnull, os.O_RDWR)
        with pytest.raises(NotWarm, match="no more processes"):
            parent.fork(1, {}, null, null, b"")
        assert parent.alive
        assert parent.fork(1, {}, null, null, b"") > 0
        os.close(null)
    finally:
        parent.end()
    assert not parent.alive


def test_a_parent_that_does_not_come_up_is_ended_with_whoever_started_it(tmp_path):
    (tmp_path / "stuck.py").write_text("import time\n\ndef prepare():\n    time.sleep(600)\n")
    start = f"""
from grading import packages
from grading.warm import INSIDE, WarmParent
path = [str(INSIDE), *map(str, packages.folders(keras=False)), {str(tmp_path)!r}]
print(WarmParent.start(packages.python(), path, {{}}, ["stuck"])._process.pid)
"""
    done = subprocess.run([sys.executable, "-c", start], cwd=ROOT, capture_output=True, text=True, check=True)
    deadline = time.monotonic() + 60
    while psutil.pid_exists(int(done.stdout)) and psutil.Process(int(done.stdout)).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_keras_keeps_in_a_home_folder_is_not_taken_into_the_sandbox(monkeypatch, tmp_path):
    # Whoever grades may share the machine with somebody of that name, or with whoever fills /tmp/.keras.
    settings = tmp_path / ".keras" / "keras.json"
    settings.parent.mkdir()
    settings.write_text('{"image_data_format": "channels_first", "floatx": "float64"}')
    usual = sandbox._environment
    monkeypatch.setattr(sandbox, "_environment", lambda home: usual(home) | {"HOME": str(tmp_path)})
    monkeypatch.setattr(sandbox, "_WARM", {})
    source = (
        "import os, keras\nprint(keras.config.image_data_format(), keras.config.floatx(), 'KERAS_HOME' in os.environ)"
    )
    for there in (True, False):
        if not there:
            settings.unlink()
        with Station(Config(), keras=True) as station:
            assert printed(station, source) == "channels_last float32 False\n"
        for parent in sandbox._WARM.values():
            parent.end()
    assert list(settings.parent.iterdir()) == []


def test_what_was_in_memory_before_a_kernel_was_forked_is_its_own_once():
    with Station(Config()) as station:
        run_sync(station.make_ready)()
        kernel = station._ready.provisioner
        until(lambda: kernel._kernel and begun(kernel._kernel))
        once, waits = (one.memory_info().rss // 2**20 for one in (kernel._kernel, kernel._members[1]))
        assert waits > 20
        kernel.memory = once + waits // 2
        # The watchdog looks five times a second.
        time.sleep(1)
        assert kernel.is_alive and not kernel.reason
        kernel.memory = once // 2
        until(lambda: "MB of memory" in kernel.reason)


def begun(kernel: psutil.Process) -> bool:
    """Whether it waits for its first message, for which it needs no more than it has."""
    before = kernel.memory_info().rss, kernel.cpu_times()
    time.sleep(0.3)
    return (kernel.memory_info().rss, kernel.cpu_times()) == before and kernel.status() == psutil.STATUS_SLEEPING


def test_a_kernel_that_is_looked_for_before_it_has_begun_is_found_later():
    command = ["/bin/sh", "-c", "read go; sleep 60; true"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as waits:
        try:
            kernel = sandbox.Sandbox()
            kernel._members = (psutil.Process(), psutil.Process(waits.pid))
            assert kernel._kernel is None
            waits.stdin.write(b"\n")
            waits.stdin.flush()
            assert until(lambda: kernel._kernel).ppid() == waits.pid
        finally:
            os.killpg(waits.pid, signal.SIGKILL)


GRADED_TWICE = """
import os
from pathlib import Path
from grading import execute
from grading.gradebook import copy_cells
from grading.submission import Job, run

take = execute.take_station


def noted(*how):
    taken = take(*how)
    print("ready" if taken.is_ready else "not ready")
    return taken


execute.take_station = noted
copy_cells("sqlite:///gradebook.db", Path("cells.db"))
for _ in range(2):
    ran = run(Job(os.getcwd(), "1-padding", "ada", (), os.path.abspath("cells.db"), "graded"))
    assert not ran.failed, ran.said
"""


def test_the_next_kernel_is_made_ready_while_a_notebook_runs(course):
    shutil.copytree(ROOT / "solutions" / "1-padding", course / "submitted" / "ada" / "1-padding")
    code, output = run(course, sys.executable, "-c", GRADED_TWICE)
    assert code == 0 and output.split("\n")[:2] == ["not ready", "ready"], output


def ancestor_of_a_kernel(turn) -> tuple[int, int]:
    """The numbers of this process, and of the one that a kernel was forked from here; `turn` lets all others begin."""
    turn.wait(60)
    with Station(Config()) as station:
        run_sync(station.make_ready)()
        _, waits = station._ready.provisioner._members
        found = os.getpid(), waits.ppid()
        assert printed(station, "print(1)") == "1\n"
    return found


def test_workers_have_their_kernels_from_one_process_and_from_others_when_it_has_ended():
    context = get_context("forkserver")
    with context.Manager() as manager, processes(2) as (pool, _):
        turn = manager.Barrier(2)

        def ancestors() -> tuple[set[int], ...]:
            return tuple(map(set, zip(*pool.map(ancestor_of_a_kernel, [turn, turn]), strict=True)))

        workers, (parent,) = ancestors()
        assert len(workers) == 2
        psutil.Process(parent).kill()
        assert ancestors()[0] == workers
        assert parent not in ancestors()[1]
