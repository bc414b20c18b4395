"""Python functions as tools."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import partial
from typing import Annotated, Any, Literal

import mcp_types
import pydantic
import pytest

from contract import check_source_contract, words_of
from mcpbridge.errors import ConfigError, InvalidArguments
from mcpbridge.secret import Secret
from mcpbridge.source.answer import error_of
from mcpbridge.tools import ANYONE, Call, Caller
from mcpbridge.upstream.functions import Functions
from mcpbridge.wrap.validate import Validate


class Book(pydantic.BaseModel):
    title: str
    year: int | None = None


@dataclass
class Point:
    x: int
    y: float


def add(a: int, b: Annotated[int, pydantic.Field(description="The second.", ge=0)] = 2) -> int:
    """Adds two numbers."""
    return a + b


async def shelve(book: Book, where: Literal["left", "right"] = "left") -> dict[str, Any]:
    return {"title": book.title, "where": where}


async def called(function: Any, **arguments: Any) -> Any:
    return await Functions(function).call(Call(name=function.__name__, arguments=arguments))


@pytest.mark.req("GW-14")
async def test_a_function_becomes_a_tool() -> None:
    [tool] = await Functions(add).list_tools(ANYONE)

    assert (tool.name, tool.description, tool.access) == ("add", "Adds two numbers.", "write")
    assert tool.input_schema == {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "integer", "default": 2, "minimum": 0, "description": "The second."},
        },
        "required": ["a"],
        "additionalProperties": False,
    }


@pytest.mark.req("GW-14")
async def test_functions_run_in_the_loop_or_in_a_thread() -> None:
    def where() -> str:
        return threading.current_thread().name

    async def here() -> str:
        return threading.current_thread().name

    assert words_of(await called(where)) != threading.current_thread().name
    assert words_of(await called(here)) == threading.current_thread().name


async def test_plain_functions_do_not_hold_up_each_other() -> None:
    barrier = threading.Barrier(2, timeout=5)

    def meet() -> int:
        return barrier.wait()

    source = Functions(meet)
    answers = await asyncio.gather(*(source.call(Call(name="meet")) for _ in range(2)))

    assert sorted(map(words_of, answers)) == ["0", "1"]


async def test_models_are_read_and_dictionaries_given() -> None:
    answer = await called(shelve, book={"title": "Emma"}, where="right")

    assert answer.structured_content == {"title": "Emma", "where": "right"}
    assert words_of(answer) == '{"title":"Emma","where":"right"}'


@pytest.mark.parametrize(
    ("given", "words", "structured"),
    [
        ("text", "text", None),
        (None, "", None),
        (5, "5", None),
        (float("nan"), "null", None),
        ([1, "a"], '[1,"a"]', [1, "a"]),
        (Book(title="Emma"), '{"title":"Emma","year":null}', {"title": "Emma", "year": None}),
        (Point(x=1, y=2.5), '{"x":1,"y":2.5}', {"x": 1, "y": 2.5}),
    ],
    ids=str,
)
async def test_each_kind_of_result_is_told(given: Any, words: str, structured: Any) -> None:
    def give() -> Any:
        return given

    answer = await called(give)

    assert (words_of(answer), answer.structured_content, answer.is_error) == (words, structured, False)


async def test_a_result_of_mcp_passes_as_it_is() -> None:
    result = mcp_types.CallToolResult(content=[], is_error=True)

    async def give() -> mcp_types.CallToolResult:
        return result

    assert await called(give) is result


@pytest.mark.parametrize("plain", [True, False])
async def test_what_a_function_raises_is_told_to_nobody(caplog: pytest.LogCaptureFixture, *, plain: bool) -> None:
    def fail() -> None:
        raise RuntimeError("password is hunter2")

    async def fail_too() -> None:
        raise RuntimeError("password is hunter2")

    caplog.set_level(logging.CRITICAL)
    answer = await called(fail if plain else fail_too)
    failure = error_of(answer)

    assert failure
    assert (failure.code, failure.sent) == ("function_failed", "yes")
    assert "hunter2" not in answer.model_dump_json()


@pytest.mark.parametrize(
    "result",
    [Secret("hunter2"), {"key": Secret("hunter2")}, object()],
    ids=["a secret", "a secret inside", "an object"],
)
async def test_a_result_that_is_no_json_is_a_failure(result: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)

    def give() -> Any:
        return result

    answer = await called(give)

    assert error_of(answer)
    assert "hunter2" not in answer.model_dump_json()


@pytest.mark.parametrize(
    ("arguments", "path"),
    [({}, "/a"), ({"a": "hunter2"}, "/a"), ({"a": 1, "b": -1}, "/b"), ({"a": 1, "c": "hunter2"}, "/c")],
    ids=str,
)
async def test_wrong_arguments_are_refused_without_repeating_them(arguments: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArguments) as refused:
        await called(add, **arguments)

    assert [problem.path for problem in refused.value.problems] == [path]
    assert "hunter2" not in str(refused.value)


class Colour(Enum):
    RED = "red"


def set_up(*, force: bool, size: int, ratio: float, name: str, when: date, colour: Colour, more: Any = None) -> str:
    """Repeats what it got."""
    return repr((force, size, ratio, name, when, colour, more))


RIGHT: dict[str, Any] = {
    "force": True,
    "size": 3,
    "ratio": 0.5,
    "name": "n",
    "when": "2026-01-31",
    "colour": "red",
}


@pytest.mark.req("ATK-25", "REST-06")
@pytest.mark.parametrize(
    "wrong",
    [
        {"force": "true"},
        {"force": 1},
        {"force": "yes"},
        {"size": "3"},
        {"size": True},
        {"size": 3.5},
        {"ratio": "0.5"},
        {"name": 3},
        {"when": 0},
        {"colour": "RED"},
        {"more": float("nan")},
        {"more": {1: 2}.keys()},
        {"name": "\ud800"},
    ],
    ids=str,
)
async def test_what_a_policy_saw_is_not_taken_for_something_else(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArguments):
        await called(set_up, **{**RIGHT, **wrong})


async def test_what_json_can_say_is_read() -> None:
    words = words_of(await called(set_up, **{**RIGHT, "size": 3.0, "ratio": 2, "more": [1.0, {"a": None}]}))

    assert words == repr((True, 3, 2.0, "n", date(2026, 1, 31), Colour.RED, [1, {"a": None}]))


async def test_a_function_may_refuse_its_arguments_itself() -> None:
    def fail() -> None:
        raise InvalidArguments([])

    with pytest.raises(InvalidArguments):
        await called(fail)


async def test_the_caller_is_given_to_who_asks_for_it_and_is_no_argument() -> None:
    def who(caller: Caller, greeting: str) -> str:
        return f"{greeting} {caller.user}"

    source = Functions(who)
    [tool] = await source.list_tools(ANYONE)
    answer = await source.call(Call(name="who", arguments={"greeting": "hi"}, caller=Caller(user="alice")))

    assert [*tool.input_schema["properties"]] == ["greeting"]
    assert words_of(answer) == "hi alice"


async def test_any_name_of_a_parameter_works() -> None:
    def odd(_x: int, schema: str, model_config: str, copy: bool, argument1: int = 3) -> list[Any]:
        return [_x, schema, model_config, copy, argument1]

    answer = await called(odd, _x=1, schema="s", model_config="m", copy=True)

    assert answer.structured_content == [1, "s", "m", True, 3]


async def test_a_parameter_without_annotation_takes_any_json() -> None:
    def echo(value):  # type: ignore[no-untyped-def] # a host need not annotate
        return value  # pyright: ignore[reportUnknownVariableType] # as above

    assert (await called(echo, value=[1])).structured_content == [1]


async def test_functions_that_read_are_declared_so() -> None:
    tools = {tool.name: tool for tool in await Functions(add, reads=[shelve]).list_tools(ANYONE)}

    assert {name: tool.access for name, tool in tools.items()} == {"add": "write", "shelve": "read"}
    assert tools["shelve"].extra["annotations"]["readOnlyHint"] is True


def positional(a: int, /) -> int:
    return a


def starred(*args: int) -> int:
    return len(args)


def open_ended(**more: int) -> int:
    return len(more)


def unreadable(a: Any) -> None:
    """Names a type that is not there."""


unreadable.__annotations__["a"] = "Nowhere"


def unwritable(a: threading.Event) -> None:
    """Takes what JSON has no word for."""


def _named(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


REFUSED: list[Any] = [positional, starred, open_ended, unreadable, unwritable, lambda: 1, partial(add, 1)]


@pytest.mark.parametrize("function", REFUSED, ids=_named)
def test_what_cannot_be_a_tool_is_refused_at_once(function: Any) -> None:
    with pytest.raises(ConfigError):
        Functions(function)


def test_two_functions_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two functions are called 'add'"):
        Functions(add, reads=[add])


@pytest.mark.req("GW-14")
async def test_it_keeps_the_contract_and_its_schemas_compile() -> None:
    source = Functions(add, shelve)
    await check_source_contract(source)

    assert words_of(await Validate(source).call(Call(name="add", arguments={"a": 1}))) == "3"
