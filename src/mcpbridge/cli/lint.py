"""`mcpbridge lint`: what is wrong with a description, and what was done about it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from math import inf
from typing import Any

from mcpbridge.cli.described import counted, looked_at, print_json
from mcpbridge.cli.opening import watched
from mcpbridge.cli.outcome import DONE, FAILED, one_line
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.problems import Problem, Severity

_ORDER: Sequence[Severity] = ("error", "warning", "note")


async def lint(text: str, *, as_json: bool) -> int:
    """Shows the problems of a description, the worst first; fails where a part of it is lost.

    Raises: ConfigError for a description that can't be read.
    """
    with looked_at(text) as document, watched("Reading it all …"):
        operations = len(read_operations(document))
        problems = sorted(document.problems, key=_rank)
    counts = Counter[Severity](problem.severity for problem in problems)
    if as_json:
        print_json(_report(document, operations, problems, counts))
    else:
        summary = ", ".join([counted(operations, "operation"), *(counted(counts[each], each) for each in _ORDER)])
        sys.stdout.writelines(f"{one_line(str(problem))}\n" for problem in problems)
        sys.stdout.write(f"{summary}\n")
    return FAILED if counts["error"] else DONE


def _rank(problem: Problem) -> tuple[int, float]:
    """The worst first, then as they stand in the description; those without a line last."""
    return _ORDER.index(problem.severity), problem.line or inf


def _report(
    document: Document, operations: int, problems: Sequence[Problem], counts: Counter[Severity]
) -> dict[str, Any]:
    return {
        "title": document.title,
        "dialect": document.dialect,
        "operations": operations,
        **{f"{severity}s": counts[severity] for severity in _ORDER},
        "problems": [
            {
                "pointer": problem.pointer,
                "line": problem.line,
                "severity": problem.severity,
                "message": problem.message,
                "repair": problem.repair,
            }
            for problem in problems
        ],
    }
