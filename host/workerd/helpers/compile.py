"""Compiles the modules of a bundle, and checks that its entry defines a handler.

usage: compile.py [ENTRY] < TREES

TREES has four lines a tree: its directory, the path at which the guest sees it, the path by which its author knows it, and
what becomes of its sources: `own` (they are the project's: they stay, and each has to compile), `keep` (they stay) or `drop`
(they go, if they compile). ENTRY is the file that is to define a handler.

Exit code 3: the project is at fault, and stderr says how.
"""

import ast
import importlib._bootstrap_external as bootstrap
import importlib.util
import marshal
import os
import sys
import traceback

HANDLERS = {"on_fetch", "Default"}


class Fault(Exception):
    pass


def compile_one(path, seen, known, sources):
    with open(path, "rb") as file:
        text = file.read()
    try:
        code = compile(text, seen, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError) as error:
        if sources != "own":
            # A package may contain files that are not Python of this version, such as templates.
            return
        error.filename = known
        message = "".join(traceback.format_exception_only(error)).rstrip()
        raise Fault(f"`{known}` does not compile\n{message}") from error
    # Objects from marshal have no other references, so the bytes depend on the source only.
    code = marshal.loads(marshal.dumps(code))
    data = bootstrap._code_to_hash_pyc(code, importlib.util.source_hash(text), checked=False)
    target = path + "c" if sources == "drop" else importlib.util.cache_from_source(path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "wb") as file:
        file.write(data)
    if sources == "drop":
        os.remove(path)


def compile_tree(directory, seen, known, sources):
    for parent, _, files in os.walk(directory):
        for name in files:
            if name.endswith(".py"):
                path = os.path.join(parent, name)
                inside = path[len(directory):]
                compile_one(path, seen + inside, known + inside, sources)


def bound(statements):
    """Returns the names that the top level of a module binds; a star if they are unknown."""
    for statement in statements:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name
            case ast.Import() | ast.ImportFrom():
                for alias in statement.names:
                    yield alias.asname or alias.name
            case _:
                for node in ast.walk(statement):
                    match node:
                        case ast.Name(ctx=ast.Store()):
                            yield node.id
                for field in ("body", "orelse", "finalbody"):
                    yield from bound(getattr(statement, field, ()))
                for handler in getattr(statement, "handlers", ()):
                    yield from bound(handler.body)


def check_entry(path, known):
    with open(path, "rb") as file:
        names = set(bound(ast.parse(file.read()).body))
    if not names & (HANDLERS | {"*", "__getattr__"}):
        raise Fault(
            f"`{known}` defines no handler\n"
            "  hint: define `on_fetch(request, env)`, or `class Default(WorkerEntrypoint)` with a method `fetch(self, request)`"
        )


def main():
    lines = sys.stdin.read().splitlines()
    trees = [lines[at : at + 4] for at in range(0, len(lines), 4)]
    try:
        for tree in trees:
            compile_tree(*tree)
        if len(sys.argv) > 1:
            directory, _, known, _ = trees[0]
            check_entry(sys.argv[1], known + sys.argv[1][len(directory):])
    except Fault as fault:
        sys.stderr.write(f"{fault}\n")
        sys.exit(3)


if __name__ == "__main__":
    main()
