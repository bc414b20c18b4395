"""`mcpbridge serve`: a target over stdio or HTTP, with approval on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mcpbridge.cli.headers import read_headers
from mcpbridge.cli.opening import open_configuration, open_target, server_name
from mcpbridge.cli.outcome import DONE
from mcpbridge.cli.target import read_configured
from mcpbridge.errors import ConfigError

if TYPE_CHECKING:
    from mcpbridge.source.base import ToolSource

RELOAD = 1.0
"""Seconds between two looks at a configuration file."""

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
    if (configured := read_configured(target)) is not None:
        if base_url is not None or slug is not None:
            raise ConfigError("--base-url and --name are for one upstream: a configuration gives each its own")
        gateway = open_configuration(configured, read_headers(headers, os.environ), reload=RELOAD)
        await _served(gateway, address, server_name(configured), asked=True)
        return DONE
    source, name = open_target(target, base_url=base_url, headers=headers)
    if slug is not None:
        from mcpbridge.cli import serving  # noqa: PLC0415 - as below

        source, name = serving.prefixed(source, slug), slug
    await _served(source, address, name, asked=False)
    return DONE


async def _served(source: ToolSource, address: tuple[str, int] | None, name: str, *, asked: bool) -> None:
    """Serves a source; `asked` says that it asks before writes already."""
    from mcpbridge.cli import serving  # noqa: PLC0415 - after the description is read: its peak of memory is the highest

    offered = source if asked else serving.asking(source)
    if address is None:
        await serving.serve_over_stdio(offered, name=name)
    else:
        await serving.serve_over_http(offered, *address, name=name)


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
