"""Every tool of every real description in each provider's words: none is refused, and arguments lead back."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from made_arguments import arguments_for, unexcused
from mcpbridge import Document, Tool, for_model, read_operations, to_tool
from mcpbridge.dialects.rules import Provider
from provider_rules import refusals

pytestmark = pytest.mark.req("CTX-04")


@pytest.fixture(scope="module")
def tools(corpus: Path) -> dict[str, list[Tool]]:
    rows = [line.split("\t") for line in (corpus.parent / "MANIFEST.tsv").read_text("utf-8").splitlines()[1:]]
    names = [row[1] for row in rows if row[0] == "dev"]
    return {
        name: [to_tool(operation) for operation in read_operations(Document.parse(corpus / name))] for name in names
    }


@pytest.mark.parametrize("provider", get_args(Provider))
def test_every_real_tool_is_accepted_and_its_arguments_lead_back(
    tools: dict[str, list[Tool]], provider: Provider
) -> None:
    wrong: list[str] = []
    bare = count = 0
    for name, listed in tools.items():
        said = for_model(listed, provider)
        for definition, tool in zip(said.definitions, said.tools.values(), strict=True):
            count += 1
            made = [*arguments_for(provider, tool.schema, tries=3)]
            bare += not made
            reasons = [*refusals(provider, definition), *unexcused(tool, *made)]
            wrong += [f"{name} {tool.name}: {reason}" for reason in reasons]

    assert wrong == []
    assert count > 14_000
    assert bare < count / 100, "the generator makes arguments of too few tools"
