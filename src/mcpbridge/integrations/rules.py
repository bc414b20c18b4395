"""What a record that is made through the management functions may not say, and the operator's file may. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mcpbridge.integrations.errors import FieldProblem, InvalidRecord
from mcpbridge.integrations.problems import problem
from mcpbridge.integrations.record import Integration, McpIntegration, RestIntegration


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
    if isinstance(record, RestIntegration) and not (record.openapi or "https://").startswith(("http://", "https://")):
        yield problem("openapi", "must be a URL here: files of the gateway's machine are the operator's")
