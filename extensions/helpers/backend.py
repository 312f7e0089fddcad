"""Calls one hook of a build backend (PEP 517): backend.py HOOK RESULT SETTINGS BACKEND OUTPUT [PATH...]

HOOK is `requires` or `wheel`. RESULT is the file for what the hook gives back, as JSON: its stdout belongs to the
compilers. SETTINGS is JSON. PATHs are the directories of a backend that lies in the project itself.
"""

import importlib
import importlib.machinery
import importlib.util
import json
import os
import platform
import subprocess  # Before the platform is the guest's, on which there are no processes.
import sys
import sysconfig

GUEST = {"sysname": "wasi", "nodename": "", "release": "0.0.0", "version": "0.0.0", "machine": "wasm32"}


def import_tools():
    """What is compiled for this machine has no code for another platform, and asks which it is when it is imported."""
    for tool in ("mypyc.build",):
        if importlib.util.find_spec(tool.partition(".")[0]):
            importlib.import_module(tool)


def be_the_guest():
    """What setup.py asks of Python, it asks of the guest."""
    sys.platform = "wasi"
    os.uname = lambda: os.uname_result(tuple(GUEST.values()))
    platform.uname = lambda: platform.uname_result(
        GUEST["sysname"], GUEST["nodename"], GUEST["release"], GUEST["version"], GUEST["machine"]
    )
    platform.system = lambda: GUEST["sysname"]
    platform.machine = lambda: GUEST["machine"]
    platform.processor = lambda: ""
    platform.libc_ver = lambda *_, **__: ("", "")


def tell_suffixes():
    """What this Python imports is not what is built: there is no `.abi3.so`."""
    suffixes = [sysconfig.get_config_var("EXT_SUFFIX"), sysconfig.get_config_var("SHLIB_SUFFIX")]
    importlib.machinery.EXTENSION_SUFFIXES[:] = suffixes


def tell_distutils(settings):
    """distutils reads one more configuration file: how many extensions are compiled at once."""
    path = os.path.join(settings["scratch"], "distutils.cfg")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[build_ext]\nparallel = {settings['jobs']}\n")
    os.environ["DIST_EXTRA_CONFIG"] = path


def config_settings(settings):
    """What a backend has no other way to be told."""
    if "mesonpy" in sys.modules:
        return {
            "setup-args": [f"--cross-file={settings['meson_cross_file']}"],
            "compile-args": [f"-j{settings['jobs']}"],
        }
    return None


def main(hook, result, settings, backend, output, *paths):
    settings = json.loads(settings)
    if hook == "wheel":
        tell_distutils(settings)
        import_tools()
        tell_suffixes()
        be_the_guest()
    sys.path[:0] = paths
    module, _, attributes = backend.partition(":")
    target = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        target = getattr(target, attribute)
    if hook == "requires":
        ask = getattr(target, "get_requires_for_build_wheel", None)
        answer = list(ask(config_settings(settings))) if ask else []
    else:
        answer = target.build_wheel(output, config_settings(settings))
    with open(result, "w", encoding="utf-8") as file:
        json.dump(answer, file)


main(*sys.argv[1:])
