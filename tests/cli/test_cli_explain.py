"""An explanation is that of the layers that decide, of a gateway's own or of those that `serve` would put around."""

from __future__ import annotations

import pytest

from contract import Things
from mcpbridge.build import guarded
from mcpbridge.cli.explain import explained, lines
from mcpbridge.errors import ConfigError
from mcpbridge.policy import read_only
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import ANYONE
from mcpbridge.wrap.visible import Restrict
from mcpbridge.wrap.visible_scope import Scope


async def _told(source: ToolSource, name: str = "write_it") -> dict[str, object]:
    return await explained(name, source, await source.list_tools(ANYONE))


@pytest.mark.req("VIS-05")
async def test_a_plain_source_is_explained_as_it_would_be_served() -> None:
    told = await _told(Things())

    assert (told["approval"], told["access"]) == ("asks a person first", "write")


@pytest.mark.req("VIS-05")
async def test_a_gateway_is_explained_by_its_own_policy() -> None:
    told = await _told(guarded(Things(), policy=read_only))

    assert told["approval"] == "is refused: only tools that read may be called here"


@pytest.mark.req("VIS-05")
async def test_a_hidden_tool_is_explained_by_the_rule_that_hides_it() -> None:
    told = await _told(Restrict(Things(), Scope(blocked=("write_*",))))

    assert "description" not in told
    assert lines(told).splitlines() == [
        "write_it (hidden: can't be called)",
        "",
        "verdict    Things: found (offers tool 'write_it')",
        "verdict    Restrict: blocked (is on the list of what is blocked)",
    ]


async def test_an_unknown_tool_has_no_explanation() -> None:
    with pytest.raises(ConfigError, match="did you mean 'write_it'"):
        await _told(Things(), "write_its")
