"""A fake API made of a description: finds the operation of a request, judges it, and answers with an example. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlsplit

from mcpbridge.openapi.document import Document
from mcpbridge.openapi.jsontext import is_object
from mcpbridge.openapi.media import essence, is_json
from mcpbridge.openapi.operation import Operation
from mcpbridge.openapi.operations import read_operations
from mcpbridge.openapi.reading import list_in, object_in
from mcpbridge.openapi.security import propose_auth
from mcpbridge.openapi.template import parse_template
from mcpbridge.openapi.tool import needed_definitions
from mcpbridge.testing.judged import Judged
from mcpbridge.testing.readback import read_back
from mcpbridge.testing.received import Received, Reply
from mcpbridge.testing.samples import sample
from mcpbridge.tools import Json

_NO_CONTENT = frozenset({204, 205, 304})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Route:
    operation: Operation
    pattern: re.Pattern[str]
    names: Sequence[str]
    fixed: frozenset[str]

    @property
    def rank(self) -> tuple[int, int, int]:
        """The most particular route first: fixed queries, few variables, long texts (OpenAPI 3.1 section 4.8.8)."""
        return (-len(self.fixed), len(self.names), -len(self.pattern.pattern))


class DescribedApi:
    """The operations of a description, as an API that knows no more than the description says."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.operations = {operation.name: operation for operation in read_operations(document)}
        self._routes = sorted((_route(each) for each in self.operations.values()), key=lambda route: route.rank)
        self._judged: dict[str, Judged] = {}
        self._replies: dict[str, Reply] = {}
        self._prefixes = ["", *_prefixes(document, [*self.operations.values()])]
        self._keys = {
            scheme.key for proposal in propose_auth(document) for scheme in proposal.schemes if scheme.where == "query"
        }

    def read(self, received: Received) -> Received:
        """The request with the operation's name, its arguments and what is wrong with it."""
        found, others = self._find(received)
        if found is None:
            wrong = f"{received.method} {received.path}: " + (
                f"the description has {', '.join(sorted(others))} there" if others else "is no path of the description"
            )
            return replace(received, problems=(wrong,))
        route, match = found
        judged = self._judged.setdefault(route.operation.name, Judged(route.operation))
        arguments, problems = read_back(judged, received, dict(zip(route.names, match.groups(), strict=True)))
        problems += self._undeclared(route, received.query)
        return replace(received, name=route.operation.name, arguments=arguments, problems=tuple(problems))

    def reply(self, received: Received) -> Reply:
        """The answer: 404, 405 or 400 where the description says so, else its own example of a success."""
        if not received.name:
            known = self._find(received)[1]
            return Reply.of_problem(405 if known else 404, "No such operation", received.problems)
        if received.problems:
            return Reply.of_problem(400, "The request is not what the description says", received.problems)
        if received.name not in self._replies:
            self._replies[received.name] = _success(self.document, self.operations[received.name])
        return self._replies[received.name]

    def _find(self, received: Received) -> tuple[tuple[_Route, re.Match[str]] | None, set[str]]:
        """The route of a request, and the methods that its path has."""
        methods: set[str] = set()
        sent = {part for part in received.query.split("&") if part}
        for prefix in self._prefixes:
            path = received.path.removeprefix(prefix) if received.path.startswith(prefix) else None
            for route in self._routes if path is not None else ():
                match = route.pattern.fullmatch(path or "/")
                if match is None or not route.fixed <= sent:
                    continue
                methods.add(route.operation.method.upper())
                if route.operation.method.upper() == received.method:
                    return (route, match), methods
        return None, methods

    def _undeclared(self, route: _Route, query: str) -> Sequence[str]:
        parameters = [each for each in route.operation.parameters if each.place.where in ("query", "querystring")]
        if any(each.place.where == "querystring" for each in parameters):
            return ()
        known = {each.place.name for each in parameters} | self._keys
        judged = self._judged[route.operation.name]
        for each in parameters:
            known |= judged.members(each.schema).keys()
        names = {unquote(part.partition("=")[0]) for part in query.split("&") if part and part not in route.fixed}
        unknown = sorted(name for name in names if name.partition("[")[0] not in known and name not in known)
        return [f"query {name}: the description declares none" for name in unknown]


def _route(operation: Operation) -> _Route:
    template = parse_template(operation.path)
    parts = template.path
    texts = "".join(
        ("(.*)" if part in template.reserved else "([^/]*)") if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    )
    fixed = (
        frozenset(part for part in template.query[0].split("&") if part)
        if len(template.query) == 1
        else frozenset[str]()
    )
    return _Route(operation=operation, pattern=re.compile(texts, re.DOTALL), names=parts[1::2], fixed=fixed)


def _prefixes(document: Document, operations: Sequence[Operation]) -> Sequence[str]:
    """The paths of the description's servers, the longest first."""
    root = document.root
    urls = [each.get("url") for each in list_in(root, "servers") if is_object(each)]
    urls += [operation.server for operation in operations]
    paths = {urlsplit(url).path.rstrip("/") for url in urls if isinstance(url, str)}
    base = root.get("basePath")
    if isinstance(base, str):
        paths.add(base.rstrip("/"))
    return sorted(paths - {""}, key=len, reverse=True)


def _success(document: Document, operation: Operation) -> Reply:
    """What the description shows of a success: its example, else what its schema asks for."""
    status, response = _response(document, operation)
    if status in _NO_CONTENT:
        return Reply(status=status)
    media, shown = _shown(document, response)
    if media is None and operation.output is None:
        return Reply(status=status)
    media = "application/json" if media is None or "*" in media else media
    if shown is None and operation.output is not None and is_json(essence(media)):
        shown = _sampled(operation)
    elif shown is None:
        shown = "text"
    return _written(status, media, shown)


def _written(status: int, media: str, shown: Json) -> Reply:
    if is_json(essence(media)):
        return Reply.of_json(shown, status, media=media)
    if isinstance(shown, str):
        texts = media.startswith("text/") or "xml" in media or "yaml" in media
        data = shown.encode() if texts else _bytes(shown)
        return Reply(status=status, headers={"content-type": media}, body=data)
    return replace(Reply.of_json(shown, status), headers={"content-type": media})


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return text.encode()


def _sampled(operation: Operation) -> Json:
    output = operation.output
    if output is None or isinstance(output, bool):
        return {}
    definitions = needed_definitions([output], operation.definitions)
    return sample({**output, "$defs": definitions} if definitions else output)


def _response(document: Document, operation: Operation) -> tuple[int, Mapping[str, Any]]:
    """The lowest success that the operation states, with its status; 200 where it states none."""
    reading = document.reading
    path, method = operation.pointer.removeprefix("/paths/").rsplit("/", 1)
    key = path.replace("~1", "/").replace("~0", "~")
    paths = object_in(document.root, "paths")
    item = reading.follow(paths.get(key, paths.get(key.removeprefix("/"))), reading.references.base, None)
    if item is None or not is_object(item.value):
        return 200, {}
    stated: Mapping[str, Any] = {name.lower(): each for name, each in item.value.items()}
    more = {name.lower(): each for name, each in object_in(item.value, "additionalOperations").items()}
    found = reading.follow(stated.get(method, more.get(method)), item.base, None)
    if found is None or not is_object(found.value):
        return 200, {}
    responses = object_in(found.value, "responses")
    codes = sorted(code for code in responses if code[:1] == "2") or [code for code in responses if code == "default"]
    if not codes:
        return 200, {}
    response = reading.follow(responses[codes[0]], found.base, None)
    status = int(codes[0]) if codes[0].isdigit() else 200
    return status, response.value if response is not None and is_object(response.value) else {}


def _shown(document: Document, response: Mapping[str, Any]) -> tuple[str | None, Json]:
    """The media type that an answer has, JSON where it is offered, and the example of it."""
    content = object_in(response, "content")
    media = next((each for each in content if is_json(essence(each))), next(iter(content), None))
    if media is not None:
        return media, _example(document, object_in(content, media))
    examples = object_in(response, "examples")  # Swagger 2.0 section 4.9
    media = next((each for each in examples if is_json(essence(each))), None)
    if media is not None:
        return media, examples[media]
    return ("application/json" if "schema" in response else None), None


def _example(document: Document, media: Mapping[str, Any]) -> Json:
    if "example" in media:
        return media["example"]
    for each in object_in(media, "examples").values():
        found = document.reading.follow(each, document.reading.references.base, None)
        if found is not None and is_object(found.value) and "value" in found.value:
            return found.value["value"]
    return None
