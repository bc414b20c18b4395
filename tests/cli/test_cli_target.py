"""The command line, part by part."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mcpbridge import ConfigError, UpstreamError
from mcpbridge.cli.target import Child, Configured, Described, Remote, read_configured, read_target

PAGES = {"/docs": (200, b'{"openapi": "3.1.0"}'), "/page": (200, b"<html>"), "/error.json": (500, b"<html>")}


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = PAGES.get(self.path, (404, b""))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_command_is_split_into_words_without_a_shell() -> None:
    assert read_target("stdio:python -m 'a b; rm x'") == Child(command=["python", "-m", "a b; rm x"])


@pytest.mark.parametrize("text", ["https://mcp.example/mcp", "https://mcp.example/a/sse/"])
def test_a_url_that_ends_as_mcp_does_is_a_server(text: str) -> None:
    assert read_target(text) == Remote(url=text)


def test_a_url_that_answers_with_a_description_is_one(site: str) -> None:
    target = read_target(f"{site}/docs")

    assert isinstance(target, Described)
    assert (target.data, target.url) == (b'{"openapi": "3.1.0"}', f"{site}/docs")


@pytest.mark.parametrize("path", ["/page", "/nothing"])
def test_a_url_that_answers_with_anything_else_is_a_server(site: str, path: str) -> None:
    assert read_target(site + path) == Remote(url=site + path)


@pytest.mark.parametrize("path", ["/error.json", "/nothing.yaml"])
def test_a_description_that_is_not_given_is_a_failure_with_its_status(site: str, path: str) -> None:
    with pytest.raises(UpstreamError, match=r"answered (500|404)"):
        read_target(site + path)


def test_an_address_that_refuses_is_a_failure() -> None:
    with pytest.raises(UpstreamError, match="can't be reached"):
        read_target("http://127.0.0.1:9/api.json")


def test_a_file_is_a_description(tmp_path: Path) -> None:
    path = tmp_path / "api.yaml"
    path.write_text("openapi: 3.1.0")

    assert read_target(str(path)) == Described(data=path, name="api.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nowhere.json", "there is no file 'nowhere.json'"),
        (".", "is a folder"),
        ("ftp://example/api.json", "no address that can be used"),
        ("http:///mcp", "has no host"),
        ("stdio:", "needs a command"),
        ("stdio:'open", "can't be split"),
    ],
)
def test_what_is_no_target_is_told_in_words(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_target(text)


@pytest.mark.req("GW-10")
@pytest.mark.parametrize(
    "text",
    [
        "vault: {}\nintegrations:\n  - name: github\n    openapi: x.json\n",
        '{"integrations": []}',
        "apiVersion: v1\nkind: MCPServer\n",
        '{"kind": "MCPServer"}',
    ],
)
def test_a_configuration_file_is_known_by_what_it_says(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(text)

    assert read_target(str(path)) == read_configured(str(path)) == Configured(path=path)


def test_what_is_no_configuration_file_is_told_apart(tmp_path: Path) -> None:
    assert [read_configured(text) for text in ("stdio:x", "https://a.example", str(tmp_path), "none.yaml")] == [
        None
    ] * 4
