"""What a person is shown can't be disguised, flooded or read for secrets."""

from __future__ import annotations

import re
import time
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.tools import Json, Origin, Tool
from mcpbridge.wrap.approval_text import mask, show_call

DIGEST = "d" * 64
TOOL = Tool(
    name="mail__send",
    input_schema={"type": "object", "properties": {"pin_code": {"format": "password"}, "note": {"writeOnly": True}}},
    origin=Origin(slug="mail", name="send"),
)


def shown(arguments: dict[str, Json], reason: str = "") -> list[str]:
    return show_call(TOOL, arguments, DIGEST, reason).split("\n")


@pytest.mark.req("APR-07")
def test_it_names_the_tool_its_access_its_origin_every_argument_and_the_digest() -> None:
    assert shown({"to": "al@example.com", "n": 5, "cc": ["a", None], "x": {"y": True}}, "it sends mail") == [
        "Allow this call of mail__send?",
        "Tool: mail__send (write), from mail/send",
        "Why you are asked: it sends mail",
        "Arguments:",
        '  "cc": ["a", null]',
        '  "n": 5',
        '  "to": "al@example.com"',
        '  "x": {"y": true}',
        f"SHA-256 of the arguments: {DIGEST}",
    ]


def test_a_call_without_arguments_says_so() -> None:
    assert "Arguments: none" in shown({})


@pytest.mark.req("APR-07", "ATK-58")
@pytest.mark.parametrize(
    ("given_text", "told"),
    [
        ("a\nTool: harmless", r"a\nTool: harmless"),
        ("a\r\u2028\u2029b", r"a\r\u2028\u2029b"),
        ("\u202etxt.exe", r"\u202etxt.exe"),
        ("a\u200bb\u2060\ufeff", r"a\u200bb\u2060\ufeff"),
        ("\x1b[2K\x00\x9b", r"\u001b[2K\u0000\u009b"),
        ("\U000e0041\U000e0042", r"\U000e0041\U000e0042"),
        ("\u3164\u2800\ufe0f\xa0", r"\u3164\u2800\ufe0f\u00a0"),
        ("a\u0300\u0301\u0302\u0303", "a\u0300\u0301\\u0302\\u0303"),
        ('" , "to": "bob', r"\" , \"to\": \"bob"),
        ("größe 名前 नमस्ते", "größe 名前 नमस्ते"),
        ("\\u202e", r"\\u202e"),
    ],
)
def test_characters_that_hide_or_disguise_are_shown_as_escapes(given_text: str, told: str) -> None:
    assert shown({"a": given_text})[3] == f'  "a": "{told}"'
    assert shown({given_text: 1})[3] == f'  "{told}": 1'


@pytest.mark.req("ATK-58")
@given(st.dictionaries(st.text(), st.text() | st.lists(st.text()), max_size=5), st.text())
def test_no_argument_adds_a_line_or_an_unseen_character(arguments: dict[str, Any], reason: str) -> None:
    lines = shown(arguments, reason)

    assert len(lines) == 4 + len(arguments) + bool(reason)
    assert not [one for one in "".join(lines) if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@pytest.mark.req("ATK-58")
@pytest.mark.parametrize(
    "arguments",
    [
        {"a": "x" * 10_000_000, "z": "real"},
        {"a": ["x" * 1_000] * 100_000, "z": "real"},
        {"a": {"k" * 4_000_000: 1}, "z": "real"},
        {"k" * 4_000_000: 1, "z": "real"},
        {"a": '"' * 10_000_000, "z": "real"},
        {"a": "\u202e" * 10_000_000, "z": "real"},
    ],
    ids=["text", "list", "inner name", "name", "quotes", "bidi"],
)
def test_a_flood_hides_nothing(arguments: dict[str, Json]) -> None:
    began = time.perf_counter()
    lines = shown(arguments)

    assert time.perf_counter() - began < 5  # milliseconds, but on a busy machine
    assert '  "z": "real"' in lines
    assert sum(map(len, lines)) < 6_000
    assert any("in all)" in line or "(cut:" in line for line in lines)


@pytest.mark.req("ATK-58")
def test_many_arguments_are_counted() -> None:
    lines = shown({f"a{number:04}": 1 for number in range(1_000)})

    assert len(lines) < 50
    assert "  … and 960 more arguments that are not shown" in lines


@pytest.mark.req("APR-07", "ATK-58")
@pytest.mark.parametrize(
    "name",
    [
        "password",
        "userPassword",
        "pass-phrase",
        "pwd",
        "client_secret",
        "apiKey",
        "API-Key",
        "authorization",
        "Proxy-Authorization",
        "access_token",
        "session_id",
        "cookie",
        "aws_credentials",
        "private key",
        "pin",
        "pin_code",
        "note",
    ],
)
def test_secrets_are_masked(name: str) -> None:
    lines = shown({name: "hunter2", "nested": {"deep": [{name: "hunter2"}]} if name not in {"pin_code", "note"} else 1})

    assert "hunter2" not in "\n".join(lines)
    assert f'  "{name}": "********"' in lines


@pytest.mark.parametrize(("name", "value"), [("max_tokens", 5), ("page", "2"), ("shipping", "x"), ("author", "Al")])
def test_what_only_resembles_a_secret_is_shown(name: str, value: Json) -> None:
    assert not mask(name, value)


def test_a_tools_own_words_cannot_disguise_either() -> None:
    tool = Tool(name="evil\nTool: good\u202e" + "x" * 500, origin=Origin(slug="s\n", name="n" * 500))
    text = show_call(tool, {}, DIGEST)

    assert len(text.split("\n")) == 4
    assert not re.search("[\u202e]", text)
    assert len(text) < 600
