"""Whether an answer is what was promised: openapi-core judges HTTP answers, jsonschema-rs those of MCP tools."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal, TypeAlias

from mcpbridge.linting.schemas import KINDS
from mcpbridge.openapi import media
from mcpbridge.openapi.answered import PATH
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.tools import Json, Tool
from mcpbridge.wrap.compiled import Compiled, UnusableSchema, compile_schema, errors_of
from mcpbridge.wrap.plain import values_in

PROBLEMS = 20
"""How many problems a verdict tells at most."""

VALUES = 20_000
"""How many values an answer may have that is judged by openapi-core, times the schemas that are tried on each."""

Judged: TypeAlias = Literal["fits", "differs", "unjudged"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """What was found; `message` says why nothing was judged, `problems` where the answer differs."""

    outcome: Judged
    message: str = ""
    problems: tuple[str, ...] = ()


def judge_tool(tool: Tool, structured: Json) -> Judgement:
    """The structured content of an MCP tool's success by the tool's output schema."""
    if tool.output_schema is None:
        return Judgement(outcome="unjudged", message="the tool does not say what it answers")
    if not is_object(structured):
        return _told(["the tool has an output schema, and answered without structured content"])
    try:
        errors = errors_of(compile_schema(tool.output_schema), structured)
    except UnusableSchema as error:
        return Judgement(outcome="unjudged", message=f"the output schema can't be used: {error}")
    return _told(f"{_place(each.instance_path)}: {each.message}" for each in errors)


def judge_answer(document: Mapping[str, Any] | None, *, status: int, kind: str, content: bytes) -> Judgement:
    """An HTTP answer by what its operation may answer (`answers_document`): status, media type, and JSON strictly.

    `kind` is the answer's Content-Type. Headers, and bodies that are no JSON, are not judged. openapi-core sees this
    document alone, and fetches nothing. A `pattern` is tried on our engine, which takes a time that is linear in the
    text; of an object with `patternProperties` the other members are not judged.
    """
    if document is None:
        return Judgement(outcome="unjudged", message="the description does not say what the operation answers")
    try:
        _check_work(document, content if media.is_json(media.essence(kind)) else b"")
    except UnusableSchema as error:
        return Judgement(outcome="unjudged", message=f"the answer is not judged: {error}")
    return _told(_by_openapi_core(document, status, kind, content))


def _check_work(document: Mapping[str, Any], content: bytes) -> None:
    """Passes what is judged in a bounded time. Raises: UnusableSchema."""
    compiled = [compile_schema({**each, "$defs": document["$defs"]}) for each in _schemas(document)]
    try:
        values = values_in(json.loads(content), VALUES) if content else 0
    except (ValueError, RecursionError):
        return  # it is no JSON, which openapi-core will say
    if max((each.work for each in compiled), default=0) * values > VALUES:
        raise UnusableSchema("it is too large for its schema")


def _schemas(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for response in _responses(document).values():
        for offer in response.get("content", {}).values():
            if "schema" in offer:
                yield offer["schema"]


@dataclass(kw_only=True, slots=True)
class _Asked:
    """The request as openapi-core reads it, whose protocol wants it writable."""

    parameters: Any
    host_url: str = "http://described"
    path: str = PATH
    method: str = "get"
    content_type: str = ""
    body: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answered:
    """The response as openapi-core reads it."""

    status_code: int
    content_type: str
    data: bytes
    headers: Mapping[str, Any] = field(default_factory=dict[str, Any])


def _by_openapi_core(document: Mapping[str, Any], status: int, kind: str, content: bytes) -> Iterator[str]:
    from jsonschema_path import SchemaPath  # noqa: PLC0415 - the import budget: as below
    from openapi_core import V31ResponseValidator  # noqa: PLC0415 - the import budget: almost no program judges answers
    from openapi_core.datatypes import RequestParameters  # noqa: PLC0415 - as above

    patterns: dict[str, Compiled] = {}
    plain = _for_openapi_core(document, patterns)
    read: Callable[[bytes], Any] = json.loads if media.is_json(media.essence(kind)) else bytes
    offered = {name for each in _responses(document).values() for name in each.get("content", {})}
    judge = V31ResponseValidator(
        SchemaPath.from_dict(plain, handlers={}),
        extra_format_validators={name: _format(each) for name, each in patterns.items()},
        extra_media_type_deserializers=dict.fromkeys(offered, read),
    )
    answer = _Answered(status_code=status, content_type=media.essence(kind), data=content)
    for error in judge.iter_errors(_Asked(parameters=RequestParameters()), answer):
        yield from _words(error)


def _responses(document: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = document["paths"][PATH]["get"]["responses"]
    return found


def _format(pattern: Compiled) -> Callable[[Any], bool]:
    return pattern.validator.is_valid


def _for_openapi_core(document: Mapping[str, Any], patterns: dict[str, Compiled]) -> dict[str, Any]:
    """The document without patterns, which Python's own engine may take forever for; each is a format instead."""
    responses = {
        code: {**each, "content": _offers(each["content"], patterns)} if "content" in each else each
        for code, each in _responses(document).items()
    }
    definitions = {name: _without_patterns(each, patterns) for name, each in document["$defs"].items()}
    paths = {PATH: {"get": {"responses": responses}}}
    return {**document, "servers": [{"url": "/"}], "paths": paths, "$defs": definitions}


def _offers(content: Mapping[str, Any], patterns: dict[str, Compiled]) -> dict[str, Any]:
    return {
        kind: {name: _without_patterns(schema, patterns) for name, schema in offer.items()}
        for kind, offer in content.items()
    }


def _without_patterns(schema: Json, patterns: dict[str, Compiled]) -> Json:
    if not is_object(schema):
        return schema
    unknown = {"patternProperties", "additionalProperties", "unevaluatedProperties"}
    left_out = unknown if "patternProperties" in schema else set[str]()
    made: dict[str, Json] = {}
    for name, value in schema.items():
        if name in left_out or name == "pattern":
            continue
        kind = KINDS.get(name, "data")
        if kind == "schema":
            made[name] = _without_patterns(value, patterns)
        elif kind == "schemas" and is_object(value):
            made[name] = {key: _without_patterns(each, patterns) for key, each in value.items()}
        elif kind == "list" and is_list(value):
            made[name] = [_without_patterns(each, patterns) for each in value]
        else:
            made[name] = value
    if isinstance(pattern := schema.get("pattern"), str):
        name = f"text of the pattern {pattern}"
        patterns[name] = compile_schema({"pattern": pattern})
        made["allOf"] = [*made.get("allOf", ()), {"format": name}]
    return made


def _words(error: Exception) -> Iterator[str]:
    """Each error of a schema with its place; of others openapi-core's own words."""
    errors: Iterable[Any] = getattr(error.__cause__, "schema_errors", None) or ()
    found = [f"{_place(each.absolute_path)}: {each.message}" for each in errors]
    yield from found or [str(error.__cause__ or error)]


def _place(path: Iterable[object]) -> str:
    return "".join(f"/{part}" for part in path) or "the answer"


def _told(problems: Iterable[str]) -> Judgement:
    told = tuple(each.partition("\n")[0][:300] for each in islice(problems, PROBLEMS))
    return Judgement(outcome="differs" if told else "fits", problems=told)
