"""Failures travel in answers; questions nest and find their way back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import mcp_types
import pytest

from contract import text
from mcpbridge.errors import (
    ApprovalRequired,
    ArgumentProblem,
    AuthRequired,
    BridgeError,
    ConfigError,
    Failure,
    InvalidArguments,
    ToolNotFound,
    UpstreamError,
)
from mcpbridge.source.answer import FAILURE_KEY, answers, ask, error_of, failed, failure_of, nest
from mcpbridge.tools import Call

CALL = Call(name="t")
FORM = mcp_types.ElicitRequest(
    params=mcp_types.ElicitRequestFormParams(message="?", requested_schema={"type": "object", "properties": {}})
)


def reply(asked: mcp_types.InputRequiredResult, **said: Any) -> Call:
    """The next round: what was said by the last part of each request's key."""
    responses = {key: said[key.rpartition(".")[2]] for key in asked.input_requests or {}}
    return replace(CALL, request_state=asked.request_state, input_responses=responses)


def test_a_question_gives_its_layer_back_what_it_kept_and_what_was_said() -> None:
    took = answers(reply(ask("inner", {"name": FORM}, {"round": 1}), name="Al"), "inner")

    assert (took.own, took.responses) == ({"round": 1}, {"name": "Al"})
    assert (took.inner.request_state, took.inner.input_responses) == (None, None)


def test_questions_nest_through_three_layers_and_come_apart_again() -> None:
    asked = nest(nest(ask("c", {"name": FORM}, 3), "b", 2), "a", {"id": 1})
    first = answers(reply(asked, name="Al"), "a")
    second = answers(first.inner, "b")
    third = answers(second.inner, "c")

    assert [*(asked.input_requests or {})] == ["a/b/c.name"]
    assert [first.own, second.own, third.own] == [{"id": 1}, 2, 3]
    assert [first.responses, second.responses, third.responses] == [{}, {}, {"name": "Al"}]


def test_a_layer_that_takes_no_part_passes_everything_on() -> None:
    back = reply(nest(ask("c", {"name": FORM}, 3), "a", 1), name="Al")
    aside = answers(back, "b")

    assert (aside.own, aside.responses, aside.inner) == (None, {}, back)
    assert answers(answers(back, "a").inner, "b").inner == answers(back, "a").inner


def test_two_layers_of_one_key_get_each_its_own_when_both_nest() -> None:
    asked = nest(ask("same", {"x": FORM}, "inner"), "same", "outer")
    outer = answers(reply(asked, x=1), "same")
    inner = answers(outer.inner, "same")

    assert ((outer.own, outer.responses), (inner.own, inner.responses)) == (("outer", {}), ("inner", {"x": 1}))


def test_an_outer_layer_may_ask_of_its_own_while_an_inner_one_waits() -> None:
    inner = ask("b", {"x": FORM}, "b1")
    both = nest(inner, "a", "a1")
    more = both.model_copy(update={"input_requests": {**(both.input_requests or {}), "a.y": FORM}})
    took = answers(reply(more, x="to b", y="to a"), "a")

    assert took.responses == {"y": "to a"}
    assert answers(took.inner, "b").responses == {"x": "to b"}


@pytest.mark.parametrize("own", [None, 0, "", [], {}, {"deep": [1, {"é\ud800": None}]}, 2**70, True])
def test_any_json_is_kept_exactly(own: Any) -> None:
    assert answers(reply(nest(ask("b", {"x": FORM}, own), "a", own), x=1), "a").own == own


@pytest.mark.parametrize(
    "state",
    [None, "", "x", "[]", "7", "null", '"a"', "{}", '{"b":{"own":1}}', '{"a":7}', '{"a":[]}', "[" * 99_999, "{" * 9],
    ids=range(13),
)
def test_a_state_that_is_none_of_ours_is_none(state: str | None) -> None:
    call = replace(CALL, request_state=state, input_responses={"a.x": 1, "x": 2})
    took = answers(call, "a")

    assert (took.own, took.responses, took.inner) == (None, {}, call)


def test_a_state_without_answers_gives_what_was_kept_alone() -> None:
    asked = nest(ask("b", {"x": FORM}, 2), "a", 1)
    took = answers(replace(CALL, request_state=asked.request_state), "a")

    assert (took.own, took.responses, answers(took.inner, "b").own) == (1, {}, 2)


def test_answers_to_other_layers_are_not_taken() -> None:
    asked = ask("a", {"x": FORM}, 1)
    said = {"ab.x": 1, "b.x": 2, "a/b.x": 3, "x": 4, "a.y": 5}

    assert answers(replace(CALL, request_state=asked.request_state, input_responses=said), "a").responses == {"y": 5}


def test_a_question_without_state_nests_too() -> None:
    inner = answers(reply(nest(mcp_types.InputRequiredResult(input_requests={"b.x": FORM}), "a", 1), x=1), "a").inner

    assert (inner.request_state, inner.input_responses) == (None, {"b.x": 1})


@pytest.mark.parametrize("state", ["opaque", "[1]", "7"])
def test_a_layer_that_writes_a_state_of_its_own_is_found_out(state: str) -> None:
    with pytest.raises(ConfigError, match="use ask"):
        nest(mcp_types.InputRequiredResult(request_state=state), "a", 1)


def test_a_failure_is_read_back_from_the_answer() -> None:
    failure = Failure(code="timeout", message="late", hint="Wait.", status=504, sent="unknown", details={"a": [1]})
    answer = failed(failure)

    assert error_of(answer) == failure
    assert answer.is_error
    assert answer.structured_content == {"error": failure.to_json()}
    assert [block.text for block in answer.content if isinstance(block, mcp_types.TextContent)] == ["late\nWait."]
    assert error_of(mcp_types.CallToolResult.model_validate_json(answer.model_dump_json(by_alias=True))) == failure


def test_a_result_or_a_question_is_no_failure() -> None:
    assert error_of(text("fine")) is None
    assert error_of(ask("a", {"x": FORM}, 1)) is None
    assert error_of(mcp_types.CallToolResult(content=[], _meta={FAILURE_KEY: "no object"})) is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ToolNotFound("x"), "not_found"),
        (AuthRequired("log in"), "auth_required"),
        (UpstreamError(Failure(code="timeout", message="late")), "timeout"),
        (InvalidArguments([ArgumentProblem(path="/a", expected="text", got="null")]), "invalid_arguments"),
    ],
    ids=str,
)
def test_an_error_of_ours_is_a_failure_too(error: BridgeError, code: str) -> None:
    failure = failure_of(error, id="c1")

    assert (failure.code, failure.id) == (code, "c1")


def test_invalid_arguments_keep_their_problems() -> None:
    problem = ArgumentProblem(path="/a", expected="text", got="null", allowed=("x",))

    assert json.loads(json.dumps(failure_of(InvalidArguments([problem])).details)) == {"problems": [problem.to_json()]}


@pytest.mark.parametrize(
    ("error", "details"),
    [
        (AuthRequired("log in", url="https://login.example.com"), {"url": "https://login.example.com"}),
        (AuthRequired("log in"), {}),
        (ApprovalRequired("ask", id="a1"), {"approval": "a1"}),
        (ToolNotFound("x"), {}),
    ],
)
@pytest.mark.req("GW-09")
def test_an_error_of_ours_keeps_what_a_program_needs(error: BridgeError, details: dict[str, str]) -> None:
    failure = failure_of(error, id="c1")
    assert (failure.code, failure.id, failure.details) == (error.code, "c1", details)
