"""Hostile descriptions, from their text to the bytes that a server reads."""

from __future__ import annotations

import asyncio
import json
import time
import tracemalloc
from typing import Any

import pytest
from tapped import Tap, attack, describe, tapped

from mcpbridge.auth.static import Bearer
from mcpbridge.errors import DescriptionError
from mcpbridge.net.limits import MIB
from mcpbridge.openapi.declare import declare
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.limits import ReadLimits
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.request import build_request
from mcpbridge.openapi.tool import to_tool

HEAD = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\n"
LEVELS = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9) if n else 'x'}]" for n in range(10))
CHAIN = {f"S{n}": {"$ref": f"#/components/schemas/S{n + 1}"} for n in range(5_000)}
LARGE = '{"openapi": "3.1.0", "paths": {}, "x": "' + "a" * 50_000_000 + '"}'


def schemas(**named: Any) -> str:
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}
    paths = {"/x": {"post": {"operationId": "x", "requestBody": body, "responses": {}}}}
    return json.dumps({"openapi": "3.1.0", "paths": paths, "components": {"schemas": named}})


HOSTILE = {
    "alias bomb": f"{HEAD}{LEVELS}\npaths: {{}}",
    "python tag": f"{HEAD}paths: !!python/object/apply:os.system ['true']",
    "nested yaml": HEAD + "paths: " + "[" * 3_000 + "]" * 3_000,
    "nested json": '{"openapi": "3.1.0", "paths": ' + "[" * 100_000 + "]" * 100_000 + "}",
    "itself": schemas(A={"$ref": "#/components/schemas/A"}),
    "two in a circle": schemas(A={"$ref": "#/components/schemas/B"}, B={"$ref": "#/components/schemas/A"}),
    "all of itself": schemas(A={"allOf": [{"$ref": "#/components/schemas/A"}], "properties": {"a": {}}}),
    "long chain": schemas(A={"$ref": "#/components/schemas/S0"}, **CHAIN, S5000={"type": "string"}),
    "huge numbers": schemas(A={"type": "integer", "default": 10**4_000, "enum": [10**4_000]}),
    "no numbers": schemas(A={"default": float("nan"), "enum": [float("inf")]}),
    "beyond a double": '{"openapi": "3.1.0", "paths": {}, "x": 1e999, "y": ' + "9" * 5_000 + "}",
}


@pytest.mark.req("ATK-06", "ATK-07", "ATK-09", "ATK-14")
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_description_is_read_or_refused_in_time_and_in_little_memory(kind: str) -> None:
    tracemalloc.start()
    began = time.perf_counter()
    try:
        document = Document.parse(HOSTILE[kind])
        written = [json.dumps(to_tool(each).to_wire(), allow_nan=False) for each in read_operations(document)]
    except DescriptionError as refused:
        written = [str(refused)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert time.perf_counter() - began < 5
    assert peak < 50 * MIB
    assert all(len(each) < MIB for each in written)


@pytest.mark.req("ATK-10")
@pytest.mark.parametrize("limits", [ReadLimits(bytes=10_000_000), ReadLimits(operations=100)])
def test_a_description_beyond_its_limits_is_refused_at_once(limits: ReadLimits) -> None:
    paths: dict[str, Any] = {f"/x{number}": {"get": {"responses": {}}} for number in range(20_001)}
    text = LARGE if limits.operations > 100 else json.dumps({"openapi": "3.1.0", "paths": paths})
    began = time.perf_counter()
    with pytest.raises(DescriptionError, match=r"raise the limit|more than|larger"):
        read_operations(Document.parse(text, limits=limits))

    assert time.perf_counter() - began < 5


@pytest.mark.req("ATK-11", "ATK-16")
@pytest.mark.parametrize(
    "path",
    [
        "/../admin",
        "/./x",
        "/a/../../admin",
        "/%2e%2e/admin",
        "/..;/x",
        "/{id}/../x",
        "/%252e%252e/x",
        "/\\..\\x",
        "/．．/x",
    ],
)
def test_an_operation_whose_path_leaves_the_base_url_is_left_out(path: str) -> None:
    document = Document.parse({"openapi": "3.1.0", "paths": {path: {"get": {"responses": {}}}, "/ok": {"get": {}}}})

    assert [operation.path for operation in read_operations(document)] == ["/ok"]
    assert any("dot segment" in problem.message for problem in document.problems)


@pytest.mark.req("ATK-11", "ATK-16")
def test_an_operation_by_hand_whose_path_leaves_the_base_url_is_refused() -> None:
    with pytest.raises(Exception, match="dot segment"):
        build_request(declare("x", method="GET", path="/../admin"), {}, base_url="https://api.example.com/v1")


@pytest.mark.req("ATK-11")
@pytest.mark.parametrize(
    "servers",
    [
        [{"url": "{evil}"}],
        [{"url": "//{host}/v1"}],
        [{"url": "http://{name}", "variables": {"name": {"default": "{host}", "enum": ["{host}"]}}}],
        [{"url": "/other"}, {"url": "{evil}"}],
    ],
    ids=["elsewhere", "no scheme", "variable", "second"],
)
@pytest.mark.parametrize("level", ["root", "path", "operation"])
async def test_no_server_of_a_description_gets_a_call_or_a_credential(servers: list[Any], level: str) -> None:
    tap, evil = Tap(), Tap()
    server = await asyncio.start_server(evil.serve, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    said = json.loads(json.dumps(servers).replace("{evil}", f"http://{host}").replace("{host}", host))
    description = describe("/x", [])
    item = description["paths"]["/x"]
    {"root": description, "path": item, "operation": item["post"]}[level]["servers"] = said
    async with tapped(description, tap, auth=Bearer("the-real-one")) as source:
        await attack(source, {})
    server.close()
    await server.wait_closed()

    assert evil.heads == []
