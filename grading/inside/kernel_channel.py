"""The kernel's side of its only connection: whatever it says goes to whoever grades, in the order it was said in."""

import contextlib
import io
import json
import os
import socket
import sys
import threading
import time

import kernel_packets
from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session
from traitlets import Instance

CHARACTERS = 1_500_000
"""What one cell may write to each stream. More than whoever grades keeps, and no message that is too large to take."""

OF_AN_ERROR = 100_000
"""Characters of what an error says, and of each line of how it came about."""

_FOLLOWED = "execute_input", "execute_reply"
"""Messages that wait for the next one: to wake whoever reads for each takes longer than to read them."""

INTERVAL = 0.2
"""Seconds after which what was written is sent, also in the midst of a cell."""


class Channel(Session):
    """Messages of the shell and iopub channels as JSON, in packets of one socket; nothing else is asked of a kernel."""

    connection = Instance(socket.socket, allow_none=True)
    kernel = 0
    """Number of the process that is the kernel."""

    def __init__(self, **traits):
        super().__init__(**traits)
        self.make_turn()

    def make_turn(self) -> None:
        """Who sends, or writes to a stream; again by the same thread, since what is interrupted may say so."""
        self.turn = threading.RLock()
        self._waiting: list[bytes] = []

    def send(self, stream, msg_or_type, content=None, parent=None, ident=None, buffers=None, track=False, **named):
        """Send a message, as ipykernel does; `stream`, `ident`, `buffers` and `track` are for ZMQ alone."""
        known = isinstance(msg_or_type, dict)
        message = msg_or_type if known else self.msg(msg_or_type, content=content, parent=parent, **named)
        content = message["content"]
        # That a cell begins is of use to nobody.
        if self.connection is None or content == {"execution_state": "busy"}:
            return message
        # Where a cell has forked and gone on in both, it has ended when it has in the kernel itself.
        if os.getpid() != self.kernel and message["header"]["msg_type"] in ("execute_reply", "status"):
            return message
        if "traceback" in content:
            lines = [str(line)[:OF_AN_ERROR] for line in content["traceback"][-50:]]
            content |= {"evalue": str(content.get("evalue"))[:OF_AN_ERROR], "traceback": lines}
        with self.turn:
            self._waiting.append(self._packed(message))
            if message["header"]["msg_type"] not in _FOLLOWED:
                # A signal's handler may print meanwhile, and send what waits.
                with contextlib.suppress(IndexError):
                    while True:
                        kernel_packets.send(self.connection, self._waiting.pop(0))
        return message

    def _packed(self, message: dict) -> bytes:
        try:
            return self.pack(message)
        except UnicodeEncodeError:
            # Half of a pair that stands for one character: no file could keep it.
            return json.dumps(message, default=json_default, ensure_ascii=False).encode(errors="replace")

    def feed_identities(self, msg_list, copy=True):
        return [], msg_list

    def deserialize(self, msg_list, content=True, copy=True):
        return json.loads(msg_list[0])


class CutStream(io.TextIOBase):
    """stdout or stderr: the beginning of what a cell writes, so an honest print of 20 MB costs nothing but its end.

    number: under which others write past Python, such as the commands of a `!` line, to a file. file: a number of the
    same file that nobody else knows.
    """

    encoding = "UTF-8"

    def __init__(self, session: Channel, name: str, number: int, file: int):
        super().__init__()
        self._session, self.name, self._number, self._file = session, name, number, file
        self._parent: dict = {}
        self._parts: list[str] = []
        self._room, self._sent = CHARACTERS, 0.0

    def set_parent(self, parent: dict) -> None:
        """The message whose cell writes from now on."""
        self.flush()
        self._parent, self._room = parent, CHARACTERS

    def forget(self) -> None:
        """Leave what has been written to another process, of which this one is a fork."""
        self._parts.clear()

    def fileno(self) -> int:
        return self._number

    def writable(self) -> bool:
        return True

    def write(self, string: str) -> int:
        if not isinstance(string, str):
            raise TypeError(f"write() argument must be str, not {type(string).__name__}")
        with self._session.turn:
            if self._waits():
                self.flush()
            other = sys.stderr if self is sys.stdout else sys.stdout
            if isinstance(other, CutStream) and other._parts:
                other.flush()
            if self._room:
                self._parts.append(string[: self._room])
                self._room -= len(self._parts[-1])
            if time.monotonic() - self._sent > INTERVAL:
                self.flush()
        return len(string)

    def _waits(self) -> int:
        """Bytes that others have written to the file."""
        try:
            return os.fstat(self._file).st_size
        except OSError:
            return 0

    def flush(self) -> None:
        with self._session.turn:
            if self._waits():
                beginning = os.pread(self._file, 4 * self._room, 0).decode(errors="replace")[: self._room]
                os.truncate(self._file, 0)
                self._parts.append(beginning)
                self._room -= len(beginning)
            text = "".join(self._parts)
            self._parts.clear()
            self._sent = time.monotonic()
            if text:
                self._session.send(None, "stream", {"name": self.name, "text": text}, parent=self._parent)
