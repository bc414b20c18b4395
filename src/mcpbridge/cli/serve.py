"""`mcpbridge serve`: a target over stdio or HTTP, with approval on."""

from __future__ import annotations

from collections.abc import Sequence

from mcpbridge.cli.opening import open_target
from mcpbridge.cli.outcome import DONE
from mcpbridge.errors import ConfigError

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
    from mcpbridge.cli import serving  # noqa: PLC0415 - after the description is read: its peak of memory is the highest

    if slug is not None:
        source, name = serving.prefixed(source, slug), slug
    if address is None:
        await serving.serve_over_stdio(source, name=name)
    else:
        await serving.serve_over_http(source, *address, name=name)
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
