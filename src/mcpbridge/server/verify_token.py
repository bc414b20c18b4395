"""`CallerToken`: a token that was verified, and who showed it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from mcp.server.auth.provider import AccessToken
from pydantic import Field, InstanceOf

from mcpbridge.errors import BridgeError, ConfigError
from mcpbridge.openapi.jsontext import is_list
from mcpbridge.tools import Caller, Json

Claims: TypeAlias = Mapping[str, Json]
"""What an issuer says of a token: the claims of a JWT (RFC 7519), or the answer of an introspection (RFC 7662)."""

ToCaller: TypeAlias = Callable[[Claims], Caller]
"""Who showed a token with these claims. Raising: nobody, and the token is refused."""


class CallerToken(AccessToken):
    """What a verifier gives; `token_or_loopback` takes its `caller`. A host's own verifier may give it too."""

    caller: InstanceOf[Caller] = Field(repr=False)


class TokensUnavailable(BridgeError):
    """Whether a token is good can't be told now: HTTP answers 503, and the client is not sent to log in again."""

    code = "auth_unavailable"


def token_of(token: str, claims: Claims, caller: Caller, *, audience: str) -> CallerToken:
    """The verified token."""
    subject, client, expires = claims.get("sub"), claims.get("client_id", claims.get("azp")), claims.get("exp")
    return CallerToken(
        token=token,
        client_id=client if isinstance(client, str) else "",
        scopes=[*scopes_in(claims)],
        expires_at=int(expires) if isinstance(expires, int | float) else None,
        resource=audience,
        subject=subject if isinstance(subject, str) else None,
        claims={"iss": claims.get("iss")},
        caller=caller,
    )


def scopes_in(claims: Claims) -> Sequence[str]:
    """The scopes of a token: `scope` (RFC 9068 section 2.2.3), or `scp` as some issuers write it."""
    stated: Json = claims.get("scope", claims.get("scp"))
    words = stated.split() if isinstance(stated, str) else stated
    return [each for each in words if isinstance(each, str)] if is_list(words) else []


def caller_in(tenant: str) -> ToCaller:
    """The token's subject as a user of this tenant, or as an agent where it is the client itself."""

    def caller(claims: Claims) -> Caller:
        subject, client = claims.get("sub"), claims.get("client_id", claims.get("azp"))
        if not isinstance(subject, str) or not subject:
            raise ConfigError("the token names no subject")
        if subject == client:  # a client's own token (RFC 9068 section 2.2)
            return Caller(tenant=tenant, agent=subject)
        return Caller(tenant=tenant, user=subject)

    return caller
