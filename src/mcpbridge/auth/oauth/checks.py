"""Which URLs may be used that somebody else has named. Pure."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_TEXT = re.compile(r"[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]+")
"""The characters of a URL (RFC 3986 section 2): no blank, control, quote, backslash or angle bracket."""

_HOST = re.compile(r"(?!-)[a-z0-9._-]+(?<!-)|[0-9a-f:.]+")


class Unsound(ValueError):
    """Something that an authorization server said can't be used; the message is ours and holds none of its words."""


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine by a loopback address, or by `localhost` (RFC 8252 section 8.3)."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(what: str, url: object, *, loopback: bool = False) -> str:
    """The URL, where it is https without user name or fragment; with `loopback` also http on a loopback address.

    Raises: Unsound, that says `what` it was to be.
    """
    if not isinstance(url, str) or not url:
        raise Unsound(f"{what} is missing")
    if len(url) > 2000 or _TEXT.fullmatch(url) is None:
        raise Unsound(f"{what} holds what no URL can")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Unsound(f"{what} is no URL") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback and is_loopback(url)):
        raise Unsound(f"{what} is not https")
    if _HOST.fullmatch(host) is None or "@" in parts.netloc or "#" in url:
        raise Unsound(f"{what} must have a plain host, no user name and no fragment")
    return url


def checked_issuer(what: str, url: object, *, loopback: bool = False) -> str:
    """An issuer: such a URL, without a query (RFC 8414 section 2). Raises: Unsound."""
    if "?" in (issuer := checked_url(what, url, loopback=loopback)):
        raise Unsound(f"{what} must have no query")
    return issuer


def local_path(path: str) -> bool:
    """Whether a browser that is sent there stays on our own origin: `/done`, not `//evil`, and no backslash."""
    return path.startswith("/") and not path.startswith("//") and _TEXT.fullmatch(path) is not None
