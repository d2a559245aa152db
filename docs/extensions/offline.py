"""Fails a build whose pages load anything from another computer."""

import re
from html.parser import HTMLParser
from pathlib import Path

from sphinx.errors import ExtensionError

# The attribute of each element that a browser fetches by itself. An `<a href>` waits for a click.
_FETCHED = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "video": "src",
}
_REMOTE = re.compile(r"^(https?:)?//", re.IGNORECASE)
_REMOTE_IN_CSS = re.compile(r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)


def setup(app):
    """Checks the pages when all are written."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True}


def _check(app, exception):
    if exception is None and app.builder.format == "html":
        found = remote_assets(Path(app.outdir))
        if found:
            listed = "\n".join(found)
            raise ExtensionError(f"Pages must not load anything from other websites:\n{listed}")


class _Assets(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        value = attrs.get(_FETCHED.get(tag)) or ""
        if _REMOTE.match(value) and attrs.get("rel") != "canonical":
            self.found.append(value)
        self.found += _REMOTE_IN_CSS.findall(attrs.get("style") or "")


def remote_assets(folder):
    """Returns the scripts, styles, images and fonts that pages would fetch, as `file: address`."""
    found = []
    for path in sorted(folder.rglob("*.html")):
        page = _Assets()
        page.feed(path.read_text())
        found += [f"{path.relative_to(folder)}: {address}" for address in page.found]
    for path in sorted(folder.rglob("*.css")):
        remote = _REMOTE_IN_CSS.findall(path.read_text())
        found += [f"{path.relative_to(folder)}: {address}" for address in remote]
    return found
