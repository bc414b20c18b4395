from __future__ import annotations

import time

import pytest

from mcpbridge.openapi.closest import closest


@pytest.mark.parametrize(
    ("name", "meant"), [("titel", "title"), ("stat", "state"), ("xyz", None), ("", None), ("x" * 99, None)]
)
def test_the_nearest_name_is_found(name: str, meant: str | None) -> None:
    assert closest(name, ["title", "state", "count", "x" * 99]) == meant


def test_many_alike_names_take_no_time() -> None:
    began = time.thread_time()

    assert closest("h" * 63 + "x", ["h" * 63 + str(number) for number in range(100_000)])
    assert time.thread_time() - began < 2  # milliseconds; tracing for coverage slows it
