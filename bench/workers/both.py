import markupsafe
import simplejson
from pymode.workers import Response


def on_fetch(request, env):
    return Response(simplejson.dumps([markupsafe.escape("<")]))
