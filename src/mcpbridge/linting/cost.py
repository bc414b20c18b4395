"""Rules about what tools cost in tokens, in every turn (MB6xx)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mcpbridge.linting.rule import Hit, Rule, SetRule, ToolRule
from mcpbridge.linting.settings import LintLimits
from mcpbridge.linting.subject import Subject


def _tool(subject: Subject, limits: LintLimits) -> Iterator[Hit]:
    if subject.tokens > limits.tool_tokens:
        yield Hit("/inputSchema", f"the tool takes about {subject.tokens:,} tokens, over {limits.tool_tokens:,}")


def _set(subjects: Sequence[Subject], limits: LintLimits) -> Iterator[tuple[None, Hit]]:
    total = sum(subject.tokens for subject in subjects)
    if total > limits.set_tokens:
        yield None, Hit("", f"the {len(subjects)} tools take about {total:,} tokens, over {limits.set_tokens:,}")


RULES: Sequence[Rule] = (
    ToolRule(
        code="MB601",
        severity="warning",
        title="tool that costs many tokens",
        why="its definition is sent again in every turn, whether it is called or not",
        fix="drop or fix arguments with Edit, or split the tool",
        check=_tool,
    ),
    SetRule(
        code="MB602",
        severity="warning",
        title="set that costs many tokens",
        why="models choose worse among many tools, and each turn pays for all of them",
        fix="show each caller only what it needs, with Select or Filter",
        check=_set,
    ),
)
