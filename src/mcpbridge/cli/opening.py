"""From a target to a source that can be listed and called."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from mcpbridge.cli.headers import Header, read_headers
from mcpbridge.cli.outcome import one_line, say
from mcpbridge.cli.target import Child, Configured, Described, Remote, read_target
from mcpbridge.errors import ConfigError, DescriptionError
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.problems import Problem
from mcpbridge.openapi.servers import first_server

if TYPE_CHECKING:
    import httpx2

    from mcpbridge.gateway.filed import FileGateway
    from mcpbridge.source.base import ToolSource
    from mcpbridge.wrap.approval import Approver

_UNFIT = re.compile(r"[^a-z0-9]+")


@contextmanager
def watched(what: str) -> Generator[None, None, None]:
    """Shows on stderr that a long step is under way, where a person watches."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console  # noqa: PLC0415 - the import budget: nobody watches most servers

    with Console(stderr=True).status(what):
        yield


def read_document(described: Described) -> Document:
    """The description that a target named.

    Raises: DescriptionError that names the file or URL.
    """
    try:
        with watched(f"Reading {described.name} …"):
            document = Document.parse(described.data, origin=described.url)
    except DescriptionError as error:
        where = described.url or str(described.data)
        raise DescriptionError(f"{where}: {error}") from error
    return document


def tell_problems(problems: Sequence[Problem], name: str) -> None:
    """Tells on stderr what of a description was left out or repaired."""
    lost = [problem for problem in problems if problem.severity == "error"]
    repaired = [problem for problem in problems if problem.severity == "warning"]
    for found, what in ((lost, "left out"), (repaired, "repaired")):
        if found:
            say(f"mcpbridge: {name}: {len(found)} problems, {what}; the first: {one_line(str(found[0]))}")


def open_target(text: str, *, base_url: str | None, headers: Sequence[str]) -> tuple[ToolSource, str]:
    """The source of a target, not yet entered, and a name for it.

    Raises: ConfigError, DescriptionError, UpstreamError.
    """
    with watched(f"Looking at {text} …"):
        target = read_target(text)
    given = read_headers(headers, os.environ)
    if isinstance(target, Described):
        return open_description(target, base_url=base_url, headers=given), slug_of(target.name.partition(".")[0])
    if base_url is not None:
        raise ConfigError("--base-url is for descriptions: an MCP server or a configuration has its own addresses")
    return open_server(target, given), server_name(target)


def open_configuration(
    configured: Configured,
    headers: Sequence[Header] = (),
    *,
    approver: Approver | None = None,
    reload: float | None = None,
) -> FileGateway:
    """The gateway of a file, with approval on. Raises: ConfigError."""
    if headers:
        raise ConfigError("--header is for one upstream: write headers into the configuration file")
    from mcpbridge.gateway.filed import open_gateway  # noqa: PLC0415 - the import budget: a description needs no records
    from mcpbridge.wrap.approve import ask_client  # noqa: PLC0415 - as above

    return open_gateway(configured.path, approver=approver or ask_client, reload=reload)


def open_description(
    described: Described,
    *,
    base_url: str | None,
    headers: Sequence[Header],
    transport: httpx2.AsyncBaseTransport | None = None,
) -> ToolSource:
    """The source of a description.

    A person's own file may name any address, and so may `base_url`. What comes from a URL may name its own origin, and
    else public addresses.

    Raises: ConfigError, DescriptionError.
    """
    document = read_document(described)
    from mcpbridge.net.guard import ANYWHERE, PUBLIC  # noqa: PLC0415 - as below
    from mcpbridge.rest import RestSource  # noqa: PLC0415 - the import budget, and after the peak of memory

    address = base_url or base_of(document, described)
    named = base_url is not None or described.url is None or _origin(address) == _origin(described.url)
    with watched(f"Making tools of {described.name} …"):
        source = RestSource.from_openapi(
            document,
            base_url=address,
            transport=transport,
            headers={header.name: header.value for header in headers},
            guard=ANYWHERE if named else PUBLIC,
        )
    tell_problems(document.reading.problems.found, described.name)  # what reading the rest would find is not waited for
    return source


def base_of(document: Document, described: Described) -> str:
    """The first server's URL, which is relative to the description's own (OpenAPI 3.1 section 4.8.5)."""
    first = first_server(document.root)
    url = urljoin(described.url, first or "/") if described.url else first or ""
    if urlsplit(url).scheme not in ("http", "https"):
        said = f"its first server is {first!r}" if first else "it names no server"
        raise ConfigError(f"{described.name} does not say where the API is ({said}): add --base-url https://HOST/…")
    return url


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def open_server(target: Remote | Child | Configured, headers: Sequence[Header]) -> ToolSource:
    """The source of an MCP server, or the gateway of a file. Raises: ConfigError."""
    if isinstance(target, Configured):
        return open_configuration(target, headers)
    from mcpbridge.upstream.source import McpSource  # noqa: PLC0415 - the import budget: a description needs no client

    if isinstance(target, Remote):
        return McpSource(target.url, headers={header.name: header.value for header in headers})
    if headers:
        raise ConfigError("--header is for HTTP: a command gets its credentials from its environment")
    from mcp import StdioServerParameters  # noqa: PLC0415 - as above

    return McpSource(StdioServerParameters(command=target.command[0], args=[*target.command[1:]]))


def server_name(target: Remote | Child | Configured) -> str:
    """A short name for a server: its host, the first word of its command that tells what it is, or its file."""
    if isinstance(target, Configured):
        return slug_of(target.path.stem)
    if isinstance(target, Remote):
        return slug_of(urlsplit(target.url).hostname or "")
    words = [word for word in target.command if not word.startswith("-")]
    return slug_of(words[min(1, len(words) - 1)].rpartition("/")[2])


def slug_of(text: str) -> str:
    """The text as a name that every client takes: lower case, digits and single hyphens."""
    return _UNFIT.sub("-", text.lower()).strip("-")[:32] or "mcpbridge"
