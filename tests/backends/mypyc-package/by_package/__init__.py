"""A package whose `__init__` is compiled too, and shares a library with its module."""

from typing import Tuple

from by_package.sizes import size_of


def answer() -> Tuple[int, int, int]:
    return size_of("l"), size_of("P"), size_of("hh")
