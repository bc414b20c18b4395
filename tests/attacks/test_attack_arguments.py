"""Hostile arguments, from a tool's call to the bytes that a server reads."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tapped import Tap, attack, describe, tapped

from mcpbridge.auth.static import ApiKey, Bearer
from mcpbridge.secret import MASK
from mcpbridge.tools import ANYONE

EVIL = [
    "..",
    ".",
    "%2e%2e",
    "..%2f",
    r"\..\ ".strip(),
    "..;/",
    "../../admin",
    ".%2e",
    "%252e%252e",
    "",
    "a\0b",
    "..\\..",
]
KEPT = ["a/b", "a?x#y", "//evil", "http://evil/", "a b", "%2F", "é", "?", "#", ";v=1", "@evil", ":80", "&x=1"]
JSON_BODY: dict[str, Any] = {
    "application/json": {"schema": {"type": "object", "additionalProperties": False, "properties": {"a": {}}}}
}

OWN_HEADER = describe("/x", [{"name": "X-Own", "in": "header"}])


def in_path(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path"} for name in names]


@pytest.mark.req("ATK-16", "REST-02")
async def test_no_path_value_reaches_another_path() -> None:
    tap = Tap()
    async with tapped(describe("/pets/{id}/toys", in_path("id")), tap) as source:
        for value in EVIL:
            assert await attack(source, {"id": value}) is None, value
        assert tap.heads == []
        for value in KEPT:
            assert await attack(source, {"id": value}) is not None
            assert [unquote(part) for part in tap.target.split("/")] == ["", "pets", value, "toys"]


@pytest.mark.req("ATK-16", "ATK-17", "REST-02")
@pytest.mark.parametrize("template", ["/x/{a}/{b}", "/x/{a}.{b}", "/x/{a}{b}/y", "/{a}:{b}"])
def test_on_the_wire_a_path_has_the_segments_of_its_template(template: str) -> None:
    pieces = st.text(alphabet="./\\%2eEfF;?#a \0\u3002", max_size=6)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.tuples(pieces, pieces), min_size=5, max_size=5))
    def check(pairs: list[tuple[str, str]]) -> None:
        asyncio.run(_same_segments(template, pairs))

    check()


async def _same_segments(template: str, pairs: list[tuple[str, str]]) -> None:
    tap = Tap()
    async with tapped(describe(template, in_path("a", "b")), tap) as source:
        for a, b in pairs:
            if await attack(source, {"a": a, "b": b}) is None:
                continue
            segments = tap.target.split("/")
            wanted = [part.replace("{a}", "\1").replace("{b}", b).replace("\1", a) for part in template.split("/")]

            assert [unquote(each) for each in segments] == wanted
            assert not {".", ".."} & {unquote(unquote(each)).strip() for each in segments}


@pytest.mark.req("ATK-18")
@pytest.mark.parametrize(
    "value", ["x&admin=true", "x;admin=true", "x#y", "a=b", "%26admin=1", "+ ", "\r\nX: 1", "a\0", "é"]
)
async def test_a_query_value_is_one_parameter(value: str) -> None:
    tap = Tap()
    async with tapped(describe("/x", [{"name": "q", "in": "query"}]), tap) as source:
        assert await attack(source, {"q": value}) is not None

    assert parse_qsl(tap.target.partition("?")[2], keep_blank_values=True, strict_parsing=True) == [("q", value)]
    assert tap.header("X") == []


@pytest.mark.req("ATK-18")
@pytest.mark.parametrize("member", ["a][b", "__proto__", "a]&admin=1", "a=b", "[]"])
async def test_a_deep_object_gives_no_other_parameter(member: str) -> None:
    tap = Tap()
    deep = {"name": "q", "in": "query", "style": "deepObject", "explode": True, "schema": {"type": "object"}}
    async with tapped(describe("/x", [deep]), tap) as source:
        await attack(source, {"q": {member: "v"}})
    pairs = parse_qsl(tap.target.partition("?")[2], keep_blank_values=True) if tap.heads else []

    assert pairs in ([], [(f"q[{member}]", "v")])


@pytest.mark.req("ATK-19", "REST-03")
@pytest.mark.parametrize(
    "value", ["v\r\nX-Evil: 1", "v\nX-Evil: 1", "v\r", "\0", " v", "v ", "\tv", "\u4e2d", "v\x0bw", "\u010d\u010a"]
)
async def test_a_header_value_that_is_none_is_refused(value: str) -> None:
    tap = Tap()
    async with tapped(OWN_HEADER, tap) as source:
        assert await attack(source, {"X-Own": value}) is None

    assert tap.heads == []


@pytest.mark.req("ATK-19", "REST-03")
@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=10, max_size=10))
def test_on_the_wire_a_header_is_what_was_given_or_nothing(values: list[str]) -> None:
    asyncio.run(_same_header(values))


async def _same_header(values: list[str]) -> None:
    tap = Tap()
    async with tapped(OWN_HEADER, tap) as source:
        for value in values:
            if await attack(source, {"X-Own": value}) is not None:
                assert tap.header("X-Own") == [value]
                assert tap.header("X-Evil") == []


@pytest.mark.req("ATK-20", "REST-03")
@pytest.mark.parametrize("place", ["header", "cookie"])
@pytest.mark.parametrize(
    "name",
    ["Authorization", "authorization", "Host", "Cookie", "Content-Length", "X-Api-Key", "Transfer-Encoding", "Accept"],
)
async def test_no_argument_stands_in_for_a_header_of_the_gateway(name: str, place: str) -> None:
    tap = Tap()
    more: dict[str, Any] = {"auth": Bearer("the-real-one"), "headers": {"X-Api-Key": "the-real-key"}}
    async with tapped(describe("/x", [{"name": name, "in": place}]), tap, **more) as source:
        await attack(source, {name: "evil"})
        await attack(source, {})

    for head in tap.heads:
        assert "Authorization: Bearer the-real-one" in head
        assert "X-Api-Key: the-real-key" in head
        assert "evil" not in head or place == "cookie"
    assert tap.header("Authorization") == ["Bearer the-real-one"]
    assert len(tap.header("Host")) == len(tap.header("X-Api-Key")) == 1


@pytest.mark.req("ATK-20", "ATK-21")
@pytest.mark.parametrize("value", ["b; key=evil", "b, key=evil", 'b"; key="evil', "b\r\nX: 1", "b;key=evil", "b\x00"])
async def test_a_cookie_smuggles_no_other_one(value: str) -> None:
    tap = Tap()
    auth = ApiKey("the-real-key", "key", where="cookie")
    async with tapped(describe("/x", [{"name": "sid", "in": "cookie"}]), tap, auth=auth) as source:
        await attack(source, {"sid": value})
    for header in tap.header("Cookie") if tap.heads else []:
        pairs = [pair.partition("=") for pair in header.split(";")]

        assert [name.strip() for name, _, _ in pairs] == ["sid", "key"]
        assert pairs[1][2] == "the-real-key"


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.req("ATK-22")
@pytest.mark.parametrize(
    "arguments",
    [
        {"a": 1, "b": 2},
        {"a": "x" * 50_000_000},
        {"a": deep(10_000)},
        {"__proto__": {}},
        {f"k{n}": n for n in range(50_000)},
    ],
    ids=["surplus", "50 MB", "deep", "proto", "flood"],
)
async def test_a_body_that_is_none_of_the_tool_never_leaves(arguments: dict[str, Any]) -> None:
    tap = Tap()
    async with tapped(describe("/x", [], JSON_BODY), tap) as source:
        await attack(source, {"a": 1})  # the schema is compiled
        began = time.perf_counter()
        refused = await attack(source, arguments)
        took = time.perf_counter() - began

    assert refused is None
    assert len(tap.heads) == 1
    assert took < 1  # 0.1 on a machine of its own


@pytest.mark.req("ATK-23")
@pytest.mark.parametrize("name", ['"\r\nContent-Disposition: form-data; name="admin', "../../x", "a\0b", "é", "C:\\x"])
async def test_a_multipart_name_ends_no_part(name: str, tmp_path: Path) -> None:
    tap, secret = Tap(), tmp_path / "secret.txt"
    secret.write_text("canary-of-the-host")
    schema = {"type": "object", "properties": {"note": {}, name: {"type": "string"}}}
    async with tapped(describe("/x", [], {"multipart/form-data": {"schema": schema}}), tap) as source:
        tool = await source.get_tool("attack", ANYONE)
        arguments = dict.fromkeys(tool.input_schema["properties"], str(secret))
        await attack(source, arguments)
    assert len(tap.bodies) == 1
    for body in tap.bodies:
        boundary = body.partition(b"\r\n")[0]

        assert len(body.split(boundary)) == len(arguments) + 2
        assert body.count(b"\r\nContent-Disposition:") == len(arguments)
        assert b"canary-of-the-host" not in body


@pytest.mark.req("ATK-24")
@pytest.mark.parametrize(
    "value", [MASK, "${SECRET}", "${env:HOME}", "secret://vault/key", "{{token}}", "$(id)", "file:///etc/passwd"]
)
async def test_a_placeholder_is_sent_as_it_is(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "canary-of-the-host")
    tap = Tap()
    async with tapped(describe("/x", [{"name": "q", "in": "query"}], JSON_BODY), tap, auth=Bearer("t")) as source:
        await attack(source, {"q": value, "a": value})

    assert parse_qsl(tap.target.partition("?")[2]) == [("q", value)]
    assert json.loads(tap.bodies[0]) == {"a": value}


@pytest.mark.req("ATK-25")
async def test_what_was_judged_is_what_is_sent() -> None:
    tap = Tap()
    schema: dict[str, Any] = {
        "application/json": {"schema": {"type": "object", "properties": {"Name": {}, "name": {}}}}
    }
    async with tapped(describe("/x", [], schema), tap) as source:
        await attack(source, json.loads('{"name": "first", "name": "last", "Name": "other"}'))

    assert json.loads(tap.bodies[0]) == {"name": "last", "Name": "other"}
