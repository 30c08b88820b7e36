"""Warm parents: processes from which kernels are forked in milliseconds, instead of starting in a second."""

import json
import socket
import subprocess
import tempfile
from pathlib import Path

INSIDE = Path(__file__).resolve().parent / "inside"

START = 120.0
"""Seconds that a parent may take to import everything."""

ANSWER = 60.0
"""Seconds that it may take to fork."""


class NotWarm(RuntimeError):
    """A warm parent did not come up, or ended; the text says so."""


class WarmParent:
    """A process that has imported some modules, `grading/inside/warm_parent.py`.

    python: the interpreter. path: folders it imports from, which have to be seen in the sandboxes as well. environment:
    all of its environment variables. modules: what it imports besides what a kernel does, from now on; see `wait`.
    """

    def __init__(self, python: str, path: list[str], environment: dict[str, str], modules: list[str]):
        self._asking, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        arguments = [str(theirs.fileno()), json.dumps(path), json.dumps(modules)]
        # A pipe that nobody reads would stop it once it is full.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        with theirs:
            self._process = subprocess.Popen(
                [python, "-I", str(INSIDE / "warm_parent.py"), *arguments],
                pass_fds=[theirs.fileno()],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
                start_new_session=True,
            )
        self._ready = False

    def wait(self) -> None:
        """Wait until it has imported everything. Raises NotWarm."""
        if not self._ready:
            said = self._answer(START)
            if said != b"ready":
                self.end()
                raise NotWarm(
                    f"the process that kernels are forked from could not start: {said.decode(errors='replace')}"
                )
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
            request = json.dumps({"sandbox": sandbox, "settings": settings}).encode()
            try:
                socket.send_fds(self._asking, [request], [lifeline, program.fileno(), channel])
            except OSError as error:
                self.end()
                raise NotWarm(f"the process that kernels are forked from cannot be asked for one: {error}") from None
            return int(self._answer(ANSWER))

    def _answer(self, seconds: float) -> bytes:
        self._asking.settimeout(seconds)
        try:
            answer = self._asking.recv(1000)
        except OSError:
            answer = b""
        if not answer:
            self.end()
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").split("\n")
            raise NotWarm(f"the process that kernels are forked from ended: {' '.join(said[-2:])}")
        return answer

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """End the parent; its kernels go on."""
        self._asking.close()
        self._process.kill()
        self._process.wait()
