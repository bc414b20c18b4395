"""`--dry-run`: the request that a call would send, caught where it would leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mcpbridge.cli.headers import Header
from mcpbridge.cli.opening import open_description
from mcpbridge.cli.target import Described
from mcpbridge.errors import ConfigError
from mcpbridge.gateway.tapped import Caught
from mcpbridge.net.curl import as_curl
from mcpbridge.source.answer import error_of
from mcpbridge.tools import Call, Json
from mcpbridge.wrap.validate import Validate


async def dry_run(
    described: Described, tool: str, arguments: Mapping[str, Json], *, base_url: str | None, headers: Sequence[Header]
) -> str:
    """The request as curl, with every secret masked; a header's `${VAR}` is left for the shell.

    Raises: ToolNotFound, InvalidArguments, ConfigError where there is nothing that would be sent.
    """
    caught = Caught()
    source = Validate(open_description(described, base_url=base_url, headers=headers, transport=caught))
    async with source:
        answer = await source.call_tool(Call(name=tool, arguments=arguments))
    if caught.request is None:
        failure = error_of(answer)
        raise ConfigError(f"nothing would be sent: {failure.message if failure else 'the call ends before that'}")
    return as_curl(caught.request, {header.name.lower(): header.shown for header in headers})
