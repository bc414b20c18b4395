"""Large texts mean what small ones do, whichever parser reads them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcpbridge.openapi.limits import Deadline, ReadLimits
from mcpbridge.openapi.text import load_text


def loaded(data: bytes) -> Any:
    return load_text(data, ReadLimits(), Deadline(20))


@pytest.mark.req("OAS-01")
@pytest.mark.parametrize("text", ["é", "日本", "👩‍💻" * 30_000, 'a"\\/\n😀', "\u2028", "x" * 65_535 + "ü" * 9])
@pytest.mark.parametrize("escaped", [True, False])
def test_a_large_text_means_what_it_says_whatever_its_characters(text: str, escaped: bool) -> None:
    value = {"pad": "x" * 1_100_000, "text": text, text[:9]: [1, 2.5, None]}
    assert loaded(json.dumps(value, ensure_ascii=escaped).encode()) == value


def test_a_large_text_keeps_the_rules_of_small_ones() -> None:
    data = b'{"pad": "' + b"x" * 1_100_000 + b'", "huge": 1e999, "lone": "\\ud800", "wide": "\xc3\xa9"}'
    assert {key: value for key, value in loaded(data).items() if key != "pad"} == {
        "huge": "1e999",
        "lone": "\ufffd",
        "wide": "é",
    }
