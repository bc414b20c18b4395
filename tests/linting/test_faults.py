"""Every planted fault is found, and nothing is found in tools that have none."""

from __future__ import annotations

import random

import pytest
from faults import ABOUT_THE_SET, CLEAN, FAULTS, Wire

from mcpbridge.linting.run import lint
from mcpbridge.linting.table import CODES

pytestmark = pytest.mark.req("TEST-01")


def planted(seed: int) -> list[tuple[str, list[Wire]]]:
    """Sixty faults, at least one of every rule."""
    chosen = {code: [code, tools] for code, tools in FAULTS}
    rest = [fault for fault in FAULTS if chosen[fault[0]][1] is not fault[1]]
    random.Random(seed).shuffle(rest)
    return [*((code, tools) for code, tools in FAULTS if chosen[code][1] is tools), *rest][:60]


@pytest.mark.req("ATK-15")
@pytest.mark.parametrize(("code", "tools"), FAULTS, ids=[f"{code}-{n}" for n, (code, _) in enumerate(FAULTS)])
def test_a_fault_is_found_among_tools_without_one(code: str, tools: list[Wire]) -> None:
    found = {finding.tool for finding in lint([*CLEAN, *tools]) if finding.code == code}

    assert found == {"" if code in ABOUT_THE_SET else tools[-1]["name"]}


@pytest.mark.parametrize("seed", range(3))
def test_of_sixty_faults_planted_at_random_none_is_missed(seed: int) -> None:
    faults = planted(seed)
    missed = [code for code, tools in faults if code not in {finding.code for finding in lint([*tools, *CLEAN])}]

    assert len(faults) == 60
    assert missed == []


def test_tools_without_a_fault_get_no_finding() -> None:
    assert [str(finding) for finding in lint(CLEAN)] == []


def test_every_rule_has_a_planted_fault() -> None:
    assert {*CODES} == {code for code, _ in FAULTS}


def test_a_description_and_all_faults_together_are_survived() -> None:
    tools = [tool for _, faulty in FAULTS for tool in faulty]

    assert {finding.code for finding in lint(tools)} == {code for code, _ in FAULTS}
