"""Credentials that an upstream's error says back, masked before anybody reads it. What succeeds is data, and kept."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, quote, quote_plus

import httpx2

from mcpbridge.net.unescaping import LEAST, holds
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.secret import MASK
from mcpbridge.tools import Json

_MASK = MASK.encode()

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
    """The bytes with every credential masked: as it is, in JSON, in a URL, in HTML, in base64.

    One that is written in yet another way (some characters as escapes, escapes of escapes) is masked in the strings of
    JSON; what is no JSON is given up whole.
    """
    texts = sorted(filter(_is_secret, credentials), key=len, reverse=True)
    for text in texts:
        for form in _forms(text):
            content = content.replace(form, _MASK)
    return content if not holds(content, texts) else _rewritten(content, texts)


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


def _is_secret(text: str) -> bool:
    return len(text) >= LEAST and _FIGURES.fullmatch(text) is None


def _rewritten(content: bytes, texts: Sequence[str]) -> bytes:
    try:
        written = json.dumps(_plain(json.loads(content), texts)).encode()
    except (ValueError, RecursionError):
        return _MASK
    return _MASK if holds(written, texts) else written


def _plain(value: Json, texts: Sequence[str]) -> Json:
    """The JSON value with the credentials in its strings masked."""
    if isinstance(value, str):
        return masked(value.encode("utf-8", "surrogatepass"), texts).decode("utf-8", "surrogatepass")
    if is_list(value):
        return [_plain(each, texts) for each in value]
    if is_object(value):
        return {_plain(name, texts): _plain(each, texts) for name, each in value.items()}
    return value


def _forms(text: str) -> frozenset[bytes]:
    plain = text.encode("utf-8", "surrogatepass")
    written = (json.dumps(text)[1:-1], json.dumps(text)[1:-1].replace("/", "\\/"), escape(text))
    once = quote(plain, safe="")
    quoted = (once, quote(plain), quote_plus(plain), quote(once))  # the last: a URL inside a URL
    return frozenset({plain, *_in_base64(plain), *(form.encode() for form in written + quoted)})


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """What base64 makes of it, alone and behind one, two or three other bytes; in both alphabets."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(plain)
        for before, begin in ((0, 0), (1, 2), (2, 3)):
            bits = 8 * (before + len(plain))
            yield encode(bytes(before) + plain)[begin : bits // 6]
