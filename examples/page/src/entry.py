"""A guest book as a page of HTML. What visitors write is escaped by markupsafe's C module."""

import markupsafe
from jinja2 import Environment, FileSystemLoader
from workers import Response, WorkerEntrypoint

pages = Environment(loader=FileSystemLoader("/app/templates"), autoescape=True)
# Loaded here, once: requests find it ready.
book = pages.get_template("book.html")

entries = []


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.method == "POST":
            entries.append(await request.text())
        page = book.render(entries=entries, escaped_by=markupsafe._escape_inner.__module__)
        return Response(page, headers={"content-type": "text/html;charset=UTF-8"})
