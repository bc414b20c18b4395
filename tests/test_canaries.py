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

from canaries import CANARIES, Canaries, forms_of
from mcpbridge.audit.stored import StoreSink
from mcpbridge.errors import BridgeError
from mcpbridge.integrations.registry import Integrations
from mcpbridge.openapi.declare import declare
from mcpbridge.rest import RestSource
from mcpbridge.server.lowlevel import to_server
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import audit
from mcpbridge.tools import Call, Caller
from mcpbridge.vault.keys import LocalKey
from mcpbridge.vault.vault import Vault

ADA = Caller(tenant="acme", user="ada")


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
