"""Right functions that are lent to a student's function while it is tried, so that one bug costs once.

They are never where the student's code runs: it sends arguments and gets values. Since such arguments can be anything,
grading has them computed by a process with little time and memory of its own, `python -m autograde_tests.lending`.
"""

import ast
import functools
import json
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from convblocks.calling import call
from convblocks.transfer import MalformedMessage, Unknown, called, pack, plain, receive, send, unpack

ROOT = Path(__file__).resolve().parent.parent

SECONDS = 2.0
"""How long one call of a lent function may take."""

START = 60.0
"""How long the process that computes them may take to start, in seconds."""

MEMORY = 2**30
"""Bytes of address space of the process that computes them."""

CPU = 60
"""Seconds on a processor that it has for one check."""


@functools.cache
def right_function(name: str) -> Callable:
    """The course's own solution, with what stands above it in its notebook. Raises KeyError for a name without one."""
    for notebook in sorted((ROOT / "source").glob("*/*.ipynb")):
        cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
        places = {cell["id"]: place for place, cell in enumerate(cells)}
        if name in places:
            break
    else:
        raise KeyError(name)
    namespace: dict = {}
    for cell in cells[: places[name] + 1]:
        tree = ast.parse("".join(cell["source"]))
        # Functions and imports are all that it needs; the rest is the lesson.
        tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef))]
        exec(compile(tree, notebook.name, "exec"), namespace)
    return namespace[name]


def lend(question: bytes, names: Sequence[str]) -> bytes:
    """What a right function gives, asked and answered in messages as `convblocks.calling.answer` sends and takes them.

    names: those that may be asked for. Never raises for what is asked.
    """
    try:
        asked = unpack(question)
        if asked["name"] not in names:
            raise MalformedMessage("it is not lent here")
        args, kwargs = list(asked["args"]), dict(asked["kwargs"])
        outcome = call(lambda *a, **k: plain(right_function(asked["name"])(*a, **k)), *args, seconds=SECONDS, **kwargs)
    except (MalformedMessage, KeyError, TypeError, ValueError) as error:
        return _no_answer(f"what it was asked cannot be read ({type(error).__name__})")
    reply = {"kind": outcome.kind, "sentence": outcome.sentence, "changed": [], "value": outcome.value}
    try:
        return pack(reply)
    except MalformedMessage:
        return pack(reply | {"value": Unknown(f"{called(outcome.value)}, which is too large,")})


def _no_answer(sentence: str) -> bytes:
    return pack({"kind": "raised", "sentence": sentence, "changed": [], "value": None})


class Lender:
    """`lend` in a process of its own, started when it is first asked; a context manager that ends it."""

    def __init__(self, names: Sequence[str]):
        self._names = tuple(names)
        self._process: subprocess.Popen | None = None

    def __enter__(self) -> "Lender":
        return self

    def __exit__(self, *exception) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._connection.close()

    def start(self) -> None:
        """Have the process ready, so that its start takes nobody's time for an answer."""
        if self._process is None:
            self._connection, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(theirs.fileno()), *self._names],
                    cwd=ROOT,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            try:
                receive(self._connection, time.monotonic() + START)
            except TimeoutError:
                self.__exit__()

    def ask(self, question: bytes, deadline: float) -> bytes:
        """The answer to a question. Raises TimeoutError after the deadline (in seconds of time.monotonic())."""
        self.start()
        if self._process is None:
            return _no_answer("nothing can be lent on this machine now")
        try:
            self._connection.settimeout(max(deadline - time.monotonic(), 0.01))
            send(self._connection, question)
            reply = receive(self._connection, deadline)
        except TimeoutError:
            self.__exit__()
            raise
        except (OSError, MalformedMessage):
            reply = b""
        if not reply:
            # It took more than it may; the next question gets another.
            self.__exit__()
        return reply or _no_answer("it took more memory or time than a lent function may")


def main() -> None:
    """Answer questions on the given socket until the other side is gone. Arguments: its number, names that are lent."""
    connection, names = socket.socket(fileno=int(sys.argv[1])), sys.argv[2:]
    right_function(names[0])
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    send(connection, b"ready")
    while question := receive(connection):
        send(connection, lend(question, names))


if __name__ == "__main__":
    main()
