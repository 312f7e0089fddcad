"""Explains why a module of the standard library cannot be imported.

The last finder on `sys.meta_path` is called only for modules that no other finder found. It explains those that belong to
the standard library; `importlib.util.find_spec` still returns None.
"""

import sys

# Reasons other than the platform, by the name of the module.
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
