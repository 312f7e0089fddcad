"""Objects: calls, attributes, dictionaries, lists, strings, exceptions."""

import sys


class Node:
    __slots__ = ("key", "left", "right")

    def __init__(self, key):
        self.key = key
        self.left = self.right = None

    def insert(self, key):
        node = self
        while True:
            side = "left" if key < node.key else "right"
            child = getattr(node, side)
            if child is None:
                setattr(node, side, Node(key))
                return
            node = child


def walk(node):
    if node is not None:
        yield from walk(node.left)
        yield node.key
        yield from walk(node.right)


def words(count):
    seed = 42
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        yield f"w{seed % 5000}"


count = int(sys.argv[1])
tally = {}
root = Node("w")
for word in words(count):
    try:
        tally[word] += 1
    except KeyError:
        tally[word] = 1
        root.insert(word)
ordered = sorted(tally.items(), key=lambda item: (-item[1], item[0]))
print(len(list(walk(root))), ordered[0], "".join(w[0][-1] for w in ordered[:50]))
