"""Errors say whose fault it is, and failures travel as one value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpbridge import errors
from mcpbridge.errors import (
    ArgumentProblem,
    AuthRequired,
    BridgeError,
    ConfigError,
    DescriptionError,
    Failure,
    InvalidArguments,
    ToolNotFound,
    UpstreamError,
)


def test_every_error_is_a_bridge_error_with_a_code_of_its_own() -> None:
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, BridgeError)]

    assert len(classes) == 9
    assert len({kind.code for kind in classes}) == len(classes)


def test_a_description_error_tells_the_place() -> None:
    assert str(DescriptionError("no", pointer="/paths", line=3)) == "no (at '/paths', line 3)"
    assert str(DescriptionError("no")) == "no"


def test_a_problem_is_one_line_that_helps() -> None:
    problem = ArgumentProblem(path="/a", expected="text", got="null", allowed=("x", 1), example="x")

    assert problem.line() == "/a: expected text, got null; allowed: 'x', 1; for example 'x'"
    assert problem.to_json() == {"path": "/a", "expected": "text", "got": "null", "allowed": ["x", 1], "example": "x"}


def test_invalid_arguments_name_the_tool_and_every_problem() -> None:
    problems = [ArgumentProblem(path=path, expected="text", got="null") for path in ("", "/b")]

    assert str(InvalidArguments(problems, tool="t")) == (
        "invalid arguments of 't': arguments: expected text, got null; /b: expected text, got null"
    )


def test_unknown_and_hidden_get_the_same_words() -> None:
    assert str(ToolNotFound("x", "prompt")) == "unknown prompt 'x': list the prompts to see which ones there are"


def test_attributes_carry_the_facts() -> None:
    failure = Failure(code="timeout", message="late")

    assert UpstreamError(failure).failure is failure
    assert AuthRequired("log in", url="https://a.example").url == "https://a.example"
    assert errors.ApprovalRequired("ask", id="a1").id == "a1"
    assert isinstance(ConfigError("no"), BridgeError)


@given(
    st.builds(
        Failure,
        code=st.text(min_size=1),
        message=st.text(),
        hint=st.text(),
        retryable=st.booleans(),
        retry_after=st.none() | st.floats(0, 1e6),
        status=st.none() | st.integers(100, 599),
        sent=st.sampled_from(["yes", "no", "unknown"]),
        id=st.text(),
        details=st.dictionaries(st.text(), st.integers()),
    )
)
def test_a_failure_comes_back_as_it_went(failure: Failure) -> None:
    assert Failure.from_json(json.loads(json.dumps(failure.to_json()))) == failure


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"sent": "maybe", "retryAfter": "soon", "status": "500", "details": "x", "retryable": "yes", "hint": None},
        {"sent": ["no"], "retryAfter": True, "status": 1.5, "details": [1], "code": None, "message": 5, "id": {}},
        {"sent": None, "retryAfter": float("nan"), "status": True},
    ],
)
def test_a_failure_that_others_wrote_is_read_with_care(shown: dict[str, Any]) -> None:
    failure = Failure.from_json(shown)

    assert (failure.sent, failure.retry_after, failure.status, failure.details) == ("unknown", None, None, {})
    assert failure.retryable is False
    assert isinstance(failure.code + failure.message + failure.hint + failure.id, str)
