"""Whatever the template, the style and the arguments: a request of that structure, or a refusal."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from hypothesis import given, settings
from hypothesis import strategies as st

from mcpbridge.errors import InvalidArguments
from mcpbridge.openapi.operation import Operation, Parameter, Place, Style, Where
from mcpbridge.openapi.request import build_request

PROFILE = settings.get_profile("fuzz")
BASE = "https://api.example.com/v1"
TEXTS = st.text(max_size=8) | st.text(alphabet="./\\%2eEfF;?#&=[]{}+, \0\r\n\u3002\uff0e", max_size=8)
ARGUMENTS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
STYLES: dict[Where, list[Style]] = {
    "path": ["simple", "label", "matrix"],
    "query": ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
    "header": ["simple"],
    "cookie": ["form", "cookie"],
}
PARTS = st.lists(st.sampled_from(["{a}", "{b}", "x", ".", "-", ":", "{a}.{b}", "{a}{b}"]), min_size=1, max_size=4)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    path = "/" + "/".join(draw(PARTS))
    parameters: list[Parameter] = []
    for name in "ab":
        where: Where = "path" if f"{{{name}}}" in path else draw(st.sampled_from(["query", "header", "cookie"]))
        style = draw(st.sampled_from(STYLES[where]))
        place = Place(where=where, name=name)
        parameters.append(
            Parameter(argument=name, place=place, style=style, explode=draw(st.booleans()), required=where == "path")
        )
    places = {each.argument: each.place for each in parameters}
    return Operation(name="t", method="GET", path=path, access="read", parameters=parameters, arguments=places)


@settings(PROFILE)
@given(operations(), ARGUMENTS, ARGUMENTS)
def test_any_request_keeps_the_structure_of_its_template(operation: Operation, a: Any, b: Any) -> None:
    try:
        request = build_request(operation, {"a": a, "b": b}, base_url=BASE)
    except InvalidArguments:
        return
    segments = request.url.raw_path.decode("ascii").partition("?")[0].split("/")

    assert (request.url.scheme, request.url.host, request.url.fragment) == ("https", "api.example.com", "")
    assert len(segments) == len(operation.path.split("/")) + 1
    assert not {".", ".."} & {unquote(segment) for segment in segments}
    for name, value in request.headers.raw:
        assert not {*b"\r\n\0"} & {*name, *value}
