"""What a file refers to: `${NAME}` of the environment, and `secret://folder/name` of wherever secrets are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias, cast

from mcpbridge.errors import ConfigError
from mcpbridge.openapi.jsontext import is_list
from mcpbridge.secret import Secret
from mcpbridge.tools import Json

Secrets: TypeAlias = Callable[[str], Secret | str]
"""Gives the secret at a path such as `tickets/key`. Raises: ConfigError that says where it looked."""

FOLDER = "MCPBRIDGE_SECRETS"
"""The environment variable that names the folder of secrets; without it that is `/run/secrets`."""

_DEFAULT_FOLDER = "/run/secrets"
_WRITTEN = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*(?::-[^}\n]*)?)\}")
_VARIABLE = re.compile("\ue000([A-Za-z_][A-Za-z0-9_]*)(?::-([^\ue001]*))?\ue001")
_SCHEME = "secret://"
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")


def marked(text: str) -> str:
    """The text of a file with its `${NAME}` as `References` wants them.

    In YAML's flow style a brace would end the value, so they are set in characters that mean nothing there.
    """
    return _WRITTEN.sub("\ue000\\1\ue001", text)


class References:
    """Puts values in the place of references. `problems` are those that can't be, by their places."""

    def __init__(self, environment: Mapping[str, str], secrets: Secrets | None = None) -> None:
        self.problems: list[str] = []
        self._environment = environment
        self._secrets = secrets or secrets_in(Path(environment.get(FOLDER) or _DEFAULT_FOLDER))

    def filled(self, value: Json, place: Sequence[str]) -> Json:
        """The value with every reference in it replaced; `place` is where it stands in the file."""
        if isinstance(value, dict):
            members = cast("dict[str, Json]", value)
            return {name: self.filled(each, [*place, name]) for name, each in members.items()}
        if is_list(value):
            return [self.filled(each, [*place, str(index)]) for index, each in enumerate(value)]
        return self._text(value, ".".join(place)) if isinstance(value, str) else value

    def _text(self, text: str, place: str) -> str:
        try:
            if text.startswith(_SCHEME):
                return Secret.of(self._secrets(text.removeprefix(_SCHEME))).reveal()
            return _VARIABLE.sub(self._variable, text)
        except (ConfigError, ValueError) as error:
            self.problems.append(f"{place}: {error}")
            return text

    def _variable(self, found: re.Match[str]) -> str:
        name, default = found.groups()
        if name in self._environment:
            return self._environment[name]
        if default is None:
            raise ConfigError(f"uses ${{{name}}}, which the environment does not have: export it first")
        return str(default)


def secrets_in(folder: Path) -> Secrets:
    """Secrets as files below a folder, as containers mount them; the line end of a file is no part of its secret."""

    def secret(path: str) -> Secret:
        parts = path.split("/")
        if not all(_PART.fullmatch(part) for part in parts):
            raise ConfigError(f"refers to {_SCHEME}{path}, which is no path of letters, digits, '-', '_' and '.'")
        try:
            return Secret(folder.joinpath(*parts).read_text("utf-8").rstrip("\r\n"))
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            raise ConfigError(
                f"refers to {_SCHEME}{path}, and {folder.joinpath(*parts)} can't be read ({why}): "
                f"put the secret there, or set {FOLDER} to the folder of your secrets"
            ) from None

    return secret
