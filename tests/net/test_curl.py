"""The command line, part by part."""

from __future__ import annotations

import shlex

import httpx2

from mcpbridge.net.curl import as_curl


def test_a_request_is_told_as_a_command_that_a_shell_reads_back() -> None:
    request = httpx2.Request("POST", "https://api.example/a?b=c&d='e'", json={"text": "it's"})

    words = shlex.split(as_curl(request, {}).replace("\\\n", ""))

    assert words[:4] == ["curl", "-X", "POST", str(request.url)]
    assert words[-2:] == ["--data-binary", '{"text":"it\'s"}']
    assert "Content-Type: application/json" in words or "content-type: application/json" in words


def test_a_secret_header_is_masked_and_a_variable_is_left_to_the_shell() -> None:
    request = httpx2.Request(
        "GET", "https://api.example/", headers={"X-Key": "s3cret", "Authorization": "Bearer s3cret"}
    )

    shown = as_curl(request, {"x-key": "********", "authorization": 'Bearer "$x" ${TOKEN}'})

    assert "s3cret" not in shown
    assert '"authorization: Bearer \\"\\$x\\" ${TOKEN}"' in shown


def test_a_password_in_the_address_is_masked() -> None:
    assert "s3cret" not in as_curl(httpx2.Request("GET", "https://me:s3cret@api.example/"), {})


def test_bytes_that_are_no_text_are_told_by_their_length() -> None:
    assert "3 bytes" in as_curl(httpx2.Request("PUT", "https://api.example/", content=b"\xff\xfe\x00"), {})
