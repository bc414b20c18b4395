"""`check_integration`: whether an integration works, in steps from its address to a call. Nothing is written."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from urllib.parse import urlsplit

import httpcore2
import httpx2

from mcpbridge.errors import BridgeError, ConfigError, Failure, UpstreamError
from mcpbridge.gateway.report import Report, Step, StepName, failed_step
from mcpbridge.gateway.sources import source_of
from mcpbridge.integrations.auth import Use
from mcpbridge.integrations.parts import read_limits
from mcpbridge.integrations.record import Integration, McpIntegration, RestIntegration
from mcpbridge.linting.run import lint
from mcpbridge.net.failures import lost
from mcpbridge.net.guard import ANYWHERE, Guard
from mcpbridge.net.tls import shared_context
from mcpbridge.net.wire import Network
from mcpbridge.source.answer import error_of, failure_of
from mcpbridge.source.base import ToolSource
from mcpbridge.tools import Call, Caller, Tool

_SHOWN = 5
"""Names that one message tells at most."""


async def check_integration(record: Integration, use: Use, *, caller: Caller, probe: bool = True) -> Report:
    """Each step in its order, as far as the one before lets it; a step that can't be taken is skipped and says why.

    The record has its credentials. It is checked whether it is enabled or not, by a source of its own that is left
    again. `probe` calls one tool that reads and needs no argument, where there is one.
    """
    check = _Check(record, use, caller)
    async with AsyncExitStack() as stack:
        await check.run("address", check.address)
        await check.run("tls", check.tls)
        await check.run("listing", lambda: check.listing(stack))
        await check.run("lint", check.lint)
        await check.run("exposure", check.exposure)
        if probe:
            await check.run("probe", check.probe)
        return Report(name=record.name, steps=check.steps())


class _Check:
    def __init__(self, record: Integration, use: Use, caller: Caller) -> None:
        self._record = record
        self._use = use
        self._caller = caller
        self._steps: dict[StepName, Step] = {}
        self._source: ToolSource | None = None
        self._tools: Sequence[Tool] | None = None
        self._refused: Failure | None = None

    async def run(self, name: StepName, act: Callable[[], Awaitable[Step]]) -> None:
        """Takes one step; what it raises is how it failed."""
        begun = time.perf_counter()
        try:
            step = await act()
        except BridgeError as error:
            step = self._failed(name, failure_of(error))
        self._steps[name] = replace(step, seconds=time.perf_counter() - begun)

    def steps(self) -> Sequence[Step]:
        """All steps, with that of the credential where it belongs: what upstreams said of it came later."""
        steps = [*self._steps.values()]
        return [*steps[:2], self._auth(), *steps[2:]]

    async def address(self) -> Step:
        """Whether something listens there, at an address that the guard allows; or the command is there."""
        if isinstance(self._record, McpIntegration) and self._record.transport == "stdio":
            found = shutil.which(self._record.command or "")
            if found is None:
                raise ConfigError(f"there is no command {self._record.command!r}: install it, or give its whole path")
            return Step(name="address", outcome="passed", message=f"the command is {found}")
        if self._url() is None:
            return _skipped("address", "only the description says where the API is")
        await self._connect(encrypted=False)
        return Step(name="address", outcome="passed", message=f"{self._host()} accepts connections")

    async def tls(self) -> Step:
        """Whether its certificate is trusted."""
        if urlsplit(self._url() or "").scheme != "https":
            return _skipped("tls", "the address has no TLS")
        if self._steps["address"].outcome == "failed":
            return _skipped("tls", "the address can't be reached")
        await self._connect(encrypted=True)
        return Step(name="tls", outcome="passed", message="the certificate is trusted")

    async def listing(self, stack: AsyncExitStack) -> Step:
        """Whether the description can be read, or the server greets and lists."""
        if any(step.outcome == "failed" for step in self._steps.values()) and self._url() is not None:
            return _skipped("listing", "the address can't be reached")
        source = await stack.enter_async_context(await source_of(self._record, self._use))
        self._source, self._tools = source, await source.list_tools(self._caller)
        if not self._tools:
            return Step(name="listing", outcome="warning", message="it offers no tools", code="no_tools")
        return Step(name="listing", outcome="passed", message=f"it offers {len(self._tools)} tools")

    async def lint(self) -> Step:
        """What is wrong with its tools, by the rules of `lint`."""
        if self._tools is None:
            return _skipped("lint", "there is no listing")
        errors = [finding for finding in await asyncio.to_thread(lint, self._tools) if finding.severity == "error"]
        if not errors:
            return Step(name="lint", outcome="passed", message="no tool has an error")
        hint = "Run mcpbridge lint for all of it."
        return Step(
            name="lint", outcome="warning", code="lint", hint=hint, message=f"{len(errors)} errors; {errors[0]}"
        )

    async def exposure(self) -> Step:
        """Whether every agent may use tools that write."""
        if self._tools is None:
            return _skipped("exposure", "there is no listing")
        writes = [tool.name for tool in self._tools if tool.access == "write"]
        if "*" not in self._record.agents or not writes:
            return Step(name="exposure", outcome="passed", message="no tool that writes is open to all agents")
        more = f" and {len(writes) - _SHOWN} more" if len(writes) > _SHOWN else ""
        return Step(
            name="exposure",
            outcome="warning",
            code="open_writes",
            message=f"tools that write are open to all agents: {', '.join(writes[:_SHOWN])}{more}",
            hint="Name the agents, or take tools away with tools.disabled.",
        )

    async def probe(self) -> Step:
        """Whether a tool that reads, and needs no argument, answers."""
        tool = next((tool for tool in self._tools or () if _is_harmless(tool)), None)
        if tool is None or self._source is None:
            return _skipped("probe", "no tool that reads needs no argument: try one with mcpbridge call")
        answer = await self._source.call(Call(name=tool.name, caller=self._caller))
        failure = error_of(answer)
        if failure is not None:
            return self._failed("probe", failure)
        return Step(name="probe", outcome="passed", message=f"{tool.name} answered")

    def _auth(self) -> Step:
        """What is known of the credential when all is done."""
        kind = self._record.auth.type
        if (refused := self._refused) is not None:
            hint = refused.hint or ("Give a new credential." if kind != "none" else "Give the integration an auth.")
            return Step(name="auth", outcome="failed", code="auth_required", message=refused.message, hint=hint)
        if kind == "none":
            return _skipped("auth", "requests go as they are")
        used: StepName = "probe" if isinstance(self._record, RestIntegration) else "listing"
        step = self._steps.get(used)
        if step is not None and step.outcome in {"passed", "warning"}:
            return Step(name="auth", outcome="passed", message=f"the credential of type {kind!r} is taken")
        return _skipped("auth", "no request that carries the credential was answered")

    def _failed(self, name: StepName, failure: Failure) -> Step:
        if failure.status in {401, 403} or failure.code == "auth_required":
            self._refused = failure
        return failed_step(name, failure)

    def _url(self) -> str | None:
        """Where it is; None where only its description says so."""
        record = self._record
        if isinstance(record, RestIntegration):
            named = record.openapi if (record.openapi or "").startswith(("http://", "https://")) else None
            return record.base_url or named
        return record.url if isinstance(record, McpIntegration) else None

    def _host(self) -> str:
        parts = urlsplit(self._url() or "")
        return f"{parts.scheme}://{parts.netloc}"

    async def _connect(self, *, encrypted: bool) -> None:
        """Opens a connection as calls do, and closes it. Raises: UpstreamError."""
        parts = urlsplit(self._url() or "")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        guard: Guard = self._use.guard or ANYWHERE
        limits = read_limits(self._record.limits)
        try:
            stream = await Network(guard).connect_tcp(parts.hostname or "", port, timeout=limits.connect)
            if encrypted:
                stream = await stream.start_tls(shared_context(), parts.hostname, timeout=limits.connect)
            await stream.aclose()
        except httpcore2.ConnectTimeout as error:
            raise UpstreamError(_told(httpx2.ConnectTimeout(str(error)), self._host())) from error
        except httpcore2.ConnectError as error:
            told = httpx2.ConnectError(str(error))
            told.__cause__ = error  # the reason is read from the chain of causes
            raise UpstreamError(_told(told, self._host())) from error


def _told(error: httpx2.HTTPError, where: str) -> Failure:
    return lost(error, where, status=None, left=False)


def _skipped(name: StepName, why: str) -> Step:
    return Step(name=name, outcome="skipped", message=why)


def _is_harmless(tool: Tool) -> bool:
    return tool.access == "read" and not tool.input_schema.get("required")
