"""What a description proposes for authentication."""

from __future__ import annotations

from typing import Any

import pytest

from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.security import Scheme, propose_auth

pytestmark = pytest.mark.req("OAS-17")

SCHEMES: dict[str, Any] = {
    "token": {"type": "http", "scheme": "bearer"},
    "login": {"type": "http", "scheme": "Basic"},
    "digest": {"type": "http", "scheme": "Digest"},
    "key": {"type": "apiKey", "in": "query", "name": "api_key"},
    "grant": {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "https://a.example/token", "scopes": {"read": "Read"}}},
    },
    "oidc": {"type": "openIdConnect", "openIdConnectUrl": "https://a.example/.well-known/openid-configuration"},
    "cert": {"type": "mutualTLS"},
    "odd": {"type": "smoke signals"},
}


def described(paths: dict[str, Any], **more: Any) -> Document:
    root = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
    return Document.parse({**root, "components": {"securitySchemes": SCHEMES}, **more})


def get(**more: Any) -> dict[str, Any]:
    return {"get": {"responses": {}, **more}}


def scheme(name: str) -> Scheme:
    return next(each.schemes[0] for each in propose_auth(described({})) if each.schemes[0].name == name)


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("token", {"type": "bearer", "prefix": "Bearer", "token": "${TOKEN}"}),
        ("login", {"type": "basic", "user": "${LOGIN_USER}", "password": "${LOGIN_PASSWORD}"}),
        ("digest", {"type": "bearer", "prefix": "Digest", "token": "${DIGEST}"}),
        ("key", {"type": "api_key", "in": "query", "name": "api_key", "value": "${KEY}"}),
        ("cert", {"type": "mtls"}),
        ("odd", {"type": "unknown"}),
    ],
)
def test_every_type_of_scheme_is_proposed_as_a_record(name: str, record: dict[str, Any]) -> None:
    assert scheme(name).record() == record


def test_oauth_keeps_its_urls_and_the_scopes_that_operations_want() -> None:
    document = described({"/a": get(security=[{"grant": ["read"]}]), "/b": get(security=[{"grant": ["write"]}])})
    proposal = propose_auth(document)[0]
    assert (proposal.operations, list(proposal.scopes)) == (2, ["read", "write"])
    record = proposal.records()[0]
    assert (record["type"], record["scopes"]) == ("oauth2", "read write")
    assert record["flows"]["clientCredentials"]["tokenUrl"] == "https://a.example/token"


def test_the_way_that_most_operations_take_comes_first() -> None:
    document = described(
        {"/a": get(), "/b": get(security=[{"key": [], "login": []}]), "/c": get()}, security=[{"token": []}]
    )
    names = [[each.name for each in proposal.schemes] for proposal in propose_auth(document)]
    assert names[:2] == [["token"], ["key", "login"]]


def test_swagger_flows_have_their_later_names() -> None:
    flow: dict[str, Any] = {"type": "oauth2", "flow": "accessCode", "tokenUrl": "https://a.example/t", "scopes": {}}
    root: dict[str, Any] = {"swagger": "2.0", "info": {"title": "t"}, "paths": {}, "securityDefinitions": {"o": flow}}
    assert [*propose_auth(Document.parse(root))[0].schemes[0].flows] == ["authorizationCode"]


OWN: list[tuple[dict[str, Any], dict[str, Any], Any]] = [
    ({"security": []}, {"security": [{"token": []}]}, ()),
    ({}, {"security": [{"token": []}]}, ({"token": ()},)),
    ({"security": [{"key": ["x"]}, {}]}, {}, ({"key": ("x",)}, {})),
    ({}, {}, None),
]


@pytest.mark.parametrize(("operation", "root", "security"), OWN)
def test_an_operations_own_word_counts_more_than_the_descriptions(
    operation: dict[str, Any], root: dict[str, Any], security: Any
) -> None:
    assert read_operations(described({"/a": get(**operation)}, **root))[0].security == security


def test_an_operation_without_a_word_wants_none_where_others_say_something() -> None:
    document = described({"/a": get(), "/b": get(security=[{"token": []}])})
    assert [each.security for each in read_operations(document)] == [(), ({"token": ()},)]
