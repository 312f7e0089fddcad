import struct


def size_of(codes: str) -> int:
    total = 0
    for code in codes:
        total += struct.calcsize(code)
    return total
