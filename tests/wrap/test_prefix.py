"""Names under a slug: what goes out comes back to the same item, and to no other."""

from __future__ import annotations

import re
from collections.abc import Sequence

import mcp_types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import KINDS, Things, calls_for, check_refused, check_source_contract, text
from mcpbridge.errors import ConfigError, ToolNotFound
from mcpbridge.tools import ANYONE, Call, Caller, Item, Kind, Resource, ResourceTemplate, Tool
from mcpbridge.wrap.naming import public_key
from mcpbridge.wrap.prefix import Prefix

SLUGS = st.from_regex(r"[a-z][a-z0-9]{0,3}(-[a-z0-9]{1,3})?", fullmatch=True)
LONG = "list_" + "very_" * 30 + "long_things"


def tools(*names: str) -> Things:
    return Things({"tool": [Tool(name=name) for name in names]})


@pytest.mark.req("GW-01")
async def test_tools_and_prompts_are_named_by_the_slug() -> None:
    source = Prefix(Things(), "notes")

    assert [tool.name for tool in await source.list_tools(ANYONE)] == ["notes__read_it", "notes__write_it"]
    assert [item.key for item in await source.list("prompt", ANYONE)] == ["notes__greet"]


@pytest.mark.req("UP-07")
async def test_uris_begin_with_the_slug_and_templates_stay_intact() -> None:
    source = Prefix(Things(), "notes")

    assert [item.key for item in await source.list("resource", ANYONE)] == ["notes+file:///notes.txt"]
    assert [item.key for item in await source.list("template", ANYONE)] == ["notes+file:///{name}.txt"]


@pytest.mark.parametrize(
    ("kind", "key", "inner"),
    [
        ("tool", "notes__read_it", "read_it"),
        ("resource", "notes+file:///notes.txt", "file:///notes.txt"),
        ("template", "notes+file:///{name}.txt", "file:///{name}.txt"),
        ("prompt", "notes__greet", "greet"),
    ],
)
async def test_every_call_arrives_under_the_inner_key(kind: Kind, key: str, inner: str) -> None:
    things = Things()
    for call in calls_for(kind, key):
        await Prefix(things, "notes").call(call)

    assert {call.name for call in things.calls} == {inner}


async def test_the_inner_name_and_another_slug_are_unknown() -> None:
    source = Prefix(Things(), "notes")

    for key in ("read_it", "note__read_it", "notes_read_it", "notes+read_it", "notes__notes__read_it"):
        await check_refused(source, "tool", key)
    await check_refused(source, "resource", "file:///notes.txt")


async def test_what_was_read_and_linked_is_named_as_listed() -> None:
    things = Things()
    source = Prefix(things, "notes")
    read = await source.call(Call(name="notes+file:///notes.txt", kind="resource"))
    link = mcp_types.ResourceLink(uri="file:///notes.txt", name="n")
    part = mcp_types.TextResourceContents(uri="file:///a.txt", text="a")
    things.answer = lambda _: mcp_types.CallToolResult(content=[link, mcp_types.EmbeddedResource(resource=part)])
    told = await source.call(Call(name="notes__read_it"))

    assert isinstance(read, mcp_types.ReadResourceResult)
    assert read.contents[0].uri == "notes+file:///notes.txt"
    assert isinstance(told, mcp_types.CallToolResult)
    assert told.model_dump_json().count('"notes+file:///') == 2


@pytest.mark.parametrize("slug", ["a", "github", "git-hub-2", "a1", "x" * 32])
@pytest.mark.req("INT-02")
def test_a_good_slug_is_taken(slug: str) -> None:
    assert Prefix(Things(), slug).slug == slug


@pytest.mark.parametrize(
    "slug",
    [
        "",
        "1a",
        "-a",
        "a-",
        "a--b",
        "a_b",
        "a__b",
        "GitHub",
        "gіthub",
        "ｇithub",
        "git\u200bhub",
        "a\n",
        "a+b",
        "x" * 33,
    ],
)
@pytest.mark.req("INT-02", "ATK-34")
def test_a_bad_slug_is_refused_and_the_rule_is_told(slug: str) -> None:
    with pytest.raises(ConfigError, match="lowercase letters, digits and single hyphens"):
        Prefix(Things(), slug)


@pytest.mark.parametrize("name", [LONG, "with.dots", "a b", "größe", "x" * 60, "naughty\n\u202ename"])
async def test_a_name_that_providers_refuse_is_cut_and_mapped_back(name: str) -> None:
    things = tools(name, "other")
    source = Prefix(things, "slug")
    [cut, _] = await source.list_tools(ANYONE)
    await source.call(Call(name=cut.name))

    assert re.fullmatch(r"slug__[a-zA-Z0-9_-]{1,58}", cut.name)
    assert [call.name for call in things.calls] == [name]
    await check_source_contract(source)


async def test_a_cut_name_is_found_before_anything_was_listed() -> None:
    things = tools(LONG)

    await Prefix(things, "slug").call(Call(name=public_key("tool", "slug", LONG)))

    assert [call.name for call in things.calls] == [LONG]


async def test_the_full_form_of_a_cut_name_is_no_second_spelling() -> None:
    await check_refused(Prefix(tools(LONG), "slug"), "tool", f"slug__{LONG}")


@pytest.mark.req("ATK-33")
async def test_a_tool_that_has_the_form_of_anothers_cut_name_hides_both() -> None:
    twin = public_key("tool", "slug", LONG).removeprefix("slug__")
    source = Prefix(tools(LONG, twin, "other"), "slug")

    assert [tool.name for tool in await source.list_tools(ANYONE)] == ["slug__other"]
    await check_refused(source, "tool", f"slug__{twin}")
    await check_source_contract(source)


@pytest.mark.req("ATK-33")
async def test_both_stay_hidden_when_they_are_called_before_a_listing() -> None:
    twin = public_key("tool", "slug", LONG).removeprefix("slug__")

    with pytest.raises(ToolNotFound):
        await Prefix(tools(LONG, twin), "slug").call(Call(name=f"slug__{twin}"))


@pytest.mark.req("ATK-33")
async def test_a_twin_that_is_not_listed_hides_both_too() -> None:
    class Unlisted(Things):
        async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
            return [item for item in await super().list(kind, caller) if item.key != twin]

    twin = public_key("tool", "slug", LONG).removeprefix("slug__")
    source = Prefix(Unlisted({"tool": [Tool(name=name) for name in (LONG, twin, "other")]}), "slug")

    assert [tool.name for tool in await source.list_tools(ANYONE)] == ["slug__other"]
    await check_refused(source, "tool", f"slug__{twin}")


async def test_a_name_that_only_looks_cut_is_an_ordinary_name() -> None:
    source = Prefix(tools("get_deadbeef"), "slug")

    assert (await source.get_tool("slug__get_deadbeef", ANYONE)).name == "slug__get_deadbeef"
    await check_refused(source, "tool", "slug__get_cafebabe")


async def test_a_cut_name_that_left_the_source_is_unknown() -> None:
    things = tools(LONG, "b.c")
    source = Prefix(things, "slug")
    gone, _ = [tool.name for tool in await source.list_tools(ANYONE)]
    things.change("tool", [Tool(name="b.c")])

    await check_refused(source, "tool", gone)


async def test_a_tool_is_renamed_once_and_again_when_it_changed() -> None:
    things = tools("a")
    source = Prefix(things, "slug")
    first = await source.get_tool("slug__a", ANYONE)
    again = await source.get_tool("slug__a", ANYONE)
    things.change("tool", [Tool(name="a", description="new")])

    assert first is again
    assert (await source.get_tool("slug__a", ANYONE)).description == "new"


async def test_what_is_remembered_is_bounded_and_forgetting_is_harmless() -> None:
    class Forgetful(Prefix):
        remembered = 3

    things = tools("a", "b.b", "c.c", "d.d", "e.e")
    source = Forgetful(things, "slug")
    for tool in await source.list_tools(ANYONE):
        await source.call(Call(name=tool.name))

    assert [call.name for call in things.calls] == ["a", "b.b", "c.c", "d.d", "e.e"]
    await check_source_contract(source)


async def test_the_origin_tells_the_slug_and_the_name_there() -> None:
    tool = await Prefix(tools("with.dots"), "slug").get_tool(public_key("tool", "slug", "with.dots"), ANYONE)

    assert (tool.origin.slug, tool.origin.name) == ("slug", "with.dots")


async def test_version_and_news_are_the_inner_ones() -> None:
    things, heard = tools("a"), list[str]()
    source = Prefix(things, "slug")
    before, end = source.version(ANYONE), source.watch(heard.append)
    things.change("tool", [])
    end()
    things.change("tool", [])

    assert (before, heard) == ("0", ["tool"])
    assert source.version(ANYONE) != before


@given(slugs=st.tuples(SLUGS, SLUGS), names=st.tuples(st.text(), st.text()))
@pytest.mark.req("ATK-33")
def test_two_items_never_share_a_public_name(slugs: tuple[str, str], names: tuple[str, str]) -> None:
    one, two = zip(slugs, names, strict=True)

    for kind in KINDS:
        assert (public_key(kind, *one) == public_key(kind, *two)) == (one == two)


async def test_a_template_covers_a_resource_that_is_not_listed() -> None:
    class Covered(Things):
        async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
            return ResourceTemplate(uri_template="n:{x}") if key == "n:1" else await super().get(kind, key, caller)

    item = await Prefix(Covered(), "notes").get("resource", "notes+n:1", ANYONE)

    assert item.key == "notes+n:{x}"


async def test_text_answers_pass_as_they_are() -> None:
    things, answer = Things({"tool": [Tool(name="a")], "resource": [Resource(uri="x:y")]}), text("as it is")
    things.answer = lambda _: answer

    assert await Prefix(things, "slug").call(Call(name="slug__a")) is answer
