"""Calls one hook of a build backend (PEP 517): backend.py HOOK RESULT BACKEND [OUTPUT] [PATH...]

HOOK is `requires` or `wheel`. RESULT is the file for what the hook gives back, as JSON: its stdout belongs to the
compilers. PATHs are the directories of a backend that lies in the project itself.
"""

import importlib
import importlib.machinery
import json
import sys
import sysconfig


def tell_suffixes():
    """What this Python imports is not what the guest imports: there is no `.abi3.so`."""
    guest = [sysconfig.get_config_var("EXT_SUFFIX"), sysconfig.get_config_var("SHLIB_SUFFIX")]
    importlib.machinery.EXTENSION_SUFFIXES[:] = guest


def main(hook, result, backend, output, *paths):
    tell_suffixes()
    sys.path[:0] = paths
    module, _, attributes = backend.partition(":")
    target = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        target = getattr(target, attribute)
    if hook == "requires":
        ask = getattr(target, "get_requires_for_build_wheel", None)
        answer = list(ask(None)) if ask else []
    else:
        answer = target.build_wheel(output, None)
    with open(result, "w", encoding="utf-8") as file:
        json.dump(answer, file)


main(*sys.argv[1:])
