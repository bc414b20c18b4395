"""`auth_from`: a strategy made of what a description proposes and a secret that the host has."""

from __future__ import annotations

import httpx2

from mcpbridge.auth.chain import Chain
from mcpbridge.auth.static import ApiKey, Basic, Bearer, Credential
from mcpbridge.errors import ConfigError
from mcpbridge.openapi.security import Proposal, Scheme


def auth_from(proposal: Proposal, *secrets: Credential) -> httpx2.Auth:
    """The strategy for a proposal, in one line: `auth=auth_from(propose_auth(document)[0], token)`.

    `secrets` are one for each scheme in its order, two for a basic one (user, password). A scheme of OAuth 2.0 or
    OpenID Connect takes an access token that the host got itself; `proposal.records()` holds its URLs and scopes.

    Raises: ConfigError for too few or too many secrets, for a scheme that no header, query or cookie can carry, and
    for two schemes that write the same header.
    """
    wanted = sum(2 if scheme.kind == "basic" else 1 for scheme in proposal.schemes)
    if len(secrets) != wanted:
        names = ", ".join(f"{scheme.name} ({scheme.kind})" for scheme in proposal.schemes)
        raise ConfigError(f"the proposal needs {wanted} secrets, got {len(secrets)}: {names}")
    left = list(secrets)
    parts = [_strategy(scheme, left) for scheme in proposal.schemes]
    return parts[0] if len(parts) == 1 else Chain(*parts)


def _strategy(scheme: Scheme, secrets: list[Credential]) -> httpx2.Auth:
    match scheme.kind:
        case "basic":
            user = secrets.pop(0)
            return Basic(user() if callable(user) else user, secrets.pop(0))
        case "api_key":
            return ApiKey(secrets.pop(0), scheme.key, where=scheme.where)
        case "bearer" | "http" | "oauth2" | "openid":
            return Bearer(secrets.pop(0), prefix=scheme.prefix)
        case "mtls":
            raise ConfigError(f"{scheme.name!r} is mutual TLS: pass transport=client_certificate(cert, key)")
        case "unknown":
            raise ConfigError(f"the description's scheme {scheme.name!r} has no known type: choose a strategy yourself")
