"""Messages between the guest and its host: pieces, each after its length (4 bytes, little-endian), and an empty one at the
end. A length of 2**32 - 1 says that the message is cut off.
"""

import os
from _io import BytesIO

CUT_OFF = b"\xff\xff\xff\xff"

_AT_ONCE = 1 << 16


class Inbox:
    """The part of a message that has arrived and is not read yet."""

    def __init__(self, fd):
        self.fd = fd
        self._data = bytearray()
        self._left = 0
        # The error that said that the message is cut off.
        self.failure = None

    def take(self):
        """The next piece, if it is there."""
        length = self._length()
        if length is None or len(self._data) < 4 + length:
            return None
        piece = bytes(self._data[4 : 4 + length])
        del self._data[: 4 + length]
        return piece

    def take_part(self):
        """What is there of the body, of which no piece need be whole; empty at its end."""
        if not self._left:
            length = self._length()
            if length is None:
                return None
            del self._data[:4]
            self._left = length
            if not length:
                return b""
        if not self._data:
            return None
        part = bytes(self._data[: self._left])
        del self._data[: len(part)]
        self._left -= len(part)
        return part

    def fill(self):
        """Reads what is there, and waits when nothing is."""
        more = os.read(self.fd, _AT_ONCE)
        if not more:
            raise self._cut_off()
        self._data += more

    def _cut_off(self):
        self.failure = ConnectionError("the message was cut off")
        return self.failure

    def next(self):
        while (piece := self.take()) is None:
            self.fill()
        return piece

    def body(self):
        while True:
            while (part := self.take_part()) is None:
                self.fill()
            if not part:
                return
            yield part

    def _length(self):
        """How long the next piece is, if that has come."""
        if len(self._data) < 4:
            return None
        if self._data[:4] == CUT_OFF:
            raise self._cut_off()
        return int.from_bytes(self._data[:4], "little")


class Whole:
    """A body that is put together where it is to lie: a copy of it would need as much memory again."""

    def __init__(self, length):
        """`length` is what a header says, or None. It is not relied on."""
        self._buffer = BytesIO()
        if length is not None and length.isdecimal() and int(length):
            try:
                self._buffer.seek(int(length) - 1)
                self._buffer.write(b"\0")
            except (MemoryError, OverflowError, ValueError):
                # It may be less after all.
                pass
            self._buffer.seek(0)

    def add(self, part):
        self._buffer.write(part)

    def bytes(self):
        self._buffer.truncate()
        return self._buffer.getvalue()


def join(parts, length):
    whole = Whole(length)
    for part in parts:
        whole.add(part)
    return whole.bytes()
