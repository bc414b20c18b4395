"""The command line, part by part."""

from __future__ import annotations

import pytest

from mcpbridge import ConfigError
from mcpbridge.cli.headers import read_headers


def test_a_variable_is_filled_in_and_shown_as_it_was_written() -> None:
    (header,) = read_headers(["Authorization: Bearer ${TOKEN}"], {"TOKEN": "s3cret"})

    assert (header.name, header.value.reveal(), header.shown) == ("Authorization", "Bearer s3cret", "Bearer ${TOKEN}")


def test_a_value_without_a_variable_is_masked() -> None:
    (header,) = read_headers(["X-Key: s3cret"], {})

    assert header.shown == "********"
    assert "s3cret" not in repr(header)


@pytest.mark.parametrize("text", ["no colon", ": no name", "two words: x", "Bad\r\nName: x"])
def test_what_is_no_header_is_refused_with_the_form_to_use(text: str) -> None:
    with pytest.raises(ConfigError, match="'Name: value'"):
        read_headers([text], {})


def test_an_unknown_variable_is_named() -> None:
    with pytest.raises(ConfigError, match=r"uses \$\{TOKEN\}, which the environment does not have"):
        read_headers(["A: ${TOKEN}"], {})


def test_a_line_break_in_a_variable_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError, match="CR, LF or NUL") as caught:
        read_headers(["A: ${TOKEN}"], {"TOKEN": "s3cret\r\nEvil: 1"})

    assert "s3cret" not in str(caught.value)
