"""Documents from the web, and the documents that they name."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import pytest

from mcpbridge import ConfigError, DescriptionError, UpstreamError, fetch_document, read_operations, to_tool
from mcpbridge.net.fetch import Fetcher, fetch
from mcpbridge.net.limits import Limits

Pages = Mapping[str, bytes]


def moved(place: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Moved\r\nLocation: {place}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def page(body: bytes, *more: str, status: int = 200) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status} OK", f"Content-Length: {len(body)}", "Connection: close", *more])
    return head.encode() + b"\r\n\r\n" + body


@asynccontextmanager
async def site(pages: Pages) -> AsyncGenerator[tuple[str, list[str]]]:
    """A web server with these pages, byte for byte (`{site}` is its own address), and the paths asked of it."""
    asked: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        asked.append(path)
        writer.write(pages.get(path, page(b"", status=404)).replace(b"{site}", address.encode()))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield address, asked


def description(ref: str) -> bytes:
    schema = {"$ref": ref}
    get = {
        "operationId": "get_thing",
        "parameters": [{"name": "filter", "in": "query", "schema": schema}],
        "responses": {"200": {"description": "it"}},
    }
    shown = {"openapi": "3.1.0", "info": {"title": "Things", "version": "1"}, "paths": {"/things": {"get": get}}}
    return page(json.dumps(shown).encode())


def filter_of(document: object) -> object:
    [operation] = read_operations(document)  # type: ignore[arg-type]  # a Document
    schema = to_tool(operation).input_schema
    return schema["properties"]["filter"], schema.get("$defs")


@pytest.mark.req("OAS-01", "OAS-03")
async def test_a_description_is_read_from_a_url_with_what_lies_beside_it() -> None:
    pages = {
        "/api/openapi.json": description("schemas/filter.json"),
        "/api/schemas/filter.json": page(b'{"enum": ["a"]}'),
    }
    async with site(pages) as (address, asked):
        document = await fetch_document(f"{address}/api/openapi.json")

    assert asked == ["/api/openapi.json", "/api/schemas/filter.json"]
    assert document.problems == ()
    assert "'a'" in str(filter_of(document))


@pytest.mark.req("ATK-01", "OAS-03")
async def test_a_reference_to_another_origin_is_not_fetched_unless_it_is_allowed() -> None:
    async with (
        site({"/x.json": page(b'{"enum": ["a"]}')}) as (elsewhere, asked),
        site({"/openapi.json": description(f"{elsewhere}/x.json")}) as (address, _),
    ):
        refused = await fetch_document(f"{address}/openapi.json")
        before = [*asked]
        allowed = await fetch_document(f"{address}/openapi.json", references=[elsewhere])

    assert before == []
    assert "an operator can allow its origin" in str(refused.problems[0])
    assert (asked, allowed.problems) == (["/x.json"], ())


@pytest.mark.req("ATK-01")
async def test_any_public_address_does_not_mean_one_of_ours() -> None:
    async with (
        site({"/x.json": page(b"{}")}) as (inside, asked),
        site({"/openapi.json": description(f"{inside}/x.json")}) as (address, _),
    ):
        document = await fetch_document(f"{address}/openapi.json", references=["*"])

    assert asked == []
    assert "not public" in str(document.problems[0])


@pytest.mark.req("ATK-02")
@pytest.mark.parametrize("ref", ["file:///etc/hostname", "/etc/hostname", "../../../etc/hostname", "../up.json"])
async def test_a_reference_out_of_the_folder_is_not_fetched(ref: str) -> None:
    async with site({"/a/b/openapi.json": description(ref), "/a/up.json": page(b"{}")}) as (address, asked):
        document = await fetch_document(f"{address}/a/b/openapi.json")

    assert asked == ["/a/b/openapi.json"]
    assert document.problems[0].severity == "error"


@pytest.mark.req("ATK-04")
@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{port}/x", "http://localhost:{port}/x", "http://[::ffff:127.0.0.1]:{port}/x"]
)
async def test_a_redirect_to_an_inside_address_is_refused(place: str) -> None:
    async with site({"/x": page(b"secret")}) as (inside, asked):
        target = place.replace("{port}", inside.rpartition(":")[2])
        async with site({"/openapi.json": moved(target)}) as (address, _):
            with pytest.raises(UpstreamError, match="not public") as raised:
                await fetch(f"{address}/openapi.json")

    assert asked == []
    assert raised.value.failure.code == "address_refused"


@pytest.mark.req("ATK-04")
async def test_each_hop_is_checked() -> None:
    async with (
        site({"/x": page(b"secret")}) as (inside, asked),
        site({"/1": moved("/2"), "/2": moved("{site}/3"), "/3": moved(f"{inside}/x")}) as (address, hops),
    ):
        with pytest.raises(UpstreamError, match="not public"):
            await fetch(f"{address}/1")

    assert (asked, hops) == ([], ["/1", "/2", "/3"])


@pytest.mark.req("ATK-04")
@pytest.mark.parametrize("place", ["file:///etc/passwd", "ftp://x/y", "javascript:alert(1)", "data:,x", "http://"])
async def test_a_redirect_to_no_web_address_is_refused(place: str) -> None:
    async with site({"/openapi.json": moved(place)}) as (address, _):
        with pytest.raises(UpstreamError) as raised:
            await fetch(f"{address}/openapi.json")

    assert raised.value.failure.code == "redirect_refused"


async def test_a_redirect_inside_the_origin_is_followed() -> None:
    async with site({"/latest": moved("/v2", 307), "/v2": page(b"{}")}) as (address, _):
        got = await fetch(f"{address}/latest")

    assert (got.url, got.status, got.content) == (f"{address}/v2", 200, b"{}")


async def test_a_circle_of_redirects_ends() -> None:
    async with site({"/a": moved("/a")}) as (address, asked):
        with pytest.raises(UpstreamError, match="more than 5 times"):
            await fetch(f"{address}/a")

    assert len(asked) == 6


@pytest.mark.req("ATK-08")
async def test_a_compressed_bomb_ends_at_the_cap() -> None:
    bomb = gzip.compress(gzip.compress(bytes(300 * 1024 * 1024), 9), 0)  # 300 MB in some hundred KB
    body = gzip.decompress(bomb)
    async with site({"/openapi.json": page(body, "Content-Encoding: gzip")}) as (address, _):
        with pytest.raises(UpstreamError, match="more than 1048576 bytes"):
            await fetch(f"{address}/openapi.json", limits=Limits(description=1024 * 1024))


async def test_a_description_that_is_not_there_says_so() -> None:
    async with site({}) as (address, _):
        with pytest.raises(UpstreamError, match="answered 404 where a description was expected"):
            await fetch_document(f"{address}/openapi.json")


@pytest.mark.parametrize("url", ["ftp://x/y", "/openapi.json", "http://", "http://[::1"])
async def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        await fetch_document(url)


async def test_a_reference_that_answers_badly_is_a_problem_of_the_document() -> None:
    async with site({"/openapi.json": description("gone.json")}) as (address, _):
        document = await fetch_document(f"{address}/openapi.json")

    assert "answered 404" in str(document.problems[0])


async def test_strict_refuses_what_can_not_be_fetched() -> None:
    async with site({"/openapi.json": description("gone.json")}) as (address, _):
        with pytest.raises(DescriptionError, match="answered 404"):
            await fetch_document(f"{address}/openapi.json", strict=True)


@pytest.mark.req("OAS-18")
async def test_documents_that_lead_to_more_and_more_documents_come_to_an_end() -> None:
    pages = {f"/{n}.json": page(json.dumps({"allOf": [{"$ref": f"{n + 1}.json"}]}).encode()) for n in range(250)}
    async with site({"/openapi.json": description("0.json"), **pages}) as (address, asked):
        with pytest.raises(DescriptionError, match="more than 200 other documents"):
            await fetch_document(f"{address}/openapi.json")

    assert len(asked) <= 201


async def test_the_guard_holds_for_what_the_host_did_not_name() -> None:
    async with site({"/x": page(b"{}")}) as (address, asked), Fetcher() as fetcher:
        with pytest.raises(UpstreamError, match="not public"):
            await fetcher.fetch(f"{address}/x")

    assert asked == []
