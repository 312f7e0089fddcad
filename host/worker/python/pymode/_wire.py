"""Messages between the guest and its host: pieces, each after its length (4 bytes, little-endian), and an empty one at the
end. A length of 2**32 - 1 says that the message is cut off.
"""

import os
from _io import BytesIO

CUT_OFF = b"\xff\xff\xff\xff"

_AT_ONCE = 1 << 16


class Inbox:
    """The received part of a message that is not read yet."""

    def __init__(self, fd):
        self.fd = fd
        self._data = bytearray()
        self._left = 0
        # The error that reported that the message is cut off.
        self.failure = None

    def take(self):
        """Returns the next piece, if it has arrived."""
        length = self._length()
        if length is None or len(self._data) < 4 + length:
            return None
        piece = bytes(self._data[4 : 4 + length])
        del self._data[: 4 + length]
        return piece

    def take_part(self):
        """Returns the received part of the body, of incomplete pieces too; empty at its end."""
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
        """Reads the available bytes, and waits if there are none."""
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
        """Returns the length of the next piece, if it has arrived."""
        if len(self._data) < 4:
            return None
        if self._data[:4] == CUT_OFF:
            raise self._cut_off()
        return int.from_bytes(self._data[:4], "little")


class Whole:
    """A body that is assembled in place: a copy would need the same memory again."""

    def __init__(self, length):
        """`length` is the header's value or None. It is not trusted."""
        self._buffer = BytesIO()
        if length is not None and length.isdecimal() and int(length):
            try:
                self._buffer.seek(int(length) - 1)
                self._buffer.write(b"\0")
            except (MemoryError, OverflowError, ValueError):
                # It may be shorter.
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
