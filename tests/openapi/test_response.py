from __future__ import annotations

import base64
import json
import time
from typing import Any

import httpx2
import mcp_types
import pytest
from hand import operation

from mcpbridge.openapi.response import HTTP_KEY, read_answer, read_response
from mcpbridge.source.answer import error_of

GET = operation("/things/{id}")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def read(status: int, media: str | None, content: bytes, **headers: str) -> mcp_types.CallToolResult:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    sent = named if media is None else {"content-type": media, **named}
    return read_response(GET, httpx2.Response(status, headers=sent, content=content))


def text(result: mcp_types.CallToolResult) -> str:
    block = result.content[0]
    assert isinstance(block, mcp_types.TextContent)
    return block.text


@pytest.mark.req("REST-04")
@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "application/vnd.api+json; charset=utf-8",
        "text/json",
        "text/plain",
        "application/octet-stream",
        None,
    ],
)
@pytest.mark.parametrize("value", [{"id": 1, "name": "é"}, [1, 2], {}, {"n": 2**70}])
def test_json_is_structured_content_and_text(media: str | None, value: Any) -> None:
    result = read(200, media, json.dumps(value).encode())

    assert (result.structured_content, json.loads(text(result)), result.is_error) == (value, value, False)


@pytest.mark.req("REST-04")
@pytest.mark.parametrize("value", [5, "x", True, None])
def test_a_json_scalar_is_structured_content_too(value: Any) -> None:
    result = read(200, "application/json", json.dumps(value).encode())

    assert (result.structured_content, text(result)) == (value, json.dumps(value))


@pytest.mark.req("REST-04")
@pytest.mark.parametrize("media", ["application/x-ndjson", "application/jsonl", "application/json-seq"])
def test_lines_of_json_are_a_list(media: str) -> None:
    assert read(200, media, b'\x1e{"a":1}\n\n{"a":2}\n').structured_content == [{"a": 1}, {"a": 2}]


@pytest.mark.req("REST-04")
@pytest.mark.parametrize("media", ["application/json-seq", "application/geo+json-seq"])
def test_a_record_of_a_json_sequence_may_have_several_lines(media: str) -> None:
    assert read(200, media, b'\x1e{\n "a": 1\n}\n\x1e[2]\n').structured_content == [{"a": 1}, [2]]


@pytest.mark.req("REST-04")
@pytest.mark.parametrize(
    ("stream", "value", "shown"),
    [
        ('data: {"a":1}\n\ndata:[2]\n\n', [{"a": 1}, [2]], '{"a":1}\n[2]'),
        ('data: {"a":1}\r\n\r\n: still here\r\n\r\ndata: {"a":2}', [{"a": 1}, {"a": 2}], '{"a":1}\n{"a":2}'),
        ('event: add\ndata: {"a":\ndata: 1}\nid: 7\nretry: 5\n\n', [{"a": 1}], 'add: {"a":\n1}'),
        ('data: {"a":1}\n\ndata: [DONE]\n\n', [{"a": 1}], '{"a":1}\n[DONE]'),
        ("\ufeffdata: one\n\nevent: end\ndata\n\n", None, "one\nend: "),
        ('data: {"a":1}\rdata: {"a":2}\r\r', None, '{"a":1}\n{"a":2}'),
        (": nothing\n\nevent: only\n\n", None, "the answer is a stream that held no event"),
    ],
)
def test_a_stream_of_events_is_the_data_of_its_events(stream: str, value: Any, shown: str) -> None:
    result = read(200, "text/event-stream; charset=utf-8", stream.encode())

    assert (result.structured_content, text(result), result.is_error) == (value, shown, False)


@pytest.mark.req("REST-04")
@pytest.mark.parametrize(
    ("media", "kind"), [("image/png", mcp_types.ImageContent), ("audio/mpeg; x=y", mcp_types.AudioContent)]
)
def test_pictures_and_sounds_are_content_of_their_kind(media: str, kind: type[object]) -> None:
    (block,) = read(200, media, PNG).content

    assert isinstance(block, mcp_types.ImageContent | mcp_types.AudioContent)
    assert isinstance(block, kind)
    assert (base64.b64decode(block.data), block.mime_type) == (PNG, media.partition(";")[0])


@pytest.mark.req("REST-04")
@pytest.mark.parametrize("media", ["application/pdf", "application/octet-stream", "application/zip", "video/mp4"])
def test_other_bytes_are_an_embedded_resource(media: str) -> None:
    note, block = read(200, media, b"\0\xff").content

    assert isinstance(block, mcp_types.EmbeddedResource)
    assert isinstance(block.resource, mcp_types.BlobResourceContents)
    assert (block.resource.blob, block.resource.mime_type) == ("AP8=", media)
    assert isinstance(note, mcp_types.TextContent)


@pytest.mark.req("REST-04")
@pytest.mark.parametrize(
    ("media", "content", "shown"),
    [
        ("text/plain; charset=iso-8859-1", b"\xe9", "é"),
        ("text/plain; charset=unheard-of", "é".encode(), "é"),
        ("text/plain", "\ufeffé".encode(), "é"),
        ("text/plain", "é".encode("utf-16"), "é"),
        ("text/csv", b"a,b\n", "a,b\n"),
        ("text/plain", b"a\xffb", "a\ufffdb"),
        ("application/yaml", b"a: 1\n", "a: 1\n"),
        ("image/svg+xml", b"<svg/>", "<svg/>"),
        ("application/xml", b"<a/>", "<a/>"),
        ("application/json", b"not json", "not json"),
        ("application/json", b'{"a": NaN}', '{"a": NaN}'),
        ("application/x-ndjson", b"{", "{"),
    ],
)
def test_text_is_read_by_its_charset(media: str, content: bytes, shown: str) -> None:
    result = read(200, media, content)

    assert (text(result), result.structured_content, result.is_error) == (shown, None, False)


@pytest.mark.req("REST-04")
@pytest.mark.parametrize("media", ["text/html", "text/html; charset=utf-8", "application/json"])
def test_an_html_page_is_its_words_and_marked_as_html(media: str) -> None:
    page = b"<!doctype html><title>Sign in</title><script>let x</script><p>Hello &amp;<br> you</p><style>p{}</style>"

    assert text(read(200, media, page)) == "[an HTML page titled 'Sign in', not data; its text:] Hello & you"


def test_a_long_page_is_cut() -> None:
    assert len(text(read(200, "text/html", b"<p>word</p>" * 100_000))) < 2_200


@pytest.mark.req("REST-04")
@pytest.mark.parametrize(
    ("status", "headers", "shown"),
    [
        (201, {"location": "/things/9"}, "201 Created: /things/9"),
        (204, {}, "204 No Content: done, the answer has no content"),
        (200, {"content-type": "application/json"}, "200 OK: done, the answer has no content"),
        (202, {"location": "https://h/jobs/1"}, "202 Accepted: https://h/jobs/1"),
        (299, {}, "299 (no standard status): done, the answer has no content"),
    ],
)
def test_an_empty_answer_is_a_sentence(status: int, headers: dict[str, str], shown: str) -> None:
    assert text(read(status, None, b"", **headers)) == shown


@pytest.mark.req("REST-04")
def test_the_answer_to_head_is_its_headers() -> None:
    response = httpx2.Response(200, headers={"content-length": "5", "etag": '"x"', "server": "s"})

    assert text(read_response(operation(method="HEAD"), response)) == '200 OK; content-length: 5; etag: "x"'


@pytest.mark.req("REST-04")
def test_status_location_link_and_retry_after_are_kept_as_data() -> None:
    result = read(202, "application/json", b"{}", location="/j/1", link='</p2>; rel="next"', retry_after="5", etag="x")

    assert (result.meta or {})[HTTP_KEY] == {
        "status": 202,
        "contentType": "application/json",
        "location": "/j/1",
        "link": '</p2>; rel="next"',
        "retryAfter": "5",
        "etag": "x",
    }


@pytest.mark.req("REST-04")
@pytest.mark.parametrize("depth", [150, 900, 200_000])
def test_deep_json_is_text_only(depth: int) -> None:
    content = b"[" * depth + b"]" * depth
    result = read(200, "application/json", content)

    assert (result.structured_content, text(result)) == (None, content.decode())
    assert result.model_dump_json(by_alias=True)


@pytest.mark.req("ATK-27", "REST-04")
@pytest.mark.parametrize(
    ("media", "content", "value"),
    [
        ("application/json", rb'{"a": "cut \ud83d"}', {"a": "cut \ufffd"}),
        ("application/json", rb'{"\uDE00": ["\ud83d\ude00"]}', {"\ufffd": ["\U0001f600"]}),
        ("application/x-ndjson", b'"\\ud800"\n1', ["\ufffd", 1]),
        ("application/json", b'{"a": 1e999}', None),
        ("application/json", b'{"a": -1e999}', None),
        ("application/json", b'{"a": ' + b"9" * 5000 + b"}", None),
    ],
    ids=["half a pair", "name", "lines", "infinity", "minus infinity", "digits"],
)
def test_what_json_can_not_carry_on_is_mended_or_text(media: str, content: bytes, value: Any) -> None:
    result = read(200, media, content)

    assert result.structured_content == value
    assert json.loads(result.model_dump_json(by_alias=True))


@pytest.mark.req("ATK-27", "REST-05")
def test_an_error_with_half_a_pair_is_a_failure_that_can_be_written() -> None:
    result = read(500, "application/json", rb'{"detail": "cut \ud83d", "\ud800": 1}')

    assert "cut \ufffd" in text(result)
    assert result.model_dump_json(by_alias=True)


@pytest.mark.req("ATK-27")
@pytest.mark.parametrize(
    "charset", ["punycode", "unicode_escape", "raw_unicode_escape", "idna", "rot13", "zlib", "x" * 99]
)
def test_a_charset_that_is_a_codec_of_python_alone_is_not_used(charset: str) -> None:
    content = b"a-" + b"zz9a" * 100_000 + b"\\ud800"
    began = time.thread_time()

    assert text(read(200, f"text/plain; charset={charset}", content)) == content.decode()
    assert time.thread_time() - began < 2  # milliseconds; tracing for coverage slows it


@pytest.mark.req("ATK-27")
@pytest.mark.parametrize(
    "page", ["<![x", "words <![x y", "<![if", "<!--", "<!x", "</", "<?", "&#xd800;", "<a " + "x=" * 9999]
)
def test_no_page_is_too_broken_to_be_read(page: str) -> None:
    assert text(read(200, "text/html", f"words {page * 1000}".encode())).startswith("[an HTML page")


@pytest.mark.req("ATK-27")
@pytest.mark.parametrize("media", ["application/x-ndjson", "text/event-stream"])
def test_many_records_are_read_quickly(media: str) -> None:
    mark = "data: 1\n\n" if media == "text/event-stream" else "1\n"
    began = time.thread_time()
    result = read(200, media, mark.encode() * 100_000)

    assert result.structured_content == [1] * 100_000
    assert time.thread_time() - began < 10  # some 0.1 s; tracing for coverage slows it


@pytest.mark.parametrize("record", ["1, 2", "1], [2", "", "{"])
def test_a_record_that_is_no_json_by_itself_makes_all_of_it_text(record: str) -> None:
    result = read(200, "text/event-stream", f"data: 1\n\ndata: {record}\n\n".encode())

    assert result.structured_content is None


def test_a_redirect_tells_no_more_of_its_place_than_a_line() -> None:
    result = read(302, None, b"", location="https://elsewhere.example.com/" + "x" * 50_000)

    assert len(text(result)) < 1000


def test_bytes_labelled_as_json_are_a_resource() -> None:
    assert isinstance(read(200, "application/json", b"\x89PNG\0\xff").content[1], mcp_types.EmbeddedResource)


@pytest.mark.req("REST-05")
@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (302, "redirected", False),
        (304, "not_modified", False),
        (400, "upstream_status", False),
        (401, "unauthorized", False),
        (403, "forbidden", False),
        (404, "not_found_upstream", False),
        (409, "upstream_status", False),
        (429, "rate_limited", True),
        (500, "upstream_error", True),
        (501, "upstream_error", False),
        (503, "upstream_error", True),
        (599, "upstream_error", False),
    ],
)
def test_what_is_no_success_is_a_failure(status: int, code: str, *, retryable: bool) -> None:
    result = read(status, "text/plain", b"boom", location="http://other/x")
    failure = error_of(result)

    assert failure is not None
    assert (failure.code, failure.status, failure.retryable, failure.sent) == (code, status, retryable, "yes")
    assert failure.hint
    assert "boom" in failure.message
    assert (result.meta or {})[HTTP_KEY]["status"] == status


@pytest.mark.req("REST-05")
@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        ("7", None, 7.0),
        ("0", None, 0.0),
        ("-5", None, None),
        ("86400", None, 86400.0),
        ("soon", None, None),
        ("1e3", None, None),
        ("Wed, 21 Oct 2015 07:28:30 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", None, 20.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after_is_seconds(retry_after: str, date: str | None, seconds: float | None) -> None:
    headers = httpx2.Headers({"retry-after": retry_after} | ({"date": date} if date else {}))
    failure = error_of(read_answer(GET, 429, headers, b"", now=1445412490.0))

    assert failure is not None
    assert failure.retry_after == seconds


@pytest.mark.req("REST-05")
def test_problem_details_and_the_challenge_are_kept() -> None:
    problem = {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "no thing",
        "instance": "/9",
        "x": 1,
    }
    failure = error_of(read(404, "application/problem+json", json.dumps(problem).encode(), www_authenticate="Bearer"))

    assert failure is not None
    assert failure.message == "GET /things/{id} answered 404 Not Found: no thing"
    assert failure.details["problem"] == {name: value for name, value in problem.items() if name != "x"}
    assert failure.details["body"] == problem
    assert failure.details["www_authenticate"] == "Bearer"


@pytest.mark.req("REST-05")
@pytest.mark.parametrize(
    ("media", "content", "said"),
    [
        ("application/json", b'{"message": "bad token"}', "bad token"),
        ("application/json", b'{"error": {"message": "deep"}}', "deep"),
        ("application/json", b'{"errors": [{"detail": "first"}, {"detail": "second"}]}', "first"),
        ("application/json", b'{"error": "invalid_grant", "error_description": "why"}', "why"),
        ("text/html", b"<title>Oops</title><h1>Bad gateway</h1>", "Bad gateway"),
        ("text/plain", b"line one\nline \x1b[31mtwo", "line one line [31mtwo"),
        ("application/json", b"[]", ""),
    ],
)
def test_what_the_error_says_is_in_the_message_in_one_line(media: str, content: bytes, said: str) -> None:
    failure = error_of(read(502, media, content))

    assert failure is not None
    assert failure.message.endswith(said)
    assert failure.message.isprintable()


@pytest.mark.req("REST-05")
def test_a_long_error_is_an_excerpt() -> None:
    result = read(500, "text/plain", b"x" * 1_000_000)

    assert len(result.model_dump_json()) < 15_000


def test_an_error_that_is_a_picture_is_not_shown() -> None:
    failure = error_of(read(500, "image/png", PNG))

    assert failure is not None
    assert "body" not in failure.details
