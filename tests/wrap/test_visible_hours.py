"""Hours go by the clock on the wall, and their next edge is where the answer changes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.errors import ConfigError
from mcpbridge.wrap.visible_hours import DAYS, Hours, is_open, next_edge

VECTORS = json.loads((Path(__file__).parents[1] / "vectors/hours.json").read_text("utf-8"))["cases"]
ZONES = ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns", "Africa/Cairo", "Asia/Kathmandu")
TIMES = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)]


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.req("VIS-03")
@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_the_vectors(case: dict[str, Any]) -> None:
    hours, at = [Hours(**each) for each in case["hours"]], _at(case["at"])

    assert is_open(hours, at) is case["open"]
    assert next_edge(hours, at) == (None if case["edge"] is None else _at(case["edge"]))


@st.composite
def some_hours(draw: st.DrawFn) -> Hours:
    start, end = draw(st.lists(st.sampled_from(TIMES), min_size=2, max_size=2, unique=True))
    days = draw(st.lists(st.sampled_from(DAYS), min_size=1, unique=True))
    return Hours(zone=draw(st.sampled_from(ZONES)), days=tuple(days), start=start, end=end)


@given(st.lists(some_hours(), min_size=1, max_size=2), st.integers(1_772_000_000, 1_793_500_000), st.floats(0, 1))
def test_the_answer_is_the_same_up_to_the_edge_and_another_one_there(
    hours: list[Hours], at: int, between: float
) -> None:
    edge = next_edge(hours, at)

    if edge is not None:
        assert is_open(hours, edge) is not is_open(hours, at)
        assert is_open(hours, edge - 1) is is_open(hours, at)
        assert is_open(hours, at + (edge - 1 - at) * between) is is_open(hours, at)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"zone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"zone": "../etc/passwd"}, "no time zone"),
        ({"zone": "UTC", "days": ("monday",)}, "monday"),
        ({"zone": "UTC", "days": ()}, "never open"),
        ({"zone": "UTC", "start": "8:00"}, "8:00"),
        ({"zone": "UTC", "end": "24:01"}, "24:01"),
        ({"zone": "UTC", "end": "12:60"}, "12:60"),
        ({"zone": "UTC", "start": "٠٨:00"}, "HH:MM"),
        ({"zone": "UTC", "start": "09:00", "end": "09:00"}, "never open"),
        ({"zone": "UTC", "start": "24:00", "end": "08:00"}, "never open"),
    ],
)
def test_hours_that_can_not_be_are_refused(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        Hours(**given)
