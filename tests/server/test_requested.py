"""Questions have their own names at the client, and find their way back to the layer that asked."""

from __future__ import annotations

import mcp_types
from shelf import CONFIRM

from mcpbridge.server.requested import inward, outward
from mcpbridge.source.answer import answers, ask, nest
from mcpbridge.tools import Call

REQUEST = mcp_types.ElicitRequest(params=CONFIRM)
YES = {"action": "accept"}


def _back(asked: mcp_types.InputRequiredResult) -> Call:
    responses = dict.fromkeys(asked.input_requests or {}, YES)
    return inward(Call(name="x", request_state=asked.request_state, input_responses=responses))


def test_a_client_sees_the_name_that_the_asker_gave() -> None:
    asked = outward(nest(ask("upstream", {"a/b.c": REQUEST}, {"state": "s"}), "approve", None))
    assert [*(asked.input_requests or {})] == ["a/b.c"]


def test_the_answer_reaches_the_layer_that_asked() -> None:
    call = _back(outward(nest(ask("upstream", {"name": REQUEST}, {"state": "s"}), "approve", "mine")))
    own = answers(call, "approve")
    assert own.own == "mine"
    inner = answers(own.inner, "upstream")
    assert (inner.own, inner.responses) == ({"state": "s"}, {"name": YES})


def test_two_requests_of_one_name_keep_their_owners() -> None:
    asked = mcp_types.InputRequiredResult(
        input_requests={"a.name": REQUEST, "b.name": REQUEST}, request_state='{"a":{"own":1}}'
    )
    shown = outward(asked)
    assert [*(shown.input_requests or {})] == ["a.name", "b.name"]
    assert answers(_back(shown), "a").responses == {"name": YES}


def test_a_question_without_requests_is_passed_on_as_it_is() -> None:
    asked = mcp_types.InputRequiredResult(request_state="{}")
    assert outward(asked) is asked
