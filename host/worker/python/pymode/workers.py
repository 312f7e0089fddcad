"""Requests and responses of a Worker whose handler is plain, synchronous Python.

    from pymode.workers import Response

    def on_fetch(request, env):
        return Response(f"Hello from {request.url}")
"""

from pymode._wire import join

__all__ = ["Headers", "Request", "Response"]


class Headers:
    """Names and values in the order in which they came. Names may repeat, and are compared without regard to case."""

    def __init__(self, items=()):
        if hasattr(items, "items"):
            items = items.items()
        self._items = [(str(name), str(value)) for name, value in items]

    def get(self, name, default=None):
        """All values of a name, joined by a comma as HTTP has it."""
        values = self.get_all(name)
        return ", ".join(values) if values else default

    def get_all(self, name):
        name = name.lower()
        return [value for other, value in self._items if other.lower() == name]

    def append(self, name, value):
        self._items.append((str(name), str(value)))

    def set(self, name, value):
        self.delete(name)
        self.append(name, value)

    def delete(self, name):
        name = name.lower()
        self._items = [item for item in self._items if item[0].lower() != name]

    def items(self):
        return list(self._items)

    def keys(self):
        return [name for name, _ in self._items]

    def values(self):
        return [value for _, value in self._items]

    def __getitem__(self, name):
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name, value):
        self.set(name, value)

    def __contains__(self, name):
        return bool(self.get_all(name))

    def __iter__(self):
        return iter(self.keys())

    def __len__(self):
        return len(self._items)

    def __repr__(self):
        return f"Headers({self._items!r})"


class Request:
    """What was asked. The body is read when it is asked for, and is kept."""

    def __init__(self, method, url, headers, chunks=()):
        self.method = method
        self.url = url
        self.headers = Headers(headers)
        self._chunks = iter(chunks)
        self._read = None

    def stream(self):
        """The body in the pieces in which it comes. It can be read only once so."""
        if self._read is not None:
            return iter([self._read])
        return self._chunks

    def bytes(self):
        if self._read is None:
            self._read = join(self._chunks, self.headers.get("content-length"))
        return self._read

    def text(self):
        return self.bytes().decode()

    def json(self):
        import json

        return json.loads(self.bytes())

    def __repr__(self):
        return f"<Request {self.method} {self.url}>"


class Response:
    """What is answered. The body is text, bytes, nothing, or something that gives bytes or text piece by piece."""

    def __init__(self, body=None, status=200, headers=None):
        self.status = int(status)
        self.headers = Headers(headers or ())
        self.body = body
        if isinstance(body, str) and "content-type" not in self.headers:
            self.headers.append("content-type", "text/plain;charset=UTF-8")

    @classmethod
    def json(cls, data, status=200, headers=None):
        import json

        response = cls(json.dumps(data).encode(), status, headers)
        if "content-type" not in response.headers:
            response.headers.append("content-type", "application/json")
        return response

    @classmethod
    def html(cls, text, status=200, headers=None):
        response = cls(text.encode(), status, headers)
        if "content-type" not in response.headers:
            response.headers.append("content-type", "text/html;charset=UTF-8")
        return response

    @classmethod
    def redirect(cls, url, status=302):
        return cls(None, status, {"location": url})

    def __repr__(self):
        return f"<Response {self.status}>"


def chunks_of(body):
    """A response's body as pieces of bytes."""
    if body is None:
        return
    if isinstance(body, (str, bytes, bytearray, memoryview)):
        body = [body]
    elif not hasattr(body, "__iter__"):
        raise TypeError(f"a body is text, bytes, or gives them piece by piece; this is {type(body).__name__}")
    for piece in body:
        yield piece.encode() if isinstance(piece, str) else bytes(piece)
