"""`mcpbridge validate`: whether a target works, in steps from its address to a call."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from mcpbridge.cli.described import print_json
from mcpbridge.cli.headers import Header, read_headers
from mcpbridge.cli.opening import base_of, open_configuration, read_document, server_name, slug_of, watched
from mcpbridge.cli.outcome import DONE, FAILED, one_line
from mcpbridge.cli.target import Child, Configured, Described, Remote, read_target
from mcpbridge.gateway.checking import check_integration
from mcpbridge.gateway.report import Report, Step
from mcpbridge.integrations.auth import Use
from mcpbridge.integrations.record import Integration
from mcpbridge.tools import ANYONE, Caller

_MARKS = {"passed": "ok  ", "warning": "WARN", "failed": "FAIL", "skipped": "-   "}


async def validate(text: str, *, as_json: bool, headers: Sequence[str]) -> int:
    """Checks a target, or each integration of a configuration, those that are switched off too; 1 where a step failed.

    Nothing is written: what is called is a tool that reads and needs no argument.

    Raises: ConfigError.
    """
    target = read_target(text)
    given = read_headers(headers, os.environ)
    with watched(f"Checking {text} …"):
        if isinstance(target, Configured):
            records = open_configuration(target, given).configuration.integrations
        else:
            records = [_record(target, text, given)]
        reports = [await _checked(record) for record in records]
    if as_json:
        print_json([report.to_json() for report in reports])
    else:
        sys.stdout.writelines(f"{line}\n" for report in reports for line in _lines(report))
    return DONE if all(report.ok for report in reports) else FAILED


async def _checked(record: Integration) -> Report:
    caller = ANYONE if record.owner is None else Caller(user=record.owner)
    return await check_integration(record, Use(integration=record.name), caller=caller)


def _record(target: Described | Remote | Child, text: str, headers: Sequence[Header]) -> Integration:
    """The record that a target stands for; the headers are credentials of a person's own."""
    auth = {"type": "headers", "headers": {each.name: each.value for each in headers}} if headers else {"type": "none"}
    if isinstance(target, Described):
        name = slug_of(target.name.partition(".")[0])
        base_url = base_of(read_document(target), target)
        return Integration(
            name=name, protocol="rest", openapi=target.url or str(target.data), base_url=base_url, auth=auth
        )
    if isinstance(target, Remote):
        transport = "sse" if target.url.rstrip("/").endswith("/sse") else "http"
        return Integration(name=server_name(target), protocol="mcp", url=target.url, transport=transport, auth=auth)
    command, *args = target.command
    return Integration(
        name=slug_of(text.removeprefix("stdio:")),
        protocol="mcp",
        transport="stdio",
        command=command,
        args=args,
        auth=auth,
    )


def _lines(report: Report) -> Iterator[str]:
    yield f"{report.name}: {'works' if report.ok else 'does not work'}"
    for step in report.steps:
        yield one_line(f"  {_MARKS[step.outcome]} {step.name:9} {_words(step)}")


def _words(step: Step) -> str:
    return f"{step.message}. {step.hint}" if step.hint else step.message
