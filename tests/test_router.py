"""Many sources behind one listing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Self

import pytest

from contract import Things, check_refused, check_source_contract, words_of
from mcpbridge.errors import ConfigError, ToolNotFound
from mcpbridge.router import Router
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import ANYONE, Call, Caller, Item, Kind, Status, Tool


class Dead(Things):
    """Raises whenever it is asked."""

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        raise ConnectionError("no route to host 10.0.0.7")

    async def status(self, caller: Caller | None = None) -> Status:
        return Status(state="connected")


class Closed(Things):
    """Can't be entered."""

    async def __aenter__(self) -> Self:
        raise ConnectionError("refused")


class Gone(Things):
    """Fails when it is left."""

    async def __aexit__(self, *_: object) -> None:
        raise ConnectionError("gone")


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


def names(items: Sequence[Item]) -> list[str]:
    return [item.key for item in items]


@pytest.mark.req("GW-01")
async def test_sources_stand_side_by_side_in_the_order_of_their_slugs() -> None:
    router = Router({"b": Things(), "a": Things()})

    assert names(await router.list_tools(ANYONE)) == ["a__read_it", "a__write_it", "b__read_it", "b__write_it"]
    assert names(await router.list("resource", ANYONE)) == ["a+file:///notes.txt", "b+file:///notes.txt"]
    await check_source_contract(router)


@pytest.mark.req("GW-01")
async def test_a_call_goes_to_the_source_that_its_slug_names() -> None:
    one, two = Things(name="one"), Things(name="two")
    answer = await Router({"a": one, "b": two}).call(Call(name="b__read_it"))

    assert words_of(answer) == "two did read_it"
    assert not one.calls


@pytest.mark.req("GW-01")
async def test_a_look_up_asks_no_other_source() -> None:
    class Unasked(Things):
        async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
            raise AssertionError

    router = Router({f"s{number}": Unasked() for number in range(100)} | {"x": Things()})

    assert (await router.get_tool("x__read_it", ANYONE)).name == "x__read_it"


@pytest.mark.req("ATK-33")
async def test_a_tool_named_like_another_sources_tool_is_not_reached_in_its_place() -> None:
    router = Router({"a": Things({"tool": [Tool(name="b__read_it")]}), "b": Things(name="b")})

    assert words_of(await router.call(Call(name="b__read_it"))) == "b did read_it"
    assert words_of(await router.call(Call(name="a__b__read_it"))) == "things did b__read_it"


@pytest.mark.req("GW-02")
async def test_a_dead_source_is_left_out_and_reported() -> None:
    router = Router({"dead": Dead(), "well": Things()})

    assert names(await router.list_tools(ANYONE)) == ["well__read_it", "well__write_it"]
    status = await router.status()
    assert (status.state, status.message) == ("failed", "dead: could not list its tools (ConnectionError)")
    assert (await router.statuses())["well"].state == "connected"


@pytest.mark.req("GW-02")
async def test_a_source_that_hangs_is_left_out_after_its_time() -> None:
    class Hanging(Things):
        async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
            return await asyncio.Event().wait() and ()

    router = Router({"slow": Hanging(), "well": Things()}, list_timeout=0.01)

    assert names(await router.list_tools(ANYONE)) == ["well__read_it", "well__write_it"]
    assert "TimeoutError" in (await router.status()).message


@pytest.mark.req("GW-02")
async def test_a_source_without_a_status_counts_as_failed() -> None:
    class Mute(Things):
        async def status(self, caller: Caller | None = None) -> Status:
            raise ConnectionError

    assert (await Router({"a": Mute(), "b": Things()}).statuses())["a"].code == "status_failed"


async def test_a_start_that_is_cancelled_leaves_what_was_entered() -> None:
    well, slow = Things(), Slow()
    router = Router({"slow": slow, "well": well})
    starting = asyncio.create_task(router.__aenter__())
    await slow.begun.wait()
    assert well.entered
    starting.cancel()
    await asyncio.wait([starting])

    assert (well.left, slow.entered) == (1, 0)


async def test_no_listing_without_a_source_counts_as_current() -> None:
    class Flaky(Things):
        ill = True

        async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
            if self.ill:
                raise ConnectionError
            return await super().list(kind, caller)

    flaky = Flaky()
    router = Router({"a": flaky})
    versions = [router.version(ANYONE)]
    await router.list_tools(ANYONE)
    versions += [router.version(ANYONE), router.version(ANYONE)]
    flaky.ill = False
    await router.list_tools(ANYONE)
    versions += [router.version(ANYONE)]

    assert len({*versions}) == 4
    assert router.version(ANYONE) == versions[-1]


async def test_the_source_of_an_unknown_slug_is_unknown() -> None:
    await check_refused(Router({"a": Things()}), "tool", "b__read_it")
    await check_refused(Router(), "tool", "read_it")


@pytest.mark.req("GW-01")
async def test_every_source_is_entered_and_left_once() -> None:
    one, two = Things(), Things()
    async with Router({"a": one, "b": two}):
        assert (one.entered, one.left, two.entered) == (1, 0, 1)

    assert (one.entered, one.left, two.entered, two.left) == (1, 1, 1, 1)


async def test_a_source_is_left_by_the_task_that_entered_it() -> None:
    class Owned(Things):
        async def __aenter__(self) -> Self:
            self.task = asyncio.current_task()
            return self

        async def __aexit__(self, *_: object) -> None:
            assert asyncio.current_task() is self.task
            self.left += 1

    owned = Owned()
    async with Router({"a": owned}) as router:
        await asyncio.create_task(_removal(router))

    assert owned.left == 1


async def _removal(router: Router) -> None:
    await router.remove("a")


async def test_a_source_that_was_put_while_running_is_entered_and_one_removed_is_left() -> None:
    late = Things()
    async with Router({"a": Things()}) as router:
        await router.put("late", late)
        assert (late.entered, "late__read_it" in names(await router.list_tools(ANYONE))) == (1, True)
        await router.remove("late")
        assert late.left == 1
        await check_refused(router, "tool", "late__read_it")

    assert (late.entered, late.left) == (1, 1)


async def test_putting_needs_no_await() -> None:
    late = Things()
    async with Router() as router:
        router.put("late", late)
        assert names(await router.list_tools(ANYONE)) == ["late__read_it", "late__write_it"]

    assert late.entered == late.left


async def test_a_source_takes_the_place_of_another() -> None:
    old, new = Things(name="old"), Things(name="new")
    async with Router({"a": old}) as router:
        await router.put("a", new)
        assert words_of(await router.call(Call(name="a__read_it"))) == "new did read_it"
        assert (old.left, new.entered) == (1, 1)


@pytest.mark.req("GW-02")
async def test_a_source_that_cannot_be_entered_does_not_stop_the_others() -> None:
    well = Things()
    async with Router({"closed": Closed(), "well": well}) as router:
        assert names(await router.list_tools(ANYONE)) == ["well__read_it", "well__write_it"]
        assert (await router.statuses())["closed"].code == "start_failed"
        with pytest.raises(ToolNotFound):
            await router.call(Call(name="closed__read_it"))

    assert well.left == 1


async def test_a_source_that_fails_when_it_is_left_does_not_stop_the_others() -> None:
    well = Things()
    async with Router({"a": Gone(), "z": well}):
        pass

    assert well.left == 1


async def test_a_source_that_is_still_being_entered_is_given_up_when_it_is_removed() -> None:
    class Endless(Things):
        async def __aenter__(self) -> Self:
            await asyncio.Event().wait()
            return self

    async with asyncio.timeout(5), Router() as router:
        router.put("a", Endless())
        await asyncio.sleep(0)
        await router.remove("a")
        assert not await router.statuses()


class Slow(Things):
    """Is entered when it is told to; before that it can't be used."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go = asyncio.Event(), asyncio.Event()

    async def __aenter__(self) -> Self:
        self.begun.set()
        await self.go.wait()
        return await super().__aenter__()

    async def call(self, call: Call) -> Answer:
        assert self.entered
        return await super().call(call)


async def test_calls_wait_while_a_source_is_being_entered() -> None:
    slow = Slow()
    async with Router({"well": Things()}) as router:
        put = router.put("slow", slow)
        waiting = asyncio.create_task(router.call(Call(name="slow__read_it")))
        await asyncio.sleep(0)
        assert (await router.statuses())["slow"].state == "connecting"
        assert words_of(await router.call(Call(name="well__read_it"))) == "things did read_it"
        slow.go.set()
        await put
        assert words_of(await waiting) == "things did read_it"


@pytest.mark.req("GW-14", "VIS-01")
async def test_a_call_that_waited_does_not_reach_a_source_that_was_removed() -> None:
    slow = Slow()
    async with Router() as router:
        router.put("slow", slow)
        waiting = asyncio.create_task(router.call(Call(name="slow__write_it")))
        await asyncio.sleep(0)
        await router.remove("slow")
        with pytest.raises(ToolNotFound):
            await waiting
    assert not slow.calls


async def test_a_call_that_waited_goes_to_the_source_that_took_its_place() -> None:
    slow, next_one = Slow(), Slow()
    async with Router() as router:
        router.put("slow", slow)
        waiting = asyncio.create_task(router.call(Call(name="slow__write_it")))
        await slow.begun.wait()
        put = router.put("slow", next_one)
        next_one.go.set()
        await put
        assert words_of(await waiting) == "things did write_it"
    assert (len(slow.calls), len(next_one.calls)) == (0, 1)


@pytest.mark.req("GW-02", "UP-02")
@pytest.mark.parametrize("entered", [False, True])
async def test_a_source_that_cancels_the_task_that_holds_it_counts_as_failed(*, entered: bool) -> None:
    class Dying(Slow):
        async def __aenter__(self) -> Self:
            self.task = asyncio.current_task()
            return await super().__aenter__()

    dying = Dying()
    async with Router({"b": Things()}) as router:
        put = router.put("a", dying)
        await dying.begun.wait()
        if entered:
            dying.go.set()
            await put
        assert dying.task
        dying.task.cancel()
        await asyncio.wait([dying.task])
        status = (await router.statuses())["a"]
        assert (status.state, status.code) == ("failed", "start_failed")
        with pytest.raises(ToolNotFound):
            await router.call(Call(name="a__write_it"))
        assert names(await router.list_tools(ANYONE)) == ["b__read_it", "b__write_it"]


@pytest.mark.req("GW-02")
async def test_a_source_whose_status_hangs_or_version_raises_is_its_own_trouble(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stuck(Things):
        async def status(self, caller: Caller | None = None) -> Status:
            await asyncio.Event().wait()
            return Status()

        def version(self, caller: Caller) -> str:
            raise ZeroDivisionError

    caplog.set_level(logging.CRITICAL)
    router = Router({"a": Stuck(), "b": Things()}, list_timeout=0.01)

    assert [status.state for status in (await router.statuses()).values()] == ["failed", "connected"]
    assert router.version(ANYONE) != router.version(ANYONE)


async def test_a_caller_that_gives_up_waiting_does_not_stop_the_source() -> None:
    slow = Slow()
    async with Router() as router:
        put = router.put("slow", slow)
        waiting = asyncio.create_task(router.call(Call(name="slow__read_it")))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        slow.go.set()
        await put
        assert words_of(await router.call(Call(name="slow__read_it"))) == "things did read_it"


async def test_a_source_that_is_slow_to_enter_does_not_hold_up_the_start() -> None:
    slow = Slow()
    sources = {"slow": slow, "well": Things()}
    async with asyncio.timeout(5), Router(sources, start_timeout=0.01, list_timeout=0.01) as router:
        assert names(await router.list_tools(ANYONE)) == ["well__read_it", "well__write_it"]
        slow.go.set()
        assert words_of(await router.call(Call(name="slow__read_it"))) == "things did read_it"
        assert len(await router.list_tools(ANYONE)) == 4

    assert slow.left == 1


async def test_a_router_can_be_entered_again_but_not_twice_at_once() -> None:
    one = Things()
    router = Router({"a": one})
    async with router:
        with pytest.raises(ConfigError, match="already"):
            await router.__aenter__()
    async with router:
        assert (one.entered, one.left) == (2, 1)


def test_one_source_cannot_be_under_two_slugs() -> None:
    one = Things()

    with pytest.raises(ConfigError, match="'b' is under 'a'"):
        Router({"a": one, "b": one})


def test_removing_what_is_not_there_names_what_is() -> None:
    with pytest.raises(ConfigError, match="there are: a"):
        Router({"a": Things()}).remove("b")


async def test_version_and_news_come_from_every_source_and_from_the_router() -> None:
    one, heard = Things(), list[Kind]()
    router = Router({"a": one})
    end = router.watch(heard.append)
    versions = [router.version(ANYONE)]
    one.change("tool", [])
    versions.append(router.version(ANYONE))
    router.put("b", Things())
    versions.append(router.version(ANYONE))
    router.remove("a")
    end()
    one.change("tool", [])
    router.remove("b")

    assert len({*versions}) == 3
    assert heard == ["tool", *["tool", "resource", "template", "prompt"] * 2]
    assert not one.listeners


async def test_a_listener_that_raises_keeps_no_news_from_others() -> None:
    router, heard = Router(), list[Kind]()
    router.watch(lambda _: 1 / 0)  # type: ignore[arg-type] # what it gives is not the point
    router.watch(heard.append)
    router.put("a", Things())

    assert len(heard) == 4


async def test_explain_goes_through_the_source_of_the_slug() -> None:
    verdicts = await Router({"a": Things()}).explain("a__read_it", ANYONE)
    unknown = await Router({"a": Things()}).explain("b__read_it", ANYONE)

    assert [verdict.layer for verdict in verdicts] == ["Things", "Prefix"]
    assert (unknown[0].layer, unknown[0].allowed) == ("Router", False)


async def test_calls_listings_and_changes_at_the_same_time_do_not_disturb_each_other() -> None:
    async with Router({"a": Things()}) as router:

        async def churn(number: int) -> None:
            slug = f"s{number}"
            await router.put(slug, Things())
            await router.list_tools(ANYONE)
            assert words_of(await router.call(Call(name=f"{slug}__read_it"))) == "things did read_it"
            await router.remove(slug)

        await asyncio.gather(*(churn(number) for number in range(50)))
        assert names(await router.list_tools(ANYONE)) == ["a__read_it", "a__write_it"]


@pytest.mark.req("GW-01")
async def test_a_source_alone_is_used_without_a_prefix() -> None:
    alone: ToolSource = Things()

    assert names(await alone.list_tools(ANYONE)) == ["read_it", "write_it"]
    assert words_of(await alone.call_tool(Call(name="read_it"))) == "things did read_it"


async def test_ten_thousand_sources_are_put_in_a_moment() -> None:
    router = Router({f"s{number}": Things() for number in range(10_000)})

    assert (await router.get_tool("s9999__read_it", ANYONE)).name == "s9999__read_it"
