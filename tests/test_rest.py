from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import httpx2
import mcp_types
import pytest

from mcpbridge.auth.static import ApiKey, Bearer
from mcpbridge.errors import AuthRequired, ConfigError, Failure, InvalidArguments, ToolNotFound
from mcpbridge.net.limits import Limits
from mcpbridge.openapi.operation import Operation, Parameter, Place
from mcpbridge.policy import ask_always
from mcpbridge.rest import CALLER_KEY, RestSource
from mcpbridge.router import Router
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call, Caller, ClientChannel
from mcpbridge.wrap.approve import Approve

Answerer = Callable[[httpx2.Request], httpx2.Response]
BASE = "https://api.example.com/v1"
ID = Parameter(argument="id", place=Place(where="path", name="id"), required=True, style="simple", explode=False)
KEY = Parameter(argument="key", place=Place(where="header", name="X-Key"), style="simple", explode=False)


def read(name: str = "read", path: str = "/things/{id}", **more: Any) -> Operation:
    parameters = [ID] * ("{id}" in path) + [KEY]
    arguments = {each.argument: each.place for each in parameters}
    return Operation(
        name=name, method="GET", path=path, access="read", parameters=parameters, arguments=arguments, **more
    )


def echo(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200, json={"url": str(request.url), "headers": dict(request.headers)})


def source(
    *operations: Operation, answer: Callable[[httpx2.Request], httpx2.Response] = echo, **more: Any
) -> RestSource:
    more = {"base_url": BASE, "transport": httpx2.MockTransport(answer), **more}
    return RestSource(operations or (read(),), **more)


async def called(made: RestSource, name: str = "read", caller: Caller = ANYONE, **arguments: Any) -> Any:
    """The structured content of a call's answer."""
    answer = cast(
        "mcp_types.CallToolResult", await made.call(Call(name=name, arguments=arguments or {"id": "1"}, caller=caller))
    )
    return answer.structured_content


async def failure(made: RestSource, name: str = "read") -> Failure:
    found = error_of(await made.call(Call(name=name, arguments={"id": "1"}, caller=ANYONE)))
    assert found is not None
    return found


@pytest.mark.req("REST-01")
async def test_a_call_is_a_request_and_its_answer_a_result() -> None:
    assert (await called(source(), id="a/b"))["url"] == "https://api.example.com/v1/things/a%2Fb"


async def test_tools_are_listed_in_the_order_of_their_operations_and_made_once() -> None:
    made = source(read("b"), read("a"), read("c"))
    tools = await made.list_tools(ANYONE)

    assert [tool.name for tool in tools] == ["b", "a", "c"]
    assert await made.get_tool("a", ANYONE) is tools[1]
    assert await made.list("prompt", ANYONE) == ()


async def test_what_is_no_tool_of_it_is_not_found() -> None:
    made = source()

    with pytest.raises(ToolNotFound):
        await made.call(Call(name="other", arguments={}, caller=ANYONE))
    with pytest.raises(ToolNotFound):
        await made.call(Call(name="read", arguments={}, caller=ANYONE, kind="prompt"))
    with pytest.raises(ToolNotFound):
        await made.get("resource", "read", ANYONE)


@pytest.mark.req("REST-06")
async def test_arguments_that_do_not_fit_never_leave() -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200)

    made = source(answer=answer)

    with pytest.raises(InvalidArguments):
        await called(made, id="..")
    assert not asked


@pytest.mark.req("REST-05")
async def test_what_goes_wrong_upstream_is_an_answer() -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    assert (await failure(source(answer=refuse))).code == "unreachable"
    assert (await failure(source(answer=lambda _: httpx2.Response(503, text="down")))).status == 503


@pytest.mark.req("REST-09", "ATK-20")
async def test_no_argument_overrides_a_static_header_or_the_strategy() -> None:
    static = await called(source(headers={"x-key": "static"}), id="1", key="forged")
    signed = await called(source(headers={"x-key": "static"}, auth=ApiKey("signed", "X-Key")), id="1", key="forged")

    assert (static["headers"]["x-key"], signed["headers"]["x-key"]) == ("static", "signed")


async def test_a_strategy_learns_who_calls() -> None:
    class PerUser(httpx2.Auth):
        def auth_flow(self, request: httpx2.Request) -> Any:
            request.headers["X-User"] = cast("Caller", request.extensions[CALLER_KEY]).user or ""
            yield request

    assert (await called(source(auth=PerUser()), caller=Caller(user="ann")))["headers"]["x-user"] == "ann"


async def test_a_login_that_is_needed_is_an_answer_with_its_url() -> None:
    class Login(httpx2.Auth):
        def auth_flow(self, request: httpx2.Request) -> Any:
            raise AuthRequired("log in first", url="https://login.example.com")
            yield request

    found = await failure(source(auth=Login()))

    assert (found.code, found.sent, found.details) == ("auth_required", "no", {"url": "https://login.example.com"})


@pytest.mark.req("OAS-16", "ATK-11")
@pytest.mark.parametrize(
    ("server", "origins", "url"),
    [
        ("https://api.example.com/uploads", (), "https://api.example.com/uploads/things/1"),
        ("https://api.example.com:443/", (), "https://api.example.com:443/things/1"),
        ("/other", (), "https://api.example.com/other/things/1"),
        ("https://uploads.example.com", ("https://uploads.example.com/any",), "https://uploads.example.com/things/1"),
    ],
)
async def test_an_own_server_of_the_origin_or_with_consent_is_called(server: str, origins: Any, url: str) -> None:
    shown = (await called(source(read(server=server), origins=origins)))["url"]

    assert shown.replace(":443", "") == url.replace(":443", "")


@pytest.mark.req("OAS-16", "ATK-11")
@pytest.mark.parametrize(
    "server",
    [
        "http://evil.example/",
        "//evil.example",
        "http://api.example.com",
        "https://api.example.com:8443",
        "https://api.example.com@evil.example",
        "https://api.example.com.evil.example",
        "file:///etc",
        "https://{host}",
        r"https:\\evil.example",
        "https://api.example.com:x/",
    ],
)
async def test_a_server_of_another_origin_is_listed_and_never_called(server: str) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.host)
        return httpx2.Response(200, json={})

    made = source(read(server=server), answer=answer, auth=Bearer("t"))

    assert [tool.name for tool in await made.list_tools(ANYONE)] == ["read"]
    try:
        found = error_of(await made.call(Call(name="read", arguments={"id": "1"}, caller=ANYONE)))
    except ConfigError:
        found = None
    assert set(asked) <= {"api.example.com"}
    assert asked or found is None or found.code == "origin_refused"


@pytest.mark.parametrize(
    "base_url", ["", "api.example.com", "/v1", "ftp://h", "https://", "https://u:p@h", "{server}", None, 5]
)
def test_a_base_url_that_can_not_be_called_is_a_config_error(base_url: Any) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        source(base_url=base_url)


def test_two_operations_of_one_name_are_a_config_error() -> None:
    with pytest.raises(ConfigError, match="'read'"):
        source(read(), read())


@pytest.mark.req("REST-08")
async def test_leaving_the_source_closes_its_transport() -> None:
    class Closing(httpx2.MockTransport):
        closed = False

        async def aclose(self) -> None:
            self.closed = True

    transport = Closing(echo)
    async with source(transport=transport) as made:
        await called(made)
    assert transport.closed


@pytest.mark.req("REST-07")
async def test_the_limits_are_the_sources_own() -> None:
    made = source(answer=lambda _: httpx2.Response(200, content=b"x" * 11), limits=Limits(answer=10))

    assert (await failure(made)).code == "answer_too_large"


def test_another_event_loop_is_a_config_error() -> None:
    made = RestSource((read(),), base_url="http://127.0.0.1:9")

    async def call() -> Failure:
        return await failure(made)

    assert asyncio.run(call()).code == "unreachable"
    with pytest.raises(ConfigError, match="event loop"):
        asyncio.run(call())


@pytest.mark.req("OAS-17")
async def test_an_operation_that_wants_no_credential_gets_none() -> None:
    made = source(read("open", security=()), read("said", security=({"key": ()},)), read(), auth=Bearer("t0ken"))
    sent = {name: (await called(made, name))["headers"].get("authorization") for name in ("open", "said", "read")}
    assert sent == {"open": None, "said": "Bearer t0ken", "read": "Bearer t0ken"}


@pytest.mark.req("ATK-55")
@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/things/{id}", {"base_url": "https://other.example.com/v1"}),
        ("/all-things/{id}", {}),
        ("/things/{id}", {"operation": {"server": "https://api.example.com/v2"}}),
    ],
)
async def test_an_approval_ends_when_the_call_would_go_elsewhere(path: str, more: dict[str, Any]) -> None:
    router = Router({"api": source()})
    approve = Approve(router, ask_always)
    call = Call(name="api__read", arguments={"id": "1"}, client=ClientChannel(form=True))
    asked = cast("mcp_types.InputRequiredResult", await approve.call(call))
    said = {name: {"action": "accept", "content": {"approve": True}} for name in asked.input_requests or {}}
    again = replace(call, input_responses=said, request_state=asked.request_state)
    router.put("api", source(read(path=path, **more.pop("operation", {})), **more))

    changed = error_of(await approve.call(again))
    router.put("api", source())

    assert changed
    assert changed.code == "approval_invalid"
    assert error_of(await approve.call(again)) is None
