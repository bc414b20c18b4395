"""What a record that is made through the management functions may not say, and the operator's file may. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from mcpbridge.integrations.errors import FieldProblem, InvalidRecord
from mcpbridge.integrations.problems import problem
from mcpbridge.integrations.record import Integration, McpIntegration, RestIntegration
from mcpbridge.integrations.storable import is_text

_WEB = re.compile("https?://", re.IGNORECASE)

LONGEST = 10_000
"""Integrations that are listed at once."""


def check_listing(*, category: str | None, state: str | None, after: str, limit: int) -> None:
    """Passes what a listing can be asked for. Raises: InvalidRecord."""
    given = {"category": category or "", "state": state or "", "after": after}
    problems = [problem(name, "must be text, without NUL") for name, text in given.items() if not is_text(text)]
    if isinstance(limit, bool) or not 0 <= limit <= LONGEST:
        problems.append(problem("limit", f"must be 0 to {LONGEST}: ask again with after= for more"))
    if problems:
        raise InvalidRecord(problems)


def check_managed(record: Integration, child: Callable[[McpIntegration], bool]) -> None:
    """Passes what may come from people who manage integrations; `child` says which programs may be started.

    Raises: InvalidRecord.
    """
    if problems := [*_problems(record, child)]:
        raise InvalidRecord(problems, name=record.name)


def no_child(_: McpIntegration) -> bool:
    """Lets no program be started."""
    return False


def _problems(record: Integration, child: Callable[[McpIntegration], bool]) -> Iterator[FieldProblem]:
    if isinstance(record, McpIntegration) and record.transport == "stdio" and child(record) is not True:
        yield problem("transport", "is 'stdio', and the host does not let this program be started here: use 'http'")
    if isinstance(record, RestIntegration) and not _WEB.match(record.openapi or "https://"):
        yield problem("openapi", "must be a URL here: files of the gateway's machine are the operator's")
