"""`declare`: an operation that a host writes by hand, for APIs without a description.

It gives the same `Operation` that a description does, so everything after it is the same: names, arguments, requests,
answers, approval.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.access import labels
from mcpbridge.openapi.arguments import named
from mcpbridge.openapi.headers import RESERVED, TOKEN
from mcpbridge.openapi.names import argument_name, tool_name
from mcpbridge.openapi.operation import Body, Operation, Parameter, Place, Schema, Style, Where
from mcpbridge.tools import Access

_VARIABLE = re.compile(r"\{([^{}]+)\}")
_STYLES: Final[Mapping[Where, Style]] = {"path": "simple", "query": "form", "header": "simple"}


def declare(
    name: str,
    *,
    method: str,
    path: str,
    description: str = "",
    parameters: Mapping[str, Schema] | None = None,
    query: Mapping[str, Schema] | None = None,
    headers: Mapping[str, Schema] | None = None,
    body: Mapping[str, Schema] | Schema | None = None,
    media: str = "application/json",
    required: Sequence[str] = (),
    access: Access | None = None,
) -> Operation:
    """An operation of an HTTP API, declared by hand.

    path        with `{placeholders}`; each is a required argument, text unless `parameters` has its JSON Schema
    query, headers   JSON Schemas by the name on the wire; optional unless `required` names them
    body        JSON Schemas of an object's members by name; or one JSON Schema (it has `type`) of a body that is
                passed whole as the argument `body`
    media       the media type of the body
    required    names among query, headers and body members, or `body`
    access      `read` or `write`; None decides by the method (RFC 9110 section 9.2.1)

    Raises: ConfigError for a name that is no tool's, a path without its slash, names that nothing declares, a header
    that is not the caller's to set.
    """
    if tool_name(name) != name:
        raise ConfigError(f"{name!r} is no tool's name: use at most 64 of a-z, A-Z, 0-9, '_' and '-'")
    if not path.startswith("/"):
        raise ConfigError(f"the path {path!r} of {name!r} must start with '/'")
    variables = _variables(name, path, parameters or {})
    _check_headers(name, headers or {})
    by_place: Mapping[Where, Mapping[str, Schema]] = {"path": variables, "query": query or {}, "header": headers or {}}
    stated = [*_parameters(by_place, required)]
    made = None if body is None else _body(body, media, required)
    members = () if made is None or made.members is None else tuple(made.members)
    _check_required(name, required, [*(each.place.name for each in stated), *members, *(["body"] if made else [])])
    placed, made, arguments = named(stated, made)
    decided, hints = labels(method.upper(), None, None if access is None else {"access": access}, trusted=True)
    return Operation(
        name=name,
        method=method.upper(),
        path=path,
        access=decided,
        description=description,
        parameters=placed,
        body=made,
        arguments=arguments,
        hints=hints,
    )


def _variables(name: str, path: str, parameters: Mapping[str, Schema]) -> Mapping[str, Schema]:
    """The schema of each placeholder."""
    variables = dict.fromkeys(_VARIABLE.findall(path))
    if stray := [each for each in parameters if each not in variables]:
        raise ConfigError(f"{name!r} declares {stray[0]!r}, which is no placeholder of its path {path!r}")
    return {each: parameters.get(each, {"type": "string"}) for each in variables}


def _check_headers(name: str, headers: Mapping[str, Schema]) -> None:
    for header in headers:
        if TOKEN.fullmatch(header) is None or header.lower() in RESERVED:
            raise ConfigError(f"{name!r} can't have the header {header!r} as an argument: the gateway sets it")


def _parameters(by_place: Mapping[Where, Mapping[str, Schema]], required: Sequence[str]) -> Iterator[Parameter]:
    for where, schemas in by_place.items():
        for each, schema in schemas.items():
            yield Parameter(
                argument=argument_name(each),
                place=Place(where=where, name=each),
                schema=schema,
                required=where == "path" or each in required,
                style=_STYLES[where],
                explode=where == "query",
            )


def _body(stated: Schema, media: str, required: Sequence[str]) -> Body:
    """The body whole where it is one schema; by its members where it is a mapping of names to schemas."""
    if isinstance(stated, bool) or not all(isinstance(each, Mapping | bool) for each in stated.values()):
        return Body(media=media, schema=stated, required="body" in required)
    needed = [each for each in stated if each in required]
    schema: dict[str, Any] = {"type": "object", "properties": dict(stated)}
    if needed:
        schema["required"] = needed
    return Body(media=media, schema=schema, required=bool(needed), members={each: each for each in stated})


def _check_required(name: str, required: Sequence[str], known: Sequence[str]) -> None:
    if strange := [each for each in required if each not in known]:
        raise ConfigError(f"{name!r} requires {strange[0]!r}, which it does not declare: {', '.join(known)}")
