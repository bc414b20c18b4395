"""Serving a source from the command line, until the client or the person has enough."""

from __future__ import annotations

import gc
import socket
import sys

from mcpbridge.build import guarded
from mcpbridge.cli.outcome import say
from mcpbridge.errors import ConfigError
from mcpbridge.gateway.gateway import Gateway
from mcpbridge.gateway.route import with_health
from mcpbridge.server.asgi import to_asgi
from mcpbridge.server.lowlevel import to_server
from mcpbridge.server.run import serve_http, serve_stdio
from mcpbridge.source.base import ToolSource
from mcpbridge.wrap.prefix import Prefix


def prefixed(source: ToolSource, slug: str) -> ToolSource:
    """The source with `slug__` in front of every name. Raises: ConfigError for what is no slug."""
    return Prefix(source, slug)


def asking(source: ToolSource) -> ToolSource:
    """The source with approval on."""
    return guarded(source)


async def serve_over_stdio(offered: ToolSource, *, name: str) -> None:
    """Serves a source to the one client at the other end of stdin and stdout, until it leaves."""
    server = to_server(offered, name=name)
    async with offered:
        _settle()
        if sys.stdin.isatty():
            say(f"mcpbridge: {name} is served on stdin and stdout; an MCP client starts this command by itself")
        await serve_stdio(server)


async def serve_over_http(offered: ToolSource, host: str, port: int, *, name: str) -> None:
    """Serves a source at `http://HOST:PORT/mcp` until Ctrl-C; a gateway says at `/health` how it is.

    Raises: ConfigError for a port that can't be had.
    """
    check_free(host, port)
    app = to_asgi(to_server(offered, name=name))
    if isinstance(offered, Gateway):
        app = with_health(app, offered)
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
