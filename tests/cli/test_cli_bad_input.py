"""Whatever is wrong with what a person gave: one line that helps, a code that is not 0, no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from commands import Command, Ended

HEAD = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\n"
GET = "{get: {operationId: %s, responses: {'200': {description: x}}}}"
ONE = HEAD + "servers: [{url: 'http://127.0.0.1:9'}]\npaths:\n  /a: " + GET % "a" + "\n"
LOST = HEAD + "paths:\n  /a: " + GET % "a" + "\n  /b: {get: {operationId: b, parameters: [{$ref: '#/x'}]}}\n"

Api = Callable[..., str]


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, kind, body = PAGES.get(self.path, (404, "text/plain", b"nothing here"))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


PAGES = {"/a": (500, "text/html", b"<html><h1>Internal Server Error</h1></html>")}


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _check_one_line(ended: Ended, code: int, *words: str) -> None:
    assert (ended.code, ended.out) == (code, ""), ended
    assert ended.err.startswith("mcpbridge: "), ended
    assert ended.err.count("\n") == 1, ended.err
    assert "Traceback" not in ended.err
    assert [word for word in words if word not in ended.err] == [], ended.err


@pytest.mark.parametrize("what", [["tools"], ["serve"], ["call", "TOOL"]], ids=lambda what: what[0])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("api.yaml", "empty")),
        ('{"openapi": "3.1.0", "paths": {"/a', ("api.yaml", "line 1")),
        ("openapi: 3.1.0\npaths: {", ("api.yaml", "line")),
        ("<html><body>Sign in</body></html>", ("api.yaml",)),
        ("openapi: 4.2.0\npaths: {}", ("api.yaml", "4.2.0")),
        ("just: some\nyaml: file", ("api.yaml", "openapi")),
        ("\x00\x01\x02", ("api.yaml",)),
    ],
    ids=["empty", "truncated JSON", "truncated YAML", "HTML", "unknown version", "other YAML", "bytes"],
)
def test_a_description_that_can_not_be_read(
    command: Command, api: Api, what: list[str], text: str, words: tuple[str, ...]
) -> None:
    _check_one_line(command(what[0], api(text), *what[1:]), 1, *words)


def test_a_file_that_is_not_there(command: Command) -> None:
    _check_one_line(command("tools", "/nowhere/api.json"), 2, "there is no file")


def test_a_reference_to_nothing_leaves_out_its_operation_alone(command: Command, api: Api) -> None:
    ended = command("tools", api(LOST), "--json")

    assert "a" in [tool["name"] for tool in json.loads(ended.out)]
    assert "#/x" in ended.err


def test_an_operation_without_responses_is_still_a_tool(command: Command, api: Api) -> None:
    ended = command("tools", api(HEAD + "paths: {/a: {get: {operationId: a}}}"), "--json")

    assert [tool["name"] for tool in json.loads(ended.out)] == ["a"]


@pytest.mark.parametrize("text", ["{", "[]", "7", "{'a': 1}"])
def test_arguments_that_are_no_object(command: Command, api: Api, text: str) -> None:
    _check_one_line(command("call", api(ONE), "a", "--args", text), 2, "--args")


def test_an_unknown_tool(command: Command, api: Api) -> None:
    _check_one_line(command("call", api(ONE), "b"), 2, "there is no tool 'b'")


def test_a_description_that_does_not_say_where_the_api_is(command: Command, api: Api) -> None:
    text = HEAD + "paths: {/a: {get: {operationId: a, responses: {}}}}"

    _check_one_line(command("call", api(text), "a"), 2, "--base-url")


def test_a_refused_connection(command: Command, api: Api) -> None:
    _check_one_line(command("call", api(ONE), "a"), 1, "127.0.0.1")


def test_a_404_and_a_500_with_html(command: Command, api: Api, upstream: str) -> None:
    path = api(ONE.replace("/a:", "/b:"))

    _check_one_line(command("call", path, "a", "--base-url", upstream), 1, "404")
    _check_one_line(command("call", api(ONE), "a", "--base-url", upstream), 1, "500")


@pytest.mark.parametrize("target", ["http://127.0.0.1:9/mcp", "stdio:/nowhere/command", "stdio:false"])
def test_an_mcp_server_that_is_not_there(command: Command, target: str) -> None:
    _check_one_line(command("tools", target), 1)


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "API", "--http", "8000x"],
        ["serve", "API", "--http", "0.0.0.0:8000"],
        ["serve", "API", "--http", "127.0.0.1:8000", "--stdio"],
        ["serve", "API", "--name", "Not A Slug"],
        ["serve", "stdio:x", "--base-url", "http://127.0.0.1"],
        ["tools", "stdio:x", "--header", "A: b"],
        ["call", "API", "a", "--header", "nothing"],
        ["call", "API", "a", "--header", "A: ${NOT_SET_ANYWHERE}"],
        ["call", "stdio:x", "a", "--dry-run"],
        ["tools", "API", "--select", "verb:GET"],
    ],
    ids=" ".join,
)
def test_options_that_do_not_fit(command: Command, api: Api, words: list[str]) -> None:
    _check_one_line(command(*(api(ONE) if word == "API" else word for word in words)), 2)
