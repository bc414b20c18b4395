"""What TARGET on the command line means: a description, an MCP server, or a configuration file.

- `stdio:COMMAND …` is an MCP server; the command is split as a shell would, but no shell runs it.
- `http://…` or `https://…` is a description where its path ends in `.json`, `.yaml` or `.yml`, and an MCP server where
  its last segment is `mcp` or `sse`. Any other URL is fetched once: what answers with a description is one, and the
  rest is an MCP server.
- Everything else is the path of a file: a configuration where it says `integrations` or holds `MCPServer` manifests,
  else a description.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from mcpbridge.cli.fetch import fetch
from mcpbridge.errors import ConfigError

_DESCRIPTION = re.compile(rb"""(?:^|\n)["']?(?:openapi|swagger)["']?\s*:|[{,]\s*"(?:openapi|swagger)"\s*:""")
_CONFIGURATION = re.compile(rb"""(?:^|\n)["']?integrations["']?\s*:|[{,]\s*"integrations"\s*:""")
_MANIFEST = re.compile(rb"""(?:^|\n)["']?kind["']?\s*:\s*["']?MCPServer\b|[{,]\s*"kind"\s*:\s*"MCPServer\"""")
_HEAD = 65_536

WAYS = "TARGET is a description (file or URL), an MCP server (http://…/mcp), 'stdio:COMMAND …', or a configuration file"


@dataclass(frozen=True, kw_only=True, slots=True)
class Described:
    """An API description; `url` is where it came from, None for a file."""

    data: Path | bytes
    name: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Remote:
    """An MCP server over HTTP."""

    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """An MCP server that is started as a child process and spoken to over its stdin and stdout."""

    command: Sequence[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Configured:
    """A gateway in a file."""

    path: Path


Target: TypeAlias = Described | Remote | Child | Configured


def read_target(text: str) -> Target:
    """What the text names; a URL that could be either is fetched.

    Raises: ConfigError for what can't be a target, UpstreamError for an address that does not answer.
    """
    if text.startswith("stdio:"):
        return Child(command=_command(text.removeprefix("stdio:")))
    if urlsplit(text).scheme in ("http", "https"):
        return _url(text)
    if "://" in text:
        raise ConfigError(f"{text!r} is no address that can be used: {WAYS}")
    return _file(Path(text))


def _command(text: str) -> Sequence[str]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ConfigError(f"the command in 'stdio:{text}' can't be split into words: {error}") from error
    if not words:
        raise ConfigError("'stdio:' needs a command, for example 'stdio:python -m mcp_server_time'")
    return words


def _url(text: str) -> Target:
    parts = urlsplit(text)
    if not parts.hostname:
        raise ConfigError(f"{text!r} has no host: write http://HOST/…")
    last = parts.path.rstrip("/").rpartition("/")[2].lower()
    if last in ("mcp", "sse"):
        return Remote(url=text)
    sure = last.endswith((".json", ".yaml", ".yml"))
    data = fetch(text, required=sure)
    if sure or (data is not None and _DESCRIPTION.search(data[:_HEAD])):
        return Described(data=data or b"", name=last or (parts.hostname or ""), url=text)
    return Remote(url=text)


def read_configured(text: str) -> Configured | None:
    """The configuration file that the text names; None for every other target, and for what can't be read."""
    try:
        target = None if text.startswith("stdio:") or "://" in text else _file(Path(text))
    except ConfigError:
        return None
    return target if isinstance(target, Configured) else None


def _file(path: Path) -> Described | Configured:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError as error:
        raise ConfigError(f"there is no file {str(path)!r}: {WAYS}") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{str(path)!r} is a folder: name the description's entry file in it") from error
    except OSError as error:
        raise ConfigError(f"{str(path)!r} can't be read: {error.strerror or error}") from error
    if (_CONFIGURATION.search(head) or _MANIFEST.search(head)) and not _DESCRIPTION.search(head):
        return Configured(path=path)
    return Described(data=path, name=path.name)
