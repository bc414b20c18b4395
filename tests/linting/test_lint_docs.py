"""`docs/lint.md` tells every rule as the table has it."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path

from mcpbridge.linting.rule import Rule
from mcpbridge.linting.settings import LintLimits, LintSettings
from mcpbridge.linting.table import GROUPS, RULES

PAGE = (Path(__file__).parents[2] / "docs/lint.md").read_text("utf-8")


def row(rule: Rule) -> str:
    """A rule's line in the page."""
    why = f"{rule.why} ([source]({rule.source}))" if rule.source else rule.why
    cells = (rule.code, rule.severity, rule.title, why, rule.fix)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def test_the_page_tells_every_rule_in_order() -> None:
    told = [line for line in PAGE.splitlines() if line.startswith("| MB")]

    assert told == [row(rule) for rule in RULES]


def test_the_page_tells_every_group() -> None:
    titles = [line for line in PAGE.splitlines() if line.startswith("### MB")]

    assert titles == [f"### {group}xx · {title}" for group, title in GROUPS.items()]
    assert all(any(rule.code.startswith(group) for rule in RULES) for group in GROUPS)


def test_the_page_s_settings_can_be_read_and_tell_the_defaults() -> None:
    block = PAGE.partition("```text\n")[2].partition("```")[0]
    settings = LintSettings.read(tomllib.loads(block)["tool"]["mcpbridge"]["lint"])

    assert settings.limits == LintLimits()
    assert block.count(" = ") == 3 + len(dataclasses.fields(LintLimits))
