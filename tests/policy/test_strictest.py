"""Several policies are as strict as the strictest of them."""

from __future__ import annotations

import asyncio
import itertools
import logging
from typing import Any

import pytest

from contract import Things
from mcpbridge.errors import ConfigError
from mcpbridge.policy import Allow, Ask, Deny, Policy, Ruling, read_only, reads_run_writes_ask, rule, strictest
from mcpbridge.tools import ANYONE, Call, Tool
from mcpbridge.wrap.approve import Approve

READ, WRITE = Tool(name="r", access="read"), Tool(name="w", access="write")
CALL = Call(name="x")
STRICT = {Allow: 0, Ask: 1, Deny: 2}


def says(ruling: Ruling) -> Policy:
    return lambda _call, _tool: ruling


def raises(_call: Call, _tool: Tool) -> Ruling:
    raise RuntimeError("hunter2")


async def hangs(_call: Call, _tool: Tool) -> Ruling:
    await asyncio.Event().wait()
    return Allow()


def nonsense(_call: Call, _tool: Tool) -> Any:
    return "allow"


@pytest.mark.req("VIS-06")
@pytest.mark.parametrize("kinds", [*itertools.product(STRICT, repeat=3)])
async def test_the_strictest_decides(kinds: tuple[type[Allow] | type[Ask] | type[Deny], ...]) -> None:
    ruling = await rule(strictest(*(says(kind(reason=str(at))) for at, kind in enumerate(kinds))), CALL, READ)

    strict = max(kinds, key=STRICT.__getitem__)
    assert ruling == strict(reason=str(kinds.index(strict)))


@pytest.mark.req("VIS-06", "ATK-53")
@pytest.mark.parametrize(("policy", "code"), [(raises, "policy_raised"), (nonsense, "policy_invalid")])
async def test_one_that_fails_denies_with_a_code(policy: Policy, code: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    ruling = await rule(strictest(reads_run_writes_ask, policy), CALL, READ)

    assert isinstance(ruling, Deny)
    assert ruling.code == code


@pytest.mark.req("VIS-06", "ATK-53")
async def test_one_that_hangs_denies_with_a_code(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    ruling = await rule(strictest(hangs), CALL, READ, seconds=0.01)

    assert isinstance(ruling, Deny)
    assert ruling.code == "policy_timeout"


async def test_what_comes_after_a_denial_is_not_asked() -> None:
    assert await rule(strictest(read_only, raises), CALL, WRITE) == read_only(CALL, WRITE)


def test_what_is_no_policy_is_refused() -> None:
    with pytest.raises(ConfigError, match="give one at least"):
        strictest()
    with pytest.raises(ConfigError, match="'read_only' is no policy"):
        strictest("read_only")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # the fault that is tested


@pytest.mark.req("VIS-05", "ATK-53")
@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (reads_run_writes_ask, ("Approve", True, "asks")),
        (read_only, ("Approve", False, "policy_denied")),
        (raises, ("Approve", False, "policy_raised")),
        (says(Deny(reason="frozen", code="release_freeze")), ("Approve", False, "release_freeze")),
    ],
)
async def test_explain_tells_what_the_policy_decides(
    policy: Policy, told: tuple[str, bool, str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)

    verdict = (await Approve(Things(), policy).explain("write_it", ANYONE))[-1]

    assert (verdict.layer, verdict.allowed, verdict.code) == told
