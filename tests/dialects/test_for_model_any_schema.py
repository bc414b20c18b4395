"""Schemas that nobody would write: none breaks a dialect, and none becomes what a provider refuses."""

from __future__ import annotations

from typing import Any, get_args

import hypothesis.strategies as st
import jsonschema_rs
import pytest
from hypothesis import given, settings

from made_arguments import arguments_for, unexcused
from mcpbridge import Tool, for_model
from mcpbridge.dialects.rules import Provider
from mcpbridge.openapi.jsontext import is_object
from provider_rules import DRAFT, refusals

NAMES = st.sampled_from(["a", "b", "c-d", "A", "é"])
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, -1, 1.5, "x", "", [], {}, ["a"], [1, "1", None], {"a": 1}, "string", "^a+$", "(", "#", "date-time"]
)
KINDS = st.sampled_from(["object", "string", "array", "integer", "number", "boolean", "null", ["string", "null"]])
VALUES = st.lists(st.sampled_from(["a", "", "1", 1, True, None, 2.5, {"k": 1}, ["x"]]), max_size=4)
REFERENCES = st.sampled_from(["#", "#/$defs/A", "#/properties/a", "#/$defs/b", "#/definitions/a"])
PLAIN = (
    "const", "pattern", "format", "minLength", "maximum", "minItems", "uniqueItems", "description", "default",
    "dependentRequired", "deprecated", "exclusiveMinimum", "nullable", "examples", "minProperties", "x-odd",
)  # fmt: skip


def _keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    many, named = st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)
    right: dict[str, st.SearchStrategy[Any]] = {
        "type": KINDS, "enum": VALUES, "required": st.lists(NAMES, max_size=2), "$ref": REFERENCES,
        **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), many),
        **dict.fromkeys(("properties", "$defs", "definitions", "patternProperties"), named),
        **dict.fromkeys(("items", "not", "if", "additionalProperties", "unevaluatedProperties"), inner),
        **dict.fromkeys(PLAIN, ODD),
    }  # fmt: skip
    return st.fixed_dictionaries({}, optional={key: value | ODD for key, value in right.items()})


SCHEMAS = st.recursive(ODD, _keywords, max_leaves=12)
ROOTS = SCHEMAS.map(lambda schema: schema if is_object(schema) else {"properties": {"x": schema}})


@pytest.mark.req("CTX-04")
@settings(max_examples=150, deadline=None)
@given(schema=ROOTS)
def test_no_schema_becomes_what_a_provider_refuses_or_leads_back_wrong(schema: dict[str, Any]) -> None:
    for provider in get_args(Provider):
        said = for_model([Tool(name="x", input_schema=schema)], provider)
        tool = said.tools["x"]
        assert refusals(provider, said.definitions[0]) == []
        if tool.losses == () and jsonschema_rs.meta.is_valid({**schema, "$schema": DRAFT}):
            made = arguments_for(provider, tool.schema, tries=3)
            assert unexcused(tool, *made) == []
