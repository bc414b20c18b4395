"""The values that flow."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest

from mcpbridge.errors import InvalidArguments
from mcpbridge.secret import Secret
from mcpbridge.tools import Call, Caller, Item, Prompt, Resource, ResourceTemplate, Tool

TOOL = Tool(name="t", description="d", input_schema={"type": "object"}, extra={"title": "T"})


def test_values_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        TOOL.name = "u"  # type: ignore[misc] # pyright: ignore[reportAttributeAccessIssue] # the fault that is tested


@pytest.mark.parametrize(
    "change",
    [
        {"name": "u"},
        {"description": "e"},
        {"input_schema": {"type": "object", "x": 1}},
        {"output_schema": {}},
        {"access": "read"},
        {"extra": {}},
    ],
    ids=str,
)
def test_the_digest_changes_with_everything_that_a_person_sees(change: dict[str, Any]) -> None:
    assert replace(TOOL, **change).digest != TOOL.digest
    assert replace(TOOL).digest == TOOL.digest


def test_the_digest_does_not_depend_on_the_order_of_a_schema() -> None:
    one, two = ({"a": 1, "b": 2}, {"b": 2, "a": 1})

    assert Tool(name="t", input_schema=one).digest == Tool(name="t", input_schema=two).digest


def test_a_tool_is_written_as_mcp_has_it() -> None:
    assert TOOL.to_wire() == {"name": "t", "description": "d", "inputSchema": {"type": "object"}, "title": "T"}
    assert TOOL.to_mcp().name == "t"
    assert TOOL.to_mcp() is TOOL.to_mcp()


def test_the_other_kinds_are_written_as_mcp_has_them() -> None:
    assert Resource(uri="a:b", mime_type="text/plain").to_wire() == {
        "uri": "a:b",
        "name": "a:b",
        "mimeType": "text/plain",
    }
    assert ResourceTemplate(uri_template="a:{b}", description="d").to_wire() == {
        "uriTemplate": "a:{b}",
        "name": "a:{b}",
        "description": "d",
    }
    assert Prompt(name="p", description="d", arguments=[{"name": "n"}]).to_wire() == {
        "name": "p",
        "description": "d",
        "arguments": [{"name": "n"}],
    }


def test_each_item_has_its_key() -> None:
    items: list[Item] = [TOOL, Resource(uri="a:b"), ResourceTemplate(uri_template="a:{b}"), Prompt(name="p")]

    assert [item.key for item in items] == ["t", "a:b", "a:{b}", "p"]


def test_a_caller_is_known_by_tenant_user_agent_and_skill() -> None:
    caller = Caller(tenant="t", user="u", agent="a", skill="s", token=Secret("x"), roles=frozenset({"r"}))

    assert caller.key() == ("t", "u", "a", "s")


@pytest.mark.parametrize(("ref", "kind"), [("prompt", "prompt"), ("template", "template")])
def test_a_completion_is_judged_by_what_it_completes(ref: str, kind: str) -> None:
    assert Call(name="x", kind="completion", arguments={"ref": ref}).target() == (kind, "x")


@pytest.mark.parametrize("ref", [None, "tool", "hunter2" * 1000, ["prompt"]], ids=["none", "tool", "long", "list"])
def test_a_completion_of_anything_else_is_refused_without_repeating_it(ref: Any) -> None:
    with pytest.raises(InvalidArguments) as refused:
        Call(name="x", kind="completion", arguments={"ref": ref}).target()
    assert "hunter2" not in str(refused.value)


def test_every_call_has_an_id_of_its_own() -> None:
    assert Call(name="x").id != Call(name="x").id


def test_a_renamed_call_keeps_everything_else() -> None:
    call = Call(name="x", arguments={"a": 1}, request_state="s")

    assert call.renamed("x") is call
    assert call.renamed("y") == replace(call, name="y")
