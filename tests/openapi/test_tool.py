from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from describe import read

from mcpbridge.openapi.operation import Hint, Operation, Parameter, Place
from mcpbridge.openapi.tool import DESCRIPTION_LENGTH, describe, output_of, to_tool
from mcpbridge.openapi.wording import clean, line


def answering(schema: Any, **more: Any) -> Operation:
    return read({"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}, **more)


@pytest.mark.req("OAS-13")
@pytest.mark.parametrize(
    ("summary", "text", "wanted"),
    [
        ("List things", "", "List things."),
        ("", "Lists all things. And more.\n\nMuch more.", "Lists all things."),
        ("List things", "Gives them sorted. And more.", "List things. Gives them sorted."),
        ("List things", "List things that are there.", "List things that are there."),
        (
            "",
            "## Heading\n\nSee [the docs](https://x.y) for <b>more</b>, e.g. This one.",
            "See the docs for more, e.g. This one.",
        ),
        ("", "", "POST /things."),
        ("What?", "", "What?"),
    ],
)
def test_a_description_is_one_usable_sentence_first(summary: str, text: str, wanted: str) -> None:
    assert describe(read({"summary": summary, "description": text})) == wanted


@pytest.mark.req("OAS-13", "OAS-21")
def test_a_description_has_a_bounded_length_and_says_what_is_deprecated() -> None:
    operation = read({"description": "word " * 1000, "deprecated": True})

    assert len(describe(operation)) <= DESCRIPTION_LENGTH + len("Deprecated. ")
    assert describe(operation).startswith("Deprecated. word")
    assert operation.description == "word " * 1000


@pytest.mark.req("ATK-15", "OAS-13")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\u200bb\u202ec\U000e0041d", "abcd"),
        ("a\x1b[31mred\x1b[0m\x07", "ared"),
        ("<IMPORTANT>obey</IMPORTANT>", "obey"),
        ("<!-- hidden -->shown<script>bad()</script>", "shown"),
        ("a <b>b</b> <your-id> &amp; List<String>", "a b <your-id> & List<String>"),
        ("![alt](a.png) [t](u) [![x](y)](z)", "alt t x"),
        ("tab\tand\nline", "tab and line"),
    ],
)
def test_markup_and_invisible_characters_go(text: str, wanted: str) -> None:
    assert line(text) == wanted


@pytest.mark.req("ATK-15")
def test_schemas_are_cleaned_too() -> None:
    operation = read({"parameters": [{"name": "a", "in": "query", "schema": {"description": "x\u200b\U000e0041y"}}]})

    assert operation.parameters[0].schema == {"description": "xy"}
    assert clean("plain text") == "plain text"


@pytest.mark.req("OAS-12")
def test_title_and_annotations_are_passed_on() -> None:
    tool = to_tool(read({"summary": "Make a thing"}))

    assert tool.extra == {
        "title": "Make a thing",
        "annotations": {
            "readOnlyHint": False,
            "destructiveHint": True,
            "idempotentHint": False,
            "openWorldHint": True,
        },
    }
    own = replace(read(), hints={"title": Hint(value="Own", source="host")})
    assert to_tool(own).extra == {"title": "Own"}


@pytest.mark.req("OAS-06")
def test_an_operation_without_arguments_takes_an_empty_object() -> None:
    assert to_tool(read()).input_schema == {"type": "object", "properties": {}, "additionalProperties": False}


@pytest.mark.req("OAS-15")
def test_output_schemas_are_on_demand_and_relaxed() -> None:
    schemas = {"A": {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 3}}}}
    schema = {
        "allOf": [{"$ref": "#/components/schemas/A"}],
        "properties": {
            "b": {"$ref": "#/components/schemas/A"},
            "c": {"enum": [1]},
            "d": {"type": "string", "nullable": True},
        },
        "required": ["b"],
    }

    operation = answering(schema, schemas=schemas)

    assert to_tool(operation).output_schema is None
    assert to_tool(operation, output_schema=True).output_schema == {
        "type": "object",
        "properties": {
            "b": {"type": ["object", "null"]},
            "c": {},
            "d": {"type": ["string", "null"]},
            "a": {"type": ["integer", "null"]},
        },
    }


@pytest.mark.req("OAS-15")
@pytest.mark.parametrize("schema", [{"type": "array"}, {"type": "string"}, {}, {"oneOf": [{"type": "string"}]}])
def test_an_answer_that_is_no_object_has_no_output_schema(schema: Any) -> None:
    assert output_of(answering(schema)) is None


@pytest.mark.req("OAS-15")
def test_the_relaxed_form_is_the_same_by_reference() -> None:
    shape = {"type": "object", "properties": {"a": {"type": "array", "items": {"$ref": "#/components/schemas/A"}}}}

    assert output_of(answering({"$ref": "#/components/schemas/A"}, schemas={"A": shape})) == output_of(
        answering(shape, schemas={"A": shape})
    )


@pytest.mark.req("OAS-19")
def test_an_operation_made_by_hand_becomes_the_same_kind_of_tool() -> None:
    place = Place(where="query", name="q")
    parameter = Parameter(argument="q", place=place, schema={"$ref": "#/$defs/A"}, description="What to find.")
    operation = Operation(
        name="find", method="GET", path="/find", access="read", title="Find", parameters=(parameter,),
        arguments={"q": place}, definitions={"A": {"items": {"$ref": "#/$defs/B"}}, "B": {"type": "string"}, "C": {}},
        output={"type": "object", "properties": {"a": {"$ref": "#/$defs/B"}}},
    )  # fmt: skip

    tool = to_tool(operation, output_schema=True)

    assert tool.input_schema["properties"] == {"q": {"$ref": "#/$defs/A", "description": "What to find."}}
    assert sorted(tool.input_schema["$defs"]) == ["A", "B"]
    assert tool.output_schema == {"type": "object", "properties": {"a": {"type": ["string", "null"]}}}
