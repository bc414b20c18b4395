"""The operations of a description, one for each endpoint, with everything inherited and settled.

What cannot be read is left out alone and reported; nothing here raises for one operation (but in `strict`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi import media
from mcpbridge.openapi.access import EXTENSION, labels
from mcpbridge.openapi.bodies import JSON, body_of
from mcpbridge.openapi.names import Endpoint, argument_names, is_argument_name, tool_names
from mcpbridge.openapi.operation import Body, Operation, Parameter, Place, Schema
from mcpbridge.openapi.parameters import undeclared
from mcpbridge.openapi.problems import Trail
from mcpbridge.openapi.reading import Node, Offer, Reading, list_in, object_in, text_in
from mcpbridge.openapi.references import Found
from mcpbridge.openapi.servers import server_url
from mcpbridge.openapi.wording import line

if TYPE_CHECKING:
    from mcpbridge.openapi.document import Document

Choice: TypeAlias = "Callable[[Operation], bool]"
Overrides: TypeAlias = "Mapping[str, Mapping[str, Any]]"

_VARIABLE = re.compile(r"\{([^{}]+)\}")
_ORDER = {"path": 0, "query": 1, "querystring": 2, "header": 3, "cookie": 4}
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
    stated: list[_Stated] = []
    for each in _stated(reading):
        stated.append(each)
        if len(stated) > reading.limits.operations:
            raise DescriptionError(
                f"the description has more than {reading.limits.operations} operations; raise the limit or split it"
            )
    endpoints = [Endpoint(_id(each), each.method, each.path) for each in stated]
    operations: list[Operation] = []
    said = overrides or {}
    for index, (each, name) in enumerate(zip(stated, tool_names(endpoints, limit=name_limit), strict=True)):
        if index % _CHECK_EVERY == 0:
            reading.deadline.check()
        override = said.get(f"{each.method} {each.path}") or said.get(_id(each) or "") if said else None
        operations.append(_operation(reading, each, name, override, trusted=trusted))
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
    if followed is None or not isinstance(followed.value, dict):
        reading.error((None, "paths"), "'paths' has to be an object", "no operation was read")
        return
    for path, value in cast("Node", followed.value).items():
        trail: Trail = (followed.trail, path)
        if path.startswith("x-") or path == "$ref":
            continue
        found = reading.follow(value, followed.base, trail)
        if found is None or not isinstance(found.value, dict):
            if value is not None and found is not None:
                reading.error(trail, "a path has to be an object of operations", "left out")
            continue
        item = _beside(reading, cast("Any", value), found)
        if not path.startswith("/"):
            reading.warn(trail, f"the path {path[:60]!r} does not begin with '/'", "read as if it did")
            path = f"/{path}"  # noqa: PLW2901 -- the path as it is read from here on
        yield from _in_item(reading, path, item)


def _beside(reading: Reading, value: Any, found: Found) -> Found:
    """A path item behind a reference, with what stands beside the reference (OpenAPI 3.1 section 4.8.9.1)."""
    if not isinstance(value, dict) or "$ref" not in value or len(cast("Node", value)) == 1:
        return found
    beside = {key: each for key, each in cast("Node", value).items() if key != "$ref"}
    return found._replace(value=reading.schemas.keep({**found.value, **beside}))


def _in_item(reading: Reading, path: str, item: Found) -> Iterator[_Stated]:
    for method, value, trail in reading.dialect.methods(item.value, item.trail):
        found = reading.follow(value, item.base, trail)
        if found is not None and isinstance(found.value, dict):
            yield _Stated(method=method, path=path, item=item, operation=found)
        elif found is not None:
            reading.error(trail, "an operation has to be an object", "left out")


def _operation(
    reading: Reading, stated: _Stated, name: str, override: Mapping[str, Any] | None, *, trusted: bool
) -> Operation:
    raw = cast("Node", stated.operation.value)
    given, for_body = _given(reading, stated)
    parameters = _with_variables(reading, stated, given)
    offers = reading.dialect.body(reading, stated.operation, for_body) if stated.method != "TRACE" else None
    body = None if offers is None else body_of(reading, offers)
    parameters, body, arguments = _named(parameters, body)
    output, accept = _answer(reading, stated)
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
        server=_server(raw) or _server(cast("Node", stated.item.value)),
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
    found: dict[tuple[Any, Any], Found] = {}
    for holder in (stated.item, stated.operation):
        stated_list = holder.value.get("parameters")
        if stated_list is None:
            continue
        if not isinstance(stated_list, list):
            reading.error((holder.trail, "parameters"), "'parameters' has to be a list", "left out")
            continue
        for index, value in enumerate(cast("list[Any]", stated_list)):
            each = reading.follow(value, holder.base, ((holder.trail, "parameters"), index))
            if each is None:
                continue
            raw = cast("Node", each.value) if isinstance(each.value, dict) else {}
            name, where = raw.get("name"), raw.get("in")
            found[
                name.lower()
                if where == "header" and isinstance(name, str)
                else name
                if isinstance(name, str)
                else index,
                where if isinstance(where, str) else index,
            ] = each
    for_body: list[Found] = []
    parameters: list[Parameter] = []
    bodied = reading.dialect.name == "2.0"
    for (_, where), each in found.items():
        if bodied and where in ("body", "formData") and isinstance(each.value.get("name"), str):
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


def _named(
    parameters: list[Parameter], body: Body | None
) -> tuple[Sequence[Parameter], Body | None, Mapping[str, Place]]:
    """Everything under the names of the arguments, which are all different."""
    members = () if body is None or body.members is None else body.members
    names = [each.argument for each in parameters]
    whole = [] if body is None or body.members is not None else ["body"]
    exact = all(each.argument == each.place.name for each in parameters) and all(map(is_argument_name, members))
    if exact and len({*names, *members, *whole}) == len(names) + len(members) + len(whole):
        arguments = {each.argument: each.place for each in parameters}
        for member in members:
            arguments[member] = Place(where="body", name=member)
        if whole:
            arguments["body"] = _WHOLE
        return parameters, body, arguments
    ordered = sorted(parameters, key=lambda each: _ORDER[each.place.where])
    places = [(each.place.where, each.place.name) for each in ordered]
    given = argument_names([*places, *(("body", member) for member in members), *([("whole", "")] if whole else [])])
    renamed = [replace(each, argument=given[each.place.where, each.place.name]) for each in parameters]
    arguments = {each.argument: each.place for each in renamed}
    if body is not None and body.members is not None:
        body = replace(body, members={given["body", member]: member for member in members})
        arguments |= {given["body", member]: Place(where="body", name=member) for member in members}
    elif body is not None:
        body = replace(body, argument=given["whole", ""])
        arguments[body.argument] = _WHOLE
    return renamed, body, arguments


_WHOLE = Place(where="whole", name="")


def _server(raw: Node) -> str | None:
    servers = list_in(raw, "servers")
    return server_url(servers[0]) if servers else None


def _answer(reading: Reading, stated: _Stated) -> tuple[Schema | None, str]:
    """The schema of the JSON of a success, and what to accept. The lowest 2xx counts, `default` where there is none."""
    responses = object_in(stated.operation.value, "responses")
    codes = sorted(code for code in responses if code[:1] == "2")
    best: Offer | None = None
    medias: dict[str, None] = {}
    for code in codes or [code for code in ("default",) if code in responses]:
        trail = ((stated.operation.trail, "responses"), code)
        found = reading.follow(responses[code], stated.operation.base, trail)
        if found is None or not isinstance(found.value, dict):
            continue
        for offer in reading.dialect.answers(reading, stated.operation, found):
            medias[offer.media] = None
            if best is None and media.is_json(media.essence(offer.media)) and offer.schema.value is not None:
                best = offer
    output = None
    if best is not None:
        output = reading.schemas.convert(best.schema.value, best.schema.base, best.schema.trail, output=True)
    return output, _accept(medias)


def _accept(medias: Mapping[str, None]) -> str:
    """JSON where it is offered, else all that is (RFC 9110 section 12.5.1)."""
    plain = [each.strip() for each in medias if "/" in each and each.isascii() and each.isprintable()]
    if JSON in plain:
        return JSON
    json = [each for each in plain if media.is_json(media.essence(each))]
    return ", ".join(json or plain) or "*/*"
