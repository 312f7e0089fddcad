"""The main job: two packages with their C speedups, loaded at run time."""

import importlib.metadata
import sys

import markupsafe
import markupsafe._speedups as m
import simplejson
import simplejson._speedups as s
import simplejson.encoder


def report():
    # Both speedups come from a `.wasm` of their own, and are what the packages use.
    assert markupsafe._escape_inner is m._escape_inner
    assert simplejson.encoder.c_make_encoder is s.make_encoder
    assert m.__file__ != s.__file__ and m.__file__.endswith(".wasm") and s.__file__.endswith(".wasm")

    lines = [f"Python {sys.version.split()[0]} on {sys.platform}"]
    for module in (m, s):
        package = module.__name__.partition(".")[0]
        lines.append(f"  {package} {importlib.metadata.version(package)} {module.__file__}")
    lines.append(f"  markupsafe.escape -> {markupsafe.escape("<a href='x'> & co")}")
    data = {"escaped": markupsafe.escape("<>"), "n": [1, 2.5, None]}
    lines.append(f"  simplejson.dumps  -> {simplejson.dumps(data)}")
    return "\n".join(lines)
