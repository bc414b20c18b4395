"""`FakeIssuer`: an authorization server as small as a test needs, with refresh tokens that rotate.

It answers at `/oauth/token` for the grants `refresh_token` and `client_credentials` (RFC 6749 sections 6 and 4.4), and
tells of itself at `/.well-known/` (RFC 9728 and RFC 8414). A refresh token is good once: the second use of one revokes
all that came of the same login (RFC 9700 section 4.14.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from time import monotonic
from urllib.parse import parse_qs

from mcpbridge.secret import Secret
from mcpbridge.testing.received import Received, Reply
from mcpbridge.tools import Json

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """The tokens of one login."""

    access: Secret
    refresh: Secret | None = None


@dataclass(slots=True)
class _Login:
    """All tokens of one login: revoked together."""

    number: int
    revoked: bool = False


class FakeIssuer:
    """Issues and knows tokens. `lifetime` is in seconds of `clock`; `scope` is what every token is good for."""

    def __init__(self, *, lifetime: float = 3600.0, scope: str = "", clock: Callable[[], float] = monotonic) -> None:
        self.lifetime = lifetime
        self.scope = scope
        self.refused: str | None = None
        self.asked: list[Mapping[str, str]] = []
        self._clock = clock
        self._numbers = count(1)
        self._access: dict[str, tuple[_Login, float]] = {}
        self._refresh: dict[str, _Login] = {}
        self._used: dict[str, _Login] = {}

    def log_in(self) -> Grant:
        """The tokens of a person who has just logged in."""
        return self._issue(_Login(next(self._numbers)), refresh=True)

    def expire(self) -> None:
        """Every access token has just expired; refresh tokens stay good."""
        self._access.clear()

    def revoke(self) -> None:
        """Every login is over, refresh tokens included."""
        for login in (*self._refresh.values(), *self._used.values()):
            login.revoked = True
        self._access.clear()

    def knows(self, received: Received) -> bool:
        """Whether the request brings an access token that is good."""
        kind, _, token = received.headers.get("authorization", "").partition(" ")
        login, until = self._access.get(token, (None, 0.0))
        return kind.lower() == "bearer" and login is not None and not login.revoked and self._clock() < until

    def challenge(self, received: Received) -> Reply:
        """401 with the way to log in (RFC 6750 section 3, RFC 9728 section 5.1)."""
        parts = [f'resource_metadata="{origin_of(received)}{RESOURCE}"']
        if "authorization" in received.headers:
            parts.append('error="invalid_token"')
        if self.scope:
            parts.append(f'scope="{self.scope}"')
        reply = Reply.of_problem(401, "A token is needed")
        headers = {**reply.headers, "www-authenticate": f"Bearer {', '.join(parts)}"}
        return Reply(status=401, headers=headers, body=reply.body)

    def reply(self, received: Received) -> Reply | None:
        """What the issuer answers itself; None for what is not its business."""
        origin = origin_of(received)
        if received.path.startswith(RESOURCE):
            resource = origin + received.path.removeprefix(RESOURCE)
            return Reply.of_json({"resource": resource, "authorization_servers": [origin]})
        if received.path.startswith(SERVER):
            return Reply.of_json(self._metadata(origin))
        return self._token(received) if received.path == TOKEN_PATH else None

    def _metadata(self, origin: str) -> Json:
        return {
            "issuer": origin,
            "token_endpoint": f"{origin}{TOKEN_PATH}",
            "grant_types_supported": ["refresh_token", "client_credentials"],
            "response_types_supported": ["code"],
            "scopes_supported": self.scope.split(),
        }

    def _token(self, received: Received) -> Reply:
        given = {name: values[-1] for name, values in parse_qs(received.body.decode("ascii", "replace")).items()}
        self.asked.append({name: value for name, value in given.items() if name in ("grant_type", "scope", "resource")})
        if self.refused is not None:
            return Reply.of_json({"error": self.refused}, 400)
        match given.get("grant_type"):
            case "client_credentials":
                return self._granted(self._issue(_Login(next(self._numbers)), refresh=False))
            case "refresh_token":
                return self._rotated(given.get("refresh_token", ""))
            case _:
                return Reply.of_json({"error": "unsupported_grant_type"}, 400)

    def _rotated(self, refresh: str) -> Reply:
        if (login := self._used.get(refresh)) is not None:
            login.revoked = True
        login = self._refresh.pop(refresh, None)
        if login is None or login.revoked:
            return Reply.of_json({"error": "invalid_grant"}, 400)
        self._used[refresh] = login
        return self._granted(self._issue(login, refresh=True))

    def _granted(self, grant: Grant) -> Reply:
        told: dict[str, Json] = {
            "access_token": grant.access.reveal(),
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }
        if grant.refresh is not None:
            told["refresh_token"] = grant.refresh.reveal()
        if self.scope:
            told["scope"] = self.scope
        return Reply.of_json(told, cache_control="no-store")

    def _issue(self, login: _Login, *, refresh: bool) -> Grant:
        number = next(self._numbers)
        access, again = f"access-{login.number}-{number}", f"refresh-{login.number}-{number}"
        self._access[access] = (login, self._clock() + self.lifetime)
        if refresh:
            self._refresh[again] = login
        return Grant(access=Secret(access), refresh=Secret(again) if refresh else None)


def origin_of(received: Received) -> str:
    """Where the request was sent, as far as its Host says."""
    return f"http://{received.headers.get('host', 'localhost')}"
