"""A gateway of the host's own records: no store is needed for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract import Things
from mcpbridge.errors import ConfigError, ToolNotFound
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.gateway.health import Transition
from mcpbridge.integrations.errors import IntegrationNotFound
from mcpbridge.integrations.record import Integration
from mcpbridge.policy import read_only
from mcpbridge.source.answer import error_of
from mcpbridge.testing.contract import check_source
from mcpbridge.testing.fake import FakeUpstream
from mcpbridge.testing.faults import Fault
from mcpbridge.testing.ports import listening
from mcpbridge.tools import ANYONE, Call, Caller, Tool

Books = Callable[..., dict[str, Any]]
ADA = Caller(tenant="acme", user="ada")
DEAD = Integration(name="dead", protocol="mcp", url="http://127.0.0.1:9/mcp")


def of(record: dict[str, Any]) -> Integration:
    return Integration(**record)


async def names(gateway: Gateway, caller: Caller = ANYONE) -> list[str]:
    return [tool.name for tool in await gateway.list_tools(caller)]


async def code_of(gateway: Gateway, call: Call) -> str:
    failure = error_of(await gateway.call(call))
    return failure.code if failure else ""


@pytest.mark.req("GW-01")
async def test_records_become_tools_that_can_be_called(books: Books) -> None:
    async with Gateway([of(books())]) as gateway:
        answer = await gateway.call_tool(Call(name="books__list_books", arguments={"search": "austen"}))

        assert await names(gateway) == ["books__list_books", "books__remove_book"]
        assert answer.structured_content["books"][0]["title"] == "Pride and Prejudice"


async def test_a_gateway_keeps_what_every_source_keeps(books: Books) -> None:
    async with Gateway([of(books())], sources={"things": Things()}) as gateway:
        await check_source(gateway, caller=ADA)


async def test_a_description_in_a_file_is_read_with_the_first_use(shop_file: Path, shop_url: str) -> None:
    record = Integration(name="shop", protocol="rest", openapi=str(shop_file), base_url=shop_url)
    async with Gateway([record]) as gateway:
        untouched = (await gateway.statuses(ANYONE))["shop"].code
        assert "shop__place_order" in await names(gateway)
        listed = (await gateway.statuses(ANYONE))["shop"].code
        await gateway.call(Call(name="shop__list_books"))
        called = (await gateway.statuses(ANYONE))["shop"].state

    assert (untouched, listed, called) == ("", "unused", "connected")


@pytest.mark.req("GW-02", "INT-04")
async def test_a_dead_integration_stands_in_the_status_and_takes_nothing_with_it(books: Books) -> None:
    missing = Integration(name="missing", protocol="rest", openapi="/nowhere/api.json", base_url="https://a.example")
    async with Gateway([of(books()), DEAD, missing]) as gateway:
        assert await names(gateway) == ["books__list_books", "books__remove_book"]
        await gateway.call(Call(name="books__list_books"))
        found = await gateway.statuses(ANYONE)

    assert {name: (each.state, each.code) for name, each in found.items()} == {
        "books": ("connected", ""),
        "dead": ("failed", "unreachable"),
        "missing": ("failed", "description"),
    }
    assert "Check that it runs" in found["dead"].hint
    assert found["missing"].next_retry is not None
    assert found["missing"].since is not None


async def test_what_could_not_be_made_ready_is_told_to_who_calls_it() -> None:
    missing = Integration(name="missing", protocol="rest", openapi="/nowhere/api.json", base_url="https://a.example")
    async with Gateway([missing]) as gateway:
        assert await code_of(gateway, Call(name="missing__anything")) == "description"


@pytest.mark.req("INT-04")
async def test_transitions_are_told(books: Books) -> None:
    heard: list[Transition] = []
    async with Gateway([of(books()), DEAD], on_status=heard.append) as gateway:
        await gateway.list_tools(ANYONE)
        await gateway.call(Call(name="books__list_books"))

    states = {name: [each.after.state for each in heard if each.name == name] for name in ("books", "dead")}
    assert states == {
        "books": ["connecting", "pending", "connected"],
        "dead": ["connecting", "pending", "failed"],
    }


async def test_a_listener_that_raises_changes_nothing(books: Books) -> None:
    def listener(_: Transition) -> None:
        raise ValueError

    async with Gateway([of(books())], on_status=listener) as gateway:
        assert len(await names(gateway)) == 2


@pytest.mark.req("INT-04")
async def test_a_refused_credential_is_the_business_of_who_used_it() -> None:
    fake = FakeUpstream.from_tools([Tool(name="look", access="read")])
    async with fake.listening() as url:
        record = Integration(
            name="api",
            protocol="rest",
            base_url=url,
            auth={"type": "bearer", "token": "stale"},
            operations=[{"name": "look", "method": "GET", "path": "/look"}],
        )
        async with Gateway([record]) as gateway:
            fake.always(Fault.status(401))
            await gateway.call(Call(name="api__look", caller=ADA))
            mine = (await gateway.statuses(ADA))["api"]
            others = (await gateway.statuses(ANYONE))["api"]
            worst = (await gateway.statuses(ANYONE, everyone=True))["api"]
            fake.always(Fault.status(200))
            await gateway.call(Call(name="api__look", caller=ADA))
            healed = (await gateway.statuses(ADA))["api"]

    assert (mine.state, mine.code) == ("reconnect_required", "credential_refused")
    assert (others.state, worst.state, healed.state) == ("pending", "reconnect_required", "connected")


@pytest.mark.req("INT-04")
async def test_reconnecting_tries_again_at_once() -> None:
    fake = FakeUpstream.from_tools([Tool(name="look", access="read")])
    async with fake.listening() as url:
        fake.always(Fault.status(503))
        async with Gateway([Integration(name="up", protocol="mcp", url=f"{url}/mcp", trusted=True)]) as gateway:
            assert await names(gateway) == []
            failed = (await gateway.statuses(ANYONE))["up"].state
            fake.heal()
            assert (await gateway.reconnect(ANYONE, "up")).state == "connected"
            assert (failed, await names(gateway)) == ("failed", ["up__look"])


@pytest.mark.req("INT-04")
async def test_what_needs_a_login_says_so() -> None:
    fake = FakeUpstream.from_tools([Tool(name="look", access="read")])
    fake.protect()
    async with fake.listening() as url, Gateway([Integration(name="up", protocol="mcp", url=f"{url}/mcp")]) as gateway:
        await gateway.list_tools(ADA)
        status = (await gateway.statuses(ADA))["up"]

    assert status.state == "auth_required"
    assert status.hint


async def test_an_integration_that_is_switched_off_is_unknown_and_says_why(books: Books) -> None:
    async with Gateway([of(books(enabled=False, reason="moving house"))]) as gateway:
        status = (await gateway.statuses(ANYONE))["books"]
        with pytest.raises(ConfigError, match="enable it first"):
            await gateway.reconnect(ANYONE, "books")

        assert await names(gateway) == []
        assert (status.state, status.message) == ("disabled", "moving house")


@pytest.mark.req("VIS-03")
async def test_a_private_integration_is_no_one_elses(books: Books) -> None:
    async with Gateway([of(books(visibility="private", owner="ada"))]) as gateway:
        with pytest.raises(ToolNotFound):
            await gateway.call(Call(name="books__list_books"))

        assert (await names(gateway), await gateway.statuses(ANYONE)) == ([], {})
        assert len(await names(gateway, ADA)) == 2
        assert [*await gateway.statuses(ADA)] == ["books"]


@pytest.mark.req("APR-01")
@pytest.mark.parametrize(("mode", "code"), [("default", ""), ("ask", "approval_required"), ("auto", "")])
async def test_a_record_says_how_a_tool_is_approved(books: Books, mode: str, code: str) -> None:
    async with Gateway([of(books(tools={"approval": {"list_books": mode}}))]) as gateway:
        assert await code_of(gateway, Call(name="books__list_books")) == code


@pytest.mark.req("APR-01")
async def test_auto_does_not_allow_what_the_host_denies(books: Books) -> None:
    record = of(books(tools={"approval": {"remove_book": "auto"}}))
    async with Gateway([record], policy=read_only) as gateway:
        denied = await code_of(gateway, Call(name="books__remove_book", arguments={"isbn": "1"}))
    async with Gateway([record]) as gateway:
        ran = await code_of(gateway, Call(name="books__remove_book", arguments={"isbn": "1"}))

    assert denied == "policy_denied"
    assert ran == "not_found_upstream"


@pytest.mark.req("GW-14")
async def test_a_hosts_own_sources_stand_beside_records(books: Books) -> None:
    async with Gateway([of(books())], sources={"things": Things()}) as gateway:
        assert {"books__list_books", "things__read_it"} <= {*await names(gateway)}
        assert (await gateway.statuses(ANYONE))["things"].state == "connected"


@pytest.mark.req("INT-09")
async def test_other_records_are_used_at_once_and_the_same_ones_stay(books: Books) -> None:
    news: list[str] = []
    async with Gateway([of(books())]) as gateway:
        await gateway.list_tools(ANYONE)
        gateway.watch(news.append)
        gateway.replace([of(books()), of(books("more"))])
        kept = (await gateway.statuses(ANYONE))["books"].code
        listed = await names(gateway)

    assert (kept, len(listed)) == ("unused", 4)
    assert "tool" in news


@pytest.mark.req("FLT-32")
@pytest.mark.parametrize(("finish", "code"), [(60.0, ""), (0.0, "integration_changed")])
async def test_a_call_under_way_ends_or_is_ended_when_its_integration_changes(finish: float, code: str) -> None:
    going, go = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            going.set()
            await go.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"done"})

    async with asyncio.timeout(30), listening(slow) as url:
        record = {"name": "api", "protocol": "rest", "base_url": url}
        look = {"name": "look", "method": "GET", "path": "/look"}
        async with Gateway([Integration(**record, operations=[look])], finish=finish) as gateway:
            call = asyncio.create_task(code_of(gateway, Call(name="api__look")))
            await going.wait()
            gateway.replace([Integration(**record, operations=[look | {"name": "see"}])])
            listed = await names(gateway)
            if finish:
                go.set()
            assert (await call, listed) == (code, ["api__see"])
            go.set()


async def test_names_that_clash_are_refused(books: Books) -> None:
    with pytest.raises(ConfigError, match="two integrations are named 'books'"):
        Gateway([of(books()), of(books())])
    with pytest.raises(ConfigError, match="'books' is a record and a source"):
        Gateway([of(books())], sources={"books": Things()})
    with pytest.raises(ConfigError, match="can't be negative"):
        Gateway(finish=-1)


async def test_an_integration_that_is_not_there_is_not_found(books: Books) -> None:
    async with Gateway([of(books())]) as gateway:
        with pytest.raises(IntegrationNotFound):
            await gateway.reconnect(ANYONE, "nothing")


async def test_who_gives_up_waiting_does_not_stop_the_others(shop_file: Path, shop_url: str) -> None:
    record = Integration(name="shop", protocol="rest", openapi=str(shop_file), base_url=shop_url)
    async with Gateway([record]) as gateway:
        first = asyncio.create_task(gateway.list_tools(ANYONE))
        second = asyncio.create_task(gateway.list_tools(ANYONE))
        await asyncio.sleep(0)
        first.cancel()

        assert len(await second) == 8
