"""`RestSource`: an HTTP API's operations as tools."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import httpx2

from mcpbridge.auth.per_operation import OperationAuth, own_auths
from mcpbridge.errors import AuthRequired, ConfigError, Failure, ToolNotFound
from mcpbridge.net.guard import ANYWHERE, PUBLIC, Guard
from mcpbridge.net.limits import Limits
from mcpbridge.net.upstream import Upstream, checked_auth
from mcpbridge.openapi.document import Document
from mcpbridge.openapi.limits import ReadLimits
from mcpbridge.openapi.operation import Operation
from mcpbridge.openapi.operations import Choice, read_operations
from mcpbridge.openapi.request import build_request
from mcpbridge.openapi.response import read_answer
from mcpbridge.openapi.servers import Origin as HttpOrigin
from mcpbridge.openapi.servers import first_server, operation_base, origin_of, placed
from mcpbridge.openapi.tool import to_tool
from mcpbridge.secret import Secret
from mcpbridge.source.answer import failed, failure_of
from mcpbridge.source.base import Answer, ToolSource
from mcpbridge.tools import Call, Caller, Item, Json, Kind, Origin, Status, Tool

CALLER_KEY = "mcpbridge.caller"
"""Where `httpx2.Auth` strategies find the `Caller` in `request.extensions`."""


class RestSource(ToolSource):
    """The operations of one HTTP API, in the order given, called at `base_url`.

    `headers` go on every request, and `auth` wins over them; no argument overrides either. `transport` is any
    `httpx2.AsyncBaseTransport` (a mock, an ASGI app, a proxy, a private CA) and is closed with the source. `origins`
    are other origins (`https://uploads.example.com`) that an operation's own server may name. Connections open with the
    first call; leaving the source closes them.

    `operation_auth` holds strategies of some operations alone, in place of `auth`: by a pattern of their names, or by
    the security scheme that they use, as `{"admin_*": other, "scheme:adminKey": other, "status": None}`. The first that
    fits counts, None signs nothing, and what it says holds too for operations that want no credential.

    `guard` says which addresses may be connected to, for a `base_url` that somebody else named; without one there is no
    limit. A `transport` of the host's own is not guarded.

    Raises: ConfigError for a base URL that is no absolute http(s) URL, for two operations of one name, and for an
    `operation_auth` that fits none.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        *,
        base_url: str,
        transport: httpx2.AsyncBaseTransport | None = None,
        auth: httpx2.Auth | None = None,
        operation_auth: OperationAuth | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        limits: Limits | None = None,
        origins: Collection[str] = (),
        guard: Guard = ANYWHERE,
    ) -> None:
        self.base_url = _absolute(base_url)
        self._upstream = Upstream(transport=transport, auth=auth, headers=headers, limits=limits, guard=guard)
        self._operations = {operation.name: operation for operation in operations}
        if len(self._operations) != len(operations):
            names = [operation.name for operation in operations]
            double = next(name for name in names if names.count(name) > 1)
            raise ConfigError(f"two operations are called {double!r}; rename one of them")
        self._auths = own_auths(operations, operation_auth or {})
        for each in self._auths.values():
            if each is not None:
                checked_auth(each)
        agreed = _agreed(origins)
        self._own = {
            operation.name: operation_base(operation.server, base_url=base_url, origins=agreed)
            for operation in operations
            if operation.server is not None
        }
        self._tools: dict[str, Tool] = {}
        self._all: tuple[Tool, ...] | None = None

    @classmethod
    def from_openapi(
        cls,
        data: str | bytes | Path | Mapping[str, Json] | Document,
        *,
        base_url: str | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
        auth: httpx2.Auth | None = None,
        operation_auth: OperationAuth | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        limits: Limits | None = None,
        select: Choice | None = None,
        origins: Collection[str] = (),
        guard: Guard | None = None,
    ) -> Self:
        """The operations of a description: its text, bytes, path, parsed JSON, or a `Document` (`fetch_document`).

        Without `base_url`, the description's first server is called. Where `guard` is None, a `base_url` may be at any
        address, and a server that only the description names has to be at a public one.

        Raises: DescriptionError; ConfigError where there is no base URL to call.
        """
        limits = limits or Limits()
        document = data if isinstance(data, Document) else Document.parse(data, limits=_reading(limits))
        if guard is None:
            guard = PUBLIC if base_url is None else ANYWHERE
        if base_url is None:
            base_url = _from_description(first_server(document.root))
        return cls(
            placed(
                read_operations(document, select=select),
                root=document.root,
                base_url=base_url,
                agreed=_agreed(origins),
            ),
            base_url=base_url,
            transport=transport,
            auth=auth,
            operation_auth=operation_auth,
            headers=headers,
            limits=limits,
            origins=origins,
            guard=guard,
        )

    @classmethod
    def from_app(
        cls,
        app: Any,
        *,
        description: str | bytes | Path | Mapping[str, Json] | Document | None = None,
        base_url: str = "http://localhost",
        auth: httpx2.Auth | None = None,
        operation_auth: OperationAuth | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        limits: Limits | None = None,
        select: Choice | None = None,
    ) -> Self:
        """The operations of an ASGI app in this process, called without a network.

        Without `description`, the app is asked for its own (`app.openapi()`, as FastAPI has it). The app's lifespan is
        its host's business: it is not run here. An exception inside the app is a 500.

        Raises: ConfigError where the app has no description; DescriptionError.
        """
        if description is None:
            own = getattr(app, "openapi", None)
            if not callable(own):
                raise ConfigError(
                    f"{type(app).__name__} has no openapi(); pass description=… with its OpenAPI document"
                )
            description = cast("Mapping[str, Json]", own())
        return cls.from_openapi(
            description,
            base_url=base_url,
            transport=httpx2.ASGITransport(app, raise_app_exceptions=False),
            auth=auth,
            operation_auth=operation_auth,
            headers=headers,
            limits=limits,
            select=select,
        )

    async def list(self, kind: Kind, caller: Caller) -> Sequence[Item]:
        if kind != "tool":
            return ()
        if self._all is None:
            self._all = tuple(self._tool(operation) for operation in self._operations.values())
        return self._all

    async def get(self, kind: Kind, key: str, caller: Caller) -> Item:
        operation = self._operations.get(key) if kind == "tool" else None
        if operation is None:
            raise ToolNotFound(key, kind)
        return self._tool(operation)

    async def call(self, call: Call) -> Answer:
        operation = self._operations.get(call.name) if call.kind == "tool" else None
        if operation is None:
            raise ToolNotFound(call.name, call.target()[0])
        base_url = self._own.get(operation.name, self.base_url)
        if base_url is None:
            return failed(_elsewhere(operation))
        request = build_request(operation, call.arguments, base_url=base_url)
        request.extensions[CALLER_KEY] = call.caller
        try:
            answer = await self._upstream.send(request, signed=self._signs(operation), auth=self._auths.get(call.name))
        except AuthRequired as error:
            return failed(failure_of(error, id=call.id))
        if isinstance(answer, Failure):
            return failed(answer)
        return read_answer(operation, answer.status, answer.headers, answer.content, now=time.time())

    async def status(self, caller: Caller | None = None) -> Status:
        return Status()

    def version(self, caller: Caller) -> str:
        return "1"  # the operations of a source never change; another description makes another source

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._upstream.aclose()

    def _signs(self, operation: Operation) -> bool:
        """Whether a call has a credential: as the host says of this operation, else where the description wants one."""
        if operation.name in self._auths:
            return self._auths[operation.name] is not None
        return operation.security is None or bool(operation.security)

    def _tool(self, operation: Operation) -> Tool:
        """The tool. Where it calls is part of its origin: an approval of it ends when that changes.

        Its labels are believed: they are the method's and the host's, and a description only makes them more careful.
        """
        tool = self._tools.get(operation.name)
        if tool is None:
            aim = f"{operation.method} {self._own.get(operation.name, self.base_url)} {operation.path}"
            revision = hashlib.sha256(aim.encode("utf-8", "surrogatepass")).hexdigest()[:16]
            tool = self._tools[operation.name] = replace(
                to_tool(operation), origin=Origin(revision=revision, trusted=True)
            )
        return tool


def _reading(limits: Limits) -> ReadLimits:
    return ReadLimits(bytes=limits.description, operations=limits.operations, seconds=limits.parse)


def _agreed(origins: Collection[str]) -> set[HttpOrigin]:
    return {origin_of(_absolute(origin)) for origin in origins}


def _absolute(url: str) -> str:
    """The URL, where it is an absolute one of http or https without a user name. Raises: ConfigError."""
    try:
        parts = httpx2.URL(url)
    except (httpx2.InvalidURL, TypeError) as error:
        raise ConfigError(f"base_url {url!r} is no URL ({error}); write it as https://host/path") from error
    if parts.scheme not in {"http", "https"} or not parts.host:
        raise ConfigError(f"base_url {url!r} is no absolute http(s) URL; write it as https://host/path")
    if "{" in parts.host:
        raise ConfigError(f"base_url {url!r} holds a variable; write its value")
    if parts.userinfo:
        raise ConfigError("base_url holds a user name or password; pass auth=Basic(user, password) instead")
    return url


def _from_description(first: str | None) -> str:
    if first is None:
        raise ConfigError("the description names no server; pass base_url='https://…'")
    try:
        return _absolute(first)
    except ConfigError:
        raise ConfigError(
            f"the description's first server {first!r} is no absolute http(s) URL; pass base_url='https://…'"
        ) from None


def _elsewhere(operation: Operation) -> Failure:
    return Failure(
        code="origin_refused",
        message=f"{operation.name!r} belongs to another server, {operation.server!r}, which this source may not call",
        hint="An operator can allow it with RestSource(origins=[…]).",
    )
