"""A host's own changes of single tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mcp_types
import pytest

from mcpbridge.errors import ConfigError, InvalidArguments, ToolNotFound
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import ANYONE, Call, Caller, Item, Kind, Tool
from mcpbridge.wrap.edit import Edit, ToolEdit

pytestmark = pytest.mark.req("OAS-14")

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "units": {"type": "string"}},
    "required": ["city", "units"],
    "additionalProperties": False,
}


class Echo(ToolSource):
    """Two tools that keep what they were called with."""

    def __init__(self) -> None:
        self.tools = {name: Tool(name=name, description=name, input_schema=SCHEMA) for name in ("weather", "wind")}
        self.calls: list[Call] = []

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        return [*self.tools.values()] if kind == "tool" else []

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        if kind != "tool" or key not in self.tools:
            raise ToolNotFound(key, kind)
        return self.tools[key]

    async def call(self, call: Call) -> mcp_types.CallToolResult:
        self.calls.append(call)
        return mcp_types.CallToolResult(content=[])


async def called(edit: ToolEdit, arguments: dict[str, Any], name: str = "weather") -> Call:
    echo = Echo()
    await Edit(echo, {"weather": edit}).call(Call(name=name, arguments=arguments))
    return echo.calls[0]


async def test_a_renamed_tool_is_known_by_its_new_name_only() -> None:
    edited = Edit(Echo(), {"weather": ToolEdit(name="forecast")})
    assert [tool.name for tool in await edited.list_tools(ANYONE)] == ["forecast", "wind"]
    assert (await edited.get_tool("forecast", ANYONE)).name == "forecast"
    for gone in (edited.get_tool("weather", ANYONE), edited.call_tool(Call(name="weather"))):
        with pytest.raises(ToolNotFound):
            await gone


async def test_a_renamed_tool_is_called_under_its_inner_name() -> None:
    assert (await called(ToolEdit(name="forecast"), {}, "forecast")).name == "weather"


async def test_two_tools_can_swap_names() -> None:
    edited = Edit(Echo(), {"weather": ToolEdit(name="wind"), "wind": ToolEdit(name="weather")})
    assert [(tool.name, tool.description) for tool in await edited.list_tools(ANYONE)] == [
        ("wind", "weather"),
        ("weather", "wind"),
    ]


async def test_a_tool_whose_name_another_one_took_is_hidden() -> None:
    edited = Edit(Echo(), {"weather": ToolEdit(name="wind")})
    assert [tool.description for tool in await edited.list_tools(ANYONE)] == ["weather"]
    assert (await edited.get_tool("wind", ANYONE)).description == "weather"


async def test_a_hidden_tool_cannot_be_called() -> None:
    edited = Edit(Echo(), {"weather": ToolEdit(hidden=True)})
    with pytest.raises(ToolNotFound):
        await edited.call_tool(Call(name="weather"))


async def test_a_fixed_argument_leaves_the_schema_and_is_sent() -> None:
    tool = await Edit(Echo(), {"weather": ToolEdit(fixed={"units": "si"})}).get_tool("weather", ANYONE)
    assert list(tool.input_schema["properties"]) == ["city"]
    assert tool.input_schema["required"] == ["city"]
    assert tool.fixed == {"units": "si"}
    assert (await called(ToolEdit(fixed={"units": "si"}), {"city": "Ulm"})).arguments == {"city": "Ulm", "units": "si"}


async def test_a_fixed_argument_cannot_be_given() -> None:
    with pytest.raises(InvalidArguments, match="the host fixed this argument"):
        await called(ToolEdit(fixed={"units": "si"}), {"units": "us"})


async def test_a_default_is_used_where_the_caller_gives_nothing() -> None:
    edit = ToolEdit(defaults={"units": "si"})
    assert (await called(edit, {"city": "Ulm"})).arguments == {"city": "Ulm", "units": "si"}
    assert (await called(edit, {"units": "us"})).arguments == {"units": "us"}
    tool = await Edit(Echo(), {"weather": edit}).get_tool("weather", ANYONE)
    assert tool.input_schema["properties"]["units"] == {"type": "string", "default": "si"}
    assert tool.input_schema["required"] == ["city"]


async def test_the_hosts_word_on_access_is_shown_to_clients() -> None:
    tool = await Edit(Echo(), {"weather": ToolEdit(access="read")}).get_tool("weather", ANYONE)
    assert tool.access == "read"
    assert tool.to_wire()["annotations"] == {"readOnlyHint": True, "destructiveHint": False}


async def test_the_shared_schema_is_not_changed() -> None:
    await Edit(Echo(), {"weather": ToolEdit(fixed={"units": "si"})}).list_tools(ANYONE)
    assert SCHEMA["required"] == ["city", "units"]


@pytest.mark.parametrize(
    "edits",
    [
        {"weather": ToolEdit(name="x"), "wind": ToolEdit(name="x")},
        {"weather": ToolEdit(fixed={"a": 1}, defaults={"a": 2})},
    ],
)
def test_edits_that_contradict_are_refused_when_they_are_built(edits: dict[str, ToolEdit]) -> None:
    with pytest.raises(ConfigError):
        Edit(Echo(), edits)
