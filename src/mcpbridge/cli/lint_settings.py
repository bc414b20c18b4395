"""Where the linter's settings come from: the command line, then the nearest pyproject.toml that has a table of them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from mcpbridge.errors import ConfigError
from mcpbridge.linting.settings import WHERE, LintSettings
from mcpbridge.tools import Json

FILE = "pyproject.toml"


def read_settings(config: str | None, *, select: Sequence[str], ignore: Sequence[str]) -> LintSettings:
    """The settings of the file (`config`, else the nearest), with the codes of the command line in place of its own.

    Raises: ConfigError.
    """
    settings = _named(Path(config)) if config is not None else _nearest(Path.cwd())
    if select:
        settings = replace(settings, select=_codes(select))
    return replace(settings, ignore=_codes(ignore)) if ignore else settings


def _codes(texts: Sequence[str]) -> Sequence[str]:
    return tuple(code.strip() for text in texts for code in text.split(",") if code.strip())


def _named(path: Path) -> LintSettings:
    table = _table(path)
    if table is None:
        raise ConfigError(f"{str(path)!r} has no table {WHERE}")
    return LintSettings.read(table, where=f"{path}: {WHERE}")


def _nearest(folder: Path) -> LintSettings:
    for each in (folder, *folder.parents):
        path = each / FILE
        if path.is_file() and (table := _table(path)) is not None:
            return LintSettings.read(table, where=f"{path}: {WHERE}")
    return LintSettings()


def _table(path: Path) -> Mapping[str, Json] | None:
    try:
        found: Json = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{str(path)!r} can't be read: {error.strerror or error}") from error
    except ValueError as error:  # TOML, or UTF-8
        raise ConfigError(f"{str(path)!r} can't be read: {error}") from error
    for name in ("tool", "mcpbridge", "lint"):
        found = cast("Mapping[str, Json]", found).get(name) if isinstance(found, Mapping) else None
    return cast("Mapping[str, Json] | None", found)
