"""What goes wrong with OAuth, as failures whose hint names the setting to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from mcpbridge.auth.oauth.answer import TokenRefused
from mcpbridge.errors import AuthRequired, BridgeError, Failure, UpstreamError

_HINTS: Final[Mapping[str, str]] = {
    "invalid_client": "Check client_id, client_secret and how the client authenticates (method).",
    "unauthorized_client": "The client may not use this grant: check its registration and client_id.",
    "invalid_scope": "Check scopes: the server does not grant one of them to this client.",
    "invalid_target": "Check resource and audience: the server gives no tokens for them.",
    "unsupported_grant_type": "The server does not do this grant: check the type of auth, and issuer.",
    "invalid_grant": "The grant is refused: check redirect_uri, the clock of this machine, and the subject's token.",
    "invalid_request": "Check method, redirect_uri and the extra parameters.",
    "": "Check token_endpoint or issuer, and the client's registration.",
}


class ReconnectRequired(AuthRequired):
    """The caller was logged in, and the authorization server has ended that: a person has to log in again."""

    code = "reconnect_required"


class LoginRefused(BridgeError):
    """A login can't be finished. `status` is what to answer the browser with; strangers are told nothing of why."""

    code = "login_refused"

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def login_required(integration: str, *, scopes: Sequence[str] = ()) -> AuthRequired:
    """Nobody has logged in yet, or not for these scopes."""
    more = f" and agree to the scopes {' '.join(scopes)!r}" if scopes else ""
    return AuthRequired(f"{integration!r} needs a login: a person has to log in{more}", scopes=scopes)


def reconnect_required(integration: str) -> ReconnectRequired:
    """The login is over."""
    return ReconnectRequired(f"the login at {integration!r} is over (expired or revoked): a person has to log in again")


def refused(where: str, refusal: TokenRefused) -> UpstreamError:
    """The server said no: for now where it is busy or broken, else until a setting is changed."""
    passing = (
        refusal.status >= 500 or refusal.status == 429 or refusal.error in ("temporarily_unavailable", "server_error")
    )
    said = f"{refusal.error!r} ({refusal.status})" if refusal.error else f"status {refusal.status}"
    return UpstreamError(
        Failure(
            code="auth_unavailable" if passing else "auth_failed",
            message=f"the authorization server {where} answered {said} where tokens were expected",
            hint="Try again later." if passing else _HINTS.get(refusal.error, _HINTS[""]),
            retryable=passing,
            retry_after=1.0 if passing else None,
            status=refusal.status,
        )
    )


def unusable(where: str, why: str, hint: str = _HINTS[""]) -> UpstreamError:
    """What the server answered can't be used; `why` are words of ours."""
    return UpstreamError(
        Failure(code="auth_failed", message=f"the authorization server {where} can't be used: {why}", hint=hint)
    )


def unavailable(failure: Failure) -> UpstreamError:
    """The server can't be reached, as the transport tells it. The call itself has not left."""
    return UpstreamError(
        Failure(
            code="auth_unavailable" if failure.retryable else failure.code,
            message=f"the authorization server {failure.message}",
            hint="Check issuer, or the endpoints. An operator can allow an address that is not public."
            if failure.code == "address_refused"
            else "Try again later; if it stays so, check issuer, or the endpoints.",
            retryable=failure.retryable,
            retry_after=1.0 if failure.retryable else None,
        )
    )
