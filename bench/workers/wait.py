"""Waits for no time: each wait leaves the guest, and comes back in a later turn."""

from time import sleep

from pymode.workers import Response


def on_fetch(request, env):
    count = int(request.url.partition("count=")[2])
    for _ in range(count):
        sleep(1e-9)
    return Response(str(count))
