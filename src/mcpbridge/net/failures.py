"""What went wrong between us and an upstream, as a `Failure`."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, replace

import httpx2

from mcpbridge.errors import Failure, Sent, UpstreamError
from mcpbridge.net.guard import Refused
from mcpbridge.net.limits import Limits


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    code: str
    what: str
    hint: str
    sent: Sent
    retryable: bool = True


_CONNECT = _Kind(
    code="unreachable",
    what="can't be reached",
    hint="Check that it runs and that base_url names its address.",
    sent="no",
)
_RESOLVE = _Kind(
    code="unreachable",
    what="has a host name that can't be resolved",
    hint="Check the host name in base_url.",
    sent="no",
)
_REFUSED = _Kind(
    code="address_refused",
    what="has an address that is not public, and whoever named it may name public ones only",
    hint="An operator can allow the host, or name the address as base_url.",
    sent="no",
    retryable=False,
)
_TLS = _Kind(
    code="tls",
    what="can't be trusted",
    hint="Check its certificate, or give a transport that trusts its authority.",
    sent="no",
    retryable=False,
)
_SLOW_CONNECT = _Kind(code="timeout", what="did not accept a connection in time", hint="Try again later.", sent="no")
_POOL = _Kind(
    code="timeout",
    what="has too many calls waiting",
    hint="Try again later. An operator can raise Limits(connections=…).",
    sent="no",
)
_LOST = _Kind(
    code="connection_lost",
    what="closed the connection without an answer",
    hint="A write may have been done: check first.",
    sent="unknown",
)
_UNSENDABLE = _Kind(
    code="unsendable",
    what="can't be sent this request",
    hint="Check base_url and the transport.",
    sent="no",
    retryable=False,
)
_GARBLED = _Kind(
    code="bad_answer",
    what="sent an answer that can't be decompressed",
    hint="Tell whoever runs it.",
    sent="yes",
    retryable=False,
)

_KINDS: tuple[tuple[type[Exception], _Kind], ...] = (
    (httpx2.ConnectTimeout, _SLOW_CONNECT),
    (httpx2.PoolTimeout, _POOL),
    (httpx2.ConnectError, _CONNECT),
    (httpx2.ProxyError, _CONNECT),
    (httpx2.UnsupportedProtocol, _UNSENDABLE),
    (httpx2.LocalProtocolError, _UNSENDABLE),
    (httpx2.DecodingError, _GARBLED),
)


def lost(error: httpx2.HTTPError, where: str, *, status: int | None, left: bool) -> Failure:
    """The failure that an error of the transport means. `where` names the upstream: scheme, host and port.

    `status` is that of an answer that broke off; `left` says that an earlier request of the same call was answered.
    """
    kind = next((kind for known, kind in _KINDS if isinstance(error, known)), _LOST)
    if kind is _CONNECT:
        kind = _refined(error)
    told = kind.what if kind is not _LOST or status is None else f"answered {status}, but broke off"
    sent: Sent = "yes" if status is not None else "unknown" if left else kind.sent
    return Failure(
        code=kind.code,
        message=f"{where} {told} ({type(error).__name__})",
        hint=kind.hint,
        retryable=kind.retryable,
        status=status,
        sent=sent,
    )


def overdue(where: str, limits: Limits, *, status: int | None) -> Failure:
    """The deadline of the whole call has passed."""
    told = "did not answer" if status is None else f"answered {status}, but did not finish its answer"
    return Failure(
        code="timeout",
        message=f"{where} {told} within {limits.deadline:g} s",
        hint="A write may have been done: check first. A read may be tried again, or asked for less.",
        retryable=True,
        status=status,
        sent="unknown" if status is None else "yes",
    )


class SigningFailed(Exception):
    """A strategy raised; the message is the name of what it raised, since its own words may hold the credential."""


def unsigned(error: SigningFailed | UpstreamError, where: str, *, left: bool) -> Failure:
    """The credential could not be had or used. `left` says that an earlier request of the same call was answered.

    A strategy that asks a server of its own for tokens says itself what went wrong there.
    """
    sent: Sent = "unknown" if left else "no"
    if isinstance(error, UpstreamError):
        return replace(error.failure, sent=sent)
    return Failure(
        code="auth_failed",
        message=f"a request to {where} could not be signed ({error})",
        hint="An operator has to check the credential of this upstream.",
        sent=sent,
    )


def oversized(where: str, limits: Limits, status: int) -> Failure:
    """The answer is larger than the cap."""
    return Failure(
        code="answer_too_large",
        message=f"{where} answered {status} with more than {limits.answer} bytes",
        hint="Ask for less: a page, a filter, fewer fields. An operator can raise Limits(answer=…).",
        status=status,
        sent="yes",
    )


def _refined(error: BaseException) -> _Kind:
    """Why a connection failed, from the chain of causes."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return _TLS
        if isinstance(cause, Refused):
            return _REFUSED
        if type(cause).__name__ == "gaierror":
            return _RESOLVE
        cause = cause.__cause__ or cause.__context__
    text = str(error).lower()
    return _TLS if "ssl" in text or "certificate" in text else _CONNECT
