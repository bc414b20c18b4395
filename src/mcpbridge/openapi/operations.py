"""The operations of a description, one for each endpoint, with everything inherited and settled.

What cannot be read is left out alone and reported; nothing here raises for one operation (but in `strict`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.access import EXTENSION, labels
from mcpbridge.openapi.answers import answer_of
from mcpbridge.openapi.arguments import named
from mcpbridge.openapi.bodies import body_of
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.limits import CollectorPaused
from mcpbridge.openapi.names import Endpoint, tool_names
from mcpbridge.openapi.operation import Operation, Parameter, Requirement
from mcpbridge.openapi.parameters import undeclared
from mcpbridge.openapi.problems import Trail
from mcpbridge.openapi.reading import Node, Reading, list_in, text_in
from mcpbridge.openapi.references import Found
from mcpbridge.openapi.requirements import requirements_of, says_of_security
from mcpbridge.openapi.servers import server_url
from mcpbridge.openapi.template import is_dotted
from mcpbridge.openapi.wording import line

if TYPE_CHECKING:
    from mcpbridge.openapi.document import Document

Choice: TypeAlias = "Callable[[Operation], bool]"
Overrides: TypeAlias = "Mapping[str, Mapping[str, Any]]"

_VARIABLE = re.compile(r"\{([^{}]+)\}")
_TITLE_LENGTH = 120
_CHECK_EVERY = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stated:
    """One operation as it stands, with its path item."""

    method: str
    path: str
    item: Found
    operation: Found


def read_operations(
    document: Document,
    *,
    select: Choice | None = None,
    name_limit: int = 64,
    overrides: Overrides | None = None,
    trusted: bool = False,
) -> Sequence[Operation]:
    """The operations of a description, in its order.

    `select` chooses some of them (a `Select`, or any function of an operation); names do not depend on the choice.
    `name_limit` is what a prefix leaves of 64 characters. `overrides` holds the host's word on labels (`access`,
    `readOnlyHint`, `title` …) by operationId or by `METHOD /path`; `trusted` lets the description's own `x-mcp` lower
    them too.

    Raises: DescriptionError past a limit, and for the first lost part where the document is strict.
    """
    operations = operations_of(document.reading, name_limit=name_limit, overrides=overrides or {}, trusted=trusted)
    return operations if select is None else [each for each in operations if select(each)]


def operations_of(
    reading: Reading, *, name_limit: int = 64, overrides: Overrides | None = None, trusted: bool = False
) -> Sequence[Operation]:
    """All operations, as `read_operations` gives them."""
    with CollectorPaused():
        return _all(reading, name_limit, overrides or {}, trusted=trusted)


def _all(reading: Reading, name_limit: int, said: Overrides, *, trusted: bool) -> Sequence[Operation]:
    stated: list[_Stated] = []
    for each in _stated(reading):
        stated.append(each)
        if len(stated) > reading.limits.operations:
            raise DescriptionError(
                f"the description has more than {reading.limits.operations} operations; raise the limit or split it"
            )
    endpoints = [Endpoint(_id(each), each.method, each.path) for each in stated]
    secured = says_of_security(reading.root, (each.operation.value for each in stated))
    operations: list[Operation] = []
    for index, (each, name) in enumerate(zip(stated, tool_names(endpoints, limit=name_limit), strict=True)):
        if index % _CHECK_EVERY == 0:
            reading.deadline.check()
        override = said.get(f"{each.method} {each.path}") or said.get(_id(each) or "") if said else None
        security = requirements_of(each.operation.value, reading.root) if secured else None
        operations.append(_operation(reading, each, name, override, security=security, trusted=trusted))
    return operations


def _id(stated: _Stated) -> str | None:
    value = stated.operation.value.get("operationId")
    return value if isinstance(value, str) and value else None


def _stated(reading: Reading) -> Iterator[_Stated]:
    paths = reading.root.get("paths")
    base = reading.references.base
    if paths is None:
        return
    followed = reading.follow(paths, base, (None, "paths"))
    if followed is None or not is_object(followed.value):
        reading.error((None, "paths"), "'paths' has to be an object", "no operation was read")
        return
    for path, value in followed.value.items():
        trail: Trail = (followed.trail, path)
        if path.startswith("x-") or path == "$ref":
            continue
        found = reading.follow(value, followed.base, trail)
        if found is None or not is_object(found.value):
            if value is not None and found is not None:
                reading.error(trail, "a path has to be an object of operations", "left out")
            continue
        item = _beside(reading, value, found)
        if not path.startswith("/"):
            reading.warn(trail, f"the path {path[:60]!r} does not begin with '/'", "read as if it did")
            path = f"/{path}"  # noqa: PLW2901 -- the path as it is read from here on
        if is_dotted(path):
            reading.error(trail, f"the path {path[:60]!r} has a dot segment, and leaves the base URL", "left out")
            continue
        yield from _in_item(reading, path, item)


def _beside(reading: Reading, value: Any, found: Found) -> Found:
    """A path item behind a reference, with what stands beside the reference (OpenAPI 3.1 section 4.8.9.1)."""
    if not is_object(value) or "$ref" not in value or len(value) == 1:
        return found
    beside = {key: each for key, each in value.items() if key != "$ref"}
    return found._replace(value=reading.schemas.keep({**found.value, **beside}))


def _in_item(reading: Reading, path: str, item: Found) -> Iterator[_Stated]:
    for method, value, trail in reading.dialect.methods(item.value, item.trail):
        found = reading.follow(value, item.base, trail)
        if found is not None and is_object(found.value):
            yield _Stated(method=method, path=path, item=item, operation=found)
        elif found is not None:
            reading.error(trail, "an operation has to be an object", "left out")


def _operation(
    reading: Reading,
    stated: _Stated,
    name: str,
    override: Mapping[str, Any] | None,
    *,
    security: Sequence[Requirement] | None,
    trusted: bool,
) -> Operation:
    raw = stated.operation.value
    given, for_body = _given(reading, stated)
    parameters: Sequence[Parameter] = _with_variables(reading, stated, given)
    offers = reading.dialect.body(reading, stated.operation, for_body) if stated.method != "TRACE" else None
    body = None if offers is None else body_of(reading, offers)
    parameters, body, arguments = named(parameters, body)
    output, accept = answer_of(reading, stated.operation)
    access, hints = labels(stated.method, raw.get(EXTENSION), override, trusted=trusted)
    return Operation(
        name=name,
        method=stated.method,
        path=stated.path,
        access=access,
        title=line(text_in(raw, "summary") or text_in(stated.item.value, "summary"), _TITLE_LENGTH),
        description=text_in(raw, "description") or text_in(stated.item.value, "description"),
        parameters=parameters,
        body=body,
        output=output,
        accept=accept,
        arguments=arguments,
        hints=hints,
        definitions=reading.schemas,
        server=_server(raw) or _server(stated.item.value),
        security=security,
        operation_id=_id(stated),
        tags=tuple(tag for tag in list_in(raw, "tags") if isinstance(tag, str)),
        deprecated=raw.get("deprecated") is True,
        pointer=_pointer(stated),
    )


def _pointer(stated: _Stated) -> str:
    path = stated.path.replace("~", "~0").replace("/", "~1")
    return f"/paths/{path}/{stated.method.lower()}"


def _given(reading: Reading, stated: _Stated) -> tuple[list[Parameter], list[Found]]:
    """The parameters of an operation, its own instead of its path's where name and place are the same, and apart from
    them those that make a Swagger 2.0 body.
    """
    found: dict[tuple[str, str], Found] = {}
    for holder in (stated.item, stated.operation):
        given = holder.value.get("parameters")
        if given is None:
            continue
        trail: Trail = (holder.trail, "parameters")
        if not is_list(given):
            reading.error(trail, "'parameters' has to be a list", "left out")
            continue
        for index, value in enumerate(given):
            declared = reading.declared(value, holder.base, (trail, index))
            if declared is not None:
                found[declared.identity] = declared.found
    for_body: list[Found] = []
    parameters: list[Parameter] = []
    in_body = reading.dialect.in_body
    for (_, where), each in found.items():
        if where in in_body:
            for_body.append(each)
        elif (parameter := reading.parameter(each)) is not None:
            parameters.append(parameter)
    return parameters, for_body


def _with_variables(reading: Reading, stated: _Stated, given: list[Parameter]) -> list[Parameter]:
    """Every variable of the path has a parameter, and no path parameter is without one."""
    variables = {name.lstrip("+") for name in _VARIABLE.findall(stated.path)} if "{" in stated.path else set[str]()
    declared: set[str] = set()
    kept: list[Parameter] = []
    for each in given:
        if each.place.where == "path":
            if each.place.name not in variables:
                reading.warn(
                    stated.operation.trail,
                    f"the path parameter {each.place.name!r} is not in the path {stated.path!r}",
                    "left out: it could be sent nowhere",
                )
                continue
            declared.add(each.place.name)
        kept.append(each)
    for name in _VARIABLE.findall(stated.path) if len(declared) < len(variables) else ():
        plain = name.lstrip("+")
        if plain not in declared:
            declared.add(plain)
            reading.warn(stated.operation.trail, f"no parameter declares {{{plain}}} of the path", "read as text")
            kept.append(undeclared(plain))
    return kept


def _server(raw: Node) -> str | None:
    servers = list_in(raw, "servers")
    return server_url(servers[0]) if servers else None
