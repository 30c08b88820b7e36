"""Right functions that are lent to a student's function while it is tried, so that one bug costs once.

They are never where the student's code runs: it sends arguments and gets values. Since such arguments can be anything,
grading has them computed by a process with little time and memory of its own, `python -m autograde_tests.lending`.
"""

import ast
import functools
import json
import math
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection
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

CPU = 10
"""Seconds on a processor that it has for one answer."""


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


def lend(question: bytes, names: Collection[str]) -> bytes:
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
    """`lend` in a process of its own, of which this one keeps one for all checks; one at a time may use it."""

    _process: subprocess.Popen | None = None
    _is_ready = False
    _connection: socket.socket | None = None

    @classmethod
    def end(cls) -> None:
        """End the process; the next question gets another."""
        if cls._process:
            cls._process.kill()
            cls._process.wait()
            cls._connection.close()
            Lender._process = None

    @classmethod
    def begin(cls) -> None:
        """Start the process where there is none, and go on while it imports."""
        if cls._process is None or cls._process.poll() is not None:
            cls.end()
            Lender._is_ready = False
            Lender._connection, theirs = socket.socketpair()
            with theirs:
                Lender._process = subprocess.Popen(
                    [sys.executable, "-m", __name__, str(theirs.fileno())],
                    cwd=ROOT,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )

    @classmethod
    def start(cls) -> None:
        """Have the process ready, so that its start takes nobody's time for an answer."""
        cls.begin()
        if not cls._is_ready:
            try:
                receive(cls._connection, time.monotonic() + START)
                Lender._is_ready = True
            except TimeoutError:
                cls.end()

    @classmethod
    def ask(cls, question: bytes, names: Collection[str], deadline: float) -> bytes:
        """The answer to a question, see `lend`. Raises TimeoutError after the deadline (of time.monotonic())."""
        cls.start()
        if cls._process is None:
            return _no_answer("nothing can be lent on this machine now")
        try:
            cls._connection.settimeout(max(deadline - time.monotonic(), 0.01))
            send(cls._connection, json.dumps(list(names)).encode())
            send(cls._connection, question)
            reply = receive(cls._connection, deadline)
        except TimeoutError:
            cls.end()
            raise
        except (OSError, MalformedMessage):
            reply = b""
        if not reply:
            # It took more than it may.
            cls.end()
        return reply or _no_answer("it took more memory or time than a lent function may")


def main() -> None:
    """Answer questions on the socket of the given number until the other side is gone."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    send(connection, b"ready")
    while names := receive(connection):
        question = receive(connection)
        used = resource.getrusage(resource.RUSAGE_SELF)
        most = math.ceil(used.ru_utime + used.ru_stime) + CPU
        resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
        send(connection, lend(question, json.loads(names)))


if __name__ == "__main__":
    main()
