"""The order in which a call passes the wrappers."""

from __future__ import annotations

from typing import Any

import pytest

from contract import Things, check_refused, check_source_contract, words_of
from mcpbridge.audit.chains import verify_entries
from mcpbridge.audit.host import HostSink
from mcpbridge.build import guarded
from mcpbridge.errors import InvalidArguments, ToolNotFound
from mcpbridge.policy import Allow, read_only
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call, Caller, Tool
from mcpbridge.wrap.approval import ApprovalRequest
from mcpbridge.wrap.approval_memory import PendingApprovals
from mcpbridge.wrap.approve import ask_host
from mcpbridge.wrap.audit_event import AuditEntry

WRONG: dict[str, Any] = {"text": 5}


@pytest.mark.req("VIS-01")
async def test_what_is_hidden_is_unknown_before_anything_else_is_looked_at() -> None:
    source = guarded(Things(), keep=lambda tool, _: tool.access == "read")

    await check_refused(source, "tool", "write_it")
    with pytest.raises(ToolNotFound):
        await source.call(Call(name="write_it", arguments=WRONG))


async def test_nobody_is_asked_about_a_call_that_could_not_run() -> None:
    asked = list[ApprovalRequest]()

    def say(request: ApprovalRequest, _call: Call) -> bool:
        asked.append(request)
        return True

    things = Things()
    source = guarded(things, approver=ask_host(say))
    with pytest.raises(InvalidArguments):
        await source.call(Call(name="write_it", arguments=WRONG))
    await source.call(Call(name="write_it", arguments={"text": "x"}))

    assert (len(asked), len(things.calls)) == (1, 1)


async def test_reads_run_and_writes_wait_by_default() -> None:
    approvals = PendingApprovals()
    source = guarded(Things(), approvals=approvals)
    failure = error_of(await source.call(Call(name="write_it")))
    [request] = await approvals.waiting()
    await approvals.decide(request.id, approved=True)

    assert failure
    assert failure.details["approval"] == request.id
    assert words_of(await source.call(Call(name="write_it"))) == "things did write_it"
    assert words_of(await source.call(Call(name="read_it"))) == "things did read_it"


async def test_other_kinds_are_shown_by_a_rule_of_their_own() -> None:
    def keep(tool: Tool, caller: Caller) -> bool:
        return caller.user == "alice" or tool.access == "read"

    hidden, shown = guarded(Things(), keep=keep), guarded(Things(), keep=keep, keep_other=lambda _item, _caller: True)

    assert not await hidden.list("prompt", ANYONE)
    assert len(await shown.list("prompt", ANYONE)) == len(await guarded(Things()).list("prompt", ANYONE)) == 1


async def test_every_layer_explains_itself() -> None:
    source = guarded(Things(), keep=lambda _tool, _caller: True, policy=read_only)
    verdicts = await source.explain("write_it", ANYONE)

    assert [(verdict.layer, verdict.allowed) for verdict in verdicts] == [
        ("Things", True),
        ("Retry", True),
        ("Approve", False),
    ]


async def test_it_keeps_the_contract() -> None:
    await check_source_contract(guarded(Things(), keep=lambda _tool, _caller: True, policy=lambda _c, _t: Allow()))


@pytest.mark.req("AUD-01")
async def test_the_audit_sees_what_every_other_layer_refuses() -> None:
    seen = list[AuditEntry]()
    source = guarded(Things(), keep=lambda tool, _: tool.access == "read", audit=HostSink(seen.extend))
    async with source:
        with pytest.raises(ToolNotFound):
            await source.call(Call(name="write_it"))

    assert [entry.event()["outcome"] for entry in seen] == ["refused"]
    assert not verify_entries(seen)
