"""Runs a test suite as Python would, less the tests that are named: -c SUITE SKIPS ARGS...

SKIPS is JSON: patterns of test names, each with its reason. ARGS is what Python is to run: `-m MODULE ...` or `-c CODE ...`. A
skipped test is reported as one, and a pattern that no test matches is an error: the list of skips must not rot.
"""

import fnmatch
import json
import runpy
import sys
import unittest

skips = json.loads(sys.argv[1])
used = set()


def reason(name):
    for pattern, why in skips.items():
        if fnmatch.fnmatchcase(name, pattern):
            used.add(pattern)
            return why
    return None


class Skips:
    """Of unittest's tests and, as a plugin, of pytest's."""

    run = unittest.TestCase.run

    @staticmethod
    def run_or_skip(test, result=None):
        why = reason(test.id())
        if why is not None and result is not None:
            result.startTest(test)
            result.addSkip(test, why)
            result.stopTest(test)
            return result
        return Skips.run(test, result)

    @staticmethod
    def pytest_collection_modifyitems(items):
        import pytest

        for item in items:
            why = reason(item.nodeid)
            if why is not None:
                item.add_marker(pytest.mark.skip(reason=why))


def main(kind, what, *arguments):
    unittest.TestCase.run = Skips.run_or_skip
    sys.argv[:] = [kind if kind == "-c" else what, *arguments]
    if kind == "-c":
        exec(compile(what, "<suite>", "exec"), {"__name__": "__main__"})
    elif what == "pytest":
        import pytest

        sys.exit(pytest.main(list(arguments), plugins=[Skips]))
    else:
        runpy.run_module(what, run_name="__main__", alter_sys=True)


def finish(code):
    unused = sorted(set(skips) - used)
    if unused and not code:
        sys.exit(f"error: these skips match no test: {', '.join(unused)}")
    sys.exit(code)


try:
    main(*sys.argv[2:])
except SystemExit as end:
    finish(end.code)
else:
    finish(0)
