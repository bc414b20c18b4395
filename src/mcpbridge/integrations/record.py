"""`Integration`: one entry of what a gateway serves, as people define it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias, cast

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, TypeAdapter, ValidationError

from mcpbridge.errors import ConfigError
from mcpbridge.integrations.auth import AuthField, AuthRecord, NoAuth
from mcpbridge.integrations.credential import Credential
from mcpbridge.integrations.errors import FieldProblem, InvalidRecord
from mcpbridge.integrations.headers import StaticHeaders
from mcpbridge.integrations.oauth import register_oauth
from mcpbridge.integrations.parts import HandOperation, LimitsField, ToolRules, Window
from mcpbridge.integrations.problems import MOST, problem, problems_of
from mcpbridge.integrations.signing import register_signing
from mcpbridge.integrations.storable import unstorable
from mcpbridge.integrations.strict import STRICT
from mcpbridge.integrations.text import Line, Prose, Url, Word, Words, http_url
from mcpbridge.wrap.naming import check_slug

register_oauth()
register_signing()


def _slug(name: str) -> str:
    try:
        return check_slug(name)
    except ConfigError as error:
        raise ValueError(str(error)) from None


Slug = Annotated[str, StringConstraints(max_length=100), AfterValidator(_slug)]


class Integration(BaseModel, frozen=True):
    """A REST API or an MCP server, how it is reached, and who may use what of it.

    `Integration(protocol="rest", …)` makes a `RestIntegration`, `protocol="mcp"` an `McpIntegration`. `name` is the
    slug. `agents`, `skills`, `teams`, `environments` and `windows` say who may use it and when; `"*"` is any agent, and
    no teams, environments or windows mean any. `skills` holds patterns of the tools that each skill may use.

    Raises: InvalidRecord, that lists every problem: what is missing, unknown or malformed, and what contradicts itself.
    """

    model_config = STRICT

    name: Slug
    protocol: Literal["rest", "mcp"]
    display_name: Line = ""
    description: Prose = ""
    category: Line = ""
    logo_url: Url | None = None
    headers: StaticHeaders = Field(default_factory=dict)
    auth: AuthField = NoAuth()
    enabled: bool = True
    reason: Line = ""
    trusted: bool = False
    visibility: Literal["shared", "private"] = "shared"
    owner: Word | None = None
    agents: Words = ("*",)
    skills: dict[Word, Words] = Field(default_factory=dict, max_length=10_000)
    teams: Words = ()
    environments: Words = ()
    windows: tuple[Window, ...] = Field(default=(), max_length=100)
    tools: ToolRules = Field(default_factory=ToolRules)
    limits: LimitsField = Field(default_factory=dict)

    def __new__(cls, /, **values: Any) -> Self:
        kind = _KINDS.get(str(values.get("protocol"))) if cls is Integration else None
        return super().__new__(cast("type[Self]", kind or cls))

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise InvalidRecord(problems_of(error, type(self), values), name=_named(values)) from None
        if problems := [*self.contradictions()]:
            raise InvalidRecord(problems, name=self.name)

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined] # pyright: ignore[reportFunctionMemberAccess] # a stored record is read without it

    def contradictions(self) -> Iterator[FieldProblem]:
        """What can't be kept, and what can't be meant together: of that, both fields are named."""
        yield from islice(unstorable(self), MOST)
        if not self.agents:
            yield problem("agents", "is empty, so that no agent could use it: write ['*'] for all, or name some")
        if self.visibility == "private" and self.owner is None:
            yield problem("owner", "is missing while visibility is 'private': name the user who may use it")
        if self.visibility == "shared" and self.owner is not None:
            yield problem("owner", "is given while visibility is 'shared': take it out, or make visibility 'private'")
        for index, window in enumerate(self.windows):
            if window.start == window.end:
                yield problem(f"windows.{index}.to", "is equal to 'from': write 00:00 to 24:00 for the whole day")
        yield from _unusable(self.auth)


def _unusable(auth: AuthRecord) -> Iterator[FieldProblem]:
    """Credentials that can't be sent, said when they are given and not when they are first used."""
    try:
        auth.strategy()
    except ConfigError as error:
        yield problem("auth", str(error))
    except ValueError:  # some of them are in the vault, where they were checked before
        return


_IS_WEB = re.compile("https?:", re.IGNORECASE)


def _malformed(field: str, url: str) -> Iterator[FieldProblem]:
    try:
        http_url(url)
    except ValueError as error:
        yield problem(field, str(error))


class RestIntegration(Integration, frozen=True):
    """An HTTP API: of a description (`openapi`, a path or URL), or of operations written by hand."""

    protocol: Literal["rest"]
    base_url: Url | None = None
    openapi: Word | None = None
    operations: tuple[HandOperation, ...] = Field(default=(), max_length=20_000)

    def contradictions(self) -> Iterator[FieldProblem]:
        yield from super().contradictions()
        if self.openapi is None and not self.operations:
            yield problem("openapi", "is missing, and so are 'operations': name a description, or write operations")
        if self.openapi is not None and _IS_WEB.match(self.openapi):
            yield from _malformed("openapi", self.openapi)
        if self.openapi is not None and self.operations:
            yield problem("operations", "are given while 'openapi' is: keep one of the two")
        if self.operations and self.base_url is None:
            yield problem("base_url", "is missing while 'operations' are given: say where they are called")
        for index, each in enumerate(self.operations):
            try:
                each.operation()
            except ConfigError as error:
                yield problem(f"operations.{index}", str(error))
        names = [each.name for each in self.operations]
        yield from (
            problem(f"operations.{index}.name", f"{name!r} is there twice: give each its own")
            for index, name in enumerate(names)
            if name in names[:index]
        )


class McpIntegration(Integration, frozen=True):
    """An MCP server: at a URL, or a command that is started as a child process."""

    protocol: Literal["mcp"]
    transport: Literal["http", "sse", "stdio"] = "http"
    url: Url | None = None
    command: Word | None = None
    args: tuple[str, ...] = Field(default=(), max_length=1000)
    env: dict[str, Credential] = Field(default_factory=dict, max_length=1000)
    cwd: Word | None = None

    _CHILD: ClassVar = ("command", "args", "env", "cwd")

    def contradictions(self) -> Iterator[FieldProblem]:
        yield from super().contradictions()
        yield from self._child() if self.transport == "stdio" else self._remote()

    def _child(self) -> Iterator[FieldProblem]:
        if self.command is None:
            yield problem("command", "is missing while transport is 'stdio': say which program is started")
        if self.url is not None:
            yield problem("url", "is given while transport is 'stdio': take it out, or make transport 'http'")
        if self.headers:
            yield problem("headers", "are given while transport is 'stdio', which has none: put credentials into 'env'")
        if self.auth.over_http:
            yield problem("auth", f"is {self.auth.type!r} while transport is 'stdio': put credentials into 'env'")

    def _remote(self) -> Iterator[FieldProblem]:
        if self.url is None:
            yield problem("url", f"is missing while transport is {self.transport!r}: say where the server is")
        for name in self._CHILD:
            if getattr(self, name):
                said = f"is given while transport is {self.transport!r}: take it out, or make transport 'stdio'"
                yield problem(name, said)


_KINDS: Mapping[str, type[Integration]] = {"rest": RestIntegration, "mcp": McpIntegration}
"""The class of each protocol."""


AnyIntegration: TypeAlias = Annotated[RestIntegration | McpIntegration, Field(discriminator="protocol")]


def integration_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a record, for editors; it knows every kind of auth that is registered."""
    return TypeAdapter[Integration](AnyIntegration).json_schema(by_alias=True)


def read_integration(value: object) -> Integration:
    """A record from outside: an object with its fields, or the record itself. Raises: InvalidRecord."""
    if isinstance(value, Integration):
        if problems := [*value.contradictions()]:
            raise InvalidRecord(problems, name=value.name)
        return value
    return Integration(**fields_of(value))


def fields_of(value: object) -> Mapping[str, Any]:
    """The fields that an object from outside gives, whatever they are. Raises: InvalidRecord."""
    if not isinstance(value, Mapping):
        raise InvalidRecord([problem("", f"must be an object with the fields of a record, not {type(value).__name__}")])
    values = cast("Mapping[object, Any]", value)
    if strange := [name for name in values if not isinstance(name, str)]:
        raise InvalidRecord([problem("", f"has a {type(strange[0]).__name__} where a field's name is expected")])
    return cast("Mapping[str, Any]", values)


def _named(values: Mapping[str, Any]) -> str:
    name = values.get("name")
    return name[:64] if isinstance(name, str) else ""
