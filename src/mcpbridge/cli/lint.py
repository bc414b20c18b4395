"""`mcpbridge lint`: what is wrong with a description, and with the tools of any target."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from mcpbridge.cli.described import counted, print_json
from mcpbridge.cli.headers import read_headers
from mcpbridge.cli.lint_settings import read_settings
from mcpbridge.cli.listing import listing_of
from mcpbridge.cli.opening import open_server, read_document, watched
from mcpbridge.cli.outcome import DONE, FAILED, one_line
from mcpbridge.cli.target import Described, read_target
from mcpbridge.compare.snapshot import listed
from mcpbridge.errors import ConfigError, DescriptionError, UpstreamError
from mcpbridge.linting.rule import SEVERITIES, Finding
from mcpbridge.linting.run import lint as find
from mcpbridge.linting.table import RULES
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.problems import Problem, Severity
from mcpbridge.openapi.tool import to_tool
from mcpbridge.tools import ANYONE, Json

_ORDER: Sequence[Severity] = ("error", "warning", "note")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """The tools of a target, and what was wrong in the description that they came from."""

    tools: Sequence[Any]
    document: Document | None = None
    problems: Sequence[Problem] = ()


async def lint(
    text: str,
    *,
    as_json: bool,
    statistics: bool,
    select: Sequence[str],
    ignore: Sequence[str],
    config: str | None,
    headers: Sequence[str],
) -> int:
    """Shows what is wrong, the worst first; fails where there is an error. Nothing is called but listings.

    Raises: ConfigError for settings or a target that can't be read.
    """
    settings = read_settings(config, select=select, ignore=ignore)
    seen = await _seen(text, headers)
    with watched(f"Linting {counted(len(seen.tools), 'tool')} …"):
        found = sorted(find(seen.tools, settings), key=lambda finding: SEVERITIES.index(finding.severity))
    counts = Counter[str]([*(each.severity for each in seen.problems), *(each.severity for each in found)])
    if as_json:
        print_json(_report(seen, found, counts))
    else:
        lines = _statistics(found) if statistics else (str(each) for each in found)
        sys.stdout.writelines(f"{one_line(line)}\n" for line in (*map(str, seen.problems), *lines))
        sys.stdout.write(f"{_summary(seen, counts)}\n")
    return FAILED if counts["error"] else DONE


async def _seen(text: str, headers: Sequence[str]) -> _Seen:
    try:
        if (listing := listing_of(text)) is not None:
            return _Seen(tools=listed(listing, where=text))
        target = read_target(text)
        if isinstance(target, Described):
            return _described(target)
        with watched(f"Asking {text} for its tools …"):
            async with open_server(target, read_headers(headers, os.environ)) as source:
                return _Seen(tools=await source.list_tools(ANYONE))
    except UpstreamError as error:
        raise ConfigError(f"{error.failure.message}. {error.failure.hint}".rstrip()) from error
    except DescriptionError as error:
        raise ConfigError(str(error)) from error


def _described(target: Described) -> _Seen:
    document = read_document(target)
    with watched("Reading it all …"):
        tools = [to_tool(operation) for operation in read_operations(document)]
        return _Seen(tools=tools, document=document, problems=sorted(document.problems, key=_rank))


def _rank(problem: Problem) -> tuple[int, float]:
    """The worst first, then as they stand in the description; those without a line last."""
    return _ORDER.index(problem.severity), problem.line or inf


def _statistics(found: Sequence[Finding]) -> Iterator[str]:
    """How many tools each rule found, the most first."""
    rules = {rule.code: rule for rule in RULES}
    for code, count in Counter(finding.code for finding in found).most_common():
        yield f"{count:>6} {rules[code].severity} {code} {rules[code].title}"


def _summary(seen: _Seen, counts: Counter[str]) -> str:
    words = [counted(counts[each], each) for each in ("error", "warning")]
    return f"{counted(len(seen.tools), 'tool')}: {', '.join(words)}, {counts['note'] + counts['info']} to note"


def _report(seen: _Seen, found: Sequence[Finding], counts: Counter[str]) -> dict[str, Json]:
    description: dict[str, Json] = {}
    if seen.document is not None:
        problems = [_problem(each) for each in seen.problems]
        description = {"title": seen.document.title, "dialect": seen.document.dialect, "problems": problems}
    return {
        "tools": len(seen.tools),
        **{f"{severity}s": counts[severity] for severity in ("error", "warning", "note", "info")},
        **description,
        "findings": [finding.to_json() for finding in found],
    }


def _problem(problem: Problem) -> dict[str, Json]:
    return {
        "pointer": problem.pointer,
        "line": problem.line,
        "severity": problem.severity,
        "message": problem.message,
        "repair": problem.repair,
    }
