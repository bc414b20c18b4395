"""Which changes of a record ask less of people."""

from __future__ import annotations

from typing import Any

import pytest

from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.relaxed import relaxed


def record(approval: dict[str, str] | None = None, *, access: str | None = None, **fields: Any) -> Integration:
    operation = {"name": "drop", "method": "DELETE", "path": "/x", **({"access": access} if access else {})}
    where = {"base_url": "https://api.example", "operations": [operation]}
    return Integration(name="api", protocol="rest", tools={"approval": approval or {}}, **where, **fields)


@pytest.mark.req("APR-01")
@pytest.mark.parametrize("old", ["ask", "default", "auto", None])
@pytest.mark.parametrize("new", ["ask", "default", "auto", None])
def test_a_mode_that_asks_less_is_told(old: str | None, new: str | None) -> None:
    before, after = ({"drop": mode} if mode else {} for mode in (old, new))
    order = ["ask", "default", "auto"]
    eased = order.index(new or "default") > order.index(old or "default")

    assert [*relaxed(record(before), record(after))] == (["tools.approval.drop"] if eased else [])


@pytest.mark.req("APR-02")
def test_trust_is_told_when_it_is_given() -> None:
    assert relaxed(record(), record(trusted=True)) == ["trusted"]
    assert relaxed(record(trusted=True), record(trusted=True)) == []
    assert relaxed(record(trusted=True), record()) == []


@pytest.mark.req("APR-01")
def test_a_write_that_is_said_to_read_is_told() -> None:
    assert relaxed(record(), record(access="read")) == ["operations.drop.access"]
    assert relaxed(record(access="read"), record(access="read")) == []
    assert relaxed(record(), record(access="write")) == []


@pytest.mark.req("APR-01")
def test_a_new_record_is_compared_with_the_defaults() -> None:
    assert relaxed(None, record()) == []
    assert relaxed(None, record({"drop": "auto", "look": "ask"}, trusted=True)) == ["trusted", "tools.approval.drop"]
