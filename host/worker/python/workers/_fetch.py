"""`fetch` of Cloudflare's SDK, which is awaited."""

import sys

from pymode import http
from pymode._wire import Whole


async def fetch(resource, **options):
    """Sends a request: `resource` is a URL or a `Request`; `method`, `headers` and `body` are options."""
    if not isinstance(resource, str):
        options = {"method": resource.method, "headers": resource.headers, **options}
        if "body" not in options and options["method"] not in ("GET", "HEAD"):
            options["body"] = await resource.bytes()
        resource = resource.url
    method, headers, body = (options.pop(name, None) for name in ("method", "headers", "body"))
    if options:
        raise TypeError(f"fetch() knows no option {next(iter(options))!r}")
    inbox = http.begin(resource, method or "GET", headers, body)
    return FetchResponse(inbox, http.parse(resource, await _next(inbox, inbox.take)))


class FetchResponse(http.Answer):
    """An answer. As in the SDK, the body is awaited."""

    async def bytes(self):
        if self._body is None:
            whole = Whole(self.headers.get("content-length"))
            while part := await _next(self._inbox, self._inbox.take_part):
                whole.add(part)
            self.close()
            self._body = whole.bytes()
        return self._body

    buffer = bytes

    async def text(self):
        return (await self.bytes()).decode()

    async def json(self):
        import json

        return json.loads(await self.bytes())


async def _next(inbox, take):
    while (piece := take()) is None:
        await _ready(inbox.fd)
        inbox.fill()
    return piece


async def _ready(fd):
    """Waits without blocking other tasks. Without an event loop there are no other tasks, and reading waits."""
    if "asyncio" not in sys.modules:
        return
    import asyncio

    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(fd, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(fd)
