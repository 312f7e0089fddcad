"""The guest's side of a Worker: requests arrive by file 0, answers leave by file 1, as the host opens them. initialise() moves
both out of the way of the program: its standard input is empty, and its standard output goes to the log.

A message is made of pieces, each after its length (4 bytes, little-endian): the head, the pieces of the body, and an empty
one. A head is texts with NULs between them. The head of a request: method, URL, number of headers, names and values of the
headers, names and values of the environment. The head of an answer: status, names and values of headers; or `fault` and a
traceback. The host logs file 2.

The host calls initialise() once and serve() for each request (`pymode_initialise` and `pymode_serve` of python.wasm). Both
return 0, or 1 when the interpreter must not be used again, as when its memory is full.
"""

import os
import sys

import _absent
from pymode._left_out import LEFT_OUT
from pymode._wire import CUT_OFF, Inbox
from pymode.workers import Headers, Request, Response, chunks_of

# Imports slow down every cold start: hence no json, traceback, io, types.
SimpleNamespace = type(sys.implementation)

# Memory that must be free for the next request, after one that ran out of it.
_ROOM = 4 << 20

_handler = None
_failure = None
# Descriptors of the requests and the answers. The host knows the second (`OUTPUTS` in its imports of WASI).
_REQUESTS = 254
_ANSWERS = 255


def initialise():
    """Imports the program. Its state does not depend on a request, the clock or random numbers: a snapshot may follow."""
    global _handler, _failure
    # C code and os.write(1, …) must not write into an answer, nor input() read a request.
    os.dup2(0, _REQUESTS)
    os.dup2(1, _ANSWERS)
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1, closefd=False)
    # The import error of an omitted module explains how to include it.
    _absent.REASONS.update(LEFT_OUT)
    try:
        name = os.environ.get("PYMODE_ENTRY", "entry")
        __import__(name)
        _handler = _find(sys.modules[name])
    except BaseException as error:
        _failure = _traceback(error)
        sys.stderr.write(_failure)
    _flush()
    return 0 if _failure is None else 1


def serve():
    """Answers one request."""
    if _failure is not None:
        _fail(_failure)
        return 1
    # A call of its own: afterwards the request uses no memory.
    fits = _answer()
    _flush()
    return 0 if fits or _has_room() else 1


def _answer():
    """Returns true if there was enough memory."""
    inbox = Inbox(_REQUESTS)
    started = False
    try:
        message = _Message(inbox.next().decode())
        response = _handler(message, inbox.body())
        pieces = chunks_of(response)
        # The first piece before the head: until then the status can report an error.
        first = next(pieces, b"")
        headers = (text for header in Headers(response.headers).items() for text in header)
        _write_head(str(int(response.status)), *headers)
        started = True
        # The answer to HEAD is the head of what GET would answer.
        if message.method != "HEAD":
            _write_piece(first)
            for piece in pieces:
                _write_piece(piece)
        _write(bytes(4))
    except BaseException as error:
        if isinstance(error, MemoryError):
            message = response = pieces = first = piece = None
            _let_go(error)
        # A disconnected client is not an error of the program.
        left = isinstance(error, _ClientLeft) or error is inbox.failure
        text = "" if left else _traceback(error)
        sys.stderr.write(text)
        try:
            if started:
                _write(CUT_OFF)
            else:
                _fail(text)
        except _ClientLeft:
            pass
        return not isinstance(error, MemoryError)
    return True


def _let_go(error):
    """Frees the variables of the frames that the error has ended: the report needs memory, too."""
    while error is not None:
        entry = error.__traceback__
        while entry is not None:
            try:
                entry.tb_frame.clear()
            except RuntimeError:
                # It still runs: it is our own.
                pass
            entry = entry.tb_next
        error = error.__context__


def _has_room():
    import gc

    gc.collect()
    try:
        bytes(_ROOM)
    except MemoryError:
        sys.stderr.write("The memory is full, and stays so: the next request gets a new interpreter.\n")
        return False
    return True


class _ClientLeft(BaseException):
    """The client has disconnected."""


def _flush():
    # The log of a request must not begin the log of the next one. The program may have replaced the streams.
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass


class _Message:
    """The head of a request."""

    def __init__(self, head):
        self.method, self.url, count, *texts = head.split("\0")
        pairs = list(zip(texts[::2], texts[1::2]))
        self.headers = pairs[: int(count)]
        self.env = SimpleNamespace(**dict(pairs[int(count) :]))


def _find(module):
    """Returns the handler, as a function of a message and its body."""
    if hasattr(module, "on_fetch"):
        on_fetch = module.on_fetch

        def handle(message, body):
            return _finish(on_fetch, _request(_is_async(on_fetch), message, body), message.env)

        return handle
    if hasattr(module, "Default"):
        default = module.Default

        def handle(message, body):
            return _finish(default(SimpleNamespace(), message.env).fetch, _request(True, message, body))

        return handle
    raise AttributeError(f"`{module.__name__}` defines neither `on_fetch(request, env)` nor `class Default(WorkerEntrypoint)`")


def _is_async(function):
    return bool(getattr(getattr(function, "__code__", None), "co_flags", 0) & 0x80)


def _request(is_async, message, body):
    kind = Request
    if is_async:
        from workers import Request as kind
    return kind(message.method, message.url, message.headers, body)


def _finish(function, *args):
    result = function(*args)
    if hasattr(result, "__await__"):
        result = _run(result)
    if isinstance(result, Response):
        return result
    if isinstance(result, (str, bytes)):
        return Response(result)
    raise TypeError(
        f"a handler returns a Response; this one returned {type(result).__name__}\n"
        "  hint: `Response.json(data)` sends data as JSON"
    )


def _run(awaitable):
    """Runs a coroutine to its end, without an event loop if asyncio was never imported: then it cannot wait."""
    if "asyncio" in sys.modules:
        import asyncio

        async def wait():
            return await awaitable

        return asyncio.run(wait())
    steps = awaitable.__await__()
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def _traceback(error):
    try:
        import traceback

        return "".join(traceback.format_exception(error))
    except MemoryError:
        return f"{type(error).__name__}: {error}\n"


def _fail(text):
    _write_head("fault", text.replace("\0", "\ufffd"))
    _write(bytes(4))


def _write_head(*texts):
    if any("\0" in text for text in texts):
        raise ValueError("a header contains a NUL")
    _write_piece("\0".join(texts).encode())


def _write_piece(piece):
    # An empty piece would be the end.
    if piece:
        _write(len(piece).to_bytes(4, "little"))
        _write(piece)


def _write(data):
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(_ANSWERS, view):]
    except BrokenPipeError:
        raise _ClientLeft from None
