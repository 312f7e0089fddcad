"""Messages between the guest and its host: pieces with their length in front (4 bytes, little-endian), and an empty one at the
end. A length of 2**32 - 1 says that the message breaks off.
"""

import os

CUT_OFF = b"\xff\xff\xff\xff"

_AT_ONCE = 1 << 16


class Inbox:
    """What has come of a message."""

    def __init__(self, fd):
        self.fd = fd
        self._data = bytearray()

    def take(self):
        """The next piece, if it is there."""
        data = self._data
        if len(data) < 4:
            return None
        if data[:4] == CUT_OFF:
            raise ConnectionError("the message was cut off")
        end = 4 + int.from_bytes(data[:4], "little")
        if len(data) < end:
            return None
        piece = bytes(data[4:end])
        del data[:end]
        return piece

    def fill(self):
        """Reads what there is, and waits when there is nothing."""
        more = os.read(self.fd, _AT_ONCE)
        if not more:
            raise ConnectionError("the message was cut off")
        self._data += more

    def next(self):
        while (piece := self.take()) is None:
            self.fill()
        return piece

    def body(self):
        while piece := self.next():
            yield piece
