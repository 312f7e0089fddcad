"""The names of Cloudflare's own Python SDK, for handlers that are written for it.

    from workers import Response, WorkerEntrypoint

    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            return Response("Hello")
"""

from pymode.workers import Headers, Response
from pymode.workers import Request as _Request

__all__ = ["Headers", "Request", "Response", "WorkerEntrypoint", "fetch"]


async def fetch(resource, **options):
    """Sends a request: `resource` is a URL or a `Request`; `method`, `headers` and `body` are options."""
    # The import is slow, so only programs that fetch do it.
    from workers._fetch import fetch

    return await fetch(resource, **options)


class Request(_Request):
    """As in the SDK, the body is awaited, and a well-known method is an `HTTPMethod`."""

    @property
    def method(self):
        # The import is slow, so only programs that use the method do it.
        from http import HTTPMethod

        return HTTPMethod(self._method) if self._method in HTTPMethod else self._method

    @method.setter
    def method(self, method):
        self._method = method

    async def bytes(self):
        return super().bytes()

    async def text(self):
        return super().bytes().decode()

    async def json(self):
        import json

        return json.loads(super().bytes())


class WorkerEntrypoint:
    """Base class of a Worker's `Default`."""

    def __init__(self, ctx, env):
        self.ctx = ctx
        self.env = env
