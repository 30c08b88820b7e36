"""Warm parents: processes from which kernels are forked in milliseconds, instead of starting in a second."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import tempfile
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import BinaryIO

INSIDE = Path(__file__).resolve().parent / "inside"

START = 120.0
"""Seconds that a parent may take to import everything."""

ANSWER = 60.0
"""Seconds that it may take to fork."""


class NotWarm(RuntimeError):
    """A warm parent did not come up, or ended; the text says so."""


class WarmParent:
    """A process that has imported some modules, `grading/inside/warm_parent.py`. It ends when nobody can ask any more.

    Several processes can ask one: it can be given to others where multiprocessing starts them.
    """

    def __init__(self, asking: socket.socket, said: BinaryIO, process: subprocess.Popen | None = None):
        self._asking, self._said, self._process = asking, said, process
        self._ready = self._ended = False

    @classmethod
    def start(cls, python: str, path: list[str], environment: dict[str, str], modules: list[str]) -> WarmParent:
        """Start one, and go on while it imports; see `wait`.

        python: the interpreter. path: folders it imports from, which have to be seen in the sandboxes as well.
        environment: all of its environment variables. modules: what it imports besides what a kernel does; where one
        has a function `prepare`, that makes what notebooks ask of it.
        """
        asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = [str(asked.fileno()), json.dumps(path), json.dumps(modules)]
        # A pipe that nobody reads would stop it once it is full.
        said = tempfile.TemporaryFile()  # noqa: SIM115
        with asked:
            process = subprocess.Popen(
                # Not isolated (-I), or each parent would order sets of words in a way of its own, and so would their
                # kernels. Its environment is none of whoever grades.
                [python, "-s", "-P", str(INSIDE / "warm_parent.py"), *arguments],
                pass_fds=[asked.fileno()],
                env=environment | {"PYTHONHASHSEED": "0"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        return cls(asking, said, process)

    def __reduce__(self):
        return _given, (self._asking, DupFd(self._said.fileno()))

    def wait(self) -> None:
        """Wait until it has imported everything. Raises NotWarm."""
        if not self._ready:
            self._ask({}, [], START)
            self._ready = True

    def fork(self, sandbox: int, settings: dict, lifeline: int, channel: int, seccomp: bytes) -> int:
        """Start a kernel in a sandbox; the number of the process that waits for it, a parent of the kernel.

        sandbox: number of its first process. settings: see start_kernel.py. lifeline: a pipe; the kernel's exit code is
        written to it, as a shell counts it, and it is closed. channel: a socket, the kernel's connection. seccomp: the
        filter of system calls. Raises NotWarm.
        """
        with tempfile.TemporaryFile() as program:
            program.write(seccomp)
            program.flush()
            files = [lifeline, program.fileno(), channel]
            return self._ask({"sandbox": sandbox, "settings": settings}, files, ANSWER)

    def _ask(self, request: dict, files: list[int], seconds: float) -> int:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with mine:
                with theirs:
                    socket.send_fds(self._asking, [json.dumps(request).encode()], [theirs.fileno(), *files])
                mine.settimeout(seconds)
                answer = mine.recv(1000).decode(errors="replace")
        except OSError as error:
            answer, said = "", str(error)
        else:
            said = answer or os.pread(self._said.fileno(), 1 << 20, 0).decode(errors="replace").strip().split("\n")[-1]
        if answer.isdigit():
            return int(answer)
        if not answer:
            self.end()
        raise NotWarm(f"the process that kernels are forked from could not start one: {said}")

    @property
    def alive(self) -> bool:
        """Whether it can be asked: here it was never in vain, and the socket's other side is open."""
        look = select.poll()
        look.register(self._asking, 0)
        return not self._ended and not look.poll(0)

    def end(self) -> None:
        """Do not ask it again, and end it where this process has started it; its kernels go on."""
        self._ended = True
        if self._process:
            self._process.kill()
            self._process.wait()


def _given(asking: socket.socket, said: DupFd) -> WarmParent:
    given = WarmParent(asking, open(said.detach(), "rb"))  # noqa: SIM115
    for file in (asking, given._said):
        # Whoever can ask it can have it fork into what it says is a sandbox.
        os.set_inheritable(file.fileno(), False)
    return given
