"""`mcpbridge call`: one call of one tool."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import cast

import mcp_types

from mcpbridge.build import guarded
from mcpbridge.cli.dryrun import dry_run as caught_request
from mcpbridge.cli.headers import read_headers
from mcpbridge.cli.opening import open_configuration, open_target
from mcpbridge.cli.outcome import DONE, FAILED, MISUSED, complain, say
from mcpbridge.cli.select import closest
from mcpbridge.cli.target import Described, read_configured, read_target
from mcpbridge.errors import ConfigError, ToolNotFound
from mcpbridge.source.answer import error_of
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import ANYONE, Call, Json
from mcpbridge.wrap.approval import ApprovalRequest, Approver, Decision
from mcpbridge.wrap.approve import ask_host


async def call(
    text: str,
    tool: str,
    *,
    arguments: str,
    base_url: str | None,
    headers: Sequence[str],
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Calls a tool once. A write needs `yes`, or a person who says so.

    Raises: BridgeError.
    """
    given = read_arguments(arguments)
    if dry_run:
        return await _dry_run(text, tool, given, base_url=base_url, headers=headers)
    asked = _asking(text, base_url=base_url, headers=headers, approver=_approver(yes=yes))
    async with asked:
        try:
            answer = await asked.call_tool(Call(name=tool, arguments=given))
        except ToolNotFound as error:
            raise await _unknown(asked, error) from error
    return tell(answer, as_json=as_json)


def _asking(text: str, *, base_url: str | None, headers: Sequence[str], approver: Approver) -> ToolSource:
    """The target's source, that asks this approver."""
    if base_url is None and (configured := read_configured(text)) is not None:
        return open_configuration(configured, read_headers(headers, os.environ), approver=approver)
    source, _ = open_target(text, base_url=base_url, headers=headers)
    return guarded(source, approver=approver)


def read_arguments(text: str) -> Mapping[str, Json]:
    """The arguments that `--args` gives. Raises: ConfigError for what is no JSON object."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise ConfigError(f'--args is no JSON ({error}): write it as \'{{"name": "value"}}\'') from error
    if not isinstance(given, dict):
        raise ConfigError(f'--args needs a JSON object such as \'{{"name": "value"}}\', not {type(given).__name__}')
    return cast("dict[str, Json]", given)


def _approver(*, yes: bool) -> Approver:
    """Who says yes to a write: `--yes`, else the person at the terminal, else nobody."""

    def decide(request: ApprovalRequest, call: Call) -> Decision:  # noqa: ARG001 - an approver's signature
        if yes:
            return Decision(approved=True, by="--yes")
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return Decision(approved=False, reason="it writes: add --yes to approve it")
        say(request.shown)
        sys.stderr.write("Run it? [y/N] ")
        sys.stderr.flush()
        said = sys.stdin.readline().strip().lower()
        return Decision(approved=said in ("y", "yes"), by="terminal", reason="you did not say yes")

    return ask_host(decide)


def tell(answer: Answer, *, as_json: bool) -> int:
    """Prints an answer, and gives the exit code that it means."""
    if isinstance(answer, mcp_types.InputRequiredResult):
        complain(
            "the upstream asks a question in the middle of the call: use an MCP client, such as Claude, to answer it"
        )
        return FAILED
    if as_json:
        sys.stdout.write(answer.model_dump_json(by_alias=True, exclude_none=True) + "\n")
    failure = error_of(answer)
    if failure is not None:
        complain(f"{failure.message}. {failure.hint}" if failure.hint else failure.message)
        return MISUSED if failure.code in ("invalid_arguments", "not_found") else FAILED
    result = cast("mcp_types.CallToolResult", answer)
    if not as_json:
        _print_content(result)
    return FAILED if result.is_error else DONE


def _print_content(result: mcp_types.CallToolResult) -> None:
    out = sys.stderr if result.is_error else sys.stdout
    for block in result.content:
        if isinstance(block, mcp_types.TextContent):
            out.write(f"{block.text}\n")
        elif isinstance(block, mcp_types.ImageContent | mcp_types.AudioContent):
            say(f"({block.mime_type}, {len(block.data) * 3 // 4} bytes: use --json to get it in base64)")
        else:
            out.write(block.model_dump_json(by_alias=True, exclude_none=True) + "\n")


async def _dry_run(
    text: str, tool: str, arguments: Mapping[str, Json], *, base_url: str | None, headers: Sequence[str]
) -> int:
    target = read_target(text)
    if not isinstance(target, Described):
        raise ConfigError("--dry-run shows a request to an HTTP API: this target is an MCP server")
    shown = await caught_request(target, tool, arguments, base_url=base_url, headers=read_headers(headers, os.environ))
    sys.stdout.write(f"{shown}\n")
    return DONE


async def _unknown(source: ToolSource, error: ToolNotFound) -> ConfigError:
    names = [tool.name for tool in await source.list_tools(ANYONE)]
    near = closest(error.key, names) or ":"
    return ConfigError(f"there is no tool {error.key!r}{near} `mcpbridge tools TARGET` lists them")
