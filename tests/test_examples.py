"""Every example runs as it stands, and stays short."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))

SAID: Mapping[str, tuple[str, ...]] = {
    "two_apis.py": ("16 tools: north__", "Pride and Prejudice"),
    "fastapi_app.py": ("get_forecast - read", "'city': 'Kyiv'"),
    "integration_life.py": ("{'set': True", "revision 2 Bearer(", "disabled: disabled", "rewrapped=1, left=0", "left: []"),
    "agent_loop.py": ("asked: place_order", "place_order: {'number': 1", "place_order: approval_denied"),
}
"""What each example has to print; an example without words here has no test."""


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES} == SAID.keys()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_says_what_it_should(path: Path) -> None:
    command = [sys.executable, "-W", "error", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    assert [words for words in SAID[path.name] if words not in done.stdout] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_has_under_forty_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) < 40
