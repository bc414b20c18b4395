"""Approval as real clients meet it: asked by rounds, asked by elicitation, or told how to go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mcp_types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from shelf import Shelf, text_of

from mcpbridge.approvals.approvals import Approvals
from mcpbridge.secret import Secret
from mcpbridge.server.lowlevel import to_server
from mcpbridge.source.answer import error_of
from mcpbridge.store.open import open_store
from mcpbridge.tools import Tool
from mcpbridge.wrap.approve import Approve

FILE = Tool(name="file", input_schema={"type": "object"})


async def _yes(context: object, params: mcp_types.ElicitRequestParams) -> mcp_types.ElicitResult:
    return mcp_types.ElicitResult(action="accept", content={"approve": True})


async def _no(context: object, params: mcp_types.ElicitRequestParams) -> mcp_types.ElicitResult:
    return mcp_types.ElicitResult(action="decline")


@pytest.fixture
def files() -> Shelf:
    return Shelf([FILE])


def _filed(files: Shelf) -> int:
    return sum(call.name == "file" for call in files.calls)


@pytest.mark.req("APR-01", "APR-07")
async def test_a_write_runs_once_after_a_yes(files: Shelf, era: str) -> None:
    async with Client(to_server(Approve(files), name="s"), mode=era, elicitation_callback=_yes) as client:
        assert text_of(await client.call_tool("file", {"id": 1})) == "nobody"
    assert _filed(files) == 1


async def test_a_write_does_not_run_after_a_no(files: Shelf, era: str) -> None:
    async with Client(to_server(Approve(files), name="s"), mode=era, elicitation_callback=_no) as client:
        failure = error_of(await client.call_tool("file", {"id": 1}))
    assert failure is not None
    assert _filed(files) == 0


@pytest.mark.req("APR-08")
async def test_a_client_that_cant_be_asked_is_told_the_id_and_goes_on_after_the_decision(
    files: Shelf, era: str
) -> None:
    approve = Approve(files)
    async with Client(to_server(approve, name="s"), mode=era) as client:
        failure = error_of(await client.call_tool("file", {"id": 1}))
        assert failure is not None
        assert failure.code == "approval_required"
        await approve.decide(failure.details["approval"], approved=True)
        assert text_of(await client.call_tool("file", {"id": 1})) == "nobody"
    assert _filed(files) == 1


@pytest.mark.req("ATK-56")
async def test_a_used_state_runs_nothing_again(files: Shelf) -> None:
    yes: dict[str, Any] = {}
    async with Client(to_server(Approve(files), name="s"), mode="2026-07-28", elicitation_callback=_yes) as client:
        asked = await client.session.call_tool("file", {"id": 1}, allow_input_required=True)
        assert isinstance(asked, mcp_types.InputRequiredResult)
        for key in asked.input_requests or {}:
            yes[key] = mcp_types.ElicitResult(action="accept", content={"approve": True})
        for _ in range(2):
            await client.session.call_tool(
                "file", {"id": 1}, input_responses=yes, request_state=asked.request_state, allow_input_required=True
            )
    assert _filed(files) == 1


@pytest.mark.req("APR-08", "GW-07", "ATK-56")
async def test_a_round_begun_on_one_replica_is_answered_on_another_once(files: Shelf, tmp_path: Path) -> None:
    url, keys = f"sqlite:///{tmp_path / 'approvals.db'}", [Secret("k" * 32)]
    async with open_store(url) as one, open_store(url) as two:
        first, second = (
            to_server(Approve(files, approvals=Approvals(store), scope="s"), name="s", state_keys=keys)
            for store in (one, two)
        )
        async with Client(first, mode="2026-07-28", elicitation_callback=_yes) as client:
            asked = await client.session.call_tool("file", {"id": 1}, allow_input_required=True)
        assert isinstance(asked, mcp_types.InputRequiredResult)
        yes = mcp_types.ElicitResult(action="accept", content={"approve": True})
        answers: dict[str, Any] = dict.fromkeys(asked.input_requests or {}, yes)
        async with Client(second, mode="2026-07-28", elicitation_callback=_yes) as client:
            said = [
                await client.session.call_tool(
                    "file", {"id": 1}, input_responses=answers, request_state=asked.request_state
                )
                for _ in range(2)
            ]

    assert text_of(said[0]) == "nobody"
    failure = error_of(said[1])
    assert failure
    assert failure.code == "approval_used"
    assert _filed(files) == 1


async def _fail(context: object, params: mcp_types.ElicitRequestParams) -> mcp_types.ErrorData:
    return mcp_types.ErrorData(code=mcp_types.INTERNAL_ERROR, message="no screen")


@pytest.mark.req("ATK-57")
async def test_a_client_that_fails_to_ask_its_person_runs_nothing(files: Shelf, era: str) -> None:
    async with Client(to_server(Approve(files), name="s"), mode=era, elicitation_callback=_fail) as client:
        if era == "legacy":
            failure = error_of(await client.call_tool("file", {"id": 1}))
            assert failure
            assert failure.code == "approval_denied"
        else:
            with pytest.raises(MCPError, match="no screen"):  # it gives up by itself, and never comes back
                await client.call_tool("file", {"id": 1})
    assert _filed(files) == 0


@pytest.mark.req("ATK-57", "APR-08")
async def test_a_client_that_comes_back_without_an_answer_is_told_the_id(files: Shelf) -> None:
    async with Client(to_server(Approve(files), name="s"), mode="2026-07-28", elicitation_callback=_yes) as client:
        asked = await client.session.call_tool("file", {"id": 1}, allow_input_required=True)
        assert isinstance(asked, mcp_types.InputRequiredResult)
        told = await client.session.call_tool("file", {"id": 1}, request_state=asked.request_state)
    failure = error_of(told)
    assert failure
    assert failure.code == "approval_required"
    assert _filed(files) == 0
