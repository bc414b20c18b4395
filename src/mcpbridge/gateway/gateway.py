"""`Gateway`: integrations as they run, for many tenants, users and agents, on one machine or many."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mcpbridge.build import guarded
from mcpbridge.errors import ConfigError, UpstreamError
from mcpbridge.gateway.building import Building
from mcpbridge.gateway.checking import check_integration
from mcpbridge.gateway.floor import Snapshot, status_of
from mcpbridge.gateway.health import Transition
from mcpbridge.gateway.lazy import Lazy
from mcpbridge.gateway.logins import audited
from mcpbridge.gateway.report import Report
from mcpbridge.gateway.rulings import by_record
from mcpbridge.gateway.scope import Stamp, revision_of
from mcpbridge.gateway.sources import source_of
from mcpbridge.gateway.trying import Trial, Trying, try_tool
from mcpbridge.integrations.auth import Use
from mcpbridge.integrations.errors import IntegrationNotFound
from mcpbridge.integrations.hooks import Action
from mcpbridge.integrations.parts import Mode
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.stored import StoredIntegration, document_of
from mcpbridge.net.guard import PUBLIC, Guard
from mcpbridge.policy import Policy, reads_run_writes_ask
from mcpbridge.source.answer import failed, failure_of
from mcpbridge.source.base import Answer, ToolSource, Wrapper
from mcpbridge.tools import Call, Caller, Status, Tool
from mcpbridge.wrap.approval import Approver
from mcpbridge.wrap.approval_store import ApprovalStore
from mcpbridge.wrap.approve import ask_client
from mcpbridge.wrap.audit_event import AuditSink
from mcpbridge.wrap.audit_log import AuditLog
from mcpbridge.wrap.naming import split
from mcpbridge.wrap.retry import Retry

if TYPE_CHECKING:
    from mcpbridge.auth.oauth.setting import OAuthHost
    from mcpbridge.integrations.registry import Integrations

logger = logging.getLogger(__name__)


class Gateway(Wrapper):
    """Every integration that a caller may use, under its slug, with approval on.

    integrations   records of the host's own, for every tenant; or `Integrations`, whose system ones are that
    sources        further sources of the host's own, by slug
    guard          where records that people made may lead, and their descriptions; the host's own may lead anywhere
    policy, approver, approvals, scope, audit   as in `guarded`; a record's mode for a tool counts before the policy
    retry          what repeats calls of one integration, None for nothing
    logins         where logins of users are kept, for auth of type `oauth2`; what becomes of them is audited too
    finish         seconds that calls under way may go on when their integration is changed, disabled or deleted; 0
                   ends them at once
    on_status      hears when the status of an integration changes

    It is entered once, by the host, in the event loop of its store. An integration is made ready with its first use,
    and one that can't be stands in `statuses` and takes nothing else with it. What is changed in the store is used
    within two seconds on every replica.

    Raises: ConfigError for slugs that are none or there twice; entering it raises StoreError where the store can't be
    read.
    """

    def __init__(
        self,
        integrations: Integrations | Iterable[Integration] = (),
        *,
        sources: Mapping[str, ToolSource] | None = None,
        guard: Guard = PUBLIC,
        policy: Policy = reads_run_writes_ask,
        approver: Approver = ask_client,
        approvals: ApprovalStore | None = None,
        scope: str | None = None,
        audit: AuditSink | AuditLog | None = None,
        retry: Callable[[ToolSource], ToolSource] | None = Retry,
        logins: OAuthHost | None = None,
        finish: float = 30.0,
        on_status: Callable[[Transition], None] | None = None,
    ) -> None:
        if finish < 0:
            raise ConfigError(f"Gateway(finish={finish!r}) is seconds: it can't be negative")
        self.integrations = None if isinstance(integrations, Iterable) else integrations
        self.guard = guard
        log = audit if audit is None or isinstance(audit, AuditLog) else AuditLog(audit)
        self.logins = logins if logins is None or log is None else audited(logins, log)
        self._log = log
        self._retry = retry
        self._finish = finish
        self._on_status = on_status
        self._building = Building(self._lazy, sources or {})
        self._stack = AsyncExitStack()
        self._entered = False
        own = tuple(integrations if isinstance(integrations, Iterable) else integrations.system.records.values())
        if double := {record.name for record in own} & {*(sources or {})}:
            raise ConfigError(f"{min(double)!r} is a record and a source: give each its own slug")
        self.replace(own)
        self._ruled = by_record(policy, self._mode)
        super().__init__(
            guarded(
                self._building,
                policy=self._ruled,
                approver=approver,
                approvals=approvals,
                scope=scope,
                retry=None,
                audit=log,
            )
        )

    async def call(self, call: Call) -> Answer:
        try:
            return await self.inner.call(call)
        except UpstreamError as error:  # the tool could not even be looked up
            return failed(failure_of(error, id=call.id))

    async def statuses(self, caller: Caller, *, everyone: bool = False) -> Mapping[str, Status]:
        """How each integration is that the caller may know of, by slug: for the caller, or at its worst for all."""
        return await self._building.statuses(caller, everyone=everyone)

    @property
    def entered(self) -> bool:
        """Whether it runs."""
        return self._entered

    async def own_statuses(self, *, connect: bool = False) -> Mapping[str, Status]:
        """How each of the host's own integrations is at its worst, whoever may use it; `connect` tries each anew."""
        own = self._building.common.lazy
        if connect:
            await asyncio.gather(*(lazy.reconnect() for lazy in own.values() if lazy.stored.enabled))
        return {slug: await status_of(lazy, None) for slug, lazy in sorted(own.items())}

    async def reconnect(self, caller: Caller, name: str) -> Status:
        """Makes an integration ready anew, and lists its tools; gives its status after that.

        Raises: IntegrationNotFound, NotAllowed, NotEntitled; ConfigError for one that is switched off.
        """
        stored = await self.find(caller, name, action="reconnect")
        lazy = await self._building.find(caller.tenant, stored.name)
        if lazy is None or not lazy.stored.enabled:
            raise ConfigError(f"the integration {stored.name!r} is switched off: enable it first")
        return await lazy.reconnect()

    async def validate(self, caller: Caller, name: str, *, probe: bool = True) -> Report:
        """Checks an integration in steps, also one that is switched off: see `check_integration`. Nothing is written.

        Raises: IntegrationNotFound, NotAllowed, NotEntitled; SecretRefused, KeyUnavailable, StoreError.
        """
        stored = await self.find(caller, name, action="validate")
        return await check_integration(await self.revealed(stored), self.use(stored), caller=caller, probe=probe)

    async def test_call(self, call: Call, name: str, *, confirm: bool = False) -> Trial:
        """Calls a tool of an integration, also of one that is switched off: see `try_tool`, and what it raises.

        The call has the tool's name in the integration. `confirm` is a person's yes to one that may write.

        Raises, besides: IntegrationNotFound, NotAllowed, NotEntitled; SecretRefused, KeyUnavailable, StoreError.
        """
        stored = await self.find(call.caller, name, action="test_call")
        record, use = await self.revealed(stored), self.use(stored)
        trying = Trying(stored=stored, record=record, use=use, policy=self._ruled, audit=self._log)
        return await try_tool(trying, call, confirm=confirm)

    async def refresh(self, tenant: str) -> None:
        """Uses what is in the store for a tenant, now. Without it a change is used within two seconds.

        Raises: StoreError.
        """
        if self.integrations is not None:
            from mcpbridge.gateway.loading import refresh  # noqa: PLC0415 - an optional extra

            await refresh(self.integrations, tenant, self._building.show)

    def replace(self, records: Iterable[Integration]) -> None:
        """Runs other records of the host's own from now on. Those that did not change are not touched.

        Raises: ConfigError for two of one name.
        """
        own: dict[str, StoredIntegration] = {}
        for record in records:
            if record.name in own:
                raise ConfigError(f"two integrations are named {record.name!r}: give each its own name")
            own[record.name] = as_stored(record)
        self._building.common.show(Snapshot(own=own))

    async def find(self, caller: Caller, name: str, *, action: Action = "read") -> StoredIntegration:
        """The integration of this slug or id, enabled or not, for an action that the host allows.

        Raises: IntegrationNotFound, NotAllowed, NotEntitled, StoreError.
        """
        common = self._building.common.snapshot.own
        if self.integrations is not None:
            try:
                return await self.integrations.get(caller, name, action=action)
            except IntegrationNotFound:
                if name not in common or name in self.integrations.system.records:
                    raise
        if name not in common:
            raise IntegrationNotFound(name)
        return common[name]

    async def revealed(self, stored: StoredIntegration) -> Integration:
        """The record with its credentials. Raises: as `Integrations.revealed` does."""
        return stored.record if self.integrations is None else await self.integrations.revealed(stored)

    def use(self, stored: StoredIntegration) -> Use:
        """What the source of an integration is made for: where it may lead, and where users log in."""
        return Use(integration=stored.id, logins=self.logins, guard=None if stored.system else self.guard)

    async def __aenter__(self) -> Self:
        _check_loop()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.inner)
            if self.integrations is not None:
                from mcpbridge.gateway.loading import follow, load  # noqa: PLC0415 - an optional extra

                since = await load(self.integrations, self._building.show)
                following = follow(self.integrations, since, self._building.show)
                watching = asyncio.create_task(following, name="mcpbridge gateway")
                stack.push_async_callback(ended, watching)
            self._stack = stack.pop_all()
        self._entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._entered = False
        await self._stack.__aexit__(kind, error, trace)

    def _lazy(self, stored: StoredIntegration) -> Lazy:
        return Lazy(stored, partial(self._make, stored), told=self._told, finish=self._finish)

    async def _make(self, stored: StoredIntegration) -> ToolSource:
        record = await self.revealed(stored)
        source = await source_of(record, self.use(stored))
        repeating = source if self._retry is None else self._retry(source)
        return Stamp(repeating, revision_of(stored))

    def _mode(self, call: Call, tool: Tool) -> Mode:
        parts = split("tool", tool.name)
        lazy = self._building.known(call.caller.tenant, parts[0]) if parts else None
        return "default" if lazy is None else lazy.stored.record.tools.approval.get(tool.origin.name, "default")

    def _told(self, transition: Transition) -> None:
        logger.info(
            "integration %r: %s to %s %s",
            transition.name,
            transition.before.state,
            transition.after.state,
            transition.after.code,
        )
        if self._on_status is None:
            return
        try:
            self._on_status(transition)
        except Exception:  # the host's function may raise anything; a status has to change all the same
            logger.exception("a listener raised when the status of %r changed", transition.name)


def as_stored(record: Integration) -> StoredIntegration:
    """A record of the host's own, as those in a store are."""
    return StoredIntegration(
        id=f"sys_{record.name}",
        tenant="",
        name=record.name,
        revision=1,
        state="pending" if record.enabled else "disabled",
        enabled=record.enabled,
        created_at=0.0,
        updated_at=0.0,
        system=True,
        document=document_of(record),
        given=record,
    )


def _check_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigError(
            "a gateway needs a running asyncio event loop; other loops, as trio's, are not known"
        ) from None


async def ended(task: asyncio.Task[None]) -> None:
    """Ends a task, and waits for that."""
    task.cancel()
    await asyncio.wait({task})
