"""The sandbox: a kernel that sees one submission, a Python with the course's own needs, and nothing else.

`Sandbox` is a provisioner of jupyter_client, so that nbclient and nbgrader start kernels in it as they start any other.
It uses bubblewrap (https://github.com/containers/bubblewrap), which needs no root and no daemon.
"""

import asyncio
import collections
import contextlib
import functools
import json
import math
import os
import platform
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import psutil
from jupyter_client.provisioning import LocalProvisioner
from traitlets import Bool, Float, Integer, Unicode

from grading import packages, seccomp
from grading.packages import ROOT
from grading.warm import INSIDE, NotWarm, WarmParent

NAME = "convblocks-sandbox"
"""The provisioner's name, as in the entry points of pyproject.toml."""

MEGABYTE = 2**20

_WINDOW = 5.0
"""Seconds of which a kernel may keep more processors busy than allowed; neighbours would wait for it."""

_ROOM_OF_ITS_OWN = 16
"""MB of the home that a submission's files leave for what a notebook writes."""

_HOME = "/home/student"
_WORK = f"{_HOME}/work"
EVERYBODY = [
    *("bdb", "IPython.core.logger", "numpy", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "debugpy"),
    *("autograde_tests", "convblocks.invariance", "convblocks.drawing_pad"),
    *("convblocks", "convblocks.shapes", "convblocks.keras_model", "convblocks.calling", "convblocks.transfer"),
]
"""Modules that every notebook imports, or that are imported while it runs."""

_TELLS_CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children").exists()
"""Whether this Linux has the list of a process' children."""

_WRITABLE = ("/dev/shm", "/tmp", _HOME)
"""Where the sandbox can write; each in memory and of limited size."""


class SandboxMissing(RuntimeError):
    """There is no sandbox on this machine; the text says why and what to do."""


HOW_TO_GET_IT = (
    "Grading real submissions needs it, so that nobody can forge a score or read your files. On Debian and Ubuntu:\n"
    "    sudo apt-get install bubblewrap\n"
    "elsewhere install bubblewrap with the system's package manager; a container has to allow user namespaces.\n"
    "To grade work of people you trust without it, add --unsafe-no-sandbox to `convblocks grade`, or\n"
    "--Execute.unsafe_no_sandbox=True to `nbgrader autograde`."
)


@functools.cache
def require() -> str:
    """The path of bubblewrap, once it has been seen to work here. Raises SandboxMissing."""
    found = shutil.which("bwrap")
    if not found:
        raise SandboxMissing(f"bubblewrap is not installed. {HOW_TO_GET_IT}")
    namespaces = ["--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    tried = subprocess.run([found, *namespaces, "true"], capture_output=True, text=True)
    if tried.returncode:
        raise SandboxMissing(f"bubblewrap does not work on this machine ({tried.stderr.strip()}). {HOW_TO_GET_IT}")
    return found


class Sandbox(LocalProvisioner):
    """One kernel in a sandbox of its own, with all that it starts; a watchdog ends it when it takes too much.

    `reason` says why the watchdog ended it, "" when it did not; at `deadline`, in seconds of time.monotonic, it does.
    """

    unsafe = Bool(False, help="start the kernel without a sandbox").tag(config=True)
    keras = Bool(False, help="whether Keras can be imported").tag(config=True)
    runtime = Unicode(help="folder with the sockets of kernel and broker, and the submission's files").tag(config=True)
    memory = Integer(1024, help="MB of all processes together, twice as much with Keras").tag(config=True)
    processes = Integer(48, help="processes and threads together, some more with Keras").tag(config=True)
    disk = Integer(64, help="MB in each of home, /tmp and /dev/shm").tag(config=True)
    open_files = Integer(128, help="open files of a process").tag(config=True)
    cpu = Integer(600, help="seconds on processors of all processes of a kernel together").tag(config=True)
    busy = Float(1.5, help="processors that all processes of a kernel together keep busy for seconds").tag(config=True)

    reason = ""
    connection: socket.socket | None = None
    deadline = math.inf
    # Seconds that the kernel itself, without what it started, has had a processor.
    had = 0.0
    _members: tuple[psutil.Process, ...] = ()
    _found: psutil.Process | None = None
    _own: Mapping[psutil.Process, float] = MappingProxyType({})

    @property
    def broker(self) -> Path:
        """Where the broker listens, as seen from outside."""
        return Path(self.runtime) / "broker"

    @property
    def _staged(self) -> Path:
        """What of the submission's files the sandbox sees; the kernel copies them once the broker serves."""
        return Path(self.runtime) / "files"

    async def pre_launch(self, **kwargs):
        kwargs = await super().pre_launch(**kwargs)
        if self.unsafe:
            kwargs["env"] = _environment(f"{self.runtime}/home") | {"PATH": os.environ.get("PATH", os.defpath)}
            kwargs["env"] |= _INLINE
            kwargs["cwd"] = self.runtime
        else:
            # Waited for now and not while the sandbox waits.
            try:
                _warm_parent(self.keras).wait()
            except NotWarm as error:
                raise SandboxMissing(str(error)) from None
            kwargs["cmd"], kwargs["env"], kwargs["cwd"] = [require()], {}, "/"
        # What a kernel writes past Jupyter would reach the instructor's terminal.
        return kwargs | {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    async def launch_kernel(self, cmd, **kwargs):
        self.connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            if self.unsafe:
                info = await self._launch_unsafe(theirs, **kwargs)
            else:
                info = await self._launch_in_sandbox(cmd, theirs, **kwargs)
        threading.Thread(target=self._watch, args=(self.process,), name="watchdog", daemon=True).start()
        return info

    async def _launch_unsafe(self, channel: socket.socket, **kwargs) -> dict:
        settings = self._settings(str(self.broker), str(self._staged), f"{self.runtime}/home/work")
        settings |= {"path": [str(INSIDE), str(ROOT)], "channel": channel.fileno()}
        command = [sys.executable, str(INSIDE / "start_kernel.py"), json.dumps(settings)]
        return await super().launch_kernel(command, **kwargs | {"pass_fds": [channel.fileno()]})

    async def _launch_in_sandbox(self, cmd, channel: socket.socket, **kwargs) -> dict:
        """Have bubblewrap make a sandbox, and a kernel forked into it.

        The sandbox waits for the kernel's exit code, which comes from outside of it, and ends with that.
        """
        program = seccomp.program()
        with contextlib.ExitStack() as files:
            (told, tells), (knows, says), (code, lifeline) = (_pipe(files) for _ in range(3))
            options = [*self._options(), "--info-fd", str(tells.fileno())]
            handed = [tells.fileno()]
            if program:
                handed.append(_file(program, files))
                options += ["--seccomp", str(handed[-1])]
            # In a file, since what is on the command line can be read in the sandbox.
            handed.append(_file("\0".join(options).encode(), files))
            command = [*cmd, "--args", str(handed[-1]), "/bin/sh", "-c", "echo; read code; exit ${code:-1}"]
            info = await super().launch_kernel(command, **kwargs | {"pass_fds": handed, "stdin": code, "stdout": says})
            for ours in (tells, says, code):
                ours.close()
            # What is mounted is all there once its first program runs.
            if await asyncio.to_thread(knows.readline) != b"\n":
                raise SandboxMissing("no sandbox came up")
            settings = self._settings("/run/broker", "/submission", _WORK)
            first = json.loads(told.read())["child-pid"]
            self._members = (psutil.Process(first),)
            handed = lifeline.fileno(), channel.fileno(), program
            try:
                waits = _warm_parent(self.keras).fork(first, settings, *handed)
            except NotWarm:
                # It may have ended at this moment.
                _warm_parent(self.keras).wait()
                waits = _warm_parent(self.keras).fork(first, settings, *handed)
            self._members += (psutil.Process(waits),)
        return info

    async def cleanup(self, restart: bool = False) -> None:
        self.end()
        if self.connection:
            self.connection.close()
        await super().cleanup(restart)

    @property
    def is_alive(self) -> bool:
        """Whether the kernel has not ended, and not been ended."""
        process = self.process
        return process is not None and process.poll() is None

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's group of processes; bubblewrap, which stands around it, knows of none."""
        if self.unsafe:
            await super().send_signal(signum)
        elif self._kernel:
            with contextlib.suppress(OSError, psutil.Error):
                # By psutil, who knows another process of the same number.
                if self._kernel.is_running():
                    os.killpg(self._kernel.pid, signum)

    def end(self) -> None:
        """Kill the kernel and all that it started, also while bubblewrap is still setting up."""
        # With the first process of the sandbox all others in it end, once what waits for the kernel has seen it.
        ending, process = [*self._members[:1]], self.process
        if process is not None:
            if not ending:
                with contextlib.suppress(psutil.Error):
                    ending += psutil.Process(process.pid).children(recursive=True)
            process.kill()
        for one in ending:
            # By psutil, who knows another process of the same number.
            with contextlib.suppress(psutil.Error):
                one.kill()

    async def kill(self, restart: bool = False) -> None:
        self.end()
        # It takes a few milliseconds; jupyter_client would look again after a hundred.
        with contextlib.suppress(subprocess.TimeoutExpired, AttributeError):
            self.process.wait(1)

    async def terminate(self, restart: bool = False) -> None:
        self.end()

    def _settings(self, broker: str, files: str, work: str) -> dict:
        limits = {
            "RLIMIT_FSIZE": self.disk * MEGABYTE,
            "RLIMIT_NOFILE": self.open_files,
            # The watchdog, who can say why, adds up all of them and comes first.
            "RLIMIT_CPU": self.cpu + 10,
            "RLIMIT_CORE": 0,
            # Signals that wait and timers, which Linux counts for each person. None of Python's own need any.
            "RLIMIT_SIGPENDING": 64,
            # TensorFlow reserves far more than it uses; there the watchdog has to do.
            "RLIMIT_AS": (8 if self.keras else 2) * self.memory * MEGABYTE,
        }
        if not self.unsafe and _counts_processes_by_namespace():
            limits["RLIMIT_NPROC"] = self._processes
        return {
            "broker": broker,
            "files": files,
            "work": work,
            "room": (self.disk - _ROOM_OF_ITS_OWN) * MEGABYTE,
            "limits": limits,
        }

    @property
    def _processes(self) -> int:
        # TensorFlow starts some for each processor.
        return self.processes + (16 + 4 * os.cpu_count() if self.keras else 0)

    def _options(self) -> list[str]:
        """bubblewrap's options."""
        size = ["--size", str(self.disk * MEGABYTE), "--tmpfs"]
        options = ["--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]
        options += ["--cap-drop", "ALL", "--die-with-parent", "--new-session", "--clearenv"]
        if _can_forbid_namespaces():
            options += ["--disable-userns"]
        for name, value in _environment(_HOME).items():
            options += ["--setenv", name, value]
        # What is mapped of /dev/zero and shared would be memory that nobody counts.
        options += ["--proc", "/proc", "--dev", "/dev", "--dev-bind", "/dev/null", "/dev/zero"]
        # All of a machine's terminals are counted together.
        options += ["--tmpfs", "/dev/pts", "--remount-ro", "/dev/pts"]
        options += (part for place in _WRITABLE for part in (*size, place))
        for place in packages.system():
            options += ["--ro-bind", place, place]
        for place in packages.others():
            options += ["--tmpfs", place]
        # At the places from which the warm parent has imported them. Every mount takes a third of a millisecond.
        whole, single = packages.folders(self.keras)
        for place in (INSIDE, packages.font_cache(), whole, *single.iterdir()):
            options += ["--ro-bind", str(place.resolve()), str(place)]
        for place in packages.others():
            options += ["--remount-ro", place]
        options += ["--ro-bind", str(self._staged), "/submission"]
        # Read-only, or its times would carry a word from one kernel to the next; to connect is no writing.
        options += ["--ro-bind", str(self.broker), "/run/broker"]
        # The settings of the machine ask for its root and for no capability; where root grades, this runs as root.
        return [*options, "--remount-ro", "/proc", "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", _HOME]

    def _watch(self, process: subprocess.Popen) -> None:
        """End the kernel when all of its processes together take more than their share, and with it what it leaves."""
        self._used, self._own, self._gone = collections.deque(), {}, 0.0
        while process.poll() is None:
            try:
                self.reason = self._excess(self._family())
            except Exception:
                # Whatever it was, the next look is not to be missing.
                self.reason = ""
            if self.reason:
                break
            time.sleep(0.2)
        self.end()

    def _family(self) -> list[psutil.Process]:
        """All processes of the kernel; in a sandbox the first of them adopts those that lose their parent.

        That one is among them, since it has the seconds of those that have ended.
        """
        first = (psutil.Process(self.process.pid),) if self.unsafe else self._members
        quickly = [one for each in first for one in (each, *_below(each))]
        # Linux may pass over some when others end meanwhile.
        if _TELLS_CHILDREN and self._own.keys() <= set(quickly):
            return quickly
        return [one for each in first for one in (each, *each.children(recursive=True))]

    @property
    def _kernel(self) -> psutil.Process | None:
        """The kernel's own process, once it has begun; None where it had ended before anybody looked for it."""
        if self._found is None:
            with contextlib.suppress(psutil.Error, IndexError):
                if self.unsafe:
                    self._found = psutil.Process(self.process.pid)
                else:
                    self._found = (_below(self._members[1]) or self._members[1].children())[0]
        return self._found

    @property
    def out_of_files(self) -> bool:
        """Whether the kernel has so many files open that it could not be asked anything more."""
        with contextlib.suppress(psutil.Error, OSError, AttributeError):
            return self._kernel.num_fds() > self.open_files - 8
        return False

    def _excess(self, members: list[psutil.Process]) -> str:
        """What there is too much of, in words; "" when all is well."""
        memory = threads = waited_for = 0
        own: dict[psutil.Process, float] = {}
        for one in members:
            try:
                with one.oneshot():
                    # What was in memory before the fork is the kernel's already, and not once more of who waits for it.
                    memory += 0 if one in self._members else _resident(one)
                    threads += one.num_threads()
                    times = one.cpu_times()
                    own[one] = times.user + times.system
                    waited_for += times.children_user + times.children_system
            except (psutil.Error, OSError):
                continue
        # Of children that nobody waits for nothing is left but what was seen of them.
        self._gone += sum(used for one, used in self._own.items() if one not in own)
        self._own = own
        seconds = sum(own.values()) + max(waited_for, self._gone)
        if time.monotonic() > self.deadline:
            return "its notebook took too long"
        allowed = self.memory * (2 if self.keras else 1)
        if memory > allowed * MEGABYTE:
            return f"it used more than {allowed} MB of memory"
        # The sandbox's own processes are among them.
        if threads > self._processes + 6:
            return f"it had more than {self._processes} processes and threads"
        self.had = own.get(self._kernel, self.had)
        if seconds > self.cpu:
            return f"it used more than {self.cpu} s on processors"
        if self._busy(seconds) > self.busy:
            return f"it kept more than {self.busy:g} processors busy for {_WINDOW:g} s"
        for place in _WRITABLE:
            used = None if self.unsafe else os.statvfs(f"/proc/{self._members[0].pid}/root{place}")
            if used and used.f_files - used.f_ffree > 20_000:
                return "it made more than 20,000 files"
        return ""

    def _busy(self, seconds: float) -> float:
        """How many processors were busy since some seconds ago; seconds: on processors until now."""
        now = time.monotonic()
        self._used.append((now, seconds))
        while len(self._used) > 1 and self._used[1][0] < now - _WINDOW:
            self._used.popleft()
        since, before = self._used[0]
        return (seconds - before) / (now - since) if now - since > _WINDOW else 0


def _below(process: psutil.Process) -> list[psutil.Process]:
    """All that descend from a process, as far as Linux tells; psutil looks at every process of the machine for it."""
    found, look = [], [process]
    while look:
        for listed in Path(f"/proc/{look.pop().pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                for number in listed.read_text().split():
                    with contextlib.suppress(psutil.Error):
                        found.append(psutil.Process(int(number)))
                        look.append(found[-1])
    return found


def _resident(process: psutil.Process) -> int:
    """Bytes of memory; a process whose first thread has ended says 0, and its other threads know."""
    return process.memory_info().rss or max(
        (
            int(path.read_text().split()[1]) * resource.getpagesize()
            for path in Path(f"/proc/{process.pid}/task").glob("*/statm")
        ),
        default=0,
    )


def _pipe(files: contextlib.ExitStack):
    """Both ends of a pipe, to read from and to write to, closed with `files`."""
    ends = os.pipe()
    return files.enter_context(open(ends[0], "rb")), files.enter_context(open(ends[1], "wb"))


def _file(content: bytes, files: contextlib.ExitStack) -> int:
    """The number of a file with this content, closed with `files`."""
    file = files.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    file.write(content)
    file.seek(0)
    return file.fileno()


def _environment(home: str) -> dict[str, str]:
    """All environment variables of the sandbox: nothing in them comes from the machine."""
    return {
        "HOME": home,
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        # Visible checks, predictions and widgets ask for it: while grading they do nothing, or show a still picture.
        "NBGRADER_EXECUTION": "autograde",
        # A thread for each of a server's processors would take memory and no time off arrays this small.
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": "tensorflow",
    }


_INLINE = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
"""What has plots drawn into a notebook."""

_WARM: dict[tuple[int, bool], WarmParent] = {}


def begin() -> WarmParent | None:
    """Start the process that kernels without Keras are forked from, and go on while it imports; returns it.

    None where none can be started: who needs a kernel tries it again, and says why it cannot be had.
    """
    with contextlib.suppress(Exception):
        return _warm_parent(keras=False)
    return None


def take(parent: WarmParent) -> None:
    """Have kernels without Keras forked from the process that another one has started."""
    _WARM[os.getpid(), False] = parent


def _warm_parent(keras: bool) -> WarmParent:
    """The one that this process has started or was given; a new one where it has ended."""
    kind = os.getpid(), keras
    if kind not in _WARM or not _WARM[kind].alive:
        path = [str(INSIDE), *map(str, packages.folders(keras))]
        # Inside there are no such variables before a kernel starts, but what reads them has been imported by then.
        # Keras would read, or write, a file of whoever has that home out here, or in /tmp.
        environment = _environment(_HOME) | {"MPLCONFIGDIR": str(packages.font_cache()), "KERAS_HOME": os.devnull}
        environment |= _INLINE
        modules = EVERYBODY + ["keras"] * keras
        _WARM[kind] = WarmParent.start(packages.python(), path, environment, modules)
    return _WARM[kind]


@functools.cache
def _can_forbid_namespaces() -> bool:
    return "--disable-userns" in subprocess.run([require(), "--help"], capture_output=True, text=True).stdout


def _counts_processes_by_namespace() -> bool:
    """Before Linux 5.14 the limit would count every process of the person who grades."""
    major, minor = platform.release().split(".")[:2]
    return (int(major), int(minor.split("-")[0])) >= (5, 14)
