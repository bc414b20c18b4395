"""The command line, part by part."""

from __future__ import annotations

import pytest

from mcpbridge import ConfigError, Operation, Tool
from mcpbridge.cli.select import closest, read_selection

GET = Operation(name="list_books", method="get", path="/books/{isbn}", access="read", tags=("books",))


@pytest.mark.parametrize(
    "texts",
    [["list_*"], ["name:x", "name:list_books"], ["tag:books", "method:get"], ["path:/books/*", "access:read"], []],
)
def test_an_operation_fits_when_every_key_has_a_pattern_that_fits(texts: list[str]) -> None:
    assert read_selection(texts, described=True).operation(GET)


@pytest.mark.parametrize("texts", [["add_*"], ["tag:orders"], ["tag:books", "method:post"], ["access:write"]])
def test_an_operation_that_does_not_fit_is_left_out(texts: list[str]) -> None:
    assert not read_selection(texts, described=True).operation(GET)


def test_a_tool_is_selected_by_name_and_access() -> None:
    selection = read_selection(["name:get_*", "access:read"], described=False)

    assert selection.tool(Tool(name="get_time", access="read"))
    assert not selection.tool(Tool(name="get_time"))


def test_an_unknown_key_and_one_that_the_target_lacks_are_refused() -> None:
    with pytest.raises(ConfigError, match="no key 'verb'"):
        read_selection(["verb:GET"], described=True)
    with pytest.raises(ConfigError, match="have no tag"):
        read_selection(["tag:books"], described=False)


def test_the_closest_names_are_offered() -> None:
    assert closest("list_bokks", ["list_books", "zebra"]) == "; did you mean 'list_books'?"
    assert closest("qqq", ["zebra"]) == ""
