"""Who shares a session with whom, and what an upstream may ask and say in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mcp_types
import peer
import pytest
from peer import Scripted, listening
from watching import puppet, text

from mcpbridge.auth.static import Bearer
from mcpbridge.net.limits import Limits
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call, Caller, ClientChannel
from mcpbridge.upstream.source import McpSource

ANN, BOB = Caller(tenant="acme", user="ann"), Caller(tenant="acme", user="bob")


async def pid(source: McpSource, caller: Caller, client: ClientChannel | None = None) -> str:
    return text(await source.call(Call(name="pid", caller=caller, client=client)))


@pytest.mark.req("ATK-51", "UP-09")
async def test_two_users_have_a_session_each() -> None:
    async with McpSource(puppet()) as source:
        ann, bob = await pid(source, ANN), await pid(source, BOB)
        assert ann != bob
        assert (await pid(source, ANN), await pid(source, BOB)) == (ann, bob)


@pytest.mark.req("ATK-51", "UP-09")
@pytest.mark.parametrize(
    "other", [Caller(user="ann", tenant="x"), Caller(user="ann", agent="x"), Caller(user="ann", skill="x")], ids=str
)
async def test_a_session_belongs_to_all_that_makes_a_caller(other: Caller) -> None:
    async with McpSource(puppet()) as source:
        assert await pid(source, Caller(user="ann")) != await pid(source, other)


@pytest.mark.req("UP-09")
async def test_a_host_may_let_all_share_one_session() -> None:
    async with McpSource(puppet(), shared=True) as source:
        assert await pid(source, ANN) == await pid(source, BOB) == await pid(source, ANYONE)


@pytest.mark.req("UP-09")
async def test_clients_that_can_be_asked_for_different_things_share_no_session() -> None:
    async with McpSource(puppet(), shared=True) as source:
        plain, form = ClientChannel(), ClientChannel(form=True)
        assert await pid(source, ANN, plain) != await pid(source, ANN, form)
        assert await pid(source, ANN, form) == await pid(source, ANN, ClientChannel(form=True))


@pytest.mark.req("UP-09")
async def test_a_listing_is_that_of_the_session_in_which_its_caller_called_last(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    async with McpSource(puppet(str(pids))) as source:
        called = await pid(source, ANN, ClientChannel(form=True))
        assert await source.list_tools(ANN)
        assert pids.read_text("ascii").split() == [called]


@pytest.mark.req("ATK-51")
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_what_one_user_cancels_goes_on_for_the_other(mode: str) -> None:
    async with listening(peer.server().streamable_http_app()) as url, McpSource(url, mode=mode) as source:
        await asyncio.gather(source.list_tools(ANN), source.list_tools(BOB))
        mine = asyncio.create_task(source.call(Call(name="hang", caller=ANN)))
        other = asyncio.create_task(source.call(Call(name="slow", caller=BOB)))
        await asyncio.wait({other}, timeout=20)
        mine.cancel()
        assert error_of(await other) is None
        assert text(await source.call(Call(name="echo", caller=ANN))) == "{}"


@pytest.mark.req("UP-09")
async def test_a_strategy_knows_who_calls() -> None:
    class Own(Bearer):
        def auth_flow(self, request: Any) -> Any:
            request.headers["X-User"] = request.extensions["mcpbridge.caller"].user
            yield request

    app = Scripted(
        {"tools/list": {"tools": [{"name": "x", "inputSchema": {"type": "object"}}]}, "tools/call": {"content": []}}
    )
    async with listening(app) as url, McpSource(url, auth=Own("unused"), mode="legacy") as source:
        await asyncio.gather(*(source.call(Call(name="x", caller=caller)) for caller in (ANN, BOB)))
    assert {seen["x-user"] for seen in app.seen} == {"ann", "bob"}


@pytest.mark.req("UP-09")
async def test_sessions_are_bounded_and_the_one_unused_for_longest_makes_room() -> None:
    async with McpSource(puppet(), sessions=2) as source:
        ann = await pid(source, ANN)
        bob = await pid(source, BOB)
        await pid(source, ANYONE)
        assert await pid(source, BOB) == bob
        assert await pid(source, ANN) != ann


@pytest.mark.req("UP-09")
async def test_a_session_in_use_makes_no_room() -> None:
    async with McpSource(puppet(), sessions=1) as source:
        await source.list_tools(ANN)
        using = asyncio.create_task(source.call(Call(name="hang", caller=ANN)))
        await asyncio.wait({using}, timeout=0.05)
        failure = error_of(await source.call(Call(name="pid", caller=BOB)))
        using.cancel()
    assert failure is not None
    assert (failure.code, failure.sent, failure.retryable) == ("busy", "no", True)


@pytest.mark.req("ATK-35")
@pytest.mark.parametrize("name", ["ask", "sample"])
async def test_a_question_that_can_be_put_to_nobody_is_refused_and_not_answered(name: str) -> None:
    async with McpSource(puppet()) as source:
        said = text(await source.call(Call(name=name)))
    assert '"error"' in said
    assert "does not pass this on" in said


@pytest.mark.req("ATK-35")
async def test_what_the_client_can_not_be_asked_for_is_not_declared_and_refused() -> None:
    async with McpSource(puppet()) as source:
        said = text(await source.call(Call(name="sample", client=ClientChannel())))
    assert "not supported" in said


@pytest.mark.req("ATK-35", "UP-06")
async def test_a_question_reaches_the_client_with_the_name_of_who_asks() -> None:
    asked: list[str] = []

    async def put(request: mcp_types.InputRequest) -> Any:
        assert isinstance(request, mcp_types.ElicitRequest)
        asked.append(request.params.message)
        return {"action": "accept", "content": {"sure": True}}

    async with McpSource(puppet(), limits=Limits(deadline=20)) as source:
        said = text(await source.call(Call(name="ask", client=ClientChannel(form=True, put=put))))
    assert '"sure": true' in said.replace('":t', '": t')
    assert asked == [f"the command {puppet().command!r} asks: Sure?"]


@pytest.mark.req("ATK-35")
async def test_which_of_two_calls_asks_is_not_guessed() -> None:
    put: list[Any] = []

    async def answer(request: Any) -> Any:
        put.append(request)

    client = ClientChannel(form=True, put=answer)
    async with McpSource(puppet(), limits=Limits(deadline=3.0)) as source:
        await source.list_tools(ANYONE)
        calls = (source.call(Call(name=name, client=client)) for name in ("ask", "echo"))
        said = text((await asyncio.gather(*calls))[0])
    assert "several calls" in said
    assert not put


@pytest.mark.req("ATK-35")
@pytest.mark.parametrize(
    "member", ["password", "apiKey", "api_key", "accessToken", "PIN", "card number", "client_secret"]
)
async def test_a_form_that_asks_for_a_secret_is_not_passed_on(member: str) -> None:
    answer = await _asked({member: {"type": "string"}})
    failure = error_of(answer)
    assert failure is not None
    assert failure.code == "question_refused"
    assert repr(member) in failure.message


@pytest.mark.req("ATK-35")
async def test_other_forms_of_a_newer_server_are_labelled_too() -> None:
    answer = await _asked({"tokens": {"type": "integer"}, "spin": {"type": "boolean"}})
    assert isinstance(answer, mcp_types.InputRequiredResult)
    [request] = (answer.input_requests or {}).values()
    assert isinstance(request, mcp_types.ElicitRequest)
    assert request.params.message == "the server 'asking' asks: Tell me"


@pytest.mark.req("ATK-36")
async def test_messages_about_what_is_not_the_upstreams_are_dropped() -> None:
    heard: list[float] = []

    async def report(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)

    async with McpSource(puppet()) as source:
        for _ in range(3):
            answer = await source.call(Call(name="stray", client=ClientChannel(report=report)))
            assert text(answer).isdigit()
    assert not heard


async def _asked(properties: dict[str, Any]) -> Any:
    from mcp.server.lowlevel import Server

    schema: dict[str, Any] = {"type": "object", "properties": properties}
    form = mcp_types.ElicitRequestFormParams(message="Tell me", requested_schema=schema)
    tools: Sequence[mcp_types.Tool] = [mcp_types.Tool(name="x", input_schema={"type": "object"})]

    async def listed(ctx: Any, params: Any) -> mcp_types.ListToolsResult:
        return mcp_types.ListToolsResult(tools=[*tools])

    async def called(ctx: Any, params: Any) -> mcp_types.InputRequiredResult:
        return mcp_types.InputRequiredResult(input_requests={"q": mcp_types.ElicitRequest(params=form)})

    server = Server("asking", on_list_tools=listed, on_call_tool=called)
    async with McpSource(server) as source:
        return await source.call(Call(name="x"))
