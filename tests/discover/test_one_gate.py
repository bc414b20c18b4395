"""Whatever speaks with callers reaches tools through the one source that it is given, and by no way past it."""

from __future__ import annotations

import ast
import unicodedata
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import Things
from mcpbridge.build import guarded
from mcpbridge.discover.discover import Discover
from mcpbridge.errors import ToolNotFound
from mcpbridge.policy import Allow
from mcpbridge.router import Router
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call, Caller
from mcpbridge.wrap.visible import Restrict
from mcpbridge.wrap.visible_scope import Scope

PACKAGE = Path(__file__).parents[2] / "src/mcpbridge"
FACES = ("server", "adapters", "discover")
BEHIND = ("rest", "router", "upstream", "vault", "integrations", "gateway")
HIDDEN = ("write_it", "a__write_it")


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    named = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    named |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name.split(".")[1] for name in named if name.startswith("mcpbridge.")}


@pytest.mark.req("ATK-59")
@pytest.mark.parametrize("face", FACES)
def test_what_faces_callers_knows_nothing_of_what_is_behind_the_gate(face: str) -> None:
    modules = [*(PACKAGE / face).rglob("*.py")]

    assert modules
    assert {path.name: known for path in modules if (known := _imported(path) & {*BEHIND})} == {}


def _spellings(name: str) -> st.SearchStrategy[str]:
    """Ways in which somebody may write a name in the hope that one of them is not checked."""
    ways = [
        name,
        name.upper(),
        name.title(),
        f" {name}",
        f"{name} ",
        f"{name}\n",
        f"{name}\0",
        f"./{name}",
        f"a__{name}",
        f"a__a__{name}",
        f"a+{name}",
        f"_{name}",
        name.replace("_", "-"),
        name.replace("_", "__"),
        name.replace("i", "\u0456"),
        name.replace("w", "\uff57"),
        name.replace("_", "\u200b_"),
        quote(name.replace("_", "%5f"), safe=""),
        name.replace("_", "%5f"),
        unicodedata.normalize("NFKD", name),
        "*",
        f"{name}*",
    ]
    return st.sampled_from(ways)


@pytest.mark.req("ATK-59", "ATK-52", "VIS-01")
@given(
    name=st.sampled_from(HIDDEN).flatmap(_spellings),
    way=st.sampled_from(["direct", "call_tool", "describe_tool", "call_tool twice"]),
    agent=st.sampled_from([None, "bot", "*"]),
)
async def test_no_spelling_of_a_hidden_name_reaches_it_by_any_way(name: str, way: str, agent: str | None) -> None:
    things = Things()
    inner = Router({"a": Restrict(things, Scope(blocked=("write_*",)))})
    source = Discover(guarded(inner, policy=lambda _call, _tool: Allow()))
    arguments = {"direct": {}, "call_tool twice": {"name": "call_tool", "arguments": {"name": name}}}
    call = Call(
        name=name if way == "direct" else way.split(maxsplit=1)[0],
        arguments=arguments.get(way, {"name": name}),
        caller=Caller(agent=agent),
    )

    try:
        refused = error_of(await source.call(call)) is not None
    except ToolNotFound:
        refused = True

    assert refused
    assert things.calls == []


async def test_the_tool_beside_the_hidden_one_is_reached_by_each_way() -> None:
    things = Things()
    inner = Router({"a": Restrict(things, Scope(blocked=("write_*",)))})
    source = Discover(guarded(inner, policy=lambda _call, _tool: Allow()))

    for call in (Call(name="a__read_it"), Call(name="call_tool", arguments={"name": "a__read_it"})):
        assert error_of(await source.call(call)) is None

    assert [call.caller for call in things.calls] == [ANYONE, ANYONE]
