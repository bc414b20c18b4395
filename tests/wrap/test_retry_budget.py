"""The budget bounds the extra load, whatever single calls would be allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge.wrap.retry_budget import RetryBudget


def spent(budget: RetryBudget, now: float, wanted: int = 1_000) -> int:
    return sum(budget.spend(now) for _ in range(wanted))


@pytest.mark.req("RES-01")
def test_a_fifth_of_the_calls_may_be_repeated() -> None:
    budget = RetryBudget()
    for _ in range(100):
        budget.count(5.0)

    assert spent(budget, 5.0) == 20


@pytest.mark.req("RES-01")
def test_a_few_repeats_are_always_allowed() -> None:
    assert spent(RetryBudget(least=3), 0.0) == 3


def test_what_is_older_than_the_window_is_forgotten() -> None:
    budget = RetryBudget(least=0)
    for _ in range(100):
        budget.count(0.5)

    assert (spent(budget, 9.9), spent(budget, 10.9)) == (20, 0)


def test_a_budget_that_was_spent_comes_back() -> None:
    budget = RetryBudget(least=3)

    assert (spent(budget, 1.0), spent(budget, 9.0), spent(budget, 11.5)) == (3, 0, 3)


@pytest.mark.req("RES-01")
@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=200))
def test_repeats_never_exceed_their_share_within_a_window(steps: list[tuple[float, bool]]) -> None:
    budget, now = RetryBudget(share=0.2, window=10, least=3), 0.0
    calls, repeats = list[float](), list[float]()
    for pause, repeat in steps:
        now += pause
        if not repeat:
            budget.count(now)
            calls.append(now)
        elif budget.spend(now):
            repeats.append(now)
            recent = [at for at in calls if at > now - 10]

            assert len([at for at in repeats if at > now - 9]) <= max(3, 0.2 * len(recent))
