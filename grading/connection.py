"""The grader's side of a kernel's only connection, with channels as jupyter_client's clients have them.

What a kernel sends is the student's. More than fits into the memory is not kept, and is not read before it is wanted.
"""

import asyncio
import contextlib
import json
import math
import queue
import socket
import time
from collections import deque
from collections.abc import Callable

from jupyter_client.asynchronous import AsyncKernelClient

from grading.inside import kernel_packets
from grading.inside.kernel_packets import MOST, SIZE, Joined

PATIENCE = 180
"""Seconds that a kernel may take to answer for the first time, on a machine that has much else to do."""

WAITING = 256
"""Messages of one channel that may wait while only those of the other one are asked for; together twice MOST bytes."""

ENVELOPE = 500
"""Bytes of a message that are not what it says."""

TAKES = 10.0
"""Seconds that a kernel may take to read what it is asked."""

LOOKS = 0.25
"""Seconds after which it is looked whether what was asked is to be waited for any longer."""

LAST = 10.0
"""Seconds in which a kernel has ended that can no longer be heard; or it has closed its side."""

CUT = "[the rest of the output was cut]"
NO_MESSAGE = "the kernel sent what no kernel sends"
TOO_MUCH = "it sent more than anyone could read"


class Connection:
    """Reads messages for two channels from one socket, and writes others.

    alive: says whether the kernel's process is there. most: bytes that it may send in all. on_misuse: called with what
    is wrong with what a kernel sends, to end it. is_over: says whether what was asked is to be waited for no longer.
    is_closed: whether nothing more can come.
    """

    def __init__(self, ours: socket.socket, alive: Callable[[], bool]):
        self._socket, self._alive = ours, alive
        self._socket.setblocking(False)
        self.most, self.on_misuse, self.is_over = math.inf, lambda reason: None, lambda: False
        self.is_closed = False
        self._joined, self._received, self._tries = Joined(MOST), 0, 0
        # Those that wait are kept as they came: what is made of them takes many times the memory.
        self._waiting: dict[str, deque[bytes]] = {"shell": deque(), "iopub": deque()}
        self._turn = asyncio.Lock()
        self._asked = ""

    def send(self, message: dict, packed: bytes) -> None:
        """Send a message; one that a kernel does not take is lost. Raises TimeoutError."""
        self._asked = message["header"]["msg_id"]
        # A kernel that is gone is found when its answer is waited for.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            kernel_packets.send(self._socket, packed, TAKES)

    async def next(self, channel: str) -> dict:
        """The next message of a channel. Raises EOFError where no more can come, or what came was none."""
        mine = self._waiting[channel]
        while not mine:
            # One reads for both.
            async with self._turn:
                if not mine and (found := await self._read_for(channel)):
                    return found
            # The other one may have got it.
            await asyncio.sleep(0)
        return _checked(mine.popleft())

    async def _read_for(self, channel: str) -> dict | None:
        """Read a message; None where it is not of this channel, or answers nothing that was asked. Raises EOFError."""
        packed = await self._read()
        try:
            message = _checked(packed)
        except ValueError:
            return await self._misused(NO_MESSAGE)
        if message["parent_header"].get("msg_id") != self._asked:
            return None
        kind = "shell" if message["msg_type"].endswith("_reply") else "iopub"
        if kind == channel:
            return message
        waiting = self._waiting[kind]
        if len(waiting) < WAITING and sum(map(len, waiting)) + len(packed) <= 2 * MOST:
            waiting.append(packed)
        return None

    async def _read(self) -> bytes:
        """The next message as it came, or what stands for one that was too large. Raises EOFError."""
        message = None
        while message is None:
            packet = await self._packet()
            message = self._joined.take(packet)
            self._received += len(packet) + 32
            if message is not None:
                # Honest ones are mostly small, and a class prints a lot.
                self._received -= min(ENVELOPE, len(message))
            if self._received > self.most:
                await self._misused(TOO_MUCH)
        return self._cut() if self._joined.is_cut else message

    async def _misused(self, reason: str) -> None:
        """Have the kernel ended. Raises EOFError."""
        self.on_misuse(reason)
        await self._end()

    async def _end(self) -> None:
        """Wait until the kernel has ended. Raises EOFError."""
        if not self.is_closed:
            # Whoever waits for it may ask again and again.
            self.is_closed, self._last = True, time.monotonic() + LAST
        while self._alive() and time.monotonic() < self._last:
            await asyncio.sleep(0.005)
        raise EOFError

    async def _packet(self) -> bytes:
        """The next packet; none is lost when whoever waits for it no longer does. Raises EOFError."""
        while True:
            self._tries += 1
            if self._tries % 64 == 0:
                # Whatever a kernel sends, others have their turn.
                await asyncio.sleep(0)
            try:
                packet = b"" if self.is_closed else self._socket.recv(SIZE)
            except BlockingIOError:
                await self._readable()
                continue
            except OSError:
                packet = b""
            return packet or await self._end()

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        readable = loop.create_future()
        loop.add_reader(self._socket, lambda: readable.done() or readable.set_result(None))
        try:
            await readable
        finally:
            loop.remove_reader(self._socket)

    def _cut(self) -> bytes:
        """In place of a message that was too large to be read."""
        content = {"name": "stdout", "text": f"{CUT}\n"}
        asked = {"msg_id": self._asked}
        return json.dumps({"header": {"msg_type": "stream"}, "parent_header": asked, "content": content}).encode()


def _checked(packed: bytes) -> dict:
    """A message, with the size of what it says. Raises ValueError for what is none."""
    try:
        message = json.loads(packed.decode(errors="replace"))
        header, parent, content = (message[part] for part in ("header", "parent_header", "content"))
        metadata = message.get("metadata", {})
        kind = header["msg_type"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no message ({type(error).__name__})") from None
    if not all(isinstance(one, dict) for one in (header, parent, content, metadata)) or not isinstance(kind, str):
        raise ValueError("no message")
    return {
        "header": header,
        "msg_id": header.get("msg_id"),
        "msg_type": kind,
        "parent_header": parent,
        "content": content,
        "metadata": metadata,
        "size": max(1, len(packed) - ENVELOPE),
    }


class Channel:
    """One channel of a connection, as far as nbclient uses it."""

    def __init__(self, connection: Connection, name: str, client: AsyncKernelClient):
        self._connection, self._name, self._client = connection, name, client

    def send(self, message: dict) -> None:
        """Send a message. Raises TimeoutError when the kernel does not take it."""
        self._connection.send(message, self._client.session.pack(message))

    async def get_msg(self, timeout: float | None = None) -> dict:
        """The next message. Raises queue.Empty after `timeout` seconds, once time is over, or if no more can come."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                async with asyncio.timeout(None if end is None else min(end - time.monotonic(), LOOKS)):
                    return await self._connection.next(self._name)
            except EOFError:
                if timeout is None:
                    # Whoever waits so is told of the kernel's end by others.
                    await asyncio.Event().wait()
                raise queue.Empty from None
            except TimeoutError:
                if time.monotonic() >= end or self._connection.is_over():
                    raise queue.Empty from None


class Client(AsyncKernelClient):
    """Asks a kernel of `grading.sandbox`, its parent's, through the connection that its provisioner has made."""

    _connection: Connection | None = None

    def limit(self, most: int, on_misuse: Callable[[str], None], is_over: Callable[[], bool]) -> None:
        """Have a kernel ended that sends more bytes than that, or what is no message; for arguments see Connection."""
        connection = self._connection
        connection.most, connection.on_misuse, connection.is_over = most, on_misuse, is_over

    def start_channels(self, **which: bool) -> None:
        """Connect to the kernel; which channels are asked for does not matter."""
        provisioner = self.parent.provisioner
        self._connection = Connection(provisioner.connection, lambda: provisioner.is_alive)
        self._shell_channel = Channel(self._connection, "shell", self)
        self._iopub_channel = Channel(self._connection, "iopub", self)

    def stop_channels(self) -> None:
        """Ask no more."""
        self._connection = self._shell_channel = self._iopub_channel = None

    @property
    def channels_running(self) -> bool:
        return self._connection is not None

    @property
    def is_closed(self) -> bool:
        """Whether the kernel can no longer be heard."""
        return self._connection is not None and self._connection.is_closed

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers. Raises RuntimeError when it does not."""
        deadline = time.monotonic() + (PATIENCE if timeout is None else timeout)
        while time.monotonic() < deadline:
            asked = self.kernel_info()
            with contextlib.suppress(queue.Empty):
                reply = await self.shell_channel.get_msg(timeout=30)
                if reply["parent_header"].get("msg_id") == asked:
                    return self._handle_kernel_info_reply(reply)
            if not await self.parent.is_alive():
                raise RuntimeError("the kernel died before it was ready")
        raise RuntimeError("the kernel did not answer in time")
