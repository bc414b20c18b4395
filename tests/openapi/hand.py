"""Operations made by hand, for tests of the calling side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from mcpbridge.errors import InvalidArguments
from mcpbridge.openapi.operation import Body, Operation, Parameter, Place, Style, Where
from mcpbridge.openapi.request import build_request

BASE = "https://api.example.com"
_STYLES: dict[Where, Style] = {"path": "simple", "header": "simple"}


def param(
    name: str,
    where: Where = "query",
    *,
    style: Style | None = None,
    explode: bool | None = None,
    argument: str | None = None,
    **more: Any,
) -> Parameter:
    chosen: Style = style or _STYLES.get(where, "form")
    return Parameter(
        argument=argument or name,
        place=Place(where=where, name=name),
        style=chosen,
        explode=chosen in ("form", "cookie", "deepObject") if explode is None else explode,
        **more,
    )


def operation(path: str = "/things", *parameters: Parameter, method: str = "GET", **more: Any) -> Operation:
    places = {each.argument: each.place for each in parameters}
    more = {"name": "tool", "access": "write", "arguments": places} | more
    return Operation(method=method, path=path, parameters=parameters, **more)


def with_body(media: str, method: str = "POST", **more: Any) -> Operation:
    return operation("/things", method=method, body=Body(media=media, **more))


def build(made: Operation, base_url: str = BASE, /, **arguments: Any) -> httpx2.Request:
    return build_request(made, arguments, base_url=base_url)


def target(request: httpx2.Request) -> str:
    return request.url.raw_path.decode("ascii")


def problems(made: Operation, arguments: Mapping[str, Any]) -> str:
    """The text of the refusal; fails where the arguments are taken."""
    try:
        request = build_request(made, arguments, base_url=BASE)
    except InvalidArguments as error:
        return str(error)
    raise AssertionError(f"a request was built: {request.method} {target(request)}")
