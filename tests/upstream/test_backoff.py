"""When a lost connection is opened again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.errors import ConfigError
from mcpbridge.upstream.backoff import Backoff


def test_nothing_is_waited_for_before_the_first_connection() -> None:
    assert Backoff().wait([], 100.0, opened=False, chance=1.0) == 0


@pytest.mark.parametrize("chance", [0.0, 0.25, 1.0])
def test_after_one_that_was_open_the_wait_is_short_and_different_for_each(chance: float) -> None:
    assert Backoff(first=2.0).wait([100.0], 130.0, opened=True, chance=chance) == 2.0 * chance


def test_the_wait_doubles_and_ends_at_the_most() -> None:
    backoff = Backoff(first=1.0, most=8.0, restarts=99)
    waits = [backoff.wait([0.0] * count, 0.0, opened=False, chance=0.0) for count in range(1, 8)]
    assert waits == [0.5, 1, 2, 4, 8, 8, 8]


@pytest.mark.req("FLT-10")
def test_what_was_started_too_often_waits_until_it_may_be_started_again() -> None:
    backoff = Backoff(first=0.1, most=0.1, restarts=2, window=60.0)
    assert backoff.wait([10.0, 20.0, 30.0], 31.0, opened=True, chance=0.0) == 10.0 + 60.0 - 31.0


@pytest.mark.req("FLT-10")
@given(st.lists(st.floats(0, 1), min_size=20, max_size=20), st.booleans())
def test_there_are_never_more_restarts_in_a_minute_than_allowed(chances: list[float], opened: bool) -> None:
    backoff, now, begun = Backoff(), 0.0, [0.0]
    for chance in chances:
        now += backoff.wait(begun, now, opened=opened, chance=chance)
        begun.append(now)
    for at in begun:
        assert sum(at <= other < at + backoff.window - 1e-6 for other in begun) <= backoff.restarts + 1


def test_numbers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="first=0"):
        Backoff(first=0)
