"""Integrations of a gateway whose users log in by OAuth."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from authority import running_authority
from logins import ANN, BOB, Heard, call, host_of, log_in
from mcpbridge.audit.stored import StoreSink
from mcpbridge.auth.oauth.code import AuthorizationCode
from mcpbridge.errors import AuthRequired
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.integrations.auth import Use
from mcpbridge.integrations.record import Integration
from mcpbridge.source.answer import error_of
from mcpbridge.store.open import open_store
from mcpbridge.store.schema import audit as audited
from mcpbridge.store.store import Store
from mcpbridge.tools import Call, Caller


def notes(url: str, **auth: Any) -> Integration:
    """An API whose metadata says where to log in."""
    operation = {"name": "me", "method": "GET", "path": "/api"}
    return Integration(
        name="notes", protocol="rest", base_url=url, operations=[operation], auth={"type": "oauth2", **auth}
    )


async def said(gateway: Gateway, caller: Caller) -> Any:
    """The answer's object, or the code of its error."""
    result = await gateway.call_tool(Call(name="notes__me", caller=caller))
    failure = error_of(result)
    return result.structured_content if failure is None else failure.code


@pytest.mark.req("AUTH-07", "AUTH-08")
async def test_a_call_goes_through_for_whoever_has_logged_in_on_any_replica() -> None:
    heard = Heard()
    with running_authority() as authority:
        authority.statuses["resource"] = 404
        record = notes(authority.url, issuer=authority.url, scopes="read")
        async with open_store(":memory:") as store:
            host = host_of(store, heard)
            async with Gateway([record], logins=host) as gateway:
                assert await said(gateway, ANN) == "auth_required"

                elsewhere = record.auth.used(Use(integration="sys_notes", url=authority.url, logins=host))
                assert isinstance(elsewhere, AuthorizationCode)
                await log_in(elsewhere, ANN)

                assert (await said(gateway, ANN))["user"] == "ann"
                assert await said(gateway, BOB) == "auth_required"
                authority.down = True
                authority.expire()
                assert await said(gateway, ANN) == "auth_unavailable"
                authority.down = False
                assert (await said(gateway, ANN))["user"] == "ann"
    assert "issuer_override" in heard.kinds()


@pytest.mark.req("AUTH-07")
async def test_what_becomes_of_logins_stands_in_the_audit(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="mcpbridge")
    heard = Heard()
    with running_authority() as authority:
        record = notes(authority.url, issuer=authority.url, scopes="read")
        async with open_store(":memory:") as store:
            audit = StoreSink(store)
            async with Gateway([record], logins=host_of(store, heard), audit=audit) as gateway:
                stored = await gateway.find(ANN, "notes")
                login = stored.record.auth.used(gateway.use(stored))
                assert isinstance(login, AuthorizationCode)
                await log_in(login, ANN)
                authority.end_logins()
                with pytest.raises(AuthRequired):
                    await call(login, f"{authority.url}/api")
            entries = await logins_in(store)
            assert await audit.verify() == []

    assert [entry["action"] for entry in entries] == heard.kinds()
    assert [(entry["action"], entry["outcome"]) for entry in entries] == [
        ("issuer_override", "ok"),
        ("registered", "ok"),
        ("login_begun", "asked"),
        ("login_completed", "ok"),
        ("reconnect_required", "failed"),
    ]
    assert {entry["details"]["server"] for entry in entries} == {authority.url}
    assert entries[3]["who"] == {"tenant": "acme", "user": "ann"}
    assert entries[3]["what"] == "sys_notes"
    assert (
        f"oauth issuer_override: integration 'sys_notes', tenant '', user '', server '{authority.url}'" in caplog.text
    )


async def logins_in(store: Store) -> list[dict[str, Any]]:
    """The audit's entries about logins, in their order."""
    async with store.read() as connection:
        lines = await connection.scalars(select(audited.c.entry).where(audited.c.kind == "login").order_by("number"))
        return [json.loads(line) for line in lines]
