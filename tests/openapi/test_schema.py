from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from describe import Raw, converted, description, json_body, messages, operation_of, read, schema_of

from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool

NULL = {"type": "null"}


@pytest.mark.req("OAS-06")
@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": "true"}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        ({"enum": ["a"], "nullable": True}, {"enum": ["a", None]}),
        ({"oneOf": [{"type": "string"}], "nullable": True}, {"oneOf": [{"type": "string"}, NULL]}),
        ({"allOf": [{"type": "string"}], "nullable": True}, {"anyOf": [{"allOf": [{"type": "string"}]}, NULL]}),
        ({"nullable": True}, {}),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, {"type": "number", "exclusiveMinimum": 1}),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": False}, {"type": "number", "minimum": 1}),
        ({"type": "number", "exclusiveMaximum": 5}, {"type": "number", "exclusiveMaximum": 5}),
        ({"type": "string", "example": "x"}, {"type": "string", "examples": ["x"]}),
        ({"type": "string", "example": "x" * 200}, {"type": "string"}),
        ({"type": "string", "examples": ["a", "b", "c"]}, {"type": "string", "examples": ["a", "b"]}),
        ({"type": "string", "xml": {"name": "a"}, "externalDocs": {}, "x-mine": 1}, {"type": "string"}),
        ({"type": "array", "items": [{"type": "string"}]}, {"type": "array", "prefixItems": [{"type": "string"}]}),
        ({"type": "file"}, {"type": "string", "format": "binary"}),
    ],
)
def test_what_openapi_says_is_said_in_json_schema(raw: Raw, wanted: Raw) -> None:
    assert converted(raw) == wanted


@pytest.mark.req("OAS-07")
def test_constraints_and_annotations_survive() -> None:
    schema = {
        "type": "string", "description": "d", "enum": ["a", "b"], "default": "a", "pattern": "^[ab]$", "minLength": 1,
        "maxLength": 1, "format": "custom", "deprecated": True, "const": "a",
    }  # fmt: skip
    numbers = {"type": "number", "minimum": 0, "maximum": 10.5, "multipleOf": 0.5, "default": None}
    items = {"type": "array", "items": schema, "minItems": 1, "maxItems": 2, "uniqueItems": True}
    members = {"type": "object", "properties": {"a": items}, "required": ["a"], "additionalProperties": numbers,
               "minProperties": 1, "maxProperties": 3, "patternProperties": {"^x": {"type": "null"}},
               "propertyNames": {"maxLength": 3}, "not": {"required": ["b"]}}  # fmt: skip

    assert converted(members, version="3.1.0") == members


@pytest.mark.req("OAS-02", "OAS-07")
@pytest.mark.parametrize(
    ("raw", "wanted", "word"),
    [
        ({"type": "int"}, {"type": "integer"}, "'int' is no type"),
        ({"type": "datetime"}, {"type": "string", "format": "date-time"}, "'datetime' is no type"),
        ({"type": "String"}, {"type": "string"}, "'String' is no type"),
        ({"type": "wrong"}, {}, "'wrong' is no type"),
        ({"type": 5}, {}, "the type is 5"),
        ({"type": "string", "enum": []}, {"type": "string"}, "empty"),
        ({"type": "string", "enum": [1, True, "x"]}, {"type": "string", "enum": ["1", "true", "x"]}, "not of type"),
        ({"type": "integer", "enum": ["1", "2"]}, {"type": "integer", "enum": [1, 2]}, "not of type"),
        ({"type": "integer", "enum": ["1 - one"]}, {"enum": ["1 - one"]}, "not of type"),
        ({"oneOf": []}, {}, "'oneOf'"),
        ({"allOf": {"type": "string"}}, {"allOf": [{"type": "string"}]}, "no list"),
        ({"pattern": "("}, {}, "cannot be run"),
        ({"pattern": 5}, {}, "'pattern' cannot be 5"),
        ({"minLength": -1}, {}, "'minLength' cannot be -1"),
        ({"minLength": "x"}, {}, "'minLength' cannot be 'x'"),
        ({"multipleOf": 0}, {}, "'multipleOf' cannot be 0"),
        ({"properties": 5}, {}, "'properties' cannot be"),
        ({"properties": {"a": "text"}}, {"properties": {"a": {}}}, "cannot be a str"),
        ({"required": True}, {}, "list of property names"),
        ({"required": ["a", "a"]}, {"required": ["a"]}, "twice"),
    ],
)
def test_what_is_wrong_is_repaired_and_reported(raw: Raw, wanted: Raw, word: str) -> None:
    assert converted(raw) == wanted
    root = description({"parameters": [{"name": "v", "in": "query", "schema": raw}]})
    assert any(word in message for message in messages(root))


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ({"minLength": "5", "maximum": "2.5"}, {"minLength": 5, "maximum": 2.5}),
        ({"type": ["string", None]}, {"type": ["string", "null"]}),
        ({"additionalProperties": "false"}, {"additionalProperties": False}),
        ({"properties": {"a": None}}, {"properties": {"a": {}}}),
        ({"dependencies": {"a": ["b"], "c": {"type": "object"}}},
         {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"type": "object"}}}),
        ({"title": "Name", "description": "d"}, {"description": "d"}),
        ({"title": "Name"}, {"title": "Name"}),
    ],
)  # fmt: skip
def test_near_misses_are_read_as_they_are_meant(raw: Raw, wanted: Raw) -> None:
    assert converted(raw) == wanted


@pytest.mark.req("OAS-06")
def test_what_stands_beside_a_reference_counts_as_its_dialect_says() -> None:
    raw = {"$ref": "#/components/schemas/A", "description": "d", "maxLength": 3}
    schemas = {"A": {"type": "string"}}

    assert converted(raw, schemas=schemas) == {"$ref": "#/$defs/A", "description": "d"}
    assert converted(raw, schemas=schemas, version="3.1.0") == {"$ref": "#/$defs/A", "description": "d", "maxLength": 3}
    assert converted({**raw, "nullable": True}, schemas=schemas) == {
        "description": "d",
        "anyOf": [{"$ref": "#/$defs/A"}, NULL],
    }


def directed() -> Raw:
    return {
        "type": "object",
        "required": ["id", "name", "secret"],
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "stamp": {"$ref": "#/components/schemas/Stamp"},
            "name": {"type": "string"},
            "secret": {"type": "string", "writeOnly": True},
        },
    }


def both(schema: Any) -> Raw:
    answer = {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}
    schemas = {"Stamp": {"type": "string", "readOnly": True}, "Thing": directed()}
    return description({**json_body(schema), **answer}, schemas=schemas)


@pytest.mark.req("OAS-06")
def test_read_only_leaves_inputs_and_write_only_leaves_outputs() -> None:
    operation = operation_of(both({"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}))

    sent, answered = operation.definitions["Thing"], operation.definitions["Thing.out"]

    assert not isinstance(sent, bool)
    assert not isinstance(answered, bool)
    assert (list(sent["properties"]), sent["required"]) == (["name", "secret"], ["name", "secret"])
    assert (list(answered["properties"]), answered["required"]) == (["id", "stamp", "name"], ["id", "name"])


@pytest.mark.req("OAS-06")
@pytest.mark.parametrize(("version", "sent"), [("3.0.3", ["kind", "name"]), ("3.1.0", ["name"])])
def test_read_only_inside_all_of_counts_where_json_schema_says_so(version: str, sent: list[str]) -> None:
    members = {"kind": {"allOf": [{"type": "string"}, {"readOnly": True}]}, "name": {"type": "string"}}
    root = description(json_body({"type": "object", "properties": members}), version=version)
    assert [*operation_of(root).arguments] == sent


@pytest.mark.req("OAS-06")
def test_required_follows_across_all_of() -> None:
    schema = {"allOf": [{"$ref": "#/components/schemas/Thing"}, {"required": ["id", "name"]}]}

    assert schema_of(operation_of(both(schema)))["required"] == ["name", "secret"]


@pytest.mark.req("OAS-05")
def test_without_directions_inputs_and_answers_share_definitions() -> None:
    text = (
        '{"openapi": "3.0.0", "paths": {"/a": {"post": {"requestBody": {"content": {"application/json": {"schema": '
        '{"type": "array", "items": {"$ref": "#/components/schemas/A"}}}}}, "responses": {"200": {"content": '
        '{"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}}}}, '
        '"components": {"schemas": {"A": {"type": "object"}}}}'
    )

    (operation,) = read_operations(Document.parse(text))

    assert operation.output == {"$ref": "#/$defs/A"}
    assert schema_of(operation)["$defs"] == {"A": {"type": "object"}}


@pytest.mark.req("OAS-05")
def test_definitions_are_shared_between_tools_and_only_those_that_are_reached() -> None:
    schemas = {"A": {"properties": {"b": {"$ref": "#/components/schemas/B"}}}, "B": {"type": "array"}, "C": {}}
    post = json_body({"type": "array", "items": {"$ref": "#/components/schemas/A"}})
    root = description(post, item={"put": post}, schemas=schemas)

    first, second = map(to_tool, read_operations(Document.parse(root)))

    assert sorted(first.input_schema["$defs"]) == ["A", "B"]
    assert first.input_schema["$defs"]["A"] is second.input_schema["$defs"]["A"]


@pytest.mark.req("OAS-05")
def test_names_of_definitions_do_not_depend_on_order() -> None:
    inner = {"$ref": "#/paths/~1things/post/requestBody/content/application~1json/schema"}
    root = description(json_body({"type": "array", "items": {"type": "string"}}), item={"put": json_body(inner)})
    turned = {**root, "paths": {"/things": dict(reversed(root["paths"]["/things"].items()))}}

    one = {each.method: schema_of(each) for each in read_operations(Document.parse(root))}
    other = {each.method: schema_of(each) for each in read_operations(Document.parse(turned))}

    assert one == other


FAMILY = {
    "Pet": {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string"}},
        "discriminator": {"propertyName": "kind", "mapping": {"cat": "Cat", "dog": "#/components/schemas/Dog"}},
    },
    "Cat": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"properties": {"lives": {"type": "integer"}}}]},
    "Dog": {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"properties": {"tail": {"type": "boolean"}}}]},
}


@pytest.mark.req("OAS-06")
def test_the_heirs_that_a_discriminator_names_can_be_sent() -> None:
    schema = schema_of(read(json_body({"$ref": "#/components/schemas/Pet"}), schemas=FAMILY))

    assert schema["$defs"]["Pet"]["description"] == "Chosen by kind: cat, dog."
    assert {"Cat", "Dog", "Pet", "Pet.base"} == schema["$defs"].keys()
    judge = jsonschema_rs.validator_for(dict(schema))
    assert judge.is_valid({"body": {"kind": "cat", "lives": 9}})
    assert not judge.is_valid({"body": {"lives": 9}})


@pytest.mark.req("OAS-06")
def test_alternatives_with_a_discriminator_may_overlap() -> None:
    schema: Raw = {
        "oneOf": [{"type": "object"}, {"type": "object", "properties": {"a": {}}}],
        "discriminator": {"propertyName": "a"},
    }

    made = converted(schema)

    assert made["anyOf"] == [{"type": "object"}, {"type": "object", "properties": {"a": {}}}]
    assert "oneOf" not in made


@pytest.mark.req("ATK-13", "OAS-07")
def test_a_pattern_that_would_never_end_is_judged_quickly() -> None:
    schema = converted({"type": "string", "pattern": "^(a+)+$"})

    assert schema["pattern"] == "^(a+)+$"
    assert not jsonschema_rs.validator_for(schema).is_valid("a" * 100_000 + "!")


@pytest.mark.req("OAS-07")
@pytest.mark.parametrize(
    "pattern", [r"^\p{L}+$", "^(?!x)[a-z]+$", r"^\d{3,}$", r"^[\w.+-]+@x\.y$", "a|b", r"\/x", "^[^<>]*$"]
)
def test_patterns_that_run_are_kept(pattern: str) -> None:
    assert converted({"pattern": pattern}) == {"pattern": pattern}
