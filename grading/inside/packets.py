"""Messages in the packets of a socket that keeps them apart, SOCK_SEQPACKET.

A packet is sent whole or not at all. Of a message whose sender was interrupted between two of them nothing is left once
the next one begins, and no other is harmed.
"""

SIZE = 2**16
"""Bytes of a packet; many fit into what Linux keeps of a socket for whoever reads it."""

_BEGINS, _ENDS = 1, 2


def packets(message: bytes) -> list[bytes]:
    """What a message is sent as, one after another."""
    places = range(0, len(message) or 1, SIZE - 1)
    flags = [_BEGINS * (place == 0) | _ENDS * (place == places[-1]) for place in places]
    return [bytes([flag]) + message[place : place + SIZE - 1] for flag, place in zip(flags, places, strict=True)]


class Joined:
    """Makes messages of packets. most: bytes of a message; of a larger one nothing is kept."""

    def __init__(self, most: int):
        self._most = most
        self._parts: list[bytes] | None = None
        self.size = 0

    def take(self, packet: bytes) -> bytes | None:
        """The message that a packet ends, b"" for one that was too large; else None.

        `size` is its size, also where nothing was kept.
        """
        flag = packet[0]
        if flag & _BEGINS:
            self._parts, self.size = [], 0
        if self._parts is None:
            return None
        self.size += len(packet) - 1
        if self.size <= self._most:
            self._parts.append(packet[1:])
        else:
            self._parts.clear()
        if not flag & _ENDS:
            return None
        message, self._parts = b"".join(self._parts), None
        return message if self.size <= self._most else b""
