"""Which URL an operation is called at (OpenAPI 3.1 section 4.8.5; Swagger 2.0 `host`, `basePath`, `schemes`).

The base URL of a source replaces the description's first server and pins the origin: a description can't send a call
elsewhere, unless the host lists that origin.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias
from urllib.parse import SplitResult, urljoin, urlsplit

from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.operation import Operation
from mcpbridge.tools import Json

Origin: TypeAlias = tuple[str, str, int | None]
"""Scheme, host and port of a URL (RFC 6454 section 4); the port is None where the scheme has no default one."""

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"})
_PORTS = {"http": 80, "https": 443}


def first_server(root: Mapping[str, Json]) -> str | None:
    """The first server's URL with its variables' defaults, as the description writes it; None where there is none.

    A description without servers of its own, where every operation has one, begins with that of its first operation.
    """
    if "swagger" in root:
        return _swagger(root)
    own = _own(root)
    if own is not None:
        return own
    paths = root.get("paths")
    items = [item for item in paths.values() if is_object(item)] if is_object(paths) else []
    found = [_own(item) or _own(each) for item in items for name, each in item.items() if name in _METHODS]
    return found[0] if found and None not in found else None


def _own(node: Json) -> str | None:
    """The first server that a document, a path item or an operation states."""
    servers = node.get("servers") if is_object(node) else None
    return server_url(servers[0]) if is_list(servers) and servers else None


def server_url(server: Json) -> str | None:
    """One server object's URL with its variables' defaults put in; None where it is not readable."""
    if not is_object(server):
        return None
    members = server
    url, variables = members.get("url"), members.get("variables")
    if not isinstance(url, str):
        return None
    known = variables if is_object(variables) else {}
    return _VARIABLE.sub(lambda found: _default(known.get(found[1]), found[0]), url.strip())


def _default(variable: Json, otherwise: str) -> str:
    default = variable.get("default") if is_object(variable) else None
    return str(default) if isinstance(default, str | int) else otherwise


def _swagger(root: Mapping[str, Json]) -> str | None:
    host, path, schemes = root.get("host"), root.get("basePath", ""), root.get("schemes")
    path = path if isinstance(path, str) else ""
    if not isinstance(host, str) or not host:
        return path or None
    offered = schemes if is_list(schemes) else []
    scheme = "https" if "https" in offered or "http" not in offered else "http"
    return f"{scheme}://{host}/{path.lstrip('/')}".rstrip("/")


def origin_of(url: str) -> Origin:
    """The origin of an absolute URL."""
    parts = urlsplit(url)
    return parts.scheme.lower(), (parts.hostname or "").lower(), _port(parts)


def operation_base(own: str | None, *, base_url: str, origins: Collection[Origin] = ()) -> str | None:
    """The base URL of an operation with its own server, or None where that is another origin without consent.

    `origins` are those that the host agrees to.
    """
    if own is None:
        return base_url
    resolved = urljoin(base_url, own)
    origin = origin_of(resolved)
    return resolved if origin == origin_of(base_url) or origin in origins else None


def placed(
    operations: Sequence[Operation], *, root: Mapping[str, Json], base_url: str, agreed: Collection[Origin] = ()
) -> Sequence[Operation]:
    """The operations with their own servers seen from `base_url`, which replaces the description's first server.

    A base URL that is none of the description's servers (a proxy, a tunnel, a test server) has moved the whole API:
    it also stands in for servers of other origins, unless the host agreed to those. So no call goes elsewhere.
    """
    first = first_server(root)
    known = {origin_of(urljoin(base_url, each.server)) for each in operations if each.server is not None}
    if first is None or origin_of(base_url) in known | {origin_of(urljoin(base_url, first))}:
        return [moved(each, first=first, base_url=base_url) for each in operations]
    own = {origin_of(first), *agreed}
    return [
        moved(each, first=first, base_url=base_url)
        if each.server is None or origin_of(urljoin(first, each.server)) in own
        else replace(each, server=None)
        for each in operations
    ]


def moved(operation: Operation, *, first: str | None, base_url: str) -> Operation:
    """The operation with its own server seen from `base_url`, which stands in for the description's first server.

    An own server of the first one's origin keeps its path; where that begins with the first server's path, the base
    URL's path stands in for it. Outside of it, the call stays under a base URL that has another path than the first
    server (`https://proxy.example/api`): whoever gave that named a place for all calls. Another origin is left.
    """
    if operation.server is None:
        return operation
    own = urljoin(first or "/", operation.server)
    if urlsplit(own).netloc and (first is None or origin_of(own) != origin_of(first)):
        return operation
    first_path, own_path = urlsplit(first or "").path.rstrip("/"), urlsplit(own).path.rstrip("/")
    base = urlsplit(base_url)
    if own_path == first_path or own_path.startswith(f"{first_path}/"):
        own_path = base.path.rstrip("/") + own_path[len(first_path) :]
    elif base.path.rstrip("/") not in ("", first_path):
        own_path = base.path
    return replace(operation, server=base._replace(path=own_path).geturl())


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port or _PORTS.get(parts.scheme.lower())
    except ValueError:  # a port that is no number names no origin that anything equals
        return -1
