"""Compiles Python sources to unchecked-hash .pyc files.

usage: compile_stdlib.py JOBS [--no-docstrings]

JOBS has three lines a file: the source, the file to write, and the name that tracebacks are to show. The bytes of a
.pyc depend on its source and that name only: each is compiled in a fresh namespace, and marshal, which writes objects
that are shared another way than those that are not, is given a copy that nothing else refers to.
"""

import ast
import importlib._bootstrap_external as bootstrap
import importlib.util
import marshal
import os
import sys
from concurrent.futures import ProcessPoolExecutor


class WithoutDocstrings(ast.NodeTransformer):
    def strip(self, node):
        self.generic_visit(node)
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass(lineno=node.body[0].lineno, col_offset=node.body[0].col_offset)]
            ast.fix_missing_locations(node)
        return node

    visit_Module = visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = strip


def compile_one(job):
    source, target, name, docstrings = job
    with open(source, "rb") as file:
        text = file.read()
    tree = ast.parse(text, name)
    if not docstrings:
        tree = WithoutDocstrings().visit(tree)
    code = compile(tree, name, "exec", dont_inherit=True, optimize=0)
    # What marshal reads back is referred to by nothing else.
    code = marshal.loads(marshal.dumps(code))
    data = bootstrap._code_to_hash_pyc(code, importlib.util.source_hash(text), checked=False)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(data)


def main():
    docstrings = "--no-docstrings" not in sys.argv
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    jobs = [(*lines[at : at + 3], docstrings) for at in range(0, len(lines), 3)]
    with ProcessPoolExecutor() as pool:
        for _ in pool.map(compile_one, jobs, chunksize=8):
            pass


if __name__ == "__main__":
    main()
