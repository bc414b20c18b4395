"""XML bodies by the `xml` hints of a description, from the description to the bytes of the request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx2
import pytest
from describe import Raw, json_body, operation_of, read
from describe import description as described

from mcpbridge.errors import InvalidArguments
from mcpbridge.openapi.operation import Operation
from mcpbridge.openapi.request import build_request

VECTORS: list[dict[str, Any]] = json.loads(Path(__file__).parents[1].joinpath("vectors/xml.json").read_text("utf-8"))
XSI = "http://www.w3.org/2001/XMLSchema-instance"
S: Raw = {"type": "string"}


def taking(schema: Any, *, version: str = "3.0.3", media: str = "application/xml", **schemas: Raw) -> Operation:
    """An operation with an XML body."""
    stated = json_body(schema, media=media)
    if version == "2.0":
        stated = {"consumes": [media], "parameters": [{"in": "body", "name": "b", "schema": schema, "required": True}]}
    return operation_of(described(stated, version=version, schemas=schemas))


def request_of(operation: Operation, value: Any) -> httpx2.Request:
    assert operation.body is not None
    members = operation.body.members
    given = {"body": value} if members is None else {name: value[name] for name in members if name in value}
    return build_request(operation, given, base_url="https://h")


def sent(schema: Any, value: Any, **more: Any) -> str:
    """The XML that is sent, without its declaration."""
    text = request_of(taking(schema, **more), value).content.decode()
    return text.removeprefix('<?xml version="1.0" encoding="UTF-8"?>')


def canonical(xml: str) -> str:
    return ET.canonicalize(xml, strip_text=True)


def refusal(schema: Any, value: Any, **more: Any) -> str:
    with pytest.raises(InvalidArguments) as caught:
        sent(schema, value, **more)
    return str(caught.value)


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['version']}: {v['rule'].partition(': ')[2]}")
def test_a_body_is_written_as_the_standards_own_examples(vector: dict[str, Any]) -> None:
    schemas = vector.get("schemas", {})
    written = sent(vector["schema"], vector["value"], version=vector["version"], **schemas)

    assert canonical(written) == canonical(vector["xml"]), vector["rule"]


def test_a_cdata_section_is_one_in_the_document() -> None:
    schema = {"xml": {"name": "d"}, "properties": {"c": {"xml": {"nodeType": "cdata"}}}}

    assert sent(schema, {"c": "a<b]]>c\rd"}, version="3.2.0") == (
        "<d><![CDATA[a<b]]]]><![CDATA[>c]]>&#13;<![CDATA[d]]></d>"
    )


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize(
    ("version", "written"),
    [
        ("2.0", "<pet><category><id>1</id></category><friend><name>x</name></friend></pet>"),
        ("3.0.3", "<pet><category><id>1</id></category><friend><name>x</name></friend></pet>"),
        ("3.2.0", "<pet><category><id>1</id></category><Friend><name>x</name></Friend></pet>"),
    ],
)
def test_a_reference_is_named_by_the_schema_behind_it(version: str, written: str) -> None:
    at = "#/definitions/" if version == "2.0" else "#/components/schemas/"
    pet = {"xml": {"name": "pet"}, "properties": {"kind": {"$ref": at + "Kind"}, "friend": {"$ref": at + "Friend"}}}
    kind = {"type": "object", "xml": {"name": "category"}, "properties": {"id": {"type": "integer"}}}
    friend = {"type": "object", "properties": {"name": S}}
    value = {"kind": {"id": 1}, "friend": {"name": "x"}}

    assert sent({"$ref": at + "Pet"}, value, version=version, Pet=pet, Kind=kind, Friend=friend) == written


@pytest.mark.parametrize("version", ["3.0.3", "3.1.1"])
def test_a_hint_beside_a_reference_stands_over_that_behind_it(version: str) -> None:
    schema = {"xml": {"name": "r"}, "properties": {"a": {"$ref": "#/components/schemas/Id", "xml": {"name": "own"}}}}

    assert (
        sent(schema, {"a": "1"}, version=version, Id={**S, "xml": {"attribute": True, "name": "id"}})
        == '<r own="1"></r>'
    )


@pytest.mark.req("OAS-09")
def test_members_of_all_parts_are_known_and_the_whole_names_the_element() -> None:
    pet = {"xml": {"name": "pet"}, "properties": {"id": {"xml": {"attribute": True}}, "tag": S}}
    dog = {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"properties": {"tag": {"xml": {"name": "label"}}}}]}

    written = sent({"$ref": "#/components/schemas/Dog"}, {"id": 7, "tag": "t"}, Pet=pet, Dog=dog)

    assert written == '<Dog id="7"><label>t</label></Dog>'


@pytest.mark.parametrize("key", ["allOf", "oneOf", "anyOf"])
def test_one_reference_in_a_composition_is_a_reference_with_hints_beside_it(key: str) -> None:
    schema = {"properties": {"tags": {key: [{"$ref": "#/components/schemas/Tags"}], "xml": {"name": "TagSet"}}}}
    tags = {"type": "array", "xml": {"wrapped": True}, "items": {"type": "string", "xml": {"name": "Tag"}}}

    assert sent(schema, {"tags": ["a"]}, Tags=tags) == "<root><TagSet><Tag>a</Tag></TagSet></root>"


@pytest.mark.req("OAS-09")
def test_schemas_that_recur_are_written_as_deep_as_the_value() -> None:
    tree = {"properties": {"leaf": {"xml": {"attribute": True}},
                           "below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
            "xml": {"name": "tree"}}  # fmt: skip
    value = {"leaf": 1, "below": [{"leaf": 2, "below": [{"leaf": 3}]}, {"leaf": 4}]}

    assert sent({"$ref": "#/components/schemas/Tree"}, value, Tree=tree) == (
        '<tree leaf="1"><tree leaf="2"><tree leaf="3"></tree></tree><tree leaf="4"></tree></tree>'
    )


@pytest.mark.parametrize(
    ("schema", "value", "written"),
    [
        ({"type": "array", "items": S}, ["a", "b"], "<root><item>a</item><item>b</item></root>"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/User"}}, [{"n": 1}],
         "<root><User><n>1</n></User></root>"),
        ({"$ref": "#/components/schemas/Users"}, [{"n": 1}], "<Users><User><n>1</n></User></Users>"),
        ({"type": "array", "xml": {"name": "us", "wrapped": True}, "items": S}, ["a"], "<us><us>a</us></us>"),
        ({"type": "array", "items": S}, [], "<root></root>"),
        ({}, [1, [2]], "<root><item>1</item><item><item>2</item></item></root>"),
        ({}, {"a": {"b": [1, {"c": None}]}},
         f'<root><a><b>1</b><b><c xmlns:xsi="{XSI}" xsi:nil="true"></c></b></a></root>'),
        ({"type": "integer", "xml": {"name": "n"}}, 5, "<n>5</n>"),
        ({"type": "string", "xml": {"name": "note"}}, "a & b", "<note>a &amp; b</note>"),
        ({"type": "string"}, "<any/>", "<any/>"),
        ({"type": "string", "xml": {"name": "note"}}, "<note>1</note>", "<note>1</note>"),
    ],
)  # fmt: skip
def test_the_root_is_one_element(schema: Any, value: Any, written: str) -> None:
    user = {"type": "object", "properties": {"n": {"type": "integer"}}}
    users = {"type": "array", "items": {"$ref": "#/components/schemas/User"}}

    assert sent(schema, value, User=user, Users=users) == written


@pytest.mark.req("OAS-09")
def test_a_namespace_is_declared_once_where_it_is_needed() -> None:
    ours = {"prefix": "p", "namespace": "urn:ours"}
    schema = {
        "xml": {"name": "all", **ours},
        "properties": {
            "a": {**S, "xml": ours},
            "b": {**S, "xml": {"prefix": "p", "attribute": True}},
            "c": {"properties": {"d": {**S, "xml": ours}}, "xml": {"prefix": "p", "namespace": "urn:other"}},
        },
    }

    assert sent(schema, {"a": "1", "b": "2", "c": {"d": "3"}}) == (
        '<p:all xmlns:p="urn:ours" p:b="2"><p:a>1</p:a>'
        '<p:c xmlns:p="urn:other"><p:d xmlns:p="urn:ours">3</p:d></p:c></p:all>'
    )


def test_a_namespace_without_a_prefix_is_the_default_one() -> None:
    schema = {"xml": {"name": "Create", "namespace": "urn:s3"}, "properties": {"Where": S}}

    assert sent(schema, {"Where": "eu"}) == '<Create xmlns="urn:s3"><Where>eu</Where></Create>'


@pytest.mark.parametrize(
    ("hint", "written"),
    [
        ({"namespace": "urn:a"}, '<ns1:x xmlns:ns1="urn:a">'),
        ({"namespace": "urn:p"}, "<p:x>"),
        ({"namespace": "urn:a", "prefix": "p"}, '<ns1:x xmlns:ns1="urn:a">'),
        ({"name": "xsi:type"}, f'<xsi:type xmlns:xsi="{XSI}">'),
        ({"prefix": "xsi", "name": "xsi:type", "namespace": XSI}, f'<xsi:type xmlns:xsi="{XSI}">'),
        ({"prefix": "xml", "name": "lang"}, "<xml:lang>"),
        ({"prefix": "nobody", "name": "x"}, "<x>"),
        ({"prefix": "xmlns", "name": "x"}, "<x>"),
        ({"prefix": 'a="b" c', "name": "x"}, "<x>"),
    ],
)
def test_an_attribute_has_a_prefix_that_stands_for_its_namespace(hint: Raw, written: str) -> None:
    name, _, declaration = written.strip("<>").partition(" ")
    schema = {
        "xml": {"name": "r", "prefix": "p", "namespace": "urn:p"},
        "properties": {"x": {**S, "xml": {"attribute": True, **hint}}},
    }
    expected = f'<p:r xmlns:p="urn:p"{" " if declaration else ""}{declaration} {name}="v"></p:r>'

    assert sent(schema, {"x": "v"}) == expected
    ET.fromstring(expected)


def test_a_prefix_keeps_its_meaning_for_what_was_written_before() -> None:
    schema = {
        "xml": {"name": "r", "prefix": "p", "namespace": "urn:p"},
        "properties": {"in": {"properties": {
            "first": {**S, "xml": {"prefix": "p"}},
            "late": {**S, "xml": {"attribute": True, "prefix": "p", "namespace": "urn:q"}}}}},
    }  # fmt: skip
    root = ET.fromstring(sent(schema, {"in": {"first": "1", "late": "2"}}))

    assert [child.tag for child in root[0]] == ["{urn:p}first"]
    assert root[0].attrib == {"{urn:q}late": "2"}


@pytest.mark.parametrize("text", ['"', "'", "\"'<>&", "a\tb\nc\rd", "]]>", "é\U0001f600"])
def test_any_text_comes_back_from_an_element_and_from_an_attribute(text: str) -> None:
    schema = {"properties": {"a": {**S, "xml": {"attribute": True}}, "e": S}}
    root = ET.fromstring(sent(schema, {"a": text, "e": text}))

    assert (root.get("a"), root.findtext("e")) == (text, text)


def test_members_stand_in_the_order_of_the_schema() -> None:
    schema = {"properties": {"a": S, "b": S}, "additionalProperties": {"type": "string", "xml": {"name": "more"}}}

    assert sent(schema, {"z": "3", "b": "2", "a": "1"}) == "<root><a>1</a><b>2</b><more>3</more></root>"


def test_of_several_alternatives_the_one_that_fits_is_written() -> None:
    cat = {"xml": {"name": "cat"}, "properties": {"lives": {"xml": {"attribute": True}}}}
    dog = {"xml": {"name": "dog"}, "properties": {"barks": {"xml": {"attribute": True}}}}
    schema = {"oneOf": [cat, dog, {"type": "array", "items": {**S, "xml": {"name": "pet"}}}]}

    assert sent(schema, {"lives": 9}) == '<cat lives="9"></cat>'
    assert sent(schema, {"barks": True}) == '<dog barks="true"></dog>'
    assert sent(schema, ["x"]) == "<root><pet>x</pet></root>"


def test_a_list_as_an_attribute_is_words() -> None:
    schema = {"properties": {"refs": {"type": "array", "items": S, "xml": {"attribute": True}}}}

    assert sent(schema, {"refs": ["a", "b"]}) == '<root refs="a b"></root>'
    assert "/refs: expected a list of values without spaces" in refusal(schema, {"refs": ["a b"]})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"properties": {"a": {"xml": {"attribute": True}}}}, {"a": {"b": 1}}),
        ({"properties": {"a": {"xml": {"name": "no name"}}}}, {"a": "1"}),
        ({"properties": {"a": {"xml": {"name": "x><evil"}}}}, {"a": "1"}),
        ({"properties": {"a": {"xml": {"attribute": True, "name": 'x="y'}}}}, {"a": "1"}),
        ({"properties": {"a": {"xml": {"attribute": True}}}}, {"a": "\0"}),
        ({"properties": {"a": {"xml": {"nodeType": "text"}}}}, {"a": {"b": 1}}),
        ({"properties": {"a": {"xml": {"nodeType": "cdata"}}}}, {"a": "\ud800"}),
        ({"xml": {"nodeType": "none"}, "properties": {"a": S, "b": S}}, {"a": "1", "b": "2"}),
    ],
)
def test_what_can_not_be_xml_is_refused(schema: Any, value: Any) -> None:
    assert "expected" in refusal(schema, value)


def test_values_nested_without_end_are_refused() -> None:
    value: Any = 1
    for _ in range(5_000):
        value = {"a": value}

    assert "nesting of at most 100 levels" in refusal({}, value)


@pytest.mark.parametrize("ref", ["#/components/schemas/A", "#/components/schemas/None", "other.json#/X"])
def test_a_reference_that_leads_nowhere_says_nothing_of_xml(ref: str) -> None:
    a = {"$ref": "#/components/schemas/A", "xml": {"name": "a", "nodeType": "element"}}
    schema = {"xml": {"name": "r"}, "properties": {"x": {"allOf": [{"$ref": ref}, {"xml": {"name": "y"}}]}}}

    assert sent(schema, {"x": "1"}, A=a) == "<r><y>1</y></r>"


def test_a_circle_of_elements_ends() -> None:
    a = {"$ref": "#/components/schemas/A", "xml": {"name": "a", "nodeType": "element"}}

    assert "nesting" in refusal({"$ref": "#/components/schemas/A"}, {"x": 1}, version="3.2.0", A=a)


def test_the_charset_of_the_media_type_is_that_of_the_document() -> None:
    request = request_of(taking({"properties": {"a": S}}, media="text/xml; charset=iso-8859-1"), {"a": "é"})

    assert request.content == b'<?xml version="1.0" encoding="iso-8859-1"?><root><a>\xe9</a></root>'
    assert request.headers["content-type"] == "text/xml; charset=iso-8859-1"


def test_json_bodies_have_no_shape_in_xml() -> None:
    body = read(json_body({"xml": {"name": "x"}, "properties": {"a": S}})).body

    assert body is not None
    assert body.xml is None


@pytest.mark.req("OAS-09")
@pytest.mark.parametrize(
    ("extra", "value", "written"),
    [
        ({"type": "object"}, {"info": "abc"}, ["<info>abc</info>"]),
        ({"type": "object"}, {"a": 1, "b": 2}, ["<extra><a>1</a><b>2</b></extra>"]),
        ({"type": "array", "items": {"$ref": "#/components/schemas/At"}}, [{"a": 1}, {"a": 2}],
         ['<At a="1"></At>', '<At a="2"></At>']),
        ({"type": "string"}, "<any/>", ["<any/>"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("media", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_part_in_xml_is_a_document(media: str, extra: Raw, value: Any, written: list[str]) -> None:
    at = {"type": "object", "properties": {"a": {"xml": {"attribute": True}}}}
    stated = json_body(
        {"properties": {"extra": extra}}, media=media, encoding={"extra": {"contentType": "application/xml"}}
    )
    request = build_request(read(stated, schemas={"At": at}), {"extra": value}, base_url="https://h")
    text = (
        str(httpx2.QueryParams(request.content.decode()).get_list("extra"))
        if "urlencoded" in media
        else request.content.decode()
    )

    assert [each for each in written if each not in text] == []
    assert text.count("<?xml") == (0 if value == "<any/>" else len(written))
