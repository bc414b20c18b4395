"""What the edge asks of a source, what it passes on, and how it says no."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httpx2
import mcp_types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from shelf import Shelf, many, say_yes, served, text_of

from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.identity import RequestContext
from mcpbridge.server.lowlevel import to_server
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Caller, Tool


@pytest.mark.req("GW-03")
async def test_a_call_over_http_costs_no_listing(shelf: Shelf) -> None:
    async with served(to_asgi(to_server(shelf, name="shelf"))) as url, Client(url, mode="2026-07-28") as client:
        await client.list_tools()
        before = shelf.counts["list"]
        for _ in range(3):
            await client.call_tool("book", {"x": 1})
    assert shelf.counts["list"] == before


async def test_a_resource_that_is_not_there_has_the_code_of_the_era(shelf: Shelf) -> None:
    codes: list[int] = []
    for era in ("legacy", "2026-07-28"):
        async with Client(to_server(shelf, name="shelf"), mode=era) as client:
            with pytest.raises(MCPError, match="Unknown resource: shelf:///b") as caught:
                await client.read_resource("shelf:///b")
            codes.append(caught.value.error.code)
    assert codes == [-32002, -32602]


async def test_an_unknown_prompt_is_invalid_params(shelf: Shelf, era: str) -> None:
    async with Client(to_server(shelf, name="shelf"), mode=era) as client:
        with pytest.raises(MCPError, match="Unknown prompt: x") as caught:
            await client.get_prompt("x")
    assert caught.value.error.code == -32602


@pytest.mark.parametrize("cursor", ["", "!", "bm9uc2Vuc2U", "WyJwcm9tcHQiLCAieCJd"])
async def test_a_bad_cursor_is_invalid_params(shelf: Shelf, era: str, cursor: str) -> None:
    async with Client(to_server(shelf, name="shelf"), mode=era) as client:
        with pytest.raises(MCPError, match="Invalid cursor") as caught:
            await client.list_tools(cursor=cursor)
    assert caught.value.error.code == -32602


@pytest.mark.req("GW-03")
async def test_a_walk_survives_a_listing_that_changes(shelf: Shelf) -> None:
    shelf.tools = {tool.name: tool for tool in many(1200)}
    async with Client(to_server(shelf, name="shelf")) as client:
        first = await client.list_tools()
        del shelf.tools[first.tools[-1].name], shelf.tools[first.tools[0].name]
        shelf.tools["t99999"] = Tool(name="t99999")
        second = await client.list_tools(cursor=first.next_cursor)
        third = await client.list_tools(cursor=second.next_cursor)
    names = [tool.name for page in (first, second, third) for tool in page.tools]
    assert names == [f"t{index:05}" for index in range(1200)] + ["t99999"]


@pytest.mark.req("GW-03")
async def test_a_listing_is_private_and_says_that_it_may_change(shelf: Shelf) -> None:
    async with Client(to_server(shelf, name="shelf")) as client:
        listing = await client.list_tools()
        assert (listing.ttl_ms, listing.cache_scope) == (0, "private")
        shelf.tools["new"] = Tool(name="new")
        assert "new" in [tool.name for tool in (await client.list_tools()).tools]


async def test_a_tool_that_is_redefined_is_not_listed_as_it_was(shelf: Shelf, era: str) -> None:
    async with Client(to_server(shelf, name="shelf"), mode=era) as client:
        await client.list_tools()
        shelf.tools["book"] = Tool(name="book", description="Another one")
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert listed["book"].description == "Another one"


async def test_one_illegal_tool_does_not_cost_the_listing(
    shelf: Shelf, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.tools["bad"] = Tool(name="bad", input_schema={"type": "string"})
    shelf.tools["worse"] = Tool(name="worse", extra={"annotations": {"readOnlyHint": "certainly"}})
    async with Client(to_server(shelf, name="shelf"), mode=era) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
    assert "book" in names
    assert not {"bad", "worse"} & {*names}
    assert "['bad', 'worse']" in caplog.text


@pytest.mark.req("REST-04")
async def test_an_output_schema_of_an_array_is_for_new_clients_only(shelf: Shelf) -> None:
    schemas: list[object] = []
    for era in ("legacy", "2026-07-28"):
        async with Client(to_server(shelf, name="shelf"), mode=era) as client:
            listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        schemas.append(listed["books"].output_schema)
    assert schemas == [None, {"type": "array", "items": {"type": "string"}}]


async def test_nothing_of_a_request_but_its_arguments_reaches_the_source(shelf: Shelf, era: str) -> None:
    async with Client(to_server(shelf, name="shelf"), mode=era) as client:
        await client.call_tool("book", {"a": 1}, meta=cast("Any", {"vendor/secret": "x"}))
    (call,) = shelf.calls
    assert (call.arguments, call.caller, call.input_responses, call.request_state) == ({"a": 1}, ANYONE, None, None)
    assert "vendor" not in repr(call)


async def test_an_answer_of_another_kind_is_an_internal_error(shelf: Shelf, era: str) -> None:
    async with Client(to_server(shelf, name="shelf"), mode=era) as client:
        failure = error_of(await client.call_tool("nonsense"))
    assert failure is not None
    assert failure.code == "internal"


async def test_what_goes_wrong_inside_is_in_the_log_under_its_id(
    shelf: Shelf, era: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Client(to_server(shelf, name="shelf"), mode=era) as client:
        failure = error_of(await client.call_tool("boom"))
    assert failure is not None
    assert f"(id {failure.id})" in caplog.text


async def test_an_old_client_that_is_asked_for_ever_gets_a_failure(shelf: Shelf) -> None:
    async with Client(to_server(shelf, name="shelf"), mode="legacy", elicitation_callback=say_yes) as client:
        failure = error_of(await client.call_tool("insist"))
    assert failure is not None
    assert failure.code == "input_required"
    assert shelf.counts["call"] == 11


async def test_an_old_client_that_fails_to_ask_counts_as_cancelling(shelf: Shelf) -> None:
    async def broken(context: object, params: mcp_types.ElicitRequestParams) -> mcp_types.ErrorData:
        return mcp_types.ErrorData(code=-1, message="no screen")

    async with Client(to_server(shelf, name="shelf"), mode="legacy", elicitation_callback=broken) as client:
        assert text_of(await client.call_tool("delete")) == "not deleted: cancel"
    assert shelf.deleted == []


@pytest.mark.req("GW-05")
async def test_a_caller_who_is_refused_reaches_nothing(shelf: Shelf, era: str) -> None:
    letting_in = True

    async def identify(_: RequestContext) -> Caller:
        if not letting_in:
            raise PermissionError("the password was hunter2")
        return ANYONE

    async with Client(to_server(shelf, name="shelf", identify=identify), mode=era) as client:
        letting_in = False
        for request in (client.call_tool("book"), client.list_tools(), client.read_resource("shelf:///a")):
            with pytest.raises(MCPError, match=r"^Not authorized$"):
                await request
    assert not shelf.counts


async def test_identify_that_gives_no_caller_refuses(shelf: Shelf) -> None:
    async def identify(_: RequestContext) -> Any:
        return None

    server = to_server(shelf, name="shelf", identify=identify)
    async with Client(server, mode="2026-07-28") as client:
        with pytest.raises(MCPError, match="Not authorized"):
            await client.list_tools()


@pytest.mark.parametrize(("header", "status"), [("eu", 200), ("us", 400)])
async def test_a_header_that_contradicts_an_argument_is_refused(shelf: Shelf, header: str, status: int) -> None:
    response = await _raw(shelf, '{"name":"region","arguments":{"r":"eu"}', "region", {"mcp-param-r": header})
    assert response.status_code == status


async def test_a_header_that_a_listing_asked_for_must_be_there(shelf: Shelf) -> None:
    app = to_asgi(to_server(shelf, name="shelf"))
    async with served(app) as url, Client(url, mode="2026-07-28") as client:
        assert text_of(await client.call_tool("region", {"r": "eu"})) == "nobody"
        await client.list_tools()
        assert text_of(await client.call_tool("region", {"r": "eu"})) == "nobody"
        async with httpx2.AsyncClient() as http:
            body = _BODY.format(params='{"name":"region","arguments":{"r":"eu"}')
            response = await http.post(url, content=body, headers=_headers("region", {}))
    assert response.status_code == 400
    assert response.json()["error"]["code"] == -32020


@pytest.mark.req("ATK-25")
async def test_a_name_in_other_letters_is_no_name(shelf: Shelf) -> None:
    response = await _raw(shelf, '{"Name":"delete","name":"book","arguments":{}', "book", {})
    assert response.json()["result"]["structuredContent"] == {"title": "Dune"}


@pytest.mark.req("ATK-25")
async def test_a_name_given_twice_is_one_name_everywhere(shelf: Shelf) -> None:
    response = await _raw(shelf, '{"name":"delete","name":"book","arguments":{}', "book", {})
    assert response.json()["result"]["structuredContent"] == {"title": "Dune"}
    contradicted = await _raw(shelf, '{"name":"delete","name":"book","arguments":{}', "delete", {})
    assert contradicted.status_code == 400
    assert [call.name for call in shelf.calls] == ["book"]


_BODY = (
    '{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params},"_meta":'
    '{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{{}}}}}}}}'
)


def _headers(name: str, more: dict[str, str]) -> dict[str, str]:
    return {
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": name,
        **more,
    }


async def _raw(shelf: Shelf, params: str, name: str, headers: dict[str, str]) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=to_asgi(to_server(shelf, name="shelf")))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post("/mcp", content=_BODY.format(params=params), headers=_headers(name, headers))


async def test_calls_run_side_by_side(shelf: Shelf, era: str) -> None:
    async with Client(to_server(shelf, name="shelf"), mode=era) as client:
        results = await asyncio.gather(*(client.call_tool("book", {"n": n}) for n in range(50)))
    assert {text_of(result) for result in results} == {"Dune"}
