"""Imports all extension modules of an installed package: -c LOAD NAME SUFFIX

Prints `begin MODULE`, then `loaded MODULE` or `failed MODULE: REASON`. If the second line is missing, the module ended the guest.
"""

import importlib
import importlib.metadata
import re
import sys

name, suffix = sys.argv[1:]
for file in sorted(map(str, importlib.metadata.files(name) or [])):
    if not file.endswith(suffix):
        continue
    # The installation moves these files to the directory that they are imported from.
    module = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", file).removesuffix(suffix).replace("/", ".")
    print("begin", module, flush=True)
    try:
        path = importlib.import_module(module).__file__
        if not path.endswith(".wasm"):
            raise ImportError(f"loaded from {path}")
    except BaseException as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"failed {module}: {reason}", flush=True)
    else:
        print("loaded", module, flush=True)
