"""Headers that no argument of a call may set, whatever a description says."""

from __future__ import annotations

import re

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A header's name (RFC 9110 section 5.6.2)."""

IGNORED = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that the standard ignores (OpenAPI 3.1 section 4.8.12.1)."""

RESERVED = IGNORED | {
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
"""These, and what belongs to the connection or to another layer (RFC 9110 section 7.6.1)."""
