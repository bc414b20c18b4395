"""Some tools of real descriptions in each provider's words; `tests/judges/test_judge_dialects.py` takes all of them."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from made_arguments import arguments_for, unexcused
from mcpbridge import Document, for_model, read_operations, to_tool
from mcpbridge.dialects.rules import Provider
from provider_rules import refusals

pytestmark = [pytest.mark.corpus, pytest.mark.req("CTX-04")]

SOME = {"github-api.json": 60, "stripe-spec3.json": 40, "kubernetes-swagger.json": 90, "notion.json": 2}
"""Descriptions, and each how manyth tool is taken."""


@pytest.mark.parametrize(("name", "step"), SOME.items())
@pytest.mark.parametrize("provider", get_args(Provider))
def test_real_tools_are_accepted_and_their_arguments_lead_back(
    corpus: Path, name: str, step: int, provider: Provider
) -> None:
    tools = [to_tool(operation) for operation in read_operations(Document.parse(corpus / name))][::step]
    said = for_model(tools, provider)

    for definition, tool in zip(said.definitions, said.tools.values(), strict=True):
        made = [*arguments_for(provider, tool.schema, tries=3)]
        assert refusals(provider, definition) == []
        assert made
        assert unexcused(tool, *made) == []
