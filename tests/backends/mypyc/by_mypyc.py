"""Compiled by mypyc to C: a native class, and integers without boxes."""

import struct
from typing import Tuple


class Size:
    def __init__(self, code: str) -> None:
        self.code = code

    def bytes(self) -> int:
        total = 0
        for one in self.code:
            total += struct.calcsize(one)
        return total


def answer() -> Tuple[int, int, int]:
    return Size("l").bytes(), Size("P").bytes(), Size("hh").bytes()
