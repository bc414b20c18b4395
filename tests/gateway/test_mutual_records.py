"""Records with a client's certificate, called over TLS that asks for one."""

from __future__ import annotations

from typing import Any

import pytest

from mcpbridge.gateway.sources import source_of
from mcpbridge.integrations.auth import Use
from mcpbridge.integrations.credentials import credentials
from mcpbridge.integrations.errors import InvalidRecord
from mcpbridge.integrations.record import read_integration
from mcpbridge.net.guard import PUBLIC
from mcpbridge.source.answer import error_of
from mcpbridge.tools import Call
from mutual import ONE, ROOTS, TWO, cert_of, key_of, mutual_server

pytestmark = pytest.mark.req("AUTH-04")

MTLS = {"type": "mtls", "cert": cert_of(ONE), "key": key_of(ONE), "roots": ROOTS}
WHO = {"name": "who", "method": "GET", "path": "/"}


def record(auth: object, base_url: str = "https://bank.example") -> Any:
    values = {"name": "bank", "protocol": "rest", "base_url": base_url, "operations": [WHO], "auth": auth}
    return read_integration(values)


@pytest.mark.parametrize("auth", [MTLS, {"type": "chain", "parts": {"a": {"type": "bearer", "token": "t"}, "b": MTLS}}])
async def test_an_integration_shows_its_certificate(auth: object) -> None:
    async with mutual_server() as server:
        source = await source_of(record(auth, server.url), Use(integration="bank"))
        async with source:
            assert "one" in str(await source.call_tool(Call(name="who", arguments={})))
        await server.until(lambda there: not there)


async def test_the_guard_holds_for_an_integration_with_a_certificate() -> None:
    async with mutual_server() as server:
        source = await source_of(record(MTLS, server.url), Use(integration="bank", guard=PUBLIC))
        async with source:
            failure = error_of(await source.call_tool(Call(name="who", arguments={})))

    assert failure is not None
    assert failure.code == "address_refused"


def test_the_key_alone_goes_into_the_vault() -> None:
    given = record(MTLS)

    assert [*credentials(given)] == ["auth.key"]
    assert "PRIVATE" not in f"{given!r} {given.model_dump_json()}"


@pytest.mark.parametrize(
    ("auth", "named"),
    [
        ({**MTLS, "key": key_of(TWO)}, "key=… is not the key of cert=…"),
        ({**MTLS, "password": "sesame"}, "leave password=… out"),
        ({**MTLS, "roots": "none"}, "roots=…"),
        ({"type": "chain", "parts": {"a": MTLS, "b": MTLS}}, "'a' and 'b' are both 'mtls'"),
    ],
)
def test_what_can_not_be_shown_is_refused_when_it_is_defined(auth: object, named: str) -> None:
    with pytest.raises(InvalidRecord, match=named) as caught:
        record(auth)

    assert "sesame" not in str(caught.value)
