"""`validate`: what each step finds, and what it says to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcpbridge.gateway.checking import check_integration
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.gateway.report import Report
from mcpbridge.integrations.auth import Use
from mcpbridge.integrations.record import Integration
from mcpbridge.net.guard import PUBLIC
from mcpbridge.testing.fake import FakeUpstream
from mcpbridge.testing.faults import Fault
from mcpbridge.tools import ANYONE, Tool

Books = Callable[..., dict[str, Any]]


async def check(record: Integration, use: Use | None = None) -> Report:
    return await check_integration(record, use or Use(integration=record.name), caller=ANYONE)


def outcomes(report: Report) -> dict[str, str]:
    return {step.name: step.outcome for step in report.steps}


@pytest.mark.req("INT-06")
async def test_what_works_passes_every_step_and_is_warned_of_open_writes(books: Books) -> None:
    report = await check(Integration(**books(auth={"type": "bearer", "token": "any"})))

    assert report.ok
    assert outcomes(report) == {
        "address": "passed",
        "tls": "skipped",
        "auth": "passed",
        "listing": "passed",
        "lint": "passed",
        "exposure": "warning",
        "probe": "passed",
    }
    assert "open to all agents: remove_book" in report.step("exposure").message


@pytest.mark.req("INT-06")
async def test_writes_of_named_agents_are_no_warning(books: Books) -> None:
    assert (await check(Integration(**books(agents=["clerk"])))).step("exposure").outcome == "passed"


@pytest.mark.req("INT-06")
async def test_an_integration_is_checked_while_it_is_switched_off(books: Books) -> None:
    async with Gateway([Integration(**books(enabled=False))]) as gateway:
        assert (await gateway.validate(ANYONE, "books")).ok


@pytest.mark.req("INT-06")
async def test_an_address_that_does_not_answer_ends_the_rest() -> None:
    report = await check(Integration(name="dead", protocol="mcp", url="http://127.0.0.1:9/mcp"))

    assert not report.ok
    assert report.step("address").code == "unreachable"
    assert "Check that it runs" in report.step("address").hint
    assert {step.outcome for step in report.steps[1:]} == {"skipped"}


@pytest.mark.req("INT-06")
async def test_a_certificate_that_is_none_is_told_apart_from_an_address(books: Books, shop_url: str) -> None:
    report = await check(Integration(**books(base_url=shop_url.replace("http:", "https:"))))

    assert (report.step("address").outcome, report.step("tls").code) == ("passed", "tls")
    assert "certificate" in report.step("tls").hint


@pytest.mark.req("INT-06")
@pytest.mark.parametrize("protocol", ["rest", "mcp"])
async def test_a_refused_credential_is_a_failed_auth(protocol: str) -> None:
    fake = FakeUpstream.from_tools([Tool(name="look", access="read")])
    fake.always(Fault.status(401))
    look = {"name": "look", "method": "GET", "path": "/look"}
    async with fake.listening() as url:
        where: dict[str, Any] = {"base_url": url, "operations": [look]} if protocol == "rest" else {"url": f"{url}/mcp"}
        auth = {"type": "bearer", "token": "stale-token"}
        report = await check(Integration(name="api", protocol=protocol, auth=auth, **where))

    assert report.step("auth").outcome == "failed"
    assert report.step("auth").hint
    assert "stale-token" not in repr(report)


@pytest.mark.req("INT-06", "ATK-03")
async def test_a_record_that_somebody_made_is_checked_under_the_guard(books: Books) -> None:
    report = await check(Integration(**books()), Use(integration="books", guard=PUBLIC))

    assert report.step("address").code == "address_refused"


@pytest.mark.req("INT-06")
async def test_a_description_that_can_not_be_read_fails_the_listing(shop_url: str, tmp_path: Path) -> None:
    record = Integration(name="api", protocol="rest", base_url=shop_url, openapi=str(tmp_path / "none.json"))

    assert (await check(record)).step("listing").code == "description"


@pytest.mark.req("INT-06")
async def test_a_command_that_is_not_there_is_told() -> None:
    record = Integration(name="child", protocol="mcp", transport="stdio", command="no-such-command-here")

    assert "there is no command 'no-such-command-here'" in (await check(record)).step("address").message


@pytest.mark.req("INT-06")
async def test_the_probe_calls_nothing_that_writes() -> None:
    fake = FakeUpstream.from_tools([Tool(name="drop", access="write")])
    async with fake.listening() as url:
        report = await check(Integration(name="up", protocol="mcp", url=f"{url}/mcp", trusted=True))

    assert report.step("probe").outcome == "skipped"
    assert not fake.called


def test_a_report_is_json(books: Books) -> None:
    shown = Report(name="books", steps=()).to_json()

    assert shown == {"integration": "books", "ok": True, "steps": []}
