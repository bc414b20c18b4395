"""Credentials planted wherever one can be, and searched for in all that comes out."""

from __future__ import annotations

import copy
import faulthandler
import pickle
import traceback
from pathlib import Path
from typing import Any

import httpx2
import mcp
import pytest
from sqlalchemy import select
from starlette.types import ASGIApp

from canaries import CANARIES, Canaries, forms_of
from mcpbridge.audit.stored import StoreSink
from mcpbridge.build import guarded
from mcpbridge.errors import BridgeError
from mcpbridge.integrations.hooks import Management
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.registry import Integrations
from mcpbridge.openapi.declare import declare
from mcpbridge.rest import RestSource
from mcpbridge.router import Router
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import audit
from mcpbridge.tools import Call, Caller
from mcpbridge.vault.host import HostKey
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault

ADA = Caller(tenant="acme", user="ada")
ERA = "2026-07-28"


def echo(request: httpx2.Request) -> httpx2.Response:
    """An upstream that says back what it was sent, and not only what it should."""
    status = 500 if request.url.path.endswith("/broken") else 200
    said = {"you sent": dict(request.headers), "to": request.url.raw_path.decode()} if status == 500 else {"fine": True}
    return httpx2.Response(status, json=said)


def records(canaries: Canaries) -> list[dict[str, Any]]:
    hand = {
        "protocol": "rest",
        "base_url": "https://api.example.com",
        "operations": [{"name": name, "method": "GET", "path": f"/{name}"} for name in ("works", "broken")],
    }
    auths: list[dict[str, Any]] = [
        {"type": "bearer", "token": canaries[0]},
        {"type": "api_key", "name": "X-Key", "value": canaries[1]},
        {"type": "api_key", "name": "key", "in": "query", "value": canaries[2]},
        {"type": "api_key", "name": "sid", "in": "cookie", "value": canaries[3]},
        {"type": "basic", "user": "ada", "password": canaries[4]},
        {"type": "headers", "headers": {"X-A": canaries[5], "X-B": canaries[6]}},
    ]
    made: list[dict[str, Any]] = [{**hand, "name": f"rest-{n}", "auth": auth} for n, auth in enumerate(auths)]
    made.append({"name": "child", "protocol": "mcp", "transport": "stdio", "command": "x", "env": {"K": canaries[7]}})
    url = "https://mcp.example.com"
    made.append({"name": "headed", "protocol": "mcp", "url": url, "headers": {"X-Api-Key": canaries[8]}})
    return made


async def refused(canaries: Canaries, work: Any) -> None:
    """The error of something that is refused, as every logger and debugger would show it."""
    with pytest.raises(BridgeError) as raised:
        await work
    shown = "".join(traceback.format_exception(raised.value))
    canaries.saw("a refusal", f"{shown} {vars(raised.value)}")


@pytest.mark.req("ATK-64", "VAULT-03")
async def test_no_credential_of_a_record_comes_out(canaries: Canaries, tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'gateway.db'}") as store:
        kept = Integrations(
            store, Vault(store, [LocalKey(bytes(range(32)))]), audit=StoreSink(store), child=lambda _: True
        )
        for made in await kept.create_all(ADA, records(canaries)):
            canaries.saw("a view", made.view())
            canaries.saw("a record", f"{made!r} {made.document!r} {made.record!r} {vars(made)!r}")
            await calls(canaries, await kept.revealed(made))
        await refused(
            canaries,
            kept.create(
                ADA, {"name": "X", "protocol": "rest", "auth": {"type": "bearer", "token": canaries[9] + "\n"}}
            ),
        )
        await refused(
            canaries, kept.create(ADA, {**records(canaries)[0], "auth": {"type": "bearre", "token": canaries[10]}})
        )
        await refused(canaries, kept.update(ADA, "rest-0", {"auth": {"type": "bearer", "tokn": canaries[11]}}))
        await refused(canaries, kept.update(ADA, "rest-0", {"base_url": f"https://ada:{canaries[12]}@x.example"}))
        await kept.update(ADA, "rest-0", {"auth": {"type": "bearer", "token": canaries[13]}})
        await Vault(store, [LocalKey(bytes(range(64, 96))), LocalKey(bytes(range(32)))]).rotate()
        await kept.delete(ADA, "rest-1")
        async with store.read() as connection:
            canaries.saw("the audit", [*await connection.scalars(select(audit.c.entry))])
        canaries.saw("the files of an open store", tmp_path)
    canaries.saw("the files of the store", tmp_path)
    assert canaries.searched > 100_000


async def calls(canaries: Canaries, record: Any) -> None:
    """A call that goes well and one that fails, served; and whatever else can be done with a record's parts."""
    canaries.saw("a revealed record", f"{record!r} {record} {record.model_dump_json()} {copy.deepcopy(record)!r}")
    with pytest.raises(TypeError):
        pickle.dumps(
            record.auth
            if record.auth.type != "none"
            else next(iter((getattr(record, "env", None) or record.headers).values()))
        )
    if record.protocol != "rest":
        return
    source = RestSource(
        [declare(each.name, method=each.method, path=each.path) for each in record.operations],
        base_url=record.base_url,
        auth=record.auth.strategy(),
        transport=httpx2.MockTransport(echo),
    )
    canaries.saw("a source", f"{source!r} {vars(source)!r}")
    caller = Caller(tenant="acme", token=None)
    async with source, mcp.Client(to_server(source, name="canaries")) as client:
        for name in ("works", "broken"):
            canaries.saw("an answer", await source.call_tool(Call(name=name, caller=caller)))
            canaries.saw("a served answer", (await client.call_tool(name, {})).model_dump_json())


async def posted(app: ASGIApp, method: str, **params: Any) -> bytes:
    """Every byte of the answer to one message."""
    meta: dict[str, Any] = {
        "io.modelcontextprotocol/protocolVersion": ERA,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": ERA, "mcp-method": method}
    named = {"mcp-name": params["name"]} if "name" in params else {}
    transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 1234))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.post("/mcp", json=message, headers={**headers, **named})
    head = [str(answer.status_code).encode(), *(b": ".join(line) for line in answer.headers.raw)]
    return b"\r\n".join([*head, answer.content])


@pytest.mark.req("ATK-64", "ATK-28", "VAULT-03")
async def test_no_byte_of_a_served_gateway_or_of_its_audit_holds_one(canaries: Canaries, tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path / 'gateway.db'}") as store:
        kept = Integrations(store, Vault(store, [LocalKey(bytes(range(32)))]))
        rest = [record for record in records(canaries) if record["protocol"] == "rest"]
        made = [(each.name, await kept.revealed(each)) for each in await kept.create_all(ADA, rest)]
        sources = {name: served(record) for name, record in made}
        gateway = guarded(Router(sources), audit=StoreSink(store))
        async with gateway:
            app = to_asgi(to_server(gateway, name="canaries"))
            canaries.saw("a listing over HTTP", await posted(app, "tools/list"))
            for tool in (f"{name}__{end}" for name in sources for end in ("works", "broken", "lost", "writes", "none")):
                said = await posted(app, "tools/call", name=tool, arguments={})
                assert said[:3] == (b"400" if tool.endswith("none") else b"200"), said
                canaries.saw("an answer over HTTP", said)
        async with store.read() as connection:
            rows = [*(await connection.execute(select(audit))).all()]
            assert len(rows) >= len(sources) * 5
            canaries.saw("the rows of the audit", rows)
        canaries.saw("the status", [await source.status() for source in sources.values()])
    canaries.saw("the files of the store", tmp_path)


def served(record: Any) -> RestSource:
    """The record's own operations, one that writes, and one whose connection fails, and whose error tells too much."""
    more = [declare("lost", method="GET", path="/lost"), declare("writes", method="POST", path="/writes")]
    return RestSource(
        [*(declare(each.name, method=each.method, path=each.path) for each in record.operations), *more],
        base_url=record.base_url,
        auth=record.auth.strategy(),
        transport=httpx2.MockTransport(telling),
    )


def telling(request: httpx2.Request) -> httpx2.Response:
    if request.url.path == "/lost":
        raise httpx2.ConnectError(f"no route: {request.url} {request.headers.raw}", request=request)
    return echo(request)


def never(_: Caller, wanted: Management) -> bool:
    return not wanted


async def down(_: bytes) -> bytes:
    raise ConnectionError


@pytest.mark.req("ATK-64", "VAULT-03")
async def test_errors_shown_with_their_local_variables_hold_none(canaries: Canaries) -> None:
    """As an error tracker shows them. The record was read before: text that a host passes is in frames of its own."""
    record = Integration(**records(canaries)[0])
    async with open_store(":memory:") as store:
        key = LocalKey(bytes(range(32)))
        kept = Integrations(store, Vault(store, [key]))
        made = await kept.create(ADA, record)
        other = record.model_copy(update={"name": "other"})
        for works in (
            kept.create(ADA, record),
            Integrations(store).create(ADA, other),
            Integrations(store, Vault(store, [HostKey("kms/1", wrap=down, unwrap=down)])).create(ADA, other),
            Integrations(store, Vault(store, [LocalKey(bytes(range(64, 96)))])).revealed(made),
            Integrations(store, Vault(store, [key]), authorize=never).create(ADA, other),
        ):
            with pytest.raises(BridgeError) as raised:
                await works
            shown = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
            canaries.saw("an error with its local variables", "".join(shown.format()))
    with pytest.raises(BridgeError) as closed:
        await kept.create(ADA, other)
    shown = traceback.TracebackException.from_exception(closed.value, capture_locals=True)
    canaries.saw("an error with its local variables", "".join(shown.format()))


@pytest.mark.req("ATK-64", "VAULT-03")
@pytest.mark.parametrize("number", range(8))
def test_a_record_is_copied_and_shown_but_never_pickled_with_its_credentials(canaries: Canaries, number: int) -> None:
    record = Integration(**records(canaries)[number])
    for each in (record, copy.copy(record), copy.deepcopy(record), record.model_copy(deep=True)):
        canaries.saw("a copy", f"{each!r} {each} {vars(each)} {each.model_dump()!r} {each.model_dump_json()}")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="neither pickled nor copied"):
            pickle.dumps(record, protocol)


@pytest.mark.req("ATK-64", "VAULT-03")
def test_a_dump_of_the_interpreter_shows_none(canaries: Canaries, tmp_path: Path) -> None:
    held = canaries[14]
    with (tmp_path / "dump").open("w+b") as file:
        faulthandler.dump_traceback(file)

    assert canaries[14] == held
    canaries.saw("faulthandler", tmp_path)


@pytest.mark.req("ATK-64")
@pytest.mark.parametrize("number", [0, 19])
def test_the_watch_sees_a_canary_in_every_way_of_writing_it(number: int) -> None:
    own = Canaries()
    for form in forms_of(CANARIES[number]):
        own.leaks.clear()
        own.saw("here", b"before " + form + b" after")
        assert f"canary {number} in here" in own.leaks
