"""The ASGI application: mounted or alone, and whom it serves."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.provider import AccessToken
from shelf import Shelf, say_yes, served, text_of
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from mcpbridge.errors import ConfigError
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.identity import RequestContext
from mcpbridge.server.lowlevel import to_server
from mcpbridge.source.answer import error_of
from mcpbridge.tools import Caller

DISCOVER: dict[str, Any] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/list",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    },
}
HEADERS = {
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/list",
}


async def _post(app: ASGIApp, *, host: str = "localhost", peer: str = "127.0.0.1", **headers: str) -> httpx2.Response:
    transport = httpx2.ASGITransport(app=app, client=(peer, 1234))
    async with httpx2.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
        return await client.post("/mcp", json=DISCOVER, headers={**HEADERS, **headers})


async def _identify(ctx: RequestContext) -> Caller:
    user = ctx.request.headers.get("x-user") if ctx.request else None
    if not user:
        raise ValueError("nobody")
    return Caller(user=user)


class Verifier:
    async def verify_token(self, token: str) -> AccessToken | None:
        subject = {"ann-token": "ann", "bob-token": "bob"}.get(token)
        return (subject and AccessToken(token=token, client_id="app", scopes=[], subject=subject)) or None


def _mounted(app: ASGIApp) -> ASGIApp:
    return Starlette(routes=[Mount("/", app)])


def _in_fastapi(app: ASGIApp) -> ASGIApp:
    host = FastAPI()
    host.mount("/", app)
    return host


@pytest.mark.req("GW-04")
@pytest.mark.parametrize("place", [_mounted, _in_fastapi])
async def test_a_mounted_application_starts_by_itself(shelf: Shelf, era: str, place: Any) -> None:
    async with (
        served(place(to_asgi(to_server(shelf, name="shelf")))) as url,
        Client(url, mode=era, elicitation_callback=say_yes) as client,
    ):
        assert text_of(await client.call_tool("delete")) == "deleted"


async def test_it_starts_again_after_its_lifespan_ended(shelf: Shelf) -> None:
    app = to_asgi(to_server(shelf, name="shelf"))
    for _ in range(2):
        async with served(app) as url, Client(url) as client:
            assert text_of(await client.call_tool("book")) == "Dune"


async def test_it_refuses_to_run_in_two_event_loops(shelf: Shelf) -> None:
    app = to_asgi(to_server(shelf, name="shelf"))
    assert (await _post(app)).status_code == 200
    with pytest.raises(ConfigError, match="another event loop"):
        await asyncio.to_thread(asyncio.run, _post(app))


async def test_a_client_without_a_session_cant_be_asked(shelf: Shelf) -> None:
    app = to_asgi(to_server(shelf, name="shelf"), stateless=True)
    async with served(app) as url, Client(url, mode="legacy", elicitation_callback=say_yes) as client:
        failure = error_of(await client.call_tool("delete"))
    assert failure is not None
    assert failure.code == "input_required"
    assert shelf.deleted == []


@pytest.mark.req("ATK-60", "GW-05")
@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        ({}, 200),
        ({"host": "127.0.0.1:8321"}, 200),
        ({"host": "[::1]:8321", "peer": "::1"}, 200),
        ({"origin": "http://localhost:3000"}, 200),
        ({"host": "evil.example"}, 421),
        ({"host": "localhost.evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://localhost.evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"peer": "192.0.2.7"}, 403),
        ({"x-forwarded-for": "192.0.2.7"}, 403),
    ],
)
async def test_without_identity_only_this_machine_is_served(shelf: Shelf, request_of: Any, status: int) -> None:
    response = await _post(to_asgi(to_server(shelf, name="shelf")), **request_of)
    assert response.status_code == status
    assert shelf.counts["list"] == (1 if status == 200 else 0)


@pytest.mark.req("GW-08")
async def test_white_space_around_a_header_is_no_part_of_it(shelf: Shelf) -> None:
    response = await _post(to_asgi(to_server(shelf, name="shelf")), **{"mcp-method": " tools/list\t"})
    assert response.status_code == 200


@pytest.mark.req("GW-05")
async def test_allowed_hosts_alone_let_nobody_in_from_elsewhere(shelf: Shelf) -> None:
    app = to_asgi(to_server(shelf, name="shelf"), allowed_hosts=["gateway.example.com"])
    response = await _post(app, host="gateway.example.com", peer="192.0.2.7")
    assert response.status_code == 403


async def test_the_check_stands_in_the_server_too(shelf: Shelf) -> None:
    bare = to_server(shelf, name="shelf").streamable_http_app(host="0.0.0.0")
    async with bare.router.lifespan_context(bare):
        response = await _post(bare, host="gateway.example.com", peer="192.0.2.7")
    assert response.json()["error"]["message"] == "Not authorized"
    assert shelf.counts["list"] == 0


@pytest.mark.req("GW-05")
async def test_identify_serves_callers_from_elsewhere_and_refuses_the_rest(shelf: Shelf) -> None:
    app = to_asgi(to_server(shelf, name="shelf", identify=_identify), allowed_hosts=["gateway.example.com"])
    known = await _post(app, host="gateway.example.com", peer="192.0.2.7", **{"x-user": "ann"})
    assert "secret" in known.text
    stranger = await _post(app, host="gateway.example.com", peer="192.0.2.7")
    assert stranger.status_code == 401
    assert stranger.headers["www-authenticate"] == "Bearer"
    assert "nobody" not in stranger.text


@pytest.mark.req("GW-05", "ATK-49")
async def test_a_verifier_lets_in_good_tokens_only(shelf: Shelf) -> None:
    app = to_asgi(to_server(shelf, name="shelf"), allowed_hosts=["gateway.example.com"], verifier=Verifier())
    answers = [
        await _post(app, host="gateway.example.com", peer="192.0.2.7", authorization=f"Bearer {token}")
        for token in ("ann-token", "bob-token", "forged")
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 401]
    assert ["secret" in answer.text for answer in answers] == [True, False, False]
    assert (await _post(app)).status_code == 421
    assert (await _post(app, host="gateway.example.com")).status_code == 401


@pytest.mark.req("GW-03", "VIS-01")
async def test_two_users_in_turn_see_each_their_own_listing(shelf: Shelf, era: str) -> None:
    app = to_asgi(to_server(shelf, name="shelf", identify=_identify))
    async with served(app) as url:
        seen = [await _listed(url, era, user) for user in ("ann", "bob", "ann", "bob")]
    assert ["secret" in names for names in seen] == [True, False, True, False]


async def _listed(url: str, era: str, user: str) -> list[str]:
    http = httpx2.AsyncClient(headers={"x-user": user})
    async with http, Client(streamable_http_client(url, http_client=http), mode=era) as client:
        return [tool.name for tool in (await client.list_tools()).tools]


@pytest.mark.parametrize("hosts", [[], ["*"], ["*.example.com"], ["https://example.com"], [""]])
def test_hosts_that_are_none_are_refused_at_build(shelf: Shelf, hosts: list[str]) -> None:
    with pytest.raises(ConfigError, match="allowed_hosts"):
        to_asgi(to_server(shelf, name="shelf"), allowed_hosts=hosts)


def test_a_path_without_a_slash_is_refused_at_build(shelf: Shelf) -> None:
    with pytest.raises(ConfigError, match="must start with a slash"):
        to_asgi(to_server(shelf, name="shelf"), path="mcp")


@pytest.mark.req("ATK-59")
@pytest.mark.parametrize("version", ["2025-03-26", "2025-11-25", "2026-07-28"])
async def test_a_batch_is_refused_and_none_of_its_calls_is_made(shelf: Shelf, version: str) -> None:
    params: Any = {"name": "book", "arguments": {}, **DISCOVER["params"]}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {**HEADERS, "mcp-protocol-version": version, "mcp-method": "tools/call", "mcp-name": "book"}
    async with served(to_asgi(to_server(shelf, name="shelf"))) as url, httpx2.AsyncClient(headers=headers) as client:
        batch = await client.post(url, json=[call, call])
        alone = await client.post(url, json=call)

    assert batch.status_code == 400
    assert "Dune" not in batch.text
    assert ("Dune" in alone.text) is (version == "2026-07-28")  # the older ones need a session first
