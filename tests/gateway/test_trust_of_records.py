"""What an upstream says of its own tools counts only where the record says that it is trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcpbridge.config.configuration import read_configuration
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.integrations.registry import Integrations
from mcpbridge.net.guard import ANYWHERE
from mcpbridge.source.answer import error_of
from mcpbridge.store.open import open_store
from mcpbridge.testing.fake import FakeUpstream
from mcpbridge.tools import Call, Caller, Tool

ADA = Caller(tenant="acme", user="ada")
LOOK = Call(name="up__look", caller=ADA)


def upstream() -> FakeUpstream:
    """It says of its tools that they only read."""
    hint = {"annotations": {"readOnlyHint": True}}
    return FakeUpstream.from_tools([Tool(name=name, access="read", extra=hint) for name in ("look", "peek")])


async def code_of(gateway: Gateway) -> str:
    failure = error_of(await gateway.call(LOOK))
    return failure.code if failure else ""


@pytest.mark.req("APR-02", "ATK-32")
async def test_a_record_that_somebody_made_is_not_trusted_until_somebody_says_so() -> None:
    fake = upstream()
    async with fake.listening() as url, open_store(":memory:") as store:
        integrations = Integrations(store)
        await integrations.create(ADA, {"name": "up", "protocol": "mcp", "url": f"{url}/mcp"})
        async with Gateway(integrations, guard=ANYWHERE) as gateway:
            assert await code_of(gateway) == "approval_required"
            assert not fake.called
            await integrations.update(ADA, "up", {"trusted": True})
            await gateway.refresh("acme")
            assert await code_of(gateway) == ""


@pytest.mark.req("APR-02", "ATK-32")
async def test_a_person_may_label_one_tool_of_what_is_not_trusted() -> None:
    async with upstream().listening() as url, open_store(":memory:") as store:
        integrations = Integrations(store)
        tools = {"approval": {"look": "auto"}}
        await integrations.create(ADA, {"name": "up", "protocol": "mcp", "url": f"{url}/mcp", "tools": tools})
        async with Gateway(integrations, guard=ANYWHERE) as gateway:
            peeked = error_of(await gateway.call(Call(name="up__peek", caller=ADA)))

            assert await code_of(gateway) == ""
            assert peeked is not None
            assert peeked.code == "approval_required"


@pytest.mark.req("APR-02")
@pytest.mark.parametrize(("said", "code"), [("", "approval_required"), ("\n    trusted: true", "")])
async def test_the_operators_file_is_trusted_as_it_says(tmp_path: Path, said: str, code: str) -> None:
    path = tmp_path / "gateway.yaml"
    async with upstream().listening() as url:
        path.write_text(f"integrations:\n  - name: up\n    protocol: mcp\n    url: {url}/mcp{said}\n", "utf-8")
        records: Any = read_configuration(path).integrations
        async with Gateway(records) as gateway:
            assert await code_of(gateway) == code
