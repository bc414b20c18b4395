"""Operations that a host writes by hand."""

from __future__ import annotations

from typing import Any

import pytest

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.declare import declare
from mcpbridge.openapi.operation import Operation
from mcpbridge.openapi.request import build_request
from mcpbridge.openapi.tool import to_tool

pytestmark = pytest.mark.req("OAS-19")

STATUS = {"enum": ["open", "closed"]}


def closing() -> Operation:
    return declare(
        "close_ticket",
        method="POST",
        path="/tickets/{id}/close",
        description="Close a ticket",
        parameters={"id": {"type": "integer"}},
        query={"notify": {"type": "boolean"}},
        headers={"X-Team": {"type": "string"}},
        body={"reason": {"type": "string"}, "id": {"type": "string"}},
        required=["reason"],
    )


def test_a_declared_operation_is_a_tool_like_any_other() -> None:
    tool = to_tool(closing())
    assert (tool.name, tool.access, tool.description) == ("close_ticket", "write", "Close a ticket.")
    assert tool.input_schema["required"] == ["id", "reason"]
    assert tool.input_schema["properties"]["id"] == {"type": "integer"}
    assert set(tool.input_schema["properties"]) == {"id", "notify", "X-Team", "reason", "id_body"}


def test_its_arguments_reach_their_places() -> None:
    arguments = {"id": 7, "notify": True, "X-Team": "core", "reason": "done", "id_body": "x"}
    request = build_request(closing(), arguments, base_url="https://t.example.com/api")
    assert (request.method, str(request.url)) == ("POST", "https://t.example.com/api/tickets/7/close?notify=true")
    assert request.headers["x-team"] == "core"
    assert request.content == b'{"reason":"done","id":"x"}'


def test_a_body_that_is_one_schema_is_passed_whole() -> None:
    made = declare("put_all", method="put", path="/all", body={"type": "array"}, required=["body"])
    assert to_tool(made).input_schema["required"] == ["body"]
    assert build_request(made, {"body": [1]}, base_url="https://t.example.com").content == b"[1]"


def test_the_method_decides_access_and_the_host_counts_more() -> None:
    assert declare("a", method="GET", path="/a", query={"status": STATUS}).access == "read"
    assert declare("a", method="POST", path="/search", access="read").access == "read"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"name": "näme"}, "no tool's name"),
        ({"path": "tickets"}, "must start with '/'"),
        ({"parameters": {"other": {}}}, "no placeholder of its path"),
        ({"headers": {"Authorization": {}}}, "the gateway sets it"),
        ({"headers": {"a b": {}}}, "the gateway sets it"),
        ({"required": ["nothing"]}, "which it does not declare"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_declared(more: dict[str, Any], words: str) -> None:
    given: dict[str, Any] = {"name": "a", "method": "GET", "path": "/a/{id}", **more}
    with pytest.raises(ConfigError, match=words):
        declare(given.pop("name"), **given)
