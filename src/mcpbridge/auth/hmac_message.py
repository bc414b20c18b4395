"""What an HMAC signs of a request: each field of a message's template. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx2

from mcpbridge.errors import ConfigError

OF_ADDRESS: Final[Mapping[str, Callable[[httpx2.URL], bytes]]] = {
    "url": lambda url: url.raw_scheme + b"://" + url.netloc + url.raw_path,
    "host": lambda url: url.netloc,
    "path": lambda url: url.raw_path.partition(b"?")[0],
    "query": lambda url: url.query,
    "target": lambda url: url.raw_path,
}
"""The parts of an address as they go over the wire; `target` is path and query."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """What is signed: a request on its way out, or a webhook that came. The names of `headers` are in lower case."""

    method: str
    url: httpx2.URL
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def of(cls, request: httpx2.Request, *, body: bool) -> Signed:
        """A request; its body only where that was read."""
        content = request.content if body else b""
        return cls(method=request.method, url=request.url, headers=request.headers, body=content)

    def part(self, name: str, argument: str) -> bytes:
        """A field's bytes; its `argument` names the header. Raises: ConfigError for a header that is not there."""
        if name in OF_ADDRESS:
            return OF_ADDRESS[name](self.url)
        if name == "method":
            return self.method.encode()
        if name == "body":
            return self.body
        value = self.headers.get(argument.lower())
        if value is None:
            raise ConfigError(f"HmacSignature signs the header {argument!r}, and the request has none")
        return value.encode("utf-8", "surrogatepass")


def lower(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers by their names in lower case; those that come twice in one, behind one another."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        known = found.get(name.lower())
        found[name.lower()] = value if known is None else f"{known}, {value}"
    return found
