"""Imports all extension modules of an installed package: -c LOAD NAME SUFFIX

Says `begin MODULE`, then `loaded MODULE` or `failed MODULE: why`: what ended without the second is what the guest died of.
"""

import importlib
import importlib.metadata
import re
import sys

name, suffix = sys.argv[1:]
for file in sorted(map(str, importlib.metadata.files(name) or [])):
    if not file.endswith(suffix):
        continue
    # What lay there is moved to where it is imported from.
    module = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", file).removesuffix(suffix).replace("/", ".")
    print("begin", module, flush=True)
    try:
        path = importlib.import_module(module).__file__
        if not path.endswith(".wasm"):
            raise ImportError(f"it came from {path}")
    except BaseException as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        print(f"failed {module}: {said}", flush=True)
    else:
        print("loaded", module, flush=True)
