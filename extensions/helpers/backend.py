"""Calls one hook of a build backend (PEP 517): backend.py HOOK RESULT SETTINGS BACKEND OUTPUT [PATH...]

HOOK is `requires` or `wheel`. RESULT is the file for the hook's result, as JSON: stdout belongs to the compilers. SETTINGS
is JSON. PATHs are the directories of a backend within the project itself.
"""

import importlib
import importlib.machinery
import importlib.util
import json
import os
import platform
import subprocess  # Imported before the platform becomes the guest's, which has no processes.
import sys
import sysconfig

GUEST = {"sysname": "wasi", "nodename": "", "release": "0.0.0", "version": "0.0.0", "machine": "wasm32"}


def import_tools():
    """Imports tools that are compiled for this machine: they read the platform on import and know no other."""
    for tool in ("mypyc.build",):
        if importlib.util.find_spec(tool.partition(".")[0]):
            importlib.import_module(tool)


def report_guest_platform():
    """Makes Python report the guest's platform to setup.py."""
    sys.platform = "wasi"
    os.uname = lambda: os.uname_result(tuple(GUEST.values()))
    platform.uname = lambda: platform.uname_result(
        GUEST["sysname"], GUEST["nodename"], GUEST["release"], GUEST["version"], GUEST["machine"]
    )
    platform.system = lambda: GUEST["sysname"]
    platform.machine = lambda: GUEST["machine"]
    platform.processor = lambda: ""
    platform.libc_ver = lambda *_, **__: ("", "")


def set_suffixes():
    """Sets the suffixes of the modules to build, which this Python cannot import. There is no `.abi3.so`."""
    suffixes = [sysconfig.get_config_var("EXT_SUFFIX"), sysconfig.get_config_var("SHLIB_SUFFIX")]
    importlib.machinery.EXTENSION_SUFFIXES[:] = suffixes


def configure_distutils(settings):
    """Writes an additional configuration file of distutils: the number of parallel compilers."""
    path = os.path.join(settings["scratch"], "distutils.cfg")
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"[build_ext]\nparallel = {settings['jobs']}\n")
    os.environ["DIST_EXTRA_CONFIG"] = path


def config_settings(settings):
    """Returns the settings that a backend only accepts in this form."""
    if "mesonpy" in sys.modules:
        return {
            "setup-args": [f"--cross-file={settings['meson_cross_file']}"],
            "compile-args": [f"-j{settings['jobs']}"],
        }
    return None


def main(hook, result, settings, backend, output, *paths):
    settings = json.loads(settings)
    if hook == "wheel":
        configure_distutils(settings)
        import_tools()
        set_suffixes()
        report_guest_platform()
    sys.path[:0] = paths
    module, _, attributes = backend.partition(":")
    target = importlib.import_module(module)
    for attribute in filter(None, attributes.split(".")):
        target = getattr(target, attribute)
    if hook == "requires":
        requires = getattr(target, "get_requires_for_build_wheel", None)
        value = list(requires(config_settings(settings))) if requires else []
    else:
        value = target.build_wheel(output, config_settings(settings))
    with open(result, "w", encoding="utf-8") as file:
        json.dump(value, file)


main(*sys.argv[1:])
