"""How an integration signs its requests, as a record: one class for each `type`, in an open registry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeAlias, cast, get_args

import httpx2
from pydantic import BaseModel, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo
from pydantic_core import CoreSchema, core_schema

from mcpbridge.auth.static import ApiKey, Basic, Bearer, Headers
from mcpbridge.integrations.credential import Credential, Stored
from mcpbridge.integrations.strict import STRICT
from mcpbridge.net.guard import Guard
from mcpbridge.net.limits import Limits
from mcpbridge.openapi.closest import closest
from mcpbridge.secret import Secret
from mcpbridge.tools import Json

if TYPE_CHECKING:
    from mcpbridge.auth.oauth.setting import OAuthHost


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What a strategy is for: an integration by its id (or slug), at a URL.

    `logins` is where the host keeps logins, and None where it keeps none. `guard` is for addresses that a record of
    somebody else than the operator names.
    """

    integration: str
    url: str | None = None
    logins: OAuthHost | None = None
    guard: Guard | None = None


class AuthRecord(BaseModel, frozen=True):
    """What every kind of auth has: a `type`, and a strategy once its credentials are there.

    A new kind is a subclass with `type: Literal["its_name"]`, credentials as `Credential` fields, and `strategy`; pass
    it to `register_auth`. `over_http` says whether it signs HTTP requests, so that a child process can't have it.
    """

    model_config = STRICT

    over_http: ClassVar[bool] = True
    type: str

    def strategy(self) -> httpx2.Auth | None:
        """What signs a request; None for nothing. Raises: ConfigError for a credential that can't be sent."""
        raise NotImplementedError

    def used(self, use: Use) -> httpx2.Auth | None:
        """What signs the requests of this integration; kinds that need no more than their own fields are used as is.

        Raises: ConfigError for what can't be sent, and where the host lacks what the kind needs.
        """
        return self.strategy()

    def pool(self, limits: Limits, guard: Guard) -> httpx2.AsyncBaseTransport | None:
        """The connections that a kind needs, such as those that show a certificate; None where any will do.

        Raises: ConfigError for what can't be used.
        """
        return None


class NoAuth(AuthRecord, frozen=True):
    """Requests go as they are."""

    over_http: ClassVar[bool] = False
    type: Literal["none"] = "none"

    def strategy(self) -> httpx2.Auth | None:
        return None


class BearerAuth(AuthRecord, frozen=True):
    """`Authorization: Bearer TOKEN`, or with another prefix; an empty one sends the bare token."""

    type: Literal["bearer"]
    token: Credential
    prefix: str = "Bearer"

    def strategy(self) -> httpx2.Auth:
        return Bearer(revealed(self.token), prefix=self.prefix)


class ApiKeyAuth(AuthRecord, frozen=True):
    """A key under a name, in a header, the query or a cookie."""

    type: Literal["api_key"]
    value: Credential
    name: str = Field(min_length=1, max_length=200)
    where: Literal["header", "query", "cookie"] = Field(default="header", alias="in")

    def strategy(self) -> httpx2.Auth:
        return ApiKey(revealed(self.value), self.name, where=self.where)


class BasicAuth(AuthRecord, frozen=True):
    """A user name and a password (RFC 7617)."""

    type: Literal["basic"]
    user: str = Field(max_length=500)
    password: Credential

    def strategy(self) -> httpx2.Auth:
        return Basic(self.user, revealed(self.password))


class HeadersAuth(AuthRecord, frozen=True):
    """Several headers, each a credential."""

    type: Literal["headers"]
    headers: dict[str, Credential] = Field(min_length=1, max_length=50)

    def strategy(self) -> httpx2.Auth:
        return Headers({name: revealed(value) for name, value in self.headers.items()})


def revealed(value: Secret | Stored) -> Secret:
    """The secret, where it was taken out of the vault. Raises: ValueError where it was not."""
    if isinstance(value, Secret):
        return value
    raise ValueError("the credential is in the vault: ask Integrations.revealed for the record with its secrets")


_KINDS: dict[str, type[AuthRecord]] = {}


def register_auth(kind: type[AuthRecord]) -> None:
    """Adds a kind of auth by its `type`, so that records may name it."""
    for name in get_args(kind.model_fields["type"].annotation):
        _KINDS[name] = kind


for _kind in (NoAuth, BearerAuth, ApiKeyAuth, BasicAuth, HeadersAuth):
    register_auth(_kind)


def auth_kind(name: str) -> type[AuthRecord]:
    """The class that is registered under a type. Raises: KeyError."""
    return _KINDS[name]


def read_auth(value: object) -> AuthRecord:
    """The record of the kind that its `type` names. Raises: ValueError, and pydantic's."""
    if isinstance(value, AuthRecord):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("must be an object with a type, such as {type: bearer, token: …}")  # noqa: TRY004 - for pydantic
    values = cast("Mapping[str, object]", value)
    named = values.get("type")
    kind = _KINDS.get(named) if isinstance(named, str) else None
    if kind is None:
        meant = closest(named, [*_KINDS]) if isinstance(named, str) else None
        hint = f"did you mean {meant!r}?" if meant else f"there are: {', '.join(_KINDS)}"
        raise ValueError(f"has no known type; {hint}")
    return kind.model_validate(values)


def auth_kinds() -> Sequence[type[AuthRecord]]:
    """The classes that are registered."""
    return [*_KINDS.values()]


class AuthSchema:
    """How pydantic reads and describes `auth`: by its `type`, from whatever is registered."""

    @classmethod
    def read(cls, value: object) -> AuthRecord:
        """The record of a value from outside. Raises: ValueError, and pydantic's."""
        return read_auth(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(_dumped, info_arg=True)
        return core_schema.no_info_plain_validator_function(cls.read, serialization=written)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"oneOf": [kind.model_json_schema(by_alias=True) for kind in auth_kinds()]}


def _dumped(value: AuthRecord, info: SerializationInfo) -> Json:
    return value.model_dump(mode=info.mode, exclude_defaults=info.exclude_defaults, context=info.context)


AuthField: TypeAlias = Annotated[AuthRecord, AuthSchema]
"""The field of a record that says how its requests are signed."""
