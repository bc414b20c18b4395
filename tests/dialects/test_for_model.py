"""What each provider gets of a tool, and the way back."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from made_arguments import arguments_for, unexcused
from mcpbridge import ConfigError, InvalidArguments, Tool, ToolNotFound, for_model
from mcpbridge.dialects.model import ModelTool
from mcpbridge.dialects.rules import Provider
from provider_rules import refusals

PROVIDERS: tuple[Provider, ...] = get_args(Provider)

pytestmark = pytest.mark.req("CTX-04")


def shaped(provider: Provider, **schema: Any) -> ModelTool:
    """A tool with these keywords at its root, in one provider's words, checked by that provider's rules."""
    return checked(provider, Tool(name="tool", input_schema={"type": "object", **schema}))


def checked(provider: Provider, tool: Tool) -> ModelTool:
    tools = for_model([tool], provider)
    assert refusals(provider, tools.definitions[0]) == []
    return next(iter(tools.tools.values()))


def member(provider: Provider, schema: Any) -> ModelTool:
    return shaped(provider, properties={"x": schema}, required=["x"])


def codes(tool: ModelTool) -> set[tuple[str, str]]:
    return {(loss.pointer, loss.code) for loss in tool.losses}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("name", ["plain", "a.b/c d", "9lives", "ünï", "x" * 90, "", "-"])
def test_every_name_becomes_a_legal_one_and_leads_back(provider: Provider, name: str) -> None:
    tool = checked(provider, Tool(name=name))

    tools = for_model([tool.tool], provider)
    assert tools.call(tool.name, {}) == (name, {})


@pytest.mark.parametrize("provider", PROVIDERS)
def test_names_that_would_become_one_stay_different(provider: Provider) -> None:
    names = ["a b", "a.b", "a_b", "a" * 70, "a" * 71]

    tools = for_model([Tool(name=name) for name in names], provider)

    assert sorted(tool.tool.name for tool in tools.tools.values()) == sorted(names)
    assert tools.call("a_b", {}) == ("a_b", {})


def test_names_leave_room_for_what_a_client_puts_before_them() -> None:
    tools = for_model([Tool(name="n" * 64), Tool(name="short")], "anthropic", prefix=20)

    assert [len(name) for name in tools.tools] == [44, 5]


def test_a_name_is_the_same_whatever_else_is_in_the_list() -> None:
    long = Tool(name="n" * 80)

    alone = {*for_model([long], "openai").tools}

    assert alone < {*for_model([Tool(name="other"), long], "openai").tools}


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ToolNotFound):
        for_model([], "openai").call("gone", {})


@pytest.mark.parametrize(
    ("tools", "provider", "words"),
    [
        ("tool", "openai", "a list of tools is needed, not str"),
        ([{"name": "x"}], "openai", "one of them is dict"),
        ([Tool(name="x"), Tool(name="x")], "openai", "two tools are called 'x'"),
        ([], "llama", "no dialect for 'llama': choose one of openai, openai-strict, gemini, anthropic"),
    ],
)
def test_what_is_no_list_of_tools_is_refused_with_the_way_out(tools: Any, provider: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        for_model(tools, provider)


def test_a_prefix_that_leaves_no_room_is_refused() -> None:
    with pytest.raises(ConfigError, match="leaves no room"):
        for_model([], "openai", prefix=60)


def test_strict_requires_every_member_and_null_leaves_one_out() -> None:
    tool = shaped("openai-strict", properties={"a": {"type": "integer"}, "b": {"type": "string"}}, required=["a"])

    assert tool.schema["required"] == ["a", "b"]
    assert tool.schema["properties"]["b"]["type"] == ["string", "null"]
    assert tool.arguments({"a": 1, "b": None}) == {"a": 1}
    assert tool.losses == ()


def test_strict_keeps_a_null_that_a_required_member_may_have() -> None:
    tool = member("openai-strict", {"type": ["string", "null"]})

    assert tool.arguments({"x": None}) == {"x": None}


def test_strict_reports_that_an_optional_null_can_not_be_given() -> None:
    tool = shaped("openai-strict", properties={"a": {"type": ["string", "null"]}})

    assert tool.arguments({"a": None}) == {}
    assert codes(tool) == {("/properties/a", "null")}


@pytest.mark.parametrize("provider", ["openai-strict", "gemini"])
def test_an_object_of_any_members_is_given_as_json_text(provider: Provider) -> None:
    tool = member(provider, {"type": "object", "additionalProperties": {"type": "integer"}})

    assert tool.arguments({"x": '{"a": 1}'}) == {"x": {"a": 1}}
    assert codes(tool) == {("/properties/x", "text")}


@pytest.mark.parametrize("text", ["{", "NaN", "[" * 100_000])
def test_text_that_is_no_json_is_refused_by_its_place(text: str) -> None:
    tool = member("openai-strict", {"type": "object"})

    with pytest.raises(InvalidArguments, match="'tool': /x: expected JSON text"):
        tool.arguments({"x": text})


def test_gemini_gets_enumerated_numbers_as_text_and_they_come_back_as_numbers() -> None:
    tool = member("gemini", {"enum": [1, 2.5, True, None, "a", {"b": 1}]})

    values = tool.schema["properties"]["x"]["enum"]
    assert [tool.arguments({"x": value})["x"] for value in values] == [1, 2.5, True, "a", {"b": 1}]
    assert tool.arguments({"x": None}) == {"x": None}


def test_gemini_reports_values_that_it_has_no_text_for() -> None:
    assert codes(member("gemini", {"enum": ["", "a"]})) == {("/properties/x/enum", "values")}


@pytest.mark.parametrize("provider", ["gemini", "anthropic"])
def test_members_with_names_that_a_provider_refuses_get_others(provider: Provider) -> None:
    properties = {"$top": {"type": "integer"}, "filter[a]": {"type": "string"}, "filter(a)": {"type": "string"}}
    tool = shaped(provider, properties=properties, required=["$top"])

    made = dict(zip(tool.schema["properties"], [1, "x", "y"], strict=True))

    assert tool.arguments(made) == {"$top": 1, "filter[a]": "x", "filter(a)": "y"}
    assert tool.schema["required"] == [next(iter(tool.schema["properties"]))]


def test_gemini_renames_members_at_every_level() -> None:
    inner = {"type": "object", "properties": {"a-b": {"type": "integer"}}}
    tool = member("gemini", {"type": "array", "items": inner})

    assert tool.arguments({"x": [{"a_b": 1}, {}]}) == {"x": [{"a-b": 1}, {}]}


RECURSIVE = {
    "properties": {"tree": {"$ref": "#/$defs/Node"}},
    "required": ["tree"],
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/Node"}},
            "required": ["name"],
        }
    },
}


def test_strict_keeps_recursion_and_leads_back_at_every_depth() -> None:
    tool = shaped("openai-strict", **RECURSIVE)

    made = {"tree": {"name": "a", "next": {"name": "b", "next": None}}}

    assert tool.arguments(made) == {"tree": {"name": "a", "next": {"name": "b"}}}
    assert tool.losses == ()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_arguments_that_hold_themselves_lead_back_at_every_depth(provider: Provider) -> None:
    tool = shaped(provider, properties={"é": {"type": "integer"}, "in": {"$ref": "#"}}, required=["é"])

    first, inner = tool.schema["properties"]
    deeper: dict[str, Any] = {first if provider == "gemini" else "é": 2}
    if provider == "openai-strict":
        deeper["in"] = None

    assert tool.arguments({first: 1, inner: deeper}) == {"é": 1, "in": {"é": 2}}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_refers_to_an_alternative_of_the_root_still_finds_it(provider: Provider) -> None:
    one = {"properties": {"a": {"type": "integer"}}}
    tool = shaped(provider, anyOf=[one, {"properties": {"b": {"$ref": "#/anyOf/0/properties/a"}}}])

    made = {"a": None, "b": 2} if provider == "openai-strict" else {"b": 2}
    assert tool.arguments(made) == {"b": 2}
    assert codes(tool) == {("", "root")}


def test_strict_keeps_a_null_that_a_definition_may_be() -> None:
    definition = {"type": ["object", "null"], "properties": {"a": {"type": "string"}}, "required": ["a"]}
    tool = shaped(
        "openai-strict", properties={"x": {"$ref": "#/$defs/A"}}, required=["x"], **{"$defs": {"A": definition}}
    )

    assert tool.schema["properties"]["x"] == {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}
    assert tool.arguments({"x": None}) == {"x": None}


def test_gemini_gets_what_lies_deeper_than_four_levels_as_json_text() -> None:
    deep: Any = {"type": "object", "properties": {"c": {"type": "array", "items": {"type": "string"}}}}
    for name in ("b", "a"):
        deep = {"type": "object", "properties": {name: deep}}
    tool = member("gemini", deep)

    assert codes(tool) == {("/properties/x/properties/a/properties/b/properties/c", "text")}
    assert tool.arguments({"x": {"a": {"b": {"c": '["d"]'}}}}) == {"x": {"a": {"b": {"c": ["d"]}}}}


def test_gemini_gets_recursion_as_json_text() -> None:
    tool = shaped("gemini", **RECURSIVE)

    assert tool.arguments({"tree": {"name": "a", "next": '{"name": "b"}'}}) == {
        "tree": {"name": "a", "next": {"name": "b"}}
    }
    assert codes(tool) == {("/$defs/Node/properties/next", "text")}


@pytest.mark.parametrize("provider", ["openai-strict", "gemini"])
def test_alternatives_lead_back_by_the_one_that_fits(provider: Provider) -> None:
    cat = {"type": "object", "properties": {"kind": {"const": "cat"}, "extra": {"type": "object"}}}
    dog = {"type": "object", "properties": {"kind": {"const": "dog"}, "extra": {"type": "string"}}}
    tool = member(provider, {"anyOf": [{**cat, "required": ["kind"]}, {**dog, "required": ["kind"]}]})

    assert tool.arguments({"x": {"kind": "dog", "extra": "{}"}}) == {"x": {"kind": "dog", "extra": "{}"}}
    assert tool.arguments({"x": {"kind": "cat", "extra": "{}"}}) == {"x": {"kind": "cat", "extra": {}}}


def test_an_alternative_with_bounds_fits_where_a_member_is_left_out() -> None:
    late = {"type": "object", "properties": {"at": {"type": "integer", "minimum": 5}, "a": {"type": "string"}}}
    other = {"type": "object", "properties": {"b": {"type": "string"}}}
    tool = member("openai-strict", {"anyOf": [late, other]})

    assert tool.arguments({"x": {"at": None, "a": "y"}}) == {"x": {"a": "y"}}


@pytest.mark.parametrize("provider", ["openai-strict", "gemini"])
def test_a_schema_that_nothing_fits_is_reported(provider: Provider) -> None:
    properties = {"a": {"type": "string"}}
    tool = member(
        provider, {"type": "object", "properties": properties, "required": ["b"], "additionalProperties": False}
    )

    assert ("/properties/x/required", "invalid") in codes(tool)


@pytest.mark.parametrize("provider", ["openai-strict", "gemini"])
def test_text_that_could_be_either_of_two_things_is_given_as_json_text_in_all(provider: Provider) -> None:
    tool = member(provider, {"anyOf": [{"type": "string"}, {"type": "object"}]})

    assert [tool.arguments({"x": text})["x"] for text in ('"{}"', "{}")] == ["{}", {}]


def test_what_holds_beside_alternatives_holds_in_each_of_them() -> None:
    base = {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    tool = member("openai-strict", {**base, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]})

    assert [*arguments_for("openai-strict", tool.schema)]
    assert [unexcused(tool, made) for made in arguments_for("openai-strict", tool.schema)] == [[]] * 6


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_of_is_kept_or_reported(provider: Provider) -> None:
    tool = member(provider, {"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 3}]})

    told = "oneOf" in tool.schema["properties"]["x"]
    assert told != (("/properties/x/oneOf", "one_of") in codes(tool))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_alternatives_at_the_root_are_merged_and_reported(provider: Provider) -> None:
    one = {"properties": {"a": {"type": "string"}, "c": {"type": "string"}}, "required": ["a", "c"]}
    two = {"properties": {"b": {"type": "string"}, "c": {"type": "integer"}}, "required": ["b", "c"]}
    tool = shaped(provider, oneOf=[one, two])

    assert [*tool.schema["properties"]] == ["a", "c", "b"]
    assert ("", "root") in codes(tool)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_all_at_the_root_is_merged_without_a_loss(provider: Provider) -> None:
    tool = shaped(
        provider,
        allOf=[{"$ref": "#/$defs/A"}, {"properties": {"b": {"type": "string"}}, "required": ["b"]}],
        **{"$defs": {"A": {"properties": {"a": {"type": "integer"}}, "required": ["a"]}}},
    )

    assert [*tool.schema["properties"]] == ["a", "b"]
    assert sorted(tool.schema["required"]) == ["a", "b"]
    assert tool.losses == ()


def test_bounds_that_a_provider_has_no_words_for_are_told_in_the_description() -> None:
    tool = member("openai-strict", {"type": "string", "description": "A code.", "minLength": 2, "default": "ab"})

    assert tool.schema["properties"]["x"]["description"] == 'A code. (minLength 2, default "ab")'
    assert codes(tool) == {("/properties/x/minLength", "constraint")}


def test_a_long_description_is_cut_where_a_provider_has_a_limit() -> None:
    tool = Tool(name="x", description="word " * 400)

    assert len(for_model([tool], "openai").tools["x"].description) == 1024
    assert for_model([tool], "openai").losses["x"][0].code == "description"
    assert for_model([tool], "anthropic").tools["x"].description == tool.description


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_schema_that_is_none_is_made_one_and_reported(provider: Provider) -> None:
    tool = shaped(
        provider,
        properties={"a": {"type": "any"}, "b": 3, "c": {"type": "array", "items": [{"type": "string"}]}},
        required="a",
    )

    assert {"/properties/a/type", "/properties/b", "/required"} <= {loss.pointer for loss in tool.losses}


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("reference", ["https://elsewhere.test/a", "#/$defs/Gone", "#anchor", 7])
def test_a_reference_that_leads_nowhere_lets_anything_in_and_is_reported(provider: Provider, reference: Any) -> None:
    tool = member(provider, {"$ref": reference})

    assert ("/properties/x/$ref", "invalid") in codes(tool)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_schema_without_end_is_told_without_its_arguments(provider: Provider) -> None:
    deep: Any = {"type": "string"}
    for _ in range(5000):
        deep = {"type": "array", "items": deep}

    assert codes(member(provider, deep)) >= {("", "invalid")}


@pytest.mark.parametrize("provider", ["openai-strict", "gemini"])
@pytest.mark.parametrize("word", ["properties", "allOf"])
def test_definitions_that_lead_deeper_than_the_stack_end(provider: Provider, word: str) -> None:
    def inner(level: int) -> Any:
        reference = {"$ref": f"#/$defs/A{level}"}
        return {"type": "object", "properties": {"a": reference}} if word == "properties" else {"allOf": [reference]}

    definitions = {f"A{level}": inner(level + 1) for level in range(2000)}
    root = {"type": "object", **inner(0), "$defs": {**definitions, "A2000": {"type": "object"}}}
    tool = checked(provider, Tool(name="x", input_schema=root))

    assert tool.losses


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_schema_that_only_refers_to_itself_ends(provider: Provider) -> None:
    loop = {"A": {"allOf": [{"$ref": "#/$defs/B"}]}, "B": {"allOf": [{"$ref": "#/$defs/A"}]}}

    assert shaped(provider, properties={"x": {"$ref": "#/$defs/A"}}, **{"$defs": loop}).name == "tool"


@pytest.mark.parametrize("provider", ["openai-strict", "gemini"])
def test_a_schema_larger_than_a_provider_takes_is_told_as_far_as_it_goes(provider: Provider) -> None:
    level: Any = {"type": "string"}
    for _ in range(5):
        level = {"type": "object", "properties": {f"m{number}": level for number in range(9)}}

    tool = member(provider, level)

    assert any(loss.code == "text" for loss in tool.losses)


@pytest.mark.parametrize("provider", ["openai-strict", "gemini"])
def test_alternatives_that_multiply_without_number_end(provider: Provider) -> None:
    definitions: dict[str, Any] = {
        f"A{level}": {"anyOf": [{"$ref": f"#/$defs/A{level + 1}"}, {"$ref": f"#/$defs/A{level + 1}"}, {"const": level}]}
        for level in range(40)
    }
    properties = {"x": {"$ref": "#/$defs/A0"}, "y": {"type": "string"}}
    tool = shaped(
        provider, properties=properties, required=["x"], **{"$defs": {**definitions, "A40": {"type": "null"}}}
    )

    made = {"x": 3, "y": None} if provider == "openai-strict" else {"x": "3", "y": '"a"'}
    assert tool.arguments(made)["x"] == 3


def test_more_values_than_a_provider_takes_are_left_out_and_reported() -> None:
    tool = member("openai-strict", {"enum": [f"value {number}" for number in range(1200)]})

    assert tool.schema["properties"]["x"] == {"type": "string"}
    assert codes(tool) == {("/properties/x/enum", "values")}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_names_that_the_client_keeps_become_others(provider: Provider) -> None:
    properties = {"config": {"type": "string"}, "config_": {"type": "string"}, "b": {"type": "integer"}}
    tool = Tool(name="x", input_schema={"type": "object", "properties": properties, "required": ["config"]})

    said = for_model([tool], provider, reserved=["config"])

    assert [*said.tools["x"].schema["properties"]] == ["config__", "config_", "b"]
    assert "config__" in said.tools["x"].schema["required"]
    assert refusals(provider, said.definitions[0]) == []
    assert said.call("x", {"config__": "1", "config_": "2", "b": 3}) == ("x", {"config": "1", "config_": "2", "b": 3})


def test_a_tool_without_arguments_has_none_for_gemini() -> None:
    definition = for_model([Tool(name="ping")], "gemini").definitions[0]

    assert "parameters" not in definition


def test_the_definitions_have_each_providers_own_members() -> None:
    tool = Tool(name="ping", description="Pings.", input_schema={"type": "object", "properties": {}})

    keys = {provider: [*for_model([tool], provider).definitions[0]] for provider in PROVIDERS}

    assert keys == {
        "openai": ["type", "name", "description", "parameters", "strict"],
        "openai-strict": ["type", "name", "description", "parameters", "strict"],
        "gemini": ["name", "description"],
        "anthropic": ["name", "description", "input_schema"],
    }
