"""Requests and responses of a Worker whose handler is plain, synchronous Python.

    from pymode.workers import Response

    def on_fetch(request, env):
        return Response(f"Hello from {request.url}")
"""

from pymode._wire import join

__all__ = ["Headers", "Request", "Response"]


# Of a header's name: the characters of a token (RFC 9110).
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
# Statuses of responses that have no body.
_BODILESS = frozenset((204, 205, 304))


class Headers:
    """Names and values in order. Names may repeat, and are case-insensitive."""

    def __init__(self, items=()):
        if hasattr(items, "items"):
            items = items.items()
        try:
            pairs = [(name, value) for name, value in items]
        except (TypeError, ValueError):
            raise TypeError("headers must be a mapping, or pairs of a name and a value") from None
        self._items = [_header(*pair) for pair in pairs]

    @classmethod
    def _received(cls, items):
        """Creates headers from received names and values, which were checked."""
        headers = cls()
        headers._items = list(items)
        return headers

    def get(self, name, default=None):
        """Returns all values of a name, joined by commas."""
        values = self.get_all(name)
        return ", ".join(values) if values else default

    def get_all(self, name):
        name = name.lower()
        return [value for other, value in self._items if other.lower() == name]

    def append(self, name, value):
        self._items.append(_header(name, value))

    def set(self, name, value):
        item = _header(name, value)
        self.delete(name)
        self._items.append(item)

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
    """A request. Its body is read on demand, and kept."""

    def __init__(self, method, url, headers, chunks=()):
        self.method = method
        self.url = url
        self.headers = Headers._received(headers)
        self._chunks = iter(chunks)
        self._read = None

    def stream(self):
        """Yields the body in pieces as they arrive. This works only once."""
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
    """An answer. Its body is text, bytes, None, or an iterator that yields text or bytes piece by piece."""

    def __init__(self, body=None, status=200, headers=None):
        self.status = _status(status)
        self.headers = Headers(headers or ())
        self.body = _body(body)
        if body and self.status in _BODILESS and isinstance(body, (str, bytes, bytearray)):
            raise _has_no_body(self.status)
        if isinstance(body, str):
            self._default_type("text/plain;charset=UTF-8")

    def _default_type(self, value):
        if "content-type" not in self.headers:
            self.headers.append("content-type", value)

    @classmethod
    def json(cls, data, status=200, headers=None):
        import json

        response = cls(json.dumps(data).encode(), status, headers)
        response._default_type("application/json")
        return response

    @classmethod
    def html(cls, text, status=200, headers=None):
        response = cls(text.encode() if isinstance(text, str) else text, status, headers)
        response._default_type("text/html;charset=UTF-8")
        return response

    @classmethod
    def redirect(cls, url, status=302):
        return cls(None, status, {"location": url})

    def __repr__(self):
        return f"<Response {self.status}>"


def chunks_of(response):
    """The body of a response as pieces of bytes. A program may have set anything since the response was made."""
    status, body = _status(response.status), _body(response.body)
    if body is None:
        return
    if isinstance(body, (str, bytes, bytearray, memoryview)):
        body = (body,)
    for piece in body:
        if isinstance(piece, str):
            piece = piece.encode()
        elif not isinstance(piece, (bytes, bytearray, memoryview)):
            raise TypeError(
                f"a piece of a body must be str or bytes, not {type(piece).__name__}\n"
                "  hint: `Response.json(data)` sends data as JSON"
            )
        # Empty pieces do not count: the first piece decides if there is a body.
        if piece:
            if status in _BODILESS:
                raise _has_no_body(status)
            yield bytes(piece)


def _header(name, value):
    """Returns a name and a value as they are sent."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a header must be str, not {type(name).__name__}")
    if not name or not _TOKEN.issuperset(name):
        raise ValueError(f"invalid header name {name!r}")
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise TypeError(f"the value of header `{name}` must be str, not {type(value).__name__}{_way_out(name, value)}")
    value = str(value).strip(" \t\r\n")
    for character in "\0\r\n":
        if character in value:
            raise ValueError(f"invalid value of header `{name}`: {value!r} contains {character!r}")
    return name, value


def _way_out(name, value):
    if isinstance(value, (list, tuple, set)):
        return f"\n  hint: give each value a pair of its own: `headers=[({name!r}, first), ({name!r}, second)]`"
    if isinstance(value, (bytes, bytearray)):
        return "\n  hint: decode it"
    return "\n  hint: leave the header out, or convert its value to text"


def _status(status):
    if isinstance(status, bool) or not hasattr(status, "__index__"):
        raise TypeError(f"the status of a Response must be int, not {type(status).__name__}")
    status = status.__index__()
    if not 200 <= status <= 599:
        raise ValueError(f"invalid status {status}: the status of a Response lies between 200 and 599")
    return status


def _body(body):
    if body is None or isinstance(body, (str, bytes, bytearray, memoryview)):
        return body
    # A list or a dict is data, which someone forgot to serialise.
    if hasattr(body, "__iter__") and not isinstance(body, (dict, list, tuple, set, frozenset)):
        return body
    if isinstance(body, (dict, list, tuple)):
        hint = "`Response.json(data)` sends data as JSON, `Response(iter(pieces))` text or bytes piece by piece"
    elif isinstance(body, (int, float)):
        hint = "convert it with `str`, or send it as JSON with `Response.json(data)`"
    elif hasattr(body, "__await__"):
        hint = "await it"
    elif hasattr(body, "__aiter__"):
        hint = "collect its pieces first: `b\"\".join([piece async for piece in body])`"
    else:
        hint = "`Response.json(data)` sends data as JSON"
    raise TypeError(f"the body of a Response cannot be {_a(type(body).__name__)}\n  hint: {hint}")


def _a(noun):
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _has_no_body(status):
    return ValueError(f"a Response with status {status} has no body\n  hint: leave the body out, or use another status")
