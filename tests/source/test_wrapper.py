"""A wrapper decides once for every kind, for listing, getting and calling."""

from __future__ import annotations

import logging

import pytest

from contract import KINDS, Things, calls_for, check_refused, check_source_contract
from mcpbridge.errors import ToolNotFound
from mcpbridge.source.base import Answer, Hidden, ToolSource, Wrapper
from mcpbridge.tools import ANYONE, Call, Caller, Item, Kind, Tool

KEYS: dict[Kind, str] = {
    "tool": "write_it",
    "resource": "file:///notes.txt",
    "template": "file:///{name}.txt",
    "prompt": "greet",
}


class Hide(Wrapper):
    """Hides one key."""

    def __init__(self, inner: ToolSource, key: str) -> None:
        super().__init__(inner)
        self.key = key

    def show(self, item: Item, caller: Caller) -> Item | Hidden:
        return Hidden(code="mine", message="not for you") if item.key == self.key else item


class Broken(Wrapper):
    """Can't decide."""

    def show(self, item: Item, caller: Caller) -> Item | Hidden:
        raise LookupError(item.key)


class Shout(Wrapper):
    """Renames tools, as `Prefix` does."""

    def show(self, item: Item, caller: Caller) -> Item:
        return Tool(name=item.key.upper()) if isinstance(item, Tool) else item

    async def inner_key(self, kind: Kind, key: str, caller: Caller) -> str:
        if kind != "tool":
            return key
        if key != key.upper():
            raise ToolNotFound(key, kind)
        return key.lower()


@pytest.mark.req("VIS-01")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_hidden_item_cannot_be_listed_got_called_or_completed(kind: Kind) -> None:
    things = Things()
    source = Wrapper(Hide(Wrapper(things), KEYS[kind]))

    await check_refused(source, kind, KEYS[kind])
    assert not things.calls
    await check_source_contract(source)


@pytest.mark.req("VIS-01")
@pytest.mark.parametrize("kind", KINDS)
async def test_what_one_kind_hides_the_others_keep(kind: Kind) -> None:
    source = Hide(Things(), KEYS[kind])

    for other in KINDS:
        if other != kind:
            assert await source.get(other, KEYS[other], ANYONE)
            for call in calls_for(other, KEYS[other]):
                await source.call(call)


@pytest.mark.req("VIS-01")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_rule_that_raises_hides_every_kind(kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    source = Broken(Things())

    await check_refused(source, kind, KEYS[kind])
    assert (await source.explain(KEYS[kind], ANYONE, kind=kind))[-1].code == "rule_failed"


async def test_a_renamer_tells_outer_names_only() -> None:
    source = Shout(Hide(Things(), "write_it"))

    assert [tool.name for tool in await source.list_tools(ANYONE)] == ["READ_IT"]
    for key in ("WRITE_IT", "write_it", "read_it", "NOTHING"):
        await check_refused(source, "tool", key)
    await check_source_contract(source)


async def test_an_unknown_item_that_turns_up_during_a_call_gets_its_outer_name() -> None:
    class Vanishing(Things):
        async def call(self, call: Call) -> Answer:
            raise ToolNotFound(call.name)

    with pytest.raises(ToolNotFound) as gone:
        await Shout(Vanishing()).call(Call(name="READ_IT"))
    assert str(gone.value) == str(ToolNotFound("READ_IT"))


async def test_a_wrapper_that_decides_nothing_passes_everything_on() -> None:
    things = Things()
    source = Wrapper(things)
    for kind in KINDS:
        for call in calls_for(kind, KEYS[kind]):
            await source.call(call)

    assert len(things.calls) == 5
    assert source.version(ANYONE) == things.version(ANYONE)
    await check_source_contract(source)


async def test_a_call_item_sees_the_item_only_where_it_is_asked_for() -> None:
    seen = list[Item | None]()

    class Look(Wrapper):
        async def call_item(self, item: Item | None, call: Call) -> Answer:
            seen.append(item)
            return await self.inner.call(call)

    class Need(Look):
        needs_item = True

    for source in (Look(Things()), Need(Things())):
        await source.call(Call(name="read_it"))

    assert [item and item.key for item in seen] == [None, "read_it"]


async def test_explain_collects_a_verdict_of_each_layer_until_one_refuses() -> None:
    source = Hide(Hide(Wrapper(Things()), "write_it"), "read_it")
    shown = await source.explain("greet", ANYONE, kind="prompt")
    hidden = await source.explain("write_it", ANYONE)
    unknown = await source.explain("nothing", ANYONE)

    assert [verdict.layer for verdict in shown] == ["Things", "Wrapper", "Hide", "Hide"]
    assert [(verdict.layer, verdict.code) for verdict in hidden] == [
        ("Things", "found"),
        ("Wrapper", "shown"),
        ("Hide", "mine"),
    ]
    assert [(verdict.layer, verdict.allowed) for verdict in unknown] == [("Things", False)]


async def test_explain_of_a_name_that_a_renamer_never_gives() -> None:
    [verdict] = await Shout(Things()).explain("read_it", ANYONE)

    assert (verdict.layer, verdict.allowed, verdict.code) == ("Shout", False, "not_found")


async def test_a_wrapper_is_entered_and_left_with_its_source() -> None:
    things = Things()
    async with Wrapper(Wrapper(things)):
        assert (things.entered, things.left) == (1, 0)

    assert (things.entered, things.left) == (1, 1)


async def test_the_base_class_offers_nothing() -> None:
    await check_source_contract(ToolSource())
    for kind in KINDS:
        assert not await ToolSource().list(kind, ANYONE)
        await check_refused(ToolSource(), kind, "x")
