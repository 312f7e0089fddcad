from job import report
from pymode.workers import Response


def on_fetch(request, env):
    return Response(report())
