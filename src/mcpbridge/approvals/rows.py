"""The rows of approvals: plain SQL. How a request stands, and until when, is told by the database's clock."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, delete, insert, literal, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mcpbridge.store.clock import now
from mcpbridge.store.schema import approvals
from mcpbridge.tools import Json
from mcpbridge.wrap.approval import ApprovalRequest, ApprovalState, Binding, CallerKey
from mcpbridge.wrap.approval_rules import IN_DOUBT, RANKS

_COLUMN = approvals.c
_OPEN: tuple[ApprovalState, ...] = ("pending", "approved")


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """A request as it stands, and the database's time when it was read."""

    request: ApprovalRequest
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """The table, for requests whose claims count as `unknown` so many seconds after the approval's end."""

    claim: float

    async def add(self, connection: AsyncConnection, request: ApprovalRequest, lifetime: float) -> Read:
        """A new row. Its times are the database's."""
        values = {**_values(request), "created": now(), "expires": now() + lifetime}
        made = insert(approvals).values(values).returning(_COLUMN.created, _COLUMN.expires)
        row = (await connection.execute(made)).one()
        return Read(request=replace(request, created=row.created, expires=row.expires), at=row.created)

    async def get(self, connection: AsyncConnection, id: str) -> Read | None:
        """The request of this id."""
        row = (await connection.execute(self._select().where(_COLUMN.id == id))).one_or_none()
        return None if row is None else _read(row)

    async def find(self, connection: AsyncConnection, binding: Binding) -> Read | None:
        """Of the queued requests for one call the one that counts: see `approval_rules.counting`."""
        standing = self._standing()
        held = or_(standing != "denied", _COLUMN.expires > now())
        which = and_(_COLUMN.binding == lookup_key(binding), _COLUMN.queued, standing.in_(RANKS), held)
        rank = case({state: number for number, state in enumerate(RANKS)}, value=standing)
        found = self._select().where(which).order_by(rank, _COLUMN.created.desc()).limit(1)
        row = (await connection.execute(found)).one_or_none()
        return None if row is None else _read(row)

    async def in_doubt(self, connection: AsyncConnection, binding: Binding) -> bool:
        """Whether a call was let through, and nobody has said how that ended."""
        which = and_(_COLUMN.binding == lookup_key(binding), _COLUMN.state.in_(IN_DOUBT))
        return await connection.scalar(select(_COLUMN.id).where(which).limit(1)) is not None

    async def all(
        self, connection: AsyncConnection, *, tenant: str | None, states: Sequence[ApprovalState], limit: int | None
    ) -> Sequence[Read]:
        """The requests in these states, oldest first."""
        mine = true() if tenant is None else _COLUMN.tenant == tenant
        found = self._select().where(mine, self._standing().in_(states)).order_by(_COLUMN.created, _COLUMN.id)
        return [_read(row) for row in await connection.execute(found.limit(limit))]

    async def swap(self, connection: AsyncConnection, old: ApprovalRequest, new: ApprovalRequest) -> float | None:
        """Puts the new in the place of the old, unless that has changed since: one statement decides.

        Gives the database's time, or None.
        """
        standing = true() if old.state == "claimed" else self._standing() == old.state
        same = and_(_COLUMN.id == old.id, _COLUMN.version == old.version, standing)
        swapped = update(approvals).where(same).values(_values(new)).returning(now())
        return (await connection.execute(swapped)).scalar_one_or_none()

    async def make_room(self, connection: AsyncConnection, caller: CallerKey, per_caller: int) -> None:
        """Removes the caller's oldest requests that are more than `per_caller`, but for those whose end is unknown."""
        mine = and_(_COLUMN.tenant == caller[0], _COLUMN.caller == lookup_key(caller), _COLUMN.state.not_in(IN_DOUBT))
        kept = select(_COLUMN.id).where(mine).order_by(_COLUMN.created.desc(), _COLUMN.id).limit(per_caller)
        await connection.execute(delete(approvals).where(mine, _COLUMN.id.not_in(kept)))

    async def forget(self, connection: AsyncConnection, seconds: float) -> int:
        """Removes the requests that expired so long ago, but for those whose end is unknown."""
        old = and_(_COLUMN.expires < now() - seconds, _COLUMN.state.not_in(IN_DOUBT))
        return (await connection.execute(delete(approvals).where(old))).rowcount

    def _select(self) -> Select[Any]:
        return select(approvals, self._standing().label("standing"), now().label("at"))

    def _standing(self) -> ColumnElement[str]:
        """The state as time has left it."""
        lapsed = and_(_COLUMN.state.in_(_OPEN), _COLUMN.expires <= now())
        lost = and_(_COLUMN.state == "claimed", _COLUMN.expires + self.claim <= now())
        return case((lapsed, literal("expired")), (lost, literal("unknown")), else_=_COLUMN.state)


def lookup_key(key: Binding | CallerKey) -> str:
    """SHA-256 (hex) of what a row is looked up by: no name, however odd, has to fit into a column."""
    return hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()


def _values(request: ApprovalRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "tenant": request.caller[0],
        "caller": lookup_key(request.caller),
        "binding": lookup_key(request.binding),
        "state": request.state,
        "queued": request.queued,
        "version": request.version,
        "request": _document(request),
    }


def _document(request: ApprovalRequest) -> dict[str, Json]:
    return {
        "caller": [*request.caller],
        "tool": request.tool,
        "definition": request.definition,
        "arguments": request.arguments_digest,
        "access": request.access,
        "shown": request.shown,
        "decided": request.decided,
        "nonce": request.nonce,
        "barred": request.barred,
        "by": request.by,
        "reason": request.reason,
        "call": request.call,
    }


def _read(row: Row[Any]) -> Read:
    kept: dict[str, Json] = row.request
    tenant, user, agent, skill = kept["caller"]
    request = ApprovalRequest(
        id=row.id,
        binding=((tenant, user, agent, skill), kept["tool"], kept["definition"], kept["arguments"]),
        access=kept["access"],
        shown=kept["shown"],
        created=row.created,
        expires=row.expires,
        decided=kept["decided"],
        state=row.standing,
        nonce=kept["nonce"],
        queued=row.queued,
        barred=kept["barred"],
        by=kept["by"],
        reason=kept["reason"],
        call=kept["call"],
        version=row.version,
    )
    return Read(request=request, at=row.at)
