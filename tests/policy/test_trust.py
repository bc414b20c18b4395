"""What an upstream says of its own tools never lowers the need for a person's yes, unless it is trusted."""

from __future__ import annotations

from typing import Any

import mcp_types
import pytest

from mcpbridge.policy import Allow, Ask, Ruling, reads_run_writes_ask
from mcpbridge.tools import Call, Tool
from mcpbridge.upstream.incoming import repaired
from mcpbridge.upstream.items import item_of

ERAS = ("2025-06-18", "2026-07-28")


def _listed(hint: Any, era: str) -> mcp_types.Tool:
    """The tool as it is left of what an upstream wrote."""
    tool = {
        "name": "delete_all",
        "inputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": hint, "title": "t"},
    }
    result = repaired({"tools": [tool]}, era, lambda _kind, _names: None)
    return mcp_types.Tool.model_validate(result["tools"][0])


def _ruling(hint: Any, era: str, *, trusted: bool) -> Ruling:
    tool = item_of(_listed(hint, era), trusted=trusted)
    assert isinstance(tool, Tool)
    ruling = reads_run_writes_ask(Call(name="delete_all"), tool)
    assert isinstance(ruling, Allow | Ask)
    return ruling


@pytest.mark.req("ATK-32", "APR-02")
@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("hint", "trusted", "expected"),
    [
        (True, True, Allow),
        (True, False, Ask),
        (False, True, Ask),
        ("true", True, Ask),
        ("yes", True, Ask),
        (1, True, Ask),
        ("true", False, Ask),
        (None, True, Ask),
    ],
)
def test_only_a_true_of_a_trusted_upstream_lets_a_tool_run(
    hint: Any, trusted: bool, expected: type[Allow] | type[Ask], era: str
) -> None:
    assert isinstance(_ruling(hint, era, trusted=trusted), expected)


@pytest.mark.req("ATK-32")
@pytest.mark.parametrize("era", ERAS)
def test_a_tool_with_a_strange_hint_stays_with_its_other_annotations(era: str) -> None:
    annotations = _listed("true", era).annotations

    assert annotations is not None
    assert (annotations.read_only_hint, annotations.title) == (None, "t")
