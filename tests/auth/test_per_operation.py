"""A strategy of some operations alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from mcpbridge.auth.per_operation import OperationAuth
from mcpbridge.auth.static import ApiKey, Bearer
from mcpbridge.errors import ConfigError
from mcpbridge.rest import RestSource
from mcpbridge.tools import Call

pytestmark = pytest.mark.req("AUTH-05")

KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
DESCRIPTION: Mapping[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "t", "version": "1"},
    "security": [{"user": []}],
    "components": {"securitySchemes": {"user": {"type": "http", "scheme": "bearer"}, "admin": KEY}},
    "paths": {
        "/things": {"get": {"operationId": "list_things"}, "post": {"operationId": "add_thing"}},
        "/users": {"get": {"operationId": "list_users", "security": [{"user": []}, {"admin": []}]}},
        "/status": {"get": {"operationId": "status", "security": []}},
    },
}


async def sent(operation_auth: OperationAuth | None, auth: httpx2.Auth | None = None) -> Mapping[str, str]:
    """What each operation sends of `Authorization` or `X-Key`."""
    seen: list[httpx2.Headers] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers)
        return httpx2.Response(200, json={})

    names, transport = ("list_things", "add_thing", "list_users", "status"), httpx2.MockTransport(answer)
    async with RestSource.from_openapi(
        DESCRIPTION,
        base_url="https://api.example.com",
        transport=transport,
        auth=auth or Bearer("all"),
        operation_auth=operation_auth,
    ) as source:
        for name in names:
            await source.call_tool(Call(name=name, arguments={}))
    told = [headers.get("authorization", headers.get("x-key", "")) for headers in seen]
    return dict(zip(names, told, strict=True))


async def test_without_one_all_operations_that_want_a_credential_have_the_same() -> None:
    assert await sent(None) == {
        "list_things": "Bearer all",
        "add_thing": "Bearer all",
        "list_users": "Bearer all",
        "status": "",
    }


async def test_a_strategy_of_an_operation_is_used_in_place_of_the_others() -> None:
    assert await sent({"list_*": ApiKey("k", "X-Key")}) == {
        "list_things": "k",
        "add_thing": "Bearer all",
        "list_users": "k",
        "status": "",
    }


async def test_a_strategy_goes_with_its_security_scheme() -> None:
    assert (await sent({"scheme:admin": ApiKey("k", "X-Key")}))["list_users"] == "k"


async def test_the_first_that_fits_counts_and_none_signs_nothing() -> None:
    told = await sent({"add_thing": None, "*": ApiKey("k", "X-Key")})

    assert told == {"list_things": "k", "add_thing": "", "list_users": "k", "status": "k"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"list_thing": Bearer("t")}, "'list_thing'.* no operation has such a name"),
        ({"scheme:root": Bearer("t")}, "'scheme:root'.* no operation uses this security scheme"),
        ({"status": "token"}, r"auth must be an httpx2\.Auth"),
    ],
)
async def test_what_fits_no_operation_is_refused_when_it_is_given(given: Any, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        await sent(given)
