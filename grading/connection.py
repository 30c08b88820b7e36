"""The grader's side of a kernel's only connection, with channels as jupyter_client's clients have them.

What a kernel sends is the student's. More than fits into the memory is not kept, and is not read before it is wanted.
"""

import asyncio
import contextlib
import json
import queue
import select
import socket
import time
from collections import deque

from jupyter_client.asynchronous import AsyncKernelClient

from grading.inside.packets import SIZE, Joined, packets

PATIENCE = 180
"""Seconds that a kernel may take to answer for the first time, on a machine that has much else to do."""

MOST = 12 * 2**20
"""Bytes of one message."""

WAITING = 256
"""Messages of one channel that may wait while only those of the other one are asked for; together twice MOST bytes."""

LAST = 1.0
"""Seconds in which a kernel has ended that can no longer be heard; or it has closed its side."""

CUT = "[the rest of the output was cut]"


class Connection:
    """Reads messages for two channels from one socket, and writes others.

    alive: says whether the kernel's process is there.
    """

    def __init__(self, ours: socket.socket, alive):
        self._socket, self._alive = ours, alive
        self._socket.setblocking(False)
        self._joined = Joined(MOST)
        self._messages: dict[str, deque[dict]] = {"shell": deque(), "iopub": deque()}
        self._turn = asyncio.Lock()
        self._asked: dict = {}
        self.is_closed = False

    def send(self, message: dict, packed: bytes) -> None:
        """Send a message; one that a kernel does not take is lost. Raises TimeoutError."""
        self._asked = message["header"]
        for packet in packets(packed):
            # A kernel that is gone is found when its answer is waited for.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self._send(packet)

    def _send(self, packet: bytes) -> None:
        deadline = time.monotonic() + 10
        while True:
            try:
                self._socket.send(packet)
                return
            except BlockingIOError:
                waiting = select.poll()
                waiting.register(self._socket, select.POLLOUT)
                if not waiting.poll(max(0, 1000 * (deadline - time.monotonic()))):
                    raise TimeoutError("the kernel does not take what it is asked") from None

    async def next(self, channel: str) -> dict:
        """The next message of a channel. Raises ValueError for what is none, and EOFError where no more can come."""
        mine = self._messages[channel]
        while not mine:
            # One reads for both.
            async with self._turn:
                if not mine:
                    self._keep(await self._read())
            # The other one may have got it.
            await asyncio.sleep(0)
        return mine.popleft()

    def _keep(self, message: dict) -> None:
        waiting = self._messages["shell" if message["msg_type"].endswith("_reply") else "iopub"]
        size = sum(one["size"] for one in (*waiting, message))
        if len(waiting) < WAITING and size <= 2 * MOST:
            waiting.append(message)

    async def _read(self) -> dict:
        while True:
            try:
                packet = await asyncio.get_running_loop().sock_recv(self._socket, SIZE)
            except ConnectionResetError:
                packet = b""
            if not packet:
                self.is_closed = True
                deadline = time.monotonic() + LAST
                while self._alive() and time.monotonic() < deadline:
                    await asyncio.sleep(0.005)
                raise EOFError
            message = self._joined.take(packet)
            if message is not None:
                return _checked(message, self._joined.size) if message else self._cut(self._joined.size)

    def _cut(self, size: int) -> dict:
        """In place of a message that was too large to be read."""
        content = {"name": "stdout", "text": f"{CUT}\n"}
        header = {"msg_type": "stream"}
        return {
            "header": header,
            "msg_type": "stream",
            "parent_header": self._asked,
            "content": content,
            "metadata": {},
            "size": len(CUT),
            "sent": size,
        }


def _checked(packed: bytes, size: int) -> dict:
    """A message, with its size and what was sent for it. Raises ValueError for what is none."""
    try:
        message = json.loads(packed)
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
        "size": size,
        "sent": size,
    }


class Channel:
    """One channel of a connection, as far as nbclient uses it."""

    def __init__(self, connection: Connection, name: str, client: AsyncKernelClient):
        self._connection, self._name, self._client = connection, name, client

    def send(self, message: dict) -> None:
        """Send a message. Raises TimeoutError when the kernel does not take it."""
        self._connection.send(message, self._client.session.pack(message))

    async def get_msg(self, timeout: float | None = None) -> dict:
        """The next message. Raises queue.Empty after `timeout` seconds, or as soon as no more can come."""
        try:
            async with asyncio.timeout(timeout):
                return await self._connection.next(self._name)
        except EOFError:
            if timeout is None:
                # Whoever waits so is told of the kernel's end by others.
                await asyncio.Event().wait()
            raise queue.Empty from None
        except TimeoutError:
            raise queue.Empty from None


class Client(AsyncKernelClient):
    """Asks a kernel of `grading.sandbox`, its parent's, through the connection that its provisioner has made."""

    _connection: Connection | None = None

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
        asked = self.kernel_info()
        while time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                reply = await self.shell_channel.get_msg(timeout=1)
                if reply["parent_header"].get("msg_id") == asked:
                    return self._handle_kernel_info_reply(reply)
            if not await self.parent.is_alive():
                raise RuntimeError("the kernel died before it was ready")
        raise RuntimeError("the kernel did not answer in time")
