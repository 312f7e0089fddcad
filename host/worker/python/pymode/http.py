"""HTTP requests from a Worker.

    from pymode.http import fetch

    answer = fetch("https://example.com/", method="POST", body=b"...")
    print(answer.status, answer.headers["content-type"], answer.json())

While an answer is on its way the program waits, including the C code that called it. A handler that is `async` may use
the `fetch` of `workers` instead, which lets other tasks run meanwhile.
"""

import os

import _pymode
from pymode._wire import Inbox, join
from pymode.workers import Headers

__all__ = ["Answer", "fetch"]


def fetch(url, *, method="GET", headers=None, body=None):
    """Sends a request and waits for the head of its answer."""
    inbox = begin(url, method, headers, body)
    return Answer(inbox, parse(url, inbox.next()))


def begin(url, method, headers, body):
    """Sends a request. The answer is read from the inbox."""
    for what, text in (("method", method), ("URL", url)):
        if not isinstance(text, str):
            raise TypeError(f"the {what} of a request must be str, not {type(text).__name__}")
    texts = [method, url]
    for name, value in Headers(headers or ()).items():
        texts += [name, value]
    if any("\0" in text for text in texts):
        raise ValueError("a method, URL or header contains a NUL")
    if isinstance(body, str):
        body = body.encode()
    elif body is None:
        body = b""
    elif not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(
            f"the body of a request must be str or bytes, not {type(body).__name__}\n"
            "  hint: `json.dumps(data)` makes text of data"
        )
    return Inbox(_pymode.http_fetch("\0".join(texts), body))


def parse(url, head):
    """Status, URL and headers of an answer."""
    first, *texts = head.decode().split("\0")
    if first == "error":
        raise ConnectionError(f"{url}: {texts[0]}")
    return int(first), texts[0], Headers._received(zip(texts[1::2], texts[2::2]))


class Answer:
    """An answer. Its body is read on demand, and kept."""

    def __init__(self, inbox, head):
        self.status, self.url, self.headers = head
        self._inbox = inbox
        self._body = None

    @property
    def ok(self):
        return 200 <= self.status <= 299

    def stream(self):
        """Yields the body in pieces as they arrive. This works only once."""
        if self._body is not None:
            yield self._body
            return
        yield from self._inbox.body()
        self.close()

    def bytes(self):
        if self._body is None:
            self._body = join(self.stream(), self.headers.get("content-length"))
        return self._body

    def text(self):
        return self.bytes().decode()

    def json(self):
        import json

        return json.loads(self.bytes())

    def close(self):
        """Discards the rest of the body."""
        fd, self._inbox.fd = self._inbox.fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def __repr__(self):
        return f"<Answer {self.status} {self.url}>"
