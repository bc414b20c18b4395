"""Claims by template: texts that may name who calls, and what is called. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from string import Formatter
from typing import Final, cast

import httpx2

from mcpbridge.errors import AuthRequired, ConfigError
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.tools import Caller, Json

OF_CALLER: Final[Mapping[str, Callable[[Caller], str | None]]] = {
    "user": lambda caller: caller.user,
    "tenant": lambda caller: caller.tenant,
    "agent": lambda caller: caller.agent,
}

OF_REQUEST: Final[Mapping[str, Callable[[httpx2.Request], str]]] = {
    "origin": lambda request: f"{request.url.scheme}://{request.url.netloc.decode('ascii')}",
    "host": lambda request: request.url.host,
    "method": lambda request: request.method,
    "path": lambda request: request.url.raw_path.partition(b"?")[0].decode("ascii"),
}

ID: Final = "id"
"""The field that is another text each time."""

_SET = {"exp": "lifetime", "iat": "backdate"}


def fields_of(claims: Mapping[str, Json]) -> frozenset[str]:
    """The fields that stand in the claims' texts.

    Raises: ConfigError for unknown fields, braces that don't pair, and claims that other settings make.
    """
    for claim, setting in _SET.items():
        if claim in claims:
            raise ConfigError(f"SignedJwt(claims={{{claim!r}: …}}) is made by {setting}=…: take it out of the claims")
    known = {*OF_CALLER, *OF_REQUEST, ID}
    found: set[str] = set()
    for text in _texts(dict(claims)):
        try:
            parts = [*Formatter().parse(text)]
        except ValueError as error:
            raise ConfigError(f"SignedJwt(claims=…): {text!r}: {error}; write {{{{ and }}}} for braces") from None
        for _, name, argument, conversion in parts:
            if name is not None and (name not in known or argument or conversion):
                there = ", ".join(f"{{{each}}}" for each in sorted(known))
                raise ConfigError(f"SignedJwt(claims=…): {{{name}}} in {text!r} is no field; there are {there}")
            found.update([name] if name is not None else [])
    return frozenset(found)


def values_of(fields: frozenset[str], request: httpx2.Request, caller: Caller) -> dict[str, str]:
    """The values of all fields but the id. Raises: AuthRequired for a caller who lacks one that is needed."""
    values: dict[str, str] = {}
    for name in fields - {ID}:
        value = OF_CALLER[name](caller) if name in OF_CALLER else OF_REQUEST[name](request)
        if not value:
            raise AuthRequired(f"the token for this call names its {name}, and the caller has none: log in first")
        values[name] = value
    return values


def filled(claims: Json, values: Mapping[str, str]) -> Json:
    """The claims with the fields of their texts filled in; a value is never read as a template itself."""
    if isinstance(claims, str):
        return claims.format_map(values)
    if is_list(claims):
        return [filled(each, values) for each in claims]
    if is_object(claims):
        return {name: filled(each, values) for name, each in claims.items()}
    return claims


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_list(value):
        for each in value:
            yield from _texts(each)
    elif is_object(value):
        for each in cast("Mapping[str, Json]", value).values():
            yield from _texts(each)
