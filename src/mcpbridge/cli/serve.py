"""`mcpbridge serve`: a target over stdio or HTTP, with approval on."""

from __future__ import annotations

import gc
import socket
import sys
from collections.abc import Sequence

from mcpbridge.build import guarded
from mcpbridge.cli.opening import open_target
from mcpbridge.cli.outcome import DONE, say
from mcpbridge.errors import ConfigError
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.server.run import serve_http, serve_stdio
from mcpbridge.source.base import ToolSource
from mcpbridge.wrap.prefix import Prefix

LOOPBACK = ("127.0.0.1", "localhost", "::1")


async def serve(
    target: str,
    *,
    http: str | None,
    stdio: bool,
    base_url: str | None,
    slug: str | None,
    headers: Sequence[str],
) -> int:
    """Serves a target; without `http`, over stdio. With a slug, tools are called `slug__tool`.

    Raises: BridgeError.
    """
    if http is not None and stdio:
        raise ConfigError("--http and --stdio exclude each other: choose one")
    address = None if http is None else read_address(http)
    source, name = open_target(target, base_url=base_url, headers=headers)
    if slug is not None:
        source, name = Prefix(source, slug), slug
    if address is None:
        await serve_over_stdio(source, name=name)
    else:
        await serve_over_http(source, *address, name=name)
    return DONE


def read_address(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; a port alone means 127.0.0.1.

    Raises: ConfigError for anything else, and for a host that is not this machine: a gateway that others reach needs
    to know who they are, which is for a host program to say.
    """
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise ConfigError(f"--http {text!r} needs the form HOST:PORT, for example 127.0.0.1:8000")
    if host not in LOOPBACK:
        raise ConfigError(
            f"--http {text!r}: the command serves this machine only (127.0.0.1); to serve others, "
            "mount to_asgi() with a verifier and allowed_hosts in a program of yours"
        )
    return host, int(port)


async def serve_over_stdio(source: ToolSource, *, name: str) -> None:
    """Serves a source to the one client at the other end of stdin and stdout, until it leaves."""
    offered = guarded(source)
    server = to_server(offered, name=name)
    async with offered:
        _settle()
        if sys.stdin.isatty():
            say(f"mcpbridge: {name} is served on stdin and stdout; an MCP client starts this command by itself")
        await serve_stdio(server)


async def serve_over_http(source: ToolSource, host: str, port: int, *, name: str) -> None:
    """Serves a source at `http://HOST:PORT/mcp` until Ctrl-C.

    Raises: ConfigError for a port that can't be had.
    """
    check_free(host, port)
    offered = guarded(source)
    app = to_asgi(to_server(offered, name=name))
    async with offered:
        _settle()
        say(how_to_connect(name, f"http://{f'[{host}]' if ':' in host else host}:{port}/mcp"))
        await serve_http(app, host, port)


def check_free(host: str, port: int) -> None:
    """Raises: ConfigError for a port that can't be had."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"{host}:{port} can't be served on: {reason}; end what holds the port, or choose another"
        ) from error


def how_to_connect(name: str, url: str) -> str:
    """What a person pastes into each client."""
    return f"""\
Serving {name} at {url} (Ctrl-C ends it). To connect:
  Claude Code   claude mcp add --transport http {name} {url}
  Cursor        in ~/.cursor/mcp.json:  {{"mcpServers": {{"{name}": {{"url": "{url}"}}}}}}
  VS Code       in .vscode/mcp.json:    {{"servers": {{"{name}": {{"type": "http", "url": "{url}"}}}}}}"""


def _settle() -> None:
    """What was read stays: it is kept out of every later collection of cycles, which may begin now."""
    gc.freeze()
    gc.enable()
