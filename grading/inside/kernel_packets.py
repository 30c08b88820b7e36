"""Messages in the packets of a socket that keeps them apart, SOCK_SEQPACKET.

A packet is sent whole or not at all. Of a message whose sender was interrupted between two of them nothing is left once
the next one begins, and no other is harmed.
"""

import select
import socket

SIZE = 2**16
"""Bytes of a packet; many fit into what Linux keeps of a socket for whoever reads it."""

MOST = 12 * 2**20
"""Bytes of a message that a kernel may send."""

_BEGINS, _ENDS = 1, 2


def packets(message: bytes) -> list[bytes]:
    """What a message is sent as, one after another."""
    places = range(0, len(message) or 1, SIZE - 1)
    flags = [_BEGINS * (place == 0) | _ENDS * (place == places[-1]) for place in places]
    return [bytes([flag]) + message[place : place + SIZE - 1] for flag, place in zip(flags, places, strict=True)]


def send(connection: socket.socket, message: bytes, seconds: float | None = None) -> None:
    """Send a message over a socket that does not block; seconds: how long each packet may wait to be taken, without end
    where there is none. Raises TimeoutError after it, and what the socket raises.
    """
    waiting = select.poll()
    waiting.register(connection, select.POLLOUT)
    for packet in packets(message):
        while True:
            try:
                connection.send(packet)
                break
            except BlockingIOError:
                if not waiting.poll(seconds and 1000 * seconds):
                    raise TimeoutError("the other side does not take what it is sent") from None


class Joined:
    """Makes messages of packets. most: bytes of a message; of a larger one nothing is kept.

    is_cut: whether the last message was too large.
    """

    def __init__(self, most: int):
        self._most = most
        self._begun: bytearray | None = None
        self.is_cut = False

    def take(self, packet: bytes) -> bytes | None:
        """The message that a packet ends, b"" for one that was too large; else None."""
        flag = packet[0]
        if flag & _BEGINS:
            self._begun, self.is_cut = bytearray(), False
        if self._begun is None:
            return None
        self.is_cut = self.is_cut or len(self._begun) + len(packet) - 1 > self._most
        if self.is_cut:
            self._begun.clear()
        else:
            self._begun += packet[1:]
        if not flag & _ENDS:
            return None
        message, self._begun = bytes(self._begun), None
        return message
