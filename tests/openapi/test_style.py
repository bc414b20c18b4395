from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hand import build, operation, param, problems, target

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).parents[1].joinpath("vectors/styles.json").read_text("utf-8"))


def _wire(vector: dict[str, Any]) -> str | None:
    where, name = vector["where"], vector["name"]
    path = f"/v{{{name}}}/end" if where == "path" else "/things"
    made = operation(path, param(name, where, style=vector["style"], explode=vector["explode"], argument="given"))
    request = build(made, given=vector["value"])
    match where:
        case "path":
            return target(request).removeprefix("/v").removesuffix("/end")
        case "query":
            return request.url.query.decode("ascii")
        case "header":
            return request.headers.get(name)
        case _:
            return request.headers.get("cookie")


@pytest.mark.req("OAS-08")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['where']}-{v['style']}-{v['explode']}-{v['value']}")
def test_a_value_is_written_as_its_style_says(vector: dict[str, Any]) -> None:
    assert _wire(vector) == vector["wire"], vector["rule"]


@pytest.mark.req("OAS-08")
@pytest.mark.parametrize(
    ("where", "media", "value", "wire"),
    [
        ("query", "application/json", {"a": [1, None]}, "p=%7B%22a%22%3A%5B1%2Cnull%5D%7D"),
        ("query", "application/json", "x", "p=%22x%22"),
        ("query", "text/plain", "x y", "p=x%20y"),
        ("header", "application/json", {"a": "é"}, '{"a":"\\u00e9"}'),
        ("cookie", "application/json", {"a": 1}, "p=%7B%22a%22%3A1%7D"),
    ],
)
def test_a_parameter_with_content_is_written_as_that_media_type(where: Any, media: str, value: Any, wire: str) -> None:
    request = build(operation("/things", param("p", where, media=media)), p=value)

    assert wire in (request.url.query.decode(), request.headers.get("p"), request.headers.get("cookie"))


@pytest.mark.req("OAS-08")
def test_a_path_parameter_with_content_is_one_segment() -> None:
    made = operation("/x/{p}", param("p", "path", media="application/json"))

    assert target(build(made, p={"a": "/"})) == "/x/%7B%22a%22%3A%22%2F%22%7D"


@pytest.mark.req("OAS-08")
def test_allow_reserved_keeps_what_neither_ends_nor_splits_the_query() -> None:
    request = build(operation("/things", param("p", allow_reserved=True)), p="a/b?c:d@e&f=g#h+i%20,[j]")

    assert target(request) == "/things?p=a/b?c:d@e%26f=g%23h%2Bi%2520%2C%5Bj%5D"


@pytest.mark.req("OAS-08")
def test_a_reserved_expansion_keeps_its_slashes() -> None:
    made = operation("/files/{+path}/raw", param("path", "path"))

    assert target(build(made, path="a/b c?d#e")) == "/files/a/b%20c%3Fd%23e/raw"


@pytest.mark.req("OAS-08")
@pytest.mark.parametrize(
    ("media", "value", "query"),
    [
        ("application/x-www-form-urlencoded", {"a": "1 2", "b": [1, 2]}, "a=1%202&b=1&b=2"),
        ("application/json", {"a": 1}, "%7B%22a%22%3A1%7D"),
        ("text/plain", "a b", "a%20b"),
    ],
)
def test_a_querystring_parameter_is_the_whole_query(media: str, value: Any, query: str) -> None:
    request = build(operation("/things", param("q", "querystring", media=media)), q=value)

    assert request.url.query.decode() == query


@pytest.mark.req("ATK-18", "REST-03")
@pytest.mark.parametrize("style", ["form", "deepObject"])
@pytest.mark.parametrize("value", ["x&admin=true", "__proto__", "a=b", "a;b", "a\r\nb", "a\0b", " "])
def test_a_query_value_stays_one_parameter_with_exactly_that_value(style: Any, value: str) -> None:
    request = build(operation("/things", param("p", style=style)), p=value)

    assert httpx2.QueryParams(request.url.query).multi_items() == [("p", value)]


@pytest.mark.req("ATK-18")
@pytest.mark.parametrize("name", ["a][b", "a]", "[", "x][__proto__][y"])
def test_a_member_name_with_brackets_is_refused_in_a_deep_object(name: str) -> None:
    assert "brackets" in problems(operation("/things", param("p", style="deepObject")), {"p": {name: 1}})


@pytest.mark.req("ATK-22")
def test_a_deep_object_nested_without_end_is_refused() -> None:
    value: Any = 1
    for _ in range(10_000):
        value = {"a": [value]}

    assert "levels" in problems(operation("/things", param("p", style="deepObject")), {"p": value})


@pytest.mark.req("ATK-18")
def test_members_of_an_exploded_object_never_stand_in_for_another_parameter() -> None:
    made = operation("/things?fixed=1", param("filter"), param("admin"))

    assert "admin" in problems(made, {"filter": {"admin": "true"}})
    assert "fixed" in problems(made, {"filter": {"fixed": "2"}})
    assert "admin" in problems(made, {"filter": {"admin[x]": "true"}})


@pytest.mark.req("ATK-21")
def test_members_of_an_exploded_cookie_never_stand_in_for_another_cookie() -> None:
    made = operation("/things?fixed=1", param("prefs", "cookie"), param("session", "cookie"))

    assert "session" in problems(made, {"prefs": {"session": "evil"}})
    assert build(made, prefs={"fixed": "2"}).headers["cookie"] == "fixed=2"


@pytest.mark.req("ATK-19", "REST-03")
@pytest.mark.parametrize(
    "value", ["v\r\nX-Evil: 1", "a\nb", "a\0b", " lead", "trail ", "\t", "λ", "a\x7fb", ["a,b", "c"]]
)
def test_a_header_value_that_could_be_read_otherwise_is_refused(value: Any) -> None:
    assert "/X-Id" in problems(operation("/things", param("X-Id", "header")), {"X-Id": value})


def test_a_header_takes_latin_letters() -> None:
    request = build(operation("/things", param("X-Id", "header")), **{"X-Id": "é"})

    assert (b"X-Id", b"\xe9") in request.headers.raw


@pytest.mark.req("ATK-21")
@pytest.mark.parametrize("value", ["b; c=d", "a b", 'a"b', "a,b", "a\\b", "é", "a\r\nb"])
def test_an_unencoded_cookie_that_could_be_read_otherwise_is_refused(value: str) -> None:
    assert "cookie" in problems(operation("/things", param("p", "cookie", style="cookie")), {"p": value})


@pytest.mark.req("ATK-21")
@pytest.mark.parametrize("name", ["c; d", "c=d", "c\r\nX-Evil: 1", ""])
def test_an_unencoded_cookie_whose_name_could_be_read_otherwise_is_refused(name: str) -> None:
    assert "name" in problems(operation("/things", param(name, "cookie", style="cookie")), {name: "v"})


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), "\ud800", ["\ud800"], {"a": float("nan")}, 10**5000],
    ids=["nan", "infinity", "surrogate", "surrogate in a list", "nan in an object", "a huge number"],
)
@pytest.mark.parametrize("where", ["query", "path", "header", "cookie"])
def test_what_no_text_can_say_is_a_problem(where: Any, value: Any) -> None:
    made = operation("/x/{p}" if where == "path" else "/x", param("p", where))

    assert "/p:" in problems(made, {"p": value})


def test_a_refusal_never_shows_the_value() -> None:
    made = operation("/things", param("X-Id", "header"))

    assert "hunter2" not in problems(made, {"X-Id": "hunter2\n"})
