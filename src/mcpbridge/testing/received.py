"""What a fake upstream received, and what it answers with. Values; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from mcpbridge.tools import Json


@dataclass(frozen=True, kw_only=True, slots=True)
class Received:
    """One request.

    name       the operation, the tool that is called, or the method of an MCP message; empty where it is none of them
    path       as it was sent, percent-encoded, without the query, which is `query`
    headers    by lower-case name; not shown in a repr, since they hold credentials
    arguments  what the request means, as far as it can be read back
    problems   what the description says against it
    """

    name: str = ""
    method: str = "GET"
    path: str = "/"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes = field(default=b"", repr=False)
    arguments: Mapping[str, Json] = field(default_factory=dict[str, Json])
    problems: Sequence[str] = ()

    @property
    def json(self) -> Any:
        """The body as JSON. Raises: ValueError."""
        return json.loads(self.body)

    @property
    def plain_path(self) -> str:
        """The path with its percent-encoding undone."""
        return unquote(self.path)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @classmethod
    def of_json(cls, value: Json, status: int = 200, *, media: str = "application/json", **headers: str) -> Reply:
        """An answer in JSON; names of headers are written with underscores for hyphens."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        body = json.dumps(value, ensure_ascii=False).encode()
        return cls(status=status, headers={"content-type": media, **named}, body=body)

    @classmethod
    def of_problem(cls, status: int, title: str, problems: Sequence[str] = (), **headers: str) -> Reply:
        """An error as RFC 9457 writes it."""
        told: dict[str, Json] = {"title": title, "status": status}
        if problems:
            told["detail"] = "; ".join(problems)
        return cls.of_json(told, status, media="application/problem+json", **headers)
