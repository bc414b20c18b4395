"""The values that flow: what can be offered (`Tool`, `Resource`, …), who asks (`Caller`), what is asked (`Call`).

All of them are immutable. JSON stays plain (`dict`, `list`, `str` …); only `Tool.to_mcp` touches MCP's own models,
and imports them when it is called, so that the converter costs no import of them.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, get_args

from mcpbridge.errors import ArgumentProblem, InvalidArguments
from mcpbridge.secret import Secret

if TYPE_CHECKING:
    import mcp_types

Json: TypeAlias = Any
"""A JSON value: dict, list, str, int, float, bool or None."""

Access: TypeAlias = Literal["read", "write"]
Kind: TypeAlias = Literal["tool", "resource", "template", "prompt"]
CallKind: TypeAlias = Literal["tool", "resource", "prompt", "completion"]
Ability: TypeAlias = Literal["form", "url", "sampling", "roots"]
LogLevel: TypeAlias = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
State: TypeAlias = Literal[
    "pending", "connecting", "connected", "auth_required", "reconnect_required", "failed", "disabled"
]

ABILITIES: Final[tuple[Ability, ...]] = get_args(Ability)
LOG_LEVELS: Final[tuple[LogLevel, ...]] = get_args(LogLevel)
"""From the least to the most severe (RFC 5424 section 6.2.1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who calls. What the host does not know stays None or empty; `token` is what the caller showed the gateway."""

    tenant: str = ""
    user: str | None = None
    agent: str | None = None
    skill: str | None = None
    teams: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    environment: str | None = None
    token: Secret | None = field(default=None, hash=False)

    def key(self) -> tuple[str, str | None, str | None, str | None]:
        """What an approval or a session is bound to: tenant, user, agent and skill."""
        return (self.tenant, self.user, self.agent, self.skill)


ANYONE = Caller()
"""A caller of whom nothing is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where an item comes from: integration slug and revision, its name there, and whether its labels are believed."""

    slug: str = ""
    revision: str = ""
    name: str = ""
    trusted: bool = False


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool: a name, a JSON Schema 2020-12 of its arguments, and whether it reads or writes.

    `listed=False` keeps a tool callable and out of listings. `fixed` holds arguments that the host always sends: they
    are no part of the schema, and an approval covers them. `extra` holds MCP members that are passed through by their
    wire names: `title`, `annotations`, `icons`, `_meta`.
    """

    name: str
    description: str = ""
    input_schema: Mapping[str, Json] = field(default_factory=lambda: {"type": "object"})
    output_schema: Mapping[str, Json] | None = None
    access: Access = "write"
    listed: bool = True
    origin: Origin = Origin()
    fixed: Mapping[str, Json] = field(default_factory=dict[str, Json])
    extra: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @property
    def key(self) -> str:
        """The name."""
        return self.name

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the definition that a person would see: name, description, schemas, access, annotations."""
        seen = [self.name, self.description, self.input_schema, self.output_schema, self.access, self.fixed, self.extra]
        text = json.dumps(seen, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def to_wire(self) -> dict[str, Json]:
        """The tool as MCP writes it (JSON, camelCase)."""
        wire: dict[str, Json] = {"name": self.name, "inputSchema": self.input_schema, **self.extra}
        if self.description:
            wire["description"] = self.description
        if self.output_schema is not None:
            wire["outputSchema"] = self.output_schema
        return wire

    def to_mcp(self) -> mcp_types.Tool:
        """The tool as a model of the MCP SDK; built once."""
        return self._mcp

    @cached_property
    def _mcp(self) -> mcp_types.Tool:
        import mcp_types  # the import budget: the converter's users need none of it

        return mcp_types.Tool.model_validate(self.to_wire())


@dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """A resource that can be read by its URI."""

    uri: str
    name: str = ""
    description: str = ""
    mime_type: str | None = None
    origin: Origin = Origin()
    extra: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @property
    def key(self) -> str:
        """The URI."""
        return self.uri

    def to_wire(self) -> dict[str, Json]:
        """The resource as MCP writes it."""
        return {"uri": self.uri, **_described(self.name or self.uri, self.description, self.mime_type), **self.extra}


@dataclass(frozen=True, kw_only=True, slots=True)
class ResourceTemplate:
    """A family of resources, named by a URI template (RFC 6570)."""

    uri_template: str
    name: str = ""
    description: str = ""
    mime_type: str | None = None
    origin: Origin = Origin()
    extra: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @property
    def key(self) -> str:
        """The URI template."""
        return self.uri_template

    def to_wire(self) -> dict[str, Json]:
        """The template as MCP writes it."""
        described = _described(self.name or self.uri_template, self.description, self.mime_type)
        return {"uriTemplate": self.uri_template, **described, **self.extra}


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """A prompt; `arguments` are MCP's prompt arguments as JSON (`name`, `description`, `required`)."""

    name: str
    description: str = ""
    arguments: Sequence[Mapping[str, Json]] = ()
    origin: Origin = Origin()
    extra: Mapping[str, Json] = field(default_factory=dict[str, Json])

    @property
    def key(self) -> str:
        """The name."""
        return self.name

    def to_wire(self) -> dict[str, Json]:
        """The prompt as MCP writes it."""
        wire: dict[str, Json] = {"name": self.name, **self.extra}
        if self.description:
            wire["description"] = self.description
        if self.arguments:
            wire["arguments"] = [*self.arguments]
        return wire


Item: TypeAlias = Tool | Resource | ResourceTemplate | Prompt


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientChannel:
    """What the client behind a call can do: answer a form, open a URL, sample, list roots, hear of progress and logs.

    report     takes (progress, total or None, message or None) and never raises
    log        takes (level, data, logger's name or None), leaves out what is below `log_level`, and never raises
    log_level  the lowest level that the client wants of this call; None where it wants no log
    put        puts one question while the call waits, and gives the client's result as JSON, or None where it gives
               none. Only a client before 2026-07-28 has it: a later one is asked by the answer (`source.answer.ask`)
    """

    form: bool = False
    url: bool = False
    sampling: bool = False
    roots: bool = False
    report: Callable[[float, float | None, str | None], Awaitable[None]] | None = None
    log: Callable[[LogLevel, Json, str | None], Awaitable[None]] | None = None
    log_level: LogLevel | None = None
    put: Callable[[mcp_types.InputRequest], Awaitable[Json]] | None = None

    @property
    def abilities(self) -> frozenset[Ability]:
        """What it can be asked for."""
        return frozenset(name for name in ABILITIES if getattr(self, name))


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request of one caller.

    `name` is a tool's or prompt's name, or a resource's URI. For a completion it is the name of the prompt or the
    URI template, and `arguments` are `{"ref": "prompt" | "template", "argument": name, "value": text, "context": {…}}`.
    `input_responses` and `request_state` come back from a client that was asked something (MCP 2026-07-28,
    multi round-trip requests): only `mcpbridge.source.answers` reads them.
    """

    name: str
    arguments: Mapping[str, Json] = field(default_factory=dict[str, Json])
    caller: Caller = ANYONE
    kind: CallKind = "tool"
    input_responses: Mapping[str, Json] | None = None
    request_state: str | None = None
    client: ClientChannel | None = None
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    def renamed(self, name: str) -> Call:
        """The same call under another name."""
        return self if name == self.name else replace(self, name=name)

    def target(self) -> tuple[Kind, str]:
        """The kind and key of the item that decides whether this call is allowed.

        Raises: InvalidArguments for a completion that does not say what it completes.
        """
        if self.kind != "completion":
            return (self.kind, self.name)
        ref = self.arguments.get("ref")
        if ref == "prompt" or ref == "template":
            return (ref, self.name)
        problem = ArgumentProblem(
            path="/ref", expected="what to complete", got=f"a {type(ref).__name__}", allowed=("prompt", "template")
        )
        raise InvalidArguments([problem], tool=self.name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """How a source is. `code` and `message` say why, `hint` what to do about it.

    `since` and `next_retry` are seconds of the Unix epoch.
    """

    state: State = "connected"
    code: str = ""
    message: str = ""
    hint: str = ""
    since: float | None = None
    next_retry: float | None = None


def _described(name: str, description: str, mime_type: str | None) -> dict[str, Json]:
    wire: dict[str, Json] = {"name": name}
    if description:
        wire["description"] = description
    if mime_type:
        wire["mimeType"] = mime_type
    return wire
