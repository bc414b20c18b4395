"""Credentials that an upstream's error says back, masked before anybody reads it. What succeeds is data, and kept."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, quote, quote_plus

import httpx2

from mcpbridge.secret import MASK

LEAST = 8
"""Characters that a credential has at least to be looked for: a shorter one is found in words that mean nothing."""

_FIGURES = re.compile(r"[\d\s.:,TZ+-]*")
"""Times and counts, which strategies send too: they are no secrets, and stand in answers as what they are."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A request's headers and query before a strategy signed it."""

    headers: frozenset[tuple[str, str]]
    query: bytes

    @classmethod
    def of(cls, request: httpx2.Request) -> Unsigned:
        return cls(frozenset(request.headers.multi_items()), request.url.query)

    def credentials(self, signed: httpx2.Request) -> Iterator[str]:
        """The texts that the strategy put in, whole and in the parts that are secret by themselves."""
        for name, value in frozenset(signed.headers.multi_items()) - self.headers:
            yield from _parts(name.lower(), value)
        if signed.url.query != self.query:
            before = _pairs(self.query)
            yield from (value for _, value in _pairs(signed.url.query) - before)


def masked(content: bytes, credentials: Iterable[str]) -> bytes:
    """The bytes with every credential masked: as it is, in JSON, in a URL, in HTML, in base64."""
    for text in sorted(credentials, key=len, reverse=True):
        if len(text) >= LEAST and _FIGURES.fullmatch(text) is None:
            for form in _forms(text):
                content = content.replace(form, MASK.encode())
    return content


def masked_headers(headers: httpx2.Headers, credentials: Iterable[str]) -> httpx2.Headers:
    """The headers with every credential in their values masked."""
    texts = [*credentials]
    return httpx2.Headers([(name, masked(value, texts)) for name, value in headers.raw])


def _pairs(query: bytes) -> frozenset[tuple[str, str]]:
    return frozenset(parse_qsl(query.decode("ascii"), keep_blank_values=True))


def _parts(name: str, value: str) -> Iterator[str]:
    yield value
    if name == "cookie":
        yield from (pair.partition("=")[2] for pair in value.split("; "))
        return
    scheme, _, rest = value.partition(" ")
    yield rest
    if scheme.lower() == "basic":
        try:
            yield base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return


def _forms(text: str) -> frozenset[bytes]:
    plain = text.encode("utf-8", "surrogatepass")
    written = (json.dumps(text)[1:-1], json.dumps(text)[1:-1].replace("/", "\\/"), escape(text))
    once = quote(plain, safe="")
    quoted = (once, quote(plain), quote_plus(plain), quote(once))  # the last: a URL inside a URL
    return frozenset({plain, base64.b64encode(plain), *(form.encode() for form in written + quoted)})
