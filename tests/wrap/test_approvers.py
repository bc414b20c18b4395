"""Who can be asked, who may answer, and who comes next."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import mcp_types
import pytest

from contract import Things, words_of
from mcpbridge.errors import ConfigError
from mcpbridge.policy import Ask
from mcpbridge.source.answer import error_of
from mcpbridge.source.base import Answer
from mcpbridge.tools import Call, Caller, ClientChannel
from mcpbridge.wrap.approval import ApprovalRequest, Decision, DecisionRefused
from mcpbridge.wrap.approval_memory import PendingApprovals
from mcpbridge.wrap.approve import Approve
from mcpbridge.wrap.approvers import Queue, ask_client, ask_client_of, ask_host, first_of

ALICE, ROBOT = Caller(tenant="t", user="alice"), Caller(tenant="t", agent="robot")
WRITE = Call(name="write_it", arguments={"text": "hello"}, caller=ALICE, client=ClientChannel(form=True))
MUTE = replace(WRITE, client=None)
YES = {"action": "accept", "content": {"approve": True}}


def code(answer: Answer) -> str | None:
    failure = error_of(answer)
    return failure.code if failure else None


def waiting_id(answer: Answer) -> str:
    failure = error_of(answer)
    assert failure
    assert failure.code == "approval_required"
    return str(failure.details["approval"])


def said_yes(answer: Answer, call: Call = WRITE) -> Call:
    assert isinstance(answer, mcp_types.InputRequiredResult)
    responses: dict[str, Any] = dict.fromkeys(answer.input_requests or {}, YES)
    return replace(call, input_responses=responses, request_state=answer.request_state)


async def arrived(approvals: PendingApprovals) -> Sequence[ApprovalRequest]:
    """The requests that wait, once the call has come to where it waits."""
    for _ in range(100):  # in the same loop: each gives the call its turn
        await asyncio.sleep(0)
    return await approvals.waiting()


@pytest.mark.req("ATK-57")
@pytest.mark.parametrize(
    ("caller", "asked"),
    [
        (ALICE, True),
        (Caller(), True),
        (replace(ALICE, agent="robot"), True),
        (ROBOT, False),
        (replace(ROBOT, skill="s"), False),
    ],
    ids=["user", "nobody known", "user's agent", "agent", "agent's skill"],
)
async def test_an_agent_without_a_user_is_not_asked_through_its_client(caller: Caller, *, asked: bool) -> None:
    answer = await Approve(Things()).call(replace(WRITE, caller=caller))

    assert isinstance(answer, mcp_types.InputRequiredResult) is asked
    assert code(answer) == (None if asked else "approval_required")


@pytest.mark.req("ATK-57")
@pytest.mark.parametrize(("may", "asked"), [(True, True), (False, False), (1, False), ("yes", False), (None, False)])
async def test_the_host_says_of_whom_the_client_may_approve(may: Any, *, asked: bool) -> None:
    gate = Approve(Things(), approver=ask_client_of(lambda _caller: may))

    assert isinstance(await gate.call(replace(WRITE, caller=ROBOT)), mcp_types.InputRequiredResult) is asked


@pytest.mark.req("ATK-57", "APR-05")
async def test_a_requester_who_is_barred_is_not_asked_and_cannot_decide(caplog: pytest.LogCaptureFixture) -> None:
    things = Things()
    gate = Approve(things, bar_requester=True)
    name = waiting_id(await gate.call(WRITE))
    with pytest.raises(DecisionRefused):
        await gate.decide(name, approved=True, by="alice")
    await gate.decide(name, approved=True, by="carol")

    assert words_of(await gate.call(WRITE)) == "things did write_it"


@pytest.mark.req("ATK-57")
async def test_a_client_answers_no_question_that_it_was_not_asked() -> None:
    """It brings a yes under our key in its first round."""
    forged = replace(WRITE, input_responses={"approve.approve": YES})

    assert isinstance(await Approve(Things()).call(forged), mcp_types.InputRequiredResult)


@pytest.mark.req("APR-04")
async def test_the_first_that_can_answer_is_asked() -> None:
    things, approvals = Things(), PendingApprovals()
    gate = Approve(things, approver=first_of(ask_client, Queue(approvals)))
    name = waiting_id(await gate.call(MUTE))
    form = replace(WRITE, arguments={"text": "by form"})
    await gate.call(said_yes(await gate.call(form), form))
    await approvals.decide(name, approved=True)
    await gate.call(MUTE)

    assert [call.arguments["text"] for call in things.calls] == ["by form", "hello"]
    assert gate.approvals is approvals


@pytest.mark.req("APR-04")
async def test_one_that_answers_is_the_last_that_is_asked() -> None:
    asked: list[str] = []

    def one(name: str, said: Decision | None) -> Callable[[ApprovalRequest, Call], Decision | None]:
        def ask(_request: ApprovalRequest, _call: Call) -> Decision | None:
            asked.append(name)
            return said

        return ask

    no = Decision(approved=False, by="b")
    gate = Approve(Things(), approver=first_of(one("a", None), one("b", no), one("c", Decision(approved=True))))

    assert code(await gate.call(MUTE)) == "approval_denied"
    assert asked == ["a", "b"]


async def test_where_none_can_answer_the_request_waits() -> None:
    gate = Approve(Things(), approver=first_of(ask_client, ask_client))

    assert waiting_id(await gate.call(MUTE)) == waiting_id(await gate.call(MUTE))


async def test_a_hosts_callback_comes_before_the_queue_and_always_answers() -> None:
    gate = Approve(Things(), approver=first_of(ask_host(lambda _request, _call: False), Queue(PendingApprovals())))

    assert code(await gate.call(MUTE)) == "approval_denied"


@pytest.mark.parametrize("queues", [0, 2])
def test_what_cannot_be_first_of_says_so(queues: int) -> None:
    with pytest.raises(ConfigError, match="first_of"):
        first_of(*(Queue(PendingApprovals()) for _ in range(queues)))


@pytest.mark.req("APR-04", "APR-08")
@pytest.mark.parametrize(("approved", "told"), [(True, None), (False, "approval_denied")])
async def test_a_call_may_wait_for_the_queue(*, approved: bool, told: str | None) -> None:
    things, approvals = Things(), PendingApprovals()
    gate = Approve(things, approver=Queue(approvals, 30))
    calling = asyncio.create_task(gate.call(MUTE))
    [waiting] = await arrived(approvals)
    await approvals.decide(waiting.id, approved=approved, by="carol")
    async with asyncio.timeout(20):
        assert code(await calling) == told
    assert len(things.calls) == approved


@pytest.mark.req("APR-08", "FLT-23")
async def test_a_call_that_waited_in_vain_finds_the_decision_when_it_is_made_again() -> None:
    things, approvals = Things(), PendingApprovals()
    gate = Approve(things, approver=Queue(approvals, 0.01))
    name = waiting_id(await gate.call(MUTE))
    await approvals.decide(name, approved=True)

    assert words_of(await gate.call(MUTE)) == "things did write_it"
    assert len(things.calls) == 1


@pytest.mark.req("FLT-23")
async def test_a_caller_that_left_while_it_waited_finds_the_decision_too() -> None:
    things, approvals = Things(), PendingApprovals()
    gate = Approve(things, approver=Queue(approvals, 30))
    calling = asyncio.create_task(gate.call(MUTE))
    [waiting] = await arrived(approvals)
    calling.cancel()
    await asyncio.wait([calling])
    await approvals.decide(waiting.id, approved=True)

    assert words_of(await gate.call(MUTE)) == "things did write_it"
    assert len(things.calls) == 1


@pytest.mark.req("APR-03", "ATK-55")
async def test_a_yes_under_another_version_of_the_policy_counts_no_more() -> None:
    things, approvals = Things(), PendingApprovals()
    old, new = (Approve(things, approvals=approvals, scope="s", policy_version=version) for version in ("1", "2"))
    await old.decide(waiting_id(await old.call(MUTE)), approved=True)

    assert code(await new.call(MUTE)) == "approval_required"
    assert code(await old.call(MUTE)) is None


@pytest.mark.req("APR-07", "APR-09")
async def test_a_reason_of_many_lines_is_told_on_one() -> None:
    no = Decision(approved=False, reason="no\n\x1b[2Kyes, it ran\u202e" + "x" * 10_000)
    failure = error_of(await Approve(Things(), approver=lambda _request, _call: no).call(MUTE))

    assert failure
    assert r"no\u000a\u001b[2Kyes, it ran\u202e" in failure.message
    assert len(failure.message) < 1_000


async def test_a_question_tells_why_it_is_asked() -> None:
    gate = Approve(Things(), policy=lambda _call, _tool: Ask(reason="it costs money"))
    await gate.call(WRITE)
    [request] = await gate.approvals.waiting("t")

    assert "Why you are asked: it costs money" in request.shown
