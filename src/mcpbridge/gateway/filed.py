"""`open_gateway`: a gateway as a file says, that follows the file."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from mcpbridge.config.configuration import Configuration, read_configuration
from mcpbridge.config.references import Secrets
from mcpbridge.errors import ConfigError
from mcpbridge.gateway.gateway import Gateway, ended
from mcpbridge.gateway.health import Transition
from mcpbridge.integrations.record import Integration
from mcpbridge.integrations.system import SystemRegistry
from mcpbridge.net.guard import Guard
from mcpbridge.policy import Policy, ask_always, read_only, reads_run_writes_ask
from mcpbridge.store.open import open_store
from mcpbridge.wrap.approval import Approver
from mcpbridge.wrap.approval_store import ApprovalStore
from mcpbridge.wrap.approve import ask_client
from mcpbridge.wrap.audit_event import AuditSink
from mcpbridge.wrap.audit_log import AuditLog

if TYPE_CHECKING:
    from mcpbridge.integrations.registry import Integrations
    from mcpbridge.store.store import Store

logger = logging.getLogger(__name__)

POLICIES: Mapping[str, Policy] = {
    "reads_run_writes_ask": reads_run_writes_ask,
    "ask_always": ask_always,
    "read_only": read_only,
}


def open_gateway(
    path: str | Path,
    *,
    environment: Mapping[str, str] | None = None,
    secrets: Secrets | None = None,
    reload: float | None = 1.0,
    policy: Policy | None = None,
    approver: Approver = ask_client,
    approvals: ApprovalStore | None = None,
    audit: AuditSink | AuditLog | None = None,
    on_status: Callable[[Transition], None] | None = None,
) -> FileGateway:
    """The gateway that a file describes, to be entered with `async with`; until then nothing is opened.

    The file is looked at every `reload` seconds, None for never. Where it changed, its integrations are used from then
    on; one that can't be read changes nothing, and is told in the log and in `problem`. The store, the vault's keys,
    the policy and the allowed addresses are those of the start. `policy` is used in the place of the file's.

    Raises: ConfigError.
    """
    read = _Reader(Path(path), environment, secrets)
    configuration = read()
    store = None if configuration.store is None else open_store(configuration.store)
    return FileGateway(
        configuration,
        read,
        store,
        reload=reload,
        policy=policy or POLICIES[configuration.policy],
        approver=approver,
        approvals=approvals,
        audit=audit,
        on_status=on_status,
    )


class _Reader:
    """Reads one file, with the same environment and secrets each time."""

    def __init__(self, path: Path, environment: Mapping[str, str] | None, secrets: Secrets | None) -> None:
        self.path = path
        self._environment = environment
        self._secrets = secrets

    def __call__(self) -> Configuration:
        return read_configuration(self.path, environment=self._environment, secrets=self._secrets)

    def looks(self) -> tuple[int, int, int] | None:
        """What differs after the file was written; None while there is none."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


class FileGateway(Gateway):
    """A gateway over the configuration of a file. `problem` says why the file could not be read again, if so."""

    def __init__(
        self,
        configuration: Configuration,
        read: _Reader,
        store: Store | None,
        *,
        reload: float | None,
        policy: Policy,
        approver: Approver,
        approvals: ApprovalStore | None,
        audit: AuditSink | AuditLog | None,
        on_status: Callable[[Transition], None] | None,
    ) -> None:
        self.configuration = configuration
        self.problem = ""
        self._read = read
        self._seen = read.looks()
        self._store = store
        self._reload = reload
        self._held = AsyncExitStack()
        super().__init__(
            configuration.integrations if store is None else _registry(store, configuration),
            guard=Guard(configuration.allowed),
            policy=policy,
            approver=approver,
            approvals=approvals,
            audit=audit,
            on_status=on_status,
        )
        self.replace(configuration.integrations)

    async def look(self) -> None:
        """Reads the file again, where it changed."""
        seen = self._read.looks()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._take(await asyncio.to_thread(self._read))
        except ConfigError as error:
            self.problem = str(error)
            logger.error("the configuration is not used, what was there goes on: %s", error)  # noqa: TRY400 - its words are for people

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            if self._store is not None:
                await stack.enter_async_context(self._store)
            await super().__aenter__()
            stack.push_async_exit(super().__aexit__)
            if self._reload is not None:
                looking = asyncio.create_task(self._follow(self._reload), name="mcpbridge configuration")
                stack.push_async_callback(ended, looking)
            self._held = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._held.__aexit__(kind, error, trace)

    async def _follow(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self.look()

    def _take(self, new: Configuration) -> None:
        old, self.configuration, self.problem = self.configuration, new, ""
        if self.integrations is not None:
            self.integrations.system = SystemRegistry.of(_shared(new))
        self.replace(new.integrations)
        kept = [name for name in ("store", "vault", "policy", "allowed") if getattr(old, name) != getattr(new, name)]
        logger.info("the configuration was read again: %d integrations", len(new.integrations))
        if kept:
            logger.warning("what changed of %s in the configuration is used after a restart", ", ".join(kept))


def _registry(store: Store, configuration: Configuration) -> Integrations:
    from mcpbridge.integrations.registry import Integrations  # noqa: PLC0415 - an optional extra
    from mcpbridge.vault.vault import Vault  # noqa: PLC0415 - an optional extra

    vault = Vault(store, configuration.vault) if configuration.vault else None
    return Integrations(store, vault, system=_shared(configuration))


def _shared(configuration: Configuration) -> Sequence[Integration]:
    """Those of every tenant; private ones are their owner's, and no tenant can switch them."""
    return [each for each in configuration.integrations if each.visibility == "shared"]
