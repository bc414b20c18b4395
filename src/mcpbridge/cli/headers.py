"""`--header 'Name: value'`, where `${VAR}` in a value comes from the environment."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mcpbridge.errors import ConfigError
from mcpbridge.secret import MASK, Secret

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2, token


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """A header for every request. `shown` is its value for a person: the template with its variables, else a mask."""

    name: str
    value: Secret
    shown: str


def read_headers(texts: Sequence[str], environment: Mapping[str, str]) -> list[Header]:
    """The headers that the command line gave, with their variables filled in.

    Raises: ConfigError, that never shows a value.
    """
    return [_read_header(text, environment) for text in texts]


def _read_header(text: str, environment: Mapping[str, str]) -> Header:
    name, colon, template = text.partition(":")
    name, template = name.strip(), template.strip()
    if not colon or not _NAME.fullmatch(name):
        raise ConfigError(
            "--header needs the form 'Name: value', for example --header 'Authorization: Bearer ${TOKEN}'"
        )
    missing = [variable for variable in _VARIABLE.findall(template) if variable not in environment]
    if missing:
        raise ConfigError(
            f"--header {name!r} uses ${{{missing[0]}}}, which the environment does not have: export it first"
        )
    value = _VARIABLE.sub(lambda match: environment[match[1]], template)
    try:
        secret = Secret(value)
    except ValueError as error:
        raise ConfigError(f"--header {name!r}: {error}") from error
    return Header(name=name, value=secret, shown=template if _VARIABLE.search(template) else MASK)
