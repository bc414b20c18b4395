"""How an integration is after a call."""

from __future__ import annotations

import pytest

from mcpbridge.errors import Failure
from mcpbridge.gateway.health import after_call
from mcpbridge.tools import State, Status


@pytest.mark.req("INT-04")
@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("auth_required", "auth_required"),
        ("reconnect_required", "reconnect_required"),
        ("login_declined", "connected"),
        ("unreachable", "failed"),
    ],
)
def test_a_login_that_is_missing_or_over_shows_in_the_status(code: str, state: State) -> None:
    failure = Failure(code=code, message="why")
    assert after_call(Status(state="connected"), failure, at=1.0, signed=True).state == state
