"""A greeting."""

from pymode.workers import Response


def on_fetch(request, env):
    name = request.url.rpartition("/")[2] or "world"
    return Response(f"Hello, {name}!\n")
