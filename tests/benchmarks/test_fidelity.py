"""The verdict on conversion misses a goal where the harness found something wrong."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.fidelity import verdict

GOOD: dict[str, Any] = {
    "spec": "a", "convert": "ok", "ops": 2, "tools": 2, "annotated": 2, "names": {"n": 2, "llm_ok": 2}, "schema": {},
    "coverage": {"constraints": 3, "constraints_kept": 3}, "fidelity": {"tried": 6, "right": 6},
    "spec_driven": {"whole_tried": 2, "whole_right": 1, "refused_traversal": 1},
}  # fmt: skip


def missed(**changed: Any) -> list[str]:
    return [row.measure for row in verdict([{**GOOD, **changed}], {"f": "right"}) if row.verdict == "MISSED"]


def test_a_good_report_reaches_every_goal() -> None:
    assert missed() == []


@pytest.mark.parametrize(
    ("changed", "measure"),
    [
        ({"convert": "exception", "error": "E"}, "descriptions converted without exception"),
        ({"harness_error": "E"}, "descriptions converted without exception"),
        ({"tools": 1, "annotated": 1}, "operations that became tools"),
        ({"annotated": 1}, "tools with annotations"),
        ({"names": {"n": 2, "llm_ok": 2, "dup": 1}}, "tool names that are illegal or double"),
        ({"schema": {"inputSchema.bad": 1}}, "input schemas that are invalid or not self-contained"),
        ({"fidelity": {"tried": 600, "right": 598, "lenient": 2}}, "requests strictly right"),
        ({"fidelity": {"tried": 6, "right": 6, "ungenerable": 1}}, "requests that could not be tried"),
        ({"spec_driven": {"whole_tried": 2, "whole_right": 1}}, "whole requests"),
        ({"coverage": {"constraints": 3, "constraints_kept": 2}}, "constraints kept"),
        (
            {"coverage": {"constraints": 3, "constraints_kept": 3, "params": 100, "params_missing": 1}},
            "parameters without an argument",
        ),
    ],
)
def test_whatever_is_wrong_is_a_goal_missed(changed: dict[str, Any], measure: str) -> None:
    assert missed(**changed) == [measure]


def test_a_few_parameters_without_an_argument_are_explained_and_never_reached() -> None:
    coverage = {"constraints": 3, "constraints_kept": 3, "params": 1000, "params_missing": 5}
    verdicts = {row.measure: row.verdict for row in verdict([{**GOOD, "coverage": coverage}])}
    assert verdicts["parameters without an argument"] == "explained"


def test_no_description_at_all_is_no_success() -> None:
    assert not any(row.reached for row in verdict([], {}) if row.goal == "all")
