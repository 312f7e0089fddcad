"""Runs a test suite as Python would, except for skipped tests: -c SUITE SETTINGS ARGS...

SETTINGS is JSON: `skips` has patterns of test names, each with its reason, or `import NAME` for tests that use a missing module
or a part of the package that cannot be imported; `modules` must be loaded from side modules, or the run proves nothing; `whole`
is true if all tests run; `report` is a file for the outcome as JSON, or null; `running` is a file for the name of the running
test, which remains if the guest dies, or null. ARGS are Python's arguments: `-m MODULE ...` or `-c CODE ...`.

A skipped test is reported as one. A pattern that no test matches is an error, so that the list of skips stays correct.
"""

import _imp
import builtins
import collections
import fnmatch
import functools
import importlib
import json
import runpy
import sys
import pathlib
import time
import types
import unittest

# The guest has no user who could own a directory for temporary files. They are in memory, and nothing reads them afterwards.
# The plugins that are turned off have no use here.
PYTEST = [
    "--capture=sys", "--basetemp=/tmp/pytest", "-o", "tmp_path_retention_policy=none",
    "-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:threadexception",
]

settings = json.loads(sys.argv[1])
IMPORT = "import "
skips = {name: why for name, why in settings["skips"].items() if not name.startswith(IMPORT)}
absent = {name.removeprefix(IMPORT): why for name, why in settings["skips"].items() if name.startswith(IMPORT)}
used = set()
running = open(settings["running"], "wb", buffering=0) if settings["running"] else None
outcome = {"passed": 0, "failed": [], "skipped": collections.Counter(), "modules": {}}


def reason(name):
    for pattern, why in skips.items():
        if fnmatch.fnmatchcase(name, pattern):
            used.add(pattern)
            return why
    return None


def begin(name):
    """Records the name of the test that starts."""
    if running:
        running.seek(0)
        running.truncate()
        running.write(name.encode())


class Absent:
    """An attribute of a missing module: tests may name it, and a test that uses it is skipped."""

    def __init__(self, module, why, name=""):
        self._module, self._why, self._name = module, why, name

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent(self._module, self._why, name)

    def __call__(self, *arguments, **named):
        used.add(IMPORT + self._module)
        if not named and len(arguments) == 1 and isinstance(arguments[0], types.FunctionType):
            return self._decorated(arguments[0])
        raise unittest.SkipTest(self._why)

    def _decorated(self, function):
        @functools.wraps(function)
        def skipped(*_, **__):
            raise unittest.SkipTest(self._why)

        return skipped

    __add__ = __radd__ = __mul__ = __rmul__ = __getitem__ = __iter__ = __enter__ = __call__

    def __mro_entries__(self, _):
        if self._name.endswith("TestCase"):
            return (type(self._name, (unittest.TestCase,), {"setUpClass": classmethod(lambda _: self())}),)
        return (type(self._module, (), {"__new__": self}),)


class AbsentModule(types.ModuleType):
    def __init__(self, name, why):
        super().__init__(name)
        self.__dict__["_absent"] = Absent(name, why)

    def __getattr__(self, name):
        return getattr(self._absent, name)


def stand_in():
    """Makes files of tests importable although they import missing modules. The package itself still gets an ImportError."""
    modules = {name: AbsentModule(name, why) for name, why in absent.items()}
    importing = builtins.__import__

    def import_or_stand_in(name, globals=None, locals=None, fromlist=(), level=0):
        try:
            return importing(name, globals, locals, fromlist, level)
        except ImportError:
            importer = (globals or {}).get("__name__", "").split(".")
            is_test = {"test", "tests"} & set(importer) or importer[-1].startswith(("test_", "conftest"))
            parts = [name] if not fromlist or name in modules else [f"{name}.{part}" for part in fromlist]
            known = [part for part in parts if part in modules]
            if not is_test or not known and name.split(".")[0] not in modules:
                raise
            used.update(IMPORT + part for part in known or [name.split(".")[0]])
            if not known:
                return modules[name.split(".")[0]]
            if name in modules and (fromlist or "." not in name):
                return modules[name]
            # A missing part of an existing package.
            for part in known:
                parent, _, child = part.rpartition(".")
                setattr(importlib.import_module(parent), child, modules[part])
            return importing(name if fromlist else name.rpartition(".")[0], globals, locals, fromlist, level)

    builtins.__import__ = import_or_stand_in


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
        begin(test.id())
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

    name = ""

    @staticmethod
    def path(path, config):
        """Returns the path of a file below the suite, or below the directory that it was imported from."""
        for root in [config.rootpath, *map(pathlib.Path, sys.path)]:
            if root.is_absolute() and root != path and path.is_relative_to(root):
                return path.relative_to(root).as_posix()
        return path.as_posix()

    @staticmethod
    def name_of(item):
        return "::".join([Pytest.path(item.path, item.config), *item.nodeid.split("::")[1:]])

    @staticmethod
    def pytest_ignore_collect(collection_path, config):
        name = Pytest.path(collection_path, config)
        why = reason(name)
        if why is not None:
            note(name, "skipped", why + " (whole files)")
            return True
        return None

    @staticmethod
    def pytest_runtest_protocol(item):
        Pytest.name = Pytest.name_of(item)
        begin(Pytest.name)

    @staticmethod
    def pytest_collection_modifyitems(items):
        import pytest

        for item in items:
            why = reason(Pytest.name_of(item))
            if why is not None:
                item.add_marker(pytest.mark.skip(reason=why))
                item.user_properties.append(("pymode", why))

    @staticmethod
    def pytest_runtest_logreport(report):
        import pytest

        if report.skipped:
            note(Pytest.name, "skipped", dict(report.user_properties).get("pymode") or Pytest.absence(report))
        elif report.failed or (report.when == "call" and type(report) is pytest.TestReport):
            # A subtest that passes is not counted: the test is one.
            note(Pytest.name, report.outcome)

    @staticmethod
    def absence(report):
        """Returns the reason of a skip that is due to a missing module."""
        text = str(report.longrepr)
        return next((why for why in absent.values() if why in text), None)

    @staticmethod
    def pytest_collectreport(report):
        if report.failed:
            note(report.nodeid, "failed")
        elif report.skipped:
            why = Pytest.absence(report) or "the suite's own condition"
            note(report.nodeid, "skipped", why + " (whole files)")


def prove():
    """Imports the extension modules, and times the loader and the modules' own init functions."""
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
            sys.exit(f"error: `{name}` was loaded from {path}, not from a side module")
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
    report = functools.partial(print, file=sys.stderr)
    for name, milliseconds in outcome["modules"].items():
        report(f"{name}: side module loaded in {milliseconds} ms")
    for why, count in sorted(outcome["skipped"].items()):
        report(f"skipped {count}: {why}")
    report(f"{outcome['passed']} passed, {len(outcome['failed'])} failed, {outcome['skipped'].total()} skipped")
    for name in outcome["failed"]:
        report(f"failed: {name}")
    if settings["report"]:
        with open(settings["report"], "w", encoding="utf-8") as file:
            json.dump(outcome, file)
    unused = sorted(set(settings["skips"]) - used) if settings["whole"] else []
    if unused:
        sys.exit(f"error: these skips match no test: {', '.join(unused)}")
    if not code and not outcome["passed"]:
        sys.exit("error: no test passed")
    sys.exit(code or (1 if outcome["failed"] else 0))


prove()
stand_in()
try:
    run(*sys.argv[2:])
except SystemExit as end:
    finish(end.code)
else:
    finish(0)
