"""Static headers of a record: plain text, but for those that carry a credential."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, TypeAlias, cast

from pydantic import PlainSerializer, PlainValidator, SerializationInfo, WithJsonSchema

from mcpbridge.errors import ConfigError
from mcpbridge.integrations.credential import Stored, read_credential, shown_credential
from mcpbridge.net.upstream import checked_headers
from mcpbridge.openapi.headers import RESERVED
from mcpbridge.secret import Secret
from mcpbridge.tools import Json

_SENSITIVE = re.compile(r"auth|cookie|token|secret|passw|credential|session|signature|(?:^|[-_]|api)key", re.IGNORECASE)
"""Headers whose values are credentials by their names."""

_OURS = RESERVED - {"authorization", "accept", "cookie"}
"""Headers that belong to the connection or to the request's body."""

_MOST = 100


def _read(value: object) -> Mapping[str, str | Secret | Stored]:
    """Static headers by name; what is a credential by its name is kept as one. Raises: ValueError."""
    if not isinstance(value, Mapping):
        raise ValueError("must be an object of names and texts")  # noqa: TRY004 - pydantic takes ValueError
    if strange := [name for name in cast("Mapping[object, object]", value) if not isinstance(name, str)]:
        raise ValueError(f"has a {type(strange[0]).__name__} where a header's name is expected")
    given = cast("Mapping[str, object]", value)
    if len(given) > _MOST:
        raise ValueError(f"has {len(given)} headers, and {_MOST} are the most")
    names = [name.lower() for name in given]
    if double := [name for name in given if names.count(name.lower()) > 1]:
        raise ValueError(f"has {double[0]!r} twice, in other letters: keep one")
    read = {name: read_credential(text) if _SENSITIVE.search(name) else text for name, text in given.items()}
    if ours := [name for name in read if name.lower() in _OURS]:
        raise ValueError(f"can't set {ours[0]!r}: the gateway does")
    try:
        checked_headers(
            cast("Mapping[str, str]", {k: text for k, text in read.items() if not isinstance(text, Stored)})
        )
    except ConfigError as error:
        raise ValueError(str(error)) from None
    return cast("Mapping[str, str | Secret | Stored]", read)


def _shown(value: Mapping[str, str | Secret | Stored], info: SerializationInfo) -> Json:
    context = info.context
    return {name: text if isinstance(text, str) else shown_credential(text, context) for name, text in value.items()}


StaticHeaders: TypeAlias = Annotated[
    Mapping[str, str | Secret | Stored],
    PlainValidator(_read),
    PlainSerializer(_shown, when_used="json"),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}, "maxProperties": _MOST}),
]
