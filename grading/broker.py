"""The broker: hands a check's calls to a student's kernel, one at a time, judges what comes back and keeps the score.

It lives outside the sandbox. What reaches it are bytes that `convblocks.transfer` reads; the sandbox learns the
arguments of calls and nothing else, neither answers nor scores.
"""

import contextlib
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Collection, Generator
from pathlib import Path

from autograde_tests.checking import (
    NO_ANSWER,
    NOT_MADE,
    UNREADABLE,
    Request,
    Result,
    conversation,
    showing,
    to_outcome,
    version,
)
from autograde_tests.lending import Lender
from convblocks.calling import Outcome
from convblocks.table import Line
from convblocks.transfer import QUESTION, MalformedMessage, receive, send

log = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds that a call may take beyond its own limit, for the way to and fro, before the kernel counts as stuck."""


def no_result(name: str, points: float, sentence: str) -> Result:
    """The result of a check that could not be made, with the reason."""
    lines = [Line(NOT_MADE, False, sentence, points)]
    return Result(name, points, 0.0, lines, version=version(name))


class Broker:
    """Listens at `path` from now on, and serves what connects while the `with` block lasts.

    on_stuck: called when a kernel does not come back from a call.
    """

    def __init__(self, path: Path, on_stuck: Callable[[], None] = lambda: None):
        self.on_stuck = on_stuck
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(16)
        self._thread = threading.Thread(target=self._serve, name="broker", daemon=True)
        # One thread at a time may drive the open check: the one that serves, or the one that closes it.
        self._lock = threading.Lock()
        self._check: _OpenCheck | None = None
        self._connection: socket.socket | None = None
        self._closing = False
        # Whether the check that was opened last has asked for a call, and for one with functions lent to it; names that
        # the student's code missed in such a call.
        self.asked = self.lent = False
        self.missing: set[str] = set()

    def __enter__(self) -> "Broker":
        self._thread.start()
        return self

    def __exit__(self, *exception) -> None:
        self.end()

    def end(self) -> None:
        """Listen no longer."""
        # Wakes the thread that waits for a connection.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._thread.is_alive():
            self._thread.join()

    def open(self, name: str, points: float, lendable: Collection[str] = (), source: str = "") -> None:
        """From now on connections are calls of this check. Raises KeyError for a check that is not known.

        source: the student's code, which may be quoted. lendable: functions that may be answered for the student's;
        none whose own check is still to come, since code that is asked could then find its answers out.
        """
        self._open(name, points, conversation(name, points, lendable=lendable, source=source, shows=False), lendable)

    def open_to_show(self, name: str, lent: Collection[str]) -> None:
        """As `open`, for what is told of the cases that may be shown, see `checking.showing`; nothing is scored."""
        self._open(name, 0.0, showing(name, lent), lent)

    def _open(self, name: str, points: float, steps: Generator, lendable: Collection[str]) -> None:
        self._closing = self.asked = self.lent = False
        self.missing = set()
        with self._lock:
            self._check = _OpenCheck(name, points, steps, lendable)

    def close(self, reason: str) -> Result:
        """No more calls; the result of the check that was open. reason: what is said of calls not answered."""
        self._closing = True
        with contextlib.suppress(OSError, AttributeError):
            self._connection.shutdown(socket.SHUT_RDWR)
        with self._lock:
            check, self._check = self._check, None
            return check.finish(Outcome("ended", sentence=reason))

    def _serve(self) -> None:
        while True:
            try:
                self._connection, _ = self._listener.accept()
            except OSError:
                return
            # Without an open check, and while `close` waits for its turn, there is nothing to ask.
            with self._connection, self._lock:
                if not self._closing and self._check is not None and self._check.request is not None:
                    outcome = self._ask(self._connection, self._check.request)
                    if outcome is not None:
                        self.missing.update(re.findall(r"NameError: name '(\w+)' is not defined", outcome.sentence))
                        self._check.proceed(outcome)
                else:
                    with contextlib.suppress(OSError):
                        send(self._connection, b"")

    def _ask(self, connection: socket.socket, request: Request) -> Outcome | None:
        """One call in the student's process; None when the check was closed meanwhile."""
        borrowed = False
        try:
            if request["lent"]:
                Lender.start()
            deadline = time.monotonic() + request["seconds"] + GRACE
            connection.settimeout(request["seconds"] + GRACE)
            self.asked, self.lent = True, bool(request["lent"])
            send(connection, request.packed)
            while (reply := receive(connection, deadline)).startswith(QUESTION):
                if not request["lent"]:
                    raise MalformedMessage("nothing is lent to it")
                borrowed = True
                send(connection, Lender.ask(reply.removeprefix(QUESTION), self._check.lendable, deadline))
            if self._closing:
                return None
            outcome = to_outcome(reply)
        except TimeoutError:
            if self._closing:
                return None
            self.on_stuck()
            sentence = "no answer in time, and the call could not be stopped"
            outcome = Outcome("too long", sentence=sentence)
        except MalformedMessage as error:
            outcome = Outcome("raised", sentence=f"{UNREADABLE}: {error}")
        except OSError:
            if self._closing:
                return None
            outcome = Outcome("raised", sentence=NO_ANSWER)
        outcome.borrowed = borrowed
        return outcome


class _OpenCheck:
    """A check under way: `request` is the call that is due, None when all are answered."""

    def __init__(self, name: str, points: float, steps: Generator, lendable: Collection[str]):
        self._name, self._points = name, points
        self._steps, self.lendable = steps, lendable
        self.request: Request | None = None
        self.result: Result | None = None
        self.proceed(None)

    def proceed(self, outcome: Outcome | None) -> None:
        try:
            self.request = self._steps.send(outcome)
        except StopIteration as end:
            self.request, self.result = None, end.value
        except Exception as error:
            # What a stranger's answer has brought about costs that stranger's check, and not the class its run.
            log.exception("a check could not be judged")
            sentence = f"the answers could not be judged ({type(error).__name__})"
            self.request, self.result = None, no_result(self._name, self._points, sentence)

    def finish(self, outcome: Outcome) -> Result:
        while self.result is None:
            self.proceed(outcome)
        return self.result
