"""`build_request`: an operation and arguments to an HTTP request; pure.

A path value never changes the path's structure: the request has exactly the template's segments, and a dot segment
is refused in every spelling that a server may resolve. No argument sets a header that belongs to another layer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice

import httpx2

from mcpbridge.errors import ArgumentProblem, InvalidArguments
from mcpbridge.openapi.baseurl import joined, name_of
from mcpbridge.openapi.body import form_text, write_body
from mcpbridge.openapi.closest import closest
from mcpbridge.openapi.content import Content
from mcpbridge.openapi.headers import RESERVED, TOKEN
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.media import essence, is_form
from mcpbridge.openapi.operation import Body, Operation, Parameter, Where
from mcpbridge.openapi.plaintext import Unfit, checked_header, encoded, json_text, named, text_of
from mcpbridge.openapi.style import cookie_pairs, header_text, path_text, query_parameter
from mcpbridge.openapi.template import Template, check_path, expand, parse_template
from mcpbridge.tools import Json

PROBLEMS = 20
"""How many unknown arguments are told at once."""

LONGEST = 65_536
"""Characters, items or members that anything but a body may have: a URL and a head are bounded too."""

_MISSING = object()


@dataclass(slots=True)
class _Draft:
    """What the parameters have given so far."""

    operation: Operation
    template: Template
    path: dict[str, str] = field(default_factory=dict[str, str])
    query: list[str] = field(default_factory=list[str])
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    cookies: list[str] = field(default_factory=list[str])
    problems: list[ArgumentProblem] = field(default_factory=list[ArgumentProblem])

    def refuse(self, argument: str, unfit: Unfit) -> None:
        self.problems.append(ArgumentProblem(path=_pointer(argument), expected=unfit.expected, got=unfit.got))


def build_request(operation: Operation, arguments: Mapping[str, Json], *, base_url: str | httpx2.URL) -> httpx2.Request:
    """The request that these arguments mean; `base_url` keeps its own path and query.

    Raises: InvalidArguments with every problem that was found; ConfigError for a base URL that is not http(s).
    """
    draft = _Draft(operation, parse_template(operation.path))
    used = _parameters(draft, arguments)
    content, taken = _body(draft, operation.body, arguments)
    if used + taken != len(arguments):
        draft.problems += _unknown(operation, arguments)
    target = _target(draft)
    if draft.problems:
        raise InvalidArguments(draft.problems, tool=operation.name)
    return _request(draft, joined(str(base_url), target, draft.query), content)


def _parameters(draft: _Draft, arguments: Mapping[str, Json]) -> int:
    """Writes every parameter that is given; says how many arguments they took."""
    used = 0
    for parameter in draft.operation.parameters:
        value = arguments.get(parameter.argument, _MISSING)
        if value is _MISSING:
            if parameter.required or parameter.place.where == "path":
                draft.problems.append(_missing(parameter.argument))
            continue
        used += 1
        try:
            _check_length(value)
            _WRITERS[parameter.place.where](draft, parameter, value)
        except Unfit as unfit:
            draft.refuse(parameter.argument, unfit)
    return used


def _check_length(value: Json) -> None:
    if (isinstance(value, str) or is_list(value) or is_object(value)) and len(value) > LONGEST:
        raise Unfit(f"at most {LONGEST} characters, items or members", named(value))


def _path(draft: _Draft, parameter: Parameter, value: Json) -> None:
    name = parameter.place.name
    draft.path[name] = path_text(parameter, value, reserved=name in draft.template.reserved)


def _query(draft: _Draft, parameter: Parameter, value: Json) -> None:
    if parameter.style == "form":
        _check_names(draft, parameter, value)
    draft.query += query_parameter(parameter, value)


def _check_names(draft: _Draft, parameter: Parameter, value: Json) -> None:
    """Refuses an exploded object with a member that would stand in for another parameter of that place."""
    if not is_object(value) or not parameter.explode or parameter.media is not None:
        return
    others = (each.place for each in draft.operation.parameters if each is not parameter)
    taken = {place.name for place in others if place.where == parameter.place.where}
    if parameter.place.where == "query":
        taken |= {name_of(pair) for pair in "".join(draft.template.query[::2]).split("&") if pair}
    for name in value:
        if name in taken or name.partition("[")[0] in taken:
            raise Unfit(f"no member called {name!r} (another parameter has that name)", "an object with one")


def _header(draft: _Draft, parameter: Parameter, value: Json) -> None:
    name = parameter.place.name
    if name.lower() in RESERVED:
        raise Unfit(f"no value: the header {name!r} is set by the gateway alone", named(value))
    if TOKEN.fullmatch(name) is None:
        raise Unfit("no value: the description's header name is not one that HTTP allows", named(value))
    if value is None or value == [] or value == {}:
        return
    draft.headers.append((name, header_text(parameter, value)))


def _cookie(draft: _Draft, parameter: Parameter, value: Json) -> None:
    _check_names(draft, parameter, value)
    draft.cookies += cookie_pairs(parameter, value)


def _querystring(draft: _Draft, parameter: Parameter, value: Json) -> None:
    """The whole query string as one value (OpenAPI 3.2, `in: querystring`)."""
    media = parameter.media or "application/x-www-form-urlencoded"
    if value is None:
        return
    if is_form(essence(media)):
        draft.query.append(form_text(Body(media=media), value))
    else:
        draft.query.append(encoded(json_text(value) if "json" in media else text_of(value)))


_WRITERS: dict[Where, Callable[[_Draft, Parameter, Json], None]] = {
    "path": _path,
    "query": _query,
    "header": _header,
    "cookie": _cookie,
    "querystring": _querystring,
}


def _body(draft: _Draft, body: Body | None, arguments: Mapping[str, Json]) -> tuple[Content | None, int]:
    """The written body, if there is one, and how many arguments it took."""
    if body is None:
        return None, 0
    if body.members is None:
        return _whole(draft, body, arguments)
    value = {member: arguments[argument] for argument, member in body.members.items() if argument in arguments}
    if not value and not body.required:
        return None, 0
    return _written(draft, body, value, next(iter(body.members), body.argument)), len(value)


def _whole(draft: _Draft, body: Body, arguments: Mapping[str, Json]) -> tuple[Content | None, int]:
    value = arguments.get(body.argument, _MISSING)
    if value is not _MISSING:
        return _written(draft, body, value, body.argument), 1
    if body.required:
        draft.problems.append(_missing(body.argument))
    return None, 0


def _written(draft: _Draft, body: Body, value: Json, argument: str) -> Content | None:
    try:
        return write_body(body, value)
    except Unfit as unfit:
        whole = unfit
    if body.members is None:
        draft.refuse(argument, whole)
        return None
    before = len(draft.problems)
    for name, member in body.members.items():  # which of them it was
        if member in value:
            try:
                write_body(body, {member: value[member]})
            except Unfit as unfit:
                draft.refuse(
                    name, Unfit(unfit.expected, named(value[member]) if unfit.got == "an object" else unfit.got)
                )
    if len(draft.problems) == before:
        draft.refuse("", whole)  # each fits alone
    return None


def _target(draft: _Draft) -> str:
    """The path, with the template's own query put before that of the arguments."""
    try:
        path = expand(draft.template.path, draft.path)
        check_path(draft.template, path)
        if draft.template.query != ("",):
            draft.query.insert(0, expand(draft.template.query, draft.path))
    except KeyError as error:
        if not draft.problems:
            name = str(error.args[0])
            expected = (
                f"a parameter for {{{name}}} of the path {draft.operation.path!r} (the description declares none)"
            )
            draft.problems.append(ArgumentProblem(path="", expected=expected, got="none"))
        return ""
    except Unfit as unfit:
        names = [each.argument for each in draft.operation.parameters if each.place.where == "path"]
        draft.refuse(names[0] if len(names) == 1 else "", unfit)
        return ""
    return path


def _request(draft: _Draft, url: str, content: Content | None) -> httpx2.Request:
    operation = draft.operation
    headers = [("Accept", operation.accept), *draft.headers]
    if content is not None:
        headers.insert(1, ("Content-Type", content.media))
    if draft.cookies:
        headers.append(("Cookie", "; ".join(draft.cookies)))
    try:
        raw = [(name.encode("ascii"), checked_header(text).encode("latin-1")) for name, text in headers]
        method = _method(operation.method)
        return httpx2.Request(method, url, headers=raw, content=None if content is None else content.data)
    except Unfit as unfit:
        problem = ArgumentProblem(path="", expected=f"a description with {unfit.expected}", got=unfit.got)
    except httpx2.InvalidURL as error:
        problem = ArgumentProblem(path="", expected="arguments that fit into a URL of 64 KiB", got=str(error))
    raise InvalidArguments([problem], tool=operation.name)


def _method(method: str) -> str:
    if TOKEN.fullmatch(method) is None:
        raise Unfit("a method that HTTP allows (RFC 9110 section 9.1)", named(method))
    return method


def _missing(argument: str) -> ArgumentProblem:
    return ArgumentProblem(path=_pointer(argument), expected="a value (it is required)", got="none")


def _unknown(operation: Operation, arguments: Mapping[str, Json]) -> list[ArgumentProblem]:
    names = [parameter.argument for parameter in operation.parameters]
    if operation.body is not None:
        names += [operation.body.argument] if operation.body.members is None else operation.body.members
    known = set(names)
    problems: list[ArgumentProblem] = []
    for name in islice((name for name in arguments if name not in known), PROBLEMS):
        close = closest(name, names)
        expected = "a known argument" + (f" (did you mean {close!r}?)" if close else "")
        problem = ArgumentProblem(path=_pointer(name[:64]), expected=expected, got="an unknown name", allowed=names)
        problems.append(problem)
    return problems


def _pointer(argument: str) -> str:
    return "/" + argument.replace("~", "~0").replace("/", "~1") if argument else ""
