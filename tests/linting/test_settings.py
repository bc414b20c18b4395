"""The table of a pyproject.toml, strictly read."""

from __future__ import annotations

import tomllib

import pytest

from mcpbridge import ConfigError, LintSettings, lint
from mcpbridge.linting.settings import LintLimits

pytestmark = pytest.mark.req("TEST-01")

WHOLE = """
select = ["MB"]
ignore = ["MB3", "MB501"]
[per-tool]
"admin_*" = ["MB402"]
[limits]
name-length = 60
tool-tokens = 500
"""


def test_every_key_of_the_table_is_read() -> None:
    assert LintSettings.read(tomllib.loads(WHOLE)) == LintSettings(
        select=("MB",),
        ignore=("MB3", "MB501"),
        per_tool={"admin_*": ("MB402",)},
        limits=LintLimits(name_length=60, tool_tokens=500),
    )


def test_an_empty_table_says_nothing_new() -> None:
    assert LintSettings.read({}) == LintSettings()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('selct = ["MB"]', "no key 'selct'; did you mean 'select'"),
        ("per_tool = {}", "no key 'per_tool'; did you mean 'per-tool'"),
        ('zebra = ["MB"]', r"no key 'zebra' \(there are select, ignore"),
        ('select = "MB"', "select: give a list of codes"),
        ("ignore = [5]", "ignore: give a list of codes"),
        ("per-tool = 5", "'per-tool' must be a table"),
        ('per-tool = {"a*" = "MB1"}', "per-tool 'a\\*': give a list"),
        ("limits = {name_length = 5}", "limits has no key 'name_length'; did you mean 'name-length'"),
        ("limits = {arguments = -1}", "arguments must be a whole number from 0"),
        ("limits = {arguments = true}", "arguments must be a whole number from 0"),
        ('limits = {tool-tokens = "5"}', "tool-tokens must be a whole number from 0"),
    ],
)
def test_what_the_table_can_not_mean_is_refused_with_what_was_meant(table: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"\[tool.mcpbridge.lint\].*{said}"):
        LintSettings.read(tomllib.loads(table))


@pytest.mark.parametrize("settings", [{"select": ["MB9"]}, {"ignore": ["MB31x"]}, {"per-tool": {"*": ["XX"]}}])
def test_a_code_that_no_rule_begins_with_is_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="no rule of the linter begins with"):
        lint([], LintSettings.read(settings))


def test_a_code_that_is_nearly_right_is_told() -> None:
    with pytest.raises(ConfigError, match="did you mean 'MB501'"):
        lint([], LintSettings(select=["MB-501"]))
