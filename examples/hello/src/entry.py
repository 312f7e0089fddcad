"""A greeting."""

from urllib.parse import unquote, urlsplit

from pymode.workers import Response


def on_fetch(request, env):
    name = unquote(urlsplit(request.url).path.rpartition("/")[2]) or "world"
    return Response(f"Hello, {name}!\n")
