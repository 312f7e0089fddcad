from pymode.workers import Response


def on_fetch(request, env):
    return Response("1\n")
