"""Token verifiers in front of the served gateway: 401 and its metadata, and where a caller's token never goes."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from issuing import AUDIENCE, ISSUER, NOW, Issuing
from mcp import Client
from shelf import Shelf, text_of
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from mcpbridge.auth.static import ApiKey, Basic, Bearer
from mcpbridge.demo.local import description
from mcpbridge.errors import ConfigError
from mcpbridge.rest import RestSource
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.server.metadata import ResourceMetadata, metadata_routes
from mcpbridge.server.verify import Issuer, JwtVerifier
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Caller

HOST = "gateway.example"
RESOURCE = ResourceMetadata(url=AUDIENCE, issuers=[ISSUER], scopes=["tools"], name="Acme")
PLACE = f"https://{HOST}/.well-known/oauth-protected-resource/mcp"


def gateway(issuing: Issuing, source: ToolSource | None = None, **settings: Any) -> ASGIApp:
    verifier = JwtVerifier(
        Issuer(issuer=ISSUER, tenant="acme"), audience=AUDIENCE, transport=issuing.transport, clock=issuing
    )
    settings = {"resource": RESOURCE, "verifier": verifier, **settings}
    return to_asgi(to_server(source or Shelf(), name="shelf"), allowed_hosts=[HOST], **settings)


async def call(
    app: ASGIApp, token: str | None, tool: str = "secret", *, peer: str = "192.0.2.7", host: str = HOST
) -> httpx2.Response:
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": tool,
        **({"authorization": token} if token is not None else {}),
    }
    meta: dict[str, Any] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params: dict[str, Any] = {"name": tool, "arguments": {}, "_meta": meta}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    transport = httpx2.ASGITransport(app=app, client=(peer, 1234))
    async with httpx2.AsyncClient(transport=transport, base_url=f"https://{host}") as client:
        return await client.post("/mcp", json=body, headers=headers)


@pytest.mark.req("GW-05")
async def test_the_tokens_subject_is_the_caller() -> None:
    issuing, shelf = Issuing(), Shelf()
    issuing.now = NOW
    answer = await call(gateway(issuing, shelf), f"Bearer {issuing.token(exp=NOW * 2)}")
    assert answer.status_code == 200, answer.text
    assert [(made.caller.tenant, made.caller.user) for made in shelf.calls] == [("acme", "ann")]


@pytest.mark.req("GW-05", "ATK-49")
@pytest.mark.parametrize(
    "shown", [None, "Bearer ", "Bearer forged", "Basic YW5uOnB3", "ann", "aud", "Bearer null", "bearer undefined"]
)
@pytest.mark.parametrize("peer", ["192.0.2.7", "127.0.0.1"])
async def test_whoever_shows_no_good_token_gets_401_and_is_nobody(shown: str | None, peer: str) -> None:
    issuing, shelf = Issuing(), Shelf()
    token = f"Bearer {issuing.token(aud='https://other.example', exp=NOW * 2)}" if shown == "aud" else shown
    answer = await call(gateway(issuing, shelf), token, peer=peer)
    assert (answer.status_code, shelf.calls) == (401, [])
    assert f'resource_metadata="{PLACE}"' in answer.headers["www-authenticate"]


@pytest.mark.req("ATK-49")
@pytest.mark.parametrize("shown", ["Bearer sk-anything", "Basic YW5uOnB3", "x"])
async def test_without_a_verifier_a_credential_makes_nobody_of_its_bearer(shown: str) -> None:
    shelf = Shelf()
    app = to_asgi(to_server(shelf, name="shelf"))
    answer = await call(app, shown, "book", peer="127.0.0.1", host="localhost")
    assert (answer.status_code, shelf.calls) == (401, [])
    assert (await call(app, None, "book", peer="127.0.0.1", host="localhost")).status_code == 200


@pytest.mark.req("GW-05")
async def test_the_metadata_says_where_to_log_in_to_anybody() -> None:
    transport = httpx2.ASGITransport(app=gateway(Issuing()), client=("192.0.2.7", 1))
    async with httpx2.AsyncClient(transport=transport) as anybody:
        answer = await anybody.get(PLACE)
    assert answer.json() == {
        "resource": AUDIENCE,
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["tools"],
        "resource_name": "Acme",
    }


@pytest.mark.req("GW-05")
async def test_a_host_that_mounts_the_gateway_serves_the_metadata_at_its_root() -> None:
    resource = ResourceMetadata(url=f"https://{HOST}/tools/mcp", issuers=[ISSUER])
    host = Starlette(routes=[*metadata_routes(resource), Mount("/tools", gateway(Issuing(), resource=resource))])
    transport = httpx2.ASGITransport(app=host, client=("192.0.2.7", 1))
    async with httpx2.AsyncClient(transport=transport) as anybody:
        refused = await anybody.post(f"https://{HOST}/tools/mcp", json={})
        place = refused.headers["www-authenticate"].partition('resource_metadata="')[2].rstrip('"')
        assert (await anybody.get(place)).json()["resource"] == resource.url


@pytest.mark.req("GW-05")
async def test_a_token_without_a_required_scope_gets_403() -> None:
    issuing = Issuing()
    resource = ResourceMetadata(url=AUDIENCE, issuers=[ISSUER], required=["tools"])
    app = gateway(issuing, resource=resource)
    answers = [await call(app, f"Bearer {issuing.token(exp=NOW * 2, scope=scope)}") for scope in ("tools x", "x")]
    assert [answer.status_code for answer in answers] == [200, 403]


async def test_while_keys_cant_be_had_clients_are_told_to_wait() -> None:
    issuing = Issuing(down=True)
    answer = await call(gateway(issuing), f"Bearer {issuing.token()}")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "www-authenticate" not in answer.headers


@pytest.mark.req("ATK-48")
@pytest.mark.parametrize(
    "auth", [None, Bearer("upstream"), ApiKey("k", "X-Key"), ApiKey("k", "key", where="query"), Basic("a", "b")]
)
async def test_a_callers_token_reaches_no_upstream(auth: httpx2.Auth | None) -> None:
    issuing, seen = Issuing(), list[httpx2.Request]()

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200, json=[])

    upstream = RestSource.from_openapi(
        description(), base_url="https://shop.example", transport=httpx2.MockTransport(answer), auth=auth
    )
    token = issuing.token(exp=NOW * 2)
    async with upstream:
        assert (await call(gateway(issuing, upstream), f"Bearer {token}", "list_books")).status_code == 200
    (request,) = seen
    everything = f"{request.url} {request.headers.raw!r} {request.content!r}"
    assert token not in everything
    assert token.split(".")[1] not in everything


@pytest.mark.req("GW-05")
async def test_a_caller_in_memory_is_told_by_the_host(era: str) -> None:
    async def identify(ctx: Any) -> Caller:
        assert ctx.request is None
        return Caller(user="ann")

    async with Client(to_server(Shelf(), name="shelf", identify=identify), mode=era) as client:
        assert text_of(await client.call_tool("secret")) == "ann"


@pytest.mark.parametrize(
    "settings", [{"url": "http://gateway.example/mcp"}, {"url": "mcp"}, {"issuers": []}, {"issuers": ["ftp://x"]}]
)
def test_metadata_that_would_mislead_is_refused_at_build(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="ResourceMetadata"):
        ResourceMetadata(**(dict[str, Any](url=AUDIENCE, issuers=[ISSUER]) | settings))


def test_metadata_without_anything_that_checks_tokens_is_refused() -> None:
    with pytest.raises(ConfigError, match="verifier"):
        gateway(Issuing(), verifier=None)
