"""A request as a line of curl: what would be sent, or was, with no secret in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mcpbridge.secret import MASK

if TYPE_CHECKING:
    import httpx2

_UNSAID = {"host", "content-length", "accept-encoding", "connection", "user-agent", "transfer-encoding"}
"""Headers that curl writes by itself."""

_VARIABLE = re.compile(r"(\$\{[A-Za-z_][A-Za-z0-9_]*\})")


def as_curl(request: httpx2.Request, shown: Mapping[str, str]) -> str:
    """The request as one shell command, over several lines.

    `shown` holds, by name in lower case, what to write in the place of a header's value; a `${VAR}` in it is left
    for the shell.
    """
    parts = [f"curl -X {request.method} {shlex.quote(_without_password(str(request.url)))}"]
    for name, value in request.headers.multi_items():
        if name.lower() not in _UNSAID:
            parts.append("-H " + _header(name, shown.get(name.lower(), value)))
    if request.content:
        parts.append(_body(request.content))
    return " \\\n  ".join(parts)


def _header(name: str, value: str) -> str:
    if not _VARIABLE.search(value):
        return shlex.quote(f"{name}: {value}")
    pieces = _VARIABLE.split(f"{name}: {value}")
    return '"' + "".join(piece if index % 2 else _quoted(piece) for index, piece in enumerate(pieces)) + '"'


def _quoted(text: str) -> str:
    return re.sub(r'(["\\$`!])', r"\\\1", text)


def _body(content: bytes) -> str:
    try:
        return f"--data-binary {shlex.quote(content.decode('utf-8'))}"
    except UnicodeDecodeError:
        return f"--data-binary @FILE  # {len(content)} bytes, not text"


def _without_password(url: str) -> str:
    return re.sub(r"^([a-z]+://[^/@:]*):[^/@]*@", rf"\1:{MASK}@", url)
