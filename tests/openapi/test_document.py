from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from describe import Raw, description, json_body

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.limits import ReadLimits
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.tool import to_tool

SMALL: Raw = {"openapi": "3.0.3", "info": {"title": "Things"}, "paths": {"/a": {"get": {"responses": {}}}}}
YAML = """
openapi: 3.1.0
info: {title: Things, version: '1'}
paths:
  /a:
    get:
      responses:
        200: {description: ok}
"""


@pytest.mark.req("OAS-01")
@pytest.mark.parametrize(
    ("version", "dialect"),
    [
        ({"swagger": "2.0"}, "2.0"),
        ({"swagger": 2.0}, "2.0"),
        ({"openapi": "3.0.4"}, "3.0"),
        ({"openapi": "3.1.1"}, "3.1"),
        ({"openapi": "3.2.0"}, "3.2"),
        ({"openapi": 3.1}, "3.1"),
    ],
)
def test_the_dialect_is_found_out(version: Raw, dialect: str) -> None:
    assert Document.parse({**version, "paths": {}}).dialect == dialect


@pytest.mark.req("OAS-01")
def test_json_and_yaml_are_read_as_text_bytes_and_files(tmp_path: Path) -> None:
    text = json.dumps(SMALL)
    (tmp_path / "a.json").write_text(text)
    (tmp_path / "a.yaml").write_text(YAML)

    files = [tmp_path / "a.json", tmp_path / "a.yaml"]
    read: list[Any] = [text, text.encode(), text.encode("utf-16"), YAML, SMALL, *files]

    for data in read:
        document = Document.parse(data)
        assert document.title == "Things"
        assert [operation.path for operation in read_operations(document)] == ["/a"]


@pytest.mark.req("OAS-02")
@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", "empty"),
        ("  \n", "empty"),
        ("<!DOCTYPE html><html></html>", "HTML page"),
        ("<?xml version='1.0'?><a/>", "XML"),
        ("just words", "plain text"),
        ("[1, 2]", "a list"),
        ('{"a": 1', "not JSON"),
        ("a: [1", "not YAML"),
        ('{"a": 1}', "neither 'openapi' nor 'swagger', but 'a'"),
        ('{"asyncapi": "2.0.0"}', "AsyncAPI"),
        ('{"info": {"_postman_id": "1"}, "item": []}', "Postman"),
        ('{"swaggerVersion": "1.2"}', "Swagger 1.x"),
        ('{"openapi": "4.0.0"}', "'4.0.0' is not known"),
        (b"\xff\xfa\x00", "not utf-8"),
    ],
)
def test_what_is_no_description_is_called_what_it_is(data: str | bytes, words: str) -> None:
    with pytest.raises(DescriptionError) as error:
        Document.parse(data)

    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.req("OAS-02")
def test_wrong_text_is_reported_with_its_line() -> None:
    with pytest.raises(DescriptionError) as of_json:
        Document.parse('{\n"openapi": "3.0.0",\n"paths": {}}}')
    with pytest.raises(DescriptionError) as of_yaml:
        Document.parse("openapi: 3.0.0\npaths:\n\t/a: 1")

    assert (of_json.value.line, of_yaml.value.line) == (3, 3)


@pytest.mark.req("OAS-02")
def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DescriptionError, match="cannot be read: no such file"):
        Document.parse(tmp_path / "nothing.yaml")


@pytest.mark.req("OAS-02")
@pytest.mark.parametrize("indent", [None, 2])
def test_problems_carry_pointer_and_line_of_json(indent: int | None) -> None:
    root = description(json_body({"$ref": "#/components/schemas/Gone"}))
    text = json.dumps(root, indent=indent)

    (problem,) = Document.parse(text).problems

    assert problem.severity == "error"
    assert problem.pointer == "/paths/~1things/post/requestBody/content/application~1json/schema"
    expected = next(n for n, line in enumerate(text.splitlines(), 1) if '"schema"' in line)
    assert problem.line == expected


@pytest.mark.req("OAS-02")
def test_problems_carry_the_line_of_yaml() -> None:
    text = YAML + "      parameters:\n        - {in: query}\n"

    (problem,) = Document.parse(text).problems

    assert problem.pointer == "/paths/~1a/get/parameters/0"
    assert problem.line == 10
    assert str(problem).startswith("error: /paths/~1a/get/parameters/0 (line 10): ")


@pytest.mark.req("OAS-02")
def test_strict_refuses_what_loses_a_part_and_the_default_reads_the_rest() -> None:
    root = description({"parameters": [{"name": "a", "in": "nowhere", "schema": {}}]})

    with pytest.raises(DescriptionError, match="'nowhere'"):
        Document.parse(root, strict=True)

    assert len(read_operations(Document.parse(root))) == 1


@pytest.mark.req("OAS-02")
def test_a_bad_operation_is_left_out_alone_with_its_reason() -> None:
    document = Document.parse({**SMALL, "paths": {"/a": {"get": {"responses": {}}, "put": "nonsense"}, "/b": 3}})

    assert [operation.name for operation in read_operations(document)] == ["get_a"]
    assert [problem.pointer for problem in document.problems] == ["/paths/~1a/put", "/paths/~1b"]


@pytest.mark.req("OAS-18")
@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (ReadLimits(bytes=20), "larger than 20 bytes"),
        (ReadLimits(operations=0), "more than 0 operations"),
        (ReadLimits(seconds=-1), "took more than"),
    ],
)
def test_each_limit_has_its_own_error(limits: ReadLimits, words: str) -> None:
    with pytest.raises(DescriptionError, match=words):
        read_operations(Document.parse(json.dumps(SMALL), limits=limits))


@pytest.mark.req("OAS-18")
@pytest.mark.parametrize("text", ["[" * 3000, "{a: " * 3000, "- " * 3000 + "x", "[" * 100_000, '{"a":' * 100_000])
@pytest.mark.req("ATK-07")
def test_deep_nesting_is_a_clean_error(text: str) -> None:
    with pytest.raises(DescriptionError):
        Document.parse(text)


@pytest.mark.req("ATK-06", "OAS-18")
def test_an_alias_bomb_is_refused_at_once() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        bomb += f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    tracemalloc.start()
    begin = time.perf_counter()

    with pytest.raises(DescriptionError, match="aliases"):
        Document.parse(bomb)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.perf_counter() - begin < 2  # milliseconds, but on a busy machine; unbounded it never ends
    assert peak < 50 * 2**20


@pytest.mark.req("ATK-07")
def test_a_tag_that_asks_for_an_object_is_refused(tmp_path: Path) -> None:
    made = tmp_path / "made"

    with pytest.raises(DescriptionError, match="tag"):
        Document.parse(f"!!python/object/apply:os.system ['touch {made}']")

    assert not made.exists()


@pytest.mark.req("ATK-10", "OAS-18")
def test_too_many_operations_are_refused() -> None:
    paths: Raw = {f"/{number}": {"get": {}} for number in range(20_001)}

    with pytest.raises(DescriptionError, match="20000 operations"):
        read_operations(Document.parse({**SMALL, "paths": paths}))


@pytest.mark.req("ATK-14")
@pytest.mark.parametrize("number", ["NaN", "1e999", "-Infinity", "9" * 5000, "9" * 310])
@pytest.mark.parametrize("place", ["default", "enum", "example", "minimum", "const"])
def test_numbers_that_json_cannot_write_do_no_harm(number: str, place: str) -> None:
    value = f"[{number}, 1]" if place == "enum" else number
    schema = f'{{"type": "number", "{place}": {value}}}'
    operation = f'{{"parameters": [{{"name": "a", "in": "query", "schema": {schema}}}], "responses": {{}}}}'
    text = f'{{"openapi": "3.1.0", "info": {{"title": "t"}}, "paths": {{"/a": {{"get": {operation}}}}}}}'

    (tool,) = map(to_tool, read_operations(Document.parse(text)))

    json.loads(json.dumps(tool.input_schema, allow_nan=False), parse_constant=pytest.fail)


@pytest.mark.req("ATK-14")
def test_lone_surrogates_are_replaced() -> None:
    text = json.dumps(description({"summary": "a\\ud800b"})).replace("\\\\ud800", "\\ud800")

    (tool,) = map(to_tool, read_operations(Document.parse(text)))

    assert tool.description.encode()


@pytest.mark.req("OAS-03")
def test_the_text_of_a_file_named_json_never_goes_through_yaml(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"openapi": "3.0.0", # not JSON\n"paths": {}}')

    with pytest.raises(DescriptionError, match="not JSON"):
        Document.parse(path)

    assert Document.parse(path.read_text()).dialect == "3.0"
