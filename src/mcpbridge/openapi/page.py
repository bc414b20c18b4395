"""An HTML page as words that a model can read."""

from __future__ import annotations

from contextlib import suppress
from html.parser import HTMLParser

EXCERPT = 2_000
"""Characters of a page that are shown."""

_UNSEEN = frozenset({"script", "style", "template", "noscript", "svg"})


class _Words(HTMLParser):
    """Collects a page's title and visible words."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.words: list[str] = []
        self.length = 0
        self._inside: str | None = None

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _UNSEEN or tag == "title":
            self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = None

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if self._inside == "title":
            self.title += words
        elif words and self._inside is None and self.length < EXCERPT:
            self.words.append(words)
            self.length += len(words) + 1


def html_excerpt(page: str) -> str:
    """The words of an HTML page, cut at `EXCERPT` characters and marked as such."""
    reader = _Words()
    with suppress(AssertionError):  # the parser's own, for declarations that it does not know: the rest is left out
        reader.feed(page[: EXCERPT * 50])
    words = " ".join(reader.words)
    shown = words[:EXCERPT] + ("…" if len(words) > EXCERPT else "")
    title = f" titled {reader.title[:200]!r}" if reader.title else ""
    return f"[an HTML page{title}, not data; its text:] {shown}".rstrip()
