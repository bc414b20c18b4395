"""Calls that need a login: the link, the wait, and the one tool that is there before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import mcp_types
import pytest

from mcpbridge.errors import AuthRequired, ConfigError, Failure, ToolNotFound, UpstreamError
from mcpbridge.policy import ask_always
from mcpbridge.source.answer import ask, error_of, failed
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.testing.contract import check_source
from mcpbridge.tools import Call, Caller, ClientChannel, Item, Kind, Tool
from mcpbridge.wrap.approve import Approve
from mcpbridge.wrap.connect import Connect
from mcpbridge.wrap.connect_watch import LoginWatch
from mcpbridge.wrap.prefix import Prefix

ANN, BOB = Caller(user="ann"), Caller(user="bob")
OPENS = ClientChannel(url=True, form=True)
ACCEPT, DECLINE, CANCEL = ({"action": action} for action in ("accept", "decline", "cancel"))
FORM = mcp_types.ElicitRequest(
    params=mcp_types.ElicitRequestFormParams(message="Sure?", requested_schema={"type": "object", "properties": {}})
)


@dataclass
class Desk:
    """Logins as links and versions; `given` are the links that were made."""

    integration: str = "notes"
    versions: dict[str | None, int] = field(default_factory=dict[str | None, int])
    given: list[tuple[str | None, tuple[str, ...]]] = field(default_factory=list[tuple[str | None, tuple[str, ...]]])
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def link(self, caller: Caller, scopes: Sequence[str] = ()) -> str:
        self.given.append((caller.user, tuple(scopes)))
        return f"https://gateway.example/login?of={caller.user}"

    async def seen(self, caller: Caller) -> int | None:
        if self.broken:
            raise UpstreamError(Failure(code="store_busy", message="busy"))
        self.looked.set()
        return self.versions.get(caller.user)

    def log_in(self, caller: Caller) -> None:
        self.versions[caller.user] = self.versions.get(caller.user, 0) + 1
        self.looked.clear()


@dataclass
class Notes(ToolSource):
    """Serves who is logged in; `listed` says whether others may at least list, `code` how it tells them."""

    desk: Desk
    listed: bool = True
    code: str = "auth_required"
    scopes: tuple[str, ...] = ()
    raises: bool = False
    asks: bool = False
    own: tuple[str, ...] = ("write",)
    calls: list[Call] = field(default_factory=list[Call])

    def _lacks(self, caller: Caller) -> bool:
        return not self.desk.versions.get(caller.user)

    def _failure(self) -> Failure:
        return Failure(code=self.code, message="log in first", details={"scopes": [*self.scopes]})

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        if not self.listed and self._lacks(caller):
            raise UpstreamError(self._failure())
        return [Tool(name=name) for name in self.own] if kind == "tool" else []

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        for item in await self.list(kind, caller):
            if item.key == key:
                return item
        raise ToolNotFound(key, kind)

    async def call(self, call: Call) -> Answer:
        if self._lacks(call.caller):
            if self.raises:
                raise AuthRequired("log in first", scopes=self.scopes)
            return failed(self._failure())
        await self.get(*call.target(), call.caller)
        if self.asks and not call.input_responses:
            return ask("notes", {"sure": FORM}, None)
        self.calls.append(call)
        return mcp_types.CallToolResult(content=[mcp_types.TextContent(text="written")])


def around(notes: Notes, *, patience: float = 5.0) -> Connect:
    return Connect(notes, notes.desk, patience=patience, poll=0.001)


def call_of(name: str = "write", caller: Caller = ANN, **more: Any) -> Call:
    return Call(name=name, caller=caller, client=OPENS, **more)


def answered(question: Answer, response: Any, name: str = "write", caller: Caller = ANN) -> Call:
    """The call that a client makes after its person has answered."""
    assert isinstance(question, mcp_types.InputRequiredResult)
    responses = dict.fromkeys(question.input_requests or {}, response)
    return call_of(name, caller, input_responses=responses, request_state=question.request_state)


def url_in(answer: Answer) -> str:
    """The link that a client is asked to open."""
    assert isinstance(answer, mcp_types.InputRequiredResult)
    (request,) = (answer.input_requests or {}).values()
    assert isinstance(request, mcp_types.ElicitRequest)
    assert isinstance(request.params, mcp_types.ElicitRequestURLParams)
    return request.params.url


def code_of(answer: Answer) -> str | None:
    failure = error_of(answer)
    return failure.code if failure else None


@pytest.mark.req("AUTH-13", "AUTH-08")
@pytest.mark.parametrize("raises", [False, True])
async def test_the_call_waits_for_the_login_and_goes_through_on_another_replica(raises: bool) -> None:
    notes = Notes(Desk(), raises=raises)
    question = await around(notes).call(call_of())
    assert url_in(question).endswith("of=ann")
    notes.desk.looked.clear()
    async with asyncio.timeout(5), asyncio.TaskGroup() as both:
        other = both.create_task(around(notes).call(answered(question, ACCEPT)))
        await notes.desk.looked.wait()
        notes.desk.log_in(ANN)
    assert (error_of(other.result()), len(notes.calls)) == (None, 1)


@pytest.mark.req("AUTH-13")
@pytest.mark.parametrize("client", [None, ClientChannel(), ClientChannel(form=True)])
async def test_a_client_that_cant_open_urls_gets_the_link_in_words(client: ClientChannel | None) -> None:
    notes = Notes(Desk())
    answer = await around(notes).call(Call(name="write", caller=ANN, client=client))
    failure = error_of(answer)
    assert failure is not None
    assert (failure.code, failure.details["url"]) == ("auth_required", "https://gateway.example/login?of=ann")
    assert failure.details["url"] in failure.hint
    notes.desk.log_in(ANN)
    assert error_of(await around(notes).call(call_of())) is None


@pytest.mark.req("AUTH-13")
@pytest.mark.parametrize("response", [DECLINE, CANCEL, {}, None, "accept", mcp_types.ElicitResult(action="decline")])
async def test_without_a_yes_nothing_is_called(response: Any) -> None:
    notes = Notes(Desk())
    question = await around(notes).call(call_of())
    notes.desk.log_in(ANN)
    answer = await around(notes).call(answered(question, response))
    assert (code_of(answer), notes.calls) == ("login_declined", [])


@pytest.mark.req("AUTH-13")
async def test_who_does_not_log_in_gets_the_link_again_and_no_second_question() -> None:
    notes = Notes(Desk())
    source = around(notes, patience=0.01)
    question = await source.call(call_of())
    answer = await source.call(answered(question, ACCEPT))
    failure = error_of(answer)
    assert failure is not None
    assert (failure.code, failure.details["url"]) == ("auth_required", url_in(question))


async def test_a_lost_login_and_missing_scopes_are_asked_for_too() -> None:
    notes = Notes(Desk(), code="reconnect_required", scopes=("write",))
    assert url_in(await around(notes).call(call_of()))
    assert notes.desk.given == [("ann", ("write",))]


async def test_other_failures_pass_as_they_are() -> None:
    notes = Notes(Desk(), code="forbidden")
    assert code_of(await around(notes).call(call_of())) == "forbidden"
    assert notes.desk.given == []


async def test_a_store_that_fails_gives_the_failure_without_a_link() -> None:
    notes = Notes(Desk(broken=True))
    answer = await around(notes).call(call_of())
    assert code_of(answer) == "auth_required"


async def test_an_inner_question_after_the_login_is_let_through() -> None:
    notes = Notes(Desk(), asks=True)
    source = around(notes)
    login = await source.call(call_of())
    notes.desk.log_in(ANN)
    sure = await source.call(answered(login, ACCEPT))
    assert error_of(await source.call(answered(sure, ACCEPT))) is None
    assert len(notes.calls) == 1


@pytest.mark.req("AUTH-13", "APR-06")
async def test_an_approved_call_that_needs_a_login_is_approved_once() -> None:
    notes = Notes(Desk())
    source = Approve(around(notes), ask_always)
    approve = await source.call(call_of())
    yes = {"action": "accept", "content": {"approve": True}}
    login = await source.call(answered(approve, yes))
    assert url_in(login)
    notes.desk.log_in(ANN)
    assert error_of(await source.call(answered(login, ACCEPT))) is None
    assert len(notes.calls) == 1


@pytest.mark.req("GW-13")
async def test_before_the_login_there_is_one_tool_under_the_slug() -> None:
    notes = Notes(Desk(), listed=False)
    source = Prefix(around(notes), "notes")
    (only,) = await source.list_tools(ANN)
    assert (only.name, only.access, only.origin.trusted) == ("notes__connect", "read", True)
    assert list(await source.list("prompt", ANN)) == []
    notes.desk.log_in(ANN)
    assert [tool.name for tool in await source.list_tools(ANN)] == ["notes__write"]
    assert [tool.name for tool in await source.list_tools(BOB)] == ["notes__connect"]


@pytest.mark.req("GW-13", "AUTH-13")
async def test_connect_gives_the_link_and_says_when_it_is_done() -> None:
    notes = Notes(Desk(), listed=False)
    source = Prefix(around(notes), "notes")
    question = await source.call(call_of("notes__connect"))
    assert url_in(question)
    notes.desk.log_in(ANN)
    done = await source.call(answered(question, ACCEPT, "notes__connect"))
    assert isinstance(done, mcp_types.CallToolResult)
    assert done.structured_content == {"connected": True, "tools": 1}


@pytest.mark.req("AUTH-13")
async def test_connect_logs_in_early_where_the_listing_needs_no_login() -> None:
    notes = Notes(Desk())
    question = await around(notes).call(call_of("connect"))
    assert url_in(question)
    notes.desk.log_in(ANN)
    assert error_of(await around(notes).call(answered(question, ACCEPT, "connect"))) is None


@pytest.mark.req("GW-13")
async def test_a_login_that_is_expected_while_the_last_is_told_is_looked_for() -> None:
    desk = Desk()
    watch = LoginWatch(desk, 0.001, lambda: watch.expect(ANN, 1))
    watch.expect(ANN, None)
    (first,) = (task for task in asyncio.all_tasks() if task.get_name() == "mcpbridge awaits a login")
    desk.log_in(ANN)
    await asyncio.wait({first}, timeout=5)
    assert watch.expects(ANN)
    await watch.close()


@pytest.mark.req("GW-13")
async def test_listeners_are_told_after_the_login_and_the_version_changes() -> None:
    notes = Notes(Desk(), listed=False)
    told: asyncio.Queue[Kind] = asyncio.Queue()
    async with around(notes) as source:
        end = source.watch(told.put_nowait)
        await source.list_tools(ANN)
        before = {source.version(ANN), source.version(ANN)}
        notes.desk.log_in(ANN)
        async with asyncio.timeout(5):
            kinds = {await told.get() for _ in range(4)}
        after = {source.version(ANN), source.version(ANN)}
        end()
    assert kinds == {"tool", "resource", "template", "prompt"}
    assert (len(before), len(after), before & after) == (2, 1, set[str]())


async def test_leaving_ends_the_wait_for_logins() -> None:
    async with around(Notes(Desk(), listed=False)) as source:
        await source.list_tools(ANN)
        assert "mcpbridge awaits a login" in {task.get_name() for task in asyncio.all_tasks()}
    assert "mcpbridge awaits a login" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_a_tool_that_cant_be_looked_up_yet_says_where_to_log_in() -> None:
    with pytest.raises(AuthRequired) as caught:
        await around(Notes(Desk(), listed=False)).get_tool("write", ANN)
    assert caught.value.url == "https://gateway.example/login?of=ann"


async def test_a_sources_own_tool_called_connect_is_its_own() -> None:
    notes = Notes(Desk(), own=("connect",))
    notes.desk.log_in(ANN)
    source = around(notes)
    assert (await source.get_tool("connect", ANN)).access == "write"
    await source.call(call_of("connect"))
    assert [call.name for call in notes.calls] == ["connect"]


async def test_connect_is_explained_before_the_login() -> None:
    (verdict,) = await around(Notes(Desk(), listed=False)).explain("connect", ANN)
    assert (verdict.layer, verdict.allowed, verdict.code) == ("Connect", True, "found")


async def test_it_keeps_the_contract_of_a_source() -> None:
    notes = Notes(Desk(), listed=False)
    notes.desk.log_in(ANN)
    await check_source(around(notes), ANN, calls={"write": {}, "connect": {}})


@pytest.mark.parametrize("seconds", [{"patience": -1.0}, {"poll": 0.0}, {"patience": float("nan")}])
def test_seconds_that_cant_be_are_refused(seconds: Any) -> None:
    with pytest.raises(ConfigError, match="Connect"):
        Connect(Notes(Desk()), Desk(), **seconds)
