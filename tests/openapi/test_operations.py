from __future__ import annotations

from typing import Any

import pytest
from describe import Raw, description, json_body, messages, operation_of, read, schema_of

from mcpbridge.openapi.document import Document
from mcpbridge.openapi.operation import Encoding, Operation, Parameter, Place
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.select import Select

TEXT = {"type": "string"}
WRONG: list[Raw] = [
    {"parameters": "none"},
    {"parameters": [None, 5, {"name": "a"}, {"in": "query"}, {"name": ["a"], "in": {}}]},
    {"requestBody": 5},
    {"requestBody": {"content": {"application/json": 5}}},
    {"responses": []},
    {"responses": {"200": 5}},
    {"tags": "x", "servers": {}, "summary": 5, "description": [], "operationId": 5, "deprecated": "yes"},
    {"x-mcp": "read"},
]


def one(parameter: Raw, **more: Any) -> Parameter:
    (found,) = read({"parameters": [parameter]}, **more).parameters
    return found


@pytest.mark.req("OAS-04")
def test_each_method_of_each_path_is_one_operation() -> None:
    item: Raw = {name: {} for name in ("get", "put", "post", "delete", "options", "head", "patch", "trace")}
    root: Raw = {**description(), "paths": {"/a": {**item, "summary": "s", "x-other": {}}, "/b": item, "x-c": item}}

    operations = read_operations(Document.parse(root))

    assert [(each.method, each.path) for each in operations] == [
        (method.upper(), path) for path in ("/a", "/b") for method in item
    ]


@pytest.mark.req("OAS-04")
def test_parameters_of_the_path_are_inherited_and_overridden() -> None:
    inherited = [
        {"name": "a", "in": "query", "description": "of the path"},
        {"name": "b", "in": "query", "description": "of the path"},
        {"name": "X-H", "in": "header", "description": "of the path"},
    ]
    own = [{"name": "b", "in": "query", "description": "own"}, {"name": "x-h", "in": "header", "description": "own"}]

    operation = read({"parameters": own}, item={"parameters": inherited})

    assert [(each.place.name, each.description) for each in operation.parameters] == [
        ("a", "of the path"),
        ("b", "own"),
        ("x-h", "own"),
    ]


@pytest.mark.req("OAS-04")
def test_servers_are_inherited_and_overridden() -> None:
    servers = [{"url": "https://{region}.example.com/v2", "variables": {"region": {"default": "eu"}}}]

    assert read(item={"servers": servers}).server == "https://eu.example.com/v2"
    assert read({"servers": [{"url": "/own"}]}, item={"servers": servers}).server == "/own"
    assert read(servers=servers).server is None


@pytest.mark.req("OAS-08")
@pytest.mark.parametrize(
    ("stated", "style", "explode"),
    [
        ({"in": "path"}, "simple", False),
        ({"in": "path", "style": "matrix", "explode": True}, "matrix", True),
        ({"in": "path", "style": "label"}, "label", False),
        ({"in": "query"}, "form", True),
        ({"in": "query", "explode": False}, "form", False),
        ({"in": "query", "style": "spaceDelimited"}, "spaceDelimited", False),
        ({"in": "query", "style": "deepObject"}, "deepObject", True),
        ({"in": "query", "style": "matrix"}, "form", True),
        ({"in": "header"}, "simple", False),
        ({"in": "cookie"}, "form", True),
    ],
)
def test_styles_have_the_defaults_of_their_place(stated: Raw, style: str, explode: bool) -> None:
    parameter = one({"name": "v", "schema": TEXT, **stated}, path="/a/{v}" if stated["in"] == "path" else "/a")

    assert (parameter.style, parameter.explode) == (style, explode)


@pytest.mark.req("OAS-08")
@pytest.mark.parametrize(
    ("where", "collection", "style", "explode"),
    [
        ("query", None, "form", False),
        ("query", "multi", "form", True),
        ("query", "ssv", "spaceDelimited", False),
        ("query", "tsv", "tabDelimited", False),
        ("query", "pipes", "pipeDelimited", False),
        ("header", "csv", "simple", False),
        ("path", "pipes", "pipeDelimited", False),
    ],
)
def test_collection_formats_of_swagger(where: str, collection: str | None, style: str, explode: bool) -> None:
    stated = {"name": "v", "in": where, "type": "array", "items": TEXT, "collectionFormat": collection}

    parameter = one(stated, version="2.0", path="/a/{v}" if where == "path" else "/a")

    assert (parameter.style, parameter.explode) == (style, explode)
    assert parameter.schema == {"type": "array", "items": TEXT}


@pytest.mark.req("OAS-08")
def test_a_parameter_with_content_is_written_as_that() -> None:
    parameter = one({"name": "v", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}})

    assert (parameter.media, parameter.schema) == ("application/json", {"type": "object"})


@pytest.mark.req("OAS-08")
def test_what_a_parameter_says_stands_in_its_schema() -> None:
    parameter = one({"name": "v", "in": "query", "schema": TEXT, "description": "Which *one*.", "example": "a",
                     "required": True, "allowReserved": True, "deprecated": True})  # fmt: skip

    assert parameter.schema == {**TEXT, "description": "Which *one*.", "examples": ["a"], "deprecated": True}
    assert parameter.required
    assert parameter.allow_reserved


@pytest.mark.req("OAS-08")
@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({"type": "boolean"}, {"type": ["boolean", "string"], "pattern": "^$"}),
        ({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a", ""]}),
        (TEXT, TEXT),
    ],
)
def test_an_empty_value_may_be_allowed(schema: Raw, wanted: Raw) -> None:
    assert one({"name": "v", "in": "query", "schema": schema, "allowEmptyValue": True}).schema == wanted


@pytest.mark.req("ATK-20", "OAS-08")
@pytest.mark.parametrize(
    "name", ["Accept", "content-type", "Authorization", "Host", "Cookie", "Content-Length", "Connection"]
)
def test_headers_that_are_settled_elsewhere_are_no_arguments(name: str) -> None:
    operation = read({"parameters": [{"name": name, "in": "header", "schema": TEXT, "required": True}]})

    assert operation.arguments == {}


@pytest.mark.req("OAS-08")
def test_every_variable_of_the_path_is_an_argument() -> None:
    operation = read(
        {"parameters": [{"name": "a", "in": "path", "schema": {"type": "integer"}}]}, path="/{a}/{+b}?q={c}"
    )

    assert {each.place.name: (each.required, each.schema) for each in operation.parameters} == {
        "a": (True, {"type": "integer"}),
        "b": (True, TEXT),
        "c": (True, TEXT),
    }


@pytest.mark.req("OAS-02")
def test_a_path_parameter_that_the_path_does_not_have_is_left_out_and_reported() -> None:
    root = description({"parameters": [{"name": "a", "in": "path", "schema": TEXT}]})

    assert operation_of(root).arguments == {}
    assert messages(root) == ["the path parameter 'a' is not in the path '/things'"]


@pytest.mark.req("OAS-10")
def test_parameters_and_members_merge_and_collisions_are_told_apart() -> None:
    parameters = [{"name": "id", "in": "query", "schema": TEXT}, {"name": "$top", "in": "query", "schema": TEXT}]
    body = json_body({"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}, "top": TEXT}})

    operation = read({"parameters": parameters, **body})

    assert operation.arguments == {
        "id": Place(where="query", name="id"),
        "top_query": Place(where="query", name="$top"),
        "id_body": Place(where="body", name="id"),
        "top": Place(where="body", name="top"),
    }
    assert operation.body is not None
    assert operation.body.members == {"id_body": "id", "top": "top"}
    assert schema_of(operation) == {
        "type": "object",
        "properties": {"id": TEXT, "top_query": TEXT, "id_body": {"type": "integer"}, "top": TEXT},
        "required": ["id_body"],
        "additionalProperties": False,
    }


@pytest.mark.req("OAS-10")
@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        {"type": "array", "items": TEXT},
        {"type": "object"},
        {"type": "object", "properties": {"a": TEXT}, "additionalProperties": True},
        {"type": "object", "properties": {"a": TEXT}, "additionalProperties": TEXT},
        {"type": "object", "properties": {"a": TEXT}, "nullable": True},
        {"type": "object", "properties": {"a": TEXT}, "minProperties": 1},
        {"type": "object", "properties": {"a": TEXT}, "patternProperties": {"^x": TEXT}},
        {"oneOf": [{"type": "object", "properties": {"a": TEXT}}, {"type": "object", "properties": {"b": TEXT}}]},
        {"allOf": [{"properties": {"a": TEXT}, "additionalProperties": False}, {"properties": {"b": TEXT}}]},
        {"type": "object", "properties": {"a": TEXT}, "discriminator": {"propertyName": "a"}},
        True,
    ],
)
def test_what_cannot_merge_exactly_is_one_argument(schema: Any) -> None:
    operation = read(json_body(schema))

    assert operation.arguments == {"body": Place(where="whole", name="")}
    assert schema_of(operation)["required"] == ["body"]


@pytest.mark.req("OAS-10")
def test_parts_of_all_of_merge() -> None:
    schemas = {"A": {"type": "object", "required": ["a"], "properties": {"a": TEXT, "b": TEXT}}}
    both = {
        "allOf": [
            {"$ref": "#/components/schemas/A"},
            {"properties": {"b": {"maxLength": 3}, "c": TEXT}, "required": ["d"]},
        ]
    }

    schema = schema_of(read(json_body(both), schemas=schemas))

    assert schema["properties"] == {"a": TEXT, "b": {"allOf": [TEXT, {"maxLength": 3}]}, "c": TEXT, "d": {}}
    assert schema["required"] == ["a", "d"]
    assert "$defs" not in schema


@pytest.mark.req("OAS-09")
def test_an_optional_body_with_required_members_stays_whole() -> None:
    schema = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}

    assert [*read(json_body(schema, required=False)).arguments] == ["body"]
    assert [*read(json_body(schema)).arguments] == ["a"]
    assert [*read(json_body({**schema, "required": []}, required=False)).arguments] == ["a"]


@pytest.mark.req("OAS-09")
def test_a_required_body_of_optional_members_is_known_as_required() -> None:
    operation = read(json_body({"type": "object", "properties": {"a": TEXT}}))

    assert operation.body is not None
    assert operation.body.required
    assert "required" not in schema_of(operation)


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (["application/xml", "application/json"], "application/json"),
        (["application/json-patch+json", "application/merge-patch+json"], "application/merge-patch+json"),
        (["text/plain", "application/vnd.x+json"], "application/vnd.x+json"),
        (["*/*"], "application/json"),
        (["application/*+json"], "application/json"),
        (["multipart/form-data", "application/x-www-form-urlencoded"], "application/x-www-form-urlencoded"),
        (["application/xml", "application/octet-stream", "text/plain"], "text/plain"),
        (["application/xml", "application/x-ndjson"], "application/x-ndjson"),
        (["application/xml"], "application/xml"),
    ],
)
def test_json_is_sent_if_offered_else_what_is_easiest(offered: list[str], chosen: str) -> None:
    operation = read({"requestBody": {"content": {media: {"schema": {}} for media in offered}}})

    assert operation.body is not None
    assert operation.body.media == chosen


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize(
    ("media", "schema", "binary"),
    [
        ("application/octet-stream", {"type": "string", "format": "binary"}, "base64"),
        ("application/octet-stream", None, "base64"),
        ("image/png", {}, "base64"),
        ("application/pdf", {"type": "string", "contentEncoding": "base64"}, "text"),
        ("application/x-thing", {"type": "string", "format": "byte"}, "text"),
        ("application/jwt", TEXT, None),
        ("text/csv", {"type": "string", "format": "binary"}, None),
        ("application/json", {"type": "string", "format": "binary"}, None),
    ],
)
def test_bodies_that_are_bytes_come_in_as_base64(media: str, schema: Any, binary: str | None) -> None:
    body = read(json_body(schema, media=media), version="3.1.0").body

    assert body is not None
    assert body.binary == binary
    assert (not isinstance(body.schema, bool) and body.schema.get("contentEncoding") == "base64") == (
        binary == "base64" or "contentEncoding" in (schema or {})
    )


@pytest.mark.req("OAS-09")
def test_files_of_a_form_come_in_as_base64() -> None:
    files = {"type": "string", "format": "binary"}
    schema = {"type": "object", "properties": {"one": files, "many": {"type": "array", "items": files},
                                               "coded": {**TEXT, "format": "byte"}, "text": TEXT}}  # fmt: skip
    encoding = {
        "one": {"contentType": "image/png, image/jpeg"},
        "text": {"headers": {"X-A": {"schema": {"enum": ["v"]}}}},
    }

    operation = read(json_body(schema, media="multipart/form-data", encoding=encoding))

    assert operation.body is not None
    assert operation.body.encoding == {
        "one": Encoding(media="image/png", binary="base64"),
        "many": Encoding(binary="base64"),
        "coded": Encoding(binary="text"),
        "text": Encoding(headers={"X-A": "v"}),
    }
    properties = schema_of(operation)["properties"]
    assert properties["one"]["contentEncoding"] == properties["many"]["items"]["contentEncoding"] == "base64"
    assert properties["coded"] == {"type": "string", "format": "byte"}


@pytest.mark.req("OAS-09")
def test_the_encoding_of_a_form_is_kept() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "object"}, "b": {"type": "array"}, "c": TEXT}}
    encoding = {"a": {"style": "deepObject"}, "b": {"explode": False}, "c": {"contentType": "application/json"}}

    body = read(json_body(schema, media="application/x-www-form-urlencoded", encoding=encoding)).body

    assert body is not None
    assert body.encoding == {
        "a": Encoding(style="deepObject", explode=True),
        "b": Encoding(style="form", explode=False),
        "c": Encoding(media="application/json"),
    }


@pytest.mark.req("OAS-09")
def test_form_data_of_swagger_is_a_form_and_with_files_multipart() -> None:
    form = [{"name": "a", "in": "formData", "type": "string", "required": True}]
    file = {"name": "f", "in": "formData", "type": "file"}

    plain, multi = (read({"parameters": each}, version="2.0").body for each in (form, [*form, file]))

    assert plain is not None
    assert multi is not None
    assert (plain.media, plain.required) == ("application/x-www-form-urlencoded", True)
    assert multi.media == "multipart/form-data"
    assert multi.encoding == {"f": Encoding(binary="base64")}


@pytest.mark.req("OAS-09")
def test_a_body_of_swagger_is_what_the_operation_consumes() -> None:
    body = {"name": "b", "in": "body", "schema": {"type": "array"}, "description": "All of them."}

    operation = read({"parameters": [body], "consumes": ["text/plain", "application/json"]}, version="2.0")

    assert operation.body is not None
    assert (operation.body.media, operation.body.description) == ("application/json", "All of them.")
    assert schema_of(operation)["properties"] == {"body": {"type": "array", "description": "All of them."}}


@pytest.mark.req("OAS-01", "OAS-08")
def test_what_is_new_in_3_2_is_read() -> None:
    form: Raw = {"application/x-www-form-urlencoded": {"schema": {}}}
    query: list[Raw] = [{"name": "q", "in": "querystring", "content": form}]
    item: Raw = {"query": json_body(TEXT), "additionalOperations": {"COPY": {"parameters": query}}}
    root = description(version="3.2.0", item=item)

    operations = {each.method: each for each in read_operations(Document.parse(root))}

    assert operations.keys() == {"POST", "QUERY", "COPY"}
    assert operations["QUERY"].access == "read"
    assert operations["COPY"].arguments == {"q": Place(where="querystring", name="q")}
    assert "QUERY" not in {each.method for each in read_operations(Document.parse({**root, "openapi": "3.1.0"}))}


@pytest.mark.req("OAS-21")
def test_links_callbacks_and_webhooks_are_ignored() -> None:
    answer = {"200": {"description": "ok", "links": {"next": {"operationId": "gone"}}}}
    root = description({"responses": answer, "callbacks": {"c": {"{$url}": {"post": {}}}}}, version="3.1.0",
                       webhooks={"w": {"post": {}}})  # fmt: skip

    assert operation_of(root).arguments == {}
    assert messages(root) == []


def test_the_answer_is_the_json_of_the_first_success() -> None:
    responses = {
        "default": {"content": {"application/json": {"schema": {"type": "null"}}}},
        "201": {"content": {"text/csv": {}, "application/json": {"schema": {"type": "object"}}}},
        "204": {"description": "nothing"},
    }

    operation = read({"responses": responses})

    assert operation.output == {"type": "object"}
    assert operation.accept == "application/json"
    assert read({"responses": {"200": {"content": {"text/csv": {}, "image/png": {}}}}}).accept == "text/csv, image/png"
    assert read({"responses": {"200": {}}}).accept == "*/*"
    assert read({}).output is None


@pytest.mark.req("OAS-12")
@pytest.mark.parametrize(
    ("method", "access", "destructive", "idempotent"),
    [
        ("get", "read", False, True),
        ("head", "read", False, True),
        ("post", "write", True, False),
        ("put", "write", True, True),
        ("delete", "write", True, True),
        ("patch", "write", True, False),
    ],
)
def test_the_method_says_whether_it_reads(method: str, access: str, destructive: bool, idempotent: bool) -> None:
    operation = read(method=method)

    assert operation.access == access
    assert {name: hint.value for name, hint in operation.hints.items()} == {
        "readOnlyHint": access == "read",
        "destructiveHint": destructive,
        "idempotentHint": idempotent,
        "openWorldHint": True,
    }
    assert {hint.source for hint in operation.hints.values()} == {"method"}


@pytest.mark.req("OAS-12")
def test_an_extension_may_only_raise_access_unless_it_is_trusted() -> None:
    lowered = description({"x-mcp": {"access": "read", "title": "Look"}})
    raised = description({"x-mcp": {"readOnlyHint": False}}, method="get")

    assert operation_of(lowered).access == "write"
    assert operation_of(lowered, trusted=True).access == "read"
    assert operation_of(raised).access == "write"
    assert operation_of(raised).hints["readOnlyHint"].source == "extension"


@pytest.mark.req("OAS-12")
@pytest.mark.parametrize("key", ["act", "POST /things"])
def test_the_word_of_the_host_wins(key: str) -> None:
    root = description({"x-mcp": {"access": "write"}})

    operation = operation_of(root, overrides={key: {"access": "read", "title": "Look"}})

    assert operation.access == "read"
    assert operation.hints["readOnlyHint"].source == operation.hints["title"].source == "host"


def _is_b(operation: Operation) -> bool:
    return operation.name == "b"


@pytest.mark.req("OAS-14")
@pytest.mark.parametrize(
    ("select", "names"),
    [
        (Select(), ["a", "b", "c"]),
        (Select(tags=["x"]), ["a"]),
        (Select(paths=["/two/*"]), ["c"]),
        (Select(methods=["post"]), ["b"]),
        (Select(operation_ids=["a", "c"]), ["a", "c"]),
        (Select(reads_only=True), ["a", "c"]),
        (Select(deprecated=False), ["a", "b"]),
        (Select(deprecated=True), ["c"]),
        (_is_b, ["b"]),
    ],
)
def test_operations_are_chosen(select: Any, names: list[str]) -> None:
    one = {"get": {"operationId": "a", "tags": ["x"]}, "post": {"operationId": "b", "tags": ["y"]}}
    root = {**description(), "paths": {"/one": one, "/two/{id}": {"get": {"operationId": "c", "deprecated": True}}}}

    assert [each.name for each in read_operations(Document.parse(root), select=select)] == names


@pytest.mark.req("OAS-11")
def test_names_do_not_depend_on_the_choice() -> None:
    root = {**description(), "paths": {"/a": {"get": {"operationId": "x"}}, "/b": {"get": {"operationId": "x"}}}}
    document = Document.parse(root)

    (chosen,) = read_operations(document, select=Select(paths=["/b"]))

    assert chosen.name == read_operations(document)[1].name == "x_get_b"


@pytest.mark.req("OAS-02")
@pytest.mark.parametrize("operation", WRONG)
def test_parts_of_a_wrong_kind_lose_only_themselves(operation: Raw) -> None:
    assert operation_of(description(operation)).path == "/things"
