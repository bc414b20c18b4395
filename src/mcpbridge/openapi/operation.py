"""What one tool does over HTTP: the values between reading a description and building a request.

`read_operations` makes these from a description, and hosts make them by hand; `to_tool`, `build_request` and
`read_response` only read them. Whatever a description's dialect or its schemas decide about a request is settled
here as data (style, media type, which members are files), so that building a request looks at no schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from mcpbridge.tools import Access, Json

if TYPE_CHECKING:
    from mcpbridge.openapi.xmlshape import Xml

Where: TypeAlias = Literal["path", "query", "header", "cookie", "querystring", "body", "whole"]
Style: TypeAlias = Literal[
    "simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject", "cookie"
]
Binary: TypeAlias = Literal["base64", "text"]
"""How bytes come in as an argument: base64 that is decoded before it is sent, or text that is sent as it is."""

Requirement: TypeAlias = Mapping[str, Sequence[str]]
"""The security schemes that are needed together, each with the scopes that it has to have."""

Schema: TypeAlias = Mapping[str, Json] | bool
"""A JSON Schema 2020-12 node, already converted from its dialect; `$ref`s are `#/$defs/NAME`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where an argument goes: `whole` is the whole body (then `name` is empty), `body` one member of it."""

    where: Where
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One parameter (OpenAPI 3.1 section 4.8.12), under the name of its argument.

    `media` is set for a parameter with `content`: its value is serialised as that media type, and style does not count.
    """

    argument: str
    place: Place
    schema: Schema = True
    required: bool = False
    style: Style = "form"
    explode: bool = True
    allow_reserved: bool = False
    media: str | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoding:
    """How one member of a form or multipart body is written (OpenAPI 3.1 section 4.8.15).

    `media` is None for the default by the value's type; `style` is None where the description does not say
    (then a form writes containers as JSON). `binary` says that the member, or each item of it, is bytes. `xml` is the
    shape of objects where `media` is XML.
    """

    media: str | None = None
    style: Style | None = None
    explode: bool = True
    allow_reserved: bool = False
    binary: Binary | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    xml: Xml | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """The request body, in the one media type that was chosen for it.

    `members` maps arguments to the members they fill, where the body is an object that merged into the arguments;
    otherwise it is None and `argument` holds the whole body. `binary` is set where the whole body is bytes, `xml` is
    the shape of a body in XML.
    """

    media: str
    schema: Schema = True
    required: bool = False
    argument: str = "body"
    members: Mapping[str, str] | None = None
    encoding: Mapping[str, Encoding] = field(default_factory=dict[str, Encoding])
    binary: Binary | None = None
    xml: Xml | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hint:
    """A label of a tool and where it came from: `host`, `extension` (x-mcp), or `method`."""

    value: bool | str
    source: Literal["host", "extension", "method"]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One HTTP operation as a tool.

    `path` is the description's template, unchanged. `arguments` maps each argument of the tool to its place on the
    wire. `server` is the operation's own server URL where it has one, else None. `hints` are MCP's annotations
    (`readOnlyHint` …) with their sources. `definitions` holds every schema that a `$ref` in `parameters`, `body` and
    `output` may reach; the mapping is shared by all operations of a description, and never copied. `security` holds
    the alternatives of what the operation wants to know of its caller: None where the description says nothing of
    it, empty where it wants nothing, and then no credential is sent.
    """

    name: str
    method: str
    path: str
    access: Access
    title: str = ""
    description: str = ""
    parameters: Sequence[Parameter] = ()
    body: Body | None = None
    output: Schema | None = None
    accept: str = "*/*"
    arguments: Mapping[str, Place] = field(default_factory=dict[str, Place])
    hints: Mapping[str, Hint] = field(default_factory=dict[str, Hint])
    definitions: Mapping[str, Schema] = field(default_factory=dict[str, Schema])
    server: str | None = None
    security: Sequence[Requirement] | None = None
    operation_id: str | None = None
    tags: Sequence[str] = ()
    deprecated: bool = False
    pointer: str = ""
