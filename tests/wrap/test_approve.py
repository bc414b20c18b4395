"""A yes is for one call, once. Nothing else lets a write through."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mcp_types
import pytest

from contract import Things, check_source_contract, text, words_of
from mcpbridge.errors import Failure, InvalidArguments, ToolNotFound
from mcpbridge.policy import Allow, Ask, Deny, ask_always, read_only
from mcpbridge.router import Router
from mcpbridge.secret import Secret
from mcpbridge.source.answer import answers, ask, error_of, failed
from mcpbridge.source.base import Answer
from mcpbridge.tools import Call, Caller, ClientChannel, Origin, Tool
from mcpbridge.wrap.approval import ApprovalRequest, Decision, Question
from mcpbridge.wrap.approval_memory import PendingApprovals
from mcpbridge.wrap.approve import Approve, ask_client, ask_host

ALICE, BOB = Caller(tenant="t", user="alice"), Caller(tenant="t", user="bob")
WRITE = Call(name="write_it", arguments={"text": "hello"}, caller=ALICE, client=ClientChannel(form=True))
MUTE = replace(WRITE, client=None)
YES = {"action": "accept", "content": {"approve": True}}


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def always(what: Any) -> Callable[[object, object], Any]:
    return lambda _one, _two: what


def breaks(_one: object, _two: object) -> Any:
    raise ZeroDivisionError


def code(answer: Answer) -> str | None:
    failure = error_of(answer)
    return failure.code if failure else None


def question(answer: Answer) -> mcp_types.InputRequiredResult:
    assert isinstance(answer, mcp_types.InputRequiredResult), answer
    return answer


def answered(answer: Answer, said: Any = YES, call: Call = WRITE) -> Call:
    """The next round: every request of the question gets the same answer."""
    asked = question(answer)
    responses = dict.fromkeys(asked.input_requests or {}, said)
    return replace(call, input_responses=responses, request_state=asked.request_state)


def waiting_id(answer: Answer) -> str:
    failure = error_of(answer)
    assert failure
    assert failure.code == "approval_required"
    return str(failure.details["approval"])


@pytest.fixture
def things() -> Things:
    return Things()


@pytest.fixture
def approve(things: Things) -> Approve:
    return Approve(things)


@pytest.mark.req("APR-01")
async def test_reads_run_and_writes_ask(approve: Approve, things: Things) -> None:
    assert words_of(await approve.call(Call(name="read_it"))) == "things did read_it"
    question(await approve.call(WRITE))
    assert [call.name for call in things.calls] == ["read_it"]


@pytest.mark.req("APR-01")
async def test_a_yes_lets_the_call_through_once(approve: Approve, things: Things) -> None:
    again = answered(await approve.call(WRITE))

    assert words_of(await approve.call(again)) == "things did write_it"
    assert code(await approve.call(again)) == "approval_used"
    assert len(things.calls) == 1
    assert things.calls[0].request_state is None


@pytest.mark.parametrize(
    "said",
    [
        {"action": "decline"},
        {"action": "cancel"},
        {"action": "accept"},
        {"action": "accept", "content": {}},
        {"action": "accept", "content": {"approve": False}},
        {"action": "accept", "content": {"approve": "true"}},
        {"action": "accept", "content": {"approve": 1}},
    ],
)
@pytest.mark.req("APR-09")
async def test_what_is_no_plain_yes_is_a_no(approve: Approve, things: Things, said: Any) -> None:
    again = answered(await approve.call(WRITE), said)

    assert code(await approve.call(again)) == "approval_denied"
    assert code(await approve.call(replace(again, input_responses={"approve.approve": YES}))) == "approval_denied"
    assert not things.calls


@pytest.mark.req("ATK-57", "APR-08")
@pytest.mark.parametrize("said", [None, "yes", 1, {}, {"action": "ok"}, []])
async def test_a_client_that_claims_forms_and_shows_none_falls_to_the_queue(
    approve: Approve, things: Things, said: Any
) -> None:
    first = await approve.call(WRITE)
    name = waiting_id(await approve.call(answered(first, said)))

    assert code(await approve.call(answered(first))) == "approval_used"
    assert not things.calls
    await approve.decide(name, approved=True)
    assert words_of(await approve.call(WRITE)) == "things did write_it"


@pytest.mark.parametrize(
    "state", [None, "", "garbage", "[]", "{}", "7", '{"approve":{"own":{"id":"x"}}}', "[" * 100_000]
)
async def test_an_answer_without_our_state_is_asked_again(approve: Approve, things: Things, state: str | None) -> None:
    first = question(await approve.call(WRITE))
    forged = replace(answered(first), request_state=state)

    question(await approve.call(forged))
    assert not things.calls


@pytest.mark.req("ATK-56")
@pytest.mark.parametrize("own", [{"id": "unknown", "nonce": "n"}, {"id": "\ud800", "nonce": "\ud800"}])
async def test_a_forged_ticket_is_refused(approve: Approve, things: Things, own: dict[str, str]) -> None:
    forged = replace(
        WRITE, request_state=json.dumps({"approve": {"own": own}}), input_responses={"approve.approve": YES}
    )

    assert code(await approve.call(forged)) == "approval_invalid"
    assert not things.calls


async def test_a_forged_nonce_is_refused(approve: Approve, things: Things) -> None:
    state = json.loads(question(await approve.call(WRITE)).request_state or "")
    state["approve"]["own"]["nonce"] = "\ud800"
    forged = replace(WRITE, request_state=json.dumps(state), input_responses={"approve.approve": YES})

    assert code(await approve.call(forged)) == "approval_used"
    assert not things.calls


@pytest.mark.req("ATK-55", "ATK-56")
@pytest.mark.parametrize(
    "change",
    [
        {"arguments": {"text": "other"}},
        {"arguments": {"text": "hello", "n": None}},
        {"name": "erase_it"},
        {"caller": BOB},
        {"caller": replace(ALICE, tenant="u")},
        {"caller": replace(ALICE, agent="a")},
        {"caller": replace(ALICE, skill="s")},
        {"caller": replace(ALICE, environment="production")},
        {"caller": replace(ALICE, teams=frozenset({"a"}))},
        {"caller": replace(ALICE, roles=frozenset({"a"}))},
    ],
    ids=str,
)
async def test_a_yes_is_for_no_other_call(things: Things, change: dict[str, Any]) -> None:
    things.change("tool", [*things.items["tool"], Tool(name="erase_it")])
    approve = Approve(things)
    again = answered(await approve.call(WRITE))

    assert code(await approve.call(replace(again, **change))) == "approval_invalid"
    assert not things.calls
    assert words_of(await approve.call(again)) == "things did write_it"


async def test_a_yes_does_not_hang_on_the_callers_token(approve: Approve, things: Things) -> None:
    again = answered(await approve.call(WRITE))
    fresh = replace(again, caller=replace(ALICE, token=Secret("refreshed in between")))

    assert words_of(await approve.call(fresh)) == "things did write_it"


@pytest.mark.req("ATK-55")
@pytest.mark.parametrize("asked", [WRITE, MUTE], ids=["client", "queue"])
async def test_a_yes_serves_no_tool_of_that_name_behind_another_gate(asked: Call) -> None:
    staging, production, shared = Things(), Things(), PendingApprovals()
    router = Router({"a": Approve(staging, approvals=shared), "b": Approve(production, approvals=shared)})
    first = await router.call(replace(asked, name="a__write_it"))
    if asked is WRITE:
        again = answered(first)
    else:
        await shared.decide(waiting_id(first), approved=True)
        again = MUTE

    assert code(await router.call(replace(again, name="b__write_it"))) in {"approval_invalid", "approval_required"}
    assert not production.calls
    assert words_of(await router.call(replace(again, name="a__write_it"))) == "things did write_it"


async def test_gates_of_one_scope_share_their_approvals(things: Things) -> None:
    shared = PendingApprovals()
    one, two = (Approve(things, approvals=shared, scope="things") for _ in range(2))
    await one.decide(waiting_id(await one.call(MUTE)), approved=True)

    assert words_of(await two.call(MUTE)) == "things did write_it"


@pytest.mark.req("ATK-55")
@pytest.mark.parametrize(
    "change",
    [
        {"description": "New words."},
        {"input_schema": {"type": "object"}},
        {"origin": Origin(revision="2")},
        {"fixed": {"to": "evil"}},
        {"extra": {"title": "New"}},
    ],
    ids=str,
)
async def test_a_yes_ends_when_the_tool_changes(approve: Approve, things: Things, change: dict[str, Any]) -> None:
    again = answered(await approve.call(WRITE))
    things.change(
        "tool", [replace(tool, **change) if isinstance(tool, Tool) else tool for tool in things.items["tool"]]
    )

    assert code(await approve.call(again)) == "approval_invalid"
    assert not things.calls


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ({"n": 2**53}, {"n": 2**53 + 1}),
        ({"n": 1}, {"n": True}),
        ({"n": 1}, {"n": "1"}),
        ({"n": 1}, {"n": 1.0}),
        ({}, {"n": None}),
    ],
    ids=str,
)
async def test_arguments_that_differ_a_little_are_others(approve: Approve, asked: Any, sent: Any) -> None:
    again = answered(await approve.call(replace(WRITE, arguments=asked)))

    assert code(await approve.call(replace(again, arguments=sent))) == "approval_invalid"


async def test_the_order_of_arguments_does_not_matter(approve: Approve, things: Things) -> None:
    again = answered(await approve.call(replace(WRITE, arguments={"text": "a", "n": 1})))

    assert words_of(await approve.call(replace(again, arguments={"n": 1, "text": "a"}))) == "things did write_it"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", {1: 2}, b"x"], ids=repr)
async def test_what_has_no_one_text_cannot_be_approved(approve: Approve, value: Any) -> None:
    with pytest.raises(InvalidArguments):
        await approve.call(replace(WRITE, arguments={"text": value}))


@pytest.mark.req("APR-08")
async def test_a_client_that_cannot_be_asked_gets_an_id_and_calls_again(approve: Approve, things: Things) -> None:
    first = await approve.call(MUTE)
    name = waiting_id(first)
    assert waiting_id(await approve.call(MUTE)) == name
    decided = await approve.decide(name, approved=True, by="carol")

    assert decided
    assert decided.won
    assert (decided.request.state, decided.request.by) == ("approved", "carol")
    assert words_of(await approve.call(MUTE)) == "things did write_it"
    assert waiting_id(await approve.call(MUTE)) != name
    assert len(things.calls) == 1


@pytest.mark.req("APR-08")
@pytest.mark.parametrize("change", [{"caller": BOB}, {"arguments": {"text": "other"}}], ids=str)
async def test_the_decision_is_not_found_by_another_call(approve: Approve, things: Things, change: Any) -> None:
    await approve.decide(waiting_id(await approve.call(MUTE)), approved=True)

    waiting_id(await approve.call(replace(MUTE, **change)))
    assert not things.calls


@pytest.mark.req("APR-08", "APR-09")
async def test_a_no_from_elsewhere_holds_until_it_expires(things: Things) -> None:
    clock = Clock()
    approve = Approve(things, clock=clock)
    name = waiting_id(await approve.call(MUTE))
    await approve.decide(name, approved=False, by="carol", reason="not today")
    failure = error_of(await approve.call(MUTE))
    clock.now += 601

    assert failure
    assert (failure.code, failure.details["by"]) == ("approval_denied", "carol")
    assert "not today" in failure.message
    assert waiting_id(await approve.call(MUTE)) != name
    assert not things.calls


@pytest.mark.req("APR-09")
@pytest.mark.parametrize("decided", [True, False])
async def test_an_approval_that_is_not_used_in_time_expires(things: Things, *, decided: bool) -> None:
    clock = Clock()
    approve = Approve(things, clock=clock)
    name = waiting_id(await approve.call(MUTE))
    if decided:
        await approve.decide(name, approved=True)
    clock.now += 600

    assert code(await approve.call(MUTE)) == ("approval_expired" if decided else "approval_timed_out")
    assert waiting_id(await approve.call(MUTE)) != name
    assert not things.calls


@pytest.mark.req("APR-09", "ATK-56")
async def test_an_answer_that_comes_too_late_is_told_so(things: Things) -> None:
    clock = Clock()
    approve = Approve(things, clock=clock)
    again = answered(await approve.call(WRITE))
    clock.now += 601

    assert code(await approve.call(again)) == "approval_timed_out"
    assert not things.calls


async def test_an_expired_request_cannot_be_decided(things: Things) -> None:
    clock = Clock()
    approve = Approve(things, clock=clock)
    name = waiting_id(await approve.call(MUTE))
    clock.now += 601
    decided = await approve.decide(name, approved=True)

    assert decided
    assert (decided.won, decided.request.state) == (False, "expired")
    assert await approve.decide("unknown", approved=True) is None


@pytest.mark.req("APR-05")
async def test_the_first_decision_stands(approve: Approve) -> None:
    name = waiting_id(await approve.call(MUTE))
    await approve.decide(name, approved=False, by="carol")
    second = await approve.decide(name, approved=True, by="dave")

    assert second
    assert (second.won, second.request.state, second.request.by) == (False, "denied", "carol")


async def test_a_yes_from_elsewhere_serves_the_client_that_was_asked(approve: Approve, things: Things) -> None:
    first = question(await approve.call(WRITE))
    [request] = await approve.approvals.waiting()
    await approve.decide(request.id, approved=True)

    assert words_of(await approve.call(replace(WRITE, request_state=first.request_state))) == "things did write_it"
    assert len(things.calls) == 1


async def test_the_clients_no_counts_after_a_yes_from_elsewhere(approve: Approve, things: Things) -> None:
    again = answered(await approve.call(WRITE), {"action": "decline"})
    [request] = await approve.approvals.waiting()
    await approve.decide(request.id, approved=True)

    assert code(await approve.call(again)) == "approval_denied"
    assert not things.calls


@pytest.mark.req("APR-03")
async def test_one_of_many_that_bring_the_same_answer_runs(approve: Approve, things: Things) -> None:
    again = answered(await approve.call(WRITE))
    codes = [code(answer) for answer in await asyncio.gather(*(approve.call(again) for _ in range(20)))]

    assert sorted(codes, key=str) == sorted([None, *["approval_used"] * 19], key=str)
    assert len(things.calls) == 1


@pytest.mark.req("APR-03")
async def test_one_of_many_that_find_the_same_decision_runs(things: Things) -> None:
    class Slow(Things):
        async def call(self, call: Call) -> Answer:
            await asyncio.sleep(0)
            return await super().call(call)

    slow = Slow()
    approve = Approve(slow)
    await approve.decide(waiting_id(await approve.call(MUTE)), approved=True)
    codes = [code(answer) for answer in await asyncio.gather(*(approve.call(MUTE) for _ in range(20)))]

    assert codes.count(None) == len(slow.calls) == 1


class Remote(PendingApprovals):
    """Lets others run before every step, as a database does."""

    async def get(self, id: str) -> ApprovalRequest | None:
        await asyncio.sleep(0)
        return await super().get(id)

    async def swap(self, old: ApprovalRequest, new: ApprovalRequest) -> ApprovalRequest | None:
        await asyncio.sleep(0)
        return await super().swap(old, new)


@pytest.mark.req("APR-03", "APR-06")
async def test_one_of_many_runs_also_where_the_store_lets_others_in(things: Things) -> None:
    approve = Approve(things, approvals=Remote())
    await approve.decide(waiting_id(await approve.call(MUTE)), approved=True)
    queued = [code(answer) for answer in await asyncio.gather(*(approve.call(MUTE) for _ in range(20)))]
    again = answered(await approve.call(replace(WRITE, arguments={})), call=replace(WRITE, arguments={}))
    asked = [code(answer) for answer in await asyncio.gather(*(approve.call(again) for _ in range(20)))]
    things.answer = upstream_asks
    inner = answered(await approve.call(answered(await approve.call(WRITE))), {"content": {"name": "Al"}})
    rounds = [code(answer) for answer in await asyncio.gather(*(approve.call(inner) for _ in range(20)))]

    assert [codes.count(None) for codes in (queued, asked, rounds)] == [1, 1, 1]
    assert len(things.calls) == 4


@pytest.mark.req("APR-07")
async def test_arguments_that_the_host_fixed_are_shown_and_covered(things: Things) -> None:
    approve = Approve(things)
    await approve.call(WRITE)
    things.change("tool", [Tool(name="write_it", fixed={"to": "team"})])
    await approve.call(WRITE)
    plain, fixed = await approve.approvals.waiting()

    assert plain.arguments_digest != fixed.arguments_digest
    assert '"to": "team"' in fixed.shown
    assert fixed.arguments_digest in fixed.shown


def upstream_asks(call: Call) -> Answer:
    """An upstream that needs a name before it writes."""
    took = answers(call, "upstream")
    if took.responses.get("name"):
        return text(f"wrote as {took.responses['name']['content']['name']}")
    params = mcp_types.ElicitRequestFormParams(message="Name?", requested_schema={"type": "object", "properties": {}})
    return ask("upstream", {"name": mcp_types.ElicitRequest(params=params)}, {"round": 1})


@pytest.mark.req("APR-06")
async def test_a_question_from_inside_an_approved_call_asks_for_no_second_yes(approve: Approve, things: Things) -> None:
    things.answer = upstream_asks
    inner = question(await approve.call(answered(await approve.call(WRITE))))
    last = answered(inner, {"action": "accept", "content": {"name": "Al"}})

    assert [*(inner.input_requests or {})] == ["approve/upstream.name"]
    assert words_of(await approve.call(last)) == "wrote as Al"
    assert code(await approve.call(last)) == "approval_used"
    assert len(things.calls) == 2


@pytest.mark.req("APR-06")
async def test_the_round_of_an_inner_question_is_good_once(approve: Approve, things: Things) -> None:
    things.answer = upstream_asks
    inner = answered(await approve.call(answered(await approve.call(WRITE))), {"content": {"name": "Al"}})
    codes = [code(answer) for answer in await asyncio.gather(*(approve.call(inner) for _ in range(5)))]

    assert codes.count(None) == 1
    assert code(await approve.call(replace(inner, caller=BOB))) == "approval_invalid"
    assert code(await approve.call(replace(inner, arguments={"text": "x"}))) == "approval_invalid"


@pytest.mark.req("APR-06")
async def test_a_question_from_inside_a_call_that_needs_no_yes_passes(things: Things) -> None:
    approve = Approve(Approve(things, policy=always(Allow())), policy=always(Allow()))
    things.answer = upstream_asks
    inner = await approve.call(WRITE)

    assert words_of(await approve.call(answered(inner, {"content": {"name": "Al"}}))) == "wrote as Al"


@pytest.mark.req("APR-06")
@pytest.mark.parametrize("outer", [Allow(), Ask()])
async def test_two_of_them_do_not_take_each_others_answers(things: Things, outer: Allow | Ask) -> None:
    approve = Approve(Approve(things, policy=ask_always), policy=always(outer))
    answer, rounds = await approve.call(WRITE), 0
    while isinstance(answer, mcp_types.InputRequiredResult):
        answer, rounds = await approve.call(answered(answer)), rounds + 1

    assert (words_of(answer), rounds) == ("things did write_it", 1 if isinstance(outer, Allow) else 2)


def failing(sent: Any, times: int = 1) -> Callable[[Call], Answer]:
    left = [failed(Failure(code="unreachable", message="no", sent=sent))] * times
    return lambda call: left.pop() if left else text(f"did {call.name}")


@pytest.mark.req("APR-06")
async def test_a_call_that_did_not_leave_gives_its_yes_back(approve: Approve, things: Things) -> None:
    things.answer = failing("no", times=2)
    again = answered(await approve.call(WRITE))
    codes = [code(await approve.call(again)) for _ in range(4)]

    assert codes == ["unreachable", "unreachable", None, "approval_used"]


@pytest.mark.req("APR-06", "APR-08")
async def test_a_queued_yes_is_given_back_too(approve: Approve, things: Things) -> None:
    things.answer = failing("no")
    name = waiting_id(await approve.call(MUTE))
    await approve.decide(name, approved=True)
    codes = [code(await approve.call(MUTE)) for _ in range(3)]

    assert codes == ["unreachable", None, "approval_required"]


@pytest.mark.req("APR-06")
@pytest.mark.parametrize(("sent", "state"), [("yes", "done"), ("unknown", "unknown")])
async def test_a_call_that_may_have_left_keeps_its_yes(approve: Approve, things: Things, sent: str, state: str) -> None:
    things.answer = failing(sent)
    again = answered(await approve.call(WRITE))
    [request] = await approve.approvals.waiting()
    codes = [code(await approve.call(again)) for _ in range(2)]
    after = await approve.approvals.get(request.id)

    assert codes == ["unreachable", "approval_used"]
    assert after
    assert after.state == state
    await approve.call(WRITE)
    [anew] = await approve.approvals.waiting()
    assert ("may have run already" in anew.shown) is (state == "unknown")


@pytest.mark.req("APR-06")
@pytest.mark.parametrize(
    ("error", "second"),
    [
        (InvalidArguments([]), None),
        (ToolNotFound("x"), None),
        (RuntimeError(), "approval_used"),
        (asyncio.CancelledError(), "approval_used"),
    ],
    ids=repr,
)
async def test_an_exception_gives_the_yes_back_only_where_nothing_left(
    approve: Approve, things: Things, error: BaseException, second: str | None
) -> None:
    def fail(_: Call) -> Answer:
        raise error

    things.answer = fail
    again = answered(await approve.call(WRITE))
    with pytest.raises(type(error)):
        await approve.call(again)
    things.answer = things.by_kind

    assert code(await approve.call(again)) == second


async def test_a_later_round_that_did_not_leave_can_be_brought_again(approve: Approve, things: Things) -> None:
    things.answer = upstream_asks
    last = answered(await approve.call(answered(await approve.call(WRITE))), {"content": {"name": "Al"}})
    things.answer = failing("no")
    first = code(await approve.call(last))
    things.answer = upstream_asks

    assert first == "unreachable"
    assert words_of(await approve.call(last)) == "wrote as Al"


@pytest.mark.req("ATK-53")
@pytest.mark.parametrize(
    "policy",
    [breaks, always(None), always(True), Allow, "allow"],
    ids=["breaks", "gives None", "gives True", "gives a class", "is a text"],
)
async def test_a_policy_that_fails_refuses(things: Things, policy: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    assert code(await Approve(things, policy=policy).call(Call(name="read_it"))) == "policy_denied"
    assert not things.calls


async def test_a_policy_that_denies_tells_why(things: Things) -> None:
    failure = error_of(await Approve(things, policy=read_only).call(WRITE))
    told = error_of(await Approve(things, policy=always(Deny(reason="frozen"))).call(WRITE))

    assert failure
    assert told
    assert (failure.code, failure.sent) == ("policy_denied", "no")
    assert "frozen" in told.message


async def test_a_hosts_own_approver_decides(things: Things) -> None:
    seen = list[ApprovalRequest]()

    def say(request: ApprovalRequest, call: Call) -> bool:
        seen.append(request)
        return bool(call.arguments["text"] == "hello")

    approve = Approve(things, approver=ask_host(say))

    assert words_of(await approve.call(MUTE)) == "things did write_it"
    assert code(await approve.call(replace(MUTE, arguments={"text": "no"}))) == "approval_denied"
    assert (seen[0].tool, seen[0].access, seen[0].caller[1]) == ("write_it", "write", "alice")
    assert len(things.calls) == 1


async def test_a_hosts_approver_may_wait_and_give_a_decision(things: Things) -> None:
    async def say(_request: ApprovalRequest, _call: Call) -> Decision:
        await asyncio.sleep(0)
        return Decision(approved=False, by="dave", reason="no")

    failure = error_of(await Approve(things, approver=ask_host(say)).call(MUTE))

    assert failure
    assert failure.details["by"] == "dave"


@pytest.mark.req("ATK-53")
@pytest.mark.parametrize("said", [1, "yes", object()])
@pytest.mark.parametrize("wrapped", [True, False])
async def test_an_approver_that_gives_nonsense_denies(
    things: Things, said: Any, *, wrapped: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)

    assert (
        code(await Approve(things, approver=ask_host(always(said)) if wrapped else always(said)).call(MUTE))
        == "approval_denied"
    )
    assert not things.calls


@pytest.mark.req("ATK-53")
async def test_an_approver_that_raises_denies(things: Things, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    assert code(await Approve(things, approver=ask_host(breaks)).call(MUTE)) == "approval_denied"


@pytest.mark.req("APR-09")
async def test_an_approver_that_does_not_answer_in_time_lets_it_expire(things: Things) -> None:
    async def never(_request: ApprovalRequest, _call: Call) -> bool:
        return bool(await asyncio.Event().wait())

    approve = Approve(things, approver=ask_host(never), lifetime=0.01)

    assert code(await approve.call(MUTE)) == "approval_timed_out"
    assert not things.calls


class Thinking:
    """An approver that says what it is told to, when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Queue[ApprovalRequest]()
        self.said: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def __call__(self, request: ApprovalRequest, _call: Call) -> bool:
        self.asked.put_nowait(request)
        return await asyncio.shield(self.said)


@pytest.mark.req("APR-05")
@pytest.mark.parametrize(("elsewhere", "here"), [(True, True), (True, False), (False, True), (False, False)])
async def test_a_call_decided_twice_runs_only_where_nobody_said_no(
    things: Things, *, elsewhere: bool, here: bool
) -> None:
    thinking = Thinking()
    approve = Approve(things, approver=ask_host(thinking))
    waiting = asyncio.create_task(approve.call(MUTE))
    request = await thinking.asked.get()
    await approve.decide(request.id, approved=elsewhere, by="carol")
    thinking.said.set_result(here)

    assert code(await waiting) == (None if elsewhere and here else "approval_denied")
    assert len(things.calls) == (elsewhere and here)


async def test_a_request_that_was_forgotten_while_the_approver_thought_does_not_run(things: Things) -> None:
    thinking = Thinking()
    approve = Approve(things, approver=ask_host(thinking), approvals=PendingApprovals(limit=1))
    waiting = asyncio.create_task(approve.call(MUTE))
    await thinking.asked.get()
    other = asyncio.create_task(approve.call(replace(MUTE, arguments={})))
    await thinking.asked.get()
    thinking.said.set_result(True)

    assert sorted([code(await waiting), code(await other)], key=str) == sorted([None, "approval_invalid"], key=str)
    assert len(things.calls) == 1


async def test_arguments_that_change_while_a_person_is_asked_are_not_run(things: Things) -> None:
    arguments = {"text": "hello"}

    def say(_request: ApprovalRequest, _call: Call) -> bool:
        arguments["text"] = "other"
        return True

    answer = await Approve(things, approver=ask_host(say)).call(replace(MUTE, arguments=arguments))

    assert code(answer) == "approval_invalid"
    assert not things.calls


async def test_an_approver_may_ask_several_times(things: Things) -> None:
    async def twice(request: ApprovalRequest, call: Call) -> Decision | Question | None:
        said = await ask_client(request, call)
        return Question(requests=(await _form(request, call)).requests) if rounds.pop() else said

    async def _form(request: ApprovalRequest, call: Call) -> Question:
        asked = await ask_client(request, replace(call, input_responses=None))
        assert isinstance(asked, Question)
        return asked

    rounds = [False, True, False]
    approve = Approve(things, approver=twice)
    second = await approve.call(answered(await approve.call(WRITE)))

    assert words_of(await approve.call(answered(second))) == "things did write_it"


@pytest.mark.parametrize("client", [None, ClientChannel(), ClientChannel(url=True)])
async def test_a_client_without_forms_is_not_asked(approve: Approve, client: ClientChannel | None) -> None:
    waiting_id(await approve.call(replace(WRITE, client=client)))


@pytest.mark.req("APR-07")
async def test_the_question_is_one_yes_or_no(approve: Approve) -> None:
    [(name, request)] = (question(await approve.call(WRITE)).input_requests or {}).items()

    assert name == "approve.approve"
    assert isinstance(request, mcp_types.ElicitRequest)
    assert isinstance(request.params, mcp_types.ElicitRequestFormParams)
    assert [*request.params.requested_schema["properties"]] == ["approve"]
    assert "write_it" in request.params.message


async def test_an_answer_as_a_model_is_read_too(approve: Approve) -> None:
    said = mcp_types.ElicitResult(action="accept", content={"approve": True})

    assert words_of(await approve.call(answered(await approve.call(WRITE), said))) == "things did write_it"


async def test_what_is_remembered_is_bounded_and_forgetting_asks_anew(things: Things) -> None:
    approve = Approve(things, approvals=PendingApprovals(limit=10, per_caller=3))
    first = answered(await approve.call(WRITE))
    for number in range(50):
        await approve.call(replace(WRITE, arguments={"n": number}, caller=replace(BOB, agent=str(number % 4))))

    assert len(await approve.approvals.waiting()) <= 10
    assert code(await approve.call(first)) == "approval_invalid"


async def test_one_callers_requests_do_not_push_out_anothers(things: Things) -> None:
    approve = Approve(things, approvals=PendingApprovals(per_caller=3))
    first = answered(await approve.call(WRITE))
    for number in range(50):
        await approve.call(replace(MUTE, arguments={"n": number}, caller=BOB))

    assert len(await approve.approvals.waiting()) == 4
    assert words_of(await approve.call(first)) == "things did write_it"


async def test_old_requests_are_forgotten_in_time(things: Things) -> None:
    clock = Clock()
    approvals = PendingApprovals(clock=clock)
    approve = Approve(things, approvals=approvals)
    name = waiting_id(await approve.call(MUTE))
    clock.now += 90_000
    await approve.call(replace(MUTE, arguments={}))

    assert await approvals.get(name) is None


@pytest.mark.req("VIS-01")
async def test_other_kinds_are_not_asked_and_unknown_tools_are_unknown(approve: Approve, things: Things) -> None:
    await approve.call(Call(name="greet", kind="prompt"))
    await approve.call(Call(name="file:///notes.txt", kind="resource"))
    with pytest.raises(ToolNotFound):
        await approve.call(replace(WRITE, name="unknown"))

    assert len(things.calls) == 2
    await check_source_contract(approve)


async def test_explain_tells_what_the_policy_says(things: Things) -> None:
    asks = await Approve(things).explain("write_it", ALICE, {"text": "x"})
    denies = await Approve(things, policy=read_only).explain("write_it", ALICE)

    assert (asks[-1].layer, asks[-1].allowed, asks[-1].code) == ("Approve", True, "asks")
    assert (denies[-1].allowed, denies[-1].code) == (False, "policy_denied")
