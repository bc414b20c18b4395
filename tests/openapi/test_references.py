from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from describe import Raw, description, json_body, messages, operation_of, schema_of

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.limits import ReadLimits
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool


def body_of(root: Raw) -> Any:
    """The input schema of the one operation, which a validator can compile."""
    schema = schema_of(operation_of(root))
    jsonschema_rs.validator_for({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})
    return schema


def named(ref: str, schemas: Raw, **more: Any) -> Raw:
    return description(json_body({"$ref": ref}), schemas=schemas, **more)


@pytest.mark.req("OAS-03")
def test_pointers_are_unescaped() -> None:
    schema = body_of(named("#/components/schemas/a~1b~0c%20d", {"a/b~c d": {"type": "array"}}))

    (definition,) = schema["$defs"].values()
    assert definition == {"type": "array"}


@pytest.mark.req("OAS-03")
def test_a_pointer_goes_on_through_references() -> None:
    schemas = {"A": {"$ref": "#/components/schemas/B"}, "B": {"properties": {"x": {"type": "integer"}}}}

    schema = body_of(named("#/components/schemas/A/properties/x", schemas))

    assert list(schema["$defs"].values()) == [{"type": "integer"}]


@pytest.mark.req("OAS-03")
def test_a_dangling_reference_accepts_anything_and_is_reported() -> None:
    root = named("#/components/schemas/Gone", {})

    assert schema_of(operation_of(root))["properties"]["body"] == {}
    assert ["'#/components/schemas/Gone' cannot be resolved" in each for each in messages(root)] == [True]


@pytest.mark.req("ATK-01", "OAS-03")
@pytest.mark.parametrize("ref", ["http://127.0.0.1:1/x", "https://example.com/a.json#/b", "//evil/x", "ftp://a/b"])
def test_nothing_is_fetched_for_a_reference(ref: str) -> None:
    assert "cannot be resolved" in messages(named(ref, {}))[0]


@pytest.mark.req("OAS-03")
def test_what_the_host_retrieves_is_read() -> None:
    asked: list[str] = []

    def retrieve(address: str) -> str:
        asked.append(address)
        return "A: {type: array}\nB: {$ref: '#/A'}"

    root = named("more/parts.yaml#/B", {})
    document = Document.parse(root, origin="https://api.example.com/v1/api.json", retrieve=retrieve)

    (tool,) = map(to_tool, read_operations(document))
    assert asked == ["https://api.example.com/v1/more/parts.yaml"]
    assert list(tool.input_schema["$defs"].values()) == [{"type": "array"}]
    assert document.problems == ()


@pytest.mark.req("ATK-02", "OAS-03")
@pytest.mark.parametrize(
    "ref",
    [
        "file:///etc/passwd",
        "../secret.yaml",
        "/etc/passwd",
        "link.yaml",
        "folder/../../secret.yaml",
        "..%2fsecret.yaml",
    ],
)
def test_nothing_outside_the_folder_is_read(tmp_path: Path, ref: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.yaml").write_text("type: hush-hush")
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (inside / "api.yaml").write_text(str(named(ref, {})))

    document = Document.parse(inside / "api.yaml")
    (tool,) = map(to_tool, read_operations(document))

    assert tool.input_schema["properties"]["body"] == {}
    assert "own folder" in document.problems[0].message
    assert not any(word in document.problems[0].message for word in ("hush", "root:"))


@pytest.mark.req("OAS-03")
def test_a_description_of_several_files_is_read_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/pet.yml").write_text("properties: {owner: {$ref: owner.yml#/Owner}}")
    (tmp_path / "models/owner.yml").write_text("Owner: {type: object, properties: {pets: {items: {$ref: pet.yml}}}}")
    (tmp_path / "item.yml").write_text("post: {operationId: act, requestBody: {$ref: 'body.yml'}}")
    (tmp_path / "body.yml").write_text("required: true\ncontent: {application/json: {schema: {$ref: models/pet.yml}}}")
    (tmp_path / "api.yml").write_text("openapi: 3.0.0\ninfo: {title: t}\npaths: {/a: {$ref: item.yml}}")

    document = Document.parse(tmp_path / "api.yml")
    (tool,) = map(to_tool, read_operations(document))

    assert document.problems == ()
    assert list(tool.input_schema["properties"]) == ["owner"]
    assert sorted(name.partition("_")[0] for name in tool.input_schema["$defs"]) == ["Owner", "pet"]


@pytest.mark.req("OAS-18")
def test_the_files_of_a_description_count_together(tmp_path: Path) -> None:
    (tmp_path / "large.yml").write_text("type: object #" + " " * 900)
    (tmp_path / "api.json").write_text('{"openapi": "3.0.0", "paths": {"/a": {"$ref": "large.yml"}}}')

    with pytest.raises(DescriptionError, match="larger than"):
        Document.parse(tmp_path / "api.json", limits=ReadLimits(bytes=800), strict=True)


@pytest.mark.req("OAS-05", "ATK-09")
@pytest.mark.parametrize(
    "schemas",
    [
        {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}},
        {"A": {"$ref": "#/components/schemas/A"}},
        {"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}},
        {"A": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/B"}]},
         "B": {"oneOf": [{"$ref": "#/components/schemas/A"}]}},
        {"A": {"not": {"$ref": "#/components/schemas/A"}}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_a_circle_without_a_step_into_the_value_is_opened_and_reported(schemas: Raw, version: str) -> None:
    root = named("#/components/schemas/A", schemas, version=version)

    schema = body_of(root)

    jsonschema_rs.validator_for(dict(schema)).is_valid({"body": {"a": 1}})
    assert messages(root)


@pytest.mark.req("OAS-05")
def test_a_recursive_schema_is_finite() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}, "value": {}}}

    schema = body_of(
        description(
            json_body({"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}), schemas={"Tree": tree}
        )
    )

    assert schema["$defs"]["Tree"]["properties"]["left"] == {"$ref": "#/$defs/Tree"}
    judge = jsonschema_rs.validator_for(schema)
    assert judge.is_valid({"body": [{"left": {"left": {}}}]})
    assert not judge.is_valid({"body": [{"left": {"left": 1}}]})


@pytest.mark.req("ATK-09")
@pytest.mark.parametrize("wrap", ["plain", "allOf", "properties"])
def test_a_chain_of_five_thousand_references_is_bounded(wrap: str) -> None:
    def step(ref: Raw) -> Raw:
        return {"plain": ref, "allOf": {"allOf": [ref]}, "properties": {"properties": {"p": ref}}}[wrap]

    schemas = {f"S{n}": step({"$ref": f"#/components/schemas/S{n + 1}"}) for n in range(5000)}

    schema = schema_of(operation_of(named("#/components/schemas/S0", {**schemas, "S5000": {"type": "string"}})))

    jsonschema_rs.validator_for(dict(schema)).is_valid({"body": {"p": {"p": 1}}})


def test_schemas_nested_deep_are_cut_into_definitions() -> None:
    schema: Raw = {"type": "string"}
    for _ in range(300):
        schema = {"type": "object", "properties": {"p": schema}, "additionalProperties": {}}
    value: Any = 1
    for _ in range(200):
        value = {"p": value}

    made = body_of(description(json_body(schema)))

    assert not jsonschema_rs.validator_for(made).is_valid({"body": value})
    assert len(made["$defs"]) > 4


@pytest.mark.req("OAS-03")
@pytest.mark.parametrize("ref", ["#pet", "https://example.com/pet", "pet"])
def test_identifiers_and_anchors_are_found(ref: str) -> None:
    schemas = {"A": {"$id": "https://example.com/pet", "$anchor": "pet", "items": {"$ref": "#/$defs/x"},
                     "$defs": {"x": {"type": "integer"}}},
               "B": {"$anchor": "pet", "type": "array", "items": {"$ref": "#/components/schemas/C"}},
               "C": {"type": "integer"}}  # fmt: skip
    root = named(ref, schemas, version="3.1.0")

    (operation,) = read_operations(Document.parse(root, origin="https://example.com/api.json"))

    judge = jsonschema_rs.validator_for(dict(schema_of(operation)))
    assert judge.is_valid({"body": [1]})
    assert not judge.is_valid({"body": ["x"]})


@pytest.mark.req("OAS-03")
def test_self_is_where_references_start_in_3_2() -> None:
    root = named("https://example.com/api#/components/schemas/A", {"A": {"type": "array"}}, version="3.2.0")

    assert body_of({**root, "$self": "https://example.com/api"})["$defs"] == {"A": {"type": "array"}}


def test_a_member_named_ref_is_a_member() -> None:
    schema = body_of(description(json_body({"type": "object", "properties": {"$ref": {"type": "string"}, "a": {}}})))

    assert set(schema["properties"]) == {"ref", "a"}


def test_members_behind_a_reference_are_read_as_bundlers_do(tmp_path: Path) -> None:
    (tmp_path / "parts.yml").write_text("fields: {a: {$ref: '#/text'}}\ntext: {type: string}")
    root = description(json_body({"type": "object", "properties": {"$ref": "parts.yml#/fields"}}))
    (tmp_path / "api.json").write_text(str(root).replace("'", '"').replace("True", "true"))

    (tool,) = map(to_tool, read_operations(Document.parse(tmp_path / "api.json")))

    assert [*tool.input_schema["properties"]] == ["a"]
    assert [*tool.input_schema["$defs"].values()] == [{"type": "string"}]


@pytest.mark.req("OAS-02")
@pytest.mark.parametrize(
    "inside", [{"$ref": 5}, {"$ref": "#/components/schemas/A/x"}, {"$ref": "#/components/schemas/A"}]
)
def test_a_pointer_through_a_reference_that_leads_nowhere_ends(inside: Raw) -> None:
    root = named("#/components/schemas/A/x", {"A": inside})

    assert schema_of(operation_of(root))["properties"]["body"] == {}
    assert any("cannot be resolved" in message for message in messages(root))
