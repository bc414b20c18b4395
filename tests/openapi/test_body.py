from __future__ import annotations

import json
import re
from email import message_from_bytes
from email.message import Message
from typing import Any, cast
from xml.etree import ElementTree as ET

import httpx2
import pytest
from hand import build, problems, with_body

from mcpbridge.openapi.operation import Encoding

FORM = "application/x-www-form-urlencoded"
MULTI = "multipart/form-data"
MEMBERS = {name: name for name in ("a", "b", "file")}


def whole(media: str, value: Any, **more: Any) -> httpx2.Request:
    return build(with_body(media, **more), body=value)


def parts(request: httpx2.Request) -> list[Message]:
    head = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n"
    return cast("list[Message]", message_from_bytes(head + request.content).get_payload())


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize(
    "value", [{"a": 1}, [1, "é"], "x", 5, 1.5, True, None, {}, [], {"n": {"x": None}}, 2**70, {"o": {"": [None]}}]
)
@pytest.mark.parametrize("media", ["application/json", "application/merge-patch+json", "application/vnd.api+json; v=1"])
def test_json_is_sent_exactly(media: str, value: Any) -> None:
    request = whole(media, value)

    assert (json.loads(request.content), request.headers["content-type"]) == (value, media)


@pytest.mark.req("OAS-09")
def test_members_are_put_under_their_names_and_null_is_kept() -> None:
    request = build(with_body("application/json", members={"name_2": "name", "b": "b"}), name_2=None)

    assert request.content == b'{"name":null}'


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize(("required", "sent"), [(True, b"{}"), (False, b"")])
def test_a_required_body_without_members_is_an_empty_object(required: Any, sent: bytes) -> None:
    request = build(with_body("application/json", members={"a": "a"}, required=required))

    assert request.content == sent
    assert ("content-type" in request.headers) is required


def test_a_required_body_that_is_missing_is_a_problem() -> None:
    assert "/body: expected a value (it is required)" in problems(with_body("application/json", required=True), {})


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize("method", ["GET", "DELETE", "HEAD"])
def test_a_body_is_sent_with_any_method(method: str) -> None:
    request = build(with_body("application/json", method), body={"a": 1})

    assert (request.method, request.content, request.headers["content-length"]) == (method, b'{"a":1}', "7")


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\ud800", {"a": {1, 2}}], ids=["nan", "inf", "half", "set"]
)
def test_what_is_no_json_is_a_problem(value: Any) -> None:
    assert "/body: expected a JSON value" in problems(with_body("application/json"), {"body": value})


def test_json_nested_without_end_is_a_problem() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]

    assert "nested" in problems(with_body("application/json"), {"body": value})


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize(
    ("encoding", "value", "wire"),
    [
        ({}, {"a": "x y&z", "b": [1, True]}, "a=x%20y%26z&b=1&b=true"),
        ({}, {"a": {"k": "v"}}, "a=%7B%22k%22%3A%22v%22%7D"),
        ({}, {"a": None, "b": ""}, "b="),
        ({}, {"a": [{"k": 1}]}, "a=%7B%22k%22%3A1%7D"),
        ({"a": Encoding(media="application/json")}, {"a": [1, 2]}, "a=%5B1%2C2%5D"),
        ({"a": Encoding(style="deepObject")}, {"a": {"k": ["v"]}}, "a%5Bk%5D%5B0%5D=v"),
        ({"a": Encoding(style="form", explode=False)}, {"a": ["x,y", "z"]}, "a=x%2Cy,z"),
        ({"a": Encoding(style="pipeDelimited", explode=False)}, {"a": ["x", "z"]}, "a=x%7Cz"),
        ({"a": Encoding(style="form", allow_reserved=True)}, {"a": "x/y&z"}, "a=x/y%26z"),
        ({}, {}, ""),
    ],
)
def test_a_form_is_written_as_its_encoding_says(encoding: dict[str, Encoding], value: Any, wire: str) -> None:
    request = whole(FORM, value, encoding=encoding)

    assert (request.content.decode(), request.headers["content-type"]) == (wire, FORM)


@pytest.mark.parametrize("media", [FORM, MULTI])
@pytest.mark.parametrize("value", ["x", [1], None, 3])
def test_a_form_that_is_no_object_is_a_problem(media: str, value: Any) -> None:
    assert "/body: expected an object with the form's fields" in problems(with_body(media), {"body": value})


@pytest.mark.req("OAS-09")
def test_a_file_part_is_decoded_and_has_a_name_and_a_type() -> None:
    made = with_body(MULTI, members=MEMBERS, encoding={"file": Encoding(binary="base64", media="image/png")})
    text, file = parts(build(made, a="n é", file="aGVsbG8="))

    assert (text.get_payload(decode=True), text.get_filename()) == ("n é".encode(), None)
    assert (file.get_payload(decode=True), file.get_filename(), file.get_content_type()) == (
        b"hello",
        "file",
        "image/png",
    )


@pytest.mark.req("OAS-09")
def test_a_list_is_several_parts_and_an_object_a_json_part() -> None:
    sent = parts(build(with_body(MULTI, members=MEMBERS), a=["x", 1, {"k": None}], b={"k": "v"}))

    assert [part.get_payload() for part in sent] == ["x", "1", '{"k":null}', '{"k":"v"}']
    assert [part["content-type"] for part in sent] == [None, None, "application/json", "application/json"]


@pytest.mark.req("OAS-09")
def test_files_in_a_list_are_several_file_parts() -> None:
    made = with_body(MULTI, members=MEMBERS, encoding={"file": Encoding(binary="base64")})

    assert [part.get_payload(decode=True) for part in parts(build(made, file=["YQ==", "Yg"]))] == [b"a", b"b"]


@pytest.mark.req("OAS-09")
def test_a_part_carries_its_headers_and_its_text_file_as_it_is() -> None:
    encoding = Encoding(binary="text", media="text/csv", headers={"X-Kind": "rows"})
    (part,) = parts(build(with_body(MULTI, members=MEMBERS, encoding={"file": encoding}), file="a,b\r\n--c--"))

    assert (part["x-kind"], part.get_content_type(), part.get_payload()) == ("rows", "text/csv", "a,b\r\n--c--")


@pytest.mark.req("OAS-09")
def test_a_data_url_names_a_files_type_and_name() -> None:
    made = with_body(MULTI, members=MEMBERS, encoding={"file": Encoding(binary="base64")})
    (part,) = parts(build(made, file="data:image/png;name=my%20cat.png;base64,aGVsbG8="))

    assert (part.get_filename(), part.get_content_type()) == ("my cat.png", "image/png")
    assert part.get_payload(decode=True) == b"hello"


@pytest.mark.req("ATK-23")
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("%22%0D%0AContent-Disposition%3A%20x", "%22Content-Disposition: x"),
        ("a%5Cb.txt", "b.txt"),
        (".htaccess", "htaccess"),
        ("..", "file"),
    ],
)
def test_a_file_name_is_one_safe_name(name: str, shown: str) -> None:
    made = with_body(MULTI, members=MEMBERS, encoding={"file": Encoding(binary="base64")})
    (part,) = parts(build(made, file=f"data:text/plain;name={name};base64,YQ=="))

    assert (part.get_filename(), len(part.items())) == (shown, 2)


@pytest.mark.req("ATK-23")
def test_a_member_name_never_ends_its_part() -> None:
    request = whole(MULTI, {'"\r\nX-Evil: 1\r\n\r\n': "x"})

    assert [(part["x-evil"], part.get_payload()) for part in parts(request)] == [(None, "x")]


@pytest.mark.req("ATK-23")
def test_a_path_as_a_file_is_no_base64_and_is_never_opened() -> None:
    made = with_body(MULTI, members=MEMBERS, encoding={"file": Encoding(binary="base64")})

    assert "/file: expected base64 text" in problems(made, {"file": "./../etc/hostname"})


@pytest.mark.req("REST-03")
def test_a_part_never_carries_a_line_end_into_its_headers() -> None:
    made = with_body(MULTI, members=MEMBERS, encoding={"file": Encoding(binary="base64")})

    assert "/file" in problems(made, {"file": "data:image/png\r\nX-Evil: 1;base64,YQ=="})

    made = with_body(MULTI, members=MEMBERS, encoding={"a": Encoding(headers={"X\r\nEvil": "1"})})

    assert "/a" in problems(made, {"a": "x"})


def test_the_same_arguments_make_the_same_bytes() -> None:
    made = with_body(MULTI, members=MEMBERS)

    assert build(made, a="x").content == build(made, a="x").content


def test_the_boundary_is_no_part_of_any_value() -> None:
    boundary = re.findall("boundary=(.*)", whole(MULTI, {"a": "x"}).headers["content-type"])[0]

    assert [part.get_payload() for part in parts(whole(MULTI, {"a": f"--{boundary}--"}))] == [f"--{boundary}--"]


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize("text", ["-_-_", "+/+/", "+/ +/\n", "aGVsbG8", "aGVsbG8="])
def test_binary_is_read_from_any_base64(text: str) -> None:
    request = whole("application/octet-stream", text, binary="base64")

    assert request.content in (b"\xfb\xff\xbf", b"hello")
    assert request.headers["content-type"] == "application/octet-stream"


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize("value", ["no base64!", "a", 5, {"a": 1}])
def test_what_is_no_base64_is_a_problem(value: Any) -> None:
    made = with_body("application/octet-stream", binary="base64")

    assert "/body: expected base64 text" in problems(made, {"body": value})


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize(
    ("media", "value", "content", "sent_as"),
    [
        ("text/plain", "hé <b>", "hé <b>".encode(), "text/plain; charset=utf-8"),
        ("text/plain; charset=iso-8859-1", "é", b"\xe9", "text/plain; charset=iso-8859-1"),
        ("text/csv", 5, b"5", "text/csv; charset=utf-8"),
        ("application/x-ndjson", [{"a": 1}, 2], b'{"a":1}\n2\n', "application/x-ndjson"),
        ("application/json-seq", [1], b"\x1e1\n", "application/json-seq"),
        ("application/geo+json-seq", [[0], 1], b"\x1e[0]\n\x1e1\n", "application/geo+json-seq"),
        (
            "text/event-stream",
            [{"event": "add", "data": "a\nb", "retry": 5}, {"foo": 42}, "c"],
            b'event: add\nretry: 5\ndata: a\ndata: b\n\ndata: {"foo":42}\n\ndata: c\n\n',
            "text/event-stream",
        ),
        ("text/event-stream", "data: x\n\n", b"data: x\n\n", "text/event-stream"),
        ("application/json-patch+json", [{"op": "remove"}], b'[{"op":"remove"}]', "application/json-patch+json"),
        ("application/yaml", {"a": [1]}, b'{"a":[1]}', "application/yaml"),
        ("application/yaml", "a: 1\n", b"a: 1\n", "application/yaml"),
        ("application/xml", "<a/>", b"<a/>", "application/xml"),
        ("*/*", {"a": 1}, b'{"a":1}', "application/json"),
        ("*/*", "x", b"x", "text/plain; charset=utf-8"),
        ("image/*", "aGVsbG8=", b"hello", "application/octet-stream"),
    ],
)
def test_other_media_are_written_as_such(media: str, value: Any, content: bytes, sent_as: str) -> None:
    request = whole(media, value, binary="base64" if media == "image/*" else None)

    assert (request.content, request.headers["content-type"]) == (content, sent_as)


@pytest.mark.parametrize("field", ["event", "id"])
def test_an_event_carries_no_line_end_into_its_fields(field: str) -> None:
    assert "one line" in problems(with_body("text/event-stream"), {"body": [{field: "x\ndata: evil"}]})


def test_text_that_its_charset_can_not_hold_is_a_problem() -> None:
    assert "charset" in problems(with_body("text/plain; charset=us-ascii"), {"body": "é"})


@pytest.mark.parametrize("media", ["text/plain; charset=punycode", "application/xml; charset=unicode_escape"])
def test_a_charset_that_is_a_codec_of_python_alone_is_a_problem(media: str) -> None:
    assert "charset" in problems(with_body(media), {"body": "é"})


@pytest.mark.req("OAS-09")
def test_xml_is_written_by_member_names() -> None:
    value = {"name": "a<b&c", "tags": ["x", "y"], "inner": {"n": 1, "none": None}}
    root = ET.fromstring(whole("application/xml", value).content)

    assert [child.tag for child in root] == ["name", "tags", "tags", "inner"]
    assert [root.findtext(path) for path in ("name", "inner/n", "inner/none")] == ["a<b&c", "1", ""]


@pytest.mark.parametrize("value", [{"a b": 1}, {"<x>": 1}, {"a": "\0"}, {"1": 2}])
def test_what_xml_can_not_hold_is_a_problem(value: Any) -> None:
    assert "/body:" in problems(with_body("application/xml"), {"body": value})
