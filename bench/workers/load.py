"""Loads side modules one after the other, as an import does once it has found the file."""

import _imp

from pymode.workers import Response

ModuleSpec = type(__spec__)


def on_fetch(request, env):
    count = int(request.url.partition("count=")[2])
    for number in range(count):
        name = f"m{number}"
        spec = ModuleSpec(name, None, origin=f"/app/{name}.wasm")
        _imp.create_dynamic(spec)
    return Response(str(count))
