"""Explains why a module of the standard library cannot be imported.

The last finder on `sys.meta_path` is asked only about modules that nobody has found. Of those that belong to the standard
library it says so; `importlib.util.find_spec` still answers None.
"""

import sys

# Why a module is absent, by its name, where there is more to say than that WASI has no such thing.
REASONS = {
    "ensurepip": "this Python has no pip\n  hint: packages come with `pymode run --with` or `pymode add`",
    "test": "CPython's own tests are not part of the image",
}


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        reason = REASONS.get(name)
        if reason is None and name in sys.stdlib_module_names:
            reason = "this module of the standard library is not available on WASI"
        # Only an import is to fail: `importlib.util.find_spec` calls importlib's `_find_spec` from elsewhere.
        if reason is not None and sys._getframe(2).f_code.co_name == "_find_and_load_unlocked":
            raise ModuleNotFoundError(f"No module named {name!r}: {reason}", name=name)
        return None


# CPython leaves frames of this file out of the traceback of an import that fails.
Finder.find_spec.__code__ = Finder.find_spec.__code__.replace(co_filename="<frozen importlib._bootstrap>")

sys.meta_path.append(Finder)
