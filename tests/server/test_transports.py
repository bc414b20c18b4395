"""One server object, real clients of both eras, all three transports."""

from __future__ import annotations

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from shelf import CANARY, Connect, Shelf, many, say_no, say_yes, text_of

from mcpbridge.source.answer import error_of

pytestmark = pytest.mark.req("GW-04")


async def _names(client: Client) -> list[str]:
    names: list[str] = []
    cursor = None
    while True:
        page = await client.list_tools(cursor=cursor)
        names += [tool.name for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            return names


@pytest.mark.req("GW-03")
async def test_every_tool_of_a_long_listing_arrives_once_and_in_order(connect: Connect, shelf: Shelf) -> None:
    shelf.tools.update({tool.name: tool for tool in many(1200)})
    async with connect() as client:
        names = await _names(client)
    assert names == sorted(names)
    assert len([name for name in names if name.startswith("t0")]) == 1200
    assert "book" in names


async def test_an_object_arrives_as_structured_content(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("book", {})
    assert result.structured_content == {"title": "Dune"}
    assert text_of(result) == "Dune"


@pytest.mark.req("REST-04")
async def test_an_array_is_structured_for_new_clients_and_text_for_old_ones(connect: Connect) -> None:
    async with connect() as client:
        await client.list_tools()
        result = await client.call_tool("books", {})
        old = client.protocol_version < "2026"
    assert result.structured_content == (None if old else ["Dune", "Emma"])
    assert text_of(result) == ('["Dune", "Emma"]' if old else "")


async def test_a_person_is_asked_and_the_call_goes_through(connect: Connect) -> None:
    async with connect(elicitation_callback=say_yes) as client:
        assert text_of(await client.call_tool("delete", {"id": 1})) == "deleted"


async def test_a_person_who_declines_is_heard(connect: Connect) -> None:
    async with connect(elicitation_callback=say_no) as client:
        assert text_of(await client.call_tool("delete", {"id": 1})) == "not deleted: decline"


async def test_a_client_that_cant_be_asked_gets_a_failure_that_says_so(connect: Connect) -> None:
    async with connect() as client:
        failure = error_of(await client.call_tool("delete", {"id": 1}))
    assert failure is not None
    assert failure.code == "input_required"


@pytest.mark.req("GW-09")
async def test_an_error_inside_shows_an_id_and_nothing_else(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("boom", {})
    failure = error_of(result)
    assert failure is not None
    assert failure.code == "internal"
    assert failure.id in failure.message
    assert CANARY not in result.model_dump_json()
    assert "postgres" not in result.model_dump_json()


@pytest.mark.req("GW-09")
async def test_an_error_of_what_is_no_tool_call_shows_an_id_and_nothing_else(connect: Connect) -> None:
    async with connect() as client:
        with pytest.raises(MCPError) as caught:
            await client.read_resource("shelf:///boom")
    assert caught.value.error.data["error"]["code"] == "internal"
    assert CANARY not in caught.value.error.model_dump_json()


@pytest.mark.req("GW-09", "REST-06")
async def test_wrong_arguments_are_a_tool_error_that_lists_the_problems(connect: Connect) -> None:
    async with connect() as client:
        failure = error_of(await client.call_tool("picky", {}))
    assert failure is not None
    assert failure.details["problems"] == [{"path": "/n", "expected": "a number", "got": "nothing"}]


@pytest.mark.req("VIS-01")
async def test_a_hidden_tool_is_refused_in_the_words_for_an_unknown_one(connect: Connect) -> None:
    async with connect() as client:
        assert "secret" not in await _names(client)
        messages = [await _refusal(client, name) for name in ("secret", "secreT")]
    assert messages[0].replace("secret", "X") == messages[1].replace("secreT", "X")


async def _refusal(client: Client, name: str) -> str:
    with pytest.raises(MCPError) as caught:
        await client.call_tool(name, {})
    return caught.value.error.model_dump_json()


async def test_a_tool_out_of_the_listing_can_be_called(connect: Connect) -> None:
    async with connect() as client:
        assert "quiet" not in await _names(client)
        assert text_of(await client.call_tool("quiet")) == "nobody"


async def test_progress_reaches_the_client(connect: Connect) -> None:
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with connect() as client:
        await client.call_tool("slow", {}, progress_callback=hear)
    assert heard == [(1, 2, "half")]


async def test_resources_prompts_and_completions_come_through(connect: Connect) -> None:
    async with connect() as client:
        assert [r.uri for r in (await client.list_resources()).resources] == ["shelf:///a"]
        assert [t.uri_template for t in (await client.list_resource_templates()).resource_templates] == [
            "shelf:///{id}"
        ]
        assert (await client.list_prompts()).prompts[0].name == "greet"
        assert (await client.read_resource("shelf:///a")).contents[0].model_dump()["text"] == "A"
        assert (await client.get_prompt("greet", {"who": "Ann"})).messages[0].content.model_dump()[
            "text"
        ] == "Hello Ann"


async def test_what_another_hop_stamped_is_taken_off(connect: Connect) -> None:
    async with connect() as client:
        meta = (await client.call_tool("stamped", {})).meta or {}
    assert meta.get("vendor/x") == 1
    assert "inner" not in str(meta)
