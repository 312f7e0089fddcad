"""Runs a test suite as Python would, less the tests that are named: -c SUITE SETTINGS ARGS...

SETTINGS is JSON: `skips`, patterns of test names, each with its reason; `modules`, which must come from side modules, or the
run would prove nothing; `whole`, whether all tests are run; `report`, a file for the outcome as JSON, or null. ARGS is what
Python is to run: `-m MODULE ...` or `-c CODE ...`.

A skipped test is reported as one, and a pattern that no test matches is an error: the list of skips must not rot.
"""

import _imp
import collections
import fnmatch
import importlib
import json
import runpy
import sys
import time
import unittest

# There is no dup() for pytest to turn streams around with, and nothing to be gained from what else is turned off.
PYTEST = ["--capture=sys", "-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:threadexception"]

settings = json.loads(sys.argv[1])
skips = settings["skips"]
used = set()
outcome = {"passed": 0, "failed": [], "skipped": collections.Counter(), "modules": {}}


def reason(name):
    for pattern, why in skips.items():
        if fnmatch.fnmatchcase(name, pattern):
            used.add(pattern)
            return why
    return None


def note(name, kind, why=None):
    if kind == "passed":
        outcome["passed"] += 1
    elif kind == "skipped":
        outcome["skipped"][why or "the suite's own condition"] += 1
    elif name not in outcome["failed"]:
        outcome["failed"].append(name)


class Unittest:
    run = unittest.TestCase.run

    @staticmethod
    def run_or_skip(test, result=None):
        if result is None:
            return Unittest.run(test, result)
        why = reason(test.id())
        if why is not None:
            result.startTest(test)
            result.addSkip(test, why)
            result.stopTest(test)
            note(test.id(), "skipped", why)
            return result
        before = [len(result.failures) + len(result.errors), len(result.skipped)]
        done = Unittest.run(test, result)
        if len(result.failures) + len(result.errors) > before[0]:
            note(test.id(), "failed")
        else:
            note(test.id(), "skipped" if len(result.skipped) > before[1] else "passed")
        return done


class Pytest:
    """A plugin."""

    @staticmethod
    def pytest_ignore_collect(collection_path, config):
        why = reason(collection_path.relative_to(config.rootpath).as_posix())
        if why is not None:
            note(str(collection_path), "skipped", why + " (whole files)")
            return True
        return None

    @staticmethod
    def pytest_collection_modifyitems(items):
        import pytest

        for item in items:
            why = reason(item.nodeid)
            if why is not None:
                item.add_marker(pytest.mark.skip(reason=why))
                item.user_properties.append(("pymode", why))

    @staticmethod
    def pytest_runtest_logreport(report):
        if report.skipped:
            note(report.nodeid, "skipped", dict(report.user_properties).get("pymode"))
        elif report.failed or report.when == "call":
            note(report.nodeid, report.outcome)

    @staticmethod
    def pytest_collectreport(report):
        if report.failed:
            note(report.nodeid, "failed")


def prove():
    """Imports the extension modules and times what the loader and the module's own init take."""
    times = {}
    create = _imp.create_dynamic

    def timed(spec, *rest):
        start = time.perf_counter()
        try:
            return create(spec, *rest)
        finally:
            times[spec.name] = time.perf_counter() - start

    _imp.create_dynamic = timed
    for name in settings["modules"]:
        path = importlib.import_module(name).__file__
        if not path.endswith(".wasm"):
            sys.exit(f"error: `{name}` is not loaded from a side module, but is {path}")
        if name in times:
            outcome["modules"][name] = round(times[name] * 1000, 1)
    _imp.create_dynamic = create


def run(kind, what, *arguments):
    unittest.TestCase.run = Unittest.run_or_skip
    sys.argv[:] = [kind if kind == "-c" else what, *arguments]
    if kind == "-c":
        exec(compile(what, "<suite>", "exec"), {"__name__": "__main__"})
    elif what == "pytest":
        import pytest

        unittest.TestCase.run = Unittest.run
        sys.exit(pytest.main([*PYTEST, *arguments], plugins=[Pytest]))
    else:
        runpy.run_module(what, run_name="__main__", alter_sys=True)


def finish(code):
    sys.stdout.flush()
    say = lambda text: print(text, file=sys.stderr)
    for name, milliseconds in outcome["modules"].items():
        say(f"{name}: a side module, loaded in {milliseconds} ms")
    for why, count in sorted(outcome["skipped"].items()):
        say(f"skipped {count}: {why}")
    say(f"{outcome['passed']} passed, {len(outcome['failed'])} failed, {outcome['skipped'].total()} skipped")
    for name in outcome["failed"]:
        say(f"failed: {name}")
    if settings["report"]:
        with open(settings["report"], "w", encoding="utf-8") as file:
            json.dump(outcome, file)
    unused = sorted(set(skips) - used) if settings["whole"] else []
    if unused:
        sys.exit(f"error: these skips match no test: {', '.join(unused)}")
    if not code and not outcome["passed"]:
        sys.exit("error: no test passed")
    sys.exit(code or (1 if outcome["failed"] else 0))


prove()
try:
    run(*sys.argv[2:])
except SystemExit as end:
    finish(end.code)
else:
    finish(0)
