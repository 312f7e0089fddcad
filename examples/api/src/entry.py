"""Statistics of the numbers that come in, exactly: `Decimal` in, `Decimal` out, by simplejson's C module."""

import simplejson
import simplejson.encoder
from pymode.workers import Response


def on_fetch(request, env):
    if request.method != "POST":
        usage = {"usage": "POST a JSON array of numbers", "speedups": bool(simplejson.encoder.c_make_encoder)}
        return answer(usage, 405, allow="POST")
    try:
        numbers = simplejson.loads(request.text(), use_decimal=True)
        total = sum(numbers)
    except (ValueError, TypeError) as error:
        return answer({"error": str(error)}, 400)
    return answer({"count": len(numbers), "sum": total, "mean": total / len(numbers) if numbers else None})


def answer(data, status=200, **headers):
    text = simplejson.dumps(data, use_decimal=True)
    return Response(text, status, {"content-type": "application/json", **headers})
