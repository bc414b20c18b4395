"""The URL of a request: the host's base URL, the path and the query of a call."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import unquote_plus

import httpx2

from mcpbridge.errors import ConfigError


@lru_cache(maxsize=1024)
def _base(base_url: str) -> tuple[str, str, frozenset[str]]:
    """Origin and path without a slash at the end, the query and the names in it, of a base URL."""
    try:
        url = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise ConfigError(f"base_url {base_url!r} is no URL ({error}); write it as https://host/path") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigError(f"base_url {base_url!r} is no absolute http(s) URL; write it as https://host/path")
    query = url.query.decode("ascii")
    return str(url.copy_with(query=None, fragment=None)).rstrip("/"), query, frozenset(map(name_of, query.split("&")))


def joined(base_url: str, path: str, query: list[str]) -> str:
    """The whole URL. What the base URL's own query says wins over what an argument would.

    Raises: ConfigError.
    """
    origin, own, names = _base(base_url)
    if own:
        given = "&".join(query).split("&") if query else []
        query = [own, *(pair for pair in given if name_of(pair) not in names)]
    return f"{origin}{path}?{'&'.join(query)}" if query else origin + path


def name_of(pair: str) -> str:
    """The name in a query's `name=value`, decoded."""
    return unquote_plus(pair.partition("=")[0])
