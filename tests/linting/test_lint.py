"""What `lint` takes, gives and refuses."""

from __future__ import annotations

import json
from typing import Any

import mcp_types
import pytest
from faults import CLEAN, taking, text, wire

from mcpbridge import ConfigError, Finding, LintSettings, Origin, Tool, lint
from mcpbridge.linting.settings import LintLimits
from mcpbridge.linting.table import CODES, RULES

pytestmark = pytest.mark.req("TEST-01")


ONLY = LintSettings(select=["MB306"])


def codes(*tools: Any, settings: LintSettings | None = None) -> list[str]:
    return [finding.code for finding in lint(tools, settings)]


def test_a_finding_says_rule_tool_place_and_fix() -> None:
    [finding] = lint([taking("find_orders", since=text("From this day on, in ISO 8601."))])

    assert finding == Finding(
        code="MB308",
        severity="info",
        tool="find_orders",
        pointer="/inputSchema/properties/since",
        message="'since' is free text, though it is a date or date-time",
        fix="add format, or a pattern",
    )
    assert str(finding) == (
        "info MB308 find_orders /inputSchema/properties/since: 'since' is free text, though it is a date or date-time; "
        "add format, or a pattern"
    )
    assert json.loads(json.dumps(finding.to_json()))["more"] == []


def test_a_rule_speaks_once_of_a_tool_and_names_the_other_places() -> None:
    [finding] = lint([taking(**{name: {"type": "string", "pattern": "."} for name in ("a/b", "b", "c")})], ONLY)

    assert (finding.code, finding.pointer) == ("MB306", "/inputSchema/properties/a~1b")
    assert finding.more == ("/inputSchema/properties/b", "/inputSchema/properties/c")
    assert "(and 2 more)" in str(finding)


def test_tools_are_told_in_their_order_and_the_set_first() -> None:
    tools = [wire("b b"), wire("a a"), *(wire(f"print_page_{n}", f"Prints page number {n}.") for n in range(130))]

    assert [finding.tool for finding in lint(tools)] == ["", "b b", "b b", "a a", "a a"]


def test_tools_of_mcpbridge_are_linted_as_their_json_is() -> None:
    tool = Tool(name="find", description="Finds.", input_schema={"type": "object"}, extra={"title": "Find\u200b"})

    assert codes(tool) == codes(tool.to_wire()) == ["MB203", "MB701"]


def test_a_tool_that_runs_as_a_read_and_is_labelled_a_write_is_an_error() -> None:
    tool = Tool(
        name="archive", description="Archives it.", access="read", extra={"annotations": {"readOnlyHint": False}}
    )

    assert "MB404" in codes(tool)
    assert "MB404" not in codes(Tool(name="archive", description="Archives it.", access="read"))


def test_a_text_that_names_a_tool_of_another_integration_is_told() -> None:
    ours = Tool(name="send_mail", description="Sends a mail to one person.", origin=Origin(slug="mail"))
    theirs = Tool(
        name="add_numbers", description="Adds two numbers; works well with send_mail.", origin=Origin(slug="sums")
    )

    assert codes(ours, theirs) == ["MB706"]


def test_no_tools_are_no_finding() -> None:
    assert lint([]) == []


MODEL = mcp_types.Tool.model_validate(CLEAN[0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("tools", "from text"),
        (None, "from nothing"),
        (5, "from a number"),
        ({"tools": []}, r"an object \(its 'tools'\?\)"),
        (Tool(name="a"), "from a mcpbridge.Tool"),
        (["list_orders"], "tool 0 is text"),
        ([CLEAN[0], 5], "tool 1 is a number"),
        ([MODEL], "model_dump"),
        ([{"description": "Lists."}], "tool 0 has no name"),
        ([{"name": 5}], "tool 0 has no name"),
        ([{"name": "a", "description": 5}], "'a'.*a description that is a number"),
        ([Tool(name=5)], "no text"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - a host's mistake
    ],
)
def test_what_is_no_list_of_tools_is_refused_with_the_way_out(given: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        lint(given)


@pytest.mark.parametrize("schema", [None, 5, "object", [], True, {}, {"type": "array"}, {"type": ["object"]}])
def test_a_schema_that_is_no_schema_of_an_object_is_a_finding(schema: Any) -> None:
    [finding] = lint([wire(inputSchema=schema)], LintSettings(select=["MB301"]))

    assert (finding.severity, finding.pointer.split("/")[1]) == ("error", "inputSchema")


def test_values_that_are_no_json_are_survived() -> None:
    loop: dict[str, Any] = {"type": "object", "description": "It holds itself."}
    loop["properties"] = {"again": loop}
    odd: dict[Any, Any] = {"type": {"object"}, 5: object(), "enum": [b"x"]}

    assert "MB302" in codes(taking(loop=loop, odd=odd))


def test_rules_are_chosen_by_the_longer_beginning() -> None:
    tool = wire("archive orders", "")

    assert codes(tool) == ["MB101", "MB201", "MB501"]
    assert codes(tool, settings=LintSettings(select=["MB1", "MB2"])) == ["MB101", "MB201"]
    assert codes(tool, settings=LintSettings(ignore=["MB1", "MB2"])) == ["MB501"]
    assert codes(tool, settings=LintSettings(select=["MB", "MB101"], ignore=["MB1"])) == ["MB101", "MB201", "MB501"]
    assert codes(tool, settings=LintSettings(select=["MB1"], ignore=["MB1"])) == []


def test_a_rule_is_silent_for_the_tools_of_a_pattern() -> None:
    settings = LintSettings(select=["MB2"], per_tool={"admin_*": ["MB20"]})

    assert [each.tool for each in lint([wire("admin_purge", ""), wire("purge", "")], settings)] == ["purge"]


def test_limits_move_what_is_too_much() -> None:
    tool = wire(description="It archives the orders of a year.")

    assert codes(tool) == []
    assert codes(tool, settings=LintSettings(limits=LintLimits(description_length=10))) == ["MB202"]
    assert codes(tool, settings=LintSettings(limits=LintLimits(tool_tokens=1, set_tokens=1))) == ["MB602", "MB601"]


def test_rules_are_told_once_in_order_and_completely() -> None:
    assert sorted(set(CODES)) == [*CODES]
    assert all(rule.title and rule.why and rule.fix for rule in RULES)
    assert all(rule.source.startswith("https://") for rule in RULES if rule.code.startswith("MB5"))
