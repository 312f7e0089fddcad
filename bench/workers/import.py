"""Imports what the path names, in an interpreter that has imported nothing yet."""

from pymode.workers import Response


def on_fetch(request, env):
    name = request.url.rpartition("/")[2]
    if name:
        __import__(name)
    return Response(name)
